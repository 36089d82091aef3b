"""Items of the queue that are in batches: put in as such, ended with the answer, let go when none came; each in its batch's own transaction."""

from __future__ import annotations

import sqlite3

from desktop.domain.batches import RequestState
from desktop.domain.clock import now
from desktop.domain.runs import RunState, Summary

PUT_IN_QUEUE = """INSERT INTO queue_item (ticket_id, rank, recipe, provider, model, refresh, state, reason, batch_id, run_id, added_at)
  SELECT r.ticket_id, 0, b.recipe, b.provider, b.model, ?,
  CASE r.state WHEN 'waiting' THEN 'submitted' WHEN 'done' THEN 'done' WHEN 'retry' THEN 'waiting' ELSE 'failed' END, r.reason, b.id, r.run_id, ?
  FROM batch_request AS r JOIN batch AS b ON b.id = r.batch_id WHERE r.batch_id = ? AND r.ticket_id = ?
  ON CONFLICT (ticket_id, recipe) DO UPDATE SET provider = excluded.provider, model = excluded.model, refresh = excluded.refresh,
  state = excluded.state, reason = excluded.reason, remedy = '', attempts = 0, run_id = excluded.run_id, batch_id = excluded.batch_id,
  cost_microusd = NULL, tokens = 0, is_cached = 0, added_at = excluded.added_at, ended_at = '' WHERE queue_item.state != 'running'"""


def end_item(connection: sqlite3.Connection, batch_id: int, ticket_id: int, summary: Summary, run_id: int) -> None:
    """End the item that waits for a batch, and count what it spent."""
    cost = summary.cost_microusd
    tokens = (summary.usage.input_tokens or 0) + (summary.usage.output_tokens or 0)
    is_failed = summary.state is RunState.FAILED
    ended = connection.execute(
        "UPDATE queue_item SET state = ?, reason = ?, remedy = ?, run_id = ?, cost_microusd = ?, tokens = ?, ended_at = ?"
        " WHERE ticket_id = ? AND batch_id = ? AND state = 'submitted'",
        [
            *("failed" if is_failed else "done", summary.reason if is_failed else "", summary.remedy),
            *(run_id, cost, tokens, now(), ticket_id, batch_id),
        ],
    ).rowcount
    if ended:
        connection.execute(
            "UPDATE queue_state SET spent_microusd = spent_microusd + ?, tokens = tokens + ?, unpriced = unpriced + ?",
            [cost or 0, tokens, int(cost is None)],
        )


def release_item(
    connection: sqlite3.Connection, batch_id: int, ticket_id: int, state: RequestState, reason: str
) -> None:
    """Let go of the item that waits for a batch without an answer: it is asked about live, or has failed."""
    values: list[object] = []
    change = "state = 'waiting', batch_id = 0"
    if state is not RequestState.RETRY:
        change, values = "state = 'failed', reason = ?, ended_at = ?", [reason, now()]
    connection.execute(
        f"UPDATE queue_item SET {change} WHERE ticket_id = ? AND batch_id = ? AND state = 'submitted'",
        [*values, ticket_id, batch_id],
    )
