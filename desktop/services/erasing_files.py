"""Files that name a person: those of this program, which are rewritten, copies of the database, which are told of, and others, which are left alone.

A copy of the database cannot have one person taken out without being another copy: it is for the user to delete. Of a folder's other files only the
program's own are changed: lists of rejected rows, logs and recipes.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.config.paths import Paths
from desktop.domain.erasing import Way
from desktop.domain.scrubbing import Scrubber
from desktop.storage.erasing import traces_hold
from desktop.storage.search import FILE_NAME

_PART_BYTES = 8_000_000
_AROUND_BYTES = 400
_SQLITE = b"SQLite format 3\x00"
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class NamingFiles:
    """Files that name a person. `ours` can be rewritten, `backups` are copies of the database, `others` are not ours."""

    ours: tuple[Path, ...] = ()
    backups: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


def find_files(paths: Paths, scrubber: Scrubber) -> NamingFiles:
    """Look through the whole data folder but for the database that is open and its index."""
    open_ones = {
        f"{name}{ending}" for name in (paths.database.name, FILE_NAME) for ending in ("", "-wal", "-shm", "-journal")
    }
    ours: list[Path] = []
    backups: list[Path] = []
    others: list[Path] = []
    for path in sorted(_files(paths.data_dir)):
        if path == paths.secret or (path.parent == paths.data_dir and path.name in open_ones):
            continue
        is_copy = _begins_with(path, _SQLITE)
        if (
            scrubber.text(path.stem) == path.stem
            and not names(path, scrubber)
            and not (is_copy and traces_hold(path, scrubber))
        ):
            continue
        is_ours = any(path.is_relative_to(folder) for folder in (paths.rejects, paths.logs, paths.recipes))
        (backups if is_copy or path.name.endswith("-wal") else ours if is_ours else others).append(path)
    return NamingFiles(tuple(ours), tuple(backups), tuple(others))


def names(path: Path, scrubber: Scrubber) -> bool:
    """Tell whether a person stands in the bytes of a file, in UTF-8 or UTF-16."""
    encodings = ("utf-8", "utf-16-le")
    needles = [(needle.lower().encode(encoding), encoding) for needle in scrubber.needles for encoding in encodings]
    try:
        with path.open("rb") as file:
            tail = b""
            while part := file.read(_PART_BYTES):
                window = tail + part
                lowered = window.lower()
                if any(_stands_at(window, lowered, needle, encoding, scrubber) for needle, encoding in needles):
                    return True
                tail = window[-2 * _AROUND_BYTES :]
    except OSError:
        return False
    return False


def scrub_file(path: Path, scrubber: Scrubber, *, way: Way) -> None:
    """Take a person out of one of our files; of a list of rejected rows their rows go where their tickets do.

    Raises:
        OSError: when the file cannot be written.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix.lower() == ".csv":
        text = _without_rows(text, scrubber) if way is Way.REMOVE else _without_cells(text, scrubber)
    else:
        text = scrubber.text(text)
    target = path.with_name(f"{scrubber.text(path.stem)}{path.suffix}")
    if path.suffix == ".csv" or target != path:
        _replace(path, target, text)
    else:
        # A log is open: whoever writes it goes on in the same file.
        path.write_text(text, encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _begins_with(path: Path, beginning: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return False


def _stands_at(window: bytes, lowered: bytes, needle: bytes, encoding: str, scrubber: Scrubber) -> bool:
    at = lowered.find(needle)
    while at >= 0:
        # UTF-16 is cut between two characters, which begin where the needle does.
        start = max(at % 2 if encoding != "utf-8" else 0, at - _AROUND_BYTES)
        around = window[start : at + _AROUND_BYTES].decode(encoding, "ignore")
        if scrubber.text(around) != around:
            return True
        at = lowered.find(needle, at + 1)
    return False


def _without_rows(text: str, scrubber: Scrubber) -> str:
    return _as_csv(row for row in _rows(text) if all(scrubber.cell(cell) == cell for cell in row))


def _without_cells(text: str, scrubber: Scrubber) -> str:
    return _as_csv([scrubber.cell(cell) for cell in row] for row in _rows(text))


def _rows(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    return csv.reader(io.StringIO(text.removeprefix(_BOM), newline=""))


def _as_csv(rows: Iterator[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return f"{_BOM}{out.getvalue()}"


def _replace(path: Path, target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".scrubbed-", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if target != path:
        path.unlink()
