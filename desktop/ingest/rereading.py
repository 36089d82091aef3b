"""Rereading: one rejected row, corrected by a person, read again as its whole file was read.

It goes the same way as every row (the plan, the gate, the threads), so that what was wrong with it is found again when it is still wrong. No file is
needed: how it was read is kept with the import. Deliberately not here: whether its ticket may be written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from desktop.domain.imports import Batch, Recognized
from desktop.domain.people import Person, name_people
from desktop.domain.tickets import TicketDraft
from desktop.ingest.id_pattern import IdPattern
from desktop.ingest.people import PeopleBuilder
from desktop.ingest.plan import Plan, make_plan
from desktop.ingest.records import MAX_RAW_CHARACTERS, UNCLOSED, Dialect, Record, RecordSource
from desktop.ingest.rows import RowGate
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.threads import ThreadBuilder


@dataclass(slots=True)
class _OneRow:
    """What the gate asks of a file that is no longer needed: the row as it stands there."""

    raw: str


def obstacle(recognized: Recognized | None, raw: str, cells: Sequence[str]) -> str:
    """Say why a rejected row cannot be read again without its file; '' when it can."""
    if recognized is None:
        return "TLDesk did not keep yet how this file was read."
    if cells:
        return ""
    if not recognized.delimiter:
        return "What was rejected here is no row that can be edited on its own."
    if len(raw) >= MAX_RAW_CHARACTERS:
        return f"Only the first {MAX_RAW_CHARACTERS:,} characters of this row were kept."
    return ""


def cut_row(recognized: Recognized, raw: str) -> tuple[str, ...]:
    """Cut raw text into cells; () when it is not exactly one sound row."""
    try:
        rows = _cut(recognized, raw)
    except csv.Error:
        return ()
    return tuple(rows[0]) if len(rows) == 1 else ()


def read_again(
    recognized: Recognized,
    *,
    systems: Sequence[SystemDefinition],
    people: Mapping[str, Person],
    line: int,
    cells: Sequence[str] = (),
    raw: str = "",
) -> Batch:
    """Read a corrected row: its cells where they are known, else its raw text, which may hold more than one row.

    The counts of the batch are those of the rows it turned out to be. `people` are the names to put in place of ids.
    """
    plan = make_plan(recognized, systems)
    gate = RowGate(plan, IdPattern(recognized.columns[plan.id_place].samples))
    source = cast(RecordSource, _OneRow(raw))
    try:
        records = [Record(line, list(row)) for row in ([cells] if cells else _cut(recognized, raw))]
    except csv.Error:
        records = [Record(line, [], UNCLOSED)]
    admitted = [row for record in records if (row := gate.admit(record, source)) is not None]
    is_of_people = plan.shape == "people"
    return Batch(
        tickets=() if is_of_people else tuple(name_people(draft, people) for draft in _drafts(plan, admitted)),
        people=tuple(map(PeopleBuilder(plan).from_row, admitted)) if is_of_people else (),
        rejects=tuple(gate.rejects),
        rows=len(records),
        blank=gate.blank,
        footer=gate.footer,
        repeated=gate.repeated,
    )


def _drafts(plan: Plan, rows: Sequence[Sequence[str]]) -> list[TicketDraft]:
    builder = ThreadBuilder(plan)
    if plan.shape != "messages":
        return [builder.from_row(row) for row in rows]
    rows_of: dict[str, list[Sequence[str]]] = {}
    for row in rows:
        rows_of.setdefault(plan.ticket_id(row), []).append(row)
    return [builder.from_rows(group) for group in rows_of.values()]


def _cut(recognized: Recognized, raw: str) -> list[list[str]]:
    # A cell may hold line ends of its own, so the text must come in with them untouched.
    lines = io.StringIO(raw, newline="").readlines()
    return list(Dialect(recognized.delimiter, recognized.quote).reader(lines, strict=True))
