"""The ledger and its figures as documents: JSON for programs, CSV for spreadsheets. Keys may be added, never renamed or removed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

from desktop.domain.exported import harmless
from desktop.domain.operations import Figures, Percentiles, Stats
from desktop.domain.outgoing import LedgerEntry
from desktop.services.documents import as_json


class LedgerFormat(StrEnum):
    """What the ledger is written in."""

    JSON = "json"
    CSV = "csv"


class LedgerWriter(Protocol):
    """Writes one document: its beginning, each request, its end. `ticket` is what its ticket is called, '' for none."""

    def begin(self) -> str: ...
    def entry(self, entry: LedgerEntry, ticket: str) -> str: ...
    def end(self) -> str: ...


def ledger_writer(wanted: LedgerFormat) -> LedgerWriter:
    """Return a writer of one document."""
    return _CsvWriter() if wanted is LedgerFormat.CSV else _JsonWriter()


def entry_document(entry: LedgerEntry, ticket: str = "") -> dict[str, Any]:
    """Return a request as the ledger tells of it."""
    return {
        "at": entry.at,
        "host": entry.host,
        "purpose": entry.purpose,
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "redactions": dict(entry.redactions),
        "state": str(entry.state),
        "cost": _dollars(entry.cost_microusd),
        "id": entry.id,
        "provider": entry.provider,
        "model": entry.model,
        "recipe": entry.recipe,
        "attempt": entry.attempt,
        "status": entry.status or None,
        "error": entry.error,
        "message": entry.message,
        "input_tokens": entry.usage.input_tokens,
        "output_tokens": entry.usage.output_tokens,
        "cached_input_tokens": entry.usage.cached_input_tokens,
        "first_token_seconds": entry.first_token_seconds,
        "seconds": entry.seconds,
        "ticket": ticket,
    }


def figures_document(figures: Figures) -> dict[str, Any]:
    """Return figures as `tldesk stats` has them."""
    return {
        "calls": figures.calls,
        "errors": figures.errors,
        "error_rate": figures.error_rate,
        "input_tokens": figures.input_tokens,
        "output_tokens": figures.output_tokens,
        "cost": None if figures.is_cost_unknown else _dollars(figures.cost_microusd),
        "cache_hit_rate": figures.cache_hit_rate,
        "first_token_seconds": _percentiles(figures.first_token),
        "seconds": _percentiles(figures.total),
        "cancelled": figures.cancelled,
        "outcome_unknown": figures.unknown,
        "cached_input_tokens": figures.cached_input_tokens,
        "unknown_costs": figures.unpriced,
        "cache_hits": figures.cache_hits,
        "saved": _dollars(figures.saved_microusd),
    }


def stats_document(stats: Stats) -> dict[str, Any]:
    """Return the figures of a period; each group has its own name under what it is grouped by."""
    groups = [{stats.by: group.key, **figures_document(group)} for group in stats.groups]
    return {**figures_document(stats.total), "since": stats.since or None, "by": stats.by, "groups": groups}


def stats_rows(stats: Stats) -> str:
    """Return the figures of a period as CSV: a row each group, then one of all."""
    rows = [_flat({stats.by: figures.key, **figures_document(figures)}) for figures in stats.groups]
    rows.append(_flat({stats.by: "all", **figures_document(stats.total)}))
    return _csv_row(list(rows[0])) + "".join(_csv_row(list(row.values())) for row in rows)


class _JsonWriter:
    """`{"requests": […]}`, a request a line."""

    def __init__(self) -> None:
        self._separator = "\n"

    def begin(self) -> str:
        return '{"requests": ['

    def entry(self, entry: LedgerEntry, ticket: str) -> str:
        separator, self._separator = self._separator, ",\n"
        return separator + as_json(entry_document(entry, ticket))

    def end(self) -> str:
        return "\n]}\n"


class _CsvWriter:
    """A row a request; a cell that a spreadsheet would run is neutralized."""

    def begin(self) -> str:
        return _csv_row(_COLUMNS)

    def entry(self, entry: LedgerEntry, ticket: str) -> str:
        values = entry_document(entry, ticket)
        values["redactions"] = ", ".join(f"{kind} {number}" for kind, number in entry.redactions.items())
        return _csv_row(list(values.values()))

    def end(self) -> str:
        return ""


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Spread percentiles over columns of their own."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat.update({f"{name}_{p}": v for p, v in value.items()} if isinstance(value, dict) else {name: value})
    return flat


def _csv_row(cells: Sequence[object]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(harmless("" if cell is None else str(cell)) for cell in cells)
    return line.getvalue()


def _percentiles(found: Percentiles) -> dict[str, float | None]:
    return {"p50": found.p50, "p95": found.p95}


def _dollars(microusd: int | None) -> float | None:
    return None if microusd is None else microusd / 1_000_000


_COLUMNS = (
    *("at", "host", "purpose", "bytes", "sha256", "redactions", "state", "cost", "id", "provider", "model", "recipe"),
    *("attempt", "status", "error", "message", "input_tokens", "output_tokens", "cached_input_tokens"),
    *("first_token_seconds", "seconds", "ticket"),
)
