"""Systems: what a help desk's exports look like, each as one TOML file.

A system has one or more *layouts* (a list of tickets, a table of comments, an audit log). A layout is told by its fingerprint: columns that
must all be there, each with its other spellings after a `|`. A user's own mapping is a file of the same make. Deliberately not here: tables
that no definition fits, see `mapping`.

    key = "zendesk"                     # becomes the source of its tickets
    title = "Zendesk"
    date_order = "month-first"          # used only when the values leave it open
    markup = "text"                     # what texts are: `html` or plain (the default), `coded` (HTML in [code]), `text` as it stands, `markdown`
    nothing = ["No articles yet."]      # what stands in place of a text where there is none

    [[layouts]]
    name = "comments"
    shape = "messages"                  # tickets, repeated, messages, journal, people; or `none` with `note` for tables that hold no tickets
    fingerprint = ["ticket_id", "@body"]   # `@body`: any of the names that the role has below
    [layouts.columns]                   # role = names of columns, the best first
    ticket_id = ["ticket_id"]

    [[layouts.threads]]                 # lists of messages within a record, as JSON has them
    list = "comments"
    [layouts.threads.columns]
    body = ["body"]

    [status]                            # also [priority] and [author_roles]: the system's word = ours
    hold = "on-hold"

A mapping that a person saved (`mapping_files`) may say more:

    source = "berlin"                   # what its tickets belong to, whatever the file is called
    fixed_date_order = "day-first"      # chosen by a person, so it goes over what the values say
    [[layouts]]
    header = ["Date", "Date", "Key"]    # every column in its order: the table it is remembered for
    [layouts.nth_columns]               # of several columns of one name, which (from 1)
    created_at = [{ name = "Date", nth = 2 }]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import COLUMN_ROLES
from desktop.domain.tickets import PRIORITIES, STATUSES, Role
from desktop.ingest.dates import ORDERS
from desktop.ingest.nested import LIST_MARK, group_of
from desktop.ingest.vocabulary import fold

LARGEST_DEFINITION = 10_000_000
"""Bytes. A table of 20,000 columns has a mapping of about one million; what is larger is another kind of file."""
SHAPES = ("tickets", "repeated", "messages", "journal", "people", "none")
MARKUPS = ("html", "coded", "text", "markdown")
_NAMES_OF_TICKETS = frozenset("subject summary description betreff asunto sujet assunto status".split())
"""What no table of users or tags has: with one of these, a table is more than that; unless many columns tell what it is."""
_MOST_VAGUE = 4
MANY_COLUMNS = ("comment", "journal", "customer_author", "agent_author")
"""Roles that more than one column may have."""


@dataclass(frozen=True, slots=True)
class ThreadLayout:
    """A list of messages within a record: its name, as `nested.group_of` gives it, folded, and the roles of its elements' keys."""

    group: str
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file of a system. All names of columns are folded (`vocabulary.fold`).

    `events`: columns whose changes from row to row become messages (an audit log). `part_words`: what a row without text says, by the value of
    `part_column`; `silent_parts`: values of it that are no messages, whatever they say; `part_status`: the status it leaves the ticket in;
    `internal_parts`: values of it that mark a note among colleagues. `requester_ids` and `assignee_ids`: further columns that name the same
    person. `absent`: columns that must not be there. `all_are`: the role of everybody in a table of people. `scope`: columns that say within what
    an id is unique (a repository), the first filled one counts, and of it the first group of `scope_pattern` where there is one. `id_pattern`:
    its first group is the id, where it is found in the cell. `id_from`: columns that make the id together where none holds one. `numeric_ids`:
    ids are whole numbers, and `1 234` is 1234. `other_ids`: columns with a second id, by which other tables may name the ticket. `reply_to`: a
    column that holds the id of the row that is answered; then `ticket_id` is the row's own, and that of the first row is the ticket's.
    """

    name: str
    shape: str
    fingerprint: tuple[tuple[str, ...], ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""
    events: tuple[str, ...] = ()
    part_column: str = ""
    part_words: Mapping[str, str] = field(default_factory=dict)
    part_status: Mapping[str, str] = field(default_factory=dict)
    internal_parts: tuple[str, ...] = ()
    silent_parts: tuple[str, ...] = ()
    requester_ids: tuple[str, ...] = ()
    assignee_ids: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    all_are: str = ""
    scope: tuple[str, ...] = ()
    scope_pattern: str = ""
    id_pattern: str = ""
    id_from: tuple[str, ...] = ()
    numeric_ids: bool = False
    other_ids: tuple[str, ...] = ()
    reply_to: str = ""
    threads: tuple[ThreadLayout, ...] = ()
    header: tuple[str, ...] = ()
    nth_columns: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def fits(self, names: frozenset[str]) -> bool:
        """Tell whether all columns of the fingerprint are among these folded names, and none of those that must not be there."""
        is_told = bool(self.fingerprint) and all(any(name in names for name in group) for group in self.fingerprint)
        return is_told and not names.intersection(self.absent)

    def assign(self, names: Sequence[str]) -> dict[int, str]:
        """Give roles to columns, by their folded names: {place: role}."""
        roles: dict[int, str] = {}
        for role, wanted in self.nth_columns.items():
            for name, nth in wanted:
                same = [place for place, other in enumerate(names) if other == name]
                if len(same) >= nth:
                    roles[same[nth - 1]] = role
        _assign(roles, names, self.columns)
        for thread in self.threads:
            of_group = [
                name.removeprefix(f"{thread.group} ") if name.startswith(thread.group) else "" for name in names
            ]
            _assign(roles, of_group, thread.columns)
        return roles


def _assign(roles: dict[int, str], names: Sequence[str], columns: Mapping[str, tuple[str, ...]]) -> None:
    for role, aliases in columns.items():
        groups: set[str] = set()
        for place in [place for alias in aliases for place, name in enumerate(names) if name == alias]:
            # A record and each list within it may have one column of a role.
            group = group_of(names[place])
            if place not in roles and (role in MANY_COLUMNS or group not in groups):
                roles[place] = role
                groups.add(group)


@dataclass(frozen=True, slots=True)
class SystemDefinition:
    """A help desk: its layouts and its words. `is_generic`: no product of its own, so tickets are named after their file."""

    key: str
    title: str
    layouts: tuple[Layout, ...]
    is_generic: bool = False
    date_order: str = ""
    markup: str = "html"
    status: Mapping[str, str] = field(default_factory=dict)
    priority: Mapping[str, str] = field(default_factory=dict)
    author_roles: Mapping[str, str] = field(default_factory=dict)
    nothing: frozenset[str] = frozenset()
    file: str = ""
    source: str = ""
    fixed_date_order: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The layout that fits a header best, and its system."""

    system: SystemDefinition
    layout: Layout
    roles: Mapping[int, str]


def load_systems(folder: Path) -> tuple[SystemDefinition, ...]:
    """Load every `*.toml` of a folder, in the order of their names.

    Raises:
        DeskError: `mapping-invalid`, naming the file and the key.
    """
    return tuple(load_system(file) for file in sorted(folder.glob("*.toml")))


def load_system(file: Path) -> SystemDefinition:
    """Load one definition.

    Raises:
        DeskError: `mapping-missing` or `mapping-invalid`, naming the file and the key.
    """
    return read_system(read_definition(file), file=file)


def read_definition(file: Path) -> str:
    """Return the text of a definition.

    Raises:
        DeskError: `mapping-missing` or `mapping-invalid`, naming the file.
    """
    try:
        if file.stat().st_size > LARGEST_DEFINITION:
            raise DeskError(
                "mapping-invalid", f"{file.name} is too large for a mapping.", remedy="Choose a mapping file (.toml)."
            )
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DeskError("mapping-missing", f"The mapping {file} cannot be read.", remedy="Check its path.") from error
    except UnicodeDecodeError as error:
        raise DeskError(
            "mapping-invalid", f"The mapping {file.name} is not valid TOML: {error}.", remedy="Correct it there."
        ) from error


def read_system(text: str, *, file: Path) -> SystemDefinition:
    """Read a definition from its text; `file` is where it came from, for messages.

    Raises:
        DeskError: `mapping-invalid`, naming the file and the key.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DeskError(
            "mapping-invalid", f"The mapping {file.name} is not valid TOML: {error}.", remedy="Correct it there."
        ) from error
    return _Checker(file, data).system()


def column_names(systems: Sequence[SystemDefinition]) -> frozenset[str]:
    """Return every folded name of a column that the definitions know: what tells a header from a row."""
    layouts = [layout for system in systems for layout in system.layouts]
    return frozenset(
        name for layout in layouts for names in (*layout.columns.values(), *layout.fingerprint) for name in names
    )


def match_header(
    systems: Sequence[SystemDefinition], names: Sequence[str], *, shapes: Sequence[str] = SHAPES
) -> Match | None:
    """Find the layout, of one of these shapes, whose fingerprint fits these folded column names best; None when no one's does."""
    present = frozenset(names)
    best: tuple[tuple[bool, int, int], Match] | None = None
    for system in systems:
        for layout in system.layouts:
            is_fit = layout.shape in shapes and layout.fits(present)
            if is_fit and not (
                layout.shape == "none" and len(layout.fingerprint) <= _MOST_VAGUE and present & _NAMES_OF_TICKETS
            ):
                found = Match(system, layout, layout.assign(names))
                rank = (not system.is_generic, len(layout.fingerprint), len(found.roles))
                if best is None or rank > best[0]:
                    best = (rank, found)
    return best[1] if best else None


def match_within(system: SystemDefinition, names: Sequence[str]) -> Match:
    """Choose the layout of a system that the user named: by fingerprint, else by the number of columns it knows."""
    fitting = match_header((system,), names)
    if fitting:
        return fitting
    layouts = [layout for layout in system.layouts if layout.shape != "none"]
    # A table that none of them fits is hardly one of people, unless the system has nothing else.
    of_tickets = [layout for layout in layouts if layout.shape != "people"]
    matches = [Match(system, layout, layout.assign(names)) for layout in of_tickets or layouts]
    return max(matches, key=lambda match: ("ticket_id" in match.roles.values(), len(match.roles)))


class _Checker:
    """Reads a definition key by key; whatever is wrong names the file and the key."""

    def __init__(self, file: Path, data: Mapping[str, object]) -> None:
        self._file = file
        self._data = data

    def system(self) -> SystemDefinition:
        self._only(
            self._data,
            "",
            "key title is_generic date_order markup layouts status priority author_roles nothing source fixed_date_order",
        )
        key = self._text(self._data, "key", "", required=True)
        layouts = self._data.get("layouts")
        if not isinstance(layouts, list) or not layouts:
            raise self._error("layouts", "must be one or more [[layouts]]")
        read = tuple(self._layout(layout, f"layouts[{place}]") for place, layout in enumerate(layouts, start=1))
        if all(layout.shape == "none" for layout in read):
            raise self._error("layouts", "must hold at least one that has tickets")
        return SystemDefinition(
            key=key,
            title=self._text(self._data, "title", "") or key,
            layouts=read,
            is_generic=self._data.get("is_generic") is True,
            date_order=self._one_of(self._data, "date_order", "", ("", "day-first", "month-first")),
            markup=self._one_of(self._data, "markup", "", MARKUPS, default="html"),
            status=self._words(self._data, "status", "", STATUSES),
            priority=self._words(self._data, "priority", "", PRIORITIES),
            author_roles=self._words(self._data, "author_roles", "", tuple(Role)),
            nothing=frozenset(self._names(self._data, "nothing", "")),
            file=str(self._file),
            source=self._text(self._data, "source", ""),
            fixed_date_order=self._one_of(self._data, "fixed_date_order", "", ("", *ORDERS)),
        )

    def _layout(self, data: object, place: str) -> Layout:
        if not isinstance(data, dict):
            raise self._error(place, "must be a table")
        self._only(data, place, " ".join(Layout.__dataclass_fields__))
        shape = self._one_of(data, "shape", place, SHAPES)
        columns = self._columns(data.get("columns", {}), f"{place}.columns")
        nth_columns = self._nth_columns(data.get("nth_columns", {}), f"{place}.nth_columns")
        needed = {"none": "", "people": "person_id"}.get(shape, "ticket_id")
        if needed and needed not in {**columns, **nth_columns}:
            raise self._error(f"{place}.columns.{needed}", "is missing")
        return Layout(
            name=self._text(data, "name", place) or "tickets",
            shape=shape,
            fingerprint=tuple(
                tuple(alias for name in group.split("|") for alias in self._spellings(name, columns, place))
                for group in self._names(data, "fingerprint", place, as_is=True)
            ),
            columns=columns,
            note=self._text(data, "note", place),
            events=self._names(data, "events", place),
            part_column=fold(self._text(data, "part_column", place)),
            part_words=self._words(data, "part_words", place),
            part_status=self._words(data, "part_status", place, STATUSES),
            internal_parts=self._names(data, "internal_parts", place),
            silent_parts=self._names(data, "silent_parts", place),
            requester_ids=self._names(data, "requester_ids", place),
            assignee_ids=self._names(data, "assignee_ids", place),
            absent=self._names(data, "absent", place),
            all_are=self._one_of(data, "all_are", place, ("", *Role)),
            scope=self._names(data, "scope", place),
            scope_pattern=self._pattern(data, "scope_pattern", place),
            id_pattern=self._pattern(data, "id_pattern", place),
            id_from=self._names(data, "id_from", place),
            other_ids=self._names(data, "other_ids", place),
            reply_to=fold(self._text(data, "reply_to", place)),
            numeric_ids=data.get("numeric_ids") is True,
            threads=tuple(self._threads(data.get("threads", []), f"{place}.threads")),
            header=self._header(data.get("header", []), f"{place}.header"),
            nth_columns=nth_columns,
        )

    def _threads(self, data: object, place: str) -> Iterator[ThreadLayout]:
        if not isinstance(data, list) or not all(isinstance(thread, dict) for thread in data):
            raise self._error(place, "must be one or more tables")
        for number, thread in enumerate(data, start=1):
            where = f"{place}[{number}]"
            self._only(thread, where, "list columns")
            name = fold(self._text(thread, "list", where, required=True))
            yield ThreadLayout(name + LIST_MARK, self._columns(thread.get("columns", {}), f"{where}.columns"))

    def _pattern(self, data: Mapping[str, object], key: str, place: str) -> str:
        pattern = self._text(data, key, place)
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise self._error(f"{place}.{key}", f"is no pattern: {error}") from error
        if pattern and groups != 1:
            raise self._error(f"{place}.{key}", "must have one group in round brackets")
        return pattern

    def _spellings(self, name: str, columns: Mapping[str, tuple[str, ...]], place: str) -> tuple[str, ...]:
        if not name.startswith("@"):
            return (fold(name),)
        if name[1:] not in columns:
            raise self._error(f"{place}.fingerprint", f"names {name}, which is no role among its columns")
        return columns[name[1:]]

    def _columns(self, data: object, place: str) -> dict[str, tuple[str, ...]]:
        if not isinstance(data, dict):
            raise self._error(place, "must be a table of role = [names]")
        for role in data:
            if role not in COLUMN_ROLES:
                raise self._error(f"{place}.{role}", f"is no role; roles are {', '.join(COLUMN_ROLES)}")
        return {role: self._names(data, role, place) for role in data}

    def _nth_columns(self, data: object, place: str) -> dict[str, tuple[tuple[str, int], ...]]:
        if not isinstance(data, dict):
            raise self._error(place, "must be a table of role = [{ name, nth }]")
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for role, listed in data.items():
            if role not in COLUMN_ROLES:
                raise self._error(f"{place}.{role}", f"is no role; roles are {', '.join(COLUMN_ROLES)}")
            if not isinstance(listed, list) or not all(map(_is_nth, listed)):
                raise self._error(f"{place}.{role}", "must be a list of { name = …, nth = … }, nth from 1")
            found[role] = tuple((fold(entry["name"]), entry["nth"]) for entry in listed)
        return found

    def _header(self, value: object, place: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise self._error(place, "must be a list of names")
        return tuple(value)

    def _names(self, data: Mapping[str, object], key: str, place: str, *, as_is: bool = False) -> tuple[str, ...]:
        value = data.get(key, [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
            raise self._error(_join(place, key), "must be a list of names")
        change: Callable[[str], str] = str if as_is else fold
        return tuple(change(name) for name in names)

    def _words(self, data: Mapping[str, object], key: str, place: str, allowed: Sequence[str] = ()) -> dict[str, str]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            raise self._error(_join(place, key), "must be a table")
        for word, meaning in value.items():
            if not isinstance(meaning, str) or (allowed and meaning not in allowed):
                raise self._error(
                    _join(place, f"{key}.{word}"),
                    f"must be one of {', '.join(allowed)}" if allowed else "must be a text",
                )
        return {fold(word): str(meaning) for word, meaning in value.items()}

    def _text(self, data: Mapping[str, object], key: str, place: str, *, required: bool = False) -> str:
        value = data.get(key, "")
        if not isinstance(value, str):
            raise self._error(_join(place, key), "must be a text")
        if required and not value.strip():
            raise self._error(_join(place, key), "is missing")
        return value

    def _one_of(
        self, data: Mapping[str, object], key: str, place: str, allowed: Sequence[str], *, default: str = ""
    ) -> str:
        value = self._text(data, key, place) or default
        if value not in allowed:
            raise self._error(_join(place, key), f"must be one of {', '.join(word or 'nothing' for word in allowed)}")
        return value

    def _only(self, data: Mapping[str, object], place: str, allowed: str) -> None:
        for key in data:
            if key not in allowed.split():
                raise self._error(_join(place, key), "is not known")

    def _error(self, key: str, fault: str) -> DeskError:
        return DeskError(
            "mapping-invalid", f"In the mapping {self._file.name}, {key} {fault}.", remedy="Correct it in that file."
        )


def _is_nth(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"name", "nth"}
        and isinstance(entry["name"], str)
        and type(entry["nth"]) is int
        and entry["nth"] > 0
    )


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
