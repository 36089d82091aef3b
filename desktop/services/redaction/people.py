"""People: the names that a ticket's data and texts give, found again in all their forms.

Full name, first or last name alone, with initials, `Keller, Maria`, `maria_keller`, any case, possessives, without accents, with the endings of
Slavic languages. A name that is a word too (*Will*, *Mark*, *Koch*) counts only where it is written like a name and the words around do not speak
against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from desktop.services.redaction.name_words import PARTICLES
from desktop.services.redaction.names import UNSPACED, folded, is_ordinary, is_telling, parts_of, spellings
from desktop.services.redaction.naming import is_used_as_name
from desktop.services.redaction.reading import Reading, Word
from desktop.services.redaction.spans import Span

_GAP = re.compile(r"(?:[ \u00a0._\-·]|, |\. |\.[ \u00a0]|[ \u00a0]{2})")
_HANDLE = re.compile(r"@?(?=[\w.\-]*[A-Za-z])[\w.\-]{5,40}")
_ENDINGS = frozenset(
    folded(ending)
    for ending in (
        "a u y i e o ie em om owi owie ą ę ego emu im ej iego iemu iej ich ova ová ové ovou ovi ou ům ů ем ом ой ою ею у а е ы"
        " и ю я ев ову ого ому ым ых ей ів ові ої ій".split()
    )
)
_LEAST_STEM = 4
_JOINING = frozenset(
    "de da do dos das del della di du la le van von der den ter ten zu zur al el bin ibn ben abu".split()
)
_HEAD = 3
"""Letters of a name by which words are told apart quickly."""
_VOWELS = "aeiouyаеиоуыюяьй"
_HONORIFICS = "，；、様さ殿氏先くちよは、。,がのにをと님씨이가은는께 \n\t！!？?：:）)"
_LEAST_UNSPACED = 2


@dataclass(slots=True)
class _Person:
    """One person: the parts of the name that tell, folded, and how the full name reads."""

    number: int
    parts: list[str] = field(default_factory=list)
    initials: set[str] = field(default_factory=set)
    particles: set[str] = field(default_factory=set)


class People:
    """The people of one ticket."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._people: list[_Person] = []
        self._by_part: dict[str, list[_Person]] = {}
        self._heads: set[str] = set()
        self._by_stem: dict[str, list[_Person]] = {}
        self._whole: dict[str, _Person] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Take note of a person by a name, an e-mail address or a handle."""
        name = name.strip()
        if UNSPACED.search(name):
            self._add_unspaced(name)
            return
        parts = parts_of(name)
        if not parts:
            if _HANDLE.fullmatch(name) and any(character.isdigit() or character == "_" for character in name):
                self._whole.setdefault(name.lstrip("@").lower(), self._new())
            return
        if _HANDLE.fullmatch(name) and not name.isalpha():
            self._whole.setdefault(name.lstrip("@").lower(), self._person_of(parts))
        person = self._person_of(parts)
        self._add_parts(person, parts)
        if len(parts) > 1 and is_telling(parts[-1].lower()) and len(parts[-1]) >= _LEAST_STEM:
            first, last = folded(parts[0].lower()), folded(parts[-1].lower())
            for login in (first[0] + last, first + last):
                self._whole.setdefault(login, person)

    def _new(self) -> _Person:
        person = _Person(len(self._people))
        self._people.append(person)
        return person

    def _person_of(self, parts: Sequence[str]) -> _Person:
        """Return the person that a name means: one who has all its parts, one known so far by a single part of it, or a new one."""
        plain = [folded(part.lower()) for part in parts if is_telling(part.lower())]
        for person in self._by_part.get(plain[0], ()) if plain else ():
            if all(part in person.parts for part in plain) or (len(person.parts) == 1 and plain[0] == person.parts[0]):
                return person
        return self._new()

    def _add_parts(self, person: _Person, parts: Sequence[str]) -> None:
        for part in parts:
            lower = part.lower()
            person.initials.add(folded(lower)[0])
            if lower in PARTICLES:
                person.particles.add(lower)
            for spelling in spellings(part) if is_telling(lower) else ():
                self._heads.add(spelling[:_HEAD])
                if spelling not in person.parts:
                    person.parts.append(spelling)
                known = self._by_part.setdefault(spelling, [])
                if person not in known:
                    known.append(person)
                if len(spelling) >= _LEAST_STEM and not is_ordinary(spelling):
                    self._by_stem.setdefault(_stem(spelling), []).append(person)

    def _add_unspaced(self, name: str) -> None:
        parts = re.split(r"[\s　·・]+", name)
        words = [word for word in parts if len(word) >= _LEAST_UNSPACED]
        if any(folded(word) and not parts_of(word) for word in words):
            return
        known = [self._whole[word.lower()] for word in (name, *words) if word.lower() in self._whole]
        person = known[0] if known else self._new()
        for word in (name, "".join(parts), *words):
            if len(word) >= _LEAST_UNSPACED:
                self._whole.setdefault(word.lower(), person)

    def find(self, reading: Reading) -> Iterator[Span]:
        """Yield where people are named."""
        yield from self._find_whole(reading)
        # Cheap first: hardly any word begins like a name.
        likely = {
            word for word in reading.vocabulary if word[:_HEAD] in self._heads or not word.isascii() or "'" in word
        }
        past = 0
        for at, lower in enumerate(reading.words) if likely else ():
            if at < past or lower not in likely:
                continue
            found = self._at(reading, at)
            if found:
                span, past = found
                yield span

    def _find_whole(self, reading: Reading) -> Iterator[Span]:
        for name, person in self._whole.items():
            yield from _as_it_is(reading, name, f"{person.number}")
            if _is_cjk(name) and len(name) >= _LEAST_UNSPACED:
                for found in re.finditer(f"{re.escape(name[0])}(?=先生|女士|小姐|总|經理|经理)", reading.text):
                    yield Span(*found.span(), "person", f"{person.number}")
            if _is_cjk(name) and len(name) > _LEAST_UNSPACED:
                for part in (name[:2], name[-2:]) if len(name) > 3 else (name[:2], name[1:]):
                    yield from _as_it_is(reading, part, f"{person.number}", is_part=True)

    def _at(self, reading: Reading, at: int) -> tuple[Span, int] | None:
        """Return the name that begins with a word, and the place of the word after it."""
        word = reading.word(at)
        people, first, end = self._known(word, reading.text)
        if not people:
            return None
        parts, last = [first], at
        while last + 1 < len(reading.words):
            following = self._following(reading, last, people)
            if following is None:
                break
            part, last, end = following
            if part:
                parts.append(part)
                people = [person for person in people if part in person.parts]
        start = _with_what_stands_before(reading, at, people[0])
        if len(set(parts)) == 1 and not _can_stand_alone(reading, at, parts[0], start, last):
            return None
        if len(set(parts)) > 1 and not _is_written_together(reading.text, parts, word.start, end, people[0]):
            return None
        return Span(start, end, "person", f"{people[0].number}"), last + 1

    def _known(self, word: Word, text: str) -> tuple[list[_Person], str, int]:
        """Return whom a word names, its part of the name, and where that ends: before an *'s* or a case's ending's end."""
        lower, end = word.lower, word.end
        people = self._by_part.get(lower)
        if people:
            return people, lower, end
        if not lower.isascii() or "'" in lower:
            lower = folded(lower)
            if lower.endswith("'s"):
                lower, end = lower[:-2], end - 2
            people = self._by_part.get(lower)
            if people:
                return people, lower, end
            head, sign, tail = lower.partition("'")
            if sign and len(head) <= 2 and tail in self._by_part:
                return self._by_part[tail], tail, end
        if len(lower) < _LEAST_STEM or not text[word.start].isupper():
            return [], "", end
        if lower.endswith("s") and lower[:-1] in self._by_part and not is_ordinary(lower[:-1]):
            return self._by_part[lower[:-1]], lower[:-1], end - 1
        for length in range(len(lower) - 1, max(_HEAD, len(lower) - _HEAD - 1) - 1, -1):
            if lower[length:] in _ENDINGS and lower[:length] in self._by_stem:
                return self._by_stem[lower[:length]], self._by_stem[lower[:length]][0].parts[0], end
        return [], "", end

    def _following(self, reading: Reading, last: int, people: list[_Person]) -> tuple[str, int, int] | None:
        """Return the next part of the same name: part ('' for an initial), the place of its word and its end."""
        text, before = reading.text, reading.word(last)
        for ahead in (1, 2, 3, 4):
            if last + ahead >= len(reading.words):
                return None
            word = reading.word(last + ahead)
            if not _GAP.fullmatch(text, before.end, word.start):
                return None
            known, part, end = self._known(word, text)
            if any(person in known for person in people):
                return part, last + ahead, end
            if ahead == 1 and len(word.lower) == 1 and _is_initial(text, word, people[0]):
                return "", last + ahead, word.end
            is_between = word.lower in people[0].particles or word.lower in _JOINING or len(word.lower) == 1
            if not is_between:
                return None
            before = word
        return None


def _stem(part: str) -> str:
    return part[:-1] if part[-1] in _VOWELS else part


def _is_initial(text: str, word: Word, person: _Person) -> bool:
    following = text[word.end : word.end + 1]
    return (
        text[word.start].isupper()
        and word.lower in person.initials
        and (following == "." or (word.lower not in "iao" and not following.isalpha()))
    )


def _with_what_stands_before(reading: Reading, at: int, person: _Person) -> int:
    """Return where a name begins with its initials and particles: *R. Jackson*, *van den Berg*."""
    text, first = reading.text, at
    while first > 0:
        word, following = reading.word(first - 1), reading.word(first)
        if not _GAP.fullmatch(text, word.end, following.start) or "," in text[word.end : following.start]:
            break
        is_initial = (
            len(word.lower) == 1
            and word.lower in person.initials
            and text[word.start].isupper()
            and text[word.end] in "._-"
        )
        if not (is_initial or word.lower in person.particles):
            break
        first -= 1
    while first < at and len(reading.words[first]) == 1 and not text[reading.word(first).start].isupper():
        first += 1
    return reading.word(first).start


def _can_stand_alone(reading: Reading, at: int, part: str, start: int, last: int) -> bool:
    if not is_ordinary(part) or start < reading.word(at).start or last > at:
        return True
    return is_used_as_name(reading, at, part)


def _is_written_together(text: str, parts: Sequence[str], start: int, end: int, person: _Person) -> bool:
    """Tell whether words that are all ordinary ones are a name: they are large, or the person's in their order."""
    if not all(is_ordinary(part) for part in parts):
        return True
    if all(word[0].isupper() or word in _JOINING for word in re.findall(r"[^\W\d_]+", text[start:end])):
        return True
    return [part for part in person.parts if part in parts] == list(parts) and text[start:end].count(" ") < len(parts)


def _is_cjk(name: str) -> bool:
    return all("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" for character in name)


def _as_it_is(reading: Reading, name: str, key: str, *, is_part: bool = False) -> Iterator[Span]:
    """Yield where a name stands letter by letter; a part of one only where an honorific, a sign or a particle follows."""
    text, at = reading.lower, reading.lower.find(name)
    while at >= 0:
        end = at + len(name)
        before, after = text[at - 1 : at], text[end : end + 1]
        if name.isascii():
            is_whole = not (before.isalnum() or after.isalnum())
        else:
            is_whole = not is_part or ((not after or after in _HONORIFICS) and not _is_ideograph(before))
        if is_whole:
            yield Span(at, end, "person", key)
        at = text.find(name, end)


def _is_ideograph(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af"
