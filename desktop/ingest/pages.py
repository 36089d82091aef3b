"""Pages: the tables of an HTML document, which many help desks write as `.html`, `.xls` or `.doc`.

A document is scanned for the tags of tables only, by a pattern that takes time in proportion to its length whatever is broken in it; the parser
of the standard library is quadratic on some of it. Cells are places in the document until someone wants their text, so memory holds the document
and one row. Deliberately not here: Jira's document with a block an issue, see `jira_word`; pages packed as MHTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from desktop.domain.errors import DeskError
from desktop.ingest.bodies import as_cell, read_body
from desktop.ingest.encodings import detect_encoding
from desktop.ingest.files import open_file
from desktop.ingest.mailheads import codec_of
from desktop.ingest.records import MAX_RAW_CHARACTERS, Record

MOST_BYTES = 200_000_000
MOST_CELL_BYTES = 8_000_000
MOST_COLUMNS = 20_000
_SAMPLE_ROWS = 30
_WIDEST_SPAN = 200
_RATED_CELL_BYTES = 1_000
_RATED_CELLS = 500

_IS_PAGE = re.compile(
    r"[\s\ufeff]*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_IS_XHTML = re.compile(r"[\s\ufeff]*<\?xml.{0,2000}?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(
    rb"<(?:(?P<comment>!--)|(?P<slash>/?)(?P<name>table|tr|td|th|script|style|textarea)\b"
    rb"(?P<attributes>(?:[^<>\"']++|\"[^\"]{0,4000}+\"|'[^']{0,4000}+')*+>|[^>]{0,4000}>))",
    re.IGNORECASE,
)
_SPAN = re.compile(rb"(col|row)span\s*=\s*[\"']?(\d{1,5})", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta\b[^>]{0,300}charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)
_LINK = re.compile(
    r"<a\b([^<>]{0,4000})>([^<>]*+(?:<(?!/?a\b)[^<>]{0,4000}>[^<>]*+){0,30})</a\s*>",
    re.IGNORECASE,
)
_OWN_PAGE = re.compile(r"/secure/|/browse/[A-Z][A-Z0-9_]+-\d+[\"']|/issues/\?|/jira/people/")
_ALT = re.compile(r"<img\b[^<>]{0,2000}\balt\s*=\s*[\"']([^\"'<>]{1,200})[\"']", re.IGNORECASE)
_COLUMN_ID = re.compile(rb"data-id\s*=\s*[\"'](issuetype|priority)[\"']", re.IGNORECASE)
_ICON_COLUMNS = {b"issuetype": "Issue Type", b"priority": "Priority"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: where its content stands in the document, its tag's attributes, and over how many columns and rows it goes."""

    start: int
    end: int
    attributes: bytes
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its table (from 0, in the order they begin), how deep that lies in others, the row's number in it from 1, its tag and its cells."""

    table: int
    depth: int
    number: int
    start: int
    attributes: bytes
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class _Open:
    """A table whose end has not come yet."""

    table: int
    number: int = 0
    row_start: int = 0
    row_attributes: bytes = b""
    in_row: bool = False
    cells: list[Cell] = field(default_factory=list)
    cell_start: int = -1
    cell_attributes: bytes = b""


class Page:
    """An HTML document as bytes of an encoding that leaves ASCII as it is."""

    def __init__(self, path: Path) -> None:
        opened = open_file(path)
        try:
            data = opened.stream.read(MOST_BYTES + 1)
        finally:
            opened.close()
        if len(data) > MOST_BYTES:
            raise DeskError(
                "file-too-large",
                f"{path.name} is too large for a web page (more than {MOST_BYTES // 1_000_000} MB).",
                remedy="Export the tickets as CSV, which can be of any size.",
            )
        self.encoding = _page_encoding(data)
        if self.encoding.startswith(("utf-16", "utf-32", "iso2022")):
            data = data.decode(self.encoding, "replace").encode("utf-8", "replace")
            self.encoding = "utf-8"
        self.data = data

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all tables, each when it ends; those of a table within a cell before the row of that cell."""
        open_tables: list[_Open] = []
        count = 0
        for match in _tags(self.data):
            name, is_end = match["name"].lower(), bool(match["slash"])
            if name == b"table" and not is_end:
                open_tables.append(_Open(count))
                count += 1
            elif not open_tables:
                continue
            elif name == b"table":
                depth = len(open_tables) - 1
                yield from _ended_row(open_tables.pop(), depth, match.start())
            elif name == b"tr":
                yield from _ended_row(open_tables[-1], len(open_tables) - 1, match.start())
                if not is_end:
                    open_tables[-1].in_row = True
                    open_tables[-1].row_start = match.start()
                    open_tables[-1].row_attributes = match["attributes"]
            else:
                _turn_cell(open_tables[-1], match, is_end=is_end)
        while open_tables:
            yield from _ended_row(open_tables.pop(), len(open_tables), len(self.data))

    def html(self, cell: Cell) -> str:
        """Return the content of a cell as it stands."""
        return self.data[cell.start : min(cell.end, cell.start + MOST_CELL_BYTES)].decode(self.encoding, "replace")

    def text(self, cell: Cell) -> str:
        """Return the content of a cell as a person sees it; an icon alone is what stands for it."""
        return text_of(self.html(cell))

    def line(self, place: int, *, line: int = 1, since: int = 0) -> int:
        """Return the line of a place, counted on from a line known before."""
        return line + self.data.count(b"\n", since, place)


class PageSource:
    """What is the same for all that gives rows of a page: how far it is, and the last row as text."""

    repaired_bytes = 0

    def __init__(self, page: Page) -> None:
        self._page = page
        self._place = 0
        self._cells: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1."""
        return min(1.0, self._place / max(1, len(self._page.data)))

    @property
    def raw(self) -> str:
        """Return the last row as text, its cells apart by tabs."""
        return "\t".join(self._cells)[:MAX_RAW_CHARACTERS]


class PageReader(PageSource):
    """Iterates over the rows of one table of a page from one row on."""

    def __init__(self, page: Page, table: int, *, first_row: int) -> None:
        super().__init__(page)
        self._table = table
        self._first = first_row

    def __iter__(self) -> Iterator[Record]:
        below: dict[int, tuple[int, str]] = {}
        for row in self._page.rows():
            if row.table != self._table or row.number < self._first:
                continue
            self._place = row.start
            if sum(cell.columns for cell in row.cells) > MOST_COLUMNS:
                self._cells = []
                yield Record(row.number, [], f"This row has more than {MOST_COLUMNS:,} cells")
                continue
            self._cells = _spread(row.cells, self._page, below)
            if row.number == self._first:
                self._cells = _named(row.cells, self._cells)
            yield Record(row.number, self._cells)


def is_page(text: str) -> bool:
    """Tell by its beginning whether a text is an HTML document."""
    return _IS_PAGE.match(text) is not None or _IS_XHTML.match(text) is not None


def best_table(page: Page, rate: Callable[[Sequence[Sequence[str]]], float]) -> tuple[int, float]:
    """Return the table of a page that `rate` rates highest by its first rows, of equals the longest, and its rating; (-1, 0.0) without any."""
    samples: dict[int, list[list[str]]] = {}
    counts: dict[int, int] = {}
    for row in page.rows():
        counts[row.table] = row.number
        sample = samples.setdefault(row.table, [])
        if len(sample) < _SAMPLE_ROWS:
            cells = row.cells[:_RATED_CELLS]
            sample.append([page.text(cell) if cell.end - cell.start <= _RATED_CELL_BYTES else "" for cell in cells])
    rated = [
        (rate(sample), min(counts[table], 10_000), -table)
        for table, sample in samples.items()
        if counts[table] > 1 and max(map(len, sample)) > 1
    ]
    if not rated:
        return -1, 0.0
    rating, _, number = max(rated)
    return -number, rating


def text_of(content: str) -> str:
    """Return a piece of HTML as a person sees it, as a cell that reads the same."""
    if "<" not in content:
        return as_cell(" ".join(html.unescape(content).split()))
    body = read_body(f"<div>{_LINK.sub(lambda link: _unlinked(link, content), content)}</div>")
    alt = None if body.text else _ALT.search(content)
    return as_cell(body.text or (html.unescape(alt[1]).strip() if alt else ""))


def _unlinked(link: re.Match[str], content: str) -> str:
    """Keep a link's address unless it leads into the help desk itself, as those of numbers and names do."""
    if _OWN_PAGE.search(link[1]):
        return link[2]
    return link[2] if _bare(link[2]) == _bare(content) else link.group()


def _bare(content: str) -> str:
    return "".join(re.sub(r"<[^<>]{0,4000}>", "", content[:20_000]).replace("&nbsp;", "").split())


def _page_encoding(data: bytes) -> str:
    found = detect_encoding(data[:100_000])
    named = _CHARSET.search(data[:20_000])
    said = codec_of(named[1].decode("ascii")) if named else ""
    # A mark decides, and what is valid UTF-8 is nothing else, whatever the page says of itself.
    is_sure = found.startswith(("utf-16", "utf-32", "utf-8-sig")) or (found == "utf-8" and not data[:100_000].isascii())
    return found if is_sure or not said or said.startswith(("utf-16", "utf-32")) else said


def _tags(data: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the tags of tables, without what stands in comments and scripts."""
    place = 0
    endless: set[bytes] = set()
    while match := _TAG.search(data, place):
        place = match.end()
        name = b"--" if match["comment"] else match["name"].lower()
        if name not in (b"--", b"script", b"style", b"textarea"):
            yield match
        elif not match["slash"] and name not in endless:
            end = data.find(b"-->", place) if name == b"--" else _find_end(data, name, place)
            if end < 0:
                endless.add(name)  # looked for once: it will not come further down either
            place = max(place, end)


def _find_end(data: bytes, name: bytes, place: int) -> int:
    match = re.compile(rb"</" + name, re.IGNORECASE).search(data, place)
    return match.start() if match else -1


def _turn_cell(table: _Open, match: re.Match[bytes], *, is_end: bool) -> None:
    _end_cell(table, match.start())
    if not is_end:
        if not table.in_row:
            table.in_row, table.row_start, table.row_attributes = True, match.start(), b""
        table.cell_start, table.cell_attributes = match.end(), match["attributes"]


def _end_cell(table: _Open, end: int) -> None:
    if table.cell_start < 0:
        return
    spans = {kind.lower(): min(_WIDEST_SPAN, max(1, int(size))) for kind, size in _SPAN.findall(table.cell_attributes)}
    table.cells.append(Cell(table.cell_start, end, table.cell_attributes, spans.get(b"col", 1), spans.get(b"row", 1)))
    table.cell_start = -1


def _ended_row(table: _Open, depth: int, end: int) -> Iterator[Row]:
    _end_cell(table, end)
    if table.cells:
        table.number += 1
        yield Row(table.table, depth, table.number, table.row_start, table.row_attributes, tuple(table.cells))
        table.cells = []
    table.in_row = False


def _spread(cells: Sequence[Cell], page: Page, below: dict[int, tuple[int, str]]) -> list[str]:
    """Return a row's texts column by column. `below` holds what cells of rows above reach down: {column: (rows left, text)}."""
    texts: list[str] = []

    def reach_down() -> None:
        while len(texts) in below:
            left, text = below.pop(len(texts))
            if left > 1:
                below[len(texts)] = (left - 1, text)
            texts.append(text)

    for cell in cells:
        reach_down()
        text = page.text(cell)
        for number in range(cell.columns):
            if cell.rows > 1:
                below[len(texts)] = (cell.rows - 1, text if number == 0 else "")
            texts.append(text if number == 0 else "")
    reach_down()
    return texts


def _named(cells: Sequence[Cell], texts: list[str]) -> list[str]:
    """Return a header's names; Jira heads its columns of icons with a letter and tells in the tag what they are."""
    if len(cells) != len(texts):
        return texts
    ids = [_COLUMN_ID.search(cell.attributes) for cell in cells]
    return [
        _ICON_COLUMNS[found[1].lower()] if found and len(text) <= 1 else text
        for found, text in zip(ids, texts, strict=True)
    ]
