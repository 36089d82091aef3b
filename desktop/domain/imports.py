"""Imports: what was recognized in a file, what will be written, and what became of every row.

The events of one import, in order: `Recognized`, then `Progress` and `Rejected` as it goes, then one `Finished`. Every row has one fate, each
counted on its own: rows = used + unchanged + rejected + blank + footer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from desktop.domain.errors import DeskError
from desktop.domain.people import Person
from desktop.domain.tickets import TicketDraft

COLUMN_ROLES = (
    "ticket_id",
    "subject",
    "body",
    "status",
    "priority",
    "requester",
    "requester_email",
    "assignee",
    "created_at",
    "updated_at",
    "author",
    "customer_author",
    "agent_author",
    "author_role",
    "message_id",
    "message_created_at",
    "internal",
    "comment",
    "journal",
    "diff",
    "person_id",
    "person_name",
    "person_email",
    "person_role",
)
"""What a column can mean. A column with none of these is kept in the ticket's `fields` like all others."""
TABLE_SUFFIXES = (
    *(".csv", ".tsv", ".psv", ".tab", ".txt", ".gz", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".ods"),
    *(".mbox", ".eml", ".html", ".htm", ".xls", ".doc"),
)
ARCHIVE_SUFFIX = ".zip"
DIFF_SUFFIXES = (".diff", ".patch")
"""No tables: what a pull request changes, beside the export that has it."""
FILE_SUFFIXES = (*TABLE_SUFFIXES, ARCHIVE_SUFFIX, *DIFF_SUFFIXES)
"""What files to import are called: the others in an archive are passed over, and those in a folder are not offered."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its place (from 0), its own name, its role ('' for none) and up to three values it holds."""

    index: int
    name: str
    role: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportOverrides:
    """What the user corrected of a recognition: roles by column place, a source name, the date order. Empty means: as recognized.

    `definition` is the text of a mapping file that the user chose; the other corrections go over it.
    """

    roles: Mapping[int, str] = field(default_factory=dict)
    source: str = ""
    date_order: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class RememberedMapping:
    """How tables with one header are read. `learned_from` is the file or mapping file it was remembered from, '' when not known.

    Without `is_correction` the columns were imported as they were recognized; such files may come in from a watched folder.
    """

    fingerprint: str
    learned_from: str
    saved_at: str
    overrides: ImportOverrides
    is_correction: bool = True

    @property
    def id(self) -> str:
        """Return the short form of the fingerprint that people type."""
        return self.fingerprint[:12]


class Contents(StrEnum):
    """What a table says of its tickets: all of each, all but their texts, or messages that add to them."""

    RECORDS = "records"
    LIST = "list"
    MESSAGES = "messages"


_TEXT_ROLES = frozenset(("body", "comment", "journal", "diff"))


@dataclass(frozen=True, slots=True)
class Recognized:
    """What a file turned out to be, before anything is written.

    `shape` is `tickets` (a row a ticket), `repeated` (repeated comment columns), `messages` (a row a message), `journal` (all comments in one
    cell), `whole` (our own export), `nested` (a record a ticket, its messages in lists within) or `people` (a row a person, who is a number
    elsewhere).
    `date_order` is `iso`, `day-first`, `month-first`, `epoch` or `` (no dates); `date_evidence` says in words why.
    `header_line` counts from 1.
    `sheet` is the sheet's name in a workbook, where `encoding` and `delimiter` are '', and the key of the list in a JSON document.
    `overrides` are the corrections that led to this, the user's of now or, when `is_remembered`, of an earlier file with the same header.
    `is_source_guessed` when the source is named after the file, as that of an unknown system is.
    `aliases` are ids in this table that stand for those of tickets (a comment that names its issue by another number); `diffs` are files beside it
    that hold what a pull request changes, by the ticket's id. Both are known only of files that were dropped together.
    `preview` holds the first tickets as they will become. `reason` says in words what the system was told by.
    """

    path: str
    format: str
    system: str
    system_title: str
    reason: str
    source: str
    encoding: str
    delimiter: str
    header_line: int
    shape: str
    columns: tuple[Column, ...]
    date_order: str = ""
    date_evidence: str = ""
    quote: str = '"'
    mapping_name: str = ""
    sheet: str = ""
    overrides: ImportOverrides = ImportOverrides()
    is_remembered: bool = False
    size_bytes: int = 0
    preview: tuple[TicketDraft, ...] = ()
    warnings: tuple[str, ...] = ()
    is_source_guessed: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    diffs: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return what a row of this table speaks of: `tickets`, `messages` or `people`."""
        return self.shape if self.shape in ("messages", "people") else "tickets"

    def with_source(self, name: str) -> Recognized:
        """Return this table as one that belongs to a source."""
        return replace(self, source=name, overrides=replace(self.overrides, source=name), is_source_guessed=False)

    @property
    def contents(self) -> Contents:
        """Return what this table says of its tickets."""
        if self.shape == "messages":
            return Contents.MESSAGES
        return Contents.RECORDS if any(column.role in _TEXT_ROLES for column in self.columns) else Contents.LIST


@dataclass(frozen=True, slots=True)
class Bundle:
    """Tables of one source that go in together, in this order: people, tickets, messages.

    `notes` say in words what was left out, and why the tables belong to a source that no file is named after.
    """

    tables: tuple[Recognized, ...]
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> Recognized:
        """Return the table that tells most of the tickets."""
        return min(self.tables, key=lambda table: ("tickets", "people", "messages").index(table.kind))

    def with_main(self, main: Recognized) -> Bundle:
        """Return the bundle with its main table recognized anew; the others go where that one goes."""
        old = self.main
        main = replace(main, diffs=main.diffs or old.diffs)
        tables = (main if table is old else table.with_source(main.source) for table in self.tables)
        return replace(self, tables=tuple(tables))


@dataclass(frozen=True, slots=True)
class Drop:
    """What dropped files turned out to be: bundles to import, files whose columns need a word of the user, and what was wrong with the others."""

    bundles: tuple[Bundle, ...] = ()
    questions: tuple[MappingNeeded, ...] = ()
    failed: tuple[FailedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that cannot be imported, and why."""

    path: str
    error: DeskError


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was set aside: where it stands (line from 1), which column and value, why, and its raw text.

    `cells` are its cells where it could be cut into cells, so that it can be mended and read again.
    """

    line: int
    reason: str
    column: str = ""
    value: str = ""
    raw: str = ""
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a file as the reader hands it out: tickets, or the people of a table of people.

    The counts are those of this part; `fraction` (0..1) is how far the work is.

    `repeated` rows are the same as one before, to the letter: they say nothing new and count as unchanged.
    """

    tickets: tuple[TicketDraft, ...] = ()
    people: tuple[Person, ...] = ()
    rejects: tuple[Reject, ...] = ()
    rows: int = 0
    blank: int = 0
    footer: int = 0
    repeated: int = 0
    fraction: float = 1.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of every row and ticket of one file."""

    rows: int = 0
    rows_used: int = 0
    rows_unchanged: int = 0
    rejected: int = 0
    blank: int = 0
    footer: int = 0
    tickets_new: int = 0
    tickets_updated: int = 0
    tickets_unchanged: int = 0
    messages: int = 0

    @property
    def adds_up(self) -> bool:
        """Tell whether every row has exactly one fate."""
        return self.rows == self.rows_used + self.rows_unchanged + self.rejected + self.blank + self.footer


def total(imports: Iterable[ImportCounts]) -> ImportCounts:
    """Add up what became of several files."""
    listed = list(imports)
    return ImportCounts(*(sum(getattr(counts, each.name) for counts in listed) for each in fields(ImportCounts)))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. `fraction` is 0..1 of the file's bytes; `seconds` since it began."""

    path: str
    counts: ImportCounts
    fraction: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that were set aside since the last event."""

    path: str
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """One file is done. `import_id` is 0 for a dry run and when nothing changed. `rejects_path` is '' when nothing was rejected."""

    path: str
    import_id: int
    recognized: Recognized
    counts: ImportCounts
    seconds: float
    rejects_path: str = ""
    warnings: tuple[str, ...] = ()


class MappingNeeded(DeskError):  # noqa: N818 - a question more than an error
    """The columns are known, and the user must say what one of them means. `recognized` holds them."""

    def __init__(self, code: str, message: str, *, remedy: str, recognized: Recognized) -> None:
        super().__init__(code, message, remedy=remedy)
        self.recognized = recognized


def header_fingerprint(recognized: Recognized) -> str:
    """Name a table by its header: the same columns in the same order. Hexadecimal SHA-256."""
    return fingerprint_of([column.name for column in recognized.columns])


def fingerprint_of(header: Sequence[str]) -> str:
    """Name a table by the names of its columns, in their order. Hexadecimal SHA-256."""
    names = "\x1f".join(name.strip().casefold() for name in header)
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()


ImportEvent = Recognized | Progress | Rejected | Finished


@dataclass(frozen=True, slots=True)
class Undone:
    """An import taken back."""

    import_id: int
    tickets_removed: int
    tickets_restored: int
