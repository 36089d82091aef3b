"""JSON text, value by value: a document of any size in bounded memory, and a broken value costs itself, not the rest of the file.

The values are parsed by the standard library; this module only finds where each begins and ends, and on which line. Numbers stay text, so that an
id keeps its every digit. Deliberately not here: which values are tickets, see `json_files`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

CHUNK_CHARACTERS = 1 << 18
MOST_VALUE_CHARACTERS = 8_000_000
"""A ticket beyond this is a broken file; memory stays bounded."""
_CUT_CHARACTERS = 16
"""A fault so close to the end of what was read may only mean that the value goes on."""
_LINE_END = re.compile("\n")
_NOTHING = re.compile("(?!)")
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: None, strict=False)

JsonValue = None | bool | str | list["JsonValue"] | dict[str, "JsonValue"]


class JsonError(ValueError):
    """The text is no JSON: on which line, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One value and the line it begins on (from 1), or why there is none."""

    line: int
    value: JsonValue = None
    fault: str = ""


class _Text(Protocol):
    def read(self, size: int, /) -> str: ...


class JsonScanner:
    """Walks through JSON text. `line` is where it stands, `consumed` how many characters are behind it.

    `has_broken_off` tells that a list never ended.
    """

    def __init__(self, source: _Text) -> None:
        self._source = source
        self._text = ""
        self._place = 0
        self._is_over = False
        self._last = ("", 0, 0)
        self.line = 1
        self.consumed = 0
        self.has_broken_off = False
        self._resume = _LINE_END

    def peek(self) -> str:
        """Return the next character that is no space, '' at the end; it is not consumed."""
        while True:
            match = _SPACE.match(self._text, self._place)
            self._advance(match.end() if match else self._place)
            if self._place < len(self._text):
                return self._text[self._place]
            if self._is_over:
                return ""
            self._read_on()

    def take(self, character: str) -> bool:
        """Consume this character if it is the next one."""
        if self.peek() != character:
            return False
        self._advance(self._place + 1)
        return True

    def value(self) -> JsonValue:
        """Consume the next value.

        Raises:
            JsonError: with nothing consumed.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except RecursionError:
                raise JsonError(self.line, "it is nested too deeply") from None
            except json.JSONDecodeError as error:
                self._check_is_cut(error)
            else:
                # A number at the end of what was read may go on.
                if end < len(self._text) or self._is_over:
                    self._last = (self._text, self._place, end)
                    self._advance(end)
                    return value  # type: ignore[no-any-return]
            self._read_on()

    def elements(self) -> Iterator[Entry]:
        """Consume a list, its `[` being taken, and yield what it holds. One that breaks off yields a fault at last."""
        while not self.take("]"):
            if not self.peek():
                self.has_broken_off = True
                self._last = ("", 0, 0)
                yield Entry(self.line, fault="the file ends in the middle of a list")
                return
            entry = self.entry(is_in_list=True)
            yield entry
            if entry.fault and not self._seek(self._resume):
                self.has_broken_off = True
                return
            self.take(",")

    def entry(self, *, is_in_list: bool = False) -> Entry:
        """Consume a value, or say what is wrong with it: a broken one ends where the next one of its list begins, else with its line."""
        self.peek()
        line = self.line
        try:
            return Entry(line, self.value())
        except JsonError as fault:
            self._resume = self._sibling() if is_in_list else _LINE_END
            end = self._resume.search(self._text, self._place)
            self._last = (self._text, self._place, end.start() if end else len(self._text))
            where = f" on line {fault.line}" if fault.line != line else ""
            return Entry(line, fault=f"{fault.reason}{where}")

    def skip_line(self) -> bool:
        """Go on behind the end of this line; False at the end of the file."""
        return self._seek(_LINE_END)

    def last_text(self, most: int) -> str:
        """Return the text of the value that was consumed last, or of what stands here after a fault."""
        text, start, end = self._last
        return text[start : min(end, start + most)]

    def _sibling(self) -> re.Pattern[str]:
        """Return what tells the value after the one that is broken here: it is indented alike. Where no indent tells it, it matches nothing."""
        start = self._text.rfind("\n", 0, self._place) + 1
        indent = self._text[start : self._place]
        if not start or indent.strip():
            return _NOTHING
        return re.compile(rf"\n{re.escape(indent)}(?=[{{\[\]])")

    def _seek(self, wanted: re.Pattern[str]) -> bool:
        place = self._place
        while True:
            match = wanted.search(self._text, place)
            if match:
                self._advance(match.end())
                return True
            if self._is_over:
                self._advance(len(self._text))
                return False
            # The pattern may straddle what is read next.
            self._advance(max(self._place, len(self._text) - 1_000))
            self._read_on()
            place = self._place

    def _check_is_cut(self, error: json.JSONDecodeError) -> None:
        is_near_end = error.pos >= len(self._text) - _CUT_CHARACTERS or error.msg.startswith("Unterminated string")
        is_too_long = len(self._text) - self._place > MOST_VALUE_CHARACTERS
        if self._is_over or is_too_long or not is_near_end:
            line = self.line + self._text.count("\n", self._place, error.pos)
            reason = "it is too long" if is_too_long else _in_words(error, is_over=self._is_over and is_near_end)
            raise JsonError(line, reason) from None

    def _read_on(self) -> None:
        # As much again as is waiting: a value of any length is then tried a handful of times, not once a chunk.
        more = self._source.read(max(CHUNK_CHARACTERS, len(self._text) - self._place))
        self._is_over = not more
        keep = max(0, self._text.rfind("\n", 0, self._place))
        if self._place - keep > CHUNK_CHARACTERS:
            keep = self._place
        self._text = self._text[keep:] + more
        self._place -= keep

    def _advance(self, place: int) -> None:
        self.line += self._text.count("\n", self._place, place)
        self.consumed += place - self._place
        self._place = place


def _in_words(error: json.JSONDecodeError, *, is_over: bool) -> str:
    if is_over:
        return "the file ends in the middle of it"
    return f"it is no valid JSON ({error.msg[:1].lower()}{error.msg[1:]})"
