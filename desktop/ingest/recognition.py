"""Recognition: what a file is, before anything is written, with reasons a person can check and correct.

A definition whose fingerprint fits the header wins; a table that fits none is mapped by names and content. What the user corrected goes over
both. Only the head of the file is read, and a piece of its end for dates. Deliberately not here: reading the rows, see `tickets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import COLUMN_ROLES, Column, ImportOverrides, MappingNeeded, Recognized
from desktop.domain.text import valid_text
from desktop.ingest.dates import ORDERS, DateOrder, decide_order, find_proof
from desktop.ingest.forms import JSON_FORMATS
from desktop.ingest.heads import HEAD_BYTES, Head, read_all_rows, read_head
from desktop.ingest.journal import comment_date, journal_dates
from desktop.ingest.mapping import DATE_ROLES, guess_record_roles, guess_roles, is_message_table
from desktop.ingest.nested import group_of, is_list_column, read_list
from desktop.ingest.plan import RECORD_ROLES
from desktop.ingest.systems import MANY_COLUMNS, Match, SystemDefinition, column_names, match_header, match_within
from desktop.ingest.tickets import preview_tickets
from desktop.ingest.vocabulary import is_nothing

SAMPLE_CHARACTERS = 80
GENERIC_KEY = "generic"
_DATED_ROLES = frozenset((*DATE_ROLES, "comment", "journal"))
"""Columns that hold dates, alone or in front of each comment."""
_FILLED_ROLES = ("body", "status", "priority", "requester", "requester_email", "assignee", "created_at", "updated_at")
_DAY_FIRST_HEADERS = re.compile(r"[äöüßéèêàçñóíú]|\b(?:estado|fecha|datum|zusammenfassung|resumen|prioridad)\b")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the header and the sample rows mean."""

    system: str
    title: str
    reason: str
    shape: str
    roles: Mapping[int, str]
    is_generic: bool
    date_order: str
    note: str = ""
    source: str = ""
    fixed_date_order: str = ""
    has_events: bool = False
    """Changes from row to row become messages."""


def recognize(
    path: Path,
    *,
    systems: Sequence[SystemDefinition],
    overrides: ImportOverrides = ImportOverrides(),
    system: SystemDefinition | None = None,
) -> Recognized:
    """Find out what a file is. `system` is the one the user named; `overrides` are the user's corrections.

    Raises:
        DeskError: `file-…` when it is no table of tickets, `mapping-no-id` (a `MappingNeeded`) when no column can be the ticket id,
            `mapping-role` when a correction names an unknown role or column.
    """
    head = read_head(path, names=column_names([*systems, system] if system else systems))
    meaning = _understand(head, systems, system)
    roles = _corrected(head, meaning.roles, overrides)
    columns = tuple(
        Column(place, name, roles.get(place, ""), _samples(head.rows, place, is_list=is_list_column(name)))
        for place, name in enumerate(head.names)
    )
    order = _date_order(head, roles, meaning, overrides)
    shape = _shape(head, meaning.shape, roles, is_corrected=bool(overrides.roles))
    recognized = Recognized(
        path=str(path),
        format=head.form.format,
        system=meaning.system,
        system_title=meaning.title,
        reason=meaning.reason,
        source=overrides.source.strip() or meaning.source or meaning.system,
        encoding=head.form.encoding,
        delimiter=head.form.dialect.delimiter,
        header_line=head.form.header_line,
        shape=shape,
        columns=columns,
        date_order=order.order,
        date_evidence=order.evidence,
        quote=head.form.dialect.quote,
        mapping_name=system.file if system and system not in systems else "",
        sheet=head.form.sheet,
        overrides=overrides,
        size_bytes=head.size_bytes,
        is_source_guessed=meaning.is_generic
        and (overrides.source.strip() or meaning.source) == source_from_name(_file_of(head)),
        warnings=_warnings(meaning, shape, roles),
    )
    if ("person_id" if shape == "people" else "ticket_id") not in roles.values():
        raise _no_id(recognized)
    known = [*systems, system] if system else systems
    return replace(recognized, preview=preview_tickets(recognized, systems=known, head_bytes=HEAD_BYTES))


def _no_id(recognized: Recognized) -> MappingNeeded:
    names = ", ".join(column.name for column in recognized.columns[:8])
    return MappingNeeded(
        "mapping-no-id",
        f"No column of {Path(recognized.path).name} looks like a ticket id (it has {names or 'no columns'}).",
        remedy="If these are tickets, choose which column holds their ids.",
        recognized=recognized,
    )


def source_from_name(path: Path) -> str:
    """Name the tickets of an unknown system after their file, without the date or number at its end: next week's export is the same source."""
    # A name of bytes that are no text (of an old system, or unpacked by one) is kept by the system, and no database could.
    stem = valid_text(path.stem.lower())
    # Possessive: a long number before a last letter has more ways to be cut up than there are atoms.
    shorter = re.sub(r"(?:[\s._\-()]*+\d++[tz]?+)++[\s._\-()]*+$", "", stem).rstrip(" ._-(")
    # Of "(week 48)" the second half went with its number.
    whole = re.sub(r"[()]", " ", shorter) if shorter.count("(") != shorter.count(")") else shorter
    return re.sub(r"[\s:]+", "-", whole.strip() or stem).strip("-") or "tickets"


def _file_of(head: Head) -> Path:
    """Return the file that a path into a JSON document leads into."""
    is_inside = head.form.format in JSON_FORMATS and head.path.name == head.form.sheet
    return head.path.parent if is_inside else head.path


def _understand(head: Head, systems: Sequence[SystemDefinition], chosen: SystemDefinition | None) -> _Meaning:
    match = match_within(chosen, head.folded) if chosen else match_header(systems, head.folded)
    if match and not chosen and _repeats_ids(head, match):
        # A row a message, whichever system has these columns: as tickets, all but the first row of each would be rejected.
        match = match_header(systems, head.folded, shapes=("messages",)) or match
    if match and match.layout.shape == "none":
        raise DeskError(
            "file-not-tickets",
            f"{head.path.name} is {match.layout.note}: it holds no tickets.",
            remedy="Import the export that holds the tickets or their messages.",
        )
    if match:
        return _from_match(head, match, is_chosen=chosen is not None)
    roles = _guess(head)
    told = ", ".join(head.names[place] for place, role in sorted(roles.items()) if role)
    # What the lists within records hold makes no table of messages of them.
    own = (role for place, role in roles.items() if not group_of(head.names[place]))
    shape = "messages" if is_message_table(own) else "tickets"
    reason = f"No known system has these columns; mapped by name and content: {told or 'nothing'}"
    return _Meaning(
        GENERIC_KEY, "Other table", reason, shape, roles, True, date_order="", source=source_from_name(_file_of(head))
    )


def _guess(head: Head, *, by_content: bool = True) -> dict[int, str]:
    if head.form.format in JSON_FORMATS:
        return guess_record_roles(head.names, head.rows, by_content=by_content)
    return guess_roles(head.folded, head.rows, by_content=by_content)


def _from_match(head: Head, match: Match, *, is_chosen: bool) -> _Meaning:
    system, layout = match.system, match.layout
    roles = dict(match.roles)
    if layout.shape not in ("messages", "people") and not is_chosen:
        # A column of the export that the definition does not list, found by its plain name.
        for place, role in _guess(head, by_content=False).items():
            if (
                role in _FILLED_ROLES
                and not group_of(head.names[place])
                and role not in roles.values()
                and place not in roles
                and "journal" not in roles.values()
            ):
                roles[place] = role
    told = [
        head.names[place]
        for place, name in enumerate(head.folded)
        if any(name in group for group in layout.fingerprint)
    ]
    how = "Chosen by you" if is_chosen else f"Told by the columns {', '.join(dict.fromkeys(told))}"
    return _Meaning(
        system.key,
        system.title,
        f"{how} ({layout.name})",
        layout.shape,
        roles,
        is_generic=system.is_generic,
        date_order=system.date_order,
        note=layout.note,
        source=system.source or _own_source(head, match),
        fixed_date_order=system.fixed_date_order,
        has_events=bool(layout.events),
    )


def _repeats_ids(head: Head, match: Match) -> bool:
    if match.layout.shape not in ("tickets", "repeated", "journal") or match.layout.scope or match.layout.id_from:
        return False
    place = next((place for place, role in match.roles.items() if role == "ticket_id"), -1)
    ids = [row[place] for row in head.rows if 0 <= place < len(row) and not is_nothing(row[place])]
    return len(ids) >= 4 and len(set(ids)) <= len(ids) * 0.85


def _own_source(head: Head, match: Match) -> str:
    """Name the source after the file where the ids mean nothing beyond it: no product, or numbers of a repository that no column names."""
    from_name = source_from_name(_file_of(head))
    if match.system.is_generic:
        return from_name
    is_scoped = not match.layout.scope or any(name in head.folded for name in match.layout.scope)
    return "" if is_scoped or from_name.startswith(match.system.key) else f"{match.system.key}-{from_name}"


def _corrected(head: Head, roles: Mapping[int, str], overrides: ImportOverrides) -> dict[int, str]:
    corrected = dict(roles)
    for place, role in overrides.roles.items():
        if role and role not in COLUMN_ROLES:
            raise DeskError(
                "mapping-role", f"“{role}” is no role of a column.", remedy=f"Roles are {', '.join(COLUMN_ROLES)}."
            )
        if not 0 <= place < len(head.names):
            raise DeskError(
                "mapping-role", f"{head.path.name} has no column {place + 1}.", remedy="Choose one of its columns."
            )
        if role and role not in MANY_COLUMNS:
            group = group_of(head.names[place])
            corrected = {
                other: given
                for other, given in corrected.items()
                if given != role or group_of(head.names[other]) != group
            }
        corrected[place] = role
    return {place: role for place, role in corrected.items() if role}


def _shape(head: Head, expected: str, roles: Mapping[int, str], *, is_corrected: bool) -> str:
    if expected == "whole" and not is_corrected:
        return expected
    # Rows of messages may hold lists of what was said: a row a change, and in it what it consisted of.
    if expected != "messages" and any(
        group_of(head.names[place]) for place, role in roles.items() if role not in RECORD_ROLES
    ):
        return "nested"
    given = set(roles.values())
    if expected == "people" and "ticket_id" not in given:
        return "people"
    if expected == "messages" or "message_created_at" in given:
        return "messages"
    if "journal" in given:
        return "journal"
    return "repeated" if "comment" in given else "tickets"


def _date_order(head: Head, roles: Mapping[int, str], meaning: _Meaning, overrides: ImportOverrides) -> DateOrder:
    if overrides.date_order:
        if overrides.date_order not in ORDERS:
            raise DeskError(
                "mapping-role",
                f"“{overrides.date_order}” is no order of dates.",
                remedy=f"Orders are {', '.join(ORDERS)}.",
            )
        return DateOrder(overrides.date_order, "Chosen by you")
    if meaning.fixed_date_order:
        return DateOrder(meaning.fixed_date_order, "Chosen in the mapping file")
    columns = [(head.names[place], list(_dates(head.rows, place, role))) for place, role in roles.items()]
    fallback, reason = meaning.date_order, f"{meaning.title} writes dates so"
    if not fallback and _DAY_FIRST_HEADERS.search(" ".join(head.folded)):
        fallback, reason = "day-first", "the language of the header speaks for the day first"
    order = decide_order(columns, fallback=fallback, fallback_reason=reason)
    # Every date of the head may be read either way, and one further down may not: then the whole column is looked at.
    return (find_proof(_all_dates(head, roles)) or order) if order.is_open else order


def _all_dates(head: Head, roles: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    dated = {place: role for place, role in roles.items() if role in _DATED_ROLES}
    for row in read_all_rows(head):
        for place, role in dated.items():
            for value in _dates((row,), place, role):
                yield head.names[place], value


def _dates(rows: Iterable[Sequence[str]], place: int, role: str) -> Iterable[str]:
    cells = [row[place] for row in rows if place < len(row) and not is_nothing(row[place])]
    if role in DATE_ROLES:
        return [date for cell in cells for date in read_list(cell)] if cells and cells[0].startswith("[") else cells
    if role == "comment":
        return [comment_date(cell) for cell in cells]
    return [date for cell in cells for date in journal_dates(cell)] if role == "journal" else []


def _samples(rows: Iterable[Sequence[str]], place: int, *, is_list: bool) -> tuple[str, ...]:
    samples: dict[str, None] = {}
    for row in rows:
        if place < len(row) and not is_nothing(row[place]):
            held = ", ".join(filter(None, read_list(row[place]))) if is_list else row[place]
            samples[" ".join(held.split())[:SAMPLE_CHARACTERS]] = None
        if len(samples) == 3:
            break
    return tuple(samples)


def _warnings(meaning: _Meaning, shape: str, roles: Mapping[int, str]) -> tuple[str, ...]:
    given = set(roles.values())
    warnings = [meaning.note] if meaning.note else []
    if shape == "people":
        return tuple(warnings)
    if not given & {"body", "comment", "journal"} and not meaning.has_events:
        warnings.append(
            "This export holds no message texts, only the list of tickets: there is nothing to summarize in it."
        )
    if not given & set(DATE_ROLES):
        warnings.append("No column holds dates, so messages keep the order of the file.")
    if meaning.is_generic and shape != "messages" and "subject" not in given:
        warnings.append("No column holds subjects; the first sentence stands in for them.")
    return tuple(warnings)
