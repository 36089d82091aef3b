"""Imports in the database: tickets in, untouched when nothing changed, and a way back.

A ticket is the same ticket when source and external id are the same. What an update replaces is kept beside the import that replaced it, so that the
import can be undone as long as no later one changed the same tickets.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.history import ImportRecord
from desktop.domain.imports import Contents, ImportCounts, Recognized, Reject, Undone
from desktop.domain.text import valid_text
from desktop.domain.tickets import TicketDraft
from desktop.storage.database import Database
from desktop.storage.idsets import pack_ids
from desktop.storage.people import undo_people
from desktop.storage.recognitions import write_recognized
from desktop.storage.rejects import insert_rejects, read_rejects
from desktop.storage.sources import count_by_source, write_by_source
from desktop.storage.tickets import message_of
from desktop.storage.writing import BatchOutcome as BatchOutcome
from desktop.storage.writing import (
    BatchWriting,
    Hashed,
    hash_tickets,
    insert_messages,
    require_not_undone,
    take_revisions,
)

BEFORE = """SELECT earlier.id, earlier.finished_at, earlier.ticket_ids FROM import_batch AS earlier JOIN import_batch AS this ON this.id = ?
  WHERE earlier.id < this.id AND earlier.source_id = this.source_id AND earlier.shape = this.shape AND earlier.undone_at = ''
  AND json_extract(nullif(earlier.recognized_json, ''), '$.format') IS json_extract(nullif(this.recognized_json, ''), '$.format')
  AND earlier.ticket_ids IS NOT NULL AND json_extract(earlier.counts_json, '$.is_whole') = 1 ORDER BY earlier.id DESC LIMIT 1"""
"""The whole import before an import, of the same source and the same kind and shape of table: its id, its end, and the tickets that it held."""
_COUNTS = """CASE WHEN finished_at != '' THEN counts_json ELSE json_object(
  'tickets_new', (SELECT count(*) FROM ticket WHERE import_id = import_batch.id),
  'tickets_updated', (SELECT count(*) FROM import_change WHERE import_id = import_batch.id),
  'rejected', (SELECT count(*) FROM import_reject WHERE import_id = import_batch.id)) END"""
_REJECTS = """(SELECT count(*) FROM import_reject WHERE import_id = import_batch.id AND is_set_aside = 0),
  (SELECT count(*) FROM import_reject WHERE import_id = import_batch.id)"""
_STOPPED = """SELECT id FROM import_batch WHERE undone_at = '' AND json_extract(counts_json, '$.is_whole') = 0
  AND json_extract(counts_json, '$.is_told') IS NULL ORDER BY id DESC LIMIT 1"""
_SET_TOLD = "UPDATE import_batch SET counts_json = json_set(counts_json, '$.is_told', 1) WHERE id = ?"
_SOURCE_OF_TICKETS = """WITH ids AS (SELECT value FROM json_each(?)) SELECT source.name, count(*) AS n
  FROM ticket JOIN source ON source.id = source_id WHERE external_id IN ids GROUP BY source_id ORDER BY n DESC, source.name = ? DESC LIMIT 1"""
_SOURCE_OF_PEOPLE = """WITH ids AS (SELECT value FROM json_each(?)), named AS (
    SELECT source_id, external_id AS id FROM person WHERE external_id IN ids
    UNION SELECT source_id, requester FROM ticket WHERE requester IN ids UNION SELECT source_id, assignee FROM ticket WHERE assignee IN ids
    UNION SELECT source_id, author FROM message JOIN ticket ON ticket.id = ticket_id WHERE author IN ids)
  SELECT source.name, count(DISTINCT named.id) AS n FROM named JOIN source ON source.id = source_id
  GROUP BY source_id ORDER BY n DESC, source.name = ? DESC LIMIT 1"""
_LEFT_A_TRACE = """SELECT EXISTS (SELECT 1 FROM ticket WHERE import_id = ?) OR EXISTS (SELECT 1 FROM import_change WHERE import_id = ?)
  OR EXISTS (SELECT 1 FROM import_reject WHERE import_id = ?) OR EXISTS (SELECT 1 FROM person WHERE import_id = ?)
  OR EXISTS (SELECT 1 FROM import_batch WHERE id = ? AND undone_at != '')"""


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
                "INSERT INTO import_batch (source_id, path, system, started_at, shape, recognized_json) VALUES (?, ?, ?, ?, ?, ?)",
                # A name of bytes that are no text is known to the system only; here it is to be read.
                [
                    source_id,
                    valid_text(recognized.path),
                    recognized.system,
                    now(),
                    recognized.shape,
                    write_recognized(recognized),
                ],
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
        contents: Contents,
        hashed: Sequence[Hashed] | None = None,
    ) -> BatchOutcome:
        """Write tickets: new ones, changed ones, and none that is equal. `contents` is what their table says of tickets.

        `hashed` is what `hash_tickets` made of the drafts, where that was done in another thread.
        """

        def write(connection: sqlite3.Connection) -> BatchOutcome:
            require_not_undone(connection, import_id)
            insert_rejects(connection, import_id, rejects)
            made = hash_tickets(drafts) if hashed is None else hashed
            writing = BatchWriting(connection, import_id, source_id, contents=contents)
            return write_by_source(connection, writing, drafts, made)

        outcome = await self._database.write(write)
        self._database.index.tell(outcome.tickets_new + outcome.tickets_updated)
        return outcome

    async def preview_batch(
        self,
        source: str,
        drafts: Sequence[TicketDraft],
        *,
        contents: Contents,
        hashed: Sequence[Hashed] | None = None,
    ) -> BatchOutcome:
        """Say what `write_batch` would do, writing nothing."""

        def read(connection: sqlite3.Connection) -> BatchOutcome:
            row = connection.execute("SELECT id FROM source WHERE name = ?", [source]).fetchone()
            made = hash_tickets(drafts) if hashed is None else hashed
            counting = BatchWriting(connection, 0, row[0] if row else 0, contents=contents)
            return count_by_source(connection, counting, drafts, made)

        return await self._database.read(read)

    async def rejects_after(self, import_id: int, reject_id: int, *, limit: int) -> tuple[int, tuple[Reject, ...]]:
        """Return rejects of an import in the order of its file, from the one after `reject_id` on, and the id after which to go on."""
        return await self._database.read(lambda connection: read_rejects(connection, import_id, reject_id, limit))

    async def find_source(self, ids: Iterable[str], *, are_people: bool, preferred: str) -> tuple[str, int]:
        """Return the source whose tickets have, or name as their people, most of these ids, and how many of them; ('', 0) for none.

        Of equals it is the preferred one.
        """
        statement = _SOURCE_OF_PEOPLE if are_people else _SOURCE_OF_TICKETS
        listed = json.dumps(list(ids))

        def read(connection: sqlite3.Connection) -> tuple[str, int]:
            row = connection.execute(statement, [listed, preferred]).fetchone()
            return (str(row[0]), int(row[1])) if row else ("", 0)

        return await self._database.read(read)

    async def finish(
        self,
        import_id: int,
        counts: ImportCounts,
        *,
        is_whole: bool = True,
        ticket_ids: array[int] = array("q"),  # noqa: B008 - never changed
    ) -> int:
        """Record an import's end and return its id; one that changed and rejected nothing, and misses no ticket, leaves no trace and is 0.

        `is_whole` is false for one that was stopped: see `take_stopped`. `ticket_ids` are all tickets that its file held.
        """

        def write(connection: sqlite3.Connection) -> int:
            held = pack_ids(ticket_ids)
            has_left_a_trace = connection.execute(_LEFT_A_TRACE, [import_id] * 5).fetchone()[0]
            if not has_left_a_trace and not (is_whole and _holds_others(connection, import_id, held)):
                connection.execute("DELETE FROM import_batch WHERE id = ?", [import_id])
                connection.execute(
                    "DELETE FROM source WHERE id NOT IN (SELECT source_id FROM ticket UNION SELECT source_id FROM import_batch)"
                )
                return 0
            connection.execute(
                "UPDATE import_batch SET finished_at = ?, counts_json = ?, ticket_ids = ? WHERE id = ?",
                [now(), json.dumps({**asdict(counts), "is_whole": is_whole}), held, import_id],
            )
            return import_id

        return await self._database.write(write)

    async def take_stopped(self) -> ImportRecord | None:
        """Return the newest import that was stopped and that nobody was told of yet; None when there is none. It is told of once."""

        def read(connection: sqlite3.Connection) -> ImportRecord | None:
            row = connection.execute(_STOPPED).fetchone()
            return _records(connection, "WHERE import_batch.id = ?", row)[0] if row else None

        def write(connection: sqlite3.Connection) -> ImportRecord | None:
            # Read again: another TLDesk may have told of it meanwhile.
            record = read(connection)
            if record is not None:
                connection.execute(_SET_TOLD, [record.id])
            return record

        # Nearly always there is none, and then nothing is written.
        return await self._database.write(write) if await self._database.read(read) else None

    async def history(self) -> tuple[ImportRecord, ...]:
        """Return all imports, the newest first."""
        return await self._database.read(_records)

    async def undo(self, import_id: int, *, running: Iterable[int] = ()) -> Undone:
        """Take an import back: remove what was new, restore what was changed. `running` are imports that are being written.

        Raises:
            DeskError: `import-missing`, `import-undone`, `import-superseded`, `import-running`.
        """
        still = json.dumps(list(running))

        def write(connection: sqlite3.Connection) -> Undone:
            _require_undoable(connection, import_id)
            _require_quiet(connection, import_id, still)
            restored = 0
            # One by one: all tickets of a large import, as they were before it, would not fit into memory.
            for ticket_id, before in connection.execute(
                "SELECT ticket_id, before_json FROM import_change WHERE import_id = ?", [import_id]
            ):
                _restore(connection, ticket_id, json.loads(before))
                restored += 1
            removed = connection.execute("DELETE FROM ticket WHERE import_id = ?", [import_id]).rowcount
            connection.execute("DELETE FROM import_change WHERE import_id = ?", [import_id])
            undo_people(connection, import_id)
            connection.execute("UPDATE import_batch SET undone_at = ? WHERE id = ?", [now(), import_id])
            return Undone(import_id, removed, restored)

        undone = await self._database.write(write)
        self._database.index.tell(undone.tickets_restored)
        return undone


def _records(
    connection: sqlite3.Connection, condition: str = "", values: Sequence[object] = ()
) -> tuple[ImportRecord, ...]:
    rows = connection.execute(
        f"SELECT import_batch.id, name, path, import_batch.system, started_at, finished_at, undone_at, {_COUNTS}, {_REJECTS},"
        " json_extract(nullif(recognized_json, ''), '$.system_title')"
        f" FROM import_batch JOIN source ON source.id = source_id {condition} ORDER BY import_batch.id DESC",
        values,
    )
    return tuple(
        ImportRecord(i, source, path, system, began, ended, undone, json.loads(c), waiting, kept, title or system)
        for i, source, path, system, began, ended, undone, c, waiting, kept, title in rows
    )


def _holds_others(connection: sqlite3.Connection, import_id: int, held: bytes) -> bool:
    """Tell whether the whole import before this one, of the same source and shape, held other tickets: then some are gone."""
    before = connection.execute(BEFORE, [import_id]).fetchone()
    return before is not None and before[2] != held


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


def _require_quiet(connection: sqlite3.Connection, import_id: int, running: str) -> None:
    """An import that runs has counted tickets of its source as unchanged: they must not go from under it."""
    row = connection.execute(
        "SELECT this.id FROM import_batch AS this JOIN import_batch AS undone USING (source_id)"
        " WHERE undone.id = ? AND this.id IN (SELECT value FROM json_each(?))",
        [import_id, running],
    ).fetchone()
    if row:
        raise DeskError(
            "import-running",
            f"Import {row[0]} of the same source is still running.",
            remedy=f"Wait for its end or cancel it, then undo import {import_id}.",
        )


def _restore(connection: sqlite3.Connection, ticket_id: int, before: dict[str, object]) -> None:
    messages = before.pop("messages")
    assert isinstance(messages, list)
    before["revision"] = take_revisions(connection, 1)
    assignments = ", ".join(f"{name} = ?" for name in before)
    connection.execute(f"UPDATE ticket SET {assignments} WHERE id = ?", [*before.values(), ticket_id])
    connection.execute("DELETE FROM message WHERE ticket_id = ?", [ticket_id])
    insert_messages(connection, ((ticket_id, message_of(*values)) for values in messages))
