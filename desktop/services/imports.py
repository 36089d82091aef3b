"""Imports: a file becomes tickets, and every row of it has one fate.

Parsing runs in a worker thread, one batch ahead of the writer, so that memory stays bounded by two batches and cancelling stops it within one.
Every batch is written whole; an import that is stopped keeps what was written and can be undone.
"""

from __future__ import annotations

import asyncio
import csv
import sys
import threading
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.imports import (
    Batch,
    Finished,
    ImportCounts,
    ImportEvent,
    ImportOverrides,
    MappingNeeded,
    Progress,
    Recognized,
    Reject,
    Rejected,
    Undone,
    header_fingerprint,
)
from desktop.ingest.files import expand
from desktop.ingest.recognition import recognize
from desktop.ingest.systems import SystemDefinition, load_system, load_systems
from desktop.ingest.tickets import read_batches
from desktop.storage.imports import BatchOutcome, ImportRecord, ImportStore
from desktop.storage.mappings import MappingStore
from desktop.storage.writing import Hashed, hash_tickets

T = TypeVar("T")

BATCH_ROWS = 500
PROGRESS_SECONDS = 0.25
SWITCH_INTERVAL_SECONDS = 0.0005
"""Python threads share one lock; handing it over this often cut the window's wait from 41 to 2 ms (measured)."""
MERGED_SHAPES = ("messages",)
"""A file of messages may hold only the newest ones: those already here stay."""
_LONGEST_STEM = 100
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
DOES_NOT_ADD_UP = "The counts of this import do not add up; please report it with the file."


class ImportService:
    """Imports files for the window and the command."""

    def __init__(
        self,
        store: ImportStore,
        *,
        mappings: MappingStore,
        systems_folder: Path,
        rejects_folder: Path,
        workers: Executor,
    ) -> None:
        self._store = store
        self._mappings = mappings
        self._systems_folder = systems_folder
        self._rejects_folder = rejects_folder
        self._workers = workers
        self._systems: tuple[SystemDefinition, ...] = ()

    async def expand(self, path: Path) -> tuple[Path, ...]:
        """Return the tables that a path leads to: those inside a ZIP, else the path itself.

        Raises:
            DeskError: `file-zip-empty`, `file-broken`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._workers, expand, path)

    async def recognize(
        self, path: Path, *, overrides: ImportOverrides = ImportOverrides(), mapping: str = ""
    ) -> Recognized:
        """Find out what a file is, reading only its beginning. `mapping` names a system or is the path of a mapping file.

        Without either, what was corrected of an earlier file with the same header is applied again.

        Raises:
            DeskError: `file-…` for what cannot be imported, `mapping-…` for a mapping that cannot be used.
            MappingNeeded: when the user must say which column holds the ids.
        """
        needed: MappingNeeded | None = None
        try:
            recognized = await self._look(path, overrides, mapping)
        except MappingNeeded as raised:
            recognized, needed = raised.recognized, raised
        if not mapping and not _is_correction(overrides):
            remembered = await self._mappings.find(header_fingerprint(recognized))
            if remembered is not None:
                again = await self._look(path, replace(remembered, source=overrides.source), "")
                return replace(again, is_remembered=True, reason=f"{again.reason}; mapped as you corrected it before")
        if needed is not None:
            raise needed
        return recognized

    async def _look(self, path: Path, overrides: ImportOverrides, mapping: str) -> Recognized:
        def work() -> Recognized:
            systems = self._load_systems()
            system = self._choose_system(mapping, systems)
            return recognize(path, systems=systems, overrides=overrides, system=system)

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def run(self, recognized: Recognized, *, dry_run: bool = False) -> AsyncGenerator[ImportEvent, None]:
        """Import a recognized file, or only count what it would change.

        Raises:
            DeskError: `file-…`, `database-…`; what was written before it stays and can be undone.
        """
        began = time.monotonic()
        yield recognized
        total = _Total(recognized, began)
        try:
            if not dry_run:
                await _whole(self._begin(total))
            with self._parse(recognized) as batches:
                async with aclosing(self._ahead(batches)) as parsed:
                    async for batch, hashed in parsed:
                        for event in await _whole(self._take(batch, hashed, total)):
                            yield event
            total.is_whole = True
        finally:
            if total.import_id:
                total.import_id = await _whole(
                    self._store.finish(total.import_id, total.counts, is_whole=total.is_whole)
                )
        rejects_path = ""
        if total.rejects and not dry_run:
            rejects_path = str(await asyncio.to_thread(self._write_rejects, recognized, total.import_id, total.rejects))
        if not dry_run and _is_correction(recognized.overrides):
            await self._mappings.remember(header_fingerprint(recognized), recognized.overrides)
        warnings = tuple(dict.fromkeys(total.warnings if total.counts.adds_up else [*total.warnings, DOES_NOT_ADD_UP]))
        yield total.progress(fraction=1.0)
        yield Finished(
            recognized.path, total.import_id, recognized, total.counts, time.monotonic() - began, rejects_path, warnings
        )

    async def undo(self, import_id: int) -> Undone:
        """Take an import back.

        Raises:
            DeskError: `import-missing`, `import-undone`, `import-superseded`.
        """
        return await self._store.undo(import_id)

    async def take_stopped(self) -> ImportRecord | None:
        """Return an import that was stopped (by the user, or by closing the program) and that nobody was told of yet; each only once."""
        return await self._store.take_stopped()

    async def history(self) -> tuple[ImportRecord, ...]:
        """Return all imports, the newest first."""
        return await self._store.history()

    async def _begin(self, total: _Total) -> None:
        total.import_id, total.source_id = await self._store.begin(total.recognized)

    async def _take(self, batch: Batch, hashed: Sequence[Hashed], total: _Total) -> list[ImportEvent]:
        is_merged = total.recognized.shape in MERGED_SHAPES
        if total.import_id:
            outcome = await self._store.write_batch(
                total.import_id,
                total.source_id,
                batch.tickets,
                rejects=batch.rejects,
                merge_messages=is_merged,
                hashed=hashed,
            )
        else:
            outcome = await self._store.preview_batch(
                total.recognized.source, batch.tickets, merge_messages=is_merged, hashed=hashed
            )
        return total.add(batch, outcome)

    async def _ahead(self, batches: _Parsing) -> AsyncGenerator[tuple[Batch, list[Hashed]], None]:
        """Yield batches and what their tickets hash to, parsing the next one while the one before is written."""
        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._workers, batches.next)
        try:
            while (parsed := await asyncio.shield(coming)) is not None:
                coming = loop.run_in_executor(self._workers, batches.next)
                yield parsed
        finally:
            # The file is closed only once nobody reads it any more.
            await asyncio.wait([coming])
            if not coming.cancelled():
                coming.exception()

    def _parse(self, recognized: Recognized) -> _Parsing:
        return _Parsing(read_batches(recognized, systems=self._load_systems(), batch_rows=BATCH_ROWS))

    def _load_systems(self) -> tuple[SystemDefinition, ...]:
        if not self._systems:
            self._systems = load_systems(self._systems_folder)
        return self._systems

    def _choose_system(self, mapping: str, systems: tuple[SystemDefinition, ...]) -> SystemDefinition | None:
        if not mapping:
            return None
        named = next((system for system in systems if system.key == mapping), None)
        return named or load_system(Path(mapping))

    def _write_rejects(self, recognized: Recognized, import_id: int, rejects: list[Reject]) -> Path:
        """Write what was set aside beside the data, one row a reject, with its line and reason."""
        name = Path(recognized.path).name
        path = self._rejects_folder / f"{Path(name).stem[:_LONGEST_STEM]}-rejected-{import_id}.csv"
        try:
            with path.open("w", newline="", encoding="utf-8-sig", errors="replace") as file:
                path.chmod(0o600)
                writer = csv.writer(file)
                writer.writerow(["file", "line", "column", "value", "reason", "raw"])
                for r in rejects:
                    texts = [_harmless(text) for text in (name, r.column, r.value, r.reason, r.raw)]
                    writer.writerow([texts[0], r.line, *texts[1:]])
        except OSError as error:
            raise DeskError(
                "rejects-unwritable",
                f"The tickets are imported, but the list of rejected rows {path} cannot be written: {error.strerror or error}.",
                remedy="Free some space or check the folder's permissions; the rows are kept in the database.",
            ) from None
        return path


def _is_correction(overrides: ImportOverrides) -> bool:
    """Tell whether columns were corrected. A source's name is no correction: two help desks may export the same columns."""
    return bool(overrides.roles or overrides.date_order)


def _harmless(text: str) -> str:
    """Return a cell that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Await a step that is never half done: a cancellation waits until it has ended, so that what was written is also counted."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class _Parsing:
    """A file being parsed: batches on request, and the interpreter's lock handed over more often while it lasts."""

    _lock = threading.Lock()
    _active = 0
    _usual_seconds = 0.005

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches

    def next(self) -> tuple[Batch, list[Hashed]] | None:
        """Parse one more batch and hash its tickets; None at the end of the file."""
        batch = next(self._batches, None)
        return None if batch is None else (batch, hash_tickets(batch.tickets))

    def __enter__(self) -> _Parsing:
        with self._lock:
            if _Parsing._active == 0:
                _Parsing._usual_seconds = sys.getswitchinterval()
                sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
            _Parsing._active += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            _Parsing._active -= 1
            if _Parsing._active == 0:
                sys.setswitchinterval(_Parsing._usual_seconds)


class _Total:
    """What an import has come to so far."""

    def __init__(self, recognized: Recognized, began: float) -> None:
        self.recognized = recognized
        self.import_id = self.source_id = 0
        self.is_whole = False
        self._began = began
        self._told_at = began
        self.counts = ImportCounts()
        self.rejects: list[Reject] = []
        self.warnings: list[str] = []

    def add(self, batch: Batch, outcome: BatchOutcome) -> list[ImportEvent]:
        """Count a batch and return the events that are due."""
        c = self.counts
        self.counts = replace(
            c,
            rows=c.rows + batch.rows,
            rows_used=c.rows_used + outcome.rows_used,
            rows_unchanged=c.rows_unchanged + outcome.rows_unchanged + batch.repeated,
            rejected=c.rejected + len(batch.rejects),
            blank=c.blank + batch.blank,
            footer=c.footer + batch.footer,
            tickets_new=c.tickets_new + outcome.tickets_new,
            tickets_updated=c.tickets_updated + outcome.tickets_updated,
            tickets_unchanged=c.tickets_unchanged + outcome.tickets_unchanged,
            messages=c.messages + outcome.messages,
        )
        self.rejects += batch.rejects
        self.warnings += batch.warnings
        events: list[ImportEvent] = [Rejected(self.recognized.path, batch.rejects)] if batch.rejects else []
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_SECONDS:
            self._told_at = now
            events.append(self.progress(fraction=batch.fraction))
        return events

    def progress(self, *, fraction: float) -> Progress:
        """Return how far the import is."""
        return Progress(self.recognized.path, self.counts, fraction, time.monotonic() - self._began)
