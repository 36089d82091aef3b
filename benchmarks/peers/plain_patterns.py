"""Redaction by one plain pattern a kind, in the style of scrubadub's detectors: the peer that ours must find more than, and mistake less.

People are found as they are given: the full name and each of its parts, as whole words, in the same case. It only serves to be measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_PATTERNS = {
    "email": re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b"),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    "card": re.compile(r"\b(?:\d[ -]?){13,16}\b"),
    "ip": re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    "key": re.compile(r"(?i)(?:password|api[_-]?key|token)\s*[:=]\s*\S+"),
    "url": re.compile(r"https?://\S+"),
    "phone": re.compile(r"(?:\+?\d{1,3}[\s.-]?)?\(?\d{2,4}\)?[\s.-]?\d{3,4}[\s.-]?\d{3,4}\b"),
    "address": re.compile(r"\b\d{1,5}\s+(?:[A-Z][a-z]+\s){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr)\b\.?"),
}


def find(text: str, people: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and kind of what the patterns find."""
    for kind, pattern in _PATTERNS.items():
        for found in pattern.finditer(text):
            yield found.start(), found.end(), kind
    names = {part for name in people for part in (name, *name.split()) if len(part) > 1}
    for name in names:
        for found in re.finditer(rf"\b{re.escape(name)}\b", text):
            yield found.start(), found.end(), "person"
