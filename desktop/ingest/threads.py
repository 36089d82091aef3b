"""Threads: rows become tickets with their messages, in the order of time.

One builder a file. It reads dates and bodies, and keeps every original column. It counts what a person should know: dates it could not read, hidden
text. Deliberately not here: which rows count at all, see `rows`; who wrote a message, see `authors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from desktop.domain.tickets import Message, Role, TicketDraft, in_order
from desktop.ingest.authors import NAMELESS, SIDES, Authors, word_of
from desktop.ingest.bodies import read_body
from desktop.ingest.dates import is_iso_utc, read_date
from desktop.ingest.diffs import read_diff
from desktop.ingest.journal import OPENING, Entry, split_comment, split_journal
from desktop.ingest.nested import read_list
from desktop.ingest.plan import Plan
from desktop.ingest.subjects import one_line, subject_from
from desktop.ingest.tally import Tally
from desktop.ingest.vocabulary import author_role, fold, is_nothing, normalize_priority, normalize_status


class _Head(NamedTuple):
    """The cells of one row that make its ticket, as they stand; '' for what the file has no column for."""

    ticket_id: str
    subject: str
    body: str
    status: str
    priority: str
    requester: str
    requester_email: str
    assignee: str
    created_at: str
    updated_at: str


class ThreadBuilder:
    """Makes ticket drafts of rows by a plan."""

    def __init__(self, plan: Plan, tally: Tally | None = None) -> None:
        self._plan = plan
        # A file has a handful of words for these and a row each: looking them up again would cost a tenth of the import.
        self._statuses: dict[str, tuple[str, str]] = {}
        self._priorities: dict[str, tuple[str, str]] = {}
        # All of a row's cells in one call; what is no column is the '' behind the last one.
        self._pick = itemgetter(*(plan.places.get(role, -1) for role in _Head._fields))
        self._nothing = plan.system.nothing
        self._markup = plan.system.markup
        self.tally = tally or Tally()
        self._authors = Authors(plan, self.tally)
        self._within = [ThreadBuilder(thread, self.tally) for thread in plan.threads]
        self._has_more = bool({"comment", "journal", "diff"} & set(plan.many)) or bool(plan.threads or plan.diffs)

    def from_row(self, cells: Sequence[str]) -> TicketDraft:
        """Make a ticket of one row: its description and the comments that stand in the same row."""
        head = self._head(cells)
        requester = word_of(head.requester) or word_of(head.requester_email)
        created_at = self._date(head.created_at)
        body = self._body(head.body)
        if self._has_more:
            messages = self._thread(body, requester, created_at, cells)
        elif body:
            messages = (Message(1, requester, Role.CUSTOMER if requester else Role.UNKNOWN, created_at, body),)
        else:
            messages = ()
        draft = self._heading(head, cells, requester, created_at, messages)
        if self._has_more and not requester:
            requester = next((m.author for m in messages if m.role is Role.CUSTOMER), "")
            draft = replace(draft, requester=requester)
        return draft if draft.subject else replace(draft, subject=self._stand_in(messages), is_subject_made=True)

    def _thread(self, body: str, requester: str, created_at: str, cells: Sequence[str]) -> tuple[Message, ...]:
        """Make the messages of a row that holds more than its description."""
        messages: list[Message] = []
        entries = self._entries(cells)
        if not body and entries and entries[0].kind == OPENING:
            # What stands above the first heading of a thread is what was asked.
            body, entries = self._body(entries[0].text), entries[1:]
        nested = [message for builder in self._within for message in builder.from_lists(cells)]
        # The list of messages may begin with the description too.
        if body and not any(message.text == body and not message.internal for message in nested):
            messages.append(Message(1, requester, Role.CUSTOMER if requester else Role.UNKNOWN, created_at, body))
        # As it is: a diff of a web page is full of tags.
        if diff := self._plan.cell(cells, "diff").strip("\n"):
            messages.append(Message(2, requester, Role.SYSTEM, created_at, diff))
        elif (path := self._plan.diffs.get(self._plan.ticket_id(cells))) and (diff := read_diff(Path(path))):
            # The next export may come without the file beside it.
            messages.append(Message(2, requester, Role.SYSTEM, created_at, diff, is_attached=True))
        return tuple(_numbered([*messages, *self._from_entries(entries, cells), *nested]))

    def from_lists(self, cells: Sequence[str]) -> list[Message]:
        """Make the messages of a list within a record: every cell of its columns holds the values of all elements."""
        places = self._plan.list_places & {place for role in self._plan.many.values() for place in role}
        if self._plan.part_place >= 0:
            places |= {self._plan.part_place}
        sides = {place for name in SIDES for place in self._plan.many.get(name, ())}
        values = {place: read_list(cells[place], empty=NAMELESS if place in sides else "") for place in places}
        timed = []
        for number in range(max(map(len, values.values()), default=0)):
            row = list(cells)
            for place, listed in values.items():
                row[place] = listed[number] if number < len(listed) else ""
            timed.append((self._date(self._plan.cell(row, "message_created_at") or self._list_date(row)), row))
        return self._parts([timed[place] for place in in_order([time for time, _ in timed])])

    def _list_date(self, row: Sequence[str]) -> str:
        place = self._plan.places.get("created_at", -1)
        return row[place] if place in self._plan.list_places else ""

    def _each(self, timed: Sequence[tuple[str, Sequence[str]]]) -> Sequence[tuple[str, Sequence[str]]]:
        """Take the lists within rows of messages apart, each element as a row of its own."""
        plan = self._plan
        places = plan.list_places & {plan.part_place, *(place for where in plan.many.values() for place in where)}
        if not places:
            return timed
        apart = []
        for time, row in timed:
            values = {place: read_list(row[place]) for place in places}
            for number in range(max(map(len, values.values()))):
                element = list(row)
                for place, listed in values.items():
                    element[place] = listed[number] if number < len(listed) else ""
                apart.append((time, element))
        return apart

    def from_rows(self, rows: Sequence[Sequence[str]]) -> TicketDraft:
        """Make a ticket of all rows that are its messages or events, in any order."""
        plan = self._plan
        timed = [
            (self._date(plan.cell(row, "message_created_at") or plan.cell(row, "created_at")), row) for row in rows
        ]
        timed = [timed[place] for place in in_order([time for time, _ in timed])]
        ordered = [row for _, row in timed]
        heading = self._heading_of(ordered[-1])
        requester = next((self._word(row, "requester") for row in ordered if self._word(row, "requester")), "")
        messages = self._history(timed, requester) if plan.event_places else self._parts(self._each(timed))
        times = [time for time, _ in timed if time]
        customer = next(
            (message.author for message in messages if message.role is Role.CUSTOMER and message.author), ""
        )
        subject = self._first_subject(ordered)
        status = heading.status
        if plan.part_place >= 0:
            status = self._status_after(ordered) or status
        return replace(
            heading,
            requester=requester or customer,
            status=status,
            subject=subject or self._stand_in(messages),
            is_subject_made=not subject,
            has_record=False,
            created_at=heading.created_at
            if heading.created_at and (plan.event_places or not self._dates_are_messages())
            else (times[0] if times else ""),
            updated_at=max([heading.updated_at, *times[-1:]]),
            fields=self._merged_fields(ordered),
            messages=tuple(replace(message, is_attached=True) for message in _numbered(messages)),
            rows=len(rows),
        )

    def _heading_of(self, cells: Sequence[str]) -> TicketDraft:
        head = self._head(cells)
        requester = word_of(head.requester) or word_of(head.requester_email)
        return self._heading(head, cells, requester, self._date(head.created_at), ())

    def _heading(
        self, head: _Head, cells: Sequence[str], requester: str, created_at: str, messages: tuple[Message, ...]
    ) -> TicketDraft:
        system = self._plan.system
        if head.status not in self._statuses:
            word = word_of(head.status)
            self._statuses[head.status] = normalize_status(word, system.status), word
        if head.priority not in self._priorities:
            word = word_of(head.priority)
            self._priorities[head.priority] = normalize_priority(word, system.priority), word
        status, status_original = self._statuses[head.status]
        priority, priority_original = self._priorities[head.priority]
        return TicketDraft(
            external_id=self._plan.ticket_id(cells),
            subject=self._subject(cells),
            status=status,
            status_original=status_original,
            priority=priority,
            priority_original=priority_original,
            requester=requester,
            assignee=word_of(head.assignee),
            created_at=created_at,
            updated_at=self._date(head.updated_at),
            fields=self._plan.fields(cells),
            messages=messages,
        )

    def _head(self, cells: Sequence[str]) -> _Head:
        if self._plan.joined_places:
            return _Head(*(self._plan.cell(cells, role) for role in _Head._fields))
        return _Head(*self._pick((*cells, "")))

    def _entries(self, cells: Sequence[str]) -> list[Entry]:
        plan = self._plan
        entries = [
            split_comment(cells[place], plan.date_order)
            for place in plan.many.get("comment", ())
            if not is_nothing(cells[place])
        ]
        for place in plan.many.get("journal", ()):
            if not is_nothing(cells[place]):
                found = split_journal(cells[place], plan.date_order)
                if place in plan.internal_places:
                    found = [replace(entry, internal=True) for entry in found]
                # An export may hold the same entry twice: among all, and among the notes.
                known = frozenset(entries)
                entries += [entry for entry in found if not entry.created_at or entry not in known]
        return entries

    def _from_entries(self, entries: Sequence[Entry], cells: Sequence[str]) -> list[Message]:
        colleagues = {fold(entry.author) for entry in entries if entry.internal}
        messages = []
        for entry in entries:
            self.tally.contrary_dates += entry.is_contrary
            role = self._authors.role_of(entry.author, cells)
            if role is Role.UNKNOWN and entry.kind:
                role = author_role(entry.kind, self._plan.system.author_roles)
            if role is Role.UNKNOWN and fold(entry.author) in colleagues and entry.author:
                role = Role.AGENT
            text = self._body(entry.text)
            if text:
                messages.append(Message(0, entry.author, role, entry.created_at, text, entry.internal))
        return messages

    def _parts(self, timed: Sequence[tuple[str, Sequence[str]]]) -> list[Message]:
        messages: list[Message] = []
        seen: set[tuple[str, str]] = set()
        for time, row in timed:
            message = self._part(time, row)
            if message is None:
                continue
            # The same message twice, as joined exports have it: by its own id, or by author, time and text.
            key = (self._plan.cell(row, "message_id"), message.fingerprint())
            if key not in seen or not (key[0] or time):
                messages.append(message)
            seen.add(key)
        colleagues = {message.author for message in messages if message.internal and message.author}
        return [
            replace(message, role=Role.AGENT)
            if message.role is Role.UNKNOWN and message.author in colleagues
            else message
            for message in messages
        ]

    def _part(self, time: str, row: Sequence[str]) -> Message | None:
        plan = self._plan
        author, role = self._authors.of(row)
        part = fold(row[plan.part_place]) if plan.part_place >= 0 else ""
        if part and part in plan.layout.silent_parts:
            return None
        text = self._said(plan.cell(row, "body"))
        is_internal = part in plan.layout.internal_parts or self._authors.is_internal(plan.cell(row, "internal"))
        if not text:
            text, role = plan.layout.part_words.get(part, ""), Role.SYSTEM
        return Message(0, author, role, time, text, is_internal) if text else None

    def _history(self, timed: Sequence[tuple[str, Sequence[str]]], requester: str) -> list[Message]:
        """Return what a ticket opened with, where a log has it in every row, and then what each row changed."""
        opening = next((text for _, row in timed if (text := self._body(self._plan.cell(row, "body")))), "")
        events = self._events(timed, requester)
        if not opening:
            return events
        asked_at = next((self._date(cell) for _, row in timed if (cell := self._plan.cell(row, "created_at"))), "")
        return [Message(0, requester, Role.CUSTOMER if requester else Role.UNKNOWN, asked_at, opening), *events]

    def _events(self, timed: Sequence[tuple[str, Sequence[str]]], requester: str) -> list[Message]:
        """Say of each row of an audit log what it changed."""
        plan = self._plan
        messages = []
        before: Sequence[str] | None = None
        for time, row in timed:
            changes = []
            for place in plan.event_places:
                new = "" if is_nothing(row[place]) else row[place].strip()
                old = "" if before is None or is_nothing(before[place]) else before[place].strip()
                if new == old or (before is None and place != plan.places.get("status")):
                    continue
                label = "State" if place == plan.places.get("status") else _label(plan.names[place])
                changes.append(
                    f"{label}: {new or 'none'}" if before is None else f"{label}: {old or 'none'} -> {new or 'none'}"
                )
            text = "\n".join(changes) or "Updated, with no change in state, people or category"
            messages.append(Message(0, self._word(row, "author"), Role.SYSTEM, time, text))
            before = row
        return messages

    def _status_after(self, ordered: Sequence[Sequence[str]]) -> str:
        words = [self._plan.layout.part_status.get(fold(row[self._plan.part_place]), "") for row in ordered]
        return next((word for word in reversed(words) if word), "")

    def _dates_are_messages(self) -> bool:
        return "message_created_at" not in self._plan.places

    def _first_subject(self, ordered: Sequence[Sequence[str]]) -> str:
        return next((subject for row in ordered if (subject := self._subject(row))), "")

    def _stand_in(self, messages: Sequence[Message]) -> str:
        """Make a subject of the first sentence of the customer's first message, where the export has no column for it."""
        if "subject" in self._plan.places:
            return ""
        written = [message for message in messages if message.role is not Role.SYSTEM and not message.internal]
        first = next((message for message in written if message.role is Role.CUSTOMER), next(iter(written), None))
        return subject_from(first.text) if first else ""

    def _merged_fields(self, ordered: Sequence[Sequence[str]]) -> dict[str, str | list[str]]:
        """Keep a column that is the same in all rows as one value, any other as the list of its values in order of time."""
        each = [self._plan.fields(row) for row in ordered]
        merged: dict[str, str | list[str]] = {}
        for name in dict.fromkeys(name for fields in each for name in fields):
            values = [fields.get(name, "") for fields in each]
            if all(value == values[0] for value in values):
                merged[name] = values[0]
            else:
                merged[name] = [", ".join(value) if isinstance(value, list) else value for value in values]
        return merged

    def _word(self, cells: Sequence[str], role: str) -> str:
        return word_of(self._plan.cell(cells, role))

    def _said(self, value: str) -> str:
        """Return what a message says. “?” and “none” are answers; in a table of messages only what databases write for nothing is nothing."""
        return self._read(value) if value.strip().casefold() not in ("", "null", "nan", "[]", "\\n") else ""

    def _body(self, value: str) -> str:
        if not value or is_nothing(value) or (self._nothing and fold(value) in self._nothing):
            return ""
        return self._read(value)

    def _subject(self, cells: Sequence[str]) -> str:
        """Return the subject as it stands: “<script> breaks the page” is no HTML."""
        value = self._plan.cell(cells, "subject")
        return "" if is_nothing(value) else one_line(read_body(value, "subject").text)

    def _read(self, value: str) -> str:
        body = read_body(value, self._markup)
        self.tally.hidden += body.hidden
        return body.text

    def _date(self, value: str) -> str:
        if is_iso_utc(value):
            return value
        if is_nothing(value):
            return ""
        date = read_date(value, self._plan.date_order)
        self.tally.unread_dates += not date.text
        self.tally.contrary_dates += date.is_contrary
        return date.text


def _numbered(messages: list[Message]) -> list[Message]:
    order = in_order([message.created_at for message in messages])
    return [replace(messages[place], position=number) for number, place in enumerate(order, start=1)]


def _label(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
