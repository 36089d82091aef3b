"""Rereading: one rejected row, corrected by a person, read again as its whole file was read.

It goes the same way as every row (the plan, the gate, the threads), so that what was wrong with it is found again when it is still wrong. No file is
needed: how it was read is kept with the import. Deliberately not here: whether its ticket may be written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from desktop.domain.imports import Batch, Recognized
from desktop.ingest.plan import make_plan
from desktop.ingest.records import MAX_RAW_CHARACTERS, UNCLOSED, Dialect, IdPattern, Record, RecordSource
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
    recognized: Recognized, *, systems: Sequence[SystemDefinition], line: int, cells: Sequence[str] = (), raw: str = ""
) -> Batch:
    """Read a corrected row: its cells where they are known, else its raw text, which may hold more than one row.

    The counts of the batch are those of the rows it turned out to be.
    """
    plan = make_plan(recognized, systems)
    id_place = plan.places["ticket_id"]
    gate = RowGate(plan, IdPattern(recognized.columns[id_place].samples))
    builder = ThreadBuilder(plan)
    source = cast(RecordSource, _OneRow(raw))
    try:
        records = [Record(line, list(row)) for row in ([cells] if cells else _cut(recognized, raw))]
    except csv.Error:
        records = [Record(line, [], UNCLOSED)]
    admitted = [row for record in records if (row := gate.admit(record, source)) is not None]
    if plan.shape == "messages":
        rows_of: dict[str, list[Sequence[str]]] = {}
        for row in admitted:
            rows_of.setdefault(plan.cell(row, "ticket_id").strip(), []).append(row)
        tickets = tuple(builder.from_rows(rows) for rows in rows_of.values())
    else:
        tickets = tuple(builder.from_row(row) for row in admitted)
    return Batch(
        tickets=tickets,
        rejects=tuple(gate.rejects),
        rows=len(records),
        blank=gate.blank,
        footer=gate.footer,
        repeated=gate.repeated,
    )


def _cut(recognized: Recognized, raw: str) -> list[list[str]]:
    # A cell may hold line ends of its own, so the text must come in with them untouched.
    lines = io.StringIO(raw, newline="").readlines()
    return list(Dialect(recognized.delimiter, recognized.quote).reader(lines, strict=True))
