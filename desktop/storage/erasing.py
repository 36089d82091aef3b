"""Erasing in the database: one person out of every table, in one transaction.

No list of columns: each table's text is looked through, whatever a later version keeps there, so that nothing is forgotten. Before a row is read, SQL
looks for a part of the handles in it, which leaves Python a few rows of a hundred thousand. In other people's tickets the content hash stays as it
was: an import of the same export then finds them unchanged, and does not bring the name back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from desktop.domain.clock import now
from desktop.domain.erasing import Footprint, Found, Way
from desktop.domain.scrubbing import Scrubber
from desktop.storage.database import Database
from desktop.storage.identifying import find_person, read_requester
from desktop.storage.scrubbing import Rehash, ScrubbedTickets, find_hits, hits, inflate

_OWN = "IN (SELECT value FROM json_each(:own))"
_COUNTS = f"""SELECT (SELECT count(*) FROM message WHERE ticket_id {_OWN}),
  (SELECT count(*) FROM summary JOIN run ON run.id = run_id WHERE ticket_id {_OWN}),
  (SELECT count(*) FROM starred_ticket WHERE ticket_id {_OWN}), (SELECT count(*) FROM queue_item WHERE ticket_id {_OWN}),
  (SELECT count(*) FROM ledger WHERE ticket_id {_OWN})"""
_OF_THEIR_OWN = frozenset(("ticket", "message", "trace", "erased_person", "erasure", "ticket_revision", "watched_file"))
"""Tables that are not looked through cell by cell: they have steps of their own, or hold no text."""
_NAMES_OF_OURS = frozenset(
    (
        "provider model recipe cache_key content_hash fingerprint identity state status role task form kind priority language"
        " sentiment next_owner error"
    ).split()
)
"""Columns of words that are ours or that other rows point to by name: no person's."""
TRACES_AT_ONCE = 500

Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """A keyed hash of a handle of somebody who was erased, and what stands in their place."""

    identity: str
    stand_in: str
    way: Way
    erased_at: str


@dataclass(frozen=True, slots=True)
class Order:
    """Whom to erase and how: `identities` are what they are known again by."""

    found: Found
    way: Way
    identities: tuple[str, ...]


class ErasingStore:
    """Looks for one person everywhere, and takes them out."""

    def __init__(self, database: Database, *, hash_messages: Rehash) -> None:
        self._database = database
        self._hash_messages = hash_messages

    async def find(self, reference: str) -> Found:
        """Return the one person that a name, an e-mail address or a number names.

        Raises:
            DeskError: `person-missing`, `person-ambiguous`.
        """
        return await self._database.read(lambda connection: find_person(connection, reference))

    async def requester_of(self, ticket_id: int) -> str:
        """Return what names a ticket's requester best.

        Raises:
            DeskError: `ticket-missing`, `person-missing`.
        """
        return await self._database.read(lambda connection: read_requester(connection, ticket_id))

    async def footprint(self, found: Found) -> Footprint:
        """Count what the database holds of a person."""
        scrubber = Scrubber(found.handles_elsewhere, "Person")

        def read(connection: sqlite3.Connection) -> Footprint:
            counted = _count(connection, found, scrubber, find_hits(connection, scrubber))
            return replace(counted, traces=len(_find_traces(connection, found, scrubber)))

        return await self._database.read(read)

    async def stand_in(self, identities: Sequence[str]) -> str:
        """Return what is to stand in a person's place: what did before, or the next number."""
        return await self._database.read(lambda connection: _stand_in(connection, identities))

    async def erase(self, order: Order, told: Told) -> tuple[str, Footprint]:
        """Take a person out; return the stand-in and what went. `told` hears from the writer's thread what is done and how far it is."""
        outcome = await self._database.write(
            lambda connection: _Erasing(connection, order, self._hash_messages).run(told)
        )
        self._database.index.tell(1)
        return outcome

    async def sweep(self) -> bool:
        """Have nothing left of what was erased in freed pages, the log and the full-text index; false when it must be tried again later."""
        if not await self._database.read(_is_unswept):
            return True
        # The index is emptied because its history is another one since.
        await self._database.caught_up()
        if not await self._database.sweep():
            return False
        await self._database.write(lambda connection: connection.execute("UPDATE erasure SET is_swept = 1"))
        return True

    async def identities(self) -> tuple[Identity, ...]:
        """Return by what everybody who was erased is known again."""

        def read(connection: sqlite3.Connection) -> tuple[Identity, ...]:
            rows = connection.execute("SELECT identity, stand_in, way, erased_at FROM erased_person")
            return tuple(Identity(identity, stand_in, Way(way), at) for identity, stand_in, way, at in rows)

        return await self._database.read(read)


def traces_hold(path: Path, scrubber: Scrubber) -> bool:
    """Tell whether the traces in a copy of the database, which are packed, name a person."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        return any(
            _is_named(request, answer, scrubber)
            for request, answer in copy.execute("SELECT request, answer FROM trace")
        )
    return False


class _Erasing:
    """One person being taken out, on the writer's connection."""

    def __init__(self, connection: sqlite3.Connection, order: Order, hash_messages: Rehash) -> None:
        self._connection = connection
        self._order = order
        self._found = order.found
        self._own = json.dumps(order.found.ticket_ids)
        self._hash_messages = hash_messages
        stand_in = _stand_in(connection, order.identities)
        self._elsewhere = Scrubber(order.found.handles_elsewhere, stand_in)
        self._at_home = Scrubber(order.found.handles, stand_in, is_own=True)

    def run(self, told: Told) -> tuple[str, Footprint]:
        told("Counting", 0.0)
        named = find_hits(self._connection, self._elsewhere)
        counted = _count(self._connection, self._found, self._elsewhere, named)
        told("Traces", 0.2)
        traces = self._drop_traces()
        self._forget_on_the_way()
        told("Tickets", 0.4)
        if self._order.way is Way.REMOVE:
            self._connection.execute(f"DELETE FROM ticket WHERE id {_OWN}", {"own": self._own})
        own = frozenset(self._found.ticket_ids) if self._order.way is Way.ANONYMIZE else frozenset()
        tickets = ScrubbedTickets(self._connection, self._elsewhere, self._at_home, own, self._hash_messages)
        mentions = tickets.scrub(named)
        told("Summaries, history and the rest", 0.8)
        self._scrub_tables()
        self._remember()
        footprint = replace(counted, traces=traces, mentions=mentions)
        self._connection.execute(
            "INSERT INTO erasure (at, way, stand_in, counts_json) VALUES (?, ?, ?, ?)",
            [now(), self._order.way.value, self._elsewhere.stand_in, json.dumps(asdict(footprint))],
        )
        return self._elsewhere.stand_in, footprint

    def _drop_traces(self) -> int:
        """Delete the traces of their tickets, and those of others that name them (an example that was sent along)."""
        named = _find_traces(self._connection, self._found, self._elsewhere)
        self._connection.execute(
            "DELETE FROM trace WHERE ledger_id IN (SELECT value FROM json_each(?))", [json.dumps(named)]
        )
        return len(named)

    def _forget_on_the_way(self) -> None:
        """Take out what is theirs and no ticket's: what remains of a request is when it went, where to, its size and hash."""
        own = {"own": self._own}
        away = ", ticket_id = 0, run_id = 0" if self._order.way is Way.REMOVE else ""
        self._connection.execute(f"UPDATE ledger SET message = ''{away} WHERE ticket_id {_OWN}", own)
        self._connection.execute(f"DELETE FROM import_change WHERE ticket_id {_OWN}", own)
        for source_id, number in self._found.handles.ids:
            key = [source_id, number]
            if self._order.way is Way.REMOVE:
                self._connection.execute("DELETE FROM person WHERE source_id = ? AND external_id = ?", key)
            else:
                self._connection.execute(
                    "UPDATE person SET name = ?, email = '', before_json = '' WHERE source_id = ? AND external_id = ?",
                    [self._elsewhere.stand_in, *key],
                )
        if self._order.way is Way.REMOVE:
            rejects = [key for key, _ in _changed(self._connection, "import_reject", self._elsewhere)]
            self._connection.executemany("DELETE FROM import_reject WHERE rowid = ?", rejects)
        handled = [key for key, _ in _changed(self._connection, "watched_file", self._elsewhere)]
        self._connection.executemany("DELETE FROM watched_file WHERE rowid = ?", handled)

    def _scrub_tables(self) -> None:
        for table in _tables(self._connection):
            if table not in _OF_THEIR_OWN:
                self._scrub_table(table)

    def _scrub_table(self, table: str) -> None:
        owner = _owner(self._connection, table) if self._order.way is Way.ANONYMIZE else ""
        changes = list(_changed(self._connection, table, self._elsewhere))
        if owner:
            mine = f"{owner} {_OWN}"
            changes += _changed(self._connection, table, self._at_home, condition=mine, values={"own": self._own})
        condition = " AND ".join(f"{_quoted(name)} = ?" for name in _key(self._connection, table))
        for key, values in changes:
            names = ", ".join(f"{_quoted(name)} = ?" for name in values)
            try:
                self._connection.execute(
                    f"UPDATE {_quoted(table)} SET {names} WHERE {condition}", [*values.values(), *key]
                )
            except sqlite3.IntegrityError:
                # Two rows that only the name told apart.
                told_apart = [f"{value} ({key[-1]})" for value in values.values()]
                self._connection.execute(f"UPDATE {_quoted(table)} SET {names} WHERE {condition}", [*told_apart, *key])

    def _remember(self) -> None:
        """Keep by what they are known again, and have the full-text index made anew: it holds their words as long as it stands."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO erased_person (identity, stand_in, way, erased_at) VALUES (?, ?, ?, ?)",
            [(each, self._elsewhere.stand_in, self._order.way.value, now()) for each in self._order.identities],
        )
        self._connection.execute("UPDATE ticket_revision SET history = lower(hex(randomblob(16)))")


def _count(connection: sqlite3.Connection, found: Found, scrubber: Scrubber, named: set[int]) -> Footprint:
    own = json.dumps(found.ticket_ids)
    messages, summaries, starred, queue_items, ledger = connection.execute(_COUNTS, {"own": own}).fetchone()
    return Footprint(
        tickets=len(found.ticket_ids),
        messages=messages,
        summaries=summaries,
        starred=starred,
        queue_items=queue_items,
        ledger_entries=ledger,
        rejects=sum(1 for _ in _changed(connection, "import_reject", scrubber)),
        mentions=len(named - set(found.ticket_ids)),
    )


def _stand_in(connection: sqlite3.Connection, identities: Sequence[str]) -> str:
    """Return the stand-in that a person has already, else the next one that nobody is called."""
    before = connection.execute(
        "SELECT stand_in FROM erased_person WHERE identity IN (SELECT value FROM json_each(?)) LIMIT 1",
        [json.dumps(identities)],
    ).fetchone()
    if before:
        return str(before[0])
    number = (
        connection.execute(
            "SELECT count(DISTINCT stand_in) FROM (SELECT stand_in FROM erased_person UNION SELECT stand_in FROM erasure)"
        ).fetchone()[0]
        + 1
    )
    while connection.execute("SELECT 1 FROM ticket WHERE requester = ? LIMIT 1", [f"Person {number}"]).fetchone():
        number += 1
    return f"Person {number}"


def _is_unswept(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM erasure WHERE NOT is_swept LIMIT 1").fetchone() is not None


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    return [name for (name,) in rows.fetchall() if name != "_sqlite_migrations"]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return a table's columns of text."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'", [table])
    return [name for (name,) in rows if name not in _NAMES_OF_OURS]


def _key(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Return what tells a table's rows apart."""
    is_without_rowid = connection.execute(
        "SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", [table]
    ).fetchone()[0]
    if not is_without_rowid:
        return ("rowid",)
    rows = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table])
    return tuple(name for (name,) in rows)


def _owner(connection: sqlite3.Connection, table: str) -> str:
    """Return what says to which ticket a table's row belongs; '' when none does."""
    columns = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", [table])}
    if "ticket_id" in columns:
        return "ticket_id"
    return "(SELECT ticket_id FROM run WHERE run.id = run_id)" if "run_id" in columns else ""


def _changed(
    connection: sqlite3.Connection,
    table: str,
    scrubber: Scrubber,
    *,
    condition: str = "",
    values: dict[str, str] | None = None,
) -> Iterator[tuple[tuple[object, ...], dict[str, str]]]:
    """Yield the rows that name a person: each row's key, and what its cells are without them.

    A condition takes the place of looking for the handles first.
    """
    columns, key = _columns(connection, table), _key(connection, table)
    if not columns:
        return
    bound: dict[str, str] = values or {}
    if not condition:
        condition, bound = hits(columns, scrubber)
    names = ", ".join(_quoted(name) for name in (*key, *columns))
    for row in connection.execute(f"SELECT {names} FROM {_quoted(table)} WHERE {condition}", bound).fetchall():
        cells = dict(zip(columns, row[len(key) :], strict=True))
        new = {name: _scrubbed(name, cell, scrubber) for name, cell in cells.items() if cell}
        if differing := {name: cell for name, cell in new.items() if cell != cells[name]}:
            yield tuple(row[: len(key)]), differing


def _scrubbed(name: str, cell: str, scrubber: Scrubber) -> str:
    return scrubber.json(cell) if name.endswith("_json") else scrubber.cell(cell)


def _traces(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Yield all traces, some at a time."""
    after = -1
    while rows := connection.execute(
        "SELECT ledger_id, request, answer FROM trace WHERE ledger_id > ? ORDER BY ledger_id LIMIT ?",
        [after, TRACES_AT_ONCE],
    ).fetchall():
        yield from rows
        after = rows[-1][0]


def _find_traces(connection: sqlite3.Connection, found: Found, scrubber: Scrubber) -> list[int]:
    """Return the traces of a person's tickets, and those of others' that name them."""
    own = {"own": json.dumps(found.ticket_ids)}
    of_own = {row[0] for row in connection.execute(f"SELECT id FROM ledger WHERE ticket_id {_OWN}", own)}
    return [n for n, request, answer in _traces(connection) if n in of_own or _is_named(request, answer, scrubber)]


def _is_named(request: bytes, answer: bytes | None, scrubber: Scrubber) -> bool:
    """Tell whether a trace names a person, in JSON or in plain text."""
    for packed in (request, answer):
        if not packed:
            continue
        raw = inflate(packed)
        lowered = raw.lower()
        if any(needle.lower().encode("utf-8", "surrogatepass") in lowered for needle in scrubber.needles):
            text = raw.decode("utf-8", "replace")
            if scrubber.json(text) != text or scrubber.text(text) != text:
                return True
    return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if name != "rowid" else name
