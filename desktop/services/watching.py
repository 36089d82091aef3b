"""Watching: a folder's new exports, found whole and prepared for import without a question where none is left to ask.

No question is left when the columns are those of a known system, when they were corrected before, or when a person imported a table with the same
header before: then its columns get the same roles again. Whatever else comes is told, and asked about once. No file is ever moved or changed.
Deliberately not here: the import itself, see `imports`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import ImportOverrides, MappingNeeded, Recognized, header_fingerprint
from desktop.domain.watching import FoundFile, Prepared, WatchEvent
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

    async def prepare(self, found: FoundFile) -> Prepared:
        """Find out what a found file is, and what of it can be imported without a question."""
        prepared = Prepared(found)
        try:
            tables = await self._imports.expand(Path(found.path))
        except DeskError as error:
            return replace(prepared, refused=(error,))
        for table in tables:
            if is_diff(table):
                continue  # no table, and nobody dropped it
            try:
                recognized = await self._recognize(table)
            except MappingNeeded:
                recognized = None
            except DeskError as error:
                prepared = replace(prepared, refused=(*prepared.refused, error))
                continue
            if recognized is None:
                prepared = replace(prepared, questions=(*prepared.questions, str(table)))
            else:
                prepared = replace(prepared, recognized=(*prepared.recognized, recognized))
        return prepared

    async def settle(self, found: FoundFile) -> None:
        """Remember that a file was handled: imported, refused, or asked about. It is told again when it is written anew."""
        await self._store.remember(found)

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
