"""Watching: a folder's new exports, found whole and imported without a question where none is left to ask.

No question is left when the columns are those of a known system, when they were corrected before, or when a person imported a table with the same
header before: then its columns get the same roles again. Whatever else comes is told, and asked about once. No file is ever moved or changed.
Deliberately not here: the import itself and what is said of it, which the window and the command each lead in their own way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished, ImportOverrides, MappingNeeded, Recognized, header_fingerprint
from desktop.domain.watching import FoundFile, Taken, WatchEvent
from desktop.ingest.diffs import is_diff
from desktop.ingest.folder import LOOK_SECONDS, SETTLE_SECONDS, FolderWatch
from desktop.ingest.recognition import GENERIC_KEY
from desktop.services.imports import ImportService
from desktop.storage.mappings import MappingStore
from desktop.storage.watched import WatchedStore


class WatchService:
    """Watches folders for the window and the command."""

    def __init__(self, imports: ImportService, *, mappings: MappingStore, store: WatchedStore) -> None:
        self._imports = imports
        self._mappings = mappings
        self._store = store

    async def watch(
        self, folder: Path, *, settle_seconds: float = SETTLE_SECONDS, look_seconds: float = LOOK_SECONDS
    ) -> AsyncGenerator[WatchEvent, None]:
        """Tell what happens in a folder until the generator is closed; files that were handled before are not told again.

        The first event says whether the folder is there.
        """
        watch = FolderWatch(folder, await self._store.all(), settle_seconds=settle_seconds, look_seconds=look_seconds)
        # A thread of its own: it waits all the time, and the workers have other things to do.
        thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        try:
            while events := await asyncio.get_running_loop().run_in_executor(thread, watch.wait):
                for event in events:
                    yield event
        finally:
            watch.stop()
            await asyncio.to_thread(thread.shutdown, wait=True)

    async def take(self, found: FoundFile, run: Callable[[Recognized], Awaitable[Finished]]) -> Taken:
        """Import by `run` what a found file holds, as far as no question is left, and remember that the file was handled.

        What the disk or the database refused is left alone until the next start, and so is the rest of the file.
        """
        done: list[Finished] = []
        questions: list[str] = []
        refused: list[DeskError] = []
        tables: tuple[Path, ...] = ()
        try:
            tables = await self._imports.expand(Path(found.path))
        except DeskError as error:
            refused.append(error)
        for table in tables:
            if is_diff(table):
                continue  # no table, and nobody dropped it
            try:
                recognized = await self._recognize(table)
                if recognized is None:
                    questions.append(str(table))
                else:
                    done.append(await run(recognized))
            except DeskError as error:
                refused.append(error)
                if error.code.startswith("database-"):
                    break
        else:
            await self._store.remember(found)
        return Taken(tuple(done), tuple(questions), tuple(refused))

    async def _recognize(self, table: Path) -> Recognized | None:
        """Recognize a table; None when a person must look at it first."""
        needed: MappingNeeded | None = None
        try:
            recognized = await self._imports.recognize(table)
        except MappingNeeded as raised:
            recognized, needed = raised.recognized, raised
        if needed is None and (recognized.is_remembered or recognized.system != GENERIC_KEY):
            return recognized
        accepted = await self._mappings.accepted(header_fingerprint(recognized))
        return await self._imports.recognize(table, overrides=ImportOverrides(accepted)) if accepted else None
