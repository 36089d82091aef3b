"""Sources of single tickets: our own export holds tickets of several, and each goes back to its own."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import groupby

from desktop.domain.tickets import TicketDraft
from desktop.storage.writing import BatchOutcome, BatchWriting, Hashed

_FIND = "SELECT id FROM source WHERE name = ?"


def write_by_source(
    connection: sqlite3.Connection, writing: BatchWriting, drafts: Sequence[TicketDraft], hashed: Sequence[Hashed]
) -> BatchOutcome:
    """Write tickets, those that name a source of their own under that one, which is made when it is new."""

    def find(name: str) -> int:
        connection.execute(
            "INSERT INTO source (name, system) VALUES (?, 'tldesk') ON CONFLICT (name) DO NOTHING", [name]
        )
        return int(connection.execute(_FIND, [name]).fetchone()[0])

    return _by_source(writing, drafts, hashed, find=find, act=BatchWriting.write_all)


def count_by_source(
    connection: sqlite3.Connection, counting: BatchWriting, drafts: Sequence[TicketDraft], hashed: Sequence[Hashed]
) -> BatchOutcome:
    """Say what `write_by_source` would do."""

    def find(name: str) -> int:
        row = connection.execute(_FIND, [name]).fetchone()
        return int(row[0]) if row else 0

    return _by_source(counting, drafts, hashed, find=find, act=BatchWriting.count_all)


def _by_source(
    writing: BatchWriting,
    drafts: Sequence[TicketDraft],
    hashed: Sequence[Hashed],
    *,
    find: Callable[[str], int],
    act: Callable[[BatchWriting, Sequence[TicketDraft], Sequence[Hashed]], BatchOutcome],
) -> BatchOutcome:
    outcomes = []
    # One after the other as they stand, so that tickets keep their order among those of other sources.
    for name, run in groupby(zip(drafts, hashed, strict=True), key=lambda pair: pair[0].source):
        part = list(run)
        own = writing.for_source(find(name)) if name else writing
        outcomes.append(act(own, [draft for draft, _ in part], [made for _, made in part]))
    return _total(outcomes)


def _total(outcomes: Sequence[BatchOutcome]) -> BatchOutcome:
    numbers = [field.name for field in fields(BatchOutcome) if field.name != "ticket_ids"]
    ids = array("q", (ticket_id for outcome in outcomes for ticket_id in outcome.ticket_ids))
    return BatchOutcome(**{n: sum(getattr(outcome, n) for outcome in outcomes) for n in numbers}, ticket_ids=ids)
