"""Imports in the database: tickets in, untouched when nothing changed, and a way back.

A ticket is the same ticket when source and external id are the same. What an update replaces is kept beside the import that replaced it, so that the
import can be undone as long as no later one changed the same tickets.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from desktop.domain.errors import DeskError
from desktop.domain.imports import ImportCounts, Recognized, Reject, Undone
from desktop.domain.tickets import Message, Role, TicketDraft
from desktop.storage.database import Database
from desktop.storage.merging import merge_tickets
from desktop.storage.tickets import read_messages

_COLUMNS = (
    *("subject", "status", "status_original", "priority", "priority_original"),
    *("requester", "assignee", "created_at", "updated_at"),
)

_LEFT_A_TRACE = """SELECT EXISTS (SELECT 1 FROM ticket WHERE import_id = ?) OR EXISTS (SELECT 1 FROM import_change WHERE import_id = ?)
  OR EXISTS (SELECT 1 FROM import_reject WHERE import_id = ?)"""


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a part of a file. Rows of an unchanged ticket count as unchanged."""

    tickets_new: int = 0
    tickets_updated: int = 0
    tickets_unchanged: int = 0
    rows_used: int = 0
    rows_unchanged: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import of the past."""

    id: int
    source: str
    path: str
    system: str
    started_at: str
    finished_at: str
    undone_at: str
    counts: dict[str, int]


class ImportStore:
    """Writes tickets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, recognized: Recognized) -> tuple[int, int]:
        """Record that an import began; return its id and the source's."""

        def write(connection: sqlite3.Connection) -> tuple[int, int]:
            connection.execute(
                "INSERT INTO source (name, system) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                [recognized.source, recognized.system],
            )
            source_id = connection.execute("SELECT id FROM source WHERE name = ?", [recognized.source]).fetchone()[0]
            cursor = connection.execute(
                "INSERT INTO import_batch (source_id, path, system, started_at) VALUES (?, ?, ?, ?)",
                # A name of bytes that are no text is known to the system only; here it is to be read.
                [source_id, recognized.path.encode("utf-8", "replace").decode(), recognized.system, _now()],
            )
            return int(cursor.lastrowid or 0), int(source_id)

        return await self._database.write(write)

    async def write_batch(
        self,
        import_id: int,
        source_id: int,
        drafts: Sequence[TicketDraft],
        *,
        rejects: Sequence[Reject] = (),
        merge_messages: bool,
    ) -> BatchOutcome:
        """Write tickets: new ones, changed ones, and none that is equal. `merge_messages` keeps stored messages that the file no longer has."""

        def write(connection: sqlite3.Connection) -> BatchOutcome:
            connection.executemany(
                'INSERT INTO import_reject (import_id, line, reason, "column", value, raw) VALUES (?, ?, ?, ?, ?, ?)',
                [(import_id, r.line, r.reason, r.column, r.value, r.raw) for r in rejects],
            )
            return _Writing(connection, import_id, source_id, merge_messages).write_all(drafts)

        return await self._database.write(write)

    async def preview_batch(self, source: str, drafts: Sequence[TicketDraft], *, merge_messages: bool) -> BatchOutcome:
        """Say what `write_batch` would do, writing nothing."""

        def read(connection: sqlite3.Connection) -> BatchOutcome:
            row = connection.execute("SELECT id FROM source WHERE name = ?", [source]).fetchone()
            return _Writing(connection, 0, row[0] if row else 0, merge_messages).count_all(drafts)

        return await self._database.read(read)

    async def finish(self, import_id: int, counts: ImportCounts, *, is_whole: bool = True) -> int:
        """Record an import's end and return its id; one that changed and rejected nothing leaves no trace and is 0.

        `is_whole` is false for one that was stopped: see `take_stopped`.
        """

        def write(connection: sqlite3.Connection) -> int:
            if not connection.execute(_LEFT_A_TRACE, [import_id] * 3).fetchone()[0]:
                connection.execute("DELETE FROM import_batch WHERE id = ?", [import_id])
                connection.execute(
                    "DELETE FROM source WHERE id NOT IN (SELECT source_id FROM ticket UNION SELECT source_id FROM import_batch)"
                )
                return 0
            connection.execute(
                "UPDATE import_batch SET finished_at = ?, counts_json = ? WHERE id = ?",
                [_now(), json.dumps({**asdict(counts), "is_whole": is_whole}), import_id],
            )
            return import_id

        return await self._database.write(write)

    async def take_stopped(self) -> ImportRecord | None:
        """Return the newest import that was stopped and that nobody was told of yet; None when there is none. It is told of once."""

        def write(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "SELECT id FROM import_batch WHERE undone_at = '' AND json_extract(counts_json, '$.is_whole') = 0 ORDER BY id DESC LIMIT 1"
            ).fetchone()
            connection.execute(
                "UPDATE import_batch SET counts_json = json_remove(counts_json, '$.is_whole') WHERE id = ?",
                [row and row[0]],
            )
            return int(row[0]) if row else 0

        import_id = await self._database.write(write)
        return next((record for record in await self.history() if record.id == import_id), None)

    async def history(self) -> tuple[ImportRecord, ...]:
        """Return all imports, the newest first."""

        def read(connection: sqlite3.Connection) -> tuple[ImportRecord, ...]:
            rows = connection.execute(
                "SELECT import_batch.id, name, path, import_batch.system, started_at, finished_at, undone_at, counts_json"
                " FROM import_batch JOIN source ON source.id = source_id ORDER BY import_batch.id DESC"
            )
            return tuple(
                ImportRecord(i, source, path, system, began, ended, undone, json.loads(c))
                for i, source, path, system, began, ended, undone, c in rows
            )

        return await self._database.read(read)

    async def undo(self, import_id: int) -> Undone:
        """Take an import back: remove what was new, restore what was changed.

        Raises:
            DeskError: `import-missing`, `import-undone`, `import-superseded`.
        """

        def write(connection: sqlite3.Connection) -> Undone:
            _require_undoable(connection, import_id)
            changed = connection.execute(
                "SELECT ticket_id, before_json FROM import_change WHERE import_id = ?", [import_id]
            ).fetchall()
            for ticket_id, before in changed:
                _restore(connection, ticket_id, json.loads(before))
            new = [row[0] for row in connection.execute("SELECT id FROM ticket WHERE import_id = ?", [import_id])]
            for ticket_id in new:
                _remove_from_index(connection, ticket_id)
            connection.execute("DELETE FROM ticket WHERE import_id = ?", [import_id])
            connection.execute("DELETE FROM import_change WHERE import_id = ?", [import_id])
            connection.execute("UPDATE import_batch SET undone_at = ? WHERE id = ?", [_now(), import_id])
            return Undone(import_id, len(new), len(changed))

        return await self._database.write(write)


class _Writing:
    """One batch being written on the writer's connection."""

    def __init__(self, connection: sqlite3.Connection, import_id: int, source_id: int, merge_messages: bool) -> None:
        self._connection = connection
        self._import_id = import_id
        self._source_id = source_id
        self._merge = merge_messages

    def write_all(self, drafts: Sequence[TicketDraft]) -> BatchOutcome:
        stored = self._stored(drafts)
        new: list[tuple[TicketDraft, str]] = []
        outcome = BatchOutcome()
        for draft, content_hash, known in self._sort_out(drafts, stored):
            if known is None:
                new.append((draft, content_hash))
                outcome = _add(outcome, draft, new=True)
            elif known[1] == content_hash:
                outcome = _add(outcome, draft)
            else:
                self._update(known[0], draft, content_hash)
                outcome = _add(outcome, draft, updated=True)
        self._insert(new)
        return outcome

    def count_all(self, drafts: Sequence[TicketDraft]) -> BatchOutcome:
        outcome = BatchOutcome()
        for draft, content_hash, known in self._sort_out(drafts, self._stored(drafts)):
            outcome = _add(outcome, draft, new=known is None, updated=known is not None and known[1] != content_hash)
        return outcome

    def _sort_out(
        self, drafts: Sequence[TicketDraft], stored: dict[str, tuple[int, str]]
    ) -> Iterable[tuple[TicketDraft, str, tuple[int, str] | None]]:
        for draft in drafts:
            known = stored.get(draft.external_id)
            content_hash = draft.content_hash()
            if known is not None and known[1] != content_hash and self._merge:
                draft = merge_tickets(_read_draft(self._connection, known[0], draft.external_id), draft)
                content_hash = draft.content_hash()
            yield draft, content_hash, known

    def _stored(self, drafts: Sequence[TicketDraft]) -> dict[str, tuple[int, str]]:
        found: dict[str, tuple[int, str]] = {}
        ids = [draft.external_id for draft in drafts]
        for first in range(0, len(ids), 500):
            part = ids[first : first + 500]
            marks = ",".join("?" * len(part))
            rows = self._connection.execute(
                f"SELECT external_id, id, content_hash FROM ticket WHERE source_id = ? AND external_id IN ({marks})",
                [self._source_id, *part],
            )
            found.update((row[0], (row[1], row[2])) for row in rows)
        return found

    def _insert(self, drafts: list[tuple[TicketDraft, str]]) -> None:
        if not drafts:
            return
        next_id = (self._connection.execute("SELECT max(id) FROM ticket").fetchone()[0] or 0) + 1
        numbered = [(next_id + number, draft, content_hash) for number, (draft, content_hash) in enumerate(drafts)]
        marks = ",".join("?" * 17)
        self._connection.executemany(
            f"INSERT INTO ticket (id, source_id, external_id, content_hash, {', '.join(_COLUMNS)}, message_count, fields_json, import_id,"
            f" changed_import_id) VALUES ({marks})",
            [
                (
                    i,
                    self._source_id,
                    d.external_id,
                    h,
                    *_values(d),
                    len(d.messages),
                    _json(d.fields),
                    self._import_id,
                    self._import_id,
                )
                for i, d, h in numbered
            ],
        )
        self._put_messages((i, d) for i, d, _ in numbered)
        self._connection.executemany(
            "INSERT INTO ticket_fts (rowid, subject, body) VALUES (?, ?, ?)",
            [(i, d.subject, _body(d.messages)) for i, d, _ in numbered],
        )

    def _update(self, ticket_id: int, draft: TicketDraft, content_hash: str) -> None:
        self._connection.execute(
            "INSERT INTO import_change (import_id, ticket_id, before_json) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [self._import_id, ticket_id, _json(_snapshot(self._connection, ticket_id))],
        )
        _remove_from_index(self._connection, ticket_id)
        assignments = ", ".join(f"{name} = ?" for name in _COLUMNS)
        self._connection.execute(
            f"UPDATE ticket SET {assignments}, content_hash = ?, message_count = ?, fields_json = ?, changed_import_id = ? WHERE id = ?",
            [*_values(draft), content_hash, len(draft.messages), _json(draft.fields), self._import_id, ticket_id],
        )
        self._connection.execute("DELETE FROM message WHERE ticket_id = ?", [ticket_id])
        self._put_messages([(ticket_id, draft)])
        self._connection.execute(
            "INSERT INTO ticket_fts (rowid, subject, body) VALUES (?, ?, ?)",
            [ticket_id, draft.subject, _body(draft.messages)],
        )

    def _put_messages(self, drafts: Iterable[tuple[int, TicketDraft]]) -> None:
        _insert_messages(self._connection, ((i, m) for i, d in drafts for m in d.messages))


def _read_draft(connection: sqlite3.Connection, ticket_id: int, external_id: str) -> TicketDraft:
    names = ", ".join(_COLUMNS)
    row = connection.execute(f"SELECT {names}, fields_json FROM ticket WHERE id = ?", [ticket_id]).fetchone()
    values = dict(zip(_COLUMNS, row, strict=False))
    return TicketDraft(external_id, **values, fields=json.loads(row[-1]), messages=read_messages(connection, ticket_id))


def _require_undoable(connection: sqlite3.Connection, import_id: int) -> None:
    row = connection.execute("SELECT undone_at FROM import_batch WHERE id = ?", [import_id]).fetchone()
    if row is None:
        raise DeskError(
            "import-missing",
            f"There is no import {import_id}.",
            remedy="The command `tldesk import` names the id of each import.",
        )
    if row[0]:
        raise DeskError(
            "import-undone",
            f"Import {import_id} was undone before.",
            remedy="Import the file again to have its tickets back.",
        )
    later = connection.execute(
        "SELECT max(changed_import_id) FROM ticket WHERE (import_id = ? OR id IN (SELECT ticket_id FROM import_change WHERE import_id = ?))"
        " AND changed_import_id > ?",
        [import_id, import_id, import_id],
    ).fetchone()[0]
    if later:
        raise DeskError(
            "import-superseded",
            f"Import {later} changed tickets of import {import_id} since.",
            remedy=f"Undo import {later} first.",
        )


def _restore(connection: sqlite3.Connection, ticket_id: int, before: dict[str, object]) -> None:
    _remove_from_index(connection, ticket_id)
    messages = before.pop("messages")
    assert isinstance(messages, list)
    assignments = ", ".join(f"{name} = ?" for name in before)
    connection.execute(f"UPDATE ticket SET {assignments} WHERE id = ?", [*before.values(), ticket_id])
    connection.execute("DELETE FROM message WHERE ticket_id = ?", [ticket_id])
    restored = [
        Message(p, author, Role(role), at, text, bool(internal)) for p, author, role, at, text, internal in messages
    ]
    _insert_messages(connection, ((ticket_id, message) for message in restored))
    connection.execute(
        "INSERT INTO ticket_fts (rowid, subject, body) VALUES (?, ?, ?)",
        [ticket_id, before["subject"], _body(tuple(restored))],
    )


def _snapshot(connection: sqlite3.Connection, ticket_id: int) -> dict[str, object]:
    names = (*_COLUMNS, "content_hash", "message_count", "fields_json", "changed_import_id")
    row = connection.execute(f"SELECT {', '.join(names)} FROM ticket WHERE id = ?", [ticket_id]).fetchone()
    messages = [
        [m.position, m.author, m.role, m.created_at, m.text, m.internal] for m in read_messages(connection, ticket_id)
    ]
    return {**dict(zip(names, row, strict=True)), "messages": messages}


def _remove_from_index(connection: sqlite3.Connection, ticket_id: int) -> None:
    """The index holds no text of its own, so what is removed must be said as it was put in."""
    subject = connection.execute("SELECT subject FROM ticket WHERE id = ?", [ticket_id]).fetchone()[0]
    body = _body(read_messages(connection, ticket_id))
    connection.execute(
        "INSERT INTO ticket_fts (ticket_fts, rowid, subject, body) VALUES ('delete', ?, ?, ?)",
        [ticket_id, subject, body],
    )


def _insert_messages(connection: sqlite3.Connection, messages: Iterable[tuple[int, Message]]) -> None:
    connection.executemany(
        "INSERT INTO message (ticket_id, position, author, role, internal, created_at, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((i, m.position, m.author, str(m.role), int(m.internal), m.created_at, m.text) for i, m in messages),
    )


def _add(outcome: BatchOutcome, draft: TicketDraft, *, new: bool = False, updated: bool = False) -> BatchOutcome:
    is_used = new or updated
    return BatchOutcome(
        tickets_new=outcome.tickets_new + new,
        tickets_updated=outcome.tickets_updated + updated,
        tickets_unchanged=outcome.tickets_unchanged + (not is_used),
        rows_used=outcome.rows_used + (draft.rows if is_used else 0),
        rows_unchanged=outcome.rows_unchanged + (0 if is_used else draft.rows),
        messages=outcome.messages + (len(draft.messages) if is_used else 0),
    )


def _values(draft: TicketDraft) -> tuple[str, ...]:
    return tuple(str(getattr(draft, name)) for name in _COLUMNS)


def _body(messages: Sequence[Message]) -> str:
    return "\n".join(message.text for message in messages)


def _json(value: object) -> str:
    return json.dumps(dict(value) if hasattr(value, "keys") else value, ensure_ascii=False, separators=(",", ":"))  # type: ignore[call-overload]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
