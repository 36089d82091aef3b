"""Mappings in the database: what the user corrected of a table's columns, by its header, so that the next export of that shape needs no click."""

from __future__ import annotations

import json
import sqlite3
import time

from desktop.domain.imports import ImportOverrides
from desktop.storage.database import Database


class MappingStore:
    """Corrections by header fingerprint."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, fingerprint: str) -> ImportOverrides | None:
        """Return what was corrected of a table with this header; None when nothing was."""

        def read(connection: sqlite3.Connection) -> ImportOverrides | None:
            row = connection.execute(
                "SELECT roles_json, date_order FROM mapping WHERE fingerprint = ?", [fingerprint]
            ).fetchone()
            if row is None:
                return None
            return ImportOverrides({int(place): role for place, role in json.loads(row[0]).items()}, date_order=row[1])

        return await self._database.read(read)

    async def remember(self, fingerprint: str, overrides: ImportOverrides) -> None:
        """Keep a correction in place of an earlier one of the same header."""
        values = [fingerprint, json.dumps(dict(overrides.roles)), overrides.date_order]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO mapping (fingerprint, roles_json, date_order, saved_at) VALUES (?, ?, ?, ?)",
                [*values, now],
            )

        await self._database.write(write)
