"""Contents: the tables that a dropped path leads to: those in an archive, and the lists of a JSON document that has several."""

from __future__ import annotations

from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.ingest.files import expand
from desktop.ingest.json_files import lists_of


def tables_in(path: Path) -> tuple[Path, ...]:
    """Return the tables that a path leads to: the path itself when it is a table.

    Raises:
        DeskError: `file-zip-empty`, `file-broken`.
    """
    return tuple(table for file in expand(path) for table in _lists(file))


def _lists(file: Path) -> tuple[Path, ...]:
    try:
        return tuple(file / key for key in lists_of(file)) or (file,)
    except (DeskError, OSError):
        # What is wrong with it is said when it is its turn.
        return (file,)
