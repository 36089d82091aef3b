"""What the tests of looking back at imports share: a table that changes from week to week, and what is told of it."""

from __future__ import annotations

from array import array
from pathlib import Path

from desktop.domain.history import ImportRecord
from desktop.services.container import Desk

HEADER = "id,subject,description,status,assignee,created_at,Plan\n"
MESSAGES = "ticket_id,author,author_role,created_at,body\n"


def write_table(path: Path, *rows: str, header: str = HEADER) -> Path:
    """Write a table and return its path."""
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


async def record_of(desk: Desk, import_id: int) -> ImportRecord:
    """Return what the history tells of an import."""
    return next(record for record in await desk.imports.history() if record.id == import_id)


async def references_of(desk: Desk, ids: array[int]) -> list[str]:
    """Return the numbers of tickets."""
    return [row.external_id for row in await desk.tickets.rows(ids)]
