"""History in the database: which tickets an import changed, how they stood before and after it, and the rows it rejected.

How a ticket stood after an import is not kept a second time: it is what the next import that changed it found there, else how it stands now. So
an old import can be looked at as well as the newest.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Sequence

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportChanges, RejectedRow, TicketState
from desktop.domain.imports import Contents, ImportCounts, Recognized
from desktop.storage.database import Database
from desktop.storage.idsets import pack_ids, unpack_ids
from desktop.storage.imports import BEFORE
from desktop.storage.recognitions import read_recognized
from desktop.storage.tickets import IDS_A_QUERY, message_of, read_messages
from desktop.storage.writing import COLUMNS

_REJECT = 'id, line, reason, "column", value, is_set_aside'


class HistoryStore:
    """Reads what imports did, and keeps the account of rejected rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes(self, import_id: int) -> ImportChanges:
        """Return which tickets an import added and changed, and which the import before it had and this one has not.

        Raises:
            DeskError: `import-missing`, `import-undone`.
        """

        def read(connection: sqlite3.Connection) -> ImportChanges:
            _require(connection, import_id)
            new = _ids(connection, "SELECT id FROM ticket WHERE import_id = ? ORDER BY id", [import_id])
            changed = _ids(
                connection,
                "SELECT ticket_id FROM import_change JOIN ticket ON ticket.id = ticket_id"
                " WHERE import_change.import_id = ? AND ticket.import_id != ? ORDER BY ticket_id",
                [import_id, import_id],
            )
            before = connection.execute(BEFORE, [import_id]).fetchone()
            held = connection.execute(
                "SELECT ticket_ids FROM import_batch WHERE id = ? AND json_extract(counts_json, '$.is_whole') = 1",
                [import_id],
            ).fetchone()
            if before is None or held is None or held[0] is None:
                return ImportChanges(import_id, new, changed)
            missing = set(unpack_ids(before[2])).difference(unpack_ids(held[0]))
            gone = array("q", sorted(_existing(connection, missing)))
            return ImportChanges(import_id, new, changed, gone, before[0], before[1])

        return await self._database.read(read)

    async def states(
        self, import_id: int, ticket_ids: Sequence[int]
    ) -> dict[int, tuple[TicketState | None, TicketState | None]]:
        """Return how tickets stood before and after an import; None before one that is new, and for both when the ticket is gone from here."""

        def read(connection: sqlite3.Connection) -> dict[int, tuple[TicketState | None, TicketState | None]]:
            return {i: (_before(connection, import_id, i), _after(connection, import_id, i)) for i in ticket_ids}

        return await self._database.read(read)

    async def recognized(self, import_id: int) -> Recognized | None:
        """Return how the file of an import was read; None where that was not kept.

        Raises:
            DeskError: `import-missing`.
        """

        def read(connection: sqlite3.Connection) -> Recognized | None:
            row = connection.execute("SELECT recognized_json FROM import_batch WHERE id = ?", [import_id]).fetchone()
            if row is None:
                raise _missing(import_id)
            return read_recognized(row[0])

        return await self._database.read(read)

    async def rejects(self, import_id: int) -> tuple[RejectedRow, ...]:
        """Return the rejected rows of an import: those to be looked at first, then those set aside, each in the order of the file."""

        def read(connection: sqlite3.Connection) -> tuple[RejectedRow, ...]:
            rows = connection.execute(
                f"SELECT {_REJECT} FROM import_reject WHERE import_id = ? ORDER BY is_set_aside, line, id", [import_id]
            )
            return tuple(_rejected(row) for row in rows)

        return await self._database.read(read)

    async def reject(self, reject_id: int) -> tuple[RejectedRow, int, int, str, tuple[str, ...]]:
        """Return one rejected row with the ids of its import and its source, its raw text and its cells (none where they are not known).

        Raises:
            DeskError: `reject-missing`, `import-undone`, `import-unfinished`.
        """

        def read(connection: sqlite3.Connection) -> tuple[RejectedRow, int, int, str, tuple[str, ...]]:
            row = connection.execute(
                f"SELECT {_REJECT}, import_id, raw, cells_json FROM import_reject WHERE id = ?", [reject_id]
            ).fetchone()
            if row is None:
                raise _no_reject()
            _, finished_at, source_id = _require(connection, row[6])
            if not finished_at:
                raise DeskError(
                    "import-unfinished",
                    f"Import {row[6]} is not finished yet.",
                    remedy="Wait for its end, then mend its rows.",
                )
            return _rejected(row[:6]), row[6], source_id, row[7], tuple(json.loads(row[8]))

        return await self._database.read(read)

    async def conflict(
        self, import_id: int, source_id: int, drafts: Sequence[tuple[str, str]], *, contents: Contents
    ) -> str:
        """Say why tickets (external id, content hash) may not be written as part of an import; '' when they may.

        A later import brought that ticket, or another row of the same file made it already: an older row must not go over either. In a file of
        messages many rows make a ticket.
        """

        def read(connection: sqlite3.Connection) -> str:
            held = unpack_ids(
                connection.execute("SELECT ticket_ids FROM import_batch WHERE id = ?", [import_id]).fetchone()[0]
            )
            for external_id, content_hash in drafts:
                row = connection.execute(
                    "SELECT id, content_hash, changed_import_id FROM ticket WHERE source_id = ? AND external_id = ?",
                    [source_id, external_id],
                ).fetchone()
                if row is None or row[1] == content_hash:
                    continue
                if row[2] > import_id:
                    return f"Ticket {external_id} came with import {row[2]} since, which is newer than this row"
                if row[0] in held and contents is not Contents.MESSAGES:
                    return f"Another row of this file already made ticket {external_id}, with different content"
            return ""

        return await self._database.read(read)

    async def amend(self, reject_id: int, *, reason: str, value: str, cells: Sequence[str], raw: str) -> None:
        """Keep a rejected row as it was edited, with the reason why it is still rejected."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE import_reject SET reason = ?, value = ?, cells_json = ?, raw = ?, is_set_aside = 0 WHERE id = ?",
                [reason, value, json.dumps(list(cells), ensure_ascii=False), raw, reject_id],
            )

        await self._database.write(write)

    async def set_aside(self, reject_id: int, *, aside: bool) -> None:
        """Leave a rejected row for good, or take it up again. It stays rejected, and counts as that.

        Raises:
            DeskError: `reject-missing`.
        """

        def write(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                "UPDATE import_reject SET is_set_aside = ? WHERE id = ?", [int(aside), reject_id]
            ).rowcount
            if not changed:
                raise _no_reject()

        await self._database.write(write)

    async def settle(self, reject_id: int, import_id: int, more: ImportCounts, ticket_ids: array[int]) -> None:
        """Take a row that was used out of the rejected ones, and count it and its tickets where they belong now."""

        def write(connection: sqlite3.Connection) -> None:
            if not connection.execute("DELETE FROM import_reject WHERE id = ?", [reject_id]).rowcount:
                return  # someone else settled it meanwhile, and counted it
            counts_json, packed = connection.execute(
                "SELECT counts_json, ticket_ids FROM import_batch WHERE id = ?", [import_id]
            ).fetchone()
            counts = json.loads(counts_json)
            for name in ImportCounts.__dataclass_fields__:
                counts[name] = counts.get(name, 0) + getattr(more, name)
            connection.execute(
                "UPDATE import_batch SET counts_json = ?, ticket_ids = ? WHERE id = ?",
                [json.dumps(counts), pack_ids(unpack_ids(packed) + ticket_ids), import_id],
            )

        await self._database.write(write)


def _require(connection: sqlite3.Connection, import_id: int) -> tuple[str, str, int]:
    row: tuple[str, str, int] | None = connection.execute(
        "SELECT undone_at, finished_at, source_id FROM import_batch WHERE id = ?", [import_id]
    ).fetchone()
    if row is None:
        raise _missing(import_id)
    if row[0]:
        raise DeskError(
            "import-undone",
            f"Import {import_id} was undone, so nothing of it is left to look at.",
            remedy="Import the file again to have its tickets back.",
        )
    return row


def _missing(import_id: int) -> DeskError:
    return DeskError(
        "import-missing", f"There is no import {import_id}.", remedy="See them with: tldesk import --history"
    )


def _no_reject() -> DeskError:
    return DeskError("reject-missing", "This row is no longer rejected.", remedy="Look at the list again.")


def _ids(connection: sqlite3.Connection, statement: str, values: Sequence[int]) -> array[int]:
    return array("q", (row[0] for row in connection.execute(statement, values)))


def _existing(connection: sqlite3.Connection, ids: set[int]) -> set[int]:
    """Return those of the tickets that are still here: the others went with an undone import."""
    listed = list(ids)
    found: set[int] = set()
    for first in range(0, len(listed), IDS_A_QUERY):
        part = listed[first : first + IDS_A_QUERY]
        marks = ",".join("?" * len(part))
        found.update(row[0] for row in connection.execute(f"SELECT id FROM ticket WHERE id IN ({marks})", part))
    return found


def _rejected(row: Sequence[object]) -> RejectedRow:
    number, line, reason, column, value, aside = row
    assert isinstance(number, int)
    assert isinstance(line, int)
    return RejectedRow(number, line, str(reason), str(column), str(value), bool(aside))


def _before(connection: sqlite3.Connection, import_id: int, ticket_id: int) -> TicketState | None:
    row = connection.execute(
        "SELECT before_json FROM import_change JOIN ticket ON ticket.id = ticket_id"
        " WHERE import_change.import_id = ? AND ticket_id = ? AND ticket.import_id != ?",
        [import_id, ticket_id, import_id],
    ).fetchone()
    return _state(row[0]) if row else None


def _after(connection: sqlite3.Connection, import_id: int, ticket_id: int) -> TicketState | None:
    row = connection.execute(
        "SELECT before_json FROM import_change WHERE ticket_id = ? AND import_id > ? ORDER BY import_id LIMIT 1",
        [ticket_id, import_id],
    ).fetchone()
    if row:
        return _state(row[0])
    row = connection.execute(
        f"SELECT {', '.join(COLUMNS)}, fields_json FROM ticket WHERE id = ?", [ticket_id]
    ).fetchone()
    if row is None:
        return None
    return TicketState(
        dict(zip(COLUMNS, row, strict=False)), json.loads(row[-1]), tuple(read_messages(connection, ticket_id))
    )


def _state(text: str) -> TicketState:
    """Read a ticket as an import that changed it kept it."""
    kept = json.loads(text)
    messages = tuple(message_of(*values) for values in kept["messages"])
    return TicketState({name: kept[name] for name in COLUMNS}, json.loads(kept["fields_json"]), messages)
