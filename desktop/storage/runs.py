"""Runs in the database: every call of a model with its text, whatever its end, and the ledger of what was sent.

Text is journaled while it comes. A run left `running` by a crash becomes `incomplete` at the next start, with the text that was shown.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from desktop.domain.errors import DeskError
from desktop.domain.runs import CheckedClaim, Claim, Coverage, RunState, Summary, Support, Usage
from desktop.domain.sentences import SPLITTER_VERSION, Sentence
from desktop.storage.database import Database

CRASHED = "TLDesk was closed while it was being written"
_RUN = """SELECT run.id, ticket_id, state, reason, text, provider, model, recipe, recipe_version, input_tokens, output_tokens,
  cached_input_tokens, cost_microusd, first_token_seconds, seconds, finished_at, error, remedy, gist, sections_json, claims_json, coverage_json,
  content_hash FROM run LEFT JOIN summary ON summary.run_id = run.id"""

_WORTH_SHOWING = """WHERE ticket_id = ? AND text != '' AND state != 'running'
  ORDER BY state = 'complete' AND run.content_hash = (SELECT content_hash FROM ticket AS t WHERE t.id = run.ticket_id) DESC, run.id DESC LIMIT 1"""


class RunStore:
    """Runs and their summaries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(
        self,
        *,
        ticket_id: int,
        task: str,
        recipe: str,
        recipe_version: int,
        provider: str,
        model: str,
        cache_key: str,
        content_hash: str,
    ) -> int:
        """Record that a run began and return its id."""
        values = [
            ticket_id,
            task,
            RunState.RUNNING.value,
            recipe,
            recipe_version,
            provider,
            model,
            cache_key,
            content_hash,
            _now(),
        ]

        def write(connection: sqlite3.Connection) -> int:
            if connection.execute("SELECT 1 FROM ticket WHERE id = ?", [ticket_id]).fetchone() is None:
                raise DeskError(
                    "ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list."
                )
            cursor = connection.execute(
                "INSERT INTO run (ticket_id, task, state, recipe, recipe_version, provider, model, cache_key, content_hash, started_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            return int(cursor.lastrowid or 0)

        return await self._database.write(write)

    async def journal(self, run_id: int, text: str) -> None:
        """Keep the text so far."""
        await self._database.write(
            lambda connection: _change(connection, "UPDATE run SET text = ? WHERE id = ?", text, run_id)
        )

    async def finish(self, run_id: int, summary: Summary, sentences: Sequence[Sentence]) -> None:
        """Record a run's end, its summary with the places of its citations among `sentences`, and the ticket's gist."""

        def write(connection: sqlite3.Connection) -> None:
            usage = summary.usage
            changed = connection.execute(
                "UPDATE run SET state = ?, reason = ?, error = ?, remedy = ?, text = ?, input_tokens = ?, output_tokens = ?,"
                " cached_input_tokens = ?, cost_microusd = ?, first_token_seconds = ?, seconds = ?, finished_at = ? WHERE id = ?",
                [
                    *(summary.state.value, summary.reason, summary.error, summary.remedy, summary.text),
                    *(usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, summary.cost_microusd),
                    *(summary.first_token_seconds, summary.seconds, _now(), run_id),
                ],
            )
            # The ticket, and with it the run, may have gone while the model wrote: an import was undone.
            if changed.rowcount:
                _put_summary(connection, run_id, summary)
                _put_citations(connection, run_id, summary, {sentence.id: sentence for sentence in sentences})

        await self._database.write(write)

    async def cached(self, cache_key: str) -> Summary | None:
        """Return the newest complete summary made from the same content, recipe, provider and model."""

        def read(connection: sqlite3.Connection) -> Summary | None:
            row = connection.execute(
                f"{_RUN} WHERE cache_key = ? AND state = 'complete' ORDER BY run.id DESC LIMIT 1", [cache_key]
            ).fetchone()
            return _summary(row) if row else None

        return await self._database.read(read)

    async def latest(self, ticket_id: int) -> tuple[Summary, str] | None:
        """Return the run of a ticket that is worth showing, and the content hash of the ticket it was made from.

        It is the newest complete one of the ticket as it is now, else the newest that has text.
        """

        def read(connection: sqlite3.Connection) -> tuple[Summary, str] | None:
            row = connection.execute(f"{_RUN} {_WORTH_SHOWING}", [ticket_id]).fetchone()
            return (_summary(row), row[-1]) if row else None

        return await self._database.read(read)

    async def recover(self) -> int:
        """Turn runs that a crash left running into incomplete ones; return how many."""

        def write(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE run SET state = 'incomplete', reason = ? WHERE state = 'running'", [CRASHED]
            ).rowcount

        return await self._database.write(write)

    async def spent_since(self, since: str) -> tuple[int, int]:
        """Return what runs cost since a time (ISO 8601 UTC), in micro-dollars, and how many of them have no known price."""

        def read(connection: sqlite3.Connection) -> tuple[int, int]:
            row = connection.execute(
                "SELECT coalesce(sum(cost_microusd), 0), coalesce(sum(cost_microusd IS NULL AND text != ''), 0) FROM run"
                " WHERE started_at >= ? AND state != 'running'",
                [since],
            ).fetchone()
            return int(row[0]), int(row[1])

        return await self._database.read(read)


class LedgerStore:
    """What was sent to whom. Never the text itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sent(self, *, host: str, purpose: str, bytes: int, sha256: str) -> int:
        """Enter a request before it goes and return the entry's id; its state is *outcome unknown* until it is settled."""

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO ledger (at, host, purpose, bytes, sha256) VALUES (?, ?, ?, ?, ?)",
                [_now(), host, purpose, bytes, sha256],
            )
            return int(cursor.lastrowid or 0)

        return await self._database.write(write)

    async def settled(self, entry_id: int, state: RunState, cost_microusd: int | None) -> None:
        """Enter how a request ended."""
        statement = "UPDATE ledger SET state = ?, cost_microusd = ? WHERE id = ?"
        await self._database.write(
            lambda connection: _change(connection, statement, state.value, cost_microusd, entry_id)
        )


def _change(connection: sqlite3.Connection, statement: str, *values: object) -> None:
    connection.execute(statement, values)


def _put_summary(connection: sqlite3.Connection, run_id: int, summary: Summary) -> None:
    claims = json.dumps([asdict(claim) for claim in summary.claims], ensure_ascii=False)
    connection.execute(
        "INSERT OR REPLACE INTO summary (run_id, gist, sections_json, claims_json, coverage_json) VALUES (?, ?, ?, ?, ?)",
        [
            run_id,
            summary.gist,
            json.dumps(dict(summary.sections), ensure_ascii=False),
            claims,
            json.dumps(asdict(summary.coverage)),
        ],
    )
    # The list shows the gist of the summary that the card would show, or none.
    shown = f"SELECT summary.gist FROM run JOIN summary ON summary.run_id = run.id {_WORTH_SHOWING}"
    ids = [summary.ticket_id, summary.ticket_id]
    connection.execute(f"UPDATE ticket SET gist = coalesce(({shown}), '') WHERE id = ?", ids)


def _put_citations(
    connection: sqlite3.Connection, run_id: int, summary: Summary, sentences: Mapping[str, Sentence]
) -> None:
    """Store where each cited sentence stands, so that a citation survives a change of the splitter."""
    cited = [
        (number, sentences[id_])
        for number, checked in enumerate(summary.claims)
        for id_ in checked.citations
        if id_ in sentences
    ]
    connection.executemany(
        'INSERT INTO citation (run_id, claim, message, "start", "end", splitter_version, sentence_id) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [(run_id, number, s.position, s.start, s.end, SPLITTER_VERSION, s.id) for number, s in cited],
    )


def _summary(row: tuple[Any, ...]) -> Summary:
    coverage = json.loads(row[21] or '{"messages": 0, "read": 0}')
    return Summary(
        ticket_id=row[1],
        state=RunState(row[2]),
        reason=row[3],
        text=row[4],
        provider=row[5],
        model=row[6],
        recipe=row[7],
        recipe_version=row[8],
        usage=Usage(row[9], row[10], row[11]),
        cost_microusd=row[12],
        first_token_seconds=row[13],
        seconds=row[14],
        created_at=row[15],
        error=row[16],
        remedy=row[17],
        gist=row[18] or "",
        sections=json.loads(row[19] or "{}"),
        claims=tuple(_claim(values) for values in json.loads(row[20] or "[]")),
        coverage=Coverage(coverage["messages"], coverage["read"], tuple(coverage.get("unused", ()))),
    )


def _claim(values: dict[str, Any]) -> CheckedClaim:
    inner = values["claim"]
    return CheckedClaim(
        claim=Claim(inner["section"], inner["text"], tuple(inner["citations"])),
        support=Support(values["support"]),
        score=values["score"],
        citations=tuple(values["citations"]),
        missing_facts=tuple(values["missing_facts"]),
        misplaced_facts=tuple(values["misplaced_facts"]),
        origin=values["origin"],
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
