"""Languages in the database: which language each ticket is in, beside the tickets and not in them.

A table of its own, because a ticket's row is as large as its columns are long: to fill one word in would write all of it once more, and the import
would have to know of it. A ticket that an import changed since is looked at again. '' stands for: looked at, and not told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.domain.tickets import Message
from desktop.storage.database import Database
from desktop.storage.tickets import read_messages

WINDOW = 5_000
"""So many ids are looked through at once for tickets that were not looked at: a reader is never held for longer than some milliseconds."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A ticket whose language was not looked at. `version` is the import that changed it last."""

    ticket_id: int
    version: int
    subject: str
    messages: tuple[Message, ...]


class LanguageStore:
    """Reads tickets without a language, and keeps what was found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_read_only(self) -> bool:
        """Tell whether nothing can be kept."""
        return bool(self._database.read_only_reason)

    async def unseen_after(self, ticket_id: int, *, limit: int) -> tuple[tuple[Unseen, ...], int]:
        """Return tickets that were not looked at, from the first id after `ticket_id` on, and the id after which to go on; -1 at the end."""

        def read(connection: sqlite3.Connection) -> tuple[tuple[Unseen, ...], int]:
            after = ticket_id
            last = connection.execute("SELECT max(id) FROM ticket").fetchone()[0] or 0
            end = min(after + WINDOW, last)
            found = _read_unseen(connection, "ticket.id > ? AND ticket.id <= ?", [after, end], limit)
            after = found[-1].ticket_id if len(found) == limit else end
            return found, after if after < last else -1

        return await self._database.read(read)

    async def unseen_among(self, ticket_ids: Sequence[int]) -> tuple[Unseen, ...]:
        """Return those of a few tickets that were not looked at."""
        marks = ",".join("?" * len(ticket_ids))

        def read(connection: sqlite3.Connection) -> tuple[Unseen, ...]:
            return _read_unseen(connection, f"ticket.id IN ({marks})", list(ticket_ids), len(ticket_ids))

        return await self._database.read(read) if ticket_ids else ()

    async def put(self, found: Sequence[tuple[Unseen, str]]) -> None:
        """Keep languages; those of tickets that have gone since are left out."""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO ticket_language (ticket_id, language, version) SELECT id, ?, ? FROM ticket WHERE id = ?",
                [(language, unseen.version, unseen.ticket_id) for unseen, language in found],
            )

        await self._database.write(write)


def _read_unseen(connection: sqlite3.Connection, condition: str, values: list[int], limit: int) -> tuple[Unseen, ...]:
    rows = connection.execute(
        "SELECT ticket.id, changed_import_id, subject FROM ticket LEFT JOIN ticket_language ON ticket_id = ticket.id"
        f" WHERE {condition} AND (version IS NULL OR version != changed_import_id) ORDER BY ticket.id LIMIT ?",
        [*values, limit],
    ).fetchall()
    return tuple(Unseen(i, version, subject, read_messages(connection, i)) for i, version, subject in rows)
