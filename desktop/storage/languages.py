"""Languages in the database: which language each ticket is in, beside the tickets and not in them.

A table of its own, because a ticket's row is as large as its columns are long: to fill one word in would write all of it once more, and the import
would have to know of it. A ticket that was changed since, and so has another revision, is looked at again. '' stands for: looked at, and not told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.domain.tickets import Message
from desktop.storage.database import Database
from desktop.storage.tickets import read_messages

WINDOW = 5_000
"""So many revisions are looked through at once for tickets that were not looked at: a reader is never held for longer than some milliseconds."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A ticket whose language was not looked at as it is in this revision."""

    ticket_id: int
    revision: int
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

    async def unseen_after(self, revision: int, *, limit: int) -> tuple[tuple[Unseen, ...], int]:
        """Return tickets that were not looked at, from the first after a revision on, and the revision after which to go on; -1 at the end."""

        def read(connection: sqlite3.Connection) -> tuple[tuple[Unseen, ...], int]:
            last = connection.execute("SELECT max(revision) FROM ticket").fetchone()[0] or 0
            end = min(revision + WINDOW, last)
            found = _read_unseen(connection, "revision > ? AND revision <= ?", [revision, end], limit)
            after = found[-1].revision if len(found) == limit else end
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
                [(language, unseen.revision, unseen.ticket_id) for unseen, language in found],
            )

        await self._database.write(write)


def _read_unseen(connection: sqlite3.Connection, condition: str, values: list[int], limit: int) -> tuple[Unseen, ...]:
    rows = connection.execute(
        "SELECT ticket.id, revision, subject FROM ticket LEFT JOIN ticket_language ON ticket_id = ticket.id"
        f" WHERE {condition} AND version IS NOT revision ORDER BY revision LIMIT ?",
        [*values, limit],
    ).fetchall()
    return tuple(Unseen(i, revision, subject, read_messages(connection, i)) for i, revision, subject in rows)
