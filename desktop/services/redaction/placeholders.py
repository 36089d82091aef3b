"""Placeholders: what goes in a value's place, and how it is put back.

A placeholder reads `<EMAIL_1>`. Another spelling of the same value shares its number and has letters behind it, `<EMAIL_1b>`: a model sees that both
mean the same, and each comes back exactly as it was written. A model that drops the letters gets the first spelling.

Models do not always copy faithfully: brackets get lost, `<` becomes `&lt;`, the underscore is escaped, the case changes. All of that is put back;
`EMAIL_1` inside `EMAIL_12`, or a number that was never given, is not. A text that holds something like a placeholder before anything was redacted
(`LOOKALIKE`) has that taken out as a value too, so restoring gives every text back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from desktop.domain.outgoing import REDACTION_KINDS, Redaction
from desktop.services.redaction.spans import Span, without_overlaps

LITERAL = "text"
"""The kind of what only looks like a placeholder. It is nobody's personal data: it is put back like all, and not counted."""

_NAMES = tuple(kind.upper() for kind in (*REDACTION_KINDS, LITERAL))
_MOST_DIGITS = 7
_CORE = rf"(?:{'|'.join(_NAMES)})\\{{0,2}}_[0-9]"
_OPEN = ("<", "&lt;", "\\u003c", "%3c", "\\<", "\\\\<")
_CLOSE = (">", "&gt;", "\\u003e", "%3e", "\\>", "\\\\>")
# An escaped bracket opens only where an escaped one closes: a backslash of the text itself before a placeholder stays.
_BRACKETS = rf"(?:\\{{1,2}}<(?={_CORE}{{1,{_MOST_DIGITS}}}[a-z]{{0,2}}\\{{1,2}}>)|<|&lt;|\\u003c|%3c)"
_PLACEHOLDER = re.compile(
    rf"(?:{_BRACKETS}|(?<![a-z0-9_])|(?<=\\[nrt]))"
    rf"(?P<name>{'|'.join(_NAMES)})\\{{0,2}}_(?P<number>[0-9]{{1,{_MOST_DIGITS}}}[a-z]{{0,2}})"
    r"(?:\\{0,2}>|&gt;|\\u003e|%3e|(?![a-z0-9_]))",
    re.IGNORECASE,
)
LOOKALIKE = re.compile(
    rf"(?P<open>\\{{0,2}}<|&lt;|\\u003c|%3c)?{_CORE}+(?:[a-z]{{1,2}}(?![a-z0-9_]))?(?P<close>\\{{0,2}}>|&gt;|\\u003e|%3e)?",
    re.IGNORECASE,
)
"""What could be taken for a placeholder, in however long a word it stands: more than is ever put back."""
_IN_A_WORD = re.compile(r"(?<!\\[nrtNRT])(?<=[A-Za-z0-9_])")
_WORD_GOES_ON = re.compile(r"[A-Za-z0-9_]")

_MOST_SPELLINGS = 600
_SIGN = re.compile("_[0-9]")
"""What all of these have: quick to look for."""

_LONGEST = 48
"""Characters of the longest placeholder in its longest form."""


def _prefixes(word: str) -> str:
    """Return a pattern of all beginnings of a word, the empty one and the whole included."""
    pattern = ""
    for character in reversed(word):
        pattern = f"(?:{re.escape(character)}{pattern})?"
    return pattern


_UNFINISHED = re.compile(
    rf"(?:{'|'.join(f'(?={re.escape(sign[0])}){_prefixes(sign)}' for sign in _OPEN)}"
    rf"|(?:{'|'.join(re.escape(sign) for sign in _OPEN)}|(?<![a-z0-9_])|(?<=\\[nrt]))"
    rf"(?:{'|'.join(f'(?={name[0]}){_prefixes(name)}' for name in _NAMES)}"
    rf"|(?:{'|'.join(_NAMES)})\\{{0,2}}"
    rf"|(?:{'|'.join(_NAMES)})\\{{0,2}}_[0-9]{{0,{_MOST_DIGITS}}}[a-z]{{0,2}}(?:{'|'.join(_prefixes(sign) for sign in _CLOSE)})))\Z",
    re.IGNORECASE,
)
"""An end of a text that more text could make a placeholder of, or a longer one."""


def find_lookalikes(text: str, spans: list[Span]) -> list[Span]:
    """Return spans and, among them, what would be taken for a placeholder in the text that they are taken out of.

    `membership_2` stays: inside a word none is put back. Where a span ends at it, it is no longer inside one.
    """
    candidates = list(LOOKALIKE.finditer(text)) if _SIGN.search(text) else []
    while candidates:
        starts, ends = {span.start for span in spans}, {span.end for span in spans}
        exposed: list[re.Match[str]] = []
        hidden: list[re.Match[str]] = []
        for found in candidates:
            begins = bool(found["open"]) or found.start() in ends or not _IN_A_WORD.match(text, found.start())
            goes_on = not found["close"] and _WORD_GOES_ON.match(text, found.end()) and found.end() not in starts
            (exposed if begins and not goes_on else hidden).append(found)
        if not exposed:
            break
        spans = without_overlaps([*spans, *(Span(found.start(), found.end(), LITERAL) for found in exposed)])
        candidates = hidden
    return spans


@dataclass(slots=True)
class Numbering:
    """Gives placeholders to values: the same for the same, numbers in the order of coming."""

    values: dict[str, str] = field(default_factory=dict)
    _given: dict[tuple[str, str], str] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _spellings: dict[tuple[str, int], int] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)

    def give(self, kind: str, value: str, key: str) -> str:
        """Return the placeholder of a value; `key` is the same for all spellings of it."""
        given = self._given.get((kind, value))
        if given is not None:
            return given
        number = self._numbers.get((kind, key))
        if number is None:
            number = self._last.get(kind, 0) + 1
            self._last[kind] = self._numbers[kind, key] = number
        spelling = self._spellings.get((kind, number), 0)
        if spelling > _MOST_SPELLINGS:
            return self.give(kind, value, f"{key}\n{value}")
        self._spellings[kind, number] = spelling + 1
        placeholder = f"<{kind.upper()}_{number}{_letters(spelling)}>"
        self._given[kind, value] = placeholder
        self.values[placeholder] = value
        return placeholder

    def redaction(self, placeholder: str) -> Redaction:
        """Return what is told of a placeholder."""
        return Redaction(placeholder[1:].rsplit("_", 1)[0].lower(), placeholder)


def _letters(spelling: int) -> str:
    """Return what the n-th spelling of a value has behind its number: nothing, b, c … z, ba, bb …"""
    if not spelling:
        return ""
    first, last = divmod(spelling, 26)
    return (chr(ord("a") + first) if first else "") + chr(ord("a") + last)


def find_placeholders(text: str, values: Mapping[str, str], *, begin: int = 0) -> Iterator[tuple[int, int, str]]:
    """Yield where placeholders of `values` stand in a text: start, end and the placeholder as it was given."""
    for found in _PLACEHOLDER.finditer(text, begin):
        placeholder = _given(found, values)
        if placeholder:
            yield found.start(), found.end(), placeholder


def put_back(text: str, values: Mapping[str, str], *, is_json: bool = False) -> str:
    """Put values back in a text; in JSON as what may stand inside a string."""
    pieces, at = [], 0
    for start, end, placeholder in find_placeholders(text, values) if "_" in text else ():
        pieces += [text[at:start], _written(values[placeholder], is_json=is_json)]
        at = end
    return "".join([*pieces, text[at:]])


def _written(value: str, *, is_json: bool) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1] if is_json else value


def _given(found: re.Match[str], values: Mapping[str, str]) -> str:
    placeholder = f"<{found['name'].upper()}_{found['number'].lower()}>"
    return placeholder if placeholder in values else ""


class Restorer:
    """Puts values back in a text that comes piece by piece, and gives the same as for the whole.

    It holds back what may still become a placeholder: a few characters, and only where one could begin.
    """

    def __init__(self, values: Mapping[str, str], *, is_json: bool = False) -> None:
        """`values` may still grow; `is_json` says that the text is JSON and placeholders stand inside its strings."""
        self._values = values
        self._is_json = is_json
        self._held = ""
        self._before = ""

    def feed(self, piece: str) -> str:
        """Take a piece and return what is certain by now."""
        text = self._before + self._held + piece
        begin = len(self._before)
        unfinished = _UNFINISHED.search(text, max(begin, len(text) - _LONGEST))
        end = unfinished.start() if unfinished and unfinished.end() > unfinished.start() else len(text)
        return self._give(text, begin, end)

    def rest(self) -> str:
        """Return what was held back; nothing comes after it."""
        text = self._before + self._held
        return self._give(text, len(self._before), len(text))

    def _give(self, text: str, begin: int, end: int) -> str:
        self._held = text[end:]
        # Whether a word begins here is told by two characters before.
        self._before = text[max(0, end - 2) : end]
        pieces = []
        for start, stop, placeholder in find_placeholders(text, self._values, begin=begin):
            if start >= end:
                break
            pieces += [text[begin:start], _written(self._values[placeholder], is_json=self._is_json)]
            begin = stop
        return "".join([*pieces, text[begin:end]])
