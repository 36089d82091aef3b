"""Operations in the database: the ledger as it is read, and what its calls came to.

Sums and percentiles are SQL's; no row of the ledger passes through Python for a figure. What counts as what is said in `docs/operations.md`; the
conditions below are that text in SQL. Deliberately not here: writing the ledger, see `ledger`.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.operations import Figures, LedgerQuery, Percentiles, Recent
from desktop.domain.outgoing import OUTCOME_UNKNOWN, LedgerEntry, Trace
from desktop.domain.runs import Usage
from desktop.storage.database import Database

RECENT_CALLS = 20
RECENT_HOURS = 1
WATCHED_ENTRIES = 2_000
"""Among so many of the newest it is looked whether one has ended."""

ENTRY = (
    "SELECT id, at, host, provider, model, purpose, recipe, bytes, sha256, redactions_json, attempt, state, status, error, message,"
    " input_tokens, output_tokens, cached_input_tokens, cost_microusd, first_token_seconds, seconds, run_id, ticket_id FROM ledger"
)
# A list of models asks no model anything, nor does the handling of a batch: only the requests in it do. Both cost nothing.
_ASKS_NO_MODEL = "(purpose = 'models' OR purpose LIKE 'batch%' AND purpose != 'batch-item')"
# The try of a provider is paid for, and is no work: it is no call.
_IS_CALL = f"(purpose != 'test' AND NOT {_ASKS_NO_MODEL})"
_IS_ERROR = "state IN ('failed', 'incomplete')"
_IS_TIMED = f"{_IS_CALL} AND purpose NOT LIKE 'batch%'"
# Nothing is known to have been spent on what failed before an answer began, or was only a list of models. A model on this machine costs nothing.
_IS_UNPRICED = (
    f"cost_microusd IS NULL AND NOT {_ASKS_NO_MODEL}"
    " AND NOT (host = 'this machine' OR host LIKE 'localhost%' OR host LIKE '127.%' OR host LIKE '[::1]%' OR host = '::1')"
    f" AND (state IN ('complete', 'incomplete', '{OUTCOME_UNKNOWN}') OR first_token_seconds IS NOT NULL)"
)
_KEYS = {
    "day": "substr(at, 1, 10)",
    "hour": "substr(at, 1, 13)",
    "provider": "provider",
    "model": "model",
    "recipe": "recipe",
}
# The cache is counted by the day, so by the hour nothing is known of it.
_CACHE_KEYS = {**_KEYS, "day": "day", "hour": ""}

_SUMS = f"""SELECT {{key}} AS key, coalesce(sum({_IS_CALL}), 0), coalesce(sum({_IS_CALL} AND {_IS_ERROR}), 0),
  coalesce(sum({_IS_CALL} AND state = 'cancelled'), 0), coalesce(sum({_IS_CALL} AND state = '{OUTCOME_UNKNOWN}'), 0),
  coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cached_input_tokens), 0),
  coalesce(sum(cost_microusd), 0), coalesce(sum({_IS_UNPRICED}), 0),
  count(DISTINCT CASE WHEN run_id != 0 AND recipe != '' AND {_IS_CALL} THEN run_id END)
  + coalesce(sum(purpose = 'batch-item' AND run_id = 0 AND state = 'complete'), 0)
  FROM ledger WHERE at >= ? {{only}} GROUP BY key"""
# The nearest rank: the smallest value that at least 50 (95) of 100 values do not exceed.
_RANKS = """SELECT key, max(CASE WHEN place = (n * 50 + 99) / 100 THEN value END), max(CASE WHEN place = (n * 95 + 99) / 100 THEN value END)
  FROM (SELECT {key} AS key, {value} AS value, row_number() OVER (PARTITION BY {key} ORDER BY {value}) AS place,
    count(*) OVER (PARTITION BY {key}) AS n FROM ledger WHERE at >= ? {only} AND {condition}) GROUP BY key"""
_FIRST_TOKEN = ("first_token_seconds", f"first_token_seconds IS NOT NULL AND {_IS_TIMED}")
# How long an answer takes is told by those that were whole: a refusal comes at once, and what was stopped says nothing.
_TOTAL = ("seconds", f"state = 'complete' AND {_IS_TIMED}")


class OperationsStore:
    """Reads the ledger, its traces and its figures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def total(self, since: str, only: tuple[str, str] | None = None) -> Figures:
        """Return the figures since a time (ISO 8601 UTC, '' for all) as a whole; `only` narrows them to one group: of which grouping, and its key."""

        def read(connection: sqlite3.Connection) -> Figures:
            return _figures(connection, since, "''", "''", only).get("", Figures())

        return await self._database.read(read)

    async def groups(self, since: str, by: str, only: tuple[str, str] | None = None) -> tuple[Figures, ...]:
        """Return the figures by one of `GROUPINGS`, or by the hour: times in their order, others by their calls, most first."""

        def read(connection: sqlite3.Connection) -> tuple[Figures, ...]:
            groups = _figures(connection, since, _KEYS[by], _CACHE_KEYS[by], only)
            is_time = by in ("day", "hour")
            order = sorted(groups.values(), key=lambda f: (f.key,) if is_time else (-f.calls, -f.cache_hits, f.key))
            return tuple(figures for figures in order if not figures.is_empty)

        return await self._database.read(read)

    async def revision(self) -> tuple[int, ...]:
        """Return numbers that are others as soon as a request was sent or ended, or the cache was hit: they cost nothing to look at."""
        last = "(SELECT coalesce(max(id), 0) FROM ledger)"
        statement = (
            f"SELECT {last}, (SELECT count(*) FROM ledger WHERE id > {last} - {WATCHED_ENTRIES} AND state = ?),"
            " (SELECT coalesce(sum(hits), 0) FROM cache_hit WHERE day >= ?)"
        )
        values = [OUTCOME_UNKNOWN, now()[:10]]
        return await self._database.read(lambda connection: tuple(connection.execute(statement, values).fetchone()))

    async def recent(self, day: str, since: str) -> Recent:
        """Return what was spent on a day, and how the last calls since a moment went."""

        def read(connection: sqlite3.Connection) -> Recent:
            spent = connection.execute(
                f"SELECT coalesce(sum(cost_microusd), 0), coalesce(sum({_IS_UNPRICED}), 0) FROM ledger WHERE at >= ?",
                [day],
            ).fetchone()
            last = f"SELECT * FROM ledger WHERE at >= ? AND {_IS_CALL} AND state != ? ORDER BY id DESC LIMIT {RECENT_CALLS}"
            calls, errors = connection.execute(
                f"SELECT count(*), coalesce(sum({_IS_ERROR}), 0) FROM ({last})", [since, OUTCOME_UNKNOWN]
            ).fetchone()
            timed = (
                f"SELECT first_token_seconds AS v FROM ({last}) WHERE first_token_seconds IS NOT NULL AND {_IS_TIMED}"
            )
            n, slow = connection.execute(
                "SELECT max(n), max(CASE WHEN place = (n * 95 + 99) / 100 THEN v END) FROM"
                f" (SELECT v, row_number() OVER (ORDER BY v) AS place, count(*) OVER () AS n FROM ({timed}))",
                [since, OUTCOME_UNKNOWN],
            ).fetchone()
            return Recent(spent[0], spent[1], calls=calls, errors=errors, timed=n or 0, first_token_p95=slow)

        return await self._database.read(read)

    async def ids(self, query: LedgerQuery) -> array[int]:
        """Return the ids of entries, the newest first."""
        where, values = _where(query)
        statement = f"SELECT ledger.id FROM ledger {where} ORDER BY ledger.id DESC"
        return await self._database.read(
            lambda connection: array("q", (row[0] for row in connection.execute(statement, values)))
        )

    async def entries(self, ids: Sequence[int]) -> tuple[LedgerEntry, ...]:
        """Return entries in the order of `ids`; those that are gone are left out."""
        statement = f"{ENTRY} WHERE id IN (SELECT value FROM json_each(?))"

        def read(connection: sqlite3.Connection) -> tuple[LedgerEntry, ...]:
            found = {row[0]: entry_of(row) for row in connection.execute(statement, [json.dumps(list(ids))])}
            return tuple(found[i] for i in ids if i in found)

        return await self._database.read(read)

    async def hosts(self) -> tuple[str, ...]:
        """Return all hosts that something was ever sent to, by name."""
        statement = "SELECT DISTINCT host FROM ledger ORDER BY host"
        return await self._database.read(lambda connection: tuple(row[0] for row in connection.execute(statement)))

    async def failed(self, since: str, limit: int) -> tuple[LedgerEntry, ...]:
        """Return the last calls that ended badly, the newest first."""
        statement = f"{ENTRY} WHERE at >= ? AND {_IS_ERROR} ORDER BY id DESC LIMIT ?"
        return await self._database.read(
            lambda connection: tuple(entry_of(row) for row in connection.execute(statement, [since, limit]))
        )

    async def trace(self, entry_id: int) -> Trace:
        """Return one request whole.

        Raises:
            DeskError: `ledger-missing`.
        """

        def read(connection: sqlite3.Connection) -> Trace:
            row = connection.execute(f"{ENTRY} WHERE id = ?", [entry_id]).fetchone()
            if row is None:
                raise DeskError(
                    "ledger-missing", f"There is no request {entry_id}.", remedy="See them with: tldesk ledger"
                )
            kept = connection.execute("SELECT request, answer FROM trace WHERE ledger_id = ?", [entry_id]).fetchone()
            return Trace(entry_of(row), *(_unpack(part) for part in kept or (None, None)))

        return await self._database.read(read)

    async def ticket_references(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return what tickets are called (`source:external id`); those that are gone are left out."""
        statement = (
            "SELECT ticket.id, source.name || ':' || external_id FROM ticket JOIN source ON source.id = ticket.source_id"
            " WHERE ticket.id IN (SELECT value FROM json_each(?))"
        )
        return await self._database.read(
            lambda connection: dict(connection.execute(statement, [json.dumps(list(ticket_ids))]).fetchall())
        )

    async def prune_traces(self, before: str) -> int:
        """Forget the bodies of requests that are older than a moment, and return how many; the ledger itself stays."""
        statement = "DELETE FROM trace WHERE ledger_id IN (SELECT id FROM ledger WHERE at < ?)"
        return await self._database.write(lambda connection: connection.execute(statement, [before]).rowcount)


def _figures(
    connection: sqlite3.Connection, since: str, key: str, cache_key: str, only: tuple[str, str] | None
) -> dict[str, Figures]:
    """Return figures by key; `''` as the key makes one of all."""
    narrowed, values = (f"AND {_KEYS[only[0]]} = ?", [since, only[1]]) if only else ("", [since])
    first, total = (
        {k: Percentiles(p50, p95) for k, p50, p95 in connection.execute(_ranked(key, narrowed, *times), values)}
        for times in (_FIRST_TOKEN, _TOTAL)
    )
    cached = f"AND {_CACHE_KEYS[only[0]]} = ?" if only else ""
    hits = (
        f"SELECT {cache_key} AS key, sum(hits), sum(saved_microusd) FROM cache_hit WHERE day >= ? {cached} GROUP BY key"
    )
    kept = [since[:10], *values[1:]]
    saved = {k: (n, usd) for k, n, usd in connection.execute(hits, kept)} if cache_key else {}
    found: dict[str, Figures] = {}
    sums: Iterable[tuple[Any, ...]] = connection.execute(_SUMS.format(key=key, only=narrowed), values)
    for row in sums:
        times = (first.get(row[0], Percentiles()), total.get(row[0], Percentiles()))
        fields: tuple[Any, ...] = (*row, *saved.pop(row[0], (0, 0)), *times)
        found[row[0]] = Figures(*fields)
    for k, (n, microusd) in saved.items():
        found[k] = Figures(k, cache_hits=n, saved_microusd=microusd)
    return found


def _ranked(key: str, only: str, value: str, condition: str) -> str:
    return _RANKS.format(key=key, only=only, value=value, condition=condition)


def _where(query: LedgerQuery) -> tuple[str, list[Any]]:
    conditions, values = [], []
    for name, operator, value in (
        ("at", ">=", query.since),
        ("at", "<", query.until),
        ("state", "=", query.state),
        ("host", "=", query.host),
    ):
        if value:
            conditions.append(f"{name} {operator} ?")
            values.append(value)
    if query.text.strip():
        columns = ("host", "provider", "model", "purpose", "recipe", "error", "message")
        found = " OR ".join(f"instr(lower({name}), lower(?))" for name in columns)
        of_ticket = "ticket_id != 0 AND ticket_id IN (SELECT id FROM ticket WHERE instr(lower(external_id), lower(?)))"
        conditions.append(f"({found} OR {of_ticket})")
        values += [query.text.strip()] * (len(columns) + 1)
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values


def entry_of(row: Sequence[Any]) -> LedgerEntry:
    """Read a row of `ENTRY`."""
    values: tuple[Any, ...] = (*row[:9], json.loads(row[9]), *row[10:15], Usage(*row[15:18]), *row[18:])
    return LedgerEntry(*values)


def _unpack(packed: bytes | None) -> str:
    return zlib.decompress(packed).decode("utf-8", "replace") if packed else ""
