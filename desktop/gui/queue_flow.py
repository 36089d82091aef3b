"""The queue wherever it is not the page itself: the way in with its quote, the status bar's button, the marks in the list, and a word when it ends.

It listens to the queue, which speaks at most four times a second, and hands on what changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState, QueueStatus
from desktop.gui.bars import StatusBar
from desktop.gui.jobs import JobScope
from desktop.gui.notices import NoticeBar
from desktop.gui.quote_flow import QuoteFlow
from desktop.gui.quote_panel import QuotePanel
from desktop.gui.theme.style import Theme
from desktop.gui.ticket_list import TicketList
from desktop.services.queue_wording import describe_queue, describe_queue_end, describe_queue_shortly
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

COUNTS_MS = 2_000
"""Counts of all tickets are no matter of a quarter of a second: they are added up again at most this often."""


class QueueFlow(QObject):
    """Follows the queue. `is_looked_at` tells whether the user sees the queue's page just now."""

    page_wanted = Signal(object)
    """The user asks to see the queue: the tickets in an `ItemState`, None for all."""

    tickets_changed = Signal(tuple)
    """Ids of tickets whose state in the queue, or summary, is another now."""
    counts_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        tickets: TicketList,
        bar: StatusBar,
        notice: NoticeBar,
        *,
        is_looked_at: Callable[[], bool],
        on_error: Callable[[DeskError], None],
    ) -> None:
        super().__init__()
        self._list, self._bar, self._notice, self._is_looked_at = tickets, bar, notice, is_looked_at
        self._desk: Desk | None = None
        self._remove: list[Callable[[], None]] = []
        self._before = QueueStatus()
        self._ended_lot = 0
        self._beside = 0
        self.jobs = JobScope(on_error)
        self.quote_panel = QuotePanel(theme)
        self.quotes = QuoteFlow(self.quote_panel, on_error)
        self.quotes.added.connect(self._on_added)
        self.quotes.handed_over.connect(self._on_handed_over)
        bar.queue_requested.connect(lambda: self.page_wanted.emit(None))
        self._counting = QTimer(self, singleShot=True, interval=COUNTS_MS)
        self._counting.timeout.connect(self.counts_changed)

    def attach(self, desk: Desk) -> None:
        """Take the services, and follow the queue."""
        self._desk = desk
        self.quotes.attach(desk)
        self._remove = [desk.queue.listen(self._on_status), desk.queue.listen_items(self._on_items)]
        self.jobs.start(self._begin(desk))

    async def close(self) -> None:
        """Stop following."""
        for remove in self._remove:
            remove()
        self._counting.stop()
        await self.quotes.jobs.close()
        await self.jobs.close()

    def summarize_many(self) -> None:
        """Ask what summaries of the chosen tickets would cost if they are several, else of all that are listed."""
        tickets = self._list
        self.quotes.open(tickets.chosen_ids() if tickets.chosen_count() > 1 else tickets.model.ids())

    def show_quote(self, is_reading: bool) -> None:
        """Show an open quote below the tickets, and nowhere else."""
        if not is_reading:
            self.quote_panel.hide()
        elif self.quote_panel.isHidden():
            self.quotes.show_again()

    def show_beside(self, number: int) -> None:
        """So many summaries are being written outside the queue, because a ticket is open."""
        self._beside = number
        self._show(self._before)

    async def _begin(self, desk: Desk) -> None:
        """Go on with what was in the queue when the program was closed."""
        self._before = await desk.queue.status()
        if not desk.read_only_reason:
            await desk.queue.start()
        self._on_status(await desk.queue.status())

    def _on_added(self, number: int) -> None:
        is_are = "is" if number == 1 else "are"
        self._notice.show_notice(f"{count(number, 'ticket')} {is_are} in the queue; Ctrl+J shows how far it is.")

    def _on_handed_over(self, batches: int) -> None:
        number = "1 batch is" if batches == 1 else f"{batches:,} batches are"
        words = f"{number} handed over; the summaries come within a day. Ctrl+J shows how far it is."
        self._notice.show_notice(words if batches else "Nothing had to be handed over; Ctrl+J shows the queue.")

    def _on_status(self, status: QueueStatus) -> None:
        # A queue of what was written before is over before it was ever told that it began.
        is_new = not self._before.is_idle or status.lot != self._ended_lot
        has_ended = status.is_idle and status.total > 0 and is_new
        self._before = status
        self._show(status)
        if has_ended:
            self._ended_lot = status.lot
            self.counts_changed.emit()
            if not self._is_looked_at():
                self._tell_end(status)

    def _on_items(self, ticket_ids: tuple[int, ...]) -> None:
        self._list.model.refresh_tickets(ticket_ids)
        self.tickets_changed.emit(ticket_ids)
        if not self._counting.isActive():
            self._counting.start()

    def _show(self, status: QueueStatus) -> None:
        short = describe_queue_shortly(status)
        if status.is_idle and self._beside:
            short = f"Queue {self._beside}"
        self._bar.show_queue(short, describe_queue(status))

    def _tell_end(self, status: QueueStatus) -> None:
        assert self._desk is not None
        queue = self._desk.queue
        actions = [
            ("Show failed", lambda: self.page_wanted.emit(ItemState.FAILED)),
            ("Retry", lambda: self.jobs.start(queue.retry_failed())),
        ]
        tone = "warning" if status.failed else "info"
        self._notice.show_notice(f"{describe_queue_end(status)}.", tone=tone, actions=actions if status.failed else [])
