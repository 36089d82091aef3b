"""Twins: tickets with the very same text as another. Found without reading all texts: only tickets of one title and one length can be twins."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from desktop.storage.database import Database

_SIZES = """SELECT ticket.id, subject, status, status_original, priority, priority_original, message_count, external_id,
  (SELECT sum(length(text)) FROM message WHERE ticket_id = ticket.id) FROM ticket"""
IDS_A_QUERY = 500
MANY_IDS = 5_000
"""From here on it is quicker to read what all tickets have than to ask for each."""


class TwinStore:
    """Finds twins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def twins(self, ids: Sequence[int]) -> set[int]:
        """Return those of some tickets that have the very same text as one that stands before them."""
        return await self._database.read(lambda connection: _twins(connection, ids))


def _twins(connection: sqlite3.Connection, ids: Sequence[int]) -> set[int]:
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    wanted = set(ids)
    for row in _sizes(connection, ids):
        if row[0] in wanted:
            # A ticket without a subject goes by its number, which no other has.
            alike[row[1:7] + ((row[8],) if row[1] else row[7:])].append(row[0])
    twins: set[int] = set()
    for group in alike.values():
        if len(group) > 1:
            twins |= _same(connection, group)
    return twins


def _sizes(connection: sqlite3.Connection, ids: Sequence[int]) -> Collection[tuple[Any, ...]]:
    if len(ids) >= MANY_IDS:
        return connection.execute(_SIZES).fetchall()
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(ids), IDS_A_QUERY):
        part = list(ids[start : start + IDS_A_QUERY])
        rows += connection.execute(f"{_SIZES} WHERE ticket.id IN ({','.join('?' * len(part))})", part)
    return rows


def _same(connection: sqlite3.Connection, group: Sequence[int]) -> set[int]:
    seen: set[bytes] = set()
    same: set[int] = set()
    for ticket_id in group:
        messages = connection.execute(
            "SELECT author, role, internal, created_at, text FROM message WHERE ticket_id = ? ORDER BY position",
            [ticket_id],
        )
        name = hashlib.sha256(repr(messages.fetchall()).encode("utf-8", "surrogatepass")).digest()
        if name in seen:
            same.add(ticket_id)
        seen.add(name)
    return same
