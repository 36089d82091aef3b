"""The ledger in the database: what was sent to whom, entered before it goes and settled with its end. Never the text itself."""

from __future__ import annotations

import sqlite3

from desktop.domain.clock import now
from desktop.domain.runs import RunState
from desktop.storage.database import Database


class LedgerStore:
    """What was sent to whom. Never the text itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sent(self, *, host: str, purpose: str, bytes: int, sha256: str) -> int:
        """Enter a request before it goes and return the entry's id; its state is *outcome unknown* until it is settled."""

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO ledger (at, host, purpose, bytes, sha256) VALUES (?, ?, ?, ?, ?)",
                [now(), host, purpose, bytes, sha256],
            )
            return int(cursor.lastrowid or 0)

        return await self._database.write(write)

    async def settled(self, entry_id: int, state: RunState, cost_microusd: int | None) -> None:
        """Enter how a request ended."""
        statement = "UPDATE ledger SET state = ?, cost_microusd = ? WHERE id = ?"
        values = [state.value, cost_microusd, entry_id]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(statement, values)

        await self._database.write(write)
