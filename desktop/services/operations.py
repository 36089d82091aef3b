"""Operations: the ledger of what was sent, what the calls came to, the traces behind them, and what of it deserves a warning.

Every figure is SQL's (`storage.operations`); this module asks, judges by the user's limits, and writes documents. It keeps house as well: bodies of
requests are forgotten after `trace_days`, and spans go to the user's collector if there is one. Deliberately not here: writing the ledger (the
gate does), and words (`operations_words`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from array import array
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.operations import GROUPINGS, HOUR, Alert, AlertLimits, Figures, LedgerQuery, Recent, Stats
from desktop.domain.outgoing import LedgerEntry, Trace
from desktop.services.ledger_documents import LedgerFormat, ledger_writer, stats_rows
from desktop.services.moments import DAY_SECONDS, days_ago, moment
from desktop.services.operations_words import describe_money, describe_seconds, describe_share
from desktop.services.span_export import SpanExport
from desktop.services.whole_file import whole_file
from desktop.storage.operations import RECENT_HOURS, OperationsStore

ENTRIES_A_PAGE = 500
LOOK_SECONDS = 5.0
FEWEST_RECENT = 5
"""One failure of two calls is no error rate."""
FAILURES_SHOWN = 8


class OperationsService:
    """Everything the window and the command ask of the ledger. `spans` sends it to a collector."""

    def __init__(self, store: OperationsStore, settings: Settings, spans: SpanExport) -> None:
        self._store, self._settings, self.spans = store, settings, spans
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep house: old traces go now and once a day, spans are sent as calls end."""
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().create_task(self._keep_house())

    async def close(self) -> None:
        """End the keeping of the house, after a short last look at the spans."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
            with contextlib.suppress(DeskError):
                await self.spans.look_once_more()

    # What was sent

    async def ids(self, query: LedgerQuery) -> array[int]:
        """Return the ids of requests, the newest first."""
        return await self._store.ids(query)

    async def entries(self, ids: Sequence[int]) -> tuple[LedgerEntry, ...]:
        """Return requests in the order of `ids`."""
        return await self._store.entries(ids)

    async def ledger(self, since: str = "") -> tuple[LedgerEntry, ...]:
        """Return all requests since a day or a moment, the newest first."""
        return await self._store.entries(await self._store.ids(LedgerQuery(since)))

    async def hosts(self) -> tuple[str, ...]:
        """Return all hosts that something was ever sent to."""
        return await self._store.hosts()

    async def trace(self, entry_id: int) -> Trace:
        """Return one request whole: as it was sent, and the raw answer.

        Raises:
            DeskError: `ledger-missing`.
        """
        return await self._store.trace(entry_id)

    async def failures(self, since: str) -> tuple[LedgerEntry, ...]:
        """Return the last calls that ended badly, the newest first."""
        return await self._store.failed(since, FAILURES_SHOWN)

    async def references(self, entries: Sequence[LedgerEntry]) -> dict[int, str]:
        """Return what the tickets of requests are called, as far as they are still here."""
        return await self._store.ticket_references(sorted({e.ticket_id for e in entries if e.ticket_id}))

    # What it came to

    async def stats(self, since: str = "", by: str = "day") -> Stats:
        """Return the figures since a day or a moment, as a whole and grouped by one of `GROUPINGS`.

        Raises:
            DeskError: `grouping-unknown`.
        """
        return Stats(since, by, await self._store.total(since), await self.groups(since, by))

    async def groups(self, since: str, by: str, *, only: tuple[str, str] | None = None) -> tuple[Figures, ...]:
        """Return the figures since a day or a moment by one of `GROUPINGS`, or by the hour.

        `only` narrows them to one group of another grouping: which, and its key.

        Raises:
            DeskError: `grouping-unknown`.
        """
        if by not in (*GROUPINGS, HOUR):
            raise DeskError(
                "grouping-unknown", f"Figures cannot be grouped by {by}.", remedy=f"Use one of: {', '.join(GROUPINGS)}."
            )
        return await self._store.groups(since, by, only)

    async def total(self, since: str, *, only: tuple[str, str]) -> Figures:
        """Return the figures of one group since a day or a moment."""
        return await self._store.total(since, only)

    async def revision(self) -> tuple[int, ...]:
        """Return what is another as soon as any figure may be."""
        return await self._store.revision()

    async def spent_today(self) -> tuple[int, int]:
        """Return what was spent since midnight UTC in micro-dollars, and how many calls cost something that is not known."""
        recent = await self._store.recent(days_ago(0), moment())
        return recent.spent_microusd, recent.unpriced

    # What deserves a warning

    def limits(self) -> AlertLimits:
        """Return above what the user wants to be warned."""
        kept = self._settings.get("alerts")
        return AlertLimits(**{name: _number(kept.get(name)) for name in AlertLimits.__dataclass_fields__})

    def set_limits(self, limits: AlertLimits) -> None:
        """Keep above what the user wants to be warned.

        Raises:
            DeskError: `settings-unwritable`.
        """
        values = {name: getattr(limits, name) for name in AlertLimits.__dataclass_fields__}
        self._settings.set("alerts", {name: value for name, value in values.items() if value > 0})

    async def alerts(self) -> tuple[Alert, ...]:
        """Return the limits that are passed now, in words."""
        limits = self.limits()
        if limits == AlertLimits():
            return ()
        recent = await self._store.recent(days_ago(0), moment(-RECENT_HOURS * 3600))
        return tuple(judge(limits, recent))

    # Documents

    async def pieces(self, query: LedgerQuery, wanted: LedgerFormat) -> AsyncGenerator[str, None]:
        """Yield the ledger as one document, piece by piece, the newest request first."""
        writer = ledger_writer(wanted)
        yield writer.begin()
        ids = await self._store.ids(query)
        for first in range(0, len(ids), ENTRIES_A_PAGE):
            entries = await self._store.entries(ids[first : first + ENTRIES_A_PAGE])
            names = await self.references(entries)
            yield "".join(writer.entry(entry, names.get(entry.ticket_id, "")) for entry in entries)
        yield writer.end()

    async def export_ledger(self, query: LedgerQuery, path: Path) -> int:
        """Write the ledger to a file, as CSV or JSON as its name says, and return how many requests it holds.

        Raises:
            DeskError: `export-format`, `export-unwritable`.
        """
        suffix = path.suffix.lower().lstrip(".")
        if suffix not in tuple(LedgerFormat):
            raise _no_format(path, "csv", "json")
        wanted = LedgerFormat(suffix)
        file = whole_file(path, replace_existing=True, has_mark=wanted is LedgerFormat.CSV)
        async with file as write, contextlib.aclosing(self.pieces(query, wanted)) as pieces:
            async for piece in pieces:
                await write(piece)
        return len(await self._store.ids(query))

    async def export_stats(self, stats: Stats, path: Path) -> None:
        """Write figures to a CSV file: a row each group, and one of all.

        Raises:
            DeskError: `export-format`, `export-unwritable`.
        """
        if path.suffix.lower() != ".csv":
            raise _no_format(path, "csv")
        async with whole_file(path, replace_existing=True, has_mark=True) as write:
            await write(stats_rows(stats))

    # Keeping house

    async def prune(self) -> int:
        """Forget the bodies of requests that are older than the user wants to keep them, and return how many."""
        days = max(0, self._settings.get("trace_days"))
        return await self._store.prune_traces(moment(-days * DAY_SECONDS))

    async def _keep_house(self) -> None:
        pruned = ""
        while True:
            with contextlib.suppress(DeskError):  # a full or locked disk is told where the user does something
                if pruned != days_ago(0):
                    await self.prune()
                    pruned = days_ago(0)
                await self.spans.look()
            await asyncio.sleep(LOOK_SECONDS)


def judge(limits: AlertLimits, recent: Recent) -> list[Alert]:
    """Return the limits that are passed, in words."""
    found = []
    if 0 < limits.spend_day * 1e6 < recent.spent_microusd:
        more = f" and {recent.unpriced:,} calls of unknown price" if recent.unpriced else ""
        spent, limit = describe_money(recent.spent_microusd), describe_money(round(limits.spend_day * 1e6))
        found.append(Alert("spend_day", f"Spend today over {limit}", f"{spent} spent today{more}, more than {limit}"))
    if recent.calls >= FEWEST_RECENT and 0 < limits.error_rate < recent.errors / recent.calls:
        rate = describe_share(limits.error_rate)
        words = f"{recent.errors:,} of the last {recent.calls:,} calls failed, more than {rate}"
        found.append(Alert("error_rate", f"Errors over {rate}", words))
    slow = recent.first_token_p95
    if slow is not None and recent.timed >= FEWEST_RECENT and 0 < limits.first_token_seconds < slow:
        limit = describe_seconds(limits.first_token_seconds)
        words = f"First token after {describe_seconds(slow)} (p95), more than {limit}"
        found.append(Alert("first_token_seconds", f"First token over {limit}", words))
    return found


def read_request(body: str) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the messages of a request's body (role, text) and its parameters (name, value as JSON); what cannot be read has neither."""
    try:
        request = json.loads(body)
    except ValueError:
        return (), ()
    if not isinstance(request, dict):
        return (), ()
    if isinstance(request.get("body"), dict):  # a line of a batch: what it asks stands within
        request = {**{name: value for name, value in request.items() if name != "body"}, **request["body"]}
    messages = request.get("messages")
    found = [(str(m.get("role", "")), _text(m.get("content"))) for m in messages or () if isinstance(m, dict)]
    if not found and "input" in request:
        texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
        found = [("input", _text(text)) for text in texts]
    shown = {name: value for name, value in request.items() if name not in ("messages", "input")}
    return tuple(found), tuple((name, _text(value)) for name, value in shown.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return max(0.0, float(value)) if is_number else 0.0  # type: ignore[arg-type]


def _no_format(path: Path, *suffixes: str) -> DeskError:
    return DeskError(
        "export-format",
        f"{path.name} does not say in which format it shall be.",
        remedy=f"Let its name end in {' or '.join(f'.{suffix}' for suffix in suffixes)}.",
    )
