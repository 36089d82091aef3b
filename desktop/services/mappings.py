"""Mappings: how tables are read, as files that travel, and as what is remembered for the next export of the same header.

A mapping is remembered when a file is imported by it, or added from its file for the header that stands in it. Deliberately not here: what a
column means, see `ingest.recognition`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import ImportOverrides, MappingNeeded, Recognized, RememberedMapping, fingerprint_of
from desktop.ingest.definitions import read_system
from desktop.services.imports import ImportService, read_mapping_file
from desktop.storage.mappings import MappingStore

SUFFIX = ".toml"


class MappingService:
    """Saves, loads, lists and forgets mappings for the window and the command."""

    def __init__(self, store: MappingStore, imports: ImportService) -> None:
        self._store = store
        self._imports = imports

    async def save(self, recognized: Recognized, file: Path) -> Path:
        """Write the mapping by which a file was recognized, and return where; a name without a suffix gets one.

        Raises:
            DeskError: `mapping-unwritable`; `mapping-no-id` while no column holds the ticket ids.
        """
        if all(column.role != "ticket_id" for column in recognized.columns):
            raise DeskError(
                "mapping-no-id",
                "A mapping says which column holds the ticket ids, and none does yet.",
                remedy="Choose that column, then save the mapping.",
            )
        file = file if file.suffix else file.with_suffix(SUFFIX)
        text = await self._imports.describe(recognized)
        try:
            await asyncio.to_thread(file.write_text, text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise DeskError(
                "mapping-unwritable",
                f"The mapping {file} cannot be written: {error.strerror or error}.",
                remedy="Choose another place.",
            ) from None
        return file

    async def load(self, file: Path, recognized: Recognized) -> Recognized:
        """Read the mapping file and return what it makes of a file that was recognized before; earlier corrections give way to it.

        Raises:
            DeskError: `mapping-missing`, `mapping-invalid`; `mapping-unfit` when the file has no column for the mapping's ticket ids.
        """
        overrides = ImportOverrides(source=recognized.overrides.source, definition=await read_mapping_file(file))
        path = Path(recognized.path)
        try:
            return await self._imports.recognize(path, overrides=overrides)
        except MappingNeeded:
            raise DeskError(
                "mapping-unfit",
                f"The mapping {file.name} is for another table: {path.name} has no column that it takes ticket ids from.",
                remedy="Choose another mapping, or choose what the columns are.",
            ) from None

    async def add(self, file: Path) -> RememberedMapping:
        """Remember a mapping file for the header that stands in it.

        Raises:
            DeskError: `mapping-missing`, `mapping-invalid`; `mapping-no-header` when no header stands in it.
        """
        text = await read_mapping_file(file)
        headers = [layout.header for layout in read_system(text, file=file).layouts if layout.header]
        if not headers:
            raise DeskError(
                "mapping-no-header",
                f"The mapping {file.name} does not say for which header it is (it has no “header”).",
                remedy="Use it for one export with: tldesk import --mapping FILE; it is then remembered for that header.",
            )
        for header in headers:
            await self._store.remember(fingerprint_of(header), ImportOverrides(definition=text), learned_from=file.name)
        return await self.find(fingerprint_of(headers[0]))

    async def remembered(self) -> tuple[RememberedMapping, ...]:
        """Return all mappings that are remembered, the newest first."""
        return await self._store.all()

    async def find(self, id_start: str) -> RememberedMapping:
        """Return the mapping whose id begins so.

        Raises:
            DeskError: `mapping-unknown`, `mapping-ambiguous`.
        """
        found = [mapping for mapping in await self._store.all() if mapping.fingerprint.startswith(id_start.lower())]
        if not found or not id_start:
            raise DeskError(
                "mapping-unknown",
                f"No mapping with the id {id_start} is remembered.",
                remedy="See them with: tldesk mappings list",
            )
        if len(found) > 1:
            raise DeskError(
                "mapping-ambiguous",
                f"More than one mapping has an id that begins with {id_start}.",
                remedy="Give more of it.",
            )
        return found[0]

    async def remove(self, id_start: str) -> RememberedMapping:
        """Forget a mapping, and return what it was.

        Raises:
            DeskError: `mapping-unknown`, `mapping-ambiguous`.
        """
        mapping = await self.find(id_start)
        await self._store.forget(mapping.fingerprint)
        return mapping
