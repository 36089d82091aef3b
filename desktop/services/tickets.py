"""Tickets: what is there, page by page. Thin on purpose: the questions are answered by SQL."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from desktop.domain.tickets import Thread, TicketCounts, TicketQuery, TicketRow
from desktop.storage.tickets import TicketStore


class TicketService:
    """Reads tickets for the window and the command."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    async def ids(self, query: TicketQuery) -> array[int]:
        """Return the ids of all tickets that a query asks for, in its order.

        Raises:
            DeskError: `sort-unknown`, `where-unknown`, `where-value`.
        """
        return await self._store.ids(query)

    async def caught_up(self) -> None:
        """Wait until a search finds all tickets that are written now; while an import runs, it finds what is indexed so far.

        Raises:
            DeskError: `database-…`, when the full-text index cannot be written.
        """
        await self._store.caught_up()

    async def backlog(self) -> int:
        """Return how many changes a search does not know of yet; 0 but while a large import is indexed."""
        return await self._store.backlog()

    async def rows(self, ids: Sequence[int]) -> list[TicketRow]:
        """Return tickets in the order of `ids`; those that are gone are left out."""
        return await self._store.rows(ids)

    async def counts(self) -> TicketCounts:
        """Count the tickets: in all, by status, by source."""
        return await self._store.counts()

    async def thread(self, ticket_id: int) -> Thread | None:
        """Return one ticket with its messages, None when it is gone."""
        return await self._store.thread(ticket_id)

    async def find(self, reference: str) -> int:
        """Return the id of the ticket that a reference names.

        Raises:
            DeskError: `ticket-missing`, `ticket-ambiguous`.
        """
        return await self._store.find(reference)
