"""Tickets: a recognized file read to its end, as batches of ticket drafts.

A file with one row a ticket streams in bounded memory. In a file with one row a message the rows of a ticket may stand anywhere, so its rows
are kept until the end. Each batch adds up by itself: rows = those of its tickets + rejects + blank + footer + repeated. Deliberately not here:
writing.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from desktop.domain.errors import DeskError
from desktop.domain.imports import Batch, Recognized
from desktop.domain.people import Person, name_people
from desktop.domain.tickets import TicketDraft
from desktop.ingest.forms import form_of, open_records
from desktop.ingest.id_pattern import IdPattern
from desktop.ingest.people import PeopleBuilder
from desktop.ingest.plan import Plan, make_plan
from desktop.ingest.rows import RowGate
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.threads import ThreadBuilder
from desktop.ingest.whole import WholeBuilder

BATCH_CHARACTERS = 4_000_000
"""A batch ends here too, so that rows of 170 kB cells do not pile up."""
PREVIEW_TICKETS = 5
_GROUPED = ("messages", "whole")
"""Shapes in which the rows of a ticket may stand anywhere."""


def read_batches(
    recognized: Recognized,
    *,
    systems: Sequence[SystemDefinition],
    people: Mapping[str, Person] = MappingProxyType({}),
    batch_rows: int = 2000,
) -> Generator[Batch, None, None]:
    """Read a file to its end, a batch at a time; the last batch carries the warnings. `people` are the names to put in place of ids.

    Raises:
        DeskError: `file-missing` or `file-unreadable`, when the file is no longer what was recognized.
    """
    plan = make_plan(recognized, systems)
    reading = _Reading(recognized, plan, people=people)
    with reading.records:
        if plan.shape == "people":
            yield from reading.of_people(batch_rows)
        else:
            yield from reading.grouped(batch_rows) if plan.shape in _GROUPED else reading.streamed(batch_rows)


def read_ids(recognized: Recognized, *, systems: Sequence[SystemDefinition], most: int) -> frozenset[str]:
    """Return the ids of the first rows of a file, of at most so many."""
    reading = _Reading(recognized, make_plan(recognized, systems))
    with reading.records:
        return frozenset(itertools.islice(reading.ids(), most))


def read_other_ids(recognized: Recognized, *, systems: Sequence[SystemDefinition], most: int) -> dict[str, str]:
    """Return the second ids of the first tickets of a file, of at most so many rows: {second id: id}. None where the system has no such thing."""
    plan = make_plan(recognized, systems)
    if not plan.other_id_places:
        return {}
    reading = _Reading(recognized, plan)
    with reading.records:
        return {
            cells[place].strip(): plan.ticket_id(cells)
            for cells in itertools.islice(reading.rows(), most)
            for place in plan.other_id_places
            if cells[place].strip()
        }


def preview_tickets(
    recognized: Recognized, *, systems: Sequence[SystemDefinition], head_bytes: int
) -> tuple[TicketDraft, ...]:
    """Return the first few tickets as they will become, reading only the head; a thread may go on further down."""
    reading = _Reading(recognized, make_plan(recognized, systems), limit_bytes=head_bytes)
    with reading.records:
        return reading.first_tickets()


class _Reading:
    def __init__(
        self,
        recognized: Recognized,
        plan: Plan,
        *,
        people: Mapping[str, Person] = MappingProxyType({}),
        limit_bytes: int = 0,
    ) -> None:
        id_place = plan.id_place
        if id_place < 0:
            raise DeskError(
                "mapping-no-id",
                "No column is marked as the ticket id.",
                remedy="Choose which column holds the ticket ids.",
            )
        ids = IdPattern(recognized.columns[id_place].samples)
        self._plan = plan
        self._gate = RowGate(plan, ids)
        self._builder = ThreadBuilder(plan)
        self._whole = WholeBuilder(plan) if plan.shape == "whole" else None
        self._people = people
        path = Path(recognized.path)
        try:
            self.records = open_records(
                path, form_of(recognized), names=plan.names, id_index=id_place, ids=ids, limit_bytes=limit_bytes
            )
        except FileNotFoundError as error:
            raise DeskError(
                "file-missing", f"{path.name} is no longer there.", remedy="Drop it on the window again."
            ) from error
        except OSError as error:
            raise DeskError(
                "file-unreadable", f"{path.name} cannot be read.", remedy=f"The system says: {error.strerror}."
            ) from error

    def streamed(self, batch_rows: int) -> Iterator[Batch]:
        tickets: list[TicketDraft] = []
        characters = seen = 0
        for cells in self._admitted():
            seen += 1
            if cells:
                tickets.append(self._named(self._builder.from_row(cells)))
                characters += sum(map(len, cells))
            if seen >= batch_rows or characters > BATCH_CHARACTERS:
                yield self._batch(tickets, done=self.records.fraction)
                tickets, characters, seen = [], 0, 0
        yield self._batch(tickets, warnings=self._warnings())

    def grouped(self, batch_rows: int) -> Iterator[Batch]:
        rows_of: dict[str, list[Sequence[str]]] = {}
        for seen, cells in enumerate(self._admitted(), start=1):
            if cells:
                rows_of.setdefault(self._key(cells), []).append(cells)
            if seen % batch_rows == 0:
                yield self._batch([], done=0.5 * self.records.fraction)
        if self._plan.reply_place >= 0:
            rows_of = self._threaded(rows_of)
        tickets: list[TicketDraft] = []
        rows = 0
        total = len(rows_of) or 1
        for identifier in list(rows_of):
            group = rows_of.pop(identifier)
            tickets.append(self._named(self._thread(identifier, group)))
            rows += len(group)
            if rows >= batch_rows:
                yield self._batch(tickets, done=1 - 0.5 * len(rows_of) / total)
                tickets, rows = [], 0
        yield self._batch(tickets, warnings=self._warnings())

    def of_people(self, batch_rows: int) -> Iterator[Batch]:
        """Read a table of people."""
        builder = PeopleBuilder(self._plan)
        people: list[Person] = []
        for seen, cells in enumerate(self._admitted(), start=1):
            if cells:
                people.append(builder.from_row(cells))
            if seen % batch_rows == 0:
                yield self._batch([], people=people, done=self.records.fraction)
                people = []
        yield self._batch([], people=people, warnings=self._warnings())

    def _key(self, cells: Sequence[str]) -> str:
        return self._whole.key(cells) if self._whole else self._plan.ticket_id(cells)

    def _thread(self, identifier: str, rows: Sequence[Sequence[str]]) -> TicketDraft:
        if self._whole:
            return self._whole.from_rows(rows)
        draft = self._builder.from_rows(rows)
        return draft if draft.external_id == identifier else replace(draft, external_id=identifier)

    def _threaded(self, rows_of: dict[str, list[Sequence[str]]]) -> dict[str, list[Sequence[str]]]:
        """Group rows that answer each other, under the id of the first that is in the file."""
        place = self._plan.reply_place
        above = {identifier: rows[0][place].strip() for identifier, rows in rows_of.items()}
        first_of: dict[str, str] = {}
        threads: dict[str, list[Sequence[str]]] = {}
        for identifier, rows in rows_of.items():
            path = dict.fromkeys((identifier,))
            current = identifier
            # Of answers that go round in a circle none is the first: the last one reached counts.
            while current not in first_of and (parent := above[current]) in above and parent not in path:
                path[current := parent] = None
            first = first_of.get(current, current)
            first_of.update(dict.fromkeys(path, first))
            threads.setdefault(first, []).extend(rows)
        return threads

    def _named(self, draft: TicketDraft) -> TicketDraft:
        return name_people(draft, self._people) if self._people and not self._whole else draft

    def ids(self) -> Iterator[str]:
        """Yield what each row is told from others by."""
        return map(self._plan.ticket_id, self.rows())

    def rows(self) -> Iterator[list[str]]:
        """Yield the cells of each row that counts."""
        return (cells for cells in self._admitted() if cells)

    def first_tickets(self) -> tuple[TicketDraft, ...]:
        """Return the first few tickets of what can be read."""
        admitted = (cells for cells in self._admitted() if cells)
        if self._plan.shape == "people":
            return ()
        if self._plan.shape not in _GROUPED:
            return tuple(self._builder.from_row(cells) for cells in itertools.islice(admitted, PREVIEW_TICKETS))
        rows_of: dict[str, list[Sequence[str]]] = {}
        for cells in admitted:
            identifier = self._key(cells)
            if identifier in rows_of or len(rows_of) < PREVIEW_TICKETS or self._plan.reply_place >= 0:
                rows_of.setdefault(identifier, []).append(cells)
        threads = self._threaded(rows_of) if self._plan.reply_place >= 0 else rows_of
        return tuple(self._thread(identifier, rows) for identifier, rows in threads.items())[:PREVIEW_TICKETS]

    def _admitted(self) -> Iterator[list[str] | None]:
        records = iter(self.records)
        next(records, None)  # the header
        gate = self._gate
        for record in records:
            yield gate.admit(record, self.records)

    def _batch(
        self,
        tickets: list[TicketDraft],
        *,
        people: Sequence[Person] = (),
        done: float = 1.0,
        warnings: tuple[str, ...] = (),
    ) -> Batch:
        gate = self._gate
        rows = sum(ticket.rows for ticket in tickets) + len(people)
        rows += len(gate.rejects) + gate.blank + gate.footer + gate.repeated
        batch = Batch(
            tickets=tuple(tickets),
            people=tuple(people),
            rejects=tuple(gate.rejects),
            rows=rows,
            blank=gate.blank,
            footer=gate.footer,
            repeated=gate.repeated,
            fraction=min(1.0, done),
            warnings=warnings,
        )
        gate.reset()
        return batch

    def _warnings(self) -> tuple[str, ...]:
        gate, tally = self._gate, (self._whole or self._builder).tally
        said = (
            (gate.padded, "{} had fewer cells than the header; the missing ones are taken as empty.", "row"),
            (gate.extended, "{} had more cells than the header; the rest is kept under “(extra)”.", "row"),
            (tally.unread_dates, "{} could not be read and stayed empty; the original is kept.", "date"),
            (tally.contrary_dates, "{} made sense only with day and month the other way round.", "date"),
            (tally.unknown_flags, "{} was not understood as public or private and is taken for internal.", "mark"),
            (tally.hidden, "{} of hidden text, invisible to a reader, dropped.", "piece"),
            (self.records.repaired_bytes, "{} that was no UTF-8 read as Windows text.", "byte"),
        )
        return tuple(text.format(f"{count:,} {noun}{'s' if count != 1 else ''}") for count, text, noun in said if count)
