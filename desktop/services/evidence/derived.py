"""Derived facts: a value that stands nowhere but follows from two that do: a difference, a sum, half of something, another unit.

Only where the claim says that it counts (“altogether”, “the extra”, “twelve times”); else a wrong number would too often happen to be the difference
of two others. Units of time are converted always: 72 hours are three days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from desktop.services.evidence.preparing import Line
from desktop.services.fact_patterns import CURRENCIES
from desktop.services.facts import Fact

_COUNTS = re.compile(
    r"\b(?:extra|difference|remain\w*|rest|total\w*|altogether|combined|sum|in all|more than|less than"
    r"|missing|left over|saved?|times|fold|each|both|of the)\b",
    re.I,
)
_TIMES = re.compile(r"\s*(?:times|fold|-fold)\b", re.I)
_UNIT = re.compile(r"\s*-?\s*(minute|hour|day|week|month|year)s?\b", re.I)
_IN = {("day", "hour"): 24, ("week", "day"): 7, ("year", "month"): 12, ("hour", "minute"): 60}
_MOST_NUMBERS = 12
_COUNTED = frozenset(("number", "percent", *CURRENCIES.values()))


def is_derived(fact: Fact, text: str, near: Sequence[Line]) -> bool:
    """Tell whether a fact follows from the values of the sentences."""
    number = _number(fact.readings)
    if number is None:
        return False
    rest = text[fact.start + len(fact.text) :]
    known = sorted({value for line in near for value in map(_value, line.values) if value is not None})
    if (unit := _UNIT.match(rest)) and _is_in_other_unit(
        number, unit[1].lower(), known, " ".join(line.sentence.text for line in near)
    ):
        return True
    if _TIMES.match(rest):
        return True
    if not _COUNTS.search(text) or len(known) > _MOST_NUMBERS:
        return False
    return any(
        number in (one + other, abs(one - other), one * other) for one in known for other in known if one != other
    )


def _is_in_other_unit(number: Decimal, unit: str, known: Sequence[Decimal], text: str) -> bool:
    for (large, small), times in _IN.items():
        if unit == large and number * times in known and re.search(rf"\b{small}|\b\d+ ?{small[0]}\b", text, re.I):
            return True
        if unit == small and number / times in known and re.search(rf"\b{large}", text, re.I):
            return True
    return False


def _number(readings: frozenset[str]) -> Decimal | None:
    return next((value for value in map(_value, sorted(readings)) if value is not None), None)


def _value(reading: str) -> Decimal | None:
    kind, _, digits = reading.partition(":")
    if kind not in _COUNTED:
        return None
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None
