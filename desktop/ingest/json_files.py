"""JSON files as rows: a list of objects, an object that holds such lists, one object a line, or one object alone.

Of a document the tickets are a list under some key (`tickets`, `data.issues`), named as a sheet of a workbook is; a document of several lists is
several tables, each under its own path (`export.json/issues`). Everything is read as a stream. Deliberately not here: the text itself, see
`json_text`, and how an object becomes cells, see `nested`.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from desktop.ingest.encodings import detect_encoding
from desktop.ingest.files import open_file
from desktop.ingest.json_text import Entry, JsonError, JsonScanner
from desktop.ingest.mapping import known_names
from desktop.ingest.nested import column_names, dump, flatten, is_list_column
from desktop.ingest.records import MAX_RAW_CHARACTERS, Record
from desktop.ingest.vocabulary import fold

SUFFIXES = (".json", ".jsonl", ".ndjson")
SAMPLE_RECORDS = 1_000
_MOST_DEPTH = 4
_PEEKED = 65_536
_SEARCHED = 64_000_000
_ID_NAMES = frozenset(
    "id|key|number|ticket id|case id|issue id|conversation id|session id|sys id|display id|uuid|ticket number".split(
        "|"
    )
)
_WRAPPERS = frozenset(("ticket", "issue", "conversation", "case", "incident", "request"))
_START = re.compile(r'[\ufeff\s]*(?:\{\s*"|\{\s*\}|\[\s*[\[{"\]])')


@dataclass(frozen=True, slots=True)
class Sample:
    """The first records of a file: its columns, their cells, and the line each begins on."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    is_lines: bool
    fault: str = ""


def is_json(name: str, head: str) -> bool:
    """Tell whether a file is JSON by its first characters; its name counts only where they leave it open."""
    if not _START.match(head):
        return False
    # `[a]` may begin a line of a table, and `{"` hardly ever.
    return (
        head.lstrip("\ufeff \t\r\n").startswith("{")
        or name.lower().endswith(SUFFIXES)
        or re.match(r'[\ufeff\s]*\[\s*(?:\{\s*"|\]\s*$)', head) is not None
    )


def lists_of(path: Path) -> tuple[str, ...]:
    """Return the keys of a file's lists of objects when it is a JSON document that holds several; else nothing.

    Raises:
        DeskError: `file-…`, when the file cannot be opened.
    """
    file = open_file(path)
    try:
        head = file.stream.peek(_PEEKED)
    finally:
        file.close()
    if file.inside or not is_json(path.name, head.decode(detect_encoding(head), "ignore")):
        return ()
    keys = lists_in(path)
    return keys if len(keys) > 1 else ()


def lists_in(path: Path) -> tuple[str, ...]:
    """Return the keys of the lists of objects that a document holds, `('',)` when it is itself a list, lines of objects or one record.

    Raises:
        DeskError: `file-…`, when the file cannot be opened.
    """
    with _opened(path) as scanner:
        if scanner.peek() != "{":
            return ("",)
        found = _Contents()
        try:
            scanner.take("{")
            _look_into(scanner, "", found, _MOST_DEPTH)
        except JsonError:
            return tuple(found.lists) or ("",)
        if found.is_record:
            return ("",)
        return tuple(found.lists) or ("",)


def read_sample(path: Path, key: str, *, limit: int) -> Sample:
    """Read the first records under a key, of at most so many characters, and of those behind them each that has a list which none before it had.

    A ticket of which nobody said a word is no rarity, and neither are a thousand of them at the beginning: messages must not stay out for that.
    """
    cells: list[dict[str, str]] = []
    lines: list[int] = []
    fault = ""
    with _opened(path) as scanner:
        starts = scanner.peek()
        entries = _entries(scanner, key)
        for entry in itertools.islice(entries, SAMPLE_RECORDS):
            if isinstance(entry.value, dict):
                cells.append(flatten(entry.value))
                lines.append(entry.line)
            elif entry.fault and not fault:
                fault = f"line {entry.line}: {entry.fault}"
            if scanner.consumed > limit:
                break
        known = {name for record in cells for name in record if is_list_column(name)}
        for entry in entries if cells else ():
            if scanner.consumed > limit + _SEARCHED:
                break
            if isinstance(entry.value, dict) and any(
                isinstance(value, list | dict) and value for value in entry.value.values()
            ):
                found = flatten(entry.value)
                if lists := {name for name in found if is_list_column(name)} - known:
                    known |= lists
                    cells.append(found)
                    lines.append(entry.line)
    names = column_names(cells)
    rows = tuple(tuple(record.get(name, "") for name in names) for record in cells)
    return Sample(names, rows, tuple(lines), is_lines=starts == "{" and not key and len(rows) > 1, fault=fault)


class JsonReader:
    """Iterates over the records under a key, as `records.RecordReader` does over the lines of a file: the names first.

    What a record has beyond `names` is one cell more, as JSON text.
    """

    repaired_bytes = 0

    def __init__(self, path: Path, key: str, *, names: tuple[str, ...], limit_characters: int = 0) -> None:
        self._opened = _opened(path)
        self._scanner = self._opened.scanner
        self._key = key
        self._names = names
        self._limit = limit_characters

    def __enter__(self) -> JsonReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1; it runs ahead by one read buffer."""
        return self._opened.fraction

    @property
    def raw(self) -> str:
        """Return the text of the last record, cut to a length that a person can look at."""
        return self._scanner.last_text(MAX_RAW_CHARACTERS)

    def __iter__(self) -> Iterator[Record]:
        yield Record(1, list(self._names))
        known = frozenset(self._names)
        for entry in _entries(self._scanner, self._key):
            if isinstance(entry.value, dict):
                cells = flatten(entry.value)
                row = [cells.get(name, "") for name in self._names]
                if len(cells) > len(known) or not known.issuperset(cells):
                    more = {name: cell for name, cell in cells.items() if cell and name not in known}
                    row += [dump(more)] if more else []
                yield Record(entry.line, row)
            else:
                yield Record(entry.line, [], _fault_of(entry))
            if self._limit and self._scanner.consumed > self._limit:
                return


def _fault_of(entry: Entry) -> str:
    return f"This record cannot be read: {entry.fault}" if entry.fault else "This is no record of names and values"


class _opened:  # noqa: N801 - used as a function
    """An open JSON file: a scanner over its text."""

    def __init__(self, path: Path) -> None:
        file = open_file(path)
        self._file = file
        encoding = detect_encoding(file.stream.peek(_PEEKED))
        self._text = io.TextIOWrapper(file.stream, encoding=encoding, errors="replace", newline="")
        self.scanner = JsonScanner(self._text)

    def __enter__(self) -> JsonScanner:
        return self.scanner

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fraction(self) -> float:
        return min(1.0, self._file.position() / max(1, self._file.size))

    def close(self) -> None:
        self._text.close()
        self._file.close()


@dataclass(slots=True)
class _Contents:
    """What an object was found to hold."""

    scalars: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    is_record: bool = False


def _look_into(scanner: JsonScanner, prefix: str, found: _Contents, depth: int) -> None:
    """Walk through an object, its `{` being taken, and note its lists of objects; stop at what is itself a record."""
    scalars: list[str] = []
    lists_before = len(found.lists)
    for key in _keys(scanner):
        name = f"{prefix}.{key}" if prefix else key
        match scanner.peek():
            case "{" if depth > 0:
                scanner.take("{")
                _look_into(scanner, name, found, depth - 1)
            case "[":
                scanner.take("[")
                if scanner.peek() == "{":
                    found.lists.append(name)
                for entry in scanner.elements():
                    if entry.fault:
                        return
            case _:
                scanner.value()
                scalars.append(key)
    if prefix in _WRAPPERS and _is_record(scalars):
        # `{"ticket": {…}, "users": […]}`: a table of one row beside the others.
        found.lists[lists_before:] = [prefix]
    elif _is_record(scalars):
        # The lists in a ticket are its messages, its tags; no tables of their own.
        del found.lists[lists_before:]
        found.is_record = found.is_record or not prefix or not found.lists


def _is_record(scalars: list[str]) -> bool:
    folded = {fold(key) for key in scalars}
    return known_names(folded) >= 2 and bool(folded & _ID_NAMES)


def _keys(scanner: JsonScanner) -> Iterator[str]:
    """Yield the keys of an object, its `{` being taken; whoever asks consumes the value before the next."""
    while not scanner.take("}"):
        line = scanner.line
        key = scanner.value() if scanner.peek() == '"' else None
        if not isinstance(key, str) or not scanner.take(":"):
            raise JsonError(line, "it is no valid JSON" if scanner.peek() else "the file ends in the middle of it")
        yield key
        scanner.take(",")


def _entries(scanner: JsonScanner, key: str) -> Iterator[Entry]:
    """Yield the records of all documents in a text, one after the other: those under a key, or the elements of lists, or the documents themselves."""
    while starts := scanner.peek():
        line = scanner.line
        try:
            if key and scanner.take("{"):
                yield from _entries_under(scanner, key.split("."))
            elif not key and scanner.take("["):
                yield from scanner.elements()
            else:
                entry = scanner.entry()
                yield entry
                # One line, one record: a broken one ends with its line.
                if entry.fault and not scanner.skip_line():
                    return
        except JsonError as fault:
            # Of a list that breaks off its last record says so; the document around it breaks off there too.
            if not scanner.has_broken_off:
                yield Entry(fault.line, fault=fault.reason)
            return
        scanner.take(",")
        if scanner.line == line and scanner.peek() and scanner.peek() not in "{[" and starts in "{[":
            yield Entry(scanner.line, fault="text stands behind the end of the document")
            return


def _entries_under(scanner: JsonScanner, keys: list[str]) -> Iterator[Entry]:
    for key in _keys(scanner):
        starts = scanner.peek()
        # A key may hold dots itself: then it is taken whole.
        is_wanted = key == keys[0] or key == ".".join(keys)
        rest = keys[1:] if key == keys[0] else []
        if is_wanted and rest and starts == "{":
            scanner.take("{")
            yield from _entries_under(scanner, rest)
        elif is_wanted and not rest and starts == "[":
            scanner.take("[")
            yield from scanner.elements()
        elif is_wanted and not rest and starts == "{" and key in _WRAPPERS:
            yield scanner.entry()
        else:
            scanner.value()
