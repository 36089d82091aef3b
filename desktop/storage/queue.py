"""The queue in the database: which tickets wait for a summary, in which order, how far they are, and what it has spent.

Nothing here loads the whole queue. An item is found by its state and rank, of which there is an index; counts are taken from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.domain.clock import now
from desktop.domain.queue import ItemState, QueueItem
from desktop.domain.runs import RunState
from desktop.storage.database import Database

ADDED_AT_ONCE = 10_000
"""Rows a transaction: others may write in between."""
IDS_A_QUERY = 500
_ITEM = """SELECT queue_item.id, ticket_id, source.name || ':' || external_id, subject, state, reason, remedy, recipe, provider, model, attempts,
  cost_microusd, is_cached, batch_id FROM queue_item JOIN ticket ON ticket.id = ticket_id JOIN source ON source.id = source_id"""
_ROW = "ticket_id, rank, recipe, provider, model, refresh, state, reason, remedy, attempts, cost_microusd, tokens, is_cached, added_at, ended_at"
_ADD = """INSERT INTO queue_item (ticket_id, rank, recipe, provider, model, refresh, state, added_at)
  SELECT id, ?, ?, ?, ?, ?, 'waiting', ? FROM ticket WHERE id = ?
  ON CONFLICT (ticket_id, recipe) DO UPDATE SET rank = excluded.rank, provider = excluded.provider, model = excluded.model,
  refresh = excluded.refresh, state = 'waiting', reason = '', remedy = '', attempts = 0, run_id = 0, batch_id = 0, cost_microusd = NULL, tokens = 0,
  is_cached = 0, added_at = excluded.added_at, ended_at = '' WHERE state IN ('waiting', 'done', 'failed')"""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done for an item. `attempts` counts how often it was begun."""

    item_id: int
    ticket_id: int
    recipe: str
    provider: str
    model: str
    refresh: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How an item ended, or why it waits again; `cost_microusd` None and `is_unpriced` when it was asked for and no price is known."""

    item_id: int
    state: ItemState
    reason: str = ""
    remedy: str = ""
    run_id: int = 0
    cost_microusd: int | None = None
    tokens: int = 0
    is_cached: bool = False
    is_unpriced: bool = False
    is_attempt: bool = True


@dataclass(frozen=True, slots=True)
class StoredQueue:
    """The queue as a whole, as it is in the database."""

    counts: dict[ItemState, int]
    is_paused: bool
    pause_reason: str
    is_working: bool
    spent_microusd: int
    unpriced: int
    tokens: int


class QueueStore:
    """Items of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, ticket_ids: Sequence[int], *, recipe: str, provider: str, model: str, refresh: bool, first: bool
    ) -> int:
        """Put tickets in, at the end or in front, and return how many; those that are in work stay as they are."""
        added = 0
        starts = range(0, len(ticket_ids), ADDED_AT_ONCE)
        for start in reversed(starts) if first else starts:
            part = ticket_ids[start : start + ADDED_AT_ONCE]

            def write(connection: sqlite3.Connection, part: Sequence[int] = part) -> int:
                rank = _edge(connection, is_front=first) - (len(part) if first else -1)
                at = now()
                rows = (
                    (rank + place, recipe, provider, model, int(refresh), at, ticket_id)
                    for place, ticket_id in enumerate(part)
                )
                return max(0, connection.executemany(_ADD, rows).rowcount)

            added += await self._database.write(write)
        return added

    async def waiting(self, limit: int, *, leave_out: Iterable[int] = ()) -> list[Task]:
        """Return the items that come next, in their order."""
        left_out = ",".join(str(int(item_id)) for item_id in leave_out)

        def read(connection: sqlite3.Connection) -> list[Task]:
            rows = connection.execute(
                "SELECT id, ticket_id, recipe, provider, model, refresh, attempts FROM queue_item WHERE state = 'waiting'"
                f" AND id NOT IN ({left_out}) ORDER BY rank, id LIMIT ?",
                [limit],
            )
            return [_task(row) for row in rows]

        return await self._database.read(read)

    async def begin(self, item_ids: Sequence[int]) -> list[Task]:
        """Have items be in work that still wait, and return them in the order in which they were named."""

        def write(connection: sqlite3.Connection) -> list[Task]:
            begun = [
                connection.execute(
                    "UPDATE queue_item SET state = 'running', attempts = attempts + 1, begun_at = ?, reason = '', remedy = ''"
                    " WHERE id = ? AND state = 'waiting' RETURNING id, ticket_id, recipe, provider, model, refresh, attempts",
                    [now(), item_id],
                ).fetchone()
                for item_id in item_ids
            ]
            connection.execute("UPDATE queue_state SET is_working = 1")
            return [_task(row) for row in begun if row is not None]

        return await self._database.write(write)

    async def end(self, ended: Sequence[Ended]) -> None:
        """Write how items ended, or that they wait again, behind all others; what they cost is the queue's from then on."""
        await self._database.write(lambda connection: _end(connection, ended))

    async def overview(self) -> StoredQueue:
        """Return the counts by state and what the queue as a whole is at."""

        def read(connection: sqlite3.Connection) -> StoredQueue:
            counts = dict(connection.execute("SELECT state, count(*) FROM queue_item GROUP BY state").fetchall())
            row = connection.execute(
                "SELECT is_paused, pause_reason, is_working, spent_microusd, unpriced, tokens FROM queue_state"
            ).fetchone()
            by_state = {ItemState(state): int(number) for state, number in counts.items()}
            return StoredQueue(by_state, bool(row[0]), row[1], bool(row[2]), *row[3:])

        return await self._database.read(read)

    async def set_paused(self, is_paused: bool, reason: str = "") -> None:
        """Keep whether the queue is paused, and why when it paused itself."""
        await self._do("UPDATE queue_state SET is_paused = ?, pause_reason = ?", int(is_paused), reason)

    async def set_working(self, is_working: bool) -> None:
        """Keep whether somebody works on the queue: what is left there after a crash is told apart by it."""
        await self._do("UPDATE queue_state SET is_working = ?", int(is_working))

    async def begin_anew(self) -> None:
        """Forget what is done and what was spent on it: another lot begins."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM queue_item WHERE state = 'done'")
            connection.execute("UPDATE queue_state SET spent_microusd = 0, unpriced = 0, tokens = 0, pause_reason = ''")

        await self._database.write(write)

    async def recover(self) -> int:
        """Settle what a crash left in work: what was stored nevertheless is done, all else waits again. Return how many waited again."""
        return await self._database.write(_recover)

    async def items(self, *, state: ItemState | None, offset: int, limit: int) -> tuple[QueueItem, ...]:
        """Return a page of items: those in work first, then those that wait in their order, then how the others ended, the last first."""

        def read(connection: sqlite3.Connection) -> tuple[QueueItem, ...]:
            if state is not None:
                order = "rank, id" if state is ItemState.WAITING else "ended_at DESC, queue_item.id DESC"
                order = order.replace(" id", " queue_item.id")
                rows = connection.execute(
                    f"{_ITEM} WHERE state = ? ORDER BY {order} LIMIT ? OFFSET ?", [state.value, limit, offset]
                ).fetchall()
            else:
                rows = _page(connection, offset, limit)
            return tuple(_item(row) for row in rows)

        return await self._database.read(read)

    async def states(self, ticket_ids: Sequence[int]) -> dict[int, ItemState]:
        """Return where tickets stand; those that are not in the queue are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, ItemState]:
            found: dict[int, ItemState] = {}
            for start in range(0, len(ticket_ids), IDS_A_QUERY):
                part = list(ticket_ids[start : start + IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT ticket_id, state FROM queue_item WHERE ticket_id IN ({marks}) ORDER BY added_at", part
                )
                found |= {ticket_id: ItemState(state) for ticket_id, state in rows}
            return found

        return await self._database.read(read)

    async def reasons(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return why tickets failed and what to do about it; those that did not are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, str]:
            found: dict[int, str] = {}
            for start in range(0, len(ticket_ids), IDS_A_QUERY):
                part = list(ticket_ids[start : start + IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT ticket_id, rtrim(reason, '.') || '. ' || remedy FROM queue_item WHERE ticket_id IN ({marks}) AND state = 'failed'",
                    part,
                )
                found |= {ticket_id: reason.strip() for ticket_id, reason in rows}
            return found

        return await self._database.read(read)

    async def move(self, item_ids: Sequence[int], *, to_front: bool) -> None:
        """Put waiting items in front of all others, or behind them, in the order in which they are named."""

        def write(connection: sqlite3.Connection) -> None:
            rank = _edge(connection, is_front=to_front) - (len(item_ids) if to_front else -1)
            connection.executemany(
                "UPDATE queue_item SET rank = ? WHERE id = ? AND state = 'waiting'",
                [(rank + place, item_id) for place, item_id in enumerate(item_ids)],
            )

        await self._database.write(write)

    async def remove(self, item_ids: Sequence[int]) -> list[tuple[Any, ...]]:
        """Take items out that are not in work, and return their rows, for putting them back."""

        def write(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            gone = (
                connection.execute(
                    f"DELETE FROM queue_item WHERE id = ? AND state IN ('waiting', 'done', 'failed') RETURNING {_ROW}",
                    [item_id],
                ).fetchone()
                for item_id in item_ids
            )
            return [row for row in gone if row is not None]

        return await self._database.write(write)

    async def put_back(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Put removed rows back where they were; tickets that were put in again meanwhile, or are gone, stay as they are."""
        marks = ", ".join("?" * len(_ROW.split(", ")))

        def write(connection: sqlite3.Connection) -> int:
            statement = f"INSERT OR IGNORE INTO queue_item ({_ROW}) SELECT {marks} WHERE EXISTS (SELECT 1 FROM ticket WHERE id = ?)"
            return max(0, connection.executemany(statement, [(*row, row[0]) for row in rows]).rowcount)

        return await self._database.write(write)

    async def retry_failed(self) -> int:
        """Have everything that failed wait again, behind all others."""

        def write(connection: sqlite3.Connection) -> int:
            rank = _edge(connection, is_front=False)
            return connection.execute(
                "UPDATE queue_item SET state = 'waiting', reason = '', remedy = '', attempts = 0, ended_at = '', rank = rank + ?"
                " WHERE state = 'failed'",
                [rank + 1 - _least_rank(connection, "failed")],
            ).rowcount

        return await self._database.write(write)

    async def clear_ended(self) -> int:
        """Take out what is done or failed; return how many."""

        def write(connection: sqlite3.Connection) -> int:
            return connection.execute("DELETE FROM queue_item WHERE state IN ('done', 'failed')").rowcount

        return await self._database.write(write)

    async def spent_today(self) -> tuple[int, int]:
        """Return what all requests since midnight (UTC) cost, in micro-dollars, and how many tokens they took, as far as it is known."""

        def read(connection: sqlite3.Connection) -> tuple[int, int]:
            row = connection.execute(
                "SELECT coalesce(sum(cost_microusd), 0), coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0)"
                " FROM ledger WHERE at >= ?",
                [f"{now()[:10]}T00:00:00Z"],
            ).fetchone()
            return int(row[0]), int(row[1])

        return await self._database.read(read)

    async def _do(self, statement: str, *values: object) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(statement, values)

        await self._database.write(write)


def _edge(connection: sqlite3.Connection, *, is_front: bool) -> float:
    """Return the rank of the first or the last item that waits."""
    which = "min" if is_front else "max"
    found = connection.execute(f"SELECT {which}(rank) FROM queue_item WHERE state = 'waiting'").fetchone()[0]
    return float(found or 0.0)


def _least_rank(connection: sqlite3.Connection, state: str) -> float:
    return float(connection.execute("SELECT min(rank) FROM queue_item WHERE state = ?", [state]).fetchone()[0] or 0.0)


def _end(connection: sqlite3.Connection, ended: Sequence[Ended]) -> None:
    rank = _edge(connection, is_front=False)
    for e in ended:
        is_over = e.state in (ItemState.DONE, ItemState.FAILED)
        rank += 1
        connection.execute(
            "UPDATE queue_item SET state = ?, reason = ?, remedy = ?, run_id = ?, is_cached = ?, ended_at = ?, tokens = tokens + ?,"
            " cost_microusd = CASE WHEN ? IS NULL THEN cost_microusd ELSE coalesce(cost_microusd, 0) + ? END,"
            " attempts = attempts - ?, rank = CASE WHEN ? THEN rank ELSE ? END WHERE id = ? AND state IN ('running', 'waiting')",
            [
                *(e.state.value, e.reason, e.remedy, e.run_id, int(e.is_cached), now() if is_over else "", e.tokens),
                *(
                    e.cost_microusd,
                    e.cost_microusd,
                    int(not e.is_attempt),
                    is_over or not e.is_attempt,
                    rank,
                    e.item_id,
                ),
            ],
        )
    connection.execute(
        "UPDATE queue_state SET spent_microusd = spent_microusd + ?, tokens = tokens + ?, unpriced = unpriced + ?",
        [
            sum(e.cost_microusd or 0 for e in ended),
            sum(e.tokens for e in ended),
            sum(e.is_unpriced for e in ended),
        ],
    )


def _recover(connection: sqlite3.Connection) -> int:
    left = connection.execute(
        "SELECT id, ticket_id, recipe, begun_at FROM queue_item WHERE state = 'running'"
    ).fetchall()
    ended: list[Ended] = []
    for item_id, ticket_id, recipe, begun_at in left:
        run = connection.execute(
            "SELECT id, cost_microusd, coalesce(input_tokens, 0) + coalesce(output_tokens, 0), state FROM run"
            " WHERE ticket_id = ? AND recipe = ? AND started_at >= ? ORDER BY id DESC LIMIT 1",
            [ticket_id, recipe, begun_at],
        ).fetchone()
        is_done = run is not None and run[3] == RunState.COMPLETE
        ended.append(
            Ended(
                item_id,
                ItemState.DONE if is_done else ItemState.WAITING,
                run_id=run[0] if is_done else 0,
                cost_microusd=run[1] if run is not None else None,
                tokens=run[2] if run is not None else 0,
                is_attempt=is_done,
            )
        )
    _end(connection, ended)
    return sum(e.state is ItemState.WAITING for e in ended)


def _page(connection: sqlite3.Connection, offset: int, limit: int) -> list[tuple[Any, ...]]:
    """Return a page across all states. Each state is read by itself, in the order of the index, so that no page sorts the queue."""
    rows: list[tuple[Any, ...]] = []
    for state in ("running", "submitted", "waiting", "failed", "done"):
        if len(rows) >= limit:
            break
        total = connection.execute("SELECT count(*) FROM queue_item WHERE state = ?", [state]).fetchone()[0]
        if offset >= total:
            offset -= total
            continue
        rows += connection.execute(
            f"{_ITEM} WHERE state = ? ORDER BY rank, queue_item.id LIMIT ? OFFSET ?", [state, limit - len(rows), offset]
        )
        offset = 0
    return rows


def _task(row: tuple[Any, ...]) -> Task:
    return Task(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6])


def _item(row: tuple[Any, ...]) -> QueueItem:
    return QueueItem(
        id=row[0],
        ticket_id=row[1],
        reference=row[2],
        title=row[3],
        state=ItemState(row[4]),
        reason=row[5],
        remedy=row[6],
        recipe=row[7],
        provider=row[8],
        model=row[9],
        attempts=row[10],
        cost_microusd=row[11],
        is_cached=bool(row[12]),
        batch_id=row[13],
    )
