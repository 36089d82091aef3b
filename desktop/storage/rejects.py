"""Rejects in the database: rows that were set aside, as they stood in the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from desktop.domain.imports import Reject


def insert_rejects(connection: sqlite3.Connection, import_id: int, rejects: Sequence[Reject]) -> None:
    """Keep rows that were set aside with the import that met them."""
    connection.executemany(
        'INSERT INTO import_reject (import_id, line, reason, "column", value, raw, cells_json) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [
            (import_id, r.line, r.reason, r.column, r.value, r.raw, json.dumps(r.cells, ensure_ascii=False))
            for r in rejects
        ],
    )


def read_rejects(
    connection: sqlite3.Connection, import_id: int, after: int, limit: int
) -> tuple[int, tuple[Reject, ...]]:
    """Return rejects of an import, without their cells, from the one after an id on, and the id of the last."""
    rows = connection.execute(
        'SELECT id, line, reason, "column", value, raw FROM import_reject WHERE import_id = ? AND id > ? ORDER BY id LIMIT ?',
        [import_id, after, limit],
    ).fetchall()
    return rows[-1][0] if rows else after, tuple(Reject(*row[1:]) for row in rows)
