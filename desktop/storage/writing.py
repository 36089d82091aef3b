"""Writing: one batch of tickets into the database, untouched when nothing changed.

Whole batches, not rows: a row a statement hands Python's lock over twice for each ticket, and every time the thread that parses ahead keeps it for
half a millisecond. So many rows go with one statement, looking up is one statement a batch, and many tickets are changed by one statement.
"""

from __future__ import annotations

import hashlib
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from desktop.domain.errors import DeskError
from desktop.domain.imports import Batch, Contents, ImportCounts
from desktop.domain.tickets import Message, TicketDraft
from desktop.storage.merging import merge_tickets
from desktop.storage.tickets import read_messages

COLUMNS = (
    *("subject", "status", "status_original", "priority", "priority_original"),
    *("requester", "assignee", "created_at", "updated_at"),
)
ROWS_A_STATEMENT = 100
_INSERTED = (
    *("id", "source_id", "external_id", "content_hash", *COLUMNS),
    *("message_count", "fields_json", "is_subject_made", "has_record", "import_id", "changed_import_id", "revision"),
)
_CHANGED = (
    "id",
    *COLUMNS,
    "content_hash",
    "message_count",
    "fields_json",
    "is_subject_made",
    "has_record",
    "changed_import_id",
    "revision",
)
_KEPT = (*COLUMNS, "content_hash", "message_count", "fields_json", "is_subject_made", "has_record", "changed_import_id")
_MESSAGE = ("ticket_id", "position", "author", "role", "internal", "created_at", "text", "is_attached")

# Everything that `undo` needs to restore a ticket, as one JSON document a ticket.
_SNAPSHOT = f"""INSERT INTO import_change (import_id, ticket_id, before_json)
  SELECT ?, ticket.id, json_object({", ".join(f"'{name}', {name}" for name in _KEPT)}, 'messages',
    (SELECT json_group_array(json_array(position, author, role, created_at, text, internal, is_attached))
      FROM (SELECT * FROM message WHERE ticket_id = ticket.id ORDER BY position)))
  FROM ticket WHERE id IN (SELECT value FROM json_each(?))
  ON CONFLICT DO NOTHING"""
_LOOK_UP = """SELECT json_group_array(json_array(external_id, id, content_hash)) FROM
  (SELECT DISTINCT value FROM json_each(?)) AS asked CROSS JOIN ticket ON source_id = ? AND external_id = asked.value"""


def require_not_undone(connection: sqlite3.Connection, import_id: int) -> None:
    """Let nothing more be written for an import that another window or command took back while it ran: nobody could take that back again.

    Raises:
        DeskError: `import-undone`.
    """
    row = connection.execute("SELECT undone_at FROM import_batch WHERE id = ?", [import_id]).fetchone()
    if row is None or row[0]:
        raise DeskError(
            "import-undone",
            f"Import {import_id} was undone while it ran, so it stopped; nothing of it is left.",
            remedy="Import the file again to have its tickets.",
        )


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a part of a file. Rows of an unchanged ticket count as unchanged.

    `ticket_ids` are the database's ids of all its tickets, new, changed and unchanged; of a preview, those that are there already.
    """

    tickets_new: int = 0
    tickets_updated: int = 0
    tickets_unchanged: int = 0
    rows_used: int = 0
    rows_unchanged: int = 0
    messages: int = 0
    ticket_ids: array[int] = field(default_factory=lambda: array("q"))

    def counts(self, batch: Batch) -> ImportCounts:
        """Return what became of every row of the batch that came to this."""
        return ImportCounts(
            rows=batch.rows,
            rows_used=self.rows_used,
            rows_unchanged=self.rows_unchanged + batch.repeated,
            rejected=len(batch.rejects),
            blank=batch.blank,
            footer=batch.footer,
            tickets_new=self.tickets_new,
            tickets_updated=self.tickets_updated,
            tickets_unchanged=self.tickets_unchanged,
            messages=self.messages,
        )


class Hashed(NamedTuple):
    """What a ticket's fields are as JSON in UTF-8, and its content hash: most of the work that needs no database."""

    fields_json: bytes
    content_hash: str


class _Prepared(NamedTuple):
    """A ticket ready to be written. `id` is 0 when it is new, `is_changed` false when it is stored as it is."""

    id: int
    draft: TicketDraft
    fields_json: bytes
    content_hash: str
    is_changed: bool


class BatchWriting:
    """One batch on the writer's connection, or on a reader's when it is only counted.

    `contents` is what its table says of tickets; `is_as_is` when the drafts are what the tickets shall be, nothing to be merged.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        import_id: int,
        source_id: int,
        *,
        contents: Contents = Contents.RECORDS,
        is_as_is: bool = False,
    ) -> None:
        self._connection = connection
        self._import_id = import_id
        self._source_id = source_id
        self._contents = contents
        self._is_as_is = is_as_is

    def for_source(self, source_id: int) -> BatchWriting:
        """Return the same for tickets of another source."""
        return BatchWriting(
            self._connection, self._import_id, source_id, contents=self._contents, is_as_is=self._is_as_is
        )

    def write_all(self, drafts: Sequence[TicketDraft], hashed: Sequence[Hashed]) -> BatchOutcome:
        """Write what is new or changed; `hashed` is what `hash_tickets` made of the same drafts."""
        tickets = list(self._prepare(drafts, hashed))
        new = [ticket for ticket in tickets if not ticket.id]
        changed = [ticket for ticket in tickets if ticket.id and ticket.is_changed]
        ids = array("q", (ticket.id for ticket in tickets if ticket.id))
        if new or changed:
            revision = take_revisions(self._connection, len(new) + len(changed))
            ids.extend(self._insert(new, revision))
            self._update(changed, revision + len(new))
        return _outcome(tickets, ids)

    def count_all(self, drafts: Sequence[TicketDraft], hashed: Sequence[Hashed]) -> BatchOutcome:
        """Say what `write_all` would do."""
        tickets = list(self._prepare(drafts, hashed))
        return _outcome(tickets, array("q", (ticket.id for ticket in tickets if ticket.id)))

    def _prepare(self, drafts: Sequence[TicketDraft], hashed: Sequence[Hashed]) -> Iterator[_Prepared]:
        stored = self._look_up(drafts)
        for draft, made in zip(drafts, hashed, strict=True):
            id_, known_hash = stored.get(draft.external_id, (0, ""))
            if id_ and known_hash != made.content_hash and not self._is_as_is:
                stored_draft = read_draft(self._connection, id_, draft.external_id)
                draft = merge_tickets(stored_draft, draft, self._contents)
                made = hash_ticket(draft)
            yield _Prepared(id_, draft, made.fields_json, made.content_hash, known_hash != made.content_hash)

    def _look_up(self, drafts: Sequence[TicketDraft]) -> dict[str, tuple[int, str]]:
        asked = dump([draft.external_id for draft in drafts]).decode()
        found = self._connection.execute(_LOOK_UP, [asked, self._source_id]).fetchone()[0]
        return {external_id: (id_, content_hash) for external_id, id_, content_hash in orjson.loads(found)}

    def _insert(self, tickets: Sequence[_Prepared], revision: int) -> range:
        # A ticket's first revision is its id as well: one that no ticket ever had. The highest id and one would be given again after an undo,
        # and what other imports say they held would mean a ticket of another file.
        ids = range(revision, revision + len(tickets))
        source, batch = self._source_id, self._import_id
        _insert_many(
            self._connection,
            "ticket",
            _INSERTED,
            [
                (
                    *(i, source, t.draft.external_id, t.content_hash, *_values(t.draft)),
                    *(
                        len(t.draft.messages),
                        t.fields_json,
                        t.draft.is_subject_made,
                        t.draft.has_record,
                        batch,
                        batch,
                        i,
                    ),
                )
                for i, t in zip(ids, tickets, strict=True)
            ],
        )
        insert_messages(self._connection, ((i, m) for i, t in zip(ids, tickets, strict=True) for m in t.draft.messages))
        return ids

    def _update(self, tickets: Sequence[_Prepared], revision: int) -> None:
        if not tickets:
            return
        ids = dump([ticket.id for ticket in tickets]).decode()
        self._connection.execute(_SNAPSHOT, [self._import_id, ids])
        rows = [
            (
                *(t.id, *_values(t.draft), t.content_hash, len(t.draft.messages)),
                *(t.fields_json, t.draft.is_subject_made, t.draft.has_record, self._import_id, place),
            )
            for place, t in enumerate(tickets, revision)
        ]
        assignments = ", ".join(f"{name} = given.{name}" for name in _CHANGED[1:])
        for part, marks in _parts(rows, _CHANGED):
            self._connection.execute(
                f"WITH given ({', '.join(_CHANGED)}) AS (VALUES {marks}) UPDATE ticket SET {assignments} FROM given WHERE ticket.id = given.id",
                part,
            )
        self._connection.execute("DELETE FROM message WHERE ticket_id IN (SELECT value FROM json_each(?))", [ids])
        insert_messages(self._connection, ((t.id, m) for t in tickets for m in t.draft.messages))


def take_revisions(connection: sqlite3.Connection, count: int) -> int:
    """Return the first of so many revisions that no ticket ever had. Whoever changes a ticket's text gives it one: see `search`."""
    row = connection.execute("UPDATE ticket_revision SET last = last + ? RETURNING last", [count]).fetchone()
    return int(row[0]) - count + 1


def insert_messages(connection: sqlite3.Connection, messages: Iterable[tuple[int, Message]]) -> None:
    """Insert messages, each with the id of its ticket."""
    _insert_many(
        connection,
        "message",
        _MESSAGE,
        [
            (i, m.position, m.author, str(m.role), int(m.internal), m.created_at, m.text, m.is_attached)
            for i, m in messages
        ],
    )


def dump(value: object) -> bytes:
    """Return compact JSON in UTF-8, the same bytes as `json.dumps` makes, in a fifth of its time."""
    return orjson.dumps(value)


def hash_tickets(drafts: Sequence[TicketDraft]) -> list[Hashed]:
    """Hash tickets where they were parsed, so that the writer's thread only writes: the fewer want Python's lock, the less the window waits."""
    return [hash_ticket(draft) for draft in drafts]


def hash_ticket(draft: TicketDraft) -> Hashed:
    """Return a ticket's fields as JSON and the hash of everything a reader could see: equal hashes mean that nothing changed.

    The hash is the hexadecimal SHA-256 of a compact JSON document, which stands in databases: its form cannot change.
    """
    fields = dump(draft.fields)
    d = draft
    values = [
        [d.external_id, d.subject, d.status, d.status_original, d.priority, d.priority_original],
        [d.requester, d.assignee, d.created_at, d.updated_at],
    ]
    # Piece by piece: beyond 2,047 bytes hashlib lets go of Python's lock, and the thread that parses keeps it.
    total = hashlib.sha256(dump(values)[:-1])
    total.update(b",")
    total.update(fields)
    total.update(b",")
    total.update(dump([[m.author, m.role, m.created_at, m.text, m.internal] for m in d.messages]))
    total.update(b"]")
    return Hashed(fields, total.hexdigest())


def _insert_many(
    connection: sqlite3.Connection, table: str, names: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    for part, marks in _parts(rows, names):
        connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks}", part)


def _parts(rows: Sequence[tuple[object, ...]], names: Sequence[str]) -> Iterator[tuple[list[object], str]]:
    """Cut rows into what one statement takes: their values in a line, and the question marks for them."""
    # JSON comes as the bytes it was made as: turned into a string and back it would take three times the memory.
    row_marks = f"({','.join('CAST(? AS TEXT)' if name == 'fields_json' else '?' for name in names)})"
    for first in range(0, len(rows), ROWS_A_STATEMENT):
        part = rows[first : first + ROWS_A_STATEMENT]
        yield [value for row in part for value in row], ",".join([row_marks] * len(part))


def read_draft(connection: sqlite3.Connection, ticket_id: int, external_id: str) -> TicketDraft:
    """Return a ticket as a draft of an export would give it."""
    names = ", ".join(COLUMNS)
    row = connection.execute(
        f"SELECT {names}, is_subject_made, has_record, fields_json FROM ticket WHERE id = ?", [ticket_id]
    ).fetchone()
    values = dict(zip(COLUMNS, row, strict=False))
    messages = read_messages(connection, ticket_id)
    is_subject_made, has_record, fields = bool(row[-3]), bool(row[-2]), orjson.loads(row[-1])
    return TicketDraft(
        external_id, **values, fields=fields, messages=messages, is_subject_made=is_subject_made, has_record=has_record
    )


def _values(d: TicketDraft) -> tuple[str, ...]:
    """Return what `COLUMNS` hold."""
    return (
        *(d.subject, d.status, d.status_original, d.priority, d.priority_original),
        *(d.requester, d.assignee, d.created_at, d.updated_at),
    )


def _outcome(tickets: Sequence[_Prepared], ids: array[int]) -> BatchOutcome:
    used = [ticket.draft for ticket in tickets if ticket.is_changed]
    new = sum(not ticket.id for ticket in tickets)
    rows_used = sum(draft.rows for draft in used)
    return BatchOutcome(
        tickets_new=new,
        tickets_updated=len(used) - new,
        tickets_unchanged=len(tickets) - len(used),
        rows_used=rows_used,
        rows_unchanged=sum(ticket.draft.rows for ticket in tickets) - rows_used,
        messages=sum(len(draft.messages) for draft in used),
        ticket_ids=ids,
    )
