"""Export: tickets, their messages and their summaries as one file, or piece by piece for whoever prints it.

Pages of tickets are read and written one after the other, so that 100,000 tickets take the memory of a page. A file is written beside its place and
put there when it is whole: what is cancelled, or fails, leaves nothing, and what was there before stays. Deliberately not here: what the formats
look like, see `export_writers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.domain.runs import Summary
from desktop.domain.tickets import Thread
from desktop.services.export_writers import ExportFormat as ExportFormat
from desktop.services.export_writers import Writer, make_writer
from desktop.services.whole_file import check_place, whole_file
from desktop.storage.exporting import ExportStore
from desktop.storage.runs import RunStore

TICKETS_A_PAGE = 200
SUFFIXES = {
    ".csv": ExportFormat.CSV,
    ".json": ExportFormat.JSON,
    ".md": ExportFormat.MARKDOWN,
    ".html": ExportFormat.HTML,
}
"""What a file's name says of its format."""


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """So many of all tickets are written."""

    tickets: int
    total: int


@dataclass(frozen=True, slots=True)
class ExportFinished:
    """The file is there. Tickets that were deleted meanwhile are not in it."""

    path: Path
    tickets: int


class ExportService:
    """Exports tickets for the window and the command."""

    def __init__(self, store: ExportStore, runs: RunStore) -> None:
        self._store = store
        self._runs = runs

    async def export(
        self, ids: Sequence[int], wanted: ExportFormat, path: Path, *, replace_existing: bool = False
    ) -> AsyncGenerator[ExportProgress | ExportFinished, None]:
        """Write tickets to a file, in the order of `ids`; closing the generator before its end cancels it.

        Raises:
            DeskError: `export-exists`, when there is such a file and it shall not be replaced; `export-unwritable`.
        """
        written = 0
        # The path that is told is the real one, links followed.
        path = await asyncio.to_thread(check_place, path, replace_existing=replace_existing)
        file = whole_file(path, replace_existing=replace_existing, has_mark=wanted is ExportFormat.CSV)
        async with file as write, aclosing(self.pieces(ids, wanted)) as pieces:
            async for text, written in pieces:
                await write(text)
                yield ExportProgress(written, len(ids))
        yield ExportFinished(path, written)

    async def pieces(self, ids: Sequence[int], wanted: ExportFormat) -> AsyncGenerator[tuple[str, int], None]:
        """Yield the document piece by piece, each with the number of tickets that are written with it."""
        writer, written = make_writer(wanted), 0
        yield writer.begin(), 0
        for first in range(0, len(ids), TICKETS_A_PAGE):
            page = list(ids[first : first + TICKETS_A_PAGE])
            threads = await self._store.threads(page)
            summarized = await self._store.summarized(page)
            told = [(t, await self._summary(t) if t.ticket.id in summarized else None) for t in threads]
            written += len(told)
            yield await asyncio.to_thread(_write, writer, told), written
        yield writer.end(), written

    async def _summary(self, thread: Thread) -> Summary | None:
        found = await self._runs.latest(thread.ticket.id)
        if found is None:
            return None
        return replace(found.summary, stale=found.content_hash != thread.content_hash)


def _write(writer: Writer, told: Sequence[tuple[Thread, Summary | None]]) -> str:
    return "".join(writer.ticket(thread, summary) for thread, summary in told)
