"""History: what an import was, what it did to each ticket, and the rows it had to set aside.

A *state* is a ticket as it stood at one moment. A *difference* is what one import made of it: fields with the old and the new value, messages
that were added, removed or edited. Plain values; how two states are compared stands in `services.comparison`.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from desktop.domain.imports import ImportCounts
from desktop.domain.tickets import Message


class ImportState(StrEnum):
    """How an import ended: `unfinished` is one whose end nobody saw, because the program was killed or another one is still at it."""

    WHOLE = "whole"
    RUNNING = "running"
    STOPPED = "stopped"
    UNDONE = "undone"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import. `kept_rejects` are its rejected rows, `waiting_rejects` those of them that were not set aside.

    While it has no end its counts are what can be seen of it: tickets and rejected rows, without the rows that changed nothing.
    """

    id: int
    source: str
    path: str
    system: str
    started_at: str
    finished_at: str
    undone_at: str
    counts: dict[str, int]
    waiting_rejects: int = 0
    kept_rejects: int = 0
    system_title: str = ""
    is_running: bool = False

    @property
    def state(self) -> ImportState:
        """Return how it ended."""
        if self.undone_at:
            return ImportState.UNDONE
        if not self.finished_at:
            return ImportState.RUNNING if self.is_running else ImportState.UNFINISHED
        return ImportState.WHOLE if self.counts.get("is_whole", 1) else ImportState.STOPPED

    @property
    def totals(self) -> ImportCounts:
        """Return what became of its rows and tickets."""
        return ImportCounts(**{f.name: int(self.counts.get(f.name, 0)) for f in fields(ImportCounts)})

    @property
    def adds_up(self) -> bool:
        """Tell whether every row has exactly one fate, which can only be told at the end."""
        return not self.finished_at or self.totals.adds_up


@dataclass(frozen=True, slots=True)
class ImportChanges:
    """Which tickets an import changed, by their ids.

    `gone` were in the import `compared_with` (the whole one before it, of the same source and the same shape of table) and are not in this one;
    they are still here. `compared_with` is 0 when there is none, or when this import was stopped and cannot be compared.
    """

    import_id: int
    new: array[int] = field(default_factory=lambda: array("q"))
    changed: array[int] = field(default_factory=lambda: array("q"))
    gone: array[int] = field(default_factory=lambda: array("q"))
    compared_with: int = 0
    compared_at: str = ""


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket at one moment: our own values by name (`subject`, `status`, …), the export's columns, the messages."""

    values: Mapping[str, str]
    fields: Mapping[str, str | list[str]]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after. `key` is our own name of it (`created_at`), '' for a column of the export."""

    key: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text: `sign` is `=` (in both), `-` (only before) or `+` (only after)."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message that was `added`, `removed` or `edited`. `pieces` are its text with what changed in it, `notes` say what else did."""

    change: str
    message: Message
    before: Message | None = None
    pieces: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketDifference:
    """What one import did to one ticket; `kind` is `new` or `changed`."""

    ticket_id: int
    kind: str
    fields: tuple[FieldChange, ...] = ()
    messages: tuple[MessageChange, ...] = ()
    kept_messages: int = 0
    """How many messages are the same before and after."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row as a list shows it."""

    id: int
    line: int
    reason: str
    column: str
    value: str
    is_set_aside: bool = False


@dataclass(frozen=True, slots=True)
class EditableRow:
    """A rejected row to be mended: its cells under the file's column names, or, where it could not be cut into cells, its raw text.

    `obstacle` says in words why it cannot be read again, '' when it can.
    """

    row: RejectedRow
    raw: str
    names: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of a rejected row that was read again. `reason` says why it is still rejected, '' when it was used."""

    reject_id: int
    import_id: int
    reason: str = ""
    tickets_new: int = 0
    tickets_updated: int = 0
