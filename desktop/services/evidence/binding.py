"""Binding: does a value of a claim stand in its sources for the same thing?

A value that the cited sentence has is compared by the words around it: where another value of the same kind stands among the claim's words, and the
claim's own value among others, they were swapped. A value that stands only beside the cited sentence, or around the messages (their days, the
ticket's number), counts as long as the cited sentence has no value of that kind which the claim leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.services.evidence.preparing import PREFIX, Line
from desktop.services.evidence.synonyms import groups_by_stem
from desktop.services.facts import Fact
from desktop.services.words import STOP_WORDS, stem, tokenize

_KINDS = {
    "date": "day",
    "day": "day",
    "monthday": "day",
    "weekday": "day",
    "time": "time",
    "id": "id",
    "version": "version",
    "phone": "phone",
    "email": "email",
    "url": "url",
    "percent": "percent",
    "number": "number",
}
_REACH = 6
_LEAST_BETTER = 1.2
_UNIT_WORTH = 1.5
_CLAUSE = re.compile(
    r"[;:!?()–]|,(?!\d)|\.\s|\b(?:and|but|so|because|while|which|whereas|instead|in place|rather)\b", re.I
)
_INSTEAD = re.compile(r"\b(?:instead of|in place of|rather than|not)\s+(?:the\s+|number\s+|a\s+|size\s+)*$", re.I)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the stems around it, nearest first, the unit behind it, and whether it is said to be the wrong one."""

    around: tuple[str, ...]
    unit: str
    is_denied: bool


def kind_of(fact: Fact) -> str:
    """Return what kind of value a fact is; all currencies are one kind."""
    kinds = {reading.partition(":")[0] for reading in fact.readings} - {"plain"}
    for name in ("date", "day", "monthday", "time", "version", "phone", "email", "url", "percent"):
        if name in kinds:
            return _KINDS[name]
    if "number" in kinds:
        return "number"
    if "id" in kinds:
        return "id"
    return next((_KINDS[name] for name in sorted(kinds) if name in _KINDS), "amount")


def has_competitor(fact: Fact, facts: Sequence[Fact], cited: Sequence[Line]) -> bool:
    """Tell whether the cited sentences have a value of the same kind that the claim leaves out."""
    kind = kind_of(fact)
    said = frozenset().union(*(other.readings for other in facts))
    return any(
        _is_comparable(kind, other) and not other.readings & said and not fact.readings & line.values
        for line in cited
        for other in line.facts
    )


def is_swapped(fact: Fact, text: str, facts: Sequence[Fact], near: Sequence[Line]) -> bool:
    """Tell whether another value of the sentences stands where the claim puts this one."""
    kind = kind_of(fact)
    said = frozenset().union(*(other.readings for other in facts))
    claimed = _place(text, fact)
    own: list[_Place] = []
    others: list[_Place] = []
    for line in near:
        for other in line.facts:
            if fact.readings & (other.readings | _loose(other)):
                own.append(_place(line.sentence.text, other))
            elif _is_comparable(kind, other):
                place = _place(line.sentence.text, other)
                # A value that the claim says as well is bound elsewhere, unless one is said to stand in place of the other.
                if not other.readings & said or place.is_denied or claimed.is_denied:
                    others.append(place)
    if not own or not others:
        return False
    if claimed.is_denied != all(place.is_denied for place in own) and any(p.is_denied for p in (*others, claimed)):
        return True
    best = max(_fit(claimed, place) for place in own)
    return max(_fit(claimed, place) for place in others) >= best + _LEAST_BETTER


def _is_comparable(kind: str, other: Fact) -> bool:
    found = kind_of(other)
    return found == kind or {found, kind} == {"amount", "number"}


def _loose(fact: Fact) -> frozenset[str]:
    """Return what a bare number of the ticket may be called in the claim."""
    return frozenset(f"plain:{r.partition(':')[2]}" for r in fact.readings if r.startswith("number:"))


def _place(text: str, fact: Fact) -> _Place:
    end = fact.start + len(fact.text)
    before, after = text[: fact.start], text[end:]
    for clause in _CLAUSE.finditer(before):
        before_start = clause.end()
        before = " " * before_start + before[before_start:]
    stop = _CLAUSE.search(after)
    words_before = tokenize(before)[::-1][:_REACH]
    words_after = tokenize(after[: stop.start()] if stop else after)[:_REACH]
    unit = re.match(r"\s?-?([^\W\d_]+)", after)
    around = tuple(
        stem(word.lower())
        for word in (*words_after, *words_before)
        if word.lower() not in STOP_WORDS and not word[0].isdigit()
    )
    return _Place(
        tuple(dict.fromkeys(around)),
        stem(unit[1].lower()) if unit and unit[1].lower() not in STOP_WORDS else "",
        _INSTEAD.search(text[: fact.start]) is not None,
    )


def _fit(claimed: _Place, place: _Place) -> float:
    """Say how much the words around two values are alike; the same unit counts more."""
    total = _UNIT_WORTH if claimed.unit and claimed.unit == place.unit else 0.0
    groups = groups_by_stem()
    prefixes = {word[:PREFIX] for word in place.around if len(word) >= PREFIX}
    known = frozenset().union(*(groups.get(word, frozenset()) for word in place.around))
    for word in claimed.around:
        if word in place.around:
            total += 1.0
        elif (len(word) >= PREFIX and word[:PREFIX] in prefixes) or groups.get(word, frozenset()) & known:
            total += 0.7
    return total
