"""History: what each import did to the tickets, and the rejected rows that can be mended and read again.

A row that is mended joins its own import: the counts of that import are those of the file with the row mended, and undoing it takes the row's ticket
back as well. Deliberately not here: the list of imports and the undo itself, which `imports` has.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from desktop.domain.errors import DeskError
from desktop.domain.history import EditableRow, ImportChanges, RejectedRow, Retried, TicketDifference
from desktop.domain.imports import Batch, Contents, ImportCounts, Recognized, total
from desktop.ingest.rereading import cut_row, obstacle, read_again
from desktop.ingest.systems import SystemDefinition
from desktop.services.comparison import compare
from desktop.services.steps import whole
from desktop.storage.history import HistoryStore
from desktop.storage.imports import BatchOutcome, ImportStore
from desktop.storage.people import PeopleStore
from desktop.storage.writing import Hashed, hash_tickets


class HistoryService:
    """Looks back at imports for the window and the command."""

    def __init__(
        self,
        store: HistoryStore,
        *,
        imports: ImportStore,
        people: PeopleStore,
        systems: Callable[[], Sequence[SystemDefinition]],
        workers: Executor,
    ) -> None:
        self._store = store
        self._imports = imports
        self._people = people
        self._systems = systems
        self._workers = workers

    async def changes(self, import_id: int) -> ImportChanges:
        """Return which tickets an import added and changed, and which are gone since the import before it.

        Raises:
            DeskError: `import-missing`, `import-undone`.
        """
        return await self._store.changes(import_id)

    async def differences(self, import_id: int, ticket_ids: Sequence[int]) -> dict[int, TicketDifference]:
        """Return what an import did to tickets, by their ids; a ticket that is no longer here is left out."""
        recognized = await self._store.recognized(import_id)
        states = await self._store.states(import_id, ticket_ids)
        roles = {column.name: column.role for column in recognized.columns} if recognized else {}

        def work() -> dict[int, TicketDifference]:
            return {i: compare(i, before, after, roles) for i, (before, after) in states.items() if after is not None}

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def rejects(self, import_id: int) -> tuple[RejectedRow, ...]:
        """Return the rejected rows of an import: those to be looked at first, then those set aside."""
        return await self._store.rejects(import_id)

    async def editable(self, reject_id: int) -> EditableRow:
        """Return one rejected row to be mended.

        Raises:
            DeskError: `reject-missing`, `import-undone`, `import-unfinished`.
        """
        row, import_id, _, raw, cells = await self._store.reject(reject_id)
        recognized = await self._store.recognized(import_id)
        why = obstacle(recognized, raw, cells)
        if why or recognized is None:
            return EditableRow(row, raw, obstacle=f"{why} Mend it in the file and import the file again.")
        cells = cells or cut_row(recognized, raw)
        return EditableRow(row, raw, _names(recognized, len(cells)) if cells else (), cells)

    async def retry(self, reject_id: int, *, cells: Sequence[str] = (), raw: str = "") -> Retried:
        """Read a mended row again, as its cells or as its raw text; its ticket is written as part of its import.

        A row that is still wrong stays rejected as it was edited, with the reason of now; nothing else changes.

        Raises:
            DeskError: `reject-missing`, `import-undone`, `import-unfinished`, `reject-unreadable`.
        """
        row, import_id, source_id, kept, _ = await self._store.reject(reject_id)
        recognized = await self._store.recognized(import_id)
        why = obstacle(recognized, raw, cells)
        if why or recognized is None:
            raise DeskError("reject-unreadable", why, remedy="Mend it in the file and import the file again.")
        batch = await self._read(recognized, row.line, cells, raw)
        hashed = hash_tickets(batch.tickets)
        drafts = [(ticket.external_id, made.content_hash) for ticket, made in zip(batch.tickets, hashed, strict=True)]
        reason = _still_wrong(batch) or await self._store.conflict(
            import_id, source_id, drafts, contents=recognized.contents
        )
        if reason:
            value = batch.rejects[0].value if batch.rejects else row.value
            await self._store.amend(reject_id, reason=reason, value=value, cells=cells, raw=raw or kept)
            return Retried(reject_id, import_id, reason)
        return await whole(self._use(reject_id, import_id, source_id, batch, hashed, contents=recognized.contents))

    async def set_aside(self, reject_id: int, *, aside: bool = True) -> None:
        """Leave a rejected row as it is, for good; or take it up again.

        Raises:
            DeskError: `reject-missing`.
        """
        await self._store.set_aside(reject_id, aside=aside)

    async def _use(
        self,
        reject_id: int,
        import_id: int,
        source_id: int,
        batch: Batch,
        hashed: Sequence[Hashed],
        *,
        contents: Contents,
    ) -> Retried:
        # Written first and settled after it: were the program to end in between, the row would count as rejected as before, and trying
        # once more finds its ticket unchanged.
        if batch.people:
            outcome = await self._people.write(import_id, source_id, batch.people)
            # A table of people holds no tickets, it only renames some.
            outcome = replace(outcome, ticket_ids=array("q"))
        else:
            outcome = await self._imports.write_batch(
                import_id, source_id, batch.tickets, contents=contents, hashed=hashed
            )
        await self._store.settle(reject_id, import_id, _more(batch, outcome), outcome.ticket_ids)
        return Retried(reject_id, import_id, "", outcome.tickets_new, outcome.tickets_updated)

    async def _read(self, recognized: Recognized, line: int, cells: Sequence[str], raw: str) -> Batch:
        people = await self._people.of_source(recognized.source)

        def work() -> Batch:
            return read_again(recognized, systems=self._systems(), people=people, line=line, cells=cells, raw=raw)

        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _names(recognized: Recognized, width: int) -> tuple[str, ...]:
    """Return a name for each cell of a row; cells beyond the header are told apart by their number."""
    names = tuple(column.name or f"column {column.index + 1}" for column in recognized.columns)
    return names + tuple(f"beyond the header ({number})" for number in range(1, width - len(names) + 1))


def _still_wrong(batch: Batch) -> str:
    if batch.rejects:
        return batch.rejects[0].reason
    if batch.tickets or batch.people:
        return ""
    return "This row looks like a footer, not like data" if batch.footer else "Nothing is left in this row"


def _more(batch: Batch, outcome: BatchOutcome) -> ImportCounts:
    """Return what the counts of an import gain by one rejected row that turned out to be the rows of a batch."""
    return total([outcome.counts(batch), ImportCounts(rows=-1, rejected=-1)])
