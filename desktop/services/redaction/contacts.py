"""Contacts: e-mail addresses and IP addresses in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address

from desktop.services.redaction.reading import Reading
from desktop.services.redaction.spans import Span

# Letters of Latin, Greek and Cyrillic: Japanese and Chinese write an address without a space around it.
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_EMAIL = re.compile(
    rf"(?<![{_LETTER}._%+\-])[{_LETTER}_](?:[{_LETTER}.!#$%&'*+/=?^`{{|}}~_\-]{{0,70}}[{_LETTER}_+\-])?"
    rf"@(?:[{_LETTER}](?:[{_LETTER}\-]{{0,62}}[{_LETTER}])?\.)+(?:xn--[a-z0-9\-]+|[{_LETTER}]{{2,24}})",
)
_SPELLED_OUT = re.compile(
    r"\b[A-Za-z0-9][\w.+-]{0,64}\s?[(\[{]\s?(?:at|AT)\s?[)\]}]\s?[A-Za-z0-9-]+(?:\s?(?:[(\[{]\s?(?:dot|DOT)\s?[)\]}]|\.)\s?[A-Za-z0-9-]+)+"
)

_IPV4 = re.compile(
    r"(?<![A-Za-z0-9_.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![A-Za-z0-9_]|\.\d)"
)
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f]{1,4}:|:){2,8}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![A-Za-z0-9_:])"
)
_VERSION_BEFORE = re.compile(
    r"(?:\bv|\b(?:version|versions|ver|release|rel|build|firmware|fw|driver|revision|rev|patch|hotfix|upgrade[ds]?|update[ds]?|section|chapter|clause"
    r"|paragraph|step|stage|article|schritt|étape|paso|passo|krok|abschnitt|kapitel|versión|versione|versão|versie|wersja|версия|версии|verze|verzió|sürüm|έκδοση"
    r"|バージョン|版本|버전|الإصدار|גרסה)[\s:.#]*(?:v?\d[\w.]*\s*(?:to|and|or|auf|und|à"
    r"|et|a|y|,|→|->|-|–)\s*|to\s+|from\s+|is\s+|auf\s+)?v?|§\s?|[a-z]/)$",
    re.IGNORECASE,
)
_LOOK_BACK = 44
_NOBODYS = ("127.", "0.0.0.", "255.")
"""This machine, any machine, and masks: the same everywhere, and a technician needs them."""
_LONG = 4


def find_emails(text: str) -> Iterator[Span]:
    """Yield e-mail addresses, those too that are written with *(at)*."""
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield Span(found.start(), found.end(), "email", found[0].casefold())
    lower = text.lower()
    if any(sign in lower for sign in ("(at)", "[at]", "{at}", "( at )", "[ at ]")):
        for found in _SPELLED_OUT.finditer(text):
            yield Span(found.start(), found.end(), "email", found[0].casefold())


def find_ips(reading: Reading) -> Iterator[Span]:
    """Yield IP addresses. What *version*, *v* or a program's name and a slash stand before is a version."""
    text = reading.text
    for start, end in reading.numbers:
        found = _IPV4.match(text, start) if text[end : end + 1] == "." and end - start < _LONG else None
        if found:
            before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
            if not found[0].startswith(_NOBODYS) and not _VERSION_BEFORE.search(before):
                yield Span(found.start(), found.end(), "ip", found[0])
    if text.count(":") > 1:
        for found in _IPV6.finditer(text):
            if _is_ipv6(found[0]):
                yield Span(found.start(), found.end(), "ip", found[0].casefold())


def _is_ipv6(text: str) -> bool:
    """Tell an address from a time, a MAC address or the `::` of a program."""
    if not any(character.isdigit() for character in text) or len(text) < _SHORTEST_IPV6:
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


_SHORTEST_IPV6 = 5
