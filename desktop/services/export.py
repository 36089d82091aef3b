"""Export: tickets, their messages and their summaries as one file, or piece by piece for whoever prints it.

Pages of tickets are read and written one after the other, so that 100,000 tickets take the memory of a page. A file is written beside its place and
put there when it is whole: what is cancelled, or fails, leaves nothing, and what was there before stays. Deliberately not here: what the formats
look like, see `export_writers`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from desktop.domain.errors import DeskError
from desktop.domain.runs import Summary
from desktop.domain.tickets import Thread
from desktop.services.export_writers import ExportFormat as ExportFormat
from desktop.services.export_writers import Writer, make_writer
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
        path = await asyncio.to_thread(_check, path, replace_existing=replace_existing)
        try:
            handle, name = await asyncio.to_thread(tempfile.mkstemp, ".part", ".tldesk-", path.parent)
        except OSError as error:
            raise _unwritable(path, error) from None
        part, written = Path(name), 0
        try:
            # Spreadsheets take a table without this mark for one of their own country's letters.
            encoding = "utf-8-sig" if wanted is ExportFormat.CSV else "utf-8"
            with os.fdopen(handle, "w", encoding=encoding, errors="replace", newline="") as file:
                async with aclosing(self.pieces(ids, wanted)) as pieces:
                    async for text, written in pieces:
                        await asyncio.to_thread(file.write, text)
                        yield ExportProgress(written, len(ids))
                await asyncio.to_thread(_flush, file)
            await asyncio.to_thread(_put, part, path, replace_existing=replace_existing)
        except OSError as error:
            raise _unwritable(path, error) from None
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
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


def _check(path: Path, *, replace_existing: bool) -> Path:
    """Return where a file really goes; a link is followed, so that it stays one."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise DeskError("export-unwritable", f"{path} is no file.", remedy="Give another place for the export.")
    if path.exists() and not replace_existing:
        raise _exists(path)
    return path


def _put(part: Path, path: Path, *, replace_existing: bool) -> None:
    if replace_existing:
        part.replace(path)
        return
    try:
        # Refuses, in one step, what came to be there meanwhile.
        path.hardlink_to(part)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _exists(path) from None
        part.replace(path)


def _flush(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _exists(path: Path) -> DeskError:
    return DeskError(
        "export-exists",
        f"{path} is there already.",
        remedy="Give another name, or --force to replace it.",
    )


def _unwritable(path: Path, error: OSError) -> DeskError:
    return DeskError(
        "export-unwritable",
        f"{path} cannot be written: {error.strerror or error}.",
        remedy="Check that the folder is there and may be written, and that there is space.",
    )
