"""Whole tickets: what our own export wrote becomes the tickets it was written from, to the letter.

Nothing is guessed, cleaned or put in order here: that was done when the tickets first came in. Columns that somebody added are kept among the
ticket's fields. A spreadsheet may have written times and truth values in its own way; those are read as those of other files are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from desktop.domain.exported import COLUMNS, FIELDS_COLUMN, as_was
from desktop.domain.tickets import Message, Role, TicketDraft
from desktop.ingest.dates import is_iso_utc, read_date
from desktop.ingest.plan import Plan
from desktop.ingest.tally import Tally
from desktop.ingest.vocabulary import fold

_YES = frozenset(("1", "true", "yes", "wahr", "ja", "vrai", "oui", "verdadero", "sí", "vero"))


class WholeBuilder:
    """Makes ticket drafts of all rows of each ticket."""

    def __init__(self, plan: Plan) -> None:
        folded = [fold(name) for name in plan.names]
        self._places = {name: folded.index(fold(name)) for name in COLUMNS if fold(name) in folded}
        self._added = {
            name: place for place, name in enumerate(plan.names) if place not in self._places.values() and name
        }
        self._date_order = plan.date_order
        self.tally = Tally()

    def key(self, cells: Sequence[str]) -> str:
        """Return what all rows of one ticket share: its source and its id."""
        return f"{self._cell(cells, 'source')}\0{self._cell(cells, 'external_id')}"

    def from_rows(self, rows: Sequence[Sequence[str]]) -> TicketDraft:
        """Make a ticket of all its rows; its own values stand in the first."""
        first = rows[0]
        numbered = [row for row in rows if self._cell(row, "message") or self._cell(row, "message_text")]
        messages = sorted(map(self._message, numbered), key=lambda message: message.position)
        return TicketDraft(
            external_id=self._cell(first, "external_id"),
            source=self._cell(first, "source"),
            subject=self._cell(first, "subject"),
            status=self._cell(first, "status"),
            status_original=self._cell(first, "status_original"),
            priority=self._cell(first, "priority"),
            priority_original=self._cell(first, "priority_original"),
            requester=self._cell(first, "requester"),
            assignee=self._cell(first, "assignee"),
            created_at=self._date(first, "created_at"),
            updated_at=self._date(first, "updated_at"),
            fields=self._fields(rows),
            messages=tuple(messages),
            rows=len(rows),
        )

    def _message(self, cells: Sequence[str]) -> Message:
        number, role = self._cell(cells, "message"), self._cell(cells, "message_role").casefold()
        return Message(
            position=int(number) if number.isdecimal() else 0,
            author=self._cell(cells, "message_author"),
            role=Role(role) if role in tuple(Role) else Role.UNKNOWN,
            created_at=self._date(cells, "message_created_at"),
            text=self._cell(cells, "message_text"),
            internal=self._cell(cells, "message_internal").casefold() in _YES,
            is_attached=self._cell(cells, "message_attached").casefold() in _YES,
        )

    def _fields(self, rows: Sequence[Sequence[str]]) -> dict[str, str | list[str]]:
        written = next((cell for row in rows if (cell := self._cell(row, FIELDS_COLUMN))), "")
        fields: dict[str, str | list[str]] = {}
        try:
            found = json.loads(written or "{}")
        except ValueError:
            found = {FIELDS_COLUMN: written}  # somebody wrote into it: kept as it is
        for name, value in found.items() if isinstance(found, dict) else ():
            fields[name] = [str(each) for each in value] if isinstance(value, list) else str(value)
        for name, place in self._added.items():
            if added := as_was(rows[0][place]):
                fields[name] = added
        return fields

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self._places.get(name, -1)
        return as_was(cells[place]).replace("\r\n", "\n") if place >= 0 else ""

    def _date(self, cells: Sequence[str], name: str) -> str:
        value = self._cell(cells, name)
        if not value or is_iso_utc(value):
            return value
        date = read_date(value, self._date_order)
        self.tally.unread_dates += not date.text
        self.tally.contrary_dates += date.is_contrary
        return date.text
