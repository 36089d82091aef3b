"""Runs in the database: every call of a model with its text, whatever its end.

Text is journaled while it comes. A run left `running` by a crash becomes `incomplete` at the next start, with the text that was shown.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.outgoing import Outcome
from desktop.domain.runs import (
    CheckedClaim,
    Claim,
    Coverage,
    Fields,
    Form,
    Highlight,
    Opinion,
    RunState,
    Summary,
    Support,
    Usage,
    Version,
)
from desktop.domain.sentences import SPLITTER_VERSION, Sentence
from desktop.storage.database import Database
from desktop.storage.ledger import write_outcomes

CRASHED = "TLDesk was closed while it was being written"
EDIT = "edit"
SHOWN_TASKS = ("summarize", "incremental", EDIT)
"""Tasks whose text is the summary of a ticket; other recipes' texts are versions that a user has to choose."""
_TASKS = ", ".join(f"'{task}'" for task in SHOWN_TASKS)
_RUN = """SELECT run.id, run.ticket_id, state, reason, text, provider, model, recipe, recipe_version, input_tokens, output_tokens,
  cached_input_tokens, cost_microusd, first_token_seconds, seconds, finished_at, error, remedy, gist, sections_json, claims_json, coverage_json,
  task, form, thinking, fields_json, content_hash, message_count, messages_hash, highlights_json
  FROM run LEFT JOIN summary ON summary.run_id = run.id"""
_WORTH_SHOWING = f"""WHERE run.ticket_id = ? AND text != '' AND state != 'running'
  AND (task IN ({_TASKS}) OR run.id = (SELECT run_id FROM shown_summary AS s WHERE s.ticket_id = run.ticket_id AND is_pinned))
  ORDER BY run.id = (SELECT run_id FROM shown_summary AS s WHERE s.ticket_id = run.ticket_id AND is_pinned) DESC,
  state = 'complete' AND run.content_hash = (SELECT content_hash FROM ticket AS t WHERE t.id = run.ticket_id) DESC, run.id DESC LIMIT 1"""
_COUNTED_RUNS = 20


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A summary as it was stored, with what it was made from: the ticket's content hash, how many messages it had, and their hash."""

    summary: Summary
    content_hash: str
    message_count: int
    messages_hash: str


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run when it begins. `cache_key` names ticket and question, `text_key` what the model sees: twins have one."""

    ticket_id: int
    task: str
    recipe: str
    recipe_version: int
    recipe_digest: str
    provider: str
    model: str
    cache_key: str
    text_key: str
    content_hash: str
    message_count: int
    messages_hash: str


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """A summary that is there: the run that wrote it, and what that cost."""

    run_id: int
    cost_microusd: int | None


class RunStore:
    """Runs and their summaries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, run: NewRun) -> int:
        """Record that a run began and return its id.

        Raises:
            DeskError: `ticket-missing`.
        """

        def write(connection: sqlite3.Connection) -> int:
            return insert_run(connection, run)

        return await self._database.write(write)

    async def journal(self, run_id: int, text: str, thinking: str = "") -> None:
        """Keep the text so far."""
        statement = "UPDATE run SET text = ?, thinking = ? WHERE id = ?"
        await self._database.write(lambda connection: _change(connection, statement, text, thinking, run_id))

    async def finish(
        self,
        run_id: int,
        summary: Summary,
        sentences: Sequence[Sentence],
        *,
        releases_pin: bool = False,
        estimated_tokens: int = 0,
        outcomes: Sequence[Outcome] = (),
    ) -> None:
        """Record a run's end, its summary with the places of its citations among `sentences`, and what the list shows of the ticket.

        `outcomes` are those of its requests, written in the same transaction: an entry of the ledger with an outcome has brought what is stored.

        `releases_pin` when the user asked for a new text in place of the version that was chosen before. `estimated_tokens` is what was counted here
        of all that was sent.
        """

        def write(connection: sqlite3.Connection) -> None:
            _change(connection, "UPDATE run SET estimated_tokens = ? WHERE id = ?", estimated_tokens, run_id)
            finish_run(connection, run_id, summary, sentences, releases_pin=releases_pin)
            write_outcomes(connection, outcomes)

        await self._database.write(write)

    async def keep_edit(self, run: NewRun, summary: Summary, sentences: Sequence[Sentence]) -> int:
        """Record what a person wrote as a version of its own, which stays the shown one until another is chosen."""

        def write(connection: sqlite3.Connection) -> int:
            run_id = insert_run(connection, run)
            finish_run(connection, run_id, summary, sentences, releases_pin=False)
            _pin(connection, run.ticket_id, run_id)
            return run_id

        return await self._database.write(write)

    async def restore(self, ticket_id: int, run_id: int) -> None:
        """Have a ticket show one of its versions until another is chosen or written on request."""
        await self._database.write(lambda connection: _pin(connection, ticket_id, run_id))

    async def cached(self, cache_key: str) -> StoredSummary | None:
        """Return the newest complete summary made from the same content, recipe, provider and model."""
        return await self._first("WHERE cache_key = ? AND state = 'complete' ORDER BY run.id DESC LIMIT 1", cache_key)

    async def written(self, names: Sequence[str]) -> dict[str, WrittenRun]:
        """Return by name the newest complete summaries that were made from the same; those that are not there are left out."""

        def read(connection: sqlite3.Connection) -> dict[str, WrittenRun]:
            marks = ",".join("?" * len(names))
            rows = connection.execute(
                f"SELECT cache_key, max(id), cost_microusd FROM run WHERE cache_key IN ({marks}) AND state = 'complete' GROUP BY cache_key",
                names,
            )
            return {name: WrittenRun(run_id, cost) for name, run_id, cost in rows}

        return await self._database.read(read)

    async def read_many(self, run_ids: Sequence[int]) -> dict[int, Summary]:
        """Return summaries by run, with the highlights that their tickets had; those that were kept without are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, Summary]:
            marks = ",".join("?" * len(run_ids))
            rows = connection.execute(f"{_RUN} WHERE run.id IN ({marks}) AND highlights_json != ''", list(run_ids))
            return {row[0]: _stored(row).summary for row in rows}

        return await self._database.read(read)

    async def cached_text(self, text_key: str) -> StoredSummary | None:
        """Return the newest complete summary of any ticket with the very same text, made by the same recipe, provider and model."""
        return await self._first("WHERE text_key = ? AND state = 'complete' ORDER BY run.id DESC LIMIT 1", text_key)

    async def keep(self, run: NewRun, summary: Summary, sentences: Sequence[Sentence]) -> int:
        """Record a summary that nobody was asked for: a twin's."""

        def write(connection: sqlite3.Connection) -> int:
            run_id = insert_run(connection, run)
            finish_run(connection, run_id, summary, sentences, releases_pin=False)
            return run_id

        return await self._database.write(write)

    async def latest(self, ticket_id: int) -> StoredSummary | None:
        """Return the run of a ticket that is worth showing.

        It is the version that the user chose or wrote, else the newest complete one of the ticket as it is now, else the newest that has text.
        """
        return await self._first(_WORTH_SHOWING, ticket_id)

    async def version(self, ticket_id: int, run_id: int) -> StoredSummary | None:
        """Return one version of a ticket's summary."""
        return await self._first("WHERE run.ticket_id = ? AND run.id = ?", ticket_id, run_id)

    async def versions(self, ticket_id: int) -> tuple[Version, ...]:
        """Return all texts that were written of a ticket, the newest first."""

        def read(connection: sqlite3.Connection) -> tuple[Version, ...]:
            shown = connection.execute(f"SELECT run.id FROM run {_WORTH_SHOWING}", [ticket_id]).fetchone()
            rows = connection.execute(
                f"{_RUN} WHERE run.ticket_id = ? AND text != '' AND state != 'running' ORDER BY run.id DESC",
                [ticket_id],
            )
            return tuple(_version(_stored(row).summary, shown=shown[0] if shown else 0) for row in rows)

        return await self._database.read(read)

    async def count_versions(self, ticket_id: int) -> int:
        """Count the texts that were written of a ticket."""
        statement = "SELECT count(*) FROM run WHERE ticket_id = ? AND text != '' AND state != 'running'"
        return await self._database.read(
            lambda connection: int(connection.execute(statement, [ticket_id]).fetchone()[0])
        )

    async def typical_seconds(self, provider: str, model: str) -> float | None:
        """Return how long a model took of late for a whole summary, as a rule; None when it wrote none yet."""

        def read(connection: sqlite3.Connection) -> float | None:
            row = connection.execute(
                "SELECT avg(seconds) FROM (SELECT seconds FROM run WHERE provider = ? AND model = ? AND state = 'complete' AND seconds > 0"
                " ORDER BY id DESC LIMIT ?)",
                [provider, model, _COUNTED_RUNS],
            ).fetchone()
            return None if row[0] is None else float(row[0])

        return await self._database.read(read)

    async def token_ratio(self, provider: str, model: str) -> float | None:
        """Return how many tokens a provider counted of late for each one that was estimated here; None when it never said."""

        def read(connection: sqlite3.Connection) -> float | None:
            row = connection.execute(
                "SELECT sum(input_tokens), sum(estimated_tokens) FROM (SELECT input_tokens, estimated_tokens FROM run WHERE provider = ?"
                " AND model = ? AND input_tokens > 0 AND estimated_tokens > 0 ORDER BY id DESC LIMIT ?)",
                [provider, model, _COUNTED_RUNS],
            ).fetchone()
            return row[0] / row[1] if row[1] else None

        return await self._database.read(read)

    async def star(self, ticket_id: int, *, is_starred: bool) -> None:
        """Mark a ticket as an example of a good summary, or no longer."""
        statement = (
            "INSERT OR IGNORE INTO starred_ticket (ticket_id, starred_at) SELECT id, ? FROM ticket WHERE id = ?"
            if is_starred
            else "DELETE FROM starred_ticket WHERE ticket_id = ?"
        )
        values = [now(), ticket_id] if is_starred else [ticket_id]
        await self._database.write(lambda connection: _change(connection, statement, *values))

    async def starred(self) -> tuple[int, ...]:
        """Return the ids of the starred tickets, the newest star first."""
        statement = "SELECT ticket_id FROM starred_ticket ORDER BY starred_at DESC, ticket_id DESC"
        return await self._database.read(lambda connection: tuple(row[0] for row in connection.execute(statement)))

    async def recover(self) -> int:
        """Turn runs that a crash left running into incomplete ones; return how many."""

        def write(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE run SET state = 'incomplete', reason = ? WHERE state = 'running'", [CRASHED]
            ).rowcount

        return await self._database.write(write)

    async def _first(self, condition: str, *values: object) -> StoredSummary | None:
        def read(connection: sqlite3.Connection) -> StoredSummary | None:
            row = connection.execute(f"{_RUN} {condition}", values).fetchone()
            return _stored(row) if row else None

        return await self._database.read(read)


def _change(connection: sqlite3.Connection, statement: str, *values: object) -> None:
    connection.execute(statement, values)


def insert_run(connection: sqlite3.Connection, run: NewRun) -> int:
    """Record that a run began, in a transaction that may hold more, and return its id."""
    if connection.execute("SELECT 1 FROM ticket WHERE id = ?", [run.ticket_id]).fetchone() is None:
        raise DeskError("ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list.")
    values = {**asdict(run), "state": RunState.RUNNING.value, "started_at": now()}
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO run ({names}) VALUES ({marks})", list(values.values()))
    return int(cursor.lastrowid or 0)


def finish_run(
    connection: sqlite3.Connection, run_id: int, summary: Summary, sentences: Sequence[Sentence], *, releases_pin: bool
) -> None:
    """Record a run's end and its summary, in a transaction that may hold more."""
    usage = summary.usage
    changed = connection.execute(
        "UPDATE run SET state = ?, reason = ?, error = ?, remedy = ?, text = ?, thinking = ?, form = ?, input_tokens = ?, output_tokens = ?,"
        " cached_input_tokens = ?, cost_microusd = ?, first_token_seconds = ?, seconds = ?, finished_at = ? WHERE id = ?",
        [
            *(summary.state.value, summary.reason, summary.error, summary.remedy),
            *(summary.text, summary.thinking, summary.form.value),
            *(usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, summary.cost_microusd),
            *(summary.first_token_seconds, summary.seconds, now(), run_id),
        ],
    )
    # The ticket, and with it the run, may have gone while the model wrote: an import was undone.
    if changed.rowcount:
        if releases_pin and summary.state is RunState.COMPLETE:
            connection.execute("UPDATE shown_summary SET is_pinned = 0 WHERE ticket_id = ?", [summary.ticket_id])
        _put_summary(connection, run_id, summary)
        _put_citations(connection, run_id, summary, {sentence.id: sentence for sentence in sentences})


def _put_summary(connection: sqlite3.Connection, run_id: int, summary: Summary) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO summary (run_id, gist, sections_json, claims_json, coverage_json, fields_json, highlights_json)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            run_id,
            summary.gist,
            json.dumps(dict(summary.sections), ensure_ascii=False),
            json.dumps([asdict(claim) for claim in summary.claims], ensure_ascii=False),
            json.dumps(asdict(summary.coverage)),
            json.dumps(asdict(summary.fields)),
            json.dumps([astuple(highlight) for highlight in summary.highlights], ensure_ascii=False),
        ],
    )
    _choose_shown(connection, summary.ticket_id)


def _pin(connection: sqlite3.Connection, ticket_id: int, run_id: int) -> None:
    connection.execute(
        "INSERT INTO shown_summary (ticket_id, run_id, is_pinned) SELECT ticket_id, id, 1 FROM run WHERE id = ? AND ticket_id = ?"
        " ON CONFLICT (ticket_id) DO UPDATE SET run_id = excluded.run_id, is_pinned = 1",
        [run_id, ticket_id],
    )
    _choose_shown(connection, ticket_id)


def _choose_shown(connection: sqlite3.Connection, ticket_id: int) -> None:
    """Write down which version the card shows, and what the list shows and filters by: the same version's, or nothing."""
    row = connection.execute(
        f"SELECT run.id, coalesce(gist, ''), coalesce(fields_json, '{{}}') FROM run LEFT JOIN summary ON summary.run_id = run.id {_WORTH_SHOWING}",
        [ticket_id],
    ).fetchone()
    if row is None:
        return
    run_id, gist, fields = row[0], row[1], _fields(row[2])
    connection.execute("UPDATE ticket SET gist = ? WHERE id = ?", [gist, ticket_id])
    connection.execute(
        "INSERT INTO shown_summary (ticket_id, run_id, next_owner, deadline, sentiment, has_open_questions) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (ticket_id) DO UPDATE SET run_id = excluded.run_id, next_owner = excluded.next_owner, deadline = excluded.deadline,"
        " sentiment = excluded.sentiment, has_open_questions = excluded.has_open_questions",
        [ticket_id, run_id, fields.next_owner, fields.deadline, fields.sentiment, fields.has_open_questions],
    )


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


def _stored(row: tuple[Any, ...]) -> StoredSummary:
    coverage = json.loads(row[21] or '{"messages": 0, "read": 0}')
    summary = Summary(
        run_id=row[0],
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
        task=row[22],
        is_edit=row[22] == EDIT,
        form=Form(row[23]),
        thinking=row[24],
        fields=_fields(row[25] or "{}"),
        highlights=tuple(Highlight(*values) for values in json.loads(row[29] or "[]")),
    )
    return StoredSummary(summary, content_hash=row[26], message_count=row[27], messages_hash=row[28])


def _version(summary: Summary, *, shown: int) -> Version:
    return Version(
        run_id=summary.run_id,
        created_at=summary.created_at,
        state=summary.state,
        form=summary.form,
        provider=summary.provider,
        model=summary.model,
        recipe=summary.recipe,
        recipe_version=summary.recipe_version,
        cost_microusd=summary.cost_microusd,
        is_edit=summary.is_edit,
        is_shown=summary.run_id == shown,
        gist=summary.gist,
    )


def _fields(text: str) -> Fields:
    return Fields(**json.loads(text))


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
        doubts=tuple(values.get("doubts", ())),
        opinion=Opinion(values.get("opinion", "")),
    )
