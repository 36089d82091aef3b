"""People in the database: who stands behind the numbers in a source's tables, and their names in the tickets that are here already.

An import of people changes tickets as any import does: it can be looked at and undone. How earlier imports had a person is kept beside
them, so that any of these can be taken back.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from desktop.domain.imports import Reject
from desktop.domain.people import Person, name_people
from desktop.domain.tickets import Role, TicketDraft
from desktop.storage.database import Database
from desktop.storage.rejects import insert_rejects
from desktop.storage.writing import BatchOutcome, BatchWriting, hash_tickets, read_draft, require_not_undone

_AFFECTED = """SELECT ticket.id, external_id FROM ticket WHERE source_id = :source AND (
    requester IN (SELECT value FROM json_each(:ids)) OR assignee IN (SELECT value FROM json_each(:ids))
    OR EXISTS (SELECT 1 FROM message WHERE ticket_id = ticket.id AND author IN (SELECT value FROM json_each(:ids))))"""
_TOUCHED = """SELECT source_id, external_id, before_json, name, email, role, import_id FROM person WHERE import_id = ?
    OR EXISTS (SELECT 1 FROM json_each(nullif(before_json, '')) WHERE json_extract(value, '$[3]') = ?)"""
_IMPORT = 3
"""Where, in what is kept of a person, the import stands that said so."""
_TICKETS_A_BATCH = 500


class PeopleStore:
    """Reads and writes people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_source(self, source: str) -> Mapping[str, Person]:
        """Return the people of a source by their ids."""

        def read(connection: sqlite3.Connection) -> dict[str, Person]:
            return _people(connection, _source_id(connection, source))

        return await self._database.read(read)

    async def write(
        self, import_id: int, source_id: int, people: Sequence[Person], *, rejects: Sequence[Reject] = ()
    ) -> BatchOutcome:
        """Write people that are new or changed, and their names into the tickets of their source."""

        def write(connection: sqlite3.Connection) -> BatchOutcome:
            require_not_undone(connection, import_id)
            insert_rejects(connection, import_id, rejects)
            changed = _changed(connection, source_id, people, import_id=import_id)
            connection.executemany(
                "INSERT INTO person (source_id, external_id, name, email, role, import_id, before_json) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (source_id, external_id) DO UPDATE SET name = excluded.name, email = excluded.email, role = excluded.role,"
                " import_id = excluded.import_id, before_json = excluded.before_json",
                [(source_id, p.external_id, p.name, p.email, str(p.role), import_id, before) for p, before in changed],
            )
            outcome = BatchOutcome()
            for drafts in _renamed(connection, source_id, [person for person, _ in changed]):
                written = BatchWriting(connection, import_id, source_id, is_as_is=True).write_all(
                    drafts, hash_tickets(drafts)
                )
                outcome = _and(outcome, written.tickets_updated, written.ticket_ids)
            return _with_rows(outcome, used=len(changed), of=len(people))

        outcome = await self._database.write(write)
        self._database.index.tell(outcome.tickets_updated)
        return outcome

    async def preview(self, source: str, people: Sequence[Person]) -> BatchOutcome:
        """Say what `write` would do, writing nothing."""

        def read(connection: sqlite3.Connection) -> BatchOutcome:
            source_id = _source_id(connection, source)
            changed = [person for person, _ in _changed(connection, source_id, people)]
            tickets = sum(len(drafts) for drafts in _renamed(connection, source_id, changed))
            return _with_rows(_and(BatchOutcome(), tickets, array("q")), used=len(changed), of=len(people))

        return await self._database.read(read)


def undo_people(connection: sqlite3.Connection, import_id: int) -> None:
    """Take people back that an import brought, and put back those that it changed, whatever other imports said of them before and since."""
    rows = connection.execute(_TOUCHED, [import_id, import_id]).fetchall()
    for source_id, external_id, before, *now in rows:
        layers = [layer for layer in [*_layers(before), now] if layer[_IMPORT] != import_id]
        if not layers:
            connection.execute("DELETE FROM person WHERE source_id = ? AND external_id = ?", [source_id, external_id])
            continue
        connection.execute(
            "UPDATE person SET before_json = ?, name = ?, email = ?, role = ?, import_id = ? WHERE source_id = ? AND external_id = ?",
            [_packed(layers[:-1]), *layers[-1], source_id, external_id],
        )


def _source_id(connection: sqlite3.Connection, source: str) -> int:
    row = connection.execute("SELECT id FROM source WHERE name = ?", [source]).fetchone()
    return int(row[0]) if row else 0


def _people(connection: sqlite3.Connection, source_id: int) -> dict[str, Person]:
    rows = connection.execute("SELECT external_id, name, email, role FROM person WHERE source_id = ?", [source_id])
    return {i: Person(i, name, email, Role(role)) for i, name, email, role in rows}


def _changed(
    connection: sqlite3.Connection, source_id: int, people: Sequence[Person], *, import_id: int = 0
) -> list[tuple[Person, str]]:
    """Return the people that are new or changed, each with how earlier imports had them ('' when they are new)."""
    ids = json.dumps([person.external_id for person in people])
    rows = connection.execute(
        "SELECT external_id, name, email, role, import_id, before_json FROM person"
        " WHERE source_id = ? AND external_id IN (SELECT value FROM json_each(?))",
        [source_id, ids],
    )
    stored = {row[0]: row[1:] for row in rows}
    changed = []
    for person in people:
        before = stored.get(person.external_id)
        if before is None or before[:3] != (person.name, person.email, str(person.role)):
            changed.append((person, _with_layer(before, import_id) if before else ""))
    return changed


def _with_layer(before: tuple[str, str, str, int, str], import_id: int) -> str:
    """Return what is kept of a person who changes; what the same import said of them earlier is no state to go back to."""
    *now, earlier = before
    return earlier if now[_IMPORT] == import_id else _packed([*_layers(earlier), now])


def _layers(before: str) -> list[list[object]]:
    """Return how earlier imports had a person, the oldest first: name, email, role and the import's id."""
    layers: list[list[object]] = json.loads(before) if before else []
    # Written by an earlier version: one state and no list of them.
    return [layers] if layers and not isinstance(layers[0], list) else layers


def _packed(layers: Sequence[Sequence[object]]) -> str:
    return json.dumps(layers) if layers else ""


def _renamed(connection: sqlite3.Connection, source_id: int, people: Sequence[Person]) -> Iterator[list[TicketDraft]]:
    """Yield the tickets of a source that name these people by number, with their names instead, some at a time."""
    by_id = {person.external_id: person for person in people if person.known_as != person.external_id}
    if not by_id:
        return
    affected = connection.execute(_AFFECTED, {"source": source_id, "ids": json.dumps(list(by_id))}).fetchall()
    for first in range(0, len(affected), _TICKETS_A_BATCH):
        part = affected[first : first + _TICKETS_A_BATCH]
        yield [name_people(read_draft(connection, ticket_id, external_id), by_id) for ticket_id, external_id in part]


def _and(outcome: BatchOutcome, tickets: int, ids: array[int]) -> BatchOutcome:
    return replace(outcome, tickets_updated=outcome.tickets_updated + tickets, ticket_ids=outcome.ticket_ids + ids)


def _with_rows(outcome: BatchOutcome, *, used: int, of: int) -> BatchOutcome:
    return replace(outcome, rows_used=used, rows_unchanged=of - used)
