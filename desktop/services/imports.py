"""Imports: a file becomes tickets, and every row of it has one fate.

Parsing runs in a worker thread, at most one batch ahead of the writer: memory stays bounded by two batches, and cancelling stops it within one.
Every batch is written whole; an import that is stopped keeps what was written and can be undone.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
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
    total,
)
from desktop.domain.people import Person
from desktop.domain.tickets import TicketDraft
from desktop.ingest.contents import tables_in
from desktop.ingest.definitions import read_definition, read_system
from desktop.ingest.mapping_files import write_mapping
from desktop.ingest.recognition import GENERIC_KEY, recognize
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.tickets import read_batches, read_ids, read_other_ids
from desktop.services.erased_people import ErasedPeople
from desktop.services.parsing import Parsing
from desktop.services.rejects_file import write_rejects
from desktop.services.steps import whole
from desktop.services.wording import describe_imbalance
from desktop.storage.imports import BatchOutcome, ImportStore
from desktop.storage.mappings import MappingStore
from desktop.storage.people import PeopleStore
from desktop.storage.writing import Hashed

BATCH_ROWS = 500
BATCH_PEOPLE = 10_000
"""Each batch of people is looked for in all tickets of the source once."""
PROGRESS_SECONDS = 0.25
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
        systems: Callable[[], Sequence[SystemDefinition]],
        rejects_folder: Path,
        workers: Executor,
        erased: Callable[[int], Awaitable[ErasedPeople]],
    ) -> None:
        """`erased` gives who was erased, for a source's id: an import does not bring them back."""
        self._store = store
        self._people = people
        self._mappings = mappings
        self._systems = systems
        self._rejects_folder = rejects_folder
        self._workers = workers
        self._erased = erased
        self._running: set[int] = set()

    @property
    def is_running(self) -> bool:
        """Tell whether anything is being imported here."""
        return bool(self._running)

    async def expand(self, path: Path) -> tuple[Path, ...]:
        """Return the tables that a path leads to: those inside a ZIP, the lists of a JSON document of several, else the path itself.

        Raises:
            DeskError: `file-zip-empty`, `file-broken`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._workers, tables_in, path)

    async def read_ids(self, table: Recognized, most: int) -> frozenset[str]:
        """Return the ids in the first rows of a table, of at most so many."""
        work = partial(read_ids, table, systems=self._systems(), most=most)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def read_other_ids(self, table: Recognized, most: int) -> dict[str, str]:
        """Return the second ids of the tickets in the first rows of a table: {second id: id}."""
        work = partial(read_other_ids, table, systems=self._systems(), most=most)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def find_source(self, table: Recognized, ids: frozenset[str]) -> tuple[str, int]:
        """Return the source whose tickets have most of these ids (whose people, for a table of people), and how many; ('', 0) for none."""
        return await self._store.find_source(ids, are_people=table.kind == "people", preferred=table.source)

    async def read_people(self, table: Recognized) -> dict[str, Person]:
        """Return the people of a table of people by their ids."""

        def work() -> dict[str, Person]:
            batches = read_batches(table, systems=self._systems())
            return {person.external_id: person for batch in batches for person in batch.people}

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def known_people(self, source: str) -> Mapping[str, Person]:
        """Return the people of a source that are known from earlier imports, by their ids."""
        return await self._people.of_source(source)

    async def recognize(
        self, path: Path, *, overrides: ImportOverrides = ImportOverrides(), mapping: str = ""
    ) -> Recognized:
        """Find out what a file is from its beginning; telling the order of its dates may take the whole file.

        `mapping` names a system or is the path of a mapping file.

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
            systems = self._systems()
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
        so_far = _SoFar(recognized, began)
        is_refused = False
        try:
            if not dry_run:
                await whole(self._begin(so_far))
            people = await self._people.of_source(recognized.source)
            rows = BATCH_PEOPLE if recognized.kind == "people" else BATCH_ROWS
            batches = read_batches(recognized, systems=self._systems(), people=people, batch_rows=rows)
            erased = await self._erased(so_far.source_id)
            with Parsing(erased.batches(batches), self._workers) as parsing:
                async with aclosing(parsing.batches(is_ahead=not gently)) as parsed:
                    async for batch, hashed in parsed:
                        for event in await whole(self._take(batch, hashed, so_far, told)):
                            yield event
            so_far.is_whole = True
            so_far.warnings += erased.warnings
        except DeskError as error:
            # A file may prove to be damaged, or a bomb, far down: then what stands above is no export either.
            is_refused = error.code.startswith("file-")
            raise
        finally:
            if so_far.import_id:
                self._running.discard(so_far.import_id)
                so_far.import_id = await whole(
                    self._store.finish(
                        so_far.import_id, so_far.counts, is_whole=so_far.is_whole, ticket_ids=so_far.ticket_ids
                    )
                )
            if is_refused and so_far.import_id:
                await whole(self._store.undo(so_far.import_id))
        rejects_path = ""
        if so_far.counts.rejected and not dry_run:
            name = Path(recognized.path).name
            rejects_path = str(await write_rejects(self._store, self._rejects_folder, so_far.import_id, name=name))
        if not dry_run:
            await self._remember(recognized)
        warnings = tuple(dict.fromkeys(filter(None, [*so_far.warnings, describe_imbalance(so_far.counts)])))
        yield so_far.progress(fraction=1.0)
        yield Finished(
            recognized.path,
            so_far.import_id,
            recognized,
            so_far.counts,
            time.monotonic() - began,
            rejects_path,
            warnings,
        )

    async def describe(self, recognized: Recognized) -> str:
        """Return how a file is read, corrections included, as the text of a mapping file."""
        work = partial(write_mapping, recognized, self._systems())
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

    async def _begin(self, so_far: _SoFar) -> None:
        so_far.import_id, so_far.source_id = await self._store.begin(so_far.recognized)
        self._running.add(so_far.import_id)

    async def _take(
        self, batch: Batch, hashed: Sequence[Hashed], so_far: _SoFar, told: set[str] | None
    ) -> list[ImportEvent]:
        if so_far.recognized.kind == "people":
            outcome = await self._take_people(batch, so_far)
        elif so_far.import_id:
            outcome = await self._store.write_batch(
                so_far.import_id,
                so_far.source_id,
                batch.tickets,
                rejects=batch.rejects,
                contents=so_far.recognized.contents,
                hashed=hashed,
            )
        else:
            outcome = await self._count(batch.tickets, hashed, so_far.recognized, told)
        return so_far.add(batch, outcome)

    async def _take_people(self, batch: Batch, so_far: _SoFar) -> BatchOutcome:
        if not so_far.import_id:
            return await self._people.preview(so_far.recognized.source, batch.people)
        return await self._people.write(so_far.import_id, so_far.source_id, batch.people, rejects=batch.rejects)

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

    async def _is_system(self, name: str) -> bool:
        systems = await asyncio.get_running_loop().run_in_executor(self._workers, self._systems)
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


class _SoFar:
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
        self.counts = total([self.counts, outcome.counts(batch)])
        if self.recognized.kind != "people":
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
