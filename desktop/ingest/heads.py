"""Heads: the first part of a file as a table: its encoding, delimiter, quotes and header line, and sample rows.

Only the head is looked at; a delimiter is the one that cuts most rows into the same number of cells; the
header is the first row that reads like names. Deliberately not here: what the columns mean.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.ingest.encodings import LEGACY_ENCODINGS, READ_NOW, check_is_text, detect_encoding
from desktop.ingest.files import is_all_mails, missing_inside, open_file, split_path
from desktop.ingest.forms import JIRA_WORD, Form, open_records
from desktop.ingest.jira_word import JiraWordReader, is_jira_word
from desktop.ingest.json_files import is_json, lists_in, read_sample
from desktop.ingest.mailbox import looks_like_mail
from desktop.ingest.mapping import known_names
from desktop.ingest.pages import Page, PageReader, best_table, is_page
from desktop.ingest.records import Dialect, Record, RecordReader
from desktop.ingest.sheets import is_workbook, read_sheet
from desktop.ingest.vocabulary import fold

HEAD_BYTES = 256 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?')
_PREAMBLE_ROWS = 30
_FIGURE = re.compile(r"[-+]?[\d.,:/\s%€$-]+|null|true|false|\*+", re.IGNORECASE)
_SCORED_CHARACTERS = 65_536
_SAMPLE_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """What the first part of a file shows: its form, its columns, and sample rows after the header."""

    path: Path
    size_bytes: int
    form: Form
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def folded(self) -> tuple[str, ...]:
        return tuple(fold(name) for name in self.names)


def read_head(path: Path, *, names: frozenset[str] = frozenset()) -> Head:
    """Look at the first part of a file. `names` are folded names of columns that tell a header, besides the words all help desks use.

    Raises:
        DeskError: `file-missing`, `file-directory`, `file-unreadable`, `file-empty`, `file-binary`, `file-format-unsupported`,
            `file-not-table`, `file-no-rows`.
    """
    if is_all_mails(path):
        return _read_mail_head(path, "eml", split_path(path)[0].stat().st_size)
    head, size, inside = _read_bytes(path)
    if is_workbook(path, head):
        return _read_sheet_head(path, size, names)
    encoding = detect_encoding(head)
    if is_json(path.name, _decode(head[:_SCORED_CHARACTERS], encoding)):
        return _read_json_head(path, size, inside)
    if inside:
        raise missing_inside(*split_path(path))
    if mail := looks_like_mail(path.name, head):
        return _read_mail_head(path, mail, size)
    return _read_delimited_head(path, head, encoding, size, names)


def _read_delimited_head(path: Path, head: bytes, detected: str, size: int, names: frozenset[str]) -> Head:
    check_is_text(path, head)
    encoding = _by_names(head, detected, names)
    text = _decode(head, encoding)
    if is_page(text):
        return _read_page_head(path, size, names)
    if re.match(r"\s*<\?xml", text):
        raise _no_table(path, "it is XML")
    first_line, dialect = _find_dialect(path, text, names)
    with RecordReader(path, dialect, encoding=encoding, first_line=first_line, limit_bytes=HEAD_BYTES) as reader:
        filled = (record for record in reader if any(cell.strip() for cell in record.cells))
        records = list(itertools.islice(filled, _SAMPLE_ROWS))
    place = _find_header(path, records, names)
    kind = {"\t": "tsv", "|": "psv"}.get(dialect.delimiter[0], "csv")
    return _make_head(path, size, Form(kind, encoding, dialect, records[place].line), records[place:])


def _read_sheet_head(path: Path, size: int, known: frozenset[str]) -> Head:
    sheet = read_sheet(path, rate=_rate_rows)
    records = [Record(number, row) for number, row in enumerate(sheet.rows[:_SAMPLE_ROWS], start=1) if any(row)]
    place = _find_header(path, records, known)
    kind = path.suffix.lower().lstrip(".")
    return _make_head(path, size, Form(kind, header_line=records[place].line, sheet=sheet.name), records[place:])


def _read_page_head(path: Path, size: int, names: frozenset[str]) -> Head:
    page = Page(path)
    if is_jira_word(page):
        form = Form("html", page.encoding, sheet=JIRA_WORD)
        records = list(itertools.islice(JiraWordReader(page), _SAMPLE_ROWS))
        return _make_head(path, size, form, records)
    table, rating = best_table(page, _rate_rows)
    # A workbook that is a page at heart holds a table of its own; of other pages only one with columns of tickets is meant.
    if table < 0 or (rating < 2 and not path.name.lower().endswith((".xls", ".xls.gz"))):
        raise _no_table(path, "it looks like a web page, and no table in it has the columns of tickets")
    records = [
        record
        for record in itertools.islice(PageReader(page, table, first_row=1), _SAMPLE_ROWS)
        if any(cell.strip() for cell in record.cells)
    ]
    place = _find_header(path, records, names)
    form = Form("html", page.encoding, header_line=records[place].line, sheet=str(table))
    with PageReader(page, table, first_row=form.header_line) as reader:
        return _make_head(path, size, form, list(itertools.islice(reader, _SAMPLE_ROWS)))


def _read_mail_head(path: Path, kind: str, size: int) -> Head:
    form = Form(kind)
    with open_records(path, form, names=(), limit_bytes=HEAD_BYTES) as reader:
        records = [record for record in itertools.islice(reader, _SAMPLE_ROWS) if not record.fault]
    return _make_head(path, size, form, records)


def _read_json_head(path: Path, size: int, inside: str) -> Head:
    keys = (inside,) if inside else lists_in(path)
    samples = {key: read_sample(path, key, limit=HEAD_BYTES) for key in keys}
    key = max(keys, key=lambda key: _rate_rows([samples[key].names]) if samples[key].rows else -1)
    sample = samples[key]
    if not sample.rows:
        if inside and not sample.fault:
            raise missing_inside(path.parent, inside)
        raise _no_records(path, sample.fault)
    form = Form("jsonl" if sample.is_lines else "json", "utf-8", header_line=sample.lines[0], sheet=key)
    return Head(path, size, form, sample.names, sample.rows)


def _no_records(path: Path, fault: str) -> DeskError:
    if fault:
        return DeskError("file-broken", f"{path.name} is damaged JSON: {fault}.", remedy="Export or download it again.")
    return DeskError(
        "file-no-rows", f"{path.name} is JSON that holds no list of tickets.", remedy="Export the tickets again."
    )


def _make_head(path: Path, size: int, form: Form, records: Sequence[Record]) -> Head:
    """Make a head of the header and the rows behind it."""
    rows = tuple(tuple(record.cells) for record in records[1:])
    if not rows:
        raise _no_rows(path)
    return Head(path, size, form, _column_names(records[0].cells), rows)


def _rate_rows(rows: Sequence[Sequence[str]]) -> float:
    """Rate how much the first rows of a sheet read like a table of tickets: well-known names, then many columns."""
    known = max((known_names(map(fold, row)) for row in rows), default=0)
    return known + min(0.9, max((sum(map(bool, row)) for row in rows), default=0) / 100)


def _no_rows(path: Path) -> DeskError:
    return DeskError(
        "file-no-rows",
        f"{path.name} has a header and no rows.",
        remedy="Export the tickets again; the filter may have been too narrow.",
    )


def read_all_rows(head: Head) -> Iterator[Sequence[str]]:
    """Yield every row of the file behind a head that can be read, for a question that the head leaves open."""
    with open_records(head.path, head.form, names=head.names) as records:
        yield from (record.cells for record in itertools.islice(records, 1, None))


def _read_bytes(path: Path) -> tuple[bytes, int, str]:
    try:
        file = open_file(path)
        try:
            return file.stream.read(HEAD_BYTES), file.size, file.inside
        finally:
            file.close()
    except OSError as error:
        raise DeskError(
            "file-unreadable", f"{path.name} cannot be read.", remedy=f"The system says: {error.strerror or error}."
        ) from error


def _decode(head: bytes, encoding: str) -> str:
    return head.decode(encoding, "ignore").replace("\0", "")


def _by_names(head: bytes, detected: str, names: frozenset[str]) -> str:
    """Choose the alphabet in which the header is one that is known; bytes of few words say little else."""
    if detected.startswith("utf") or not names:
        return detected

    def known(encoding: str) -> int:
        lines = head[:8192].decode(encoding, "replace").splitlines()[:_PREAMBLE_ROWS]
        cells = (cell.strip(" \"'") for line in lines for cell in re.split(r"[,;\t|]", line))
        return sum(not cell.isascii() and fold(cell) in names for cell in cells)

    return max((detected, *LEGACY_ENCODINGS), key=known)


def _find_dialect(path: Path, text: str, names: frozenset[str]) -> tuple[int, Dialect]:
    """Return the physical line where the table may begin, and how it is cut."""
    said = _SEP_LINE.match(text)
    if said:
        return 2, _with_quotes(said[1], text)
    sample = text[:_SCORED_CHARACTERS]
    scored = [(_score(_with_quotes(delimiter, sample), sample, names), delimiter) for delimiter in _DELIMITERS]
    # Of equals the first wins: a comma is the likeliest.
    score, delimiter = max(scored, key=lambda pair: pair[0])
    if score <= 0:
        raise _no_table(path, "its lines are not cut into columns by commas, semicolons, tabs or bars")
    return 1, _with_quotes(delimiter, sample)


def _score(dialect: Dialect, sample: str, names: frozenset[str]) -> float:
    """Rate a way of cutting: the share of rows it cuts alike, more for more columns; 0 when this is no table."""
    rows = [cells for cells in dialect.reader(iter(io.StringIO(sample, newline="")), strict=False) if any(cells)]
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    has_names = any(known_names(map(fold, cells), names) >= 2 for cells in rows[:_PREAMBLE_ROWS])
    share = count / len(rows)
    # Prose has commas too; only a line of well-known names makes a table of lines that are mostly cut otherwise.
    # And a line of well-known names outweighs any width: one cell may hold ten thousand semicolons.
    return share * math.log2(width) + 100 * has_names if has_names or share >= 0.4 else 0.0


def _with_quotes(delimiter: str, sample: str) -> Dialect:
    single = len(re.findall(rf"'{re.escape(delimiter)} ?'", sample))
    double = len(re.findall(rf'"{re.escape(delimiter)} ?"', sample))
    starts_single = single > double and sample.lstrip("\ufeff \r\n").startswith("'")
    quote = "'" if starts_single or _quotes_singly(delimiter, sample) else '"'
    spaced = len(re.findall(rf"{re.escape(delimiter)} {quote}", sample))
    tight = len(re.findall(rf"{re.escape(delimiter)}{quote}", sample))
    dialect = Dialect(delimiter + " " if spaced > tight and delimiter != "\t" else delimiter, quote)
    if f"\\{quote}" not in sample:
        return dialect
    escaped = Dialect(dialect.delimiter, f"\\{quote}")
    return escaped if _sound_rows(escaped, sample) > _sound_rows(dialect, sample) else dialect


def _quotes_singly(delimiter: str, sample: str) -> bool:
    """Tell whether only some cells are quoted, and with `'`: those that hold what must be quoted, and rows come out even only so."""
    end = re.escape(delimiter)
    quoted = re.findall(rf"(?:^|{end})'((?:[^']|''){{1,2000}})'(?={end}|$)", sample, re.MULTILINE)
    if not any(re.search(rf"{end}|\n|''", cell) for cell in quoted) or re.search(
        rf'(?:^|{end}) ?"[^"]*"(?={end}|$)', sample, re.MULTILINE
    ):
        return False
    return _sound_rows(Dialect(delimiter, "'"), sample) > _sound_rows(Dialect(delimiter), sample)


def _sound_rows(dialect: Dialect, sample: str) -> int:
    reader = dialect.reader(iter(io.StringIO(sample, newline="")), strict=True)
    widths: list[int] = []
    with contextlib.suppress(csv.Error):  # rows before the fault count
        widths.extend(len(cells) for cells in reader)
    return max(Counter(widths).values(), default=0)


def _find_header(path: Path, records: Sequence[Record], names: frozenset[str]) -> int:
    if not any(len(record.cells) > 1 for record in records):
        raise _no_table(path, "it holds no rows of several cells")
    usual = Counter(len(record.cells) for record in records if len(record.cells) > 1).most_common(1)[0][0]
    candidates = [
        place for place, record in enumerate(records[:_PREAMBLE_ROWS]) if _reads_like_names(record.cells, usual)
    ]
    for place in candidates:
        if known_names((fold(cell) for cell in records[place].cells), names) >= 2:
            return place
    if not candidates:
        raise _no_table(path, "no line in it looks like a header of column names")
    return candidates[0]


def _reads_like_names(cells: Sequence[str], usual: int) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    if len(filled) < max(2, math.ceil(min(usual, len(cells)) * 0.5)) or len(cells) < usual * 0.6:
        return False
    figures = sum(_FIGURE.fullmatch(cell) is not None and cell not in ("#", "№") for cell in filled)
    return all(len(cell) <= 120 for cell in filled) and figures <= len(filled) * 0.2


def _column_names(cells: Sequence[str]) -> tuple[str, ...]:
    names = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
    return tuple(name or f"(column {place})" for place, name in enumerate(names, start=1))


def _no_table(path: Path, why: str) -> DeskError:
    return DeskError(
        "file-not-table",
        f"{path.name} is not a table: {why}.",
        remedy=f"Read now: {READ_NOW}, with a line of column names.",
    )
