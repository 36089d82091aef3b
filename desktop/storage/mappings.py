"""Mappings in the database: how a table's columns are read, by its header, so that the next export of that shape needs no click.

What is kept is what the user corrected, the mapping file that the user chose, or both; `ImportOverrides` holds either.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from desktop.domain.clock import now
from desktop.domain.imports import ImportOverrides, RememberedMapping
from desktop.domain.text import valid_text
from desktop.storage.database import Database


class MappingStore:
    """Corrections and mapping files by header fingerprint."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, fingerprint: str) -> ImportOverrides | None:
        """Return how a table with this header is read; None when nothing is remembered of it."""

        def read(connection: sqlite3.Connection) -> ImportOverrides | None:
            row = connection.execute(
                "SELECT roles_json, date_order, definition FROM mapping WHERE fingerprint = ? AND is_correction",
                [fingerprint],
            ).fetchone()
            return _overrides(*row) if row else None

        return await self._database.read(read)

    async def accepted(self, fingerprint: str) -> Mapping[int, str]:
        """Return the roles by which a person imported a table with this header, without having corrected any; empty when nobody did."""

        def read(connection: sqlite3.Connection) -> Mapping[int, str]:
            row = connection.execute(
                "SELECT roles_json FROM mapping WHERE fingerprint = ? AND NOT is_correction", [fingerprint]
            ).fetchone()
            return _overrides(row[0], "", "").roles if row else {}

        return await self._database.read(read)

    async def accept(self, fingerprint: str, roles: Mapping[int, str], *, learned_from: str) -> None:
        """Keep the roles by which a person imported a table without correcting it; a correction of the same header stays."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO mapping (fingerprint, roles_json, date_order, learned_from, saved_at, is_correction) VALUES (?, ?, '', ?, ?, 0)"
                " ON CONFLICT (fingerprint) DO UPDATE SET roles_json = excluded.roles_json, learned_from = excluded.learned_from,"
                " saved_at = excluded.saved_at WHERE NOT is_correction",
                [fingerprint, _roles_json(roles), valid_text(learned_from), now()],
            )

        await self._database.write(write)

    async def all(self) -> tuple[RememberedMapping, ...]:
        """Return all that is remembered, the newest first."""

        def read(connection: sqlite3.Connection) -> tuple[RememberedMapping, ...]:
            rows = connection.execute(
                "SELECT fingerprint, learned_from, saved_at, is_correction, roles_json, date_order, definition FROM mapping"
                " ORDER BY saved_at DESC, fingerprint"
            )
            return tuple(
                RememberedMapping(fingerprint, learned_from, saved_at, _overrides(*overrides), bool(is_correction))
                for fingerprint, learned_from, saved_at, is_correction, *overrides in rows
            )

        return await self._database.read(read)

    async def remember(self, fingerprint: str, overrides: ImportOverrides, *, learned_from: str = "") -> None:
        """Keep how a table is read in place of what was kept of the same header; `learned_from` is the name of its file."""
        roles = _roles_json(overrides.roles)
        values = [fingerprint, roles, overrides.date_order, overrides.definition, valid_text(learned_from), now()]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO mapping (fingerprint, roles_json, date_order, definition, learned_from, saved_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )

        await self._database.write(write)

    async def forget(self, fingerprint: str) -> None:
        """Remember nothing of this header any more."""
        await self._database.write(
            lambda connection: connection.execute("DELETE FROM mapping WHERE fingerprint = ?", [fingerprint])
        )


def _roles_json(roles: Mapping[int, str]) -> str:
    return json.dumps({str(place): role for place, role in roles.items()})


def _overrides(roles_json: str, date_order: str, definition: str) -> ImportOverrides:
    roles = {int(place): role for place, role in json.loads(roles_json).items()}
    return ImportOverrides(roles, date_order=date_order, definition=definition)
