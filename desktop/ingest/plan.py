"""Plan: a recognition turned into places, so that reading a row is a matter of looking up cells.

It joins what was recognized (roles by column, the date order) with what the system's definition adds (its words, its parts and events). It
works without a definition too, with the words all help desks share. Deliberately not here: any row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.imports import Recognized
from desktop.ingest.systems import Layout, SystemDefinition, load_system, match_within
from desktop.ingest.vocabulary import fold

EXTRA_FIELD = "(extra)"
"""Where cells beyond the last column of the header are kept."""

# 1 234 and 1,234, as GLPI writes the number of a ticket.
_GROUPED_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f,.'’]\d{3})+")
# A column of notes among colleagues; one that holds comments as well says of each entry which it is.
_INTERNAL_COLUMN = re.compile(
    r"^(?!.*comment).*\b(?:work ?notes?|internal|private|arbeitsnotizen|interne?|notas de trabajo)\b"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things stand in a row. `places` are the first column of each role, `many` all of those roles that may repeat."""

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
    scope_places: tuple[int, ...] = ()
    id_places: tuple[int, ...] = ()
    has_plain_ids: bool = True

    @property
    def width(self) -> int:
        return len(self.names)

    def cell(self, cells: Sequence[str], role: str) -> str:
        """Return the cell of a role as it stands, '' when the file has no such column."""
        place = self.places.get(role, -1)
        return cells[place] if place >= 0 else ""

    def ticket_id(self, cells: Sequence[str]) -> str:
        """Return what names the ticket of a row: its id, with what the id is unique within in front (`owner/name#12`), or one made of cells."""
        identifier = cells[self.places["ticket_id"]].strip()
        if identifier.startswith('="'):
            identifier = identifier[2:].removesuffix('"')  # how zeros in front are kept from a spreadsheet
        if self.has_plain_ids:
            return identifier
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
        if len(cells) > len(self.names):
            fields[EXTRA_FIELD] = self.delimiter.join(cells[len(self.names) :])
        return fields


def make_plan(recognized: Recognized, systems: Sequence[SystemDefinition]) -> Plan:
    """Make the plan for reading a recognized file; `systems` are the definitions it was recognized with."""
    names = tuple(column.name for column in recognized.columns)
    folded = [fold(name) for name in names]
    system, layout = _definition(recognized, systems, folded)
    places: dict[str, int] = {}
    many: dict[str, tuple[int, ...]] = {}
    for column in recognized.columns:
        if column.role:
            places.setdefault(column.role, column.index)
            many[column.role] = (*many.get(column.role, ()), column.index)
    scope_places = tuple(folded.index(name) for name in layout.scope if name in folded)
    id_places = tuple(folded.index(name) for name in layout.id_from if name in folded)
    groups: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(names):
        groups[name] = (*groups.get(name, ()), place)
    internal = places.get("internal", -1)
    return Plan(
        shape=recognized.shape,
        date_order=recognized.date_order,
        delimiter=recognized.delimiter,
        system=system,
        layout=layout,
        names=names,
        places=places,
        many=many,
        requester_places=_people(places, ("requester", "requester_email"), layout.requester_ids, folded),
        assignee_places=_people(places, ("assignee",), layout.assignee_ids, folded),
        event_places=tuple(place for place, name in enumerate(folded) if name in layout.events),
        part_place=folded.index(layout.part_column) if layout.part_column in folded else -1,
        internal_places=frozenset(place for place, name in enumerate(folded) if _INTERNAL_COLUMN.search(name)),
        is_public_flag=internal >= 0 and "public" in folded[internal],
        groups=groups if len(groups) < len(names) else {},
        scope_places=scope_places,
        id_places=id_places,
        has_plain_ids=not (scope_places or id_places or layout.numeric_ids),
    )


def _first_group(pattern: str, value: str) -> str:
    match = re.search(pattern, value) if pattern else None
    return match[1] if match else value


def _definition(
    recognized: Recognized, systems: Sequence[SystemDefinition], folded: Sequence[str]
) -> tuple[SystemDefinition, Layout]:
    system = next((system for system in systems if system.key == recognized.system), None)
    if recognized.mapping_name:
        # The user's own mapping is not among the built-in ones, and may bear the name of one.
        system = load_system(Path(recognized.mapping_name))
    if system is None:
        return SystemDefinition(recognized.system, recognized.system_title, ()), Layout("", recognized.shape)
    return system, match_within(system, folded).layout


def _people(
    places: Mapping[str, int], roles: Sequence[str], ids: Sequence[str], folded: Sequence[str]
) -> tuple[int, ...]:
    by_role = [places[role] for role in roles if role in places]
    return tuple(by_role + [place for place, name in enumerate(folded) if name in ids])
