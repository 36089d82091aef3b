"""Names: which words of a claim name somebody or something, and whether the ticket knows them.

A name is a capitalized word inside a sentence, or at its beginning when it is no ordinary word there; all capitals count as well. It is known when it
stands in the text or in an author's name, whatever its case, or nearly: a typing error of a long name is no other name. It does not know what a
name means: two people of the same first name are one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from desktop.services.words import STOP_WORDS, stem

_TOKEN = re.compile(r"[^\W\d_][^\W\d_]*(?:['’-][^\W\d_]+)*")
_PART = re.compile(r"[^\W\d_]+")
_SENTENCE_START = re.compile(r"(?:^|(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)[.!?:]\s+|[\"“(]\s*)$")
_OPENERS = frozenset(
    "although though unless whereas whenever whoever despite according contrary neither either both nobody"
    " everyone everybody several many some few each every another"
    " two three four five instead besides meanwhile later earlier afterwards finally initially originally"
    " currently yesterday today tomorrow".split()
)
"""What a sentence may begin with before a name."""
_NO_NAMES = frozenset(
    "i i'm i've i'll mr ms mrs dr sir madam herr frau url faq id ids dm ok pdf csv sms pin vat eu uk us usa"
    " usd eur gbp nok sek dkk chf czk pm am it hr dns ip api ui app"
    " monday tuesday wednesday thursday friday saturday sunday january february march april may june july"
    " august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec customer agent support client english german french"
    " spanish italian dutch portuguese internet wifi wi-fi"
    " mb gb kb tb european christmas easter web e-mail email tv pc sim cet gmt utc".split()
)
_LEAST_NAME = 3
_LEAST_INFLECTED = 4
_LOOK_BACK = 40


def find_names(text: str, ordinary: Collection[str], named: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of a claim in their order; `ordinary` are the words that the ticket writes in lower case, `named` those that it never does."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        word = re.sub(r"['’]s$", "", match.group())
        lower = word.casefold()
        if len(word) < _LEAST_NAME or not word[0].isupper() or lower in _NO_NAMES or lower in STOP_WORDS:
            continue
        is_first = _begins_sentence(text, match.start())
        if is_first and not word.isupper() and not _is_name_at_start(text, match, lower, ordinary, named):
            continue
        found.append(word)
    return tuple(dict.fromkeys(found))


def _begins_sentence(text: str, start: int) -> bool:
    return _SENTENCE_START.search(text, max(0, start - _LOOK_BACK), start) is not None


def _is_name_at_start(
    text: str, match: re.Match[str], lower: str, ordinary: Collection[str], named: Collection[str]
) -> bool:
    """Tell whether a sentence begins with a name: followed by another capitalized word, an *'s*, or an acting verb; and written large alone."""
    after = text[match.end() :]
    if lower in ordinary or lower in _OPENERS:
        return False
    if lower in named:
        return True
    return re.match(r" [A-Z][a-z]+\b", after) is not None or match.group().endswith(("'s", "’s"))


def is_known(name: str, words: Collection[str]) -> bool:
    """Tell whether a name stands among lower-case words, as it is, with an ending, or nearly."""
    parts = [part.casefold() for part in _PART.findall(name)]
    return all(part in words or len(part) < _LEAST_NAME or _is_nearly(part, words) for part in parts)


def _is_nearly(part: str, words: Collection[str]) -> bool:
    root = stem(part)
    return any(
        stem(word) == root
        or (len(part) > _LEAST_INFLECTED and word.startswith(part[:-1]) and len(word) <= len(part) + 2)
        for word in words
    )


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as `is_known` wants them."""
    return frozenset(part.casefold() for part in _PART.findall(text))


def ordinary_words(text: str) -> frozenset[str]:
    """Return the words that a text writes in lower case."""
    return frozenset(part for part in _PART.findall(text) if part[0].islower())


def named_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the words that stand capitalized inside a sentence: names, and in German all nouns."""
    found: set[str] = set()
    for text in texts:
        found.update(
            match.group().casefold()
            for match in _PART.finditer(text)
            if match.group()[0].isupper() and not _begins_sentence(text, match.start())
        )
    return frozenset(found)


def is_mixed(text: str, people: Collection[Sequence[str]]) -> str:
    """Return a full name put together of two people's (“Henrike Vriend” of Henrike Staudacher and Casper Vriend); '' for none."""
    tokens = [match.group() for match in _PART.finditer(text)]
    for one, other in pairwise(tokens):
        if not (one[0].isupper() and other[0].isupper() and f"{one} {other}" in text):
            continue
        first, last = one.casefold(), other.casefold()
        has_first = [names for names in people if len(names) > 1 and first == names[0]]
        has_last = [names for names in people if len(names) > 1 and last in names[1:]]
        if has_first and has_last and not any(names in has_last for names in has_first):
            return f"{one} {other}"
    return ""
