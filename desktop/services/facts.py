"""Facts: the hard parts of a sentence (links, addresses, dates, times, phones, ids, amounts, numbers), each as values that can be compared.

`1.249,00 €`, `1,249` and `EUR 1249` are one amount, `2 pm` and `14:00` one time, `A-1183` and `a1183` one id. Patterns run in a fixed order and each
match is blanked before the next one runs, so that a date's digits are not taken for a number. A fact may have several readings (`3/4/26`); one
that fits is enough. Names are not facts here: on unseen texts a fifth of the faithful ones would be marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from desktop.services import fact_patterns as patterns

_LEAST_CHECKED_NUMBER_WORD = 3
"""“two options”, “one of them”: small number words are how people count what they see, and no fact of the ticket."""
_LEAST_ID_DIGITS = 4
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_UNCHECKED_WORDS = frozenset(("dozen", "hundred", "thousand"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: as it was written, and its readings; any of them that stands elsewhere makes it the same fact."""

    text: str
    readings: frozenset[str]
    start: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a text says: its facts as a claim would state them, and every value that a claim could find in it."""

    facts: tuple[Fact, ...]
    values: frozenset[str]


def find_facts(text: str, *, on: date | None = None) -> Found:
    """Find the facts of a text in the order in which they stand. `on` is the day it was written: “tomorrow” and “on Monday” are counted from it."""
    # Databases write an empty date as the first or the last day that they know; nobody counts from there.
    reading = _Reading(text, on if on is not None and _FIRST_YEAR <= on.year <= _LAST_YEAR else None)
    for pattern, take in _STEPS:
        reading.run(pattern, take)
    reading.read_words()
    return Found(tuple(sorted(reading.facts, key=lambda fact: fact.start)), frozenset(reading.values))


class _Reading:
    """A text being read: what is left of it, and what was found so far."""

    def __init__(self, text: str, on: date | None) -> None:
        self.left = text
        self.on = on
        self.facts: list[Fact] = []
        self.values: set[str] = set()

    def run(
        self, pattern: re.Pattern[str], take: Callable[[re.Match[str], date | None], tuple[set[str], set[str]] | None]
    ) -> None:
        """Blank every match that reads as a fact; `take` returns its readings and the values that it also stands for."""
        left: list[str] = []
        end = 0
        for match in pattern.finditer(self.left):
            taken = take(match, self.on)
            if taken is None:
                continue
            readings, also = taken
            # That an amount may be written bare is for the claim to hope: in the ticket $49 never stands for €49.
            self.values |= {value for value in readings if not value.startswith("plain:")} | also
            if readings:
                self.facts.append(Fact(match.group().strip(" .,;:"), frozenset(readings), match.start()))
            left += (self.left[end : match.start()], " " * (match.end() - match.start()))
            end = match.end()
        self.left = "".join((*left, self.left[end:]))

    def read_words(self) -> None:
        """Read what is written in words: numbers, weekdays, months, days counted from the message's own."""
        for match in patterns.WORD.finditer(self.left):
            word = match.group().casefold()
            if word in patterns.NUMBER_WORDS:
                number = patterns.NUMBER_WORDS[word]
                self.values |= {f"number:{number}", f"plain:{number}"}
                if number >= _LEAST_CHECKED_NUMBER_WORD and word not in _UNCHECKED_WORDS:
                    self.facts.append(Fact(match.group(), frozenset((f"number:{number}",)), match.start()))
            elif word in patterns.WEEKDAYS:
                self.values |= {f"weekday:{patterns.WEEKDAYS[word]}", *_days_named(patterns.WEEKDAYS[word], self.on)}
                self.facts.append(
                    Fact(match.group(), frozenset((f"weekday:{patterns.WEEKDAYS[word]}",)), match.start())
                )
            elif word in patterns.RELATIVE_DAYS and self.on is not None:
                self.values |= _day_values(self.on + timedelta(days=patterns.RELATIVE_DAYS[word]))
            elif word in patterns.MONTHS and len(word) > 3 and match.group()[0].isupper():
                self.values.add(f"month:{patterns.MONTHS[word]}")
                self.facts.append(Fact(match.group(), frozenset((f"month:{patterns.MONTHS[word]}",)), match.start()))


Taken = tuple[set[str], set[str]] | None


def _take_url(match: re.Match[str], on: date | None) -> Taken:
    url = re.sub(r"^(?:https?://)?(?:www\.)?", "", match.group().rstrip(".,;:!?").casefold()).rstrip("/")
    return ({f"url:{url}"}, set()) if url else None


def _take_email(match: re.Match[str], on: date | None) -> Taken:
    return {f"email:{match.group().rstrip('.').casefold()}"}, set()


def _take_iso_date(match: re.Match[str], on: date | None) -> Taken:
    return _full_date(int(match[1]), int(match[2]), int(match[3]))


def _take_numeric_date(match: re.Match[str], on: date | None) -> Taken:
    one, other, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    both = [taken for taken in (_full_date(year, other, one), _full_date(year, one, other)) if taken]
    return (set().union(*(r for r, _ in both)), set().union(*(a for _, a in both))) if both else None


def _take_day_month(match: re.Match[str], on: date | None) -> Taken:
    return _named_date(match[2], match[1], match[3], on)


def _take_month_day(match: re.Match[str], on: date | None) -> Taken:
    return _named_date(match[1], match[2], match[3], on)


def _named_date(month: str, day: str, year: str | None, on: date | None) -> Taken:
    number = patterns.MONTHS[month.rstrip(".").casefold()]
    if year:
        return _full_date(int(year), number, int(day))
    if not 1 <= int(day) <= 31:
        return None
    also = {f"month:{number}", f"monthday:{int(day)}"}
    if on is not None:
        also |= _day_values(_nearest(number, int(day), on))
    return {f"day:{number}-{int(day)}"}, also


def _take_first_of_days(match: re.Match[str], on: date | None) -> Taken:
    """Read the first day of “12-14 December”; the second is read with its month."""
    month = patterns.RANGE_MONTH.match(match.string, match.end())
    return _named_date(month[1], match[1], None, on) if month else None


def _take_ordinal_day(match: re.Match[str], on: date | None) -> Taken:
    """Read “the 19th”: the day of that number in the month before, of, or after the message."""
    number = int(match[1])
    if not 1 <= number <= 31:
        return None
    also: set[str] = set()
    if on is not None:
        for days in range(-31, 32):
            when = on + timedelta(days=days)
            also |= _day_values(when) if when.day == number else set()
    return {f"monthday:{number}"}, also


def _take_time(match: re.Match[str], on: date | None) -> Taken:
    hour, minute, half = int(match[1] or match[4]), int(match[2] or 0), (match[3] or match[5] or "").casefold()
    if hour > 23 or minute > 59:
        return None
    # Without am or pm a time may be meant in either half of the day.
    hours = {hour, hour + 12} if 1 <= hour < 12 else {hour}
    if half:
        hours = {hour % 12 + (12 if half == "p" else 0)}
    return {f"time:{h % 24:02}:{minute:02}" for h in hours}, set()


def _take_phone(match: re.Match[str], on: date | None) -> Taken:
    digits = re.sub(r"\D", "", match.group())
    if not re.search(r"[\s().+-]", match.group()):
        return None
    return {f"phone:{digits[-8:]}"}, {f"id:{digits}"}


def _take_id(match: re.Match[str], on: date | None) -> Taken:
    text = match.group()
    if counted := patterns.NUMBER_AND_WORD.fullmatch(text):
        return _numbers_of(counted[1])
    if patterns.NUMBER_WITH_UNIT.fullmatch(text) or patterns.SMALL_RANGE.fullmatch(text):
        return None
    plain = re.sub(r"[\W_]", "", text).casefold()
    bare = plain.lstrip("0") or "0"
    also = {f"number:{bare}", f"plain:{bare}"} if plain.isdigit() else set()
    # Written with its prefix in one place and bare in another: ticket INC-4711, “4711”.
    also |= {f"id:{digits}" for digits in re.findall(rf"\d{{{_LEAST_ID_DIGITS},}}", text)}
    return {f"id:{plain}"}, also


def _numbers_of(digits: str) -> Taken:
    values = _numbers(digits)
    return {f"number:{value}" for value in values}, {f"plain:{value}" for value in values}


def _take_amount(match: re.Match[str], on: date | None) -> Taken:
    digits = match[2] or match[4] or match[8]
    scale = (match[3] or match[5] or "").strip().casefold()
    code = patterns.CURRENCIES[(match[1] or match[6] or match[7]).casefold()]
    values = _numbers(digits, scale)
    return {f"{code}:{v}" for v in values} | {f"plain:{v}" for v in values}, {f"number:{v}" for v in values}


def _take_percent(match: re.Match[str], on: date | None) -> Taken:
    return {f"percent:{value}" for value in _numbers(match[1])}, {f"number:{value}" for value in _numbers(match[1])}


def _take_version(match: re.Match[str], on: date | None) -> Taken:
    return {f"version:{match[1]}"}, set()


def _take_number(match: re.Match[str], on: date | None) -> Taken:
    suffix = (match[2] or "").strip().casefold()
    values = _numbers(match[1], suffix)
    if not values:
        return None
    id_ = {f"id:{match[1]}"} if len(match[1]) >= _LEAST_ID_DIGITS else set()
    # A bare number in the ticket can be what the claim calls an amount.
    return {f"number:{value}" for value in values} | id_, {f"plain:{value}" for value in values}


_STEPS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date | None], Taken]], ...] = (
    (patterns.URL, _take_url),
    (patterns.EMAIL, _take_email),
    (patterns.ISO_DATE, _take_iso_date),
    (patterns.NUMERIC_DATE, _take_numeric_date),
    (patterns.DAYS_MONTH, _take_first_of_days),
    (patterns.DAY_MONTH, _take_day_month),
    (patterns.MONTH_DAY, _take_month_day),
    (patterns.ORDINAL_DAY, _take_ordinal_day),
    (patterns.TIME, _take_time),
    (patterns.AMOUNT, _take_amount),
    (patterns.PERCENT, _take_percent),
    (patterns.VERSION, _take_version),
    (patterns.PHONE, _take_phone),
    (patterns.ID, _take_id),
    (patterns.NUMBER, _take_number),
)


def _numbers(digits: str, scale: str = "") -> set[str]:
    """Return the values that digits with separators can mean: a group of exactly three is thousands, one or two are decimals."""
    text = re.sub(r"['’\u00a0\u202f]", "", digits)
    last = max(text.rfind("."), text.rfind(","))
    if last >= 0:
        fraction = text[last + 1 :]
        whole = re.sub(r"[.,]", "", text[:last])
        is_thousands = len(fraction) == 3 and text[:last] not in ("0", "")
        text = whole + fraction if is_thousands else f"{whole}.{fraction}"
    try:
        value = Decimal(text) * {"k": 1_000, "m": 1_000_000}.get(scale, 1)
    except InvalidOperation:
        return set()
    return {f"{value.normalize():f}"}


def _full_date(year: int, month: int, day: int) -> Taken:
    try:
        when = date(year, month, day)
    except ValueError:
        return None
    return {f"date:{when.isoformat()}"}, _day_values(when)


def day_values(when: date) -> frozenset[str]:
    """Return every value that stands for a day: with and without its year, its weekday and month."""
    return frozenset(_day_values(when))


def _day_values(when: date) -> set[str]:
    return {
        f"date:{when.isoformat()}",
        f"day:{when.month}-{when.day}",
        f"monthday:{when.day}",
        f"month:{when.month}",
        f"weekday:{when.weekday()}",
    }


def _days_named(weekday: int, on: date | None) -> Iterator[str]:
    """Yield the values of the last and the next day of that name; today counts as both."""
    if on is None:
        return
    back = (on.weekday() - weekday) % 7
    yield from _day_values(on - timedelta(days=back))
    yield from _day_values(on + timedelta(days=(weekday - on.weekday()) % 7))
    yield from _day_values(on + timedelta(days=(weekday - on.weekday()) % 7 or 7))


def _nearest(month: int, day: int, on: date) -> date:
    """Return the day of that name nearest to another; February 29 outside leap years is March 1."""
    near = []
    for year in (on.year - 1, on.year, on.year + 1):
        try:
            near.append(date(year, month, day))
        except ValueError:
            near.append(date(year, month, 28) + timedelta(days=1))
    return min(near, key=lambda when: abs((when - on).days))
