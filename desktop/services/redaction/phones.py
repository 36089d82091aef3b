"""Telephone numbers: the digits alone do not tell, so their shape and the words around decide.

`phonenumbers` knows which numbers can exist; its own matcher is fifty times slower than what a ticket may take, so only what survived cheaper tests
is asked. A number after *order*, *invoice* and the like is none, nor is a date, an amount, a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span
from desktop.services.redaction.surroundings import said_before

_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9_/$€£¥%@=&\-])(?<![:+]\d)(?<!\d[.,:])(?:\+\s?|00)?\(?\+?[0-9](?:[ \u00a0()\-./–]{0,3}+[0-9]){6,16}"
    r"(?:\s?(?:x|ext\.?|extension|durchwahl|poste|int\.)\s?[0-9]{1,6})?(?![A-Za-z0-9_]|[.,:]\d|%|\s?[€$£])",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\s?(?:x|ext\.?|extension|durchwahl|poste|int\.)\s?[0-9]{1,6}$", re.IGNORECASE)
_NO_PHONE = re.compile(
    r"(?:(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}.*"  # 2026-03-02
    r"|\d{1,2}[-./]\s?\d{1,2}[-./]\s?(?:\d{4}|\d{2}(?=\s|$))(?:\s.*)?"  # 02.03.2026
    r"|(?:19|20)\d{2}\s?[-–/]\s?(?:19|20)\d{2}"  # 2025-2026
    r"|97[89][- ]?\d[- ].*|97[89]\d{10}"  # ISBN
    r"|\d{1,2}(?:[ .]000)+|[1-9]\d{0,2}(?:[., ]\d{3})+,\d{2}"  # amounts
    r"|(?:19|20)\d{6}(?:\d{4}|\d{6})?"  # 20260302, with a time behind
    r"|.*\.\..*"
    r"|\d{5}-\d{4}|\d{3}-\d{7}-\d{7}|[1-9]\d{1,3}\s?[-–]\s?[1-9]\d{1,3})"  # ZIP+4, a shop's order, a range
)
_NORTH_AMERICAN = re.compile(r"(?:1[-. ]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([-.]))[2-9]\d{2}(?(1)\1|[-. ])\d{4}")
_TRUNK = re.compile(r"\(?0[1-9].*")
_AREA_IN_BRACKETS = re.compile(r"\(0?\d{2,4}\) ?\d{3,5}[- ]?\d{2,4}(?:[- ]?\d{2})?")
_SAID_AFTER = re.compile(
    r"[\s(,\-]{0,2}(?:office|fax|mobile|cell|home|work|desk|phone|tel\b|mobil|büro|privat|portable)", re.IGNORECASE
)
_REGIONS_WITH_TRUNK = (
    "DE",
    "FR",
    "GB",
    "NL",
    "IT",
    "JP",
    "CH",
    "AT",
    "BE",
    "IN",
    "AU",
    "SE",
    "FI",
    "ZA",
    "TR",
    "KR",
    "IL",
    "TW",
    "NZ",
    "IE",
    "BR",
    "UA",
    "CN",
)
_REGIONS_WITHOUT = ("ES", "PL", "PT", "NO", "DK", "CZ", "GR", "IT", "US", "MX", "SG", "HU", "IN", "CN")
_MIN_DIGITS, _MAX_DIGITS = 7, 15


def find_phones(reading: Reading) -> Iterator[Span]:
    """Yield telephone numbers."""
    text, past = reading.text, 0
    for begin, _ in reading.numbers:
        first = begin
        while first > past and text[first - 1] in "(+":
            first -= 1
        if first > past + 1 and text[first - 2 : first] == "+ ":
            first -= 2
        found = _CANDIDATE.match(text, first) if first >= past else None
        if not found:
            continue
        past = found.end()
        start, end = found.span()
        number = found[0]
        if number.count("(") != number.count(")"):
            cut = number.find(")") if number.count(")") > number.count("(") else number.rfind("(")
            number = number[:cut].rstrip(" -./(") if cut > 0 else number
            if cut == 0:
                start, number = start + 1, number[1:]
            end = start + len(number)
        if _is_phone(text, start, end, number):
            digits = "".join(character for character in number if character.isdigit())
            yield Span(start, end, "phone", digits[-_TELLING_DIGITS:])


_TELLING_DIGITS = 8
"""How many of the last digits tell numbers apart, with and without a country's code and its 0."""


def _is_phone(text: str, start: int, end: int, written: str) -> bool:
    number = _EXTENSION.sub("", written).strip()
    digits = sum(character.isdigit() for character in number)
    if not _MIN_DIGITS <= digits <= _MAX_DIGITS or _NO_PHONE.fullmatch(number):
        return False
    if number.startswith(("+", "(+")):
        return is_possible(number)
    said = said_before(text, start)
    if said in ("other", "card"):
        return False
    if said == "phone" or _SAID_AFTER.match(text, end):
        return True
    if _NORTH_AMERICAN.fullmatch(number) or _AREA_IN_BRACKETS.fullmatch(number):
        return True
    is_grouped = not number.isdigit()
    if number.startswith("00") and is_grouped:
        return is_possible(f"+{number[2:]}")
    if _TRUNK.match(number) and (is_grouped or said == "number"):
        return is_valid_in(number, _REGIONS_WITH_TRUNK)
    return (
        is_grouped
        and _is_alone_in_its_line(text, start, end)
        and digits > _MIN_DIGITS
        and is_valid_in(number, _REGIONS_WITHOUT)
    )


def _is_alone_in_its_line(text: str, start: int, end: int) -> bool:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    return (
        not text[first:start].strip()
        and not text[end : last if last >= 0 else len(text)].strip()
        and (first > 0 or last >= 0)
    )


def is_possible(number: str) -> bool:
    """Tell whether an international number could exist by its country and length."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number.replace("(0)", ""), None))
    except phonenumbers.NumberParseException:
        return False


def is_valid_in(number: str, regions: tuple[str, ...]) -> bool:
    """Tell whether a national number exists in any of these countries."""
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
