"""Plan: a recognition turned into places, so that reading a row is a matter of looking up cells.

It joins what was recognized (roles by column, the date order) with what the system's definition adds (its words, its parts and events). It
works without a definition too, with the words all help desks share. Deliberately not here: any row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.domain.imports import Recognized
from desktop.ingest.definitions import read_system
from desktop.ingest.nested import group_of, is_list_column, read_list
from desktop.ingest.systems import Layout, SystemDefinition, match_within
from desktop.ingest.vocabulary import fold

EXTRA_FIELD = "(extra)"
"""Where cells beyond the last column of the header are kept."""

# 1 234 and 1,234, as GLPI writes the number of a ticket.
_GROUPED_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f,.'’]\d{3})+")
# A column of notes among colleagues; one that holds comments as well says of each entry which it is.
_INTERNAL_COLUMN = re.compile(
    r"^(?!.*comment).*\b(?:work ?notes?|internal|private|arbeitsnotizen|interne?|notas de trabajo)\b"
)


RECORD_ROLES = ("ticket_id", "subject", "status", "priority", "requester", "requester_email", "assignee", "updated_at")
"""Roles that speak of the record even where a list within holds them: `assignees[].login`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things stand in a row. `places` are the first column of each role, `many` all of those roles that may repeat.

    `threads` are the plans of the lists of messages within a record; the places of each count in the record's row, its lists taken apart.
    """

    shape: str
    date_order: str
    delimiter: str
    system: SystemDefinition
    layout: Layout
    names: tuple[str, ...]
    places: Mapping[str, int]
    many: Mapping[str, tuple[int, ...]]
    requester_places: tuple[int, ...]
    assignee_places: tuple[int, ...]
    event_places: tuple[int, ...]
    part_place: int
    is_public_flag: bool
    internal_places: frozenset[int]
    groups: Mapping[str, tuple[int, ...]]
    list_places: frozenset[int] = frozenset()
    joined_places: frozenset[int] = frozenset()
    scope_places: tuple[int, ...] = ()
    id_places: tuple[int, ...] = ()
    other_id_places: tuple[int, ...] = ()
    reply_place: int = -1
    threads: tuple[Plan, ...] = ()
    has_plain_ids: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    diffs: Mapping[str, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def id_place(self) -> int:
        """Return the column that a row is told from others by; -1 when there is none."""
        return self.places.get("person_id" if self.shape == "people" else "ticket_id", -1)

    def cell(self, cells: Sequence[str], role: str) -> str:
        """Return the cell of a role as it stands, '' when the file has no such column."""
        place = self.places.get(role, -1)
        if place < 0:
            return ""
        return ", ".join(read_list(cells[place])) if place in self.joined_places else cells[place]

    def ticket_id(self, cells: Sequence[str]) -> str:
        """Return what names the ticket of a row: its id, with what the id is unique within in front (`owner/name#12`), or one made of cells."""
        identifier = cells[self.id_place].strip()
        if identifier.startswith('="'):
            identifier = identifier[2:].removesuffix('"')  # how zeros in front are kept from a spreadsheet
        if self.has_plain_ids:
            return identifier
        if self.aliases:
            return self.aliases.get(identifier, identifier)
        layout = self.layout
        if layout.numeric_ids and _GROUPED_NUMBER.fullmatch(identifier):
            return re.sub(r"\D", "", identifier)
        if self.id_places:
            told = "\0".join(cells[place].strip() for place in self.id_places)
            return f"{identifier}#{hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
        scope = next((cells[place].strip() for place in self.scope_places if cells[place].strip()), "")
        scope = _first_group(layout.scope_pattern, scope)
        identifier = _first_group(layout.id_pattern, identifier)
        return f"{scope}#{identifier.lstrip('#')}" if scope else identifier

    def fields(self, cells: Sequence[str]) -> dict[str, str | list[str]]:
        """Return every column by its own name; repeated columns as a list of what they hold."""
        if not self.groups:
            fields: dict[str, str | list[str]] = dict(zip(self.names, cells, strict=False))
        else:
            fields = {}
            for name, places in self.groups.items():
                fields[name] = (
                    cells[places[0]] if len(places) == 1 else [cells[place] for place in places if cells[place]]
                )
        for place in self.list_places:
            fields[self.names[place]] = read_list(cells[place])
        if len(cells) > len(self.names):
            fields[EXTRA_FIELD] = self.delimiter.join(cells[len(self.names) :])
        return fields


def make_plan(recognized: Recognized, systems: Sequence[SystemDefinition]) -> Plan:
    """Make the plan for reading a recognized file; `systems` are the definitions it was recognized with."""
    names = tuple(column.name for column in recognized.columns)
    folded = [fold(name) for name in names]
    system, layout = definition_of(recognized, systems, folded)
    scope_places = tuple(folded.index(name) for name in layout.scope if name in folded)
    id_places = tuple(folded.index(name) for name in layout.id_from if name in folded)
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name, []).append(place)
    places, many = _roles(recognized, "")
    is_of_messages = recognized.shape == "messages"
    for group in dict.fromkeys(map(group_of, names)) if is_of_messages else ():
        inner_places, inner_many = _roles(recognized, group)
        places, many = {**inner_places, **places}, {**inner_many, **many}
    plan = Plan(
        shape=recognized.shape,
        date_order=recognized.date_order,
        delimiter=recognized.delimiter,
        system=system,
        layout=layout,
        names=names,
        places=places,
        many={role: tuple(where) for role, where in many.items()},
        requester_places=_people(places, ("requester", "requester_email"), layout.requester_ids, folded),
        assignee_places=_people(places, ("assignee",), layout.assignee_ids, folded),
        event_places=tuple(place for place, name in enumerate(folded) if name in layout.events),
        part_place=folded.index(layout.part_column) if layout.part_column in folded else -1,
        internal_places=frozenset(place for place, name in enumerate(folded) if _INTERNAL_COLUMN.search(name)),
        is_public_flag=_is_public(folded, places),
        groups={name: tuple(where) for name, where in groups.items()} if len(groups) < len(names) else {},
        list_places=frozenset(place for place, name in enumerate(names) if is_list_column(name)),
        joined_places=frozenset(
            c.index for c in recognized.columns if c.role in RECORD_ROLES and is_list_column(c.name)
        ),
        scope_places=scope_places,
        id_places=id_places,
        has_plain_ids=not (scope_places or id_places or layout.numeric_ids or recognized.aliases),
        aliases=recognized.aliases,
        diffs=recognized.diffs,
        reply_place=folded.index(layout.reply_to) if layout.reply_to in folded else -1,
        other_id_places=tuple(place for place, name in enumerate(folded) if name in layout.other_ids),
    )
    threads = tuple(
        thread
        for group in dict.fromkeys(map(group_of, names))
        if group and not is_of_messages and (thread := _thread(plan, recognized, group))
    )
    return replace(plan, threads=threads)


def _roles(recognized: Recognized, group: str) -> tuple[dict[str, int], dict[str, tuple[int, ...]]]:
    """Return the places of the roles in one list of a record, '' for the record itself: the first of each, and all of each."""
    places: dict[str, int] = {}
    many: dict[str, list[int]] = {}
    for column in recognized.columns:
        if column.role and (group_of(column.name) if column.role not in RECORD_ROLES else "") == group:
            places.setdefault(column.role, column.index)
            many.setdefault(column.role, []).append(column.index)
    return places, {role: tuple(where) for role, where in many.items()}


def _thread(plan: Plan, recognized: Recognized, group: str) -> Plan | None:
    """Make the plan of a list of messages within a record; None when it is a list of something else."""
    places, many = _roles(recognized, group)
    if not {"body", "author_role"} & set(places):
        return None
    prefix = f"{fold(group)} "
    inner = [fold(name).removeprefix(prefix) if group_of(name) == group else "" for name in plan.names]
    part = plan.layout.part_column
    return replace(
        plan,
        shape="messages",
        places={**{role: plan.places[role] for role in RECORD_ROLES if role in plan.places}, **places},
        many=many,
        part_place=inner.index(part) if part in inner else -1,
        is_public_flag=_is_public(inner, places),
        list_places=frozenset(place for place, name in enumerate(plan.names) if group_of(name) == group),
    )


def _is_public(folded: Sequence[str], places: Mapping[str, int]) -> bool:
    place = places.get("internal", -1)
    return place >= 0 and re.search("public|visible", folded[place]) is not None


def _first_group(pattern: str, value: str) -> str:
    match = re.search(pattern, value) if pattern else None
    return match[1] if match else value


def definition_of(
    recognized: Recognized, systems: Sequence[SystemDefinition], folded: Sequence[str]
) -> tuple[SystemDefinition, Layout]:
    """Return the definition and layout that a file was recognized by; those of no known system are empty. `folded` are its columns' names."""
    system = next((system for system in systems if system.key == recognized.system), None)
    if recognized.overrides.definition:
        # The user's own mapping is not among the built-in ones, and may bear the name of one.
        system = read_system(recognized.overrides.definition, file=Path(recognized.mapping_name))
    if system is None:
        return SystemDefinition(recognized.system, recognized.system_title, ()), Layout("", recognized.shape)
    return system, match_within(system, folded).layout


def _people(
    places: Mapping[str, int], roles: Sequence[str], ids: Sequence[str], folded: Sequence[str]
) -> tuple[int, ...]:
    by_role = [places[role] for role in roles if role in places]
    return tuple(by_role + [place for place, name in enumerate(folded) if name in ids])
