"""Definitions: the TOML files that say what a help desk's exports look like, read and checked; a user's own mapping is one of the same make.

    key = "zendesk"                     # becomes the source of its tickets
    title = "Zendesk"
    date_order = "month-first"          # used only when the values leave it open
    markup = "text"                     # what texts are: `html` or plain (the default), `coded` (HTML in [code]), `text` as it stands, `markdown`
    nothing = ["No articles yet."]      # what stands in place of a text where there is none

    [[layouts]]
    name = "comments"
    shape = "messages"                  # tickets, repeated, messages, journal, people, whole; or `none` with `note`: no tickets
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
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import COLUMN_ROLES
from desktop.domain.tickets import PRIORITIES, STATUSES, Role
from desktop.ingest.dates import ORDERS
from desktop.ingest.nested import LIST_MARK
from desktop.ingest.systems import MARKUPS, SHAPES, Layout, SystemDefinition, ThreadLayout
from desktop.ingest.vocabulary import fold

LARGEST_DEFINITION = 10_000_000
"""Bytes. A table of 20,000 columns has a mapping of about one million; what is larger is another kind of file."""


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
