"""Numbers with a checksum: bank accounts (IBAN) and payment cards.

A right checksum is the proof, so that order and tracking numbers stay. A wrong one counts only beside the word: people mistype.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span
from desktop.services.redaction.surroundings import said_before

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ \u00a0.\-]?[A-Z0-9]){10,30}", re.IGNORECASE)
_IBAN_WORD = re.compile(r"iban", re.IGNORECASE)
_IBAN_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18"
        " FR27 GB22 GE22"
        " GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31"
        " MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22"
        " VG24 XK20 YE30"
    ).split()
}
"""Registered lengths, from the IBAN registry of SWIFT."""
_LOOK_BACK = 40

_CARD = re.compile(r"(?<![A-Za-z0-9_.,])(?<!\d-)[0-9](?:[ \u00a0.\-]?[0-9]){11,18}(?![A-Za-z0-9_]|[.,\-]\d)")
_FOURS = re.compile(r"[0-9]{4}(?:[ \u00a0\-][0-9]{4}){3}")
_LEAST_DIGITS, _MOST_DIGITS = 12, 19
_BRANDS = re.compile(
    r"(?:4(?:.{12}|.{15}|.{18})|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720).*(?<=^.{16})|3[47].{13}|3(?:0[0-59]|[689]).{11,16}(?<!^.{15})"
    r"|(?:6011|64[4-9]|65|62).*(?<=^.{16})|35(?:2[89]|[3-8]).{13}|(?:2131|1800).{11}|220[0-4].{12}|9792.{12})$"
)
"""First digits and lengths of Visa, Mastercard, American Express, Diners Club, Discover, UnionPay, JCB, Mir and Troy."""


def find_ibans(reading: Reading) -> Iterator[Span]:
    """Yield bank accounts: right by their checksum, or right in length beside the word IBAN."""
    text = reading.text
    for begin, _ in reading.numbers:
        found = _IBAN.match(text, begin - 2) if begin > 1 and text[begin - 1].isalpha() else None
        if not found:
            continue
        length = _IBAN_LENGTHS.get(found[0][:2].upper(), 0)
        places = [place for place in range(found.start(), found.end()) if text[place].isalnum()]
        if not length or len(places) < length:
            continue
        end = places[length - 1] + 1
        if text[end : end + 1].isalnum():
            continue
        compact = "".join(text[place] for place in places[:length]).upper()
        before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
        if _has_iban_checksum(compact) or _IBAN_WORD.search(before):
            yield Span(found.start(), end, "iban", compact)


def _has_iban_checksum(compact: str) -> bool:
    """Tell whether an account number is right by ISO 7064 MOD 97-10."""
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def find_cards(reading: Reading) -> Iterator[Span]:
    """Yield payment cards: right by Luhn and of a known brand, or right by Luhn, or in fours, where a card is spoken of."""
    text, past = reading.text, 0
    for begin, _ in reading.numbers:
        found = _CARD.match(text, begin) if begin >= past else None
        if not found:
            continue
        past = found.end()
        digits = "".join(character for character in found[0] if character.isdigit())
        if not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS or len(set(digits)) == 1:
            continue
        said = said_before(text, found.start())
        is_right = has_luhn(digits)
        if said == "card":
            is_card = is_right or _FOURS.fullmatch(found[0]) is not None
        else:
            is_card = said != "other" and is_right and _BRANDS.match(digits) is not None
        if is_card:
            yield Span(found.start(), found.end(), "card", digits)


def has_luhn(digits: str) -> bool:
    """Tell whether a number is right by the checksum of cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
