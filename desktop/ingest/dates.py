"""Dates: from the ways help desks write a time to one, ISO 8601 in UTC.

Whether `05/03/2026` is a day or a month first is decided over a column, never by one value; the evidence is kept in words, so that a person
can check and correct it. A time without a zone is taken as UTC. Deliberately not here: guessing zones or local holidays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

ORDERS = ("iso", "day-first", "month-first", "epoch")

_ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?P<rest>(?:[T, ].*)?)", re.ASCII)
_NUMERIC = re.compile(r"(?P<a>\d{1,2})([-/.])(?P<b>\d{1,2})\2(?P<y>\d{4}|\d{2})(?P<rest>(?:[T, ].*)?)", re.ASCII)
_DAY_WORD = re.compile(
    r"(?:[^\W\d]{2,10}\.?,?\s+)?(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?[-/\s.]+(?:de\s+)?(?P<word>[^\W\d]{3,12})\.?"
    r"[-/\s,.]+(?:de\s+)?(?P<y>\d{4}|\d{2})(?P<rest>(?:[T, ].*)?)"
)
_WORD_DAY = re.compile(
    r"(?:[^\W\d]{2,10},?\s+)?(?P<word>[^\W\d]{3,12})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})(?P<rest>(?:[T, ].*)?)"
)
_CLOCK = re.compile(
    r"[T,\s]*(?:(?:at|um|à|a las)\s+)?(?P<h>\d{1,2})[:.h](?P<min>\d\d)(?:[:.](?P<s>\d\d)(?:[.,]\d+)?)?(?:\s*Uhr)?"
    r"\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?\s*(?P<zone>Z|[A-Z]{3,4}|(?:UTC|GMT)?[+-]\d{1,2}:?(?:\d\d)?)?(?:\s*\([^)]*\)|\s+UTC)?"
)
# As Unix and Twitter write it, with the year behind the zone: Wed Mar 04 10:15:00 +0000 2026.
_YEAR_LAST = re.compile(
    r"[A-Za-z]{3} (?P<day>[A-Za-z]{3} +\d{1,2}) (?P<clock>[\d:]+(?: [A-Z+\d-]+)?) (?P<year>\d{4})", re.ASCII
)
_NUMBER = re.compile(r"\d{10}(?:\.\d+)?|\d{13}|[2-7]\d{4}(?:[.,]\d+)?", re.ASCII)
_GROUPED = re.compile(r"\d([,\u202f\u00a0 ])\d{3}(?:\1\d{3}){2,3}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier enero ene januar jän gennaio gen janeiro янв января январь ledna led stycznia sty januari jaan",
            "feb february févr fév fevr février febrero februar febbraio fev fevereiro фев февр февраля февраль února úno lutego lut februari febbr",
            "mar march mars marzo mär mrz märz março мар марта март března bře marca mrt maart",
            "apr april avr avril abr abril aprile апр апреля апрель dubna dub kwietnia kwi",
            "may mai mayo maggio mag maio мая май května kvě maja mei maj",
            "jun june juin junio juni giugno giu junho июн июня июнь června čvn czerwca cze",
            "jul july juil juillet julio juli luglio lug julho июл июля июль července čvc lipca lip",
            "aug august août aout ago agosto авг августа август srpna srp sierpnia sie augustus",
            "sep sept september septembre septiembre settembre set setembro сен сент сентября сентябрь září zář września wrz",
            "oct october octobre octubre okt oktober ottobre ott outubro out окт октября октябрь října říj października paź",
            "nov november novembre noviembre novembro ноя нояб ноября ноябрь listopadu lis listopada",
            "dec december déc dec décembre diciembre dic dez dezember dicembre dezembro дек декабря декабрь prosince pro grudnia gru desember des",
        ),
        start=1,
    )
    for name in names.split()
}
_LONGEST_DATE = 100
_NOTHING = {"", "?", "-", "null", "none", "n/a", "nan", "0000-00-00 00:00:00", "0000-00-00", "not set", "never"}
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)(Z|[+-]\d\d:?\d\d)?", re.ASCII)
# 2026年3月2日 午後9時14分, 2026년 3월 2일 오후 9:14
_EAST_ASIAN = re.compile(r"(?P<y>\d{4})[年년]\s*(?P<m>\d{1,2})[月월]\s*(?P<d>\d{1,2})[日일]?(?P<rest>.*)")
_HALF_DAY_FIRST = re.compile(r"(?P<half>午前|上午|오전|午後|下午|오후)\s*(?P<clock>\d{1,2}[:時时시].*)")


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How dates are written in a file: one of `ORDERS` or '' when there are none, and why, in words.

    `is_open` when every value made sense in both orders, so that it is a guess.
    """

    order: str
    evidence: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ReadDate:
    """A date as read: ISO 8601 UTC text, '' when unreadable; `is_contrary` when it only made sense in the other order."""

    text: str
    is_contrary: bool = False


def is_iso_utc(value: str) -> bool:
    """Tell whether a date is written as we write it already."""
    if not _ISO_UTC.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def read_date(value: str, order: str) -> ReadDate:
    """Read one date cell, day and month in the given order."""
    if is_iso_utc(value):
        return ReadDate(value)
    value = value.strip()
    # Nobody writes a date so long; the patterns below would try every way to share out its blanks.
    if len(value) > _LONGEST_DATE or value.lower() in _NOTHING:
        return ReadDate("")
    if _GROUPED.fullmatch(value):
        value = re.sub(r"\D", "", value)
    if _NUMBER.fullmatch(value):
        return ReadDate(_from_number(value.replace(",", ".")))
    if match := _YEAR_LAST.fullmatch(value):
        value = f"{match['day']} {match['year']} {match['clock']}"
    if not value.isascii():
        value = _as_western(value)
    if match := _COMPACT.fullmatch(value):
        value = f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}{match[7] or ''}"
    match = _YEAR_FIRST.fullmatch(value)
    if match:
        return ReadDate(_build(int(match["y"]), int(match["m"]), int(match["d"]), match["rest"]))
    match = _NUMERIC.fullmatch(value)
    if match:
        return _read_numeric(match, order)
    match = _DAY_WORD.fullmatch(value) or _WORD_DAY.fullmatch(value)
    month = _MONTHS.get(match["word"].casefold()) if match else None
    if match and month:
        return ReadDate(_build(_full_year(match["y"]), month, int(match["d"]), match["rest"]))
    return ReadDate("")


def _as_western(value: str) -> str:
    """Write a date of East Asia in figures and with AM or PM behind, and a Russian one without its word for year."""
    value = re.sub(r"(?<=\d{4}) ?г\.", "", value)
    if match := _EAST_ASIAN.fullmatch(value):
        value = f"{match['y']}-{match['m']}-{match['d']} {match['rest']}".strip()
    if match := _HALF_DAY_FIRST.search(value):
        half = "PM" if match["half"] in ("午後", "下午", "오후") else "AM"
        value = f"{value[: match.start()]}{match['clock'].strip()} {half}"
    return re.sub(r"(?<=\d)[時时시]\s*(\d{1,2})[分분](?:\s*(\d{1,2})[秒초])?", _as_clock, value)


def _as_clock(match: re.Match[str]) -> str:
    return f":{int(match[1]):02}" + (f":{int(match[2]):02}" if match[2] else "")


def decide_order(
    columns: Iterable[tuple[str, Iterable[str]]], *, fallback: str = "", fallback_reason: str = ""
) -> DateOrder:
    """Decide day or month first over (column name, values) pairs; `fallback` settles what the values leave open."""
    ambiguous = year_first = numbers = words = ""
    has_half_day = False
    for name, values in columns:
        for value in values:
            value = value.strip()
            if match := _NUMERIC.fullmatch(value):
                if proof := find_proof([(name, value)]):
                    return proof
                ambiguous = ambiguous or f"“{value}” in {name}"
                has_half_day = has_half_day or bool(re.search(r"[AaPp]\.?[Mm]", match["rest"]))
            elif _YEAR_FIRST.fullmatch(value):
                year_first = year_first or f"“{value}” in {name}: the year comes first"
            elif _NUMBER.fullmatch(value):
                numbers = numbers or f"“{value}” in {name} is a count of seconds, milliseconds or days"
            elif read_date(value, "day-first").text:
                words = words or f"“{value}” in {name}: the month is a word"
    if ambiguous:
        return _open_order(ambiguous, has_half_day=has_half_day, fallback=fallback, fallback_reason=fallback_reason)
    if year_first:
        return DateOrder("iso", year_first)
    if numbers:
        return DateOrder("epoch", numbers)
    return DateOrder("day-first", words) if words else DateOrder("", "")


def find_proof(dates: Iterable[tuple[str, str]]) -> DateOrder | None:
    """Return the order that the first of (column name, value) pairs proves which makes sense in one order only; None when none does."""
    for name, value in dates:
        match = _NUMERIC.fullmatch(value.strip())
        if match is None:
            continue
        first, second = int(match["a"]), int(match["b"])
        if 12 < first <= 31 and second <= 12:
            return DateOrder("day-first", f"“{value.strip()}” in {name}: there is no month {first}")
        if 12 < second <= 31 and first <= 12:
            return DateOrder("month-first", f"“{value.strip()}” in {name}: there is no month {second}")
    return None


def _open_order(example: str, *, has_half_day: bool, fallback: str, fallback_reason: str) -> DateOrder:
    start = f"{example} could be either"
    if fallback:
        return DateOrder(fallback, f"{start}; {fallback_reason}", is_open=True)
    if has_half_day:
        return DateOrder("month-first", f"{start}; times with AM and PM speak for the month first", is_open=True)
    return DateOrder("day-first", f"{start}; the day is taken to come first", is_open=True)


def _read_numeric(match: re.Match[str], order: str) -> ReadDate:
    first, second, year, rest = int(match["a"]), int(match["b"]), _full_year(match["y"]), match["rest"]
    day, month = (second, first) if order == "month-first" else (first, second)
    text = _build(year, month, day, rest)
    if text:
        return ReadDate(text)
    other = _build(year, day, month, rest)
    return ReadDate(other, is_contrary=bool(other))


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < 70 else 1900)


def _build(year: int, month: int, day: int, rest: str) -> str:
    hour = minute = second = 0
    zone: timezone = UTC
    if rest.strip(" ,T"):
        clock = _CLOCK.fullmatch(rest.rstrip())
        if not clock:
            return ""
        hour, minute, second = int(clock["h"]), int(clock["min"]), int(clock["s"] or 0)
        if clock["half"]:
            hour = hour % 12 + (12 if clock["half"][0] in "Pp" else 0)
        named = _zone(clock["zone"] or "")
        if named is None:
            return ""
        zone = named
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        return _as_text(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return ""


# Names that mean one zone; others (IST is Indian, Irish and Israeli) leave the time unread rather than hours wrong.
_NAMED_ZONES = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "CET": 1,
    "CEST": 2,
    "WET": 0,
    "WEST": 1,
    "BST": 1,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "SGT": 8,
    "HKT": 8,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}


def _zone(name: str) -> timezone | None:
    if name in ("", "Z", "UTC", "GMT"):
        return UTC
    if name in _NAMED_ZONES:
        return timezone(timedelta(hours=_NAMED_ZONES[name]))
    match = re.search(r"([+-])(\d{1,2}?):?(\d\d)?$", name) or re.search(r"([+-])(\d\d)()$", name)
    if not match:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset) if offset < timedelta(hours=24) else UTC


def _from_number(value: str) -> str:
    whole = value.split(".")[0]
    if len(whole) == 5:  # a spreadsheet's day number, counted from 1899-12-30
        return _as_text(datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(float(value) * 86400)))
    seconds = int(whole) / 1000 if len(whole) == 13 else int(whole)
    return _as_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds)))


def _as_text(moment: datetime) -> str:
    # Not strftime: its %Y drops leading zeros of early years on some platforms.
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
