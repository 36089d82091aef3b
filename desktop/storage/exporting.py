"""Exporting: many whole tickets at a time, in a handful of statements a page instead of several a ticket."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from desktop.domain.tickets import Message, Thread, TicketRow
from desktop.storage.database import Database
from desktop.storage.tickets import ROW, message_of

_MESSAGES = """SELECT ticket_id, position, author, role, created_at, text, internal, is_attached FROM message
  WHERE ticket_id IN (SELECT value FROM json_each(?)) ORDER BY ticket_id, position"""
_SUMMARIZED = "SELECT DISTINCT ticket_id FROM run WHERE text != '' AND ticket_id IN (SELECT value FROM json_each(?))"


class ExportStore:
    """Reads tickets by the page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def threads(self, ids: Sequence[int]) -> list[Thread]:
        """Return tickets with their messages in the order of `ids`; those that are gone are left out."""

        def read(connection: sqlite3.Connection) -> list[Thread]:
            asked = json.dumps(list(ids))
            messages: dict[int, list[Message]] = {}
            for ticket_id, *values in connection.execute(_MESSAGES, [asked]):
                messages.setdefault(ticket_id, []).append(message_of(*values))
            where = "WHERE ticket.id IN (SELECT value FROM json_each(?))"
            rows = {row[0]: TicketRow(*row) for row in connection.execute(f"{ROW} {where}", [asked])}
            more = connection.execute(f"SELECT id, fields_json, content_hash FROM ticket {where}", [asked])
            rest = {ticket_id: (fields, content_hash) for ticket_id, fields, content_hash in more}
            return [
                Thread(rows[i], json.loads(rest[i][0]), tuple(messages.get(i, ())), rest[i][1])
                for i in ids
                if i in rows
            ]

        return await self._database.read(read)

    async def summarized(self, ids: Sequence[int]) -> set[int]:
        """Return those of the tickets for which a model or a person has written something."""

        def read(connection: sqlite3.Connection) -> set[int]:
            return {row[0] for row in connection.execute(_SUMMARIZED, [json.dumps(list(ids))])}

        return await self._database.read(read)
