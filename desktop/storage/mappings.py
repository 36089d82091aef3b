"""Mappings in the database: how a table's columns are read, by its header, so that the next export of that shape needs no click.

What is kept is what the user corrected, the mapping file that the user chose, or both; `ImportOverrides` holds either.
"""

from __future__ import annotations

import json
import sqlite3
import time

from desktop.domain.imports import ImportOverrides, RememberedMapping
from desktop.storage.database import Database


class MappingStore:
    """Corrections and mapping files by header fingerprint."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, fingerprint: str) -> ImportOverrides | None:
        """Return how a table with this header is read; None when nothing is remembered of it."""

        def read(connection: sqlite3.Connection) -> ImportOverrides | None:
            row = connection.execute(
                "SELECT roles_json, date_order, definition FROM mapping WHERE fingerprint = ?", [fingerprint]
            ).fetchone()
            return _overrides(*row) if row else None

        return await self._database.read(read)

    async def all(self) -> tuple[RememberedMapping, ...]:
        """Return all that is remembered, the newest first."""

        def read(connection: sqlite3.Connection) -> tuple[RememberedMapping, ...]:
            rows = connection.execute(
                "SELECT fingerprint, learned_from, saved_at, roles_json, date_order, definition FROM mapping"
                " ORDER BY saved_at DESC, fingerprint"
            )
            return tuple(
                RememberedMapping(fingerprint, learned_from, saved_at, _overrides(roles, order, definition))
                for fingerprint, learned_from, saved_at, roles, order, definition in rows
            )

        return await self._database.read(read)

    async def remember(self, fingerprint: str, overrides: ImportOverrides, *, learned_from: str = "") -> None:
        """Keep how a table is read in place of what was kept of the same header; `learned_from` is the name of its file."""
        roles = json.dumps({str(place): role for place, role in overrides.roles.items()})
        values = [fingerprint, roles, overrides.date_order, overrides.definition, learned_from]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO mapping (fingerprint, roles_json, date_order, definition, learned_from, saved_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [*values, now],
            )

        await self._database.write(write)

    async def forget(self, fingerprint: str) -> None:
        """Remember nothing of this header any more."""
        await self._database.write(
            lambda connection: connection.execute("DELETE FROM mapping WHERE fingerprint = ?", [fingerprint])
        )


def _overrides(roles_json: str, date_order: str, definition: str) -> ImportOverrides:
    roles = {int(place): role for place, role in json.loads(roles_json).items()}
    return ImportOverrides(roles, date_order=date_order, definition=definition)
