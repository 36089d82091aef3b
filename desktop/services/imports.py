"""Imports: a file becomes tickets, and every row of it has one fate.

Parsing runs in a worker thread, at most one batch ahead of the writer: memory stays bounded by two batches, and cancelling stops it within one.
Every batch is written whole; an import that is stopped keeps what was written and can be undone.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from array import array
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportRecord
from desktop.domain.imports import (
    Batch,
    Finished,
    ImportCounts,
    ImportEvent,
    ImportOverrides,
    MappingNeeded,
    Progress,
    Recognized,
    Rejected,
    Undone,
    header_fingerprint,
)
from desktop.domain.people import Person
from desktop.domain.tickets import TicketDraft
from desktop.ingest.contents import tables_in
from desktop.ingest.definitions import load_systems, read_definition, read_system
from desktop.ingest.mapping_files import write_mapping
from desktop.ingest.recognition import GENERIC_KEY, recognize
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.tickets import read_batches, read_ids, read_other_ids
from desktop.services.rejects_file import write_rejects
from desktop.services.steps import ended, whole
from desktop.services.wording import describe_imbalance
from desktop.storage.imports import BatchOutcome, ImportStore
from desktop.storage.mappings import MappingStore
from desktop.storage.people import PeopleStore
from desktop.storage.writing import Hashed, hash_tickets

BATCH_ROWS = 500
PROGRESS_SECONDS = 0.25
SWITCH_INTERVAL_SECONDS = 0.0005
"""Python threads share one lock; handing it over this often cut the window's wait from 41 to 2 ms (measured)."""
MAPPING_FILE = "remembered.toml"
"""What a mapping file is called once its text is kept and the file itself may be gone."""


class ImportService:
    """Imports files for the window and the command."""

    def __init__(
        self,
        store: ImportStore,
        *,
        people: PeopleStore,
        mappings: MappingStore,
        systems_folder: Path,
        rejects_folder: Path,
        workers: Executor,
    ) -> None:
        self._store = store
        self._people = people
        self._mappings = mappings
        self._systems_folder = systems_folder
        self._rejects_folder = rejects_folder
        self._workers = workers
        self._systems: tuple[SystemDefinition, ...] = ()
        self._running: set[int] = set()

    async def expand(self, path: Path) -> tuple[Path, ...]:
        """Return the tables that a path leads to: those inside a ZIP, the lists of a JSON document of several, else the path itself.

        Raises:
            DeskError: `file-zip-empty`, `file-broken`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._workers, tables_in, path)

    async def read_ids(self, table: Recognized, most: int) -> frozenset[str]:
        """Return the ids in the first rows of a table, of at most so many."""
        work = partial(read_ids, table, systems=self._load_systems(), most=most)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def read_other_ids(self, table: Recognized, most: int) -> dict[str, str]:
        """Return the second ids of the tickets in the first rows of a table: {second id: id}."""
        work = partial(read_other_ids, table, systems=self._load_systems(), most=most)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def find_source(self, table: Recognized, ids: frozenset[str]) -> tuple[str, int]:
        """Return the source whose tickets have most of these ids (whose people, for a table of people), and how many; ('', 0) for none."""
        return await self._store.find_source(ids, are_people=table.shape == "people", rather=table.source)

    async def read_people(self, table: Recognized) -> dict[str, Person]:
        """Return the people of a table of people by their ids."""

        def work() -> dict[str, Person]:
            batches = read_batches(table, systems=self._load_systems())
            return {person.external_id: person for batch in batches for person in batch.people}

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def known_people(self, source: str) -> Mapping[str, Person]:
        """Return the people of a source that are known from earlier imports, by their ids."""
        return await self._people.of_source(source)

    async def recognize(
        self, path: Path, *, overrides: ImportOverrides = ImportOverrides(), mapping: str = ""
    ) -> Recognized:
        """Find out what a file is, reading only its beginning. `mapping` names a system or is the path of a mapping file.

        Without either, what was corrected or chosen for an earlier file with the same header is applied again.

        Raises:
            DeskError: `file-…` for what cannot be imported, `mapping-…` for a mapping that cannot be used.
            MappingNeeded: when the user must say which column holds the ids.
        """
        needed: MappingNeeded | None = None
        if mapping and not await self._is_system(mapping):
            overrides, mapping = replace(overrides, definition=await read_mapping_file(Path(mapping))), ""
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
            system = next((system for system in systems if system.key == mapping), None)
            if overrides.definition:
                system = read_system(overrides.definition, file=Path(MAPPING_FILE))
            return recognize(path, systems=systems, overrides=overrides, system=system)

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def run(
        self, recognized: Recognized, *, dry_run: bool = False, told: set[str] | None = None, gently: bool = False
    ) -> AsyncGenerator[ImportEvent, None]:
        """Import a recognized file, or only count what it would change. `told` are tickets that are counted already; it grows.

        `gently` leaves the interpreter to a window: one thread works at a time, which takes a little longer in all.

        Raises:
            DeskError: `file-…`, after which nothing of the file is left; `database-…`, after which what was written stays and can be undone;
                `import-undone`, when another window or command took it back meanwhile.
        """
        began = time.monotonic()
        yield recognized
        total = _Total(recognized, began)
        is_refused = False
        try:
            if not dry_run:
                await whole(self._begin(total))
            people = await self._people.of_source(recognized.source)
            with self._parse(recognized, people) as batches:
                async with aclosing(self._batches(batches, is_ahead=not gently)) as parsed:
                    async for batch, hashed in parsed:
                        for event in await whole(self._take(batch, hashed, total, told)):
                            yield event
            total.is_whole = True
        except DeskError as error:
            # A file may prove to be damaged, or a bomb, far down: then what stands above is no export either.
            is_refused = error.code.startswith("file-")
            raise
        finally:
            if total.import_id:
                self._running.discard(total.import_id)
                total.import_id = await whole(
                    self._store.finish(
                        total.import_id, total.counts, is_whole=total.is_whole, ticket_ids=total.ticket_ids
                    )
                )
            if is_refused and total.import_id:
                await whole(self._store.undo(total.import_id))
        rejects_path = ""
        if total.counts.rejected and not dry_run:
            name = Path(recognized.path).name
            rejects_path = str(await write_rejects(self._store, self._rejects_folder, total.import_id, name=name))
        if not dry_run:
            await self._remember(recognized)
        warnings = tuple(dict.fromkeys(filter(None, [*total.warnings, describe_imbalance(total.counts)])))
        yield total.progress(fraction=1.0)
        yield Finished(
            recognized.path, total.import_id, recognized, total.counts, time.monotonic() - began, rejects_path, warnings
        )

    async def describe(self, recognized: Recognized) -> str:
        """Return how a file is read, corrections included, as the text of a mapping file."""
        work = partial(write_mapping, recognized, self._load_systems())
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def undo(self, import_id: int) -> Undone:
        """Take an import back.

        Raises:
            DeskError: `import-missing`, `import-undone`, `import-superseded`, `import-running`.
        """
        return await self._store.undo(import_id, running=self._running)

    async def take_stopped(self) -> ImportRecord | None:
        """Return an import that was stopped (by the user, or by closing the program) and that nobody was told of yet; each only once."""
        return await self._store.take_stopped()

    async def history(self) -> tuple[ImportRecord, ...]:
        """Return all imports, the newest first."""
        records = await self._store.history()
        return tuple(replace(record, is_running=record.id in self._running) for record in records)

    async def _remember(self, recognized: Recognized) -> None:
        """Keep how the file was read for the next one with its header: corrections, and a guess that was accepted."""
        fingerprint, name = header_fingerprint(recognized), Path(recognized.path).name
        if _is_correction(recognized.overrides):
            await self._mappings.remember(fingerprint, recognized.overrides, learned_from=name)
        elif recognized.system == GENERIC_KEY:
            roles = {column.index: column.role for column in recognized.columns}
            await self._mappings.accept(fingerprint, roles, learned_from=name)

    async def _begin(self, total: _Total) -> None:
        total.import_id, total.source_id = await self._store.begin(total.recognized)
        self._running.add(total.import_id)

    async def _take(
        self, batch: Batch, hashed: Sequence[Hashed], total: _Total, told: set[str] | None
    ) -> list[ImportEvent]:
        if total.recognized.shape == "people":
            outcome = await self._take_people(batch, total)
        elif total.import_id:
            outcome = await self._store.write_batch(
                total.import_id,
                total.source_id,
                batch.tickets,
                rejects=batch.rejects,
                contents=total.recognized.contents,
                hashed=hashed,
            )
        else:
            outcome = await self._count(batch.tickets, hashed, total.recognized, told)
        return total.add(batch, outcome)

    async def _take_people(self, batch: Batch, total: _Total) -> BatchOutcome:
        if not total.import_id:
            return await self._people.preview(total.recognized.source, batch.people)
        return await self._people.write(total.import_id, total.source_id, batch.people, rejects=batch.rejects)

    async def _count(
        self,
        tickets: Sequence[TicketDraft],
        hashed: Sequence[Hashed],
        recognized: Recognized,
        told: set[str] | None,
    ) -> BatchOutcome:
        again = [draft for draft in tickets if told and draft.external_id in told]
        others = [draft for draft in tickets if not (told and draft.external_id in told)] if again else tickets
        if told is not None:
            told.update(draft.external_id for draft in others)
        outcome = await self._store.preview_batch(
            recognized.source, others, contents=recognized.contents, hashed=None if again else hashed
        )
        return replace(
            outcome,
            rows_used=outcome.rows_used + sum(draft.rows for draft in again),
            messages=outcome.messages + sum(len(draft.messages) for draft in again),
        )

    async def _batches(self, batches: _Parsing, *, is_ahead: bool) -> AsyncGenerator[tuple[Batch, list[Hashed]], None]:
        """Yield batches and what their tickets hash to; `is_ahead` parses the next one while the one before is written."""
        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._workers, batches.next)
        try:
            while (parsed := await asyncio.shield(coming)) is not None:
                if is_ahead:
                    coming = loop.run_in_executor(self._workers, batches.next)
                yield parsed
                if not is_ahead:
                    coming = loop.run_in_executor(self._workers, batches.next)
        finally:
            # The file is closed only once nobody reads it any more.
            await ended(coming)

    def _parse(self, recognized: Recognized, people: Mapping[str, Person]) -> _Parsing:
        systems = self._load_systems()
        return _Parsing(read_batches(recognized, systems=systems, people=people, batch_rows=BATCH_ROWS))

    def _load_systems(self) -> tuple[SystemDefinition, ...]:
        if not self._systems:
            self._systems = load_systems(self._systems_folder)
        return self._systems

    async def _is_system(self, name: str) -> bool:
        systems = await asyncio.get_running_loop().run_in_executor(self._workers, self._load_systems)
        return any(system.key == name for system in systems)


def _is_correction(overrides: ImportOverrides) -> bool:
    """Tell whether columns were corrected or a mapping file was chosen. A source's name alone is no correction: two may share a header."""
    return bool(overrides.roles or overrides.date_order or overrides.definition)


async def read_mapping_file(file: Path) -> str:
    """Return the text of a mapping file, which is then known to be right.

    Raises:
        DeskError: `mapping-missing`, `mapping-invalid`.
    """

    def read() -> str:
        text = read_definition(file)
        read_system(text, file=file)
        return text

    return await asyncio.to_thread(read)


class _Parsing:
    """A file being parsed: batches on request, and the interpreter's lock handed over more often while it lasts; then the file is closed."""

    _lock = threading.Lock()
    _active = 0
    _usual_seconds = 0.005

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
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
        self._batches.close()
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
        self.ticket_ids = array("q")
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
        if self.recognized.shape != "people":
            # A table of people holds no tickets, it only renames some.
            self.ticket_ids.extend(outcome.ticket_ids)
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
