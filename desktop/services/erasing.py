"""Erasing: a person out of all that is kept here, for good.

Files come first, then the database in one transaction, then what is left in freed pages and the index. Whatever stops it in between, doing it again
finishes it: files are rewritten again, and a database that was not swept is swept at the next start. There is no way back, and no copy is made on the
way. Copies made earlier are listed and left: they are the user's to delete. Of the person nothing stays but keyed hashes, see `erased_people`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from desktop.config.paths import Paths
from desktop.domain.erasing import Erased, ErasingStep, Footprint, Found, Handles, Way, identities, identity
from desktop.domain.errors import DeskError
from desktop.domain.scrubbing import Scrubber
from desktop.services.erased_people import ErasedPeople
from desktop.services.erasing_files import NamingFiles, find_files, scrub_file
from desktop.services.steps import ended, whole
from desktop.storage.erasing import ErasingStore, Order

_FILES_SHARE, _DATABASE_SHARE = 0.15, 0.55
"""How much of all the work each part is; the rest is sweeping (100,000 tickets: 2 of 12 s, 4 of 12 s)."""


class ErasingService:
    """Erases people. `is_importing` tells whether anything is being imported; each of `forget` has what is kept in memory read anew."""

    def __init__(
        self,
        store: ErasingStore,
        *,
        paths: Paths,
        secret: bytes,
        is_importing: Callable[[], bool],
        forget: Sequence[Callable[[], None]],
    ) -> None:
        self._store = store
        self._paths = paths
        self._secret = secret
        self._is_importing = is_importing
        self._forget = forget

    async def find(self, reference: str) -> Found:
        """Return the person that a name, an e-mail address or a number of their help desk names, whatever its case.

        Raises:
            DeskError: `person-missing`, `person-ambiguous`.
        """
        kinds = ("email", "name") if "@" in reference else ("name", "email")
        keys = {identity(self._secret, kind, reference) for kind in kinds}
        before = next((known for known in await self._store.identities() if known.identity in keys), None)
        try:
            found = await self._store.find(reference)
        except DeskError as error:
            if error.code != "person-missing" or before is None:
                raise
            is_email = "@" in reference
            found = Found(Handles(emails=(reference,)) if is_email else Handles(names=(reference,)))
        return replace(found, erased_at=before.erased_at if before else "")

    async def of_ticket(self, ticket_id: int) -> Found:
        """Return a ticket's requester, by their address where the ticket has one: two people may have one name.

        Raises:
            DeskError: `ticket-missing`; `person-missing` for a ticket without a requester, `person-ambiguous`.
        """
        return await self.find(await self._store.requester_of(ticket_id))

    async def footprint(self, found: Found) -> Footprint:
        """Say what would go, changing nothing."""
        counted, files = await self._store.footprint(found), await self._files(found)
        return _with_files(counted, files)

    async def erase(self, found: Found, way: Way) -> AsyncGenerator[ErasingStep | Erased, None]:
        """Erase a person; the last event is what became of it.

        Raises:
            DeskError: `erase-importing` while a file is imported, `erase-file` for a file that cannot be rewritten, `database-…`.
        """
        if self._is_importing():
            raise DeskError(
                "erase-importing",
                "A file is being imported, which may bring back what is erased.",
                remedy="Wait for its end or stop it, then erase.",
            )
        yield ErasingStep("Looking through files", 0.0)
        files = await self._files(found)
        order = Order(found, way, identities(self._secret, found.handles_elsewhere))
        scrubber = Scrubber(found.handles_elsewhere, await self._store.stand_in(order.identities))
        for path in files.ours:
            await whole(asyncio.to_thread(_scrub_file, path, scrubber, way))
        steps: asyncio.Queue[ErasingStep | None] = asyncio.Queue()
        working = asyncio.ensure_future(self._erase_in_database(order, steps))
        try:
            while (step := await steps.get()) is not None:
                yield step
        finally:
            # Whoever listened may be gone: what was begun in the database is not left half.
            await ended(working)
        stand_in, counted = working.result()
        for forget in self._forget:
            forget()
        yield ErasingStep("Overwriting what was freed", _FILES_SHARE + _DATABASE_SHARE)
        is_swept = await whole(self._store.sweep())
        yield ErasingStep("Done", 1.0)
        yield Erased(way, stand_in, _with_files(counted, files), is_swept=is_swept, was_before=bool(found.erased_at))

    async def people(self, source_id: int) -> ErasedPeople:
        """Return who was erased, to be known again in an import of a source (its id, 0 where it is new)."""
        return ErasedPeople(await self._store.identities(), secret=self._secret, source_id=source_id)

    async def finish(self) -> None:
        """Sweep what an interrupted erasing left unswept; nearly always there is nothing."""
        await self._store.sweep()

    async def _erase_in_database(self, order: Order, steps: asyncio.Queue[ErasingStep | None]) -> tuple[str, Footprint]:
        loop = asyncio.get_running_loop()

        def tell(doing: str, fraction: float) -> None:
            step = ErasingStep(doing, _FILES_SHARE + _DATABASE_SHARE * fraction)
            loop.call_soon_threadsafe(steps.put_nowait, step)

        try:
            return await self._store.erase(order, tell)
        finally:
            loop.call_soon(steps.put_nowait, None)

    async def _files(self, found: Found) -> NamingFiles:
        return await asyncio.to_thread(find_files, self._paths, Scrubber(found.handles_elsewhere, "Person"))


def _scrub_file(path: Path, scrubber: Scrubber, way: Way) -> None:
    try:
        scrub_file(path, scrubber, way=way)
    except OSError as error:
        raise DeskError(
            "erase-file",
            f"The file {path} names this person and cannot be rewritten: {error.strerror or error}; no ticket was erased yet.",
            remedy="Check the disk and the file's permissions, then erase again.",
        ) from None


def _with_files(counted: Footprint, files: NamingFiles) -> Footprint:
    return replace(
        counted,
        files=tuple(map(str, files.ours)),
        backups=tuple(map(str, files.backups)),
        kept=tuple(map(str, files.others)),
    )
