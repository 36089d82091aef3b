"""The rejects file: what an import rejected, one row a reject with its line and reason, as a spreadsheet beside the data.

It is made of what the database keeps, part by part: a file may be rejected whole, and a million rows do not fit into memory.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.exported import harmless
from desktop.domain.imports import Reject
from desktop.storage.imports import ImportStore

ROWS_A_PART = 2_000
_LONGEST_STEM = 100
_COLUMNS = ("file", "line", "column", "value", "reason", "raw")


async def write_rejects(store: ImportStore, folder: Path, import_id: int, *, name: str) -> Path:
    """Write what an import of the file of this name rejected, and return where.

    Raises:
        DeskError: `rejects-unwritable`.
    """
    path = folder / f"{Path(name).stem[:_LONGEST_STEM]}-rejected-{import_id}.csv"
    try:
        await asyncio.to_thread(_begin, path)
        after, rejects = await store.rejects_after(import_id, 0, limit=ROWS_A_PART)
        while rejects:
            await asyncio.to_thread(_append, path, name, rejects)
            after, rejects = await store.rejects_after(import_id, after, limit=ROWS_A_PART)
    except OSError as error:
        raise DeskError(
            "rejects-unwritable",
            f"The tickets are imported, but the list of rejected rows {path} cannot be written: {error.strerror or error}.",
            remedy="Free some space or check the folder's permissions; the rows are kept in the database.",
        ) from None
    return path


def _begin(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        path.chmod(0o600)
        csv.writer(file).writerow(_COLUMNS)


def _append(path: Path, name: str, rejects: Sequence[Reject]) -> None:
    with path.open("a", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        for r in rejects:
            texts = [harmless(text) for text in (name, r.column, r.value, r.reason, r.raw)]
            writer.writerow([texts[0], r.line, *texts[1:]])
