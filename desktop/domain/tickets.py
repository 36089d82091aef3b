"""Tickets: what a help desk handed out, after import.

A *draft* is a ticket as a file gave it, not yet stored. A *row* is what a list shows. A *thread* is one ticket with its messages. Times
are ISO 8601 UTC text (`2026-03-02T09:14:11Z`), empty when unknown. Status and priority are normalized beside the original words, never in
place of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"
    UNKNOWN = "unknown"


STATUSES = ("open", "pending", "on-hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a ticket. `position` counts from 1 in the order of time; `text` is plain text with `\\n` line ends.

    `is_attached` when a table of messages brought it: a later export of tickets alone does not take it away.
    """

    position: int
    author: str
    role: Role
    created_at: str
    text: str
    internal: bool = False
    is_attached: bool = False

    def fingerprint(self) -> str:
        """Tell two messages apart whatever their position: the same author, time and text is the same message."""
        return _sha256([self.author, self.created_at, self.text, self.internal])[:32]


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket as an export gave it. `fields` holds every original column by its own name; `rows` counts the input rows it used.

    `is_subject_made` when the export had no subject and the first sentence stands in for it. `has_record` when a table of tickets told of it, not
    only one of messages. `source` is '' for that of the table; our own export names the source of each.
    """

    external_id: str
    subject: str = ""
    status: str = ""
    status_original: str = ""
    priority: str = ""
    priority_original: str = ""
    requester: str = ""
    assignee: str = ""
    created_at: str = ""
    updated_at: str = ""
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    rows: int = 1
    is_subject_made: bool = False
    has_record: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket as a list shows it. `id` is the database's; `reference` is `SOURCE:EXTERNAL_ID`, what people type.

    `language` is ISO 639-1, '' when it is not known. The last four are what its shown summary says, see `runs.Fields`.
    """

    id: int
    source: str
    external_id: str
    subject: str
    status: str
    status_original: str
    priority: str
    priority_original: str
    requester: str
    assignee: str
    created_at: str
    updated_at: str
    message_count: int
    gist: str
    language: str = ""
    next_owner: str = ""
    deadline: str = ""
    sentiment: str = ""
    has_open_questions: int | None = None

    @property
    def reference(self) -> str:
        """Return the id that the command line takes."""
        return f"{self.source}:{self.external_id}"

    @property
    def title(self) -> str:
        """Return the subject, or what stands in for it where the export had none."""
        return self.subject or f"Ticket {self.external_id}"


@dataclass(frozen=True, slots=True)
class Thread:
    """One ticket with its messages, in the order of time. `content_hash` changes when anything of it does."""

    ticket: TicketRow
    fields: Mapping[str, str | list[str]]
    messages: tuple[Message, ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """What a list asks for. `search` is what the user typed; `where` are (field, value) pairs; `sort` is a field, `-` in front for descending."""

    search: str = ""
    where: tuple[tuple[str, str], ...] = ()
    sort: str = "-updated_at"


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """How many tickets there are: in all, by normalized status, by source. Empty status counts under ''; languages are those that were told.

    `has_status` and `has_priority` tell whether any ticket has one at all. `by_summary` counts what summaries say, by field and value.
    """

    total: int
    by_status: Mapping[str, int]
    by_source: Mapping[str, int]
    has_status: bool = True
    has_priority: bool = True
    by_language: Mapping[str, int] = field(default_factory=dict)
    by_summary: Mapping[tuple[str, str], int] = field(default_factory=dict)


def listed(value: str | list[str]) -> list[str]:
    """Return all values of a column: of one that was there once, of one that was there several times, or none."""
    return value if isinstance(value, list) else [value] if value else []


def in_order(times: Sequence[str]) -> list[int]:
    """Return the places of times in their order; one that is unknown ('') stays after the one that it was written after."""
    keys: list[str] = []
    for time in times:
        keys.append(time or (keys[-1] if keys else ""))
    return sorted(range(len(keys)), key=keys.__getitem__)


def _sha256(value: object) -> str:
    return hashlib.sha256(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    ).hexdigest()
