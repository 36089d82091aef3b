"""Batches in the database: what was handed over, what became of each ticket in it, and how the provider's side of it stands.

A result is taken in whole or not at all: the run with its summary, the ledger's outcome, the request's own state and the queue's item change in one
transaction, and only while the request is still waited for. So it does not matter how often a file of results is read.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop.domain.batches import Batch, BatchResult, BatchState, RemoteBatch, RequestState
from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.outgoing import Outcome, Sent
from desktop.domain.runs import Summary
from desktop.domain.sentences import Sentence
from desktop.storage.batch_items import PUT_IN_QUEUE, end_item, release_item
from desktop.storage.database import Database
from desktop.storage.ledger import COMPRESSION, write_outcomes, write_sent
from desktop.storage.runs import NewRun, finish_run, insert_run

_BATCH = """SELECT id, provider, model, host, recipe, state, reason, requests, completed, failed,
  (SELECT count(*) FROM batch_request AS r WHERE r.batch_id = batch.id AND r.state = 'done'), cost_microusd, submitted_at, polled_at, ended_at,
  cleared_at, remote_id, input_file_id, output_file_id, error_file_id, name, is_cancelled FROM batch"""
_REQUEST = "SELECT custom_id, ticket_id, cache_key, placeholders_json, state, asked_json, ledger_id FROM batch_request"
_MOST_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class NewRequest:
    """One ticket's request: `asked` is what must be known to read its answer. `is_twin` for one whose text another ticket of the batch has too."""

    custom_id: str
    ticket_id: int
    cache_key: str
    placeholders: Mapping[str, str]
    asked: Mapping[str, Any]
    is_twin: bool = False


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it was handed over."""

    custom_id: str
    ticket_id: int
    cache_key: str
    placeholders: Mapping[str, str]
    state: RequestState
    asked: Mapping[str, Any]
    ledger_id: int


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch with what only this program needs to know: the provider's ids, the name of its file, and whether the user gave it up."""

    batch: Batch
    remote_id: str
    input_file_id: str
    output_file_id: str
    error_file_id: str
    name: str
    is_cancelled: bool

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that the provider keeps of it."""
        return tuple(id_ for id_ in (self.input_file_id, self.output_file_id, self.error_file_id) if id_)


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer that became a summary."""

    custom_id: str
    run: NewRun
    summary: Summary
    sentences: Sequence[Sentence]
    outcome: Outcome
    releases_pin: bool = False
    estimated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Missed:
    """A request that got no answer. `outcome` is None where nothing was said of it."""

    custom_id: str
    reason: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch before anything of it left; `name` is that of its file, `most_…` what it can come to at most (None: no price is known)."""

    provider: str
    model: str
    host: str
    recipe: str
    name: str
    requests: Sequence[NewRequest] = field(default=())
    most_cost_microusd: int | None = None
    most_tokens: int = 0


class BatchStore:
    """Batches and their requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewBatch) -> int:
        """Write a batch down before anything of it leaves, and return its id."""

        def write(connection: sqlite3.Connection) -> int:
            sent = sum(not request.is_twin for request in new.requests)
            cursor = connection.execute(
                "INSERT INTO batch (provider, model, host, recipe, name, state, requests, submitted_at, most_cost_microusd, most_tokens)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(new.provider, new.model, new.host, new.recipe, new.name, BatchState.PREPARING.value, sent, now()),
                    *(new.most_cost_microusd, new.most_tokens),
                ],
            )
            batch_id = int(cursor.lastrowid or 0)
            # A ticket may have gone since it was read: an import was undone.
            connection.executemany(
                "INSERT INTO batch_request (batch_id, custom_id, ticket_id, cache_key, placeholders_json, state, asked_json)"
                " SELECT ?, ?, id, ?, ?, ?, ? FROM ticket WHERE id = ?",
                [
                    (
                        *(batch_id, r.custom_id, r.cache_key, json.dumps(dict(r.placeholders), ensure_ascii=False)),
                        *(RequestState.WAITING.value, json.dumps(dict(r.asked), ensure_ascii=False), r.ticket_id),
                    )
                    for r in new.requests
                ],
            )
            return batch_id

        return await self._database.write(write)

    async def under_way(self) -> tuple[int, int]:
        """Return what the batches that have not ended can come to at most: micro-dollars, as far as prices are known, and tokens."""

        def read(connection: sqlite3.Connection) -> tuple[int, int]:
            row = connection.execute(
                "SELECT coalesce(sum(most_cost_microusd), 0), coalesce(sum(most_tokens), 0) FROM batch WHERE ended_at = ''"
            ).fetchone()
            return int(row[0]), int(row[1])

        return await self._database.read(read)

    async def enter(self, batch_id: int, sents: Sequence[tuple[str, Sent]]) -> None:
        """Enter requests (by their custom ids) in the ledger before the file that they stand in goes."""
        packed = [(custom_id, sent, zlib.compress(sent.body, COMPRESSION)) for custom_id, sent in sents]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE batch_request SET ledger_id = ? WHERE batch_id = ? AND custom_id = ?",
                [(write_sent(connection, sent, body), batch_id, custom_id) for custom_id, sent, body in packed],
            )

        await self._database.write(write)

    async def prepared(self, batch_id: int) -> None:
        """All of it is written down; from now on its file may be on its way."""
        await self._change(batch_id, state=BatchState.PREPARED.value)

    async def uploaded(self, batch_id: int, input_file_id: str) -> None:
        """Its file is at the provider."""
        await self._change(batch_id, state=BatchState.UPLOADED.value, input_file_id=input_file_id)

    async def polled(self, batch_id: int, remote: RemoteBatch) -> None:
        """The provider said how it stands."""
        await self._change(
            batch_id,
            state=remote.state.value,
            reason=remote.reason,
            remote_id=remote.id,
            output_file_id=remote.output_file_id,
            error_file_id=remote.error_file_id,
            completed=remote.completed,
            failed=remote.failed,
            polled_at=now(),
        )

    async def stumbled(self, batch_id: int, reason: str) -> None:
        """The provider could not be asked how it stands, and why in words."""
        await self._change(batch_id, reason=reason, polled_at=now())

    async def cancelled(self, batch_id: int) -> None:
        """The user gave it up: what is not done is not asked again by itself."""
        await self._change(batch_id, is_cancelled=1)

    async def cleared(self, batch_id: int, *, reason: str) -> None:
        """The provider keeps no file of it any more."""
        await self._change(batch_id, cleared_at=now(), reason=reason)

    async def drop(self, batch_id: int) -> None:
        """Remove a batch of which nothing left, with its entries of the ledger, as if it had never been."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM ledger WHERE id IN (SELECT ledger_id FROM batch_request WHERE batch_id = ?)", [batch_id]
            )
            connection.execute("DELETE FROM batch WHERE id = ?", [batch_id])

        await self._database.write(write)

    async def refuse(self, batch_id: int, code: str, message: str) -> None:
        """Remove a batch whose file could not be sent. Its entries of the ledger stay: some of it may have left."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE ledger SET state = 'failed', error = ?, message = ?"
                " WHERE id IN (SELECT ledger_id FROM batch_request WHERE batch_id = ?)",
                [code, message, batch_id],
            )
            connection.execute("DELETE FROM batch WHERE id = ?", [batch_id])

        await self._database.write(write)

    # What became of it

    async def take_in(self, batch_id: int, taken: Sequence[Taken]) -> tuple[int, ...]:
        """Store summaries that came; return the ids of their tickets. What was taken in before is passed over."""

        def write(connection: sqlite3.Connection) -> tuple[int, ...]:
            ids = tuple(ticket_id for each in taken if (ticket_id := _take(connection, batch_id, each)))
            _count_cost(connection, batch_id)
            return ids

        return await self._database.write(write)

    async def miss(self, batch_id: int, missed: Sequence[Missed], state: RequestState) -> tuple[int, ...]:
        """Note requests that got no answer, to be asked live or dropped; return the ids of their tickets."""

        def write(connection: sqlite3.Connection) -> tuple[int, ...]:
            return tuple(t for each in missed if (t := _miss(connection, batch_id, each, state)))

        return await self._database.write(write)

    async def end(self, batch_id: int, reason: str) -> None:
        """All was taken in."""
        await self._change(batch_id, ended_at=now(), reason=reason)

    async def retried(self, ticket_id: int) -> None:
        """A ticket that got no answer was asked live."""
        statement = "UPDATE batch_request SET state = 'dropped' WHERE ticket_id = ? AND state = 'retry'"
        await self._database.write(lambda connection: _run(connection, statement, ticket_id))

    async def put_in_queue(self, requests: Sequence[tuple[int, int]], *, refresh: bool) -> None:
        """Have the queue list tickets of batches, given as (batch, ticket), whatever has become of them by now."""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(PUT_IN_QUEUE, [(int(refresh), now(), *request) for request in requests])

        await self._database.write(write)

    # Reading

    async def all(self, *, running: bool = False) -> tuple[StoredBatch, ...]:
        """Return all batches, the newest first; only those of which something may still come, or be cleared, when `running`."""
        where = "WHERE ended_at = '' OR cleared_at = ''" if running else ""
        rows = await self._rows(f"{_BATCH} {where} ORDER BY id DESC")
        return tuple(_stored(row) for row in rows)

    async def get(self, batch_id: int) -> StoredBatch:
        """Return one batch.

        Raises:
            DeskError: `batch-missing`.
        """
        rows = await self._rows(f"{_BATCH} WHERE id = ?", batch_id)
        if not rows:
            raise DeskError("batch-missing", f"There is no batch {batch_id}.", remedy="See `tldesk batches`.")
        return _stored(rows[0])

    async def waiting(self, batch_id: int, custom_ids: Sequence[str] | None = None) -> tuple[StoredRequest, ...]:
        """Return the requests of a batch that are still waited for, those of `custom_ids` or all."""
        where = "WHERE batch_id = ? AND state = 'waiting'"
        if custom_ids is None:
            rows = await self._rows(f"{_REQUEST} {where}", batch_id)
        else:
            marks = ", ".join("?" * len(custom_ids))
            rows = await self._rows(f"{_REQUEST} {where} AND custom_id IN ({marks})", batch_id, *custom_ids)
        return tuple(_request(row) for row in rows)

    async def results(self, batch_ids: Sequence[int]) -> tuple[BatchResult, ...]:
        """Return what became of the tickets of batches."""
        marks = ", ".join("?" * len(batch_ids))
        rows = await self._rows(
            f"SELECT batch_id, ticket_id, state, run_id, reason FROM batch_request WHERE batch_id IN ({marks}) ORDER BY batch_id, custom_id",
            *batch_ids,
        )
        return tuple(BatchResult(row[0], row[1], RequestState(row[2]), row[3], row[4]) for row in rows)

    async def handed_over(self, cache_keys: Sequence[str]) -> dict[str, tuple[int, RequestState]]:
        """Return for questions that are or were in batches the newest batch, 0 for one that has ended, and what became of them there."""
        found: dict[str, tuple[int, RequestState]] = {}
        for place in range(0, len(cache_keys), _MOST_VARIABLES):
            some = cache_keys[place : place + _MOST_VARIABLES]
            rows = await self._rows(
                "SELECT r.cache_key, iif(b.ended_at = '', b.id, 0), r.state FROM batch_request AS r JOIN batch AS b ON b.id = r.batch_id"
                f" WHERE r.cache_key IN ({', '.join('?' * len(some))}) ORDER BY b.id",
                *some,
            )
            found |= {key: (batch_id, RequestState(state)) for key, batch_id, state in rows}
        return found

    async def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._database.read(lambda connection: connection.execute(statement, values).fetchall())

    async def _change(self, batch_id: int, **values: object) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE batch SET {changes} WHERE id = ?"
        await self._database.write(lambda connection: _run(connection, statement, *values.values(), batch_id))


def _run(connection: sqlite3.Connection, statement: str, *values: object) -> int:
    return connection.execute(statement, values).rowcount


def _claim(connection: sqlite3.Connection, batch_id: int, custom_id: str, state: RequestState, reason: str) -> int:
    """Change a request that is still waited for, and return its ticket's id; 0 when it is not, or is gone."""
    row = connection.execute(
        "UPDATE batch_request SET state = ?, reason = ?, placeholders_json = '{}' WHERE batch_id = ? AND custom_id = ? AND state = 'waiting'"
        " RETURNING ticket_id",
        [state.value, reason, batch_id, custom_id],
    ).fetchone()
    return int(row[0]) if row else 0


def _take(connection: sqlite3.Connection, batch_id: int, taken: Taken) -> int:
    ticket_id = _claim(connection, batch_id, taken.custom_id, RequestState.DONE, "")
    if not ticket_id:
        return 0
    run_id = insert_run(connection, taken.run)
    _run(connection, "UPDATE run SET estimated_tokens = ? WHERE id = ?", taken.estimated_tokens, run_id)
    finish_run(connection, run_id, taken.summary, taken.sentences, releases_pin=taken.releases_pin)
    write_outcomes(connection, [taken.outcome])
    _run(connection, "UPDATE ledger SET run_id = ? WHERE id = ?", run_id, taken.outcome.entry_id)
    statement = "UPDATE batch_request SET run_id = ? WHERE batch_id = ? AND custom_id = ?"
    _run(connection, statement, run_id, batch_id, taken.custom_id)
    end_item(connection, batch_id, ticket_id, taken.summary, run_id)
    return ticket_id


def _miss(connection: sqlite3.Connection, batch_id: int, missed: Missed, state: RequestState) -> int:
    ticket_id = _claim(connection, batch_id, missed.custom_id, state, missed.reason)
    if ticket_id and missed.outcome is not None:
        write_outcomes(connection, [missed.outcome])
    if ticket_id:
        release_item(connection, batch_id, ticket_id, state, missed.reason)
    return ticket_id


def _count_cost(connection: sqlite3.Connection, batch_id: int) -> None:
    """Add up what was taken in; an answer without a known price leaves the whole unknown."""
    connection.execute(
        "UPDATE batch SET cost_microusd = (SELECT iif(count(*) = count(run.cost_microusd), sum(run.cost_microusd), NULL) FROM batch_request AS r"
        " JOIN run ON run.id = r.run_id WHERE r.batch_id = batch.id AND r.state = 'done') WHERE id = ?",
        [batch_id],
    )


def _stored(row: tuple[Any, ...]) -> StoredBatch:
    state = BatchState(row[5])
    batch = Batch(
        id=row[0],
        provider=row[1],
        model=row[2],
        host=row[3],
        recipe=row[4],
        state=state,
        reason=row[6],
        requests=row[7],
        completed=row[8],
        failed=row[9],
        taken=row[10],
        cost_microusd=row[11],
        submitted_at=row[12],
        polled_at=row[13],
        ended_at=row[14],
        is_cleared=bool(row[15]),
    )
    return StoredBatch(batch, row[16], row[17], row[18], row[19], row[20], bool(row[21]))


def _request(row: tuple[Any, ...]) -> StoredRequest:
    return StoredRequest(
        custom_id=row[0],
        ticket_id=row[1],
        cache_key=row[2],
        placeholders=json.loads(row[3]),
        state=RequestState(row[4]),
        asked=json.loads(row[5]),
        ledger_id=row[6],
    )
