"""Watched files in the database: which files of watched folders were handled, so that each is imported or asked about once."""

from __future__ import annotations

import sqlite3

from desktop.domain.clock import now
from desktop.domain.watching import FoundFile, as_kept
from desktop.storage.database import Database


class WatchedStore:
    """Handled files by path, size and time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[FoundFile, ...]:
        """Return all files that were handled."""

        def read(connection: sqlite3.Connection) -> tuple[FoundFile, ...]:
            rows = connection.execute("SELECT path, size, modified_ns FROM watched_file")
            return tuple(FoundFile(path, size, modified_ns) for path, size, modified_ns in rows)

        return await self._database.read(read)

    async def remember(self, found: FoundFile) -> None:
        """Keep that a file was handled as it is now, in place of what was kept of an earlier state of it."""
        kept = as_kept(found)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO watched_file (path, size, modified_ns, handled_at) VALUES (?, ?, ?, ?)",
                [kept.path, kept.size, kept.modified_ns, now()],
            )

        await self._database.write(write)
