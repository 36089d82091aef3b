"""Records: a delimited file as rows, each with the physical line it starts on, in bounded memory.

The csv module reads in strict mode, which notices broken quoting instead of guessing. It is given a block of lines at a time, because a line at a
time would cost as much as the parsing. A record that fails is looked at line by line: when a later line of it looks like the start of a row, only
what stands before is set aside and reading goes on there; so one unclosed quote costs one row, not the rest of the file. Deliberately not here:
what the cells mean.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
import sys
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from desktop.domain.errors import DeskError
from desktop.ingest.files import open_file
from desktop.ingest.id_pattern import IdPattern

if TYPE_CHECKING:
    from _csv import Reader

MAX_RECORD_CHARACTERS = 8_000_000
"""Longer than any cell seen (170 kB): a record beyond this is an unclosed quote, and memory stays bounded."""
MAX_RAW_CHARACTERS = 20_000
BLOCK_CHARACTERS = 65_536
"""Small enough for a processor's cache: a million characters took a fifth longer."""
_MOST_REPAIRED_LINES = 50

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")

UNCLOSED = "A quotation mark opened in this row is never closed"
TOO_LONG = f"This row is longer than {MAX_RECORD_CHARACTERS:,} characters"


def _raise_field_limit() -> None:
    # The limit is a C long, 32 bits on Windows even where Python is 64 bits.
    for limit in (sys.maxsize, 2**31 - 1):
        with contextlib.suppress(OverflowError):
            csv.field_size_limit(limit)
            return


_raise_field_limit()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How rows are cut into cells.

    `delimiter` is one character, or that and a space when cells are written `a, "b"`. `quote` is `"` or `'`, with a backslash in front
    when quotation marks inside cells are written `\\"` instead of doubled.
    """

    delimiter: str
    quote: str = '"'

    def reader(self, lines: Iterator[str] | list[str], *, strict: bool) -> Reader:
        """Parse lines (with their line ends) into rows of cells."""
        return csv.reader(
            lines,
            delimiter=self.delimiter[0],
            quotechar=self.quote[-1],
            escapechar="\\" if self.quote.startswith("\\") else None,
            skipinitialspace=len(self.delimiter) > 1,
            strict=strict,
        )


class Record(NamedTuple):
    """One row: the physical line it starts on (from 1), its cells, and why it is broken ('' when it is not)."""

    line: int
    cells: list[str]
    fault: str = ""


def _is_unicode(text: str) -> bool:
    """Tell whether no byte stands in a text for itself; encoding it finds that out ten times as fast as looking for one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class RecordSource(Protocol):
    """Rows of a table, wherever they come from: iterate over it in a `with` block.

    `raw` is the last row as it stands in the file, `fraction` how far the reading is, `repaired_bytes` how many bytes were no text.
    """

    repaired_bytes: int

    @property
    def raw(self) -> str: ...
    @property
    def fraction(self) -> float: ...
    def __iter__(self) -> Iterator[Record]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class RecordReader:
    """Iterate over the records of a file from one physical line on. Close it, or use it in a `with` block.

    `width` is the number of columns, `id_index` where the ticket id stands; both only serve to find the next good row after a broken one.
    `limit_bytes` stops early, for a look at the head of a file; the record that is cut there is left out.
    """

    def __init__(
        self,
        path: Path,
        dialect: Dialect,
        *,
        encoding: str,
        first_line: int = 1,
        width: int = 0,
        id_index: int = -1,
        ids: IdPattern | None = None,
        limit_bytes: int = 0,
    ) -> None:
        self._name = path.name
        self._dialect = dialect
        self._width = width
        self._id_index = id_index
        self._ids = ids or IdPattern(())
        self._pending: deque[str] = deque()
        self._raw: list[str] = []
        self._line = 0
        self._limit = limit_bytes
        self.repaired_bytes = 0
        self._first_width = 0
        self._has_endless_line = False
        self._is_too_long = False
        self._file = open_file(path)
        self._text = io.TextIOWrapper(
            self._file.stream,
            encoding=encoding,
            # Bytes that are no UTF-8 come through and are read as Windows text; other codecs cannot carry them.
            errors="surrogateescape" if encoding.startswith("utf-8") else "replace",
            newline="",
        )
        for _ in range(first_line - 1):
            self._text.readline()
            self._line += 1

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._text.close()
        self._file.close()

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1; it runs ahead by one read buffer."""
        return min(1.0, self._file.position() / max(1, self._file.size))

    @property
    def raw(self) -> str:
        """Return the text of the last record as it stands in the file, cut to a length that a person can look at."""
        return "".join(self._raw)[:MAX_RAW_CHARACTERS].rstrip("\r\n")

    def __iter__(self) -> Iterator[Record]:
        while True:
            try:
                if not self._limit and (yield from self._whole_blocks()):
                    return
                yield from self._sound_records(self._dialect.reader(self._lines(), strict=True))
                return
            except csv.Error as error:
                if self._was_cut():
                    return
                yield from self._repair(at_end="unexpected end" in str(error))
            except OSError as error:
                raise DeskError(
                    "file-unreadable",
                    f"{self._name} could not be read beyond line {self._line:,}.",
                    remedy=f"The system says: {error.strerror or error}.",
                ) from error
            except DeskError as error:
                # Of what is damaged or grows without end the file's own reader does not know the line.
                told = f"{error.message} The last line that could be read is {self._line:,}."
                raise DeskError(error.code, told, remedy=error.remedy) from None

    def _whole_blocks(self) -> Generator[Record, None, bool]:
        """Read as long as all is sound; return false at a broken record, its lines and those after it waiting to be read one by one."""
        width = self._width
        lines, is_last = self._block([])
        while lines:
            if self._has_endless_line:
                self._has_endless_line = False
                self._pending.extend(lines)
                return False
            reader = self._dialect.reader(lines, strict=True)
            first, end = self._line + 1, 0
            is_torn = False
            try:
                for cells in reader:
                    start, end = end, reader.line_num
                    if end - start > 1 and width and len(cells) != width and self._next_start(lines[start:end]):
                        end, is_torn = start, True
                        break
                    self._first_width = self._first_width or (len(cells) if len(cells) > 1 else 0)
                    self._raw = lines[start:end]
                    yield Record(first + start, cells)
            except csv.Error as error:
                # At the end of a block the record may go on in the next one.
                is_torn = is_last or "unexpected end" not in str(error)
            self._line = first - 1 + end
            rest = lines[end:]
            if is_torn or sum(map(len, rest)) > MAX_RECORD_CHARACTERS:
                self._pending.extend(rest)
                return False
            lines, is_last = self._block(rest)
        return True

    def _block(self, lines: list[str]) -> tuple[list[str], bool]:
        """Return lines, and whether they are the last ones: those pushed back, else those given and a block that follows them."""
        if self._pending and not lines:
            lines += self._pending
            self._pending.clear()
            return lines, False
        text = self._text.read(BLOCK_CHARACTERS)
        if text:
            end = self._text.readline(MAX_RECORD_CHARACTERS + 1)
            self._has_endless_line = len(end) > MAX_RECORD_CHARACTERS
            if self._has_endless_line:
                self._skip_line(end)
            text += end
            if "\0" in text:
                text = text.replace("\0", "")
            if not text.isascii() and not _is_unicode(text):
                text = _ESCAPED_BYTE.sub(self._as_windows, text)
            lines += io.StringIO(text, newline="").readlines()
        return lines, not text

    def _sound_records(self, reader: Iterator[list[str]]) -> Iterator[Record]:
        raw = self._raw
        width = self._width
        while True:
            raw.clear()
            start = self._line + 1
            cells = next(reader, None)
            if cells is None:
                if self._is_too_long:
                    raise csv.Error("line too long")
                return
            self._first_width = self._first_width or (len(cells) if len(cells) > 1 else 0)
            if len(raw) > 1 and width and len(cells) != width and self._next_start(raw):
                raise csv.Error("rows run together")
            yield Record(start, cells)

    def _lines(self) -> Iterator[str]:
        size = 0
        raw = self._raw
        pending = self._pending
        while True:
            if pending:
                line = pending.popleft()
            else:
                if self._limit and self._text.buffer.tell() > self._limit and not raw:
                    return
                line = self._text.readline(MAX_RECORD_CHARACTERS + 1)
                if not line:
                    return
                if len(line) > MAX_RECORD_CHARACTERS:
                    self._skip_line(line)
                if "\0" in line:
                    line = line.replace("\0", "")
                if not line.isascii() and _ESCAPED_BYTE.search(line):
                    line = _ESCAPED_BYTE.sub(self._as_windows, line)
            size = size + len(line) if raw else len(line)
            raw.append(line)
            self._line += 1
            if size > MAX_RECORD_CHARACTERS:
                self._is_too_long = True
                return
            yield line

    def _skip_line(self, line: str) -> None:
        """Pass over the rest of a line without end, so that memory stays bounded and the next row is found."""
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_RECORD_CHARACTERS)

    def _as_windows(self, match: re.Match[str]) -> str:
        self.repaired_bytes += 1
        return bytes([ord(match.group()) - 0xDC00]).decode("cp1252", "replace")

    def _was_cut(self) -> bool:
        return bool(self._limit) and self._text.buffer.tell() > self._limit and self.fraction < 1.0

    def _repair(self, *, at_end: bool) -> Iterator[Record]:
        """Give the broken record back as far as it goes, and leave the rest to be read again."""
        lines = list(self._raw)
        first = self._line - len(lines) + 1
        is_too_long, self._is_too_long = self._is_too_long, False
        if is_too_long and len(lines) == 1:
            yield Record(first, [], TOO_LONG)
            return
        cut = self._next_start(lines) or (len(lines) if at_end else 0)
        if cut:
            self._push_back(lines[cut:])
            self._raw[:] = lines[:cut]
            yield Record(first, [], UNCLOSED)
            return
        # No second row inside: a quotation mark inside a quoted cell was not doubled, which can be read leniently.
        self._push_back(lines)
        self._raw.clear()
        if cells := self._read_with_stray_quotes():
            yield Record(first, cells)
            return
        cells = next(self._dialect.reader(self._lines(), strict=False), [])
        if not self._width or len(cells) == self._width:
            yield Record(first, cells)
        else:
            yield Record(first, cells, "The quotation marks in this row cannot be told apart from its text")

    def _read_with_stray_quotes(self) -> list[str]:
        """Read a row in which quotation marks that close no cell were not doubled; [] and nothing read, when it does not come out even."""
        quote = self._dialect.quote
        if not self._width or len(quote) > 1:
            return []
        ends = re.escape(self._dialect.delimiter[0])
        stray = re.compile(rf"(?<=[^{ends}\r\n{quote}]){quote}(?=[^{ends}\r\n{quote}])")
        source = self._lines()
        for _ in itertools.islice(source, _MOST_REPAIRED_LINES):
            mended = [stray.sub(quote * 2, part) for part in self._raw]
            with contextlib.suppress(csv.Error):
                rows = list(self._dialect.reader(mended, strict=True))
                if len(rows) == 1 and len(rows[0]) == self._width:
                    return rows[0]
        self._push_back(list(self._raw))
        self._raw.clear()
        return []

    def _push_back(self, lines: list[str]) -> None:
        self._pending.extendleft(reversed(lines))
        self._line -= len(lines)

    def _next_start(self, lines: list[str]) -> int:
        """Return the place (from 1) of the first line after the first that looks like the start of a row; 0 for none."""
        if self._id_index < 0:
            return self._next_alike(lines)
        quote, delimiter = self._dialect.quote[-1], self._dialect.delimiter[0]
        for place, line in enumerate(lines[1:], start=1):
            # Neither whole nor the start of a quoted cell: a million lines of prose need no parsing to tell.
            if line.count(delimiter) < self._width - 1 and quote not in line:
                continue
            cells = next(self._dialect.reader([line], strict=False), [])
            is_whole = len(cells) == self._width
            opens_cell = line.count(self._dialect.quote[-1]) % 2 == 1 and self._id_index + 1 < len(cells) <= self._width
            if (is_whole or opens_cell) and self._ids.fits(cells[self._id_index]):
                return place
        return 0

    def _next_alike(self, lines: list[str]) -> int:
        """Return the place of the first later line that is as wide as the first row of all: nothing else is known before columns have a meaning."""
        for place, line in enumerate(lines[1:], start=1):
            if self._first_width and len(next(self._dialect.reader([line], strict=False), [])) == self._first_width:
                return place
        return 0
