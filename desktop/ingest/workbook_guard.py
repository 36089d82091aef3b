"""Workbook guard: looks over the parts of a workbook before they are read, because the reader trusts what they say of themselves.

calamine makes room for every cell between the first and the last one, and for as many texts as a part says it holds. A kilobyte that names the far
corner of a sheet makes it ask for 500 GB, which ends the program; no error can be caught. So sizes are counted here, by the bytes that really unpack.
Deliberately not here: whether the XML is sound, which the reader says itself.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers.expat import ExpatError, ParserCreate

from desktop.domain.errors import DeskError
from desktop.ingest.files import reading

MOST_CELLS = 40_000_000
_SUSPICIOUS_BYTES = 50_000_000
_MOST_RATIO = 100
"""Sheets unpack to 5 to 30 times their size: every cell has a place of its own in them."""
_SUSPICIOUS_CELLS = 1_000_000
_LEAST_FILLED = 0.02
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_CHUNK_BYTES = 1_000_000
_OVERLAP_BYTES = 200
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_COUNT = re.compile(rb"""<(?:\w+:)?sst\b[^>]*?\s(?:uniqueCount|count)\s*=\s*["']\s*\+?(\d+)[^>]*>""")
_ANY_COUNT = re.compile(rb"""\s(?:uniqueCount|count)\s*=\s*["']\s*\+?(\d+)""")


def check_workbook(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that would take more memory than any table of tickets.

    Raises:
        DeskError: `file-bomb`, `file-too-large`, `file-broken`.
    """
    unpacked = packed = 0
    for info in archive.infolist():
        packed += info.compress_size
        if not info.filename.lower().endswith((".xml", ".bin")):
            continue
        with reading(path.name), _well_formed(path):
            extent = _Extent(path)
            # Of content that breaks off calamine reads the end for ever; XML of Excel's that breaks off it refuses itself.
            well_formed = ParserCreate() if info.filename == "content.xml" else None
            for chunk in _chunks(archive, info):
                if well_formed is not None:
                    well_formed.Parse(chunk, False)
                unpacked += len(chunk)
                if unpacked > max(_SUSPICIOUS_BYTES, packed * _MOST_RATIO):
                    raise _bomb(path, unpacked)
                extent.add(chunk)
            if well_formed is not None:
                well_formed.Parse(b"", True)
        extent.check(info.file_size)


class _Extent:
    """How far the cells of one part reach, and how many texts it says it holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._columns: set[bytes] = set()
        self._last_row = 0
        self._cells = 0
        self._texts = 0

    def add(self, chunk: bytes) -> None:
        chunk = self._rest + chunk
        # What is cut at the end of a chunk is found again at the beginning of the next.
        self._rest = chunk[-_OVERLAP_BYTES:]
        places = _PLACE.findall(chunk)
        self._cells += len(places)
        if places:
            columns, rows = zip(*places, strict=True)
            self._columns.update(columns)
            self._last_row = max(self._last_row, *map(int, {row[:20] for row in rows}))
        for match in _COUNT.finditer(chunk):
            self._texts = max([self._texts, *(int(count[:20]) for count in _ANY_COUNT.findall(match.group()))])

    def check(self, size: int) -> None:
        last_column = max(map(_column_number, self._columns), default=0)
        if last_column > _LAST_COLUMN or self._last_row > _LAST_ROW:
            raise DeskError(
                "file-broken",
                f"{self._path.name} names a cell beyond the last one of any sheet.",
                remedy="Save it again, or as CSV.",
            )
        if self._texts > size:
            raise DeskError(
                "file-broken",
                f"{self._path.name} says it holds {self._texts:,} texts and does not.",
                remedy="Save it again, or as CSV.",
            )
        cells = last_column * self._last_row
        if cells > MOST_CELLS or (cells > _SUSPICIOUS_CELLS and self._cells < cells * _LEAST_FILLED):
            raise DeskError(
                "file-too-large",
                f"A sheet of {self._path.name} reaches to row {self._last_row:,} and column {last_column:,}, too far for a workbook.",
                remedy="Delete what stands outside the table, or save the sheet as CSV, which can be of any size.",
            )


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as part:
        while chunk := part.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _well_formed(path: Path) -> Iterator[None]:
    try:
        yield
    except ExpatError as error:
        raise DeskError(
            "file-broken", f"{path.name} cannot be read as a workbook ({error}).", remedy="Save it again, or as CSV."
        ) from None


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + letter - 64
    return number


def _bomb(path: Path, size: int) -> DeskError:
    return DeskError(
        "file-bomb",
        f"{path.name} unpacks to more than {size:,} bytes, which no table of tickets does.",
        remedy="Open it in a spreadsheet and save the sheet with the tickets as CSV.",
    )
