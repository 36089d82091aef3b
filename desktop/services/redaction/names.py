"""Names as data gives them: which parts of one name somebody, and how they compare.

`Keller, Maria (Support)`, `maria.keller@example.com` and `Dr. Maria Keller` all name Maria Keller. A role names nobody.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from desktop.services.redaction.name_words import NO_NAMES, ORDINARY_NAMES, PARTICLES, ROLE_WORDS, TITLES

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|<[^>]*>|\s[-–|/·•@]\s.*|\|.*|\s(?:from|via|at|von|de chez)\s.*|#.*")
_EMAIL = re.compile(r"([\w.+'-]+)@[\w.-]+")
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
UNSPACED = re.compile("[\u0590-\u08ff\u0900-\u0fff\u1000-\u10ff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts in which words run together, take letters in front, or have marks that are no letters: such names are looked for as they are."""
_LEAST_PARTS_OF_ADDRESS = 3
_MOST_WORDS = 6


@lru_cache(maxsize=4096)
def folded(word: str) -> str:
    """Return a lower-case word without its accents."""
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFKD", word.translate(_PLAIN_LETTERS))
    return "".join(character for character in plain if not unicodedata.combining(character))


def spellings(word: str) -> set[str]:
    """Return how a name's part may be written in plain letters: *Müller* as `muller` and `mueller`."""
    lower = word.lower()
    return {folded(lower), folded(lower.translate(_UMLAUTS))}


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a person's name in their order, () for what is no person: a role, a number, a company."""
    address = _EMAIL.search(name)
    words = _WORD.findall(_ASIDE.sub(" ", name.replace(address[0], " ") if address else name))
    if not words and address:
        words = _of_address(address[1])
    while words and words[0].lower() in (TITLES | {"agent"}):
        words = words[1:]
    lower = [word.lower() for word in words]
    if not words or len(words) > _MOST_WORDS or any(word in ROLE_WORDS for word in lower):
        return ()
    if len(words) == 1 and (lower[0] in NO_NAMES or (len(lower[0]) == 1 and not UNSPACED.search(lower[0]))):
        return ()
    return tuple(words)


def _of_address(local: str) -> list[str]:
    words = [word for word in _WORD.findall(local) if word.lower() not in NO_NAMES]
    if len(words) > 1:
        return [word for word in words if len(word) >= _LEAST_PARTS_OF_ADDRESS]
    return words if words and len(words[0]) > _LEAST_PARTS_OF_ADDRESS and words[0] == local else []


def is_telling(part: str) -> bool:
    """Tell whether a part of a name, standing alone, can name its person at all."""
    return len(part) > 1 and part not in PARTICLES and part not in ROLE_WORDS


def is_ordinary(part: str) -> bool:
    """Tell whether a part of a name is a word too, so that the words around must tell."""
    return len(part) <= _SHORT or part in ORDINARY_NAMES or part in NO_NAMES


_SHORT = 2
