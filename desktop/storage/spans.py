"""Spans in the database: which entries of the ledger were sent to the user's own collector, so that none is lost and none is sent twice.

All up to a mark were sent; those after it that were sent out of turn, because calls do not end in the order they began, are listed until the mark
has reached them. What was there before an address was given is not sent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.domain.outgoing import OUTCOME_UNKNOWN, LedgerEntry
from desktop.storage.database import Database
from desktop.storage.operations import ENTRY, entry_of

_NEXT = (
    "id > (SELECT sent_up_to FROM span_target) AND id NOT IN (SELECT ledger_id FROM span_sent)"
    f" AND (state != '{OUTCOME_UNKNOWN}' OR at < CASE WHEN purpose = 'batch-item' THEN ? ELSE ? END)"
)
_CLAIM = "UPDATE span_target SET leased_until = ? WHERE leased_until < ?"


@dataclass(frozen=True, slots=True)
class Lost:
    """What began before these moments and has not ended will not end any more: requests of a batch, which take a day, and all others."""

    batched: str
    others: str


class SpanStore:
    """Which entries are still to be sent, and which were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_read_only(self) -> bool:
        """Tell whether nothing can be noted: then nothing is sent either, it would be sent again and again."""
        return bool(self._database.read_only_reason)

    async def aim(self, address: str) -> None:
        """Note where spans go, '' for nowhere.

        From nowhere to somewhere, those to come are sent; another address gets what the one before did not.
        """

        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT address FROM span_target").fetchone()
            return str(row[0]) if row else ""

        def write(connection: sqlite3.Connection) -> None:
            if not address:
                connection.execute("DELETE FROM span_target")
                connection.execute("DELETE FROM span_sent")
                return
            connection.execute(
                "INSERT INTO span_target (id, address, sent_up_to) SELECT 1, ?, coalesce(max(id), 0) FROM ledger WHERE true"
                " ON CONFLICT (id) DO UPDATE SET address = excluded.address",
                [address],
            )

        if await self._database.read(read) != address:
            await self._database.write(write)

    async def claim(self, now: str, until: str) -> bool:
        """Take the right to send until a moment; False while another TLDesk on the same folder has it."""
        return await self._database.write(lambda connection: connection.execute(_CLAIM, [until, now]).rowcount > 0)

    async def renew(self, until: str) -> None:
        """Keep the right to send until a later moment."""
        statement = "UPDATE span_target SET leased_until = ?"
        await self._database.write(lambda connection: connection.execute(statement, [until]).rowcount)

    async def release(self) -> None:
        """Give the right to send back."""
        await self.renew("")

    async def count_pending(self, lost: Lost) -> int:
        """Count the entries that are to be sent; one whose end is not known counts when it is lost."""
        statement = f"SELECT count(*) FROM ledger WHERE {_NEXT}"
        return await self._database.read(
            lambda connection: int(connection.execute(statement, [lost.batched, lost.others]).fetchone()[0])
        )

    async def pending(self, lost: Lost, limit: int) -> tuple[LedgerEntry, ...]:
        """Return the first entries that are to be sent, in their order."""

        statement = f"{ENTRY} WHERE {_NEXT} ORDER BY id LIMIT ?"
        return await self._database.read(
            lambda connection: tuple(
                entry_of(row) for row in connection.execute(statement, [lost.batched, lost.others, limit])
            )
        )

    async def sent(self, ids: Sequence[int]) -> None:
        """Note that entries were sent, and move the mark on as far as all before it are."""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO span_sent (ledger_id) VALUES (?)", [(i,) for i in ids])
            connection.execute(
                "UPDATE span_target SET sent_up_to = coalesce((SELECT min(id) - 1 FROM ledger WHERE id > sent_up_to AND id NOT IN"
                " (SELECT ledger_id FROM span_sent)), (SELECT max(id) FROM ledger), sent_up_to)"
            )
            connection.execute("DELETE FROM span_sent WHERE ledger_id <= (SELECT sent_up_to FROM span_target)")

        await self._database.write(write)
