"""Systems: what a help desk's exports look like, and which of them a table is told to be.

A system has one or more *layouts* (a list of tickets, a table of comments, an audit log). A layout is told by its fingerprint: columns that
must all be there, each with its other spellings. Deliberately not here: reading them from their files, see `definitions`; tables that none fits,
see `mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from desktop.ingest.nested import group_of

SHAPES = ("tickets", "repeated", "messages", "journal", "whole", "people", "none")
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
