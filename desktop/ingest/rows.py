"""Rows: the one fate of every row of a file: used, rejected, blank or footer.

A row with too few cells is padded and counted; one with too many keeps the rest under `(extra)` when its id looks like an id of this file,
and is set aside when it does not, because then its cells have shifted. Deliberately not here: making tickets of the rows that pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from desktop.domain.imports import Reject
from desktop.ingest.id_pattern import IdPattern
from desktop.ingest.plan import Plan
from desktop.ingest.records import Record, RecordSource
from desktop.ingest.seen import SeenIds
from desktop.ingest.vocabulary import is_nothing

_FOOTER = re.compile(
    r"(?:generated (?:at|on|by)|exported (?:at|on|by|from)|report (?:generated|run)|end of (?:report|file|export)"
    r"|(?:grand |sub)?totals?\b|sum\b|count\b"
    r"|\(?\d[\d.,]* (?:rows?|records?|tickets?|issues?|results?)\b|displaying \d|gesamt|summe|erstellt am|generiert"
    r"|generado|total(?:es|e)?\b|généré)",
    re.IGNORECASE,
)
_LINE_BITS = 32
_LINE_MASK = (1 << _LINE_BITS) - 1


class RowGate:
    """Decides the fate of each record and keeps the counts of one part of a file."""

    def __init__(self, plan: Plan, ids: IdPattern) -> None:
        self._plan = plan
        self._ids = ids
        self._id_place = plan.id_place
        self._id_noun = "id" if plan.shape == "people" else "ticket id"
        self._checks_duplicates = plan.shape not in ("messages", "whole")
        self._seen = SeenIds()
        self._header = list(plan.names)
        self.padded = 0
        self.extended = 0
        self.reset()

    def reset(self) -> None:
        """Begin the counts of the next part."""
        self.rejects: list[Reject] = []
        self.blank = 0
        self.footer = 0
        self.repeated = 0

    def admit(self, record: Record, source: RecordSource) -> list[str] | None:
        """Return the cells of a row that becomes (part of) a ticket, padded to the header's width; None after any other fate."""
        cells = record.cells
        if record.fault:
            self._reject(record.line, record.fault, source)
            return None
        width = self._plan.width
        if len(cells) != width:
            fitted = self._fit(record, source)
            if not fitted:
                return None
            cells = fitted
        identifier = cells[self._id_place]
        if is_nothing(identifier):
            self._without_id(record, cells, source)
            return None
        if identifier == self._header[self._id_place] and [cell.strip() for cell in cells[:width]] == self._header:
            self._reject(record.line, "The header stands here once more", source)
            return None
        if _FOOTER.match(identifier) and _is_footer(cells) and not self._ids.fits(identifier):
            self.footer += 1
            return None
        return cells if self._is_new(record, cells, source) else None

    def _is_new(self, record: Record, cells: list[str], source: RecordSource) -> bool:
        if not self._checks_duplicates:
            return True
        # One number holds a part of the row's hash and its line.
        mark = hash(tuple(cells)) & _LINE_MASK
        first = self._seen.first(self._plan.ticket_id(cells), mark << _LINE_BITS | record.line)
        if not first:
            return True
        if first >> _LINE_BITS == mark:
            self.repeated += 1
            return False
        self._reject(
            record.line,
            f"This {self._id_noun} already stands on line {first & _LINE_MASK}, with different content",
            source,
            cells,
        )
        return False

    def _fit(self, record: Record, source: RecordSource) -> list[str] | None:
        cells, width = record.cells, self._plan.width
        if not any(cell.strip() for cell in cells):
            self.blank += 1
            return None
        if _is_footer(cells) and not self._ids.fits(cells[self._id_place] if self._id_place < len(cells) else ""):
            self.footer += 1
            return None
        if len(cells) < width:
            if self._id_place < len(cells) and not is_nothing(cells[self._id_place]):
                self.padded += 1
            return cells + [""] * (width - len(cells))
        end = len(cells)
        while end > width and not cells[end - 1].strip():
            end -= 1
        cells = cells[:end]
        if len(cells) == width:
            return cells
        if not self._ids.fits(cells[self._id_place]) and not is_nothing(cells[self._id_place]):
            self._reject(
                record.line,
                f"This row has {len(cells)} cells and the header {width}, and its id does not look like one",
                source,
                cells,
            )
            return None
        self.extended += 1
        return cells

    def _without_id(self, record: Record, cells: Sequence[str], source: RecordSource) -> None:
        if not any(cell.strip() for cell in cells):
            self.blank += 1
        elif _is_footer(cells):
            self.footer += 1
        else:
            self._reject(record.line, f"This row has no {self._id_noun}", source, cells)

    def _reject(self, line: int, reason: str, source: RecordSource, cells: Sequence[str] = ()) -> None:
        value = cells[self._id_place] if cells else ""
        self.rejects.append(
            Reject(
                line, reason, self._plan.names[self._id_place] if cells else "", value[:200], source.raw, tuple(cells)
            )
        )


def _is_footer(cells: Sequence[str]) -> bool:
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    if not _FOOTER.match(first):
        return False
    # A footer says one thing, or a word and figures; a ticket has words in several columns.
    rest = [cell.strip() for cell in cells if cell.strip()][1:]
    return all(re.fullmatch(r"[\d.,%\s:-]+", cell) for cell in rest) and (len(rest) < len(cells) - 1 or len(cells) <= 2)
