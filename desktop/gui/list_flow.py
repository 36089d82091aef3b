"""The list as the window leads it: which tickets it holds, read again whenever they change, and rows as they come into view.

Deliberately not here: what is shown beside the list, which the window decides.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState
from desktop.domain.tickets import TicketCounts, TicketQuery
from desktop.gui.bars import StatusBar
from desktop.gui.jobs import JobScope
from desktop.gui.queue_marks import Mark
from desktop.gui.sidebar import DEADLINES, Sidebar
from desktop.gui.ticket_list import TicketList

if TYPE_CHECKING:
    from desktop.services.container import Desk


class ListFlow(QObject):
    """Fills the list, the sidebar's counts and the status bar's. `loaded(is_other)` tells whether the first ticket came or the last went."""

    loaded = Signal(bool)
    emptied = Signal()

    def __init__(
        self, tickets: TicketList, sidebar: Sidebar, status: StatusBar, on_error: Callable[[DeskError], None]
    ) -> None:
        super().__init__()
        self._list, self._sidebar, self._status = tickets, sidebar, status
        self._desk: Desk | None = None
        self._search = ""
        self._wanted_ticket: int | None = None
        self._is_stale = False
        self._lists = JobScope(on_error)
        self._searches = JobScope(on_error)
        self._pages = JobScope(on_error)
        self.counts = TicketCounts(0, {}, {})
        tickets.model.page_wanted.connect(lambda page: self._pages.start(self._load_page(page)))
        tickets.model.leads_wanted.connect(lambda ids: self._pages.start(self._load_leads(ids)))

    def attach(self, desk: Desk) -> None:
        """Take the services, and show the tickets."""
        self._desk = desk
        self.reload()

    async def close(self) -> None:
        """End everything that runs."""
        for scope in (self._lists, self._searches, self._pages):
            await scope.close()

    def search(self, text: str) -> bool:
        """List the tickets that hold these words; tell whether they are others than before."""
        if text == self._search:
            return False
        self._search = text
        self.reload()
        return True

    def open_ticket(self, ticket_id: int) -> None:
        """List all tickets, this one chosen."""
        self._wanted_ticket = ticket_id
        self._search = ""
        self._sidebar.choose_all()
        self.reload()

    def reload(self) -> None:
        """Read the list and the counts again; nothing before the database is open."""
        if self._desk is not None:
            self._lists.restart(self._load())

    def refresh(self) -> None:
        """Read the same list again because tickets were added; while it is being read, once more afterwards.

        Starting anew each time would never come to an end while tickets arrive faster than they are read.
        """
        if self._lists.is_busy:
            self._is_stale = True
        else:
            self.reload()

    def refresh_counts(self) -> None:
        """Read the counts alone again: what the list holds, and what is chosen in it, stays as it is under the reader's hand."""
        if self._desk is not None:
            self._pages.start(self._load_counts(self._desk))

    async def _load_counts(self, desk: Desk) -> None:
        self.counts = await desk.tickets.counts()
        self._sidebar.show_counts(self.counts)

    async def _load(self) -> None:
        assert self._desk is not None
        self._is_stale = False
        where = self._sidebar.chosen()
        query = TicketQuery(self._search, where, sort="deadline" if DEADLINES in where else "-updated_at")
        counts, ids = await asyncio.gather(self._desk.tickets.counts(), self._desk.tickets.ids(query))
        chosen, self._wanted_ticket = self._wanted_ticket or self._list.chosen_id(), None
        is_other = bool(self.counts.total) != bool(counts.total)
        self.counts = counts
        self._sidebar.show_counts(counts)
        self._list.show_columns(status=counts.has_status, priority=counts.has_priority)
        self._put_ids(ids, chosen)
        self._status.show_tickets(len(ids), counts.total)
        words = f"No ticket holds “{self._search}”." if self._search else "No tickets here."
        self._list.show_empty("" if ids or not counts.total else words)
        self.loaded.emit(is_other)
        if self._is_stale:
            self._lists.start(self._load())
        if query.search and await self._desk.tickets.backlog():
            self._searches.restart(self._search_again())

    async def _search_again(self) -> None:
        """Search once more when the index has caught up with an import: until then it finds what is indexed so far."""
        assert self._desk is not None
        await self._desk.tickets.caught_up()
        self.reload()

    def _put_ids(self, ids: array[int], chosen: int | None) -> None:
        bar = self._list.table.verticalScrollBar()
        place = bar.value()
        if self._list.model.extend_ids(ids):
            self._list.model.refresh()
        else:
            self._list.model.set_ids(ids)
        if chosen is not None and self._list.choose(chosen):
            # Where the reader is in the list is theirs: new tickets must not take them back to the chosen one.
            bar.setValue(place)
            return
        if ids:
            self._list.choose_first()
        else:
            self.emptied.emit()

    async def _load_page(self, page: int) -> None:
        assert self._desk is not None
        ids = self._list.model.ids_of_page(page)
        queue = self._desk.queue
        rows, states = await asyncio.gather(self._desk.tickets.rows(ids), queue.states(ids))
        failed = [ticket_id for ticket_id, state in states.items() if state is ItemState.FAILED]
        reasons = await queue.reasons(failed) if failed else {}
        # What is done needs no mark: its gist is there.
        marks = {i: Mark(state, reasons.get(i, "")) for i, state in states.items() if state is not ItemState.DONE}
        self._list.model.put_page(page, ids, rows, marks)

    async def _load_leads(self, ids: list[int]) -> None:
        assert self._desk is not None
        self._list.model.put_leads(await self._desk.summaries.leads(ids))
