"""The ledger in the database: what was sent to whom, entered before it goes, its outcome written afterwards.

The bodies lie apart, compressed, in `trace`: the ledger stays when they are thrown away.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence

from desktop.domain.clock import now
from desktop.domain.outgoing import Outcome, Sent
from desktop.storage.database import Database

COMPRESSION = 1
"""Prompts shrink to a third at this level; the best takes four times as long for a twentieth more."""


class LedgerStore:
    """What was sent to whom, and what the cache saved from being sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sent(self, sent: Sent, *, size: int | None = None) -> int:
        """Enter a request before it goes and return the entry's id; its state is *outcome unknown* until its outcome is written.

        `size` is that of a body too large to be kept: then `sent.body` is not it, and there is no trace.
        """
        request = zlib.compress(sent.body, COMPRESSION) if size is None else None
        return await self._database.write(lambda connection: write_sent(connection, sent, request, size=size))

    async def ended(self, outcomes: Sequence[Outcome]) -> None:
        """Write how requests ended."""
        await self._database.write(lambda connection: write_outcomes(connection, outcomes))

    async def count_hits(self, *, provider: str, model: str, recipe: str, hits: int, saved_microusd: int) -> None:
        """Count summaries that were there already, and what writing them had cost."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO cache_hit (day, provider, model, recipe, hits, saved_microusd) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET hits = hits + excluded.hits, saved_microusd = saved_microusd + excluded.saved_microusd",
                [now()[:10], provider, model, recipe, hits, saved_microusd],
            )

        await self._database.write(write)


def write_sent(connection: sqlite3.Connection, sent: Sent, request: bytes | None, *, size: int | None = None) -> int:
    """Enter a request with its compressed body, and return the entry's id."""
    cursor = connection.execute(
        "INSERT INTO ledger (at, host, provider, model, purpose, recipe, bytes, sha256, redactions_json, attempt, run_id, ticket_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(now(), sent.host, sent.provider, sent.model, sent.purpose, sent.recipe),
            *(len(sent.body) if size is None else size, sent.sha256, json.dumps(dict(sent.redactions))),
            *(sent.attempt, sent.run_id, sent.ticket_id),
        ],
    )
    entry_id = int(cursor.lastrowid or 0)
    if request is not None:
        connection.execute("INSERT INTO trace (ledger_id, request) VALUES (?, ?)", [entry_id, request])
    return entry_id


def write_outcomes(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
    """Write how requests ended, in the transaction of what they brought."""
    connection.executemany(
        "UPDATE ledger SET state = ?, status = ?, error = ?, message = ?, input_tokens = ?, output_tokens = ?, cached_input_tokens = ?,"
        " cost_microusd = ?, first_token_seconds = ?, seconds = ? WHERE id = ?",
        [
            (
                *(o.state.value, o.status, o.error, o.message),
                *(o.usage.input_tokens, o.usage.output_tokens, o.usage.cached_input_tokens),
                *(o.cost_microusd, o.first_token_seconds, o.seconds, o.entry_id),
            )
            for o in outcomes
        ],
    )
    connection.executemany(
        "UPDATE trace SET answer = ? WHERE ledger_id = ?",
        [(zlib.compress(o.answer.encode("utf-8", "surrogatepass"), COMPRESSION), o.entry_id) for o in outcomes],
    )
