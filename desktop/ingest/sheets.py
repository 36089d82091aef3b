"""Sheets: workbooks of Excel and OpenDocument as rows of text.

Of several sheets the one is taken whose first rows read most like a table of tickets. Cells become the text that a CSV of the same sheet would hold:
dates in ISO form, whole numbers without a point, nothing for an empty cell. A workbook is read whole (calamine, in Rust), so its size is bounded.
Deliberately not here: formulas (their last value counts), merged cells (the first of them holds the text), charts.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.ingest.files import open_file
from desktop.ingest.records import Record
from desktop.ingest.workbook_guard import MOST_CELLS, check_workbook

MOST_BYTES = 200_000_000
MOST_UNPACKED_BYTES = 1_500_000_000
# Not `.xlsb`: a damaged one makes the reader take memory without measure, and no help desk writes it.
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, and its rows as text."""

    name: str
    rows: list[list[str]]


def is_workbook(path: Path, head: bytes) -> bool:
    """Tell whether a file is a workbook, by its name and its first bytes."""
    return path.name.lower().endswith(SUFFIXES) and head.startswith((_ZIP, _OLE))


def read_sheet(path: Path, *, name: str = "", rate: Callable[[Sequence[Sequence[str]]], float] | None = None) -> Sheet:
    """Read one sheet: the named one, else the one that `rate` rates highest by its first rows.

    Raises:
        DeskError: `file-broken`, `file-too-large`, `file-no-rows`.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    data = _read_bytes(path)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [name] if name else workbook.sheet_names
        sheets = [Sheet(each, _rows(workbook, each, path)) for each in names]
    except PasswordError:
        raise DeskError(
            "file-encrypted", f"{path.name} is protected by a password.", remedy="Save it without one and import that."
        ) from None
    except (CalamineError, ValueError, OSError) as error:
        raise DeskError(
            "file-broken", f"{path.name} cannot be read as a workbook ({error}).", remedy="Save it again, or as CSV."
        ) from None
    filled = [sheet for sheet in sheets if any(any(row) for row in sheet.rows)]
    if not filled:
        raise DeskError("file-no-rows", f"{path.name} holds no rows.", remedy="Export the tickets again.")
    return max(filled, key=lambda sheet: rate(sheet.rows[:30])) if rate and len(filled) > 1 else filled[0]


class SheetReader:
    """Iterates over the rows of a sheet from one row on, as `records.RecordReader` does over the lines of a file."""

    repaired_bytes = 0

    def __init__(self, sheet: Sheet, *, first_line: int) -> None:
        self._sheet = sheet
        self._place = first_line - 1

    def __enter__(self) -> SheetReader:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1."""
        return self._place / max(1, len(self._sheet.rows))

    @property
    def raw(self) -> str:
        """Return the last row as text, its cells apart by tabs."""
        return "\t".join(self._sheet.rows[self._place - 1]) if self._place else ""

    def __iter__(self) -> Iterator[Record]:
        for row in self._sheet.rows[self._place :]:
            self._place += 1
            yield Record(self._place, row)


def _read_bytes(path: Path) -> bytes:
    opened = open_file(path)
    try:
        data = opened.stream.read(MOST_BYTES + 1)
    finally:
        opened.close()
    unpacked = 0
    archive: zipfile.ZipFile | None = None
    if data.startswith(_ZIP):
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
            unpacked = sum(info.file_size for info in archive.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise DeskError(
                "file-broken", f"{path.name} is damaged: it cannot be unpacked.", remedy="Save it again, or as CSV."
            ) from None
    if len(data) > MOST_BYTES or unpacked > MOST_UNPACKED_BYTES:
        raise DeskError(
            "file-too-large",
            f"{path.name} is too large for a workbook ({max(len(data), unpacked) // 1_000_000:,} MB unpacked).",
            remedy="Save it as CSV, which can be of any size.",
        )
    if archive is not None:
        check_workbook(path, archive)
    return data


def _rows(workbook: object, name: str, path: Path) -> list[list[str]]:
    sheet = workbook.get_sheet_by_name(name)  # type: ignore[attr-defined]
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise DeskError(
            "file-too-large",
            f"{path.name} has {sheet.total_height:,} rows of {sheet.total_width:,} columns, too many for a workbook.",
            remedy="Save it as CSV, which can be of any size.",
        )
    return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def _text(cell: object) -> str:
    """Return a cell as a CSV of the sheet would hold it."""
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case dt.datetime():
            return cell.isoformat(sep=" ", timespec="seconds")
        case dt.date() | dt.time() | dt.timedelta():
            return str(cell)
        case None:
            return ""
    return str(cell)
