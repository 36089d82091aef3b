"""Imports in the database: tickets in, untouched when nothing changed, and a way back.

A ticket is the same ticket when source and external id are the same. What an update replaces is kept beside the import that replaced it, so that the
import can be undone as long as no later one changed the same tickets.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from desktop.domain.errors import DeskError
from desktop.domain.imports import ImportCounts, Recognized, Reject, Undone
from desktop.domain.tickets import Message, Role, TicketDraft
from desktop.storage.database import Database
from desktop.storage.writing import BatchOutcome as BatchOutcome
from desktop.storage.writing import BatchWriting, Hashed, hash_tickets, insert_messages, take_revisions

_LEFT_A_TRACE = """SELECT EXISTS (SELECT 1 FROM ticket WHERE import_id = ?) OR EXISTS (SELECT 1 FROM import_change WHERE import_id = ?)
  OR EXISTS (SELECT 1 FROM import_reject WHERE import_id = ?)"""


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
                [source_id, recognized.path, recognized.system, _now()],
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
        hashed: Sequence[Hashed] | None = None,
    ) -> BatchOutcome:
        """Write tickets: new ones, changed ones, and none that is equal. `merge_messages` keeps stored messages that the file no longer has.

        `hashed` is what `hash_tickets` made of the drafts, where that was done in another thread.
        """

        def write(connection: sqlite3.Connection) -> BatchOutcome:
            connection.executemany(
                'INSERT INTO import_reject (import_id, line, reason, "column", value, raw) VALUES (?, ?, ?, ?, ?, ?)',
                [(import_id, r.line, r.reason, r.column, r.value, r.raw) for r in rejects],
            )
            made = hash_tickets(drafts) if hashed is None else hashed
            return BatchWriting(connection, import_id, source_id, merge_messages).write_all(drafts, made)

        outcome = await self._database.write(write)
        self._database.index.tell(outcome.tickets_new + outcome.tickets_updated)
        return outcome

    async def preview_batch(
        self,
        source: str,
        drafts: Sequence[TicketDraft],
        *,
        merge_messages: bool,
        hashed: Sequence[Hashed] | None = None,
    ) -> BatchOutcome:
        """Say what `write_batch` would do, writing nothing."""

        def read(connection: sqlite3.Connection) -> BatchOutcome:
            row = connection.execute("SELECT id FROM source WHERE name = ?", [source]).fetchone()
            made = hash_tickets(drafts) if hashed is None else hashed
            return BatchWriting(connection, 0, row[0] if row else 0, merge_messages).count_all(drafts, made)

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
            removed = connection.execute("DELETE FROM ticket WHERE import_id = ?", [import_id]).rowcount
            connection.execute("DELETE FROM import_change WHERE import_id = ?", [import_id])
            connection.execute("UPDATE import_batch SET undone_at = ? WHERE id = ?", [_now(), import_id])
            return Undone(import_id, removed, len(changed))

        undone = await self._database.write(write)
        self._database.index.tell(undone.tickets_restored)
        return undone


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
    messages = before.pop("messages")
    assert isinstance(messages, list)
    before["revision"] = take_revisions(connection, 1)
    assignments = ", ".join(f"{name} = ?" for name in before)
    connection.execute(f"UPDATE ticket SET {assignments} WHERE id = ?", [*before.values(), ticket_id])
    connection.execute("DELETE FROM message WHERE ticket_id = ?", [ticket_id])
    restored = [
        Message(p, author, Role(role), at, text, bool(internal)) for p, author, role, at, text, internal in messages
    ]
    insert_messages(connection, ((ticket_id, message) for message in restored))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
