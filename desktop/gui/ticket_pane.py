"""The ticket: its title, the summary card and the thread below it. Owns the jobs that fill them.

Highlights are asked for at once; a stored summary is shown as it is; whether a new one is written without a click is the user's setting.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.runs import (
    Cached,
    ClaimChecked,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Started,
    Summary,
    TextDelta,
)
from desktop.domain.tickets import Thread
from desktop.gui.clipboard import copy_highlights, copy_summary
from desktop.gui.jobs import JobScope
from desktop.gui.language_names import language_name
from desktop.gui.summary_card import SummaryCard
from desktop.gui.theme.style import Theme, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import Span, ThreadView, readable_time
from desktop.gui.ticket_model import Column, cell_text
from desktop.gui.words import Words
from desktop.services.rendering import is_copied

if TYPE_CHECKING:
    from desktop.services.container import Desk


class TicketPane(QWidget):
    """Shows one ticket. `summarized(ticket_id)` is emitted when a summary was written, `queue_changed(n)` while one is."""

    summarized = Signal(int)
    queue_changed = Signal(int)
    providers_requested = Signal()
    noticed = Signal(str)
    failed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk: Desk | None = None
        self._wanted_id: int | None = None
        self._thread: Thread | None = None
        self._summary: Summary | None = None
        self._highlights: tuple[Highlight, ...] = ()
        self._stop = asyncio.Event()
        self.jobs = JobScope(self.failed.emit)
        self.card = SummaryCard(theme)
        self.thread_view = ThreadView(theme)
        self._title = Words(wraps=True)
        self._title.setFont(title_font(self.font()))
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts = Words(kind="muted", wraps=True)
        self._build()
        self.card.spans_wanted.connect(self.thread_view.light_up)
        self.card.summarize_requested.connect(lambda again: self.summarize(again=again))
        self.card.stop_requested.connect(self.stop)
        self.card.copy_requested.connect(self.copy)
        self.card.providers_requested.connect(self.providers_requested)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    @property
    def ticket_id(self) -> int | None:
        return self._thread.ticket.id if self._thread else None

    def show_ticket(self, ticket_id: int) -> None:
        """Show another ticket; what ran for the old one is cancelled."""
        if ticket_id != self._wanted_id:
            self._wanted_id = ticket_id
            self.jobs.restart(self._load(ticket_id))

    def reload(self) -> None:
        """Show the same ticket again, after an import may have changed it."""
        if self._thread is not None and not self.card.is_running:
            self.jobs.restart(self._load(self._thread.ticket.id))

    def refresh_facts(self) -> None:
        """Read the line below the title again; the rest of the ticket stays as it is shown."""
        if self._thread is not None:
            self.jobs.start(self._load_facts(self._thread))

    def clear(self) -> None:
        """Show no ticket."""
        self.jobs.cancel()
        self._wanted_id = self._thread = self._summary = None
        self._highlights = ()
        self.thread_view.show_thread(None)
        self._stack.setCurrentIndex(0)

    def summarize(self, *, again: bool) -> None:
        """Write a summary of the ticket that is shown."""
        if self._thread is not None:
            self.jobs.restart(self._summarize(self._thread.ticket.id, again=again))

    def stop(self) -> None:
        """Stop writing; the text so far is kept."""
        self._stop.set()

    def copy(self, how: str = "copied") -> None:
        """Copy the summary, or the highlights where there is none."""
        if self._thread is None:
            return
        title = self._thread.ticket.title
        if self._summary is not None and (how != "copied" or any(map(is_copied, self._summary.claims))):
            left_out = copy_summary(self._summary, title=title, how=how)
            sentences = (
                "One sentence that the ticket does not support was"
                if left_out == 1
                else f"{left_out} unsupported sentences were"
            )
            self.noticed.emit("Summary copied." + (f" {sentences} left out." if left_out else ""))
        elif self._highlights:
            copy_highlights(self._highlights, title=title)
            why = "The ticket supports no sentence of this summary: " if self._summary and self._summary.claims else ""
            self.noticed.emit(f"{why}highlights copied." if why else "Highlights copied.")
        else:
            self.noticed.emit("There is nothing to copy yet.")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.card.fit()

    def _build(self) -> None:
        self._stack = QStackedLayout(self)
        nothing = Words("Choose a ticket to read it.", centered=True, kind="muted")
        self._stack.addWidget(nothing)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(3 * SPACE, 2 * SPACE + 4, 2 * SPACE, 0)
        layout.setSpacing(SPACE // 2)
        layout.addWidget(self._title)
        layout.addWidget(self._facts)
        layout.addSpacing(SPACE)
        layout.addWidget(self.card)
        layout.addSpacing(2 * SPACE - 4)
        layout.addWidget(self.thread_view, 1)
        self._stack.addWidget(page)

    async def _load(self, ticket_id: int) -> None:
        assert self._desk is not None
        try:
            opened = await self._desk.summaries.open_ticket(ticket_id)
        except DeskError:
            # It has gone since it was chosen; the list says so by leaving it out.
            self.clear()
            return
        self._thread, self._summary, self._highlights = opened.thread, None, opened.highlights
        self._title.setText(opened.thread.ticket.title)
        self._facts.setText(_facts(opened.thread))
        self.card.reset(
            {s.id: s.text for s in opened.sentences},
            {s.id: Span(s.position, s.start, s.end) for s in opened.sentences},
        )
        self.thread_view.show_thread(opened.thread)
        self._stack.setCurrentIndex(1)
        self.card.show_highlights(opened.highlights)
        if opened.summary is not None:
            self._show_summary(opened.summary)
        if opened.is_unfinished and self._starts_by_itself():
            await self._summarize(ticket_id, again=False)

    async def _load_facts(self, thread: Thread) -> None:
        assert self._desk is not None
        rows = await self._desk.tickets.rows([thread.ticket.id])
        if rows and thread is self._thread:
            self._facts.setText(_facts(replace(thread, ticket=rows[0])))

    def _starts_by_itself(self) -> bool:
        assert self._desk is not None
        wanted = self._desk.settings.get("auto_summarize")
        return wanted == "always" or (
            wanted == "local" and self._desk.providers.is_local(self._desk.providers.profile())
        )

    async def _summarize(self, ticket_id: int, *, again: bool) -> None:
        assert self._desk is not None
        self._stop = asyncio.Event()
        earlier, self._summary = self._summary, None
        # Starting the built-in model takes a moment: say at once that something happens.
        self.card.show_started(self._desk.providers.profile().name, "")
        self.queue_changed.emit(1)
        try:
            async with aclosing(self._desk.summaries.stream(ticket_id, refresh=again, stop=self._stop)) as events:
                async for event in events:
                    match event:
                        case Highlights(found):
                            self.card.show_highlights(found)
                        case Started(provider, model):
                            self.card.show_started(provider, model)
                        case TextDelta(_, section, pending):
                            self.card.add_text(section, pending)
                        case ClaimChecked(_, checked):
                            self.card.add_claim(checked)
                        case Cached(summary) | Finished(summary):
                            self._show_end(summary, earlier)
        except DeskError as error:
            failed = Summary(ticket_id, RunState.FAILED, reason=error.message, error=error.code, remedy=error.remedy)
            self._show_end(failed, earlier)
        finally:
            self.queue_changed.emit(0)
        self.summarized.emit(ticket_id)

    def _show_end(self, summary: Summary, earlier: Summary | None) -> None:
        """Show how a run ended; one that brought no text leaves the summary that was there."""
        if earlier is not None and not summary.text:
            self._summary = earlier
            self.card.show_summary(earlier, attempt=summary)
        else:
            self._show_summary(summary)

    def _show_summary(self, summary: Summary) -> None:
        self._summary = summary
        self.card.show_summary(summary)


def _facts(thread: Thread) -> str:
    ticket = thread.ticket
    count = len(thread.messages)
    days = sorted({m.created_at[:10] for m in thread.messages if m.created_at})
    when = ""
    if days:
        when = f", {readable_time(days[0])}" + (f" to {readable_time(days[-1])}" if len(days) > 1 else "")
    parts = [
        ticket.requester,
        ticket.external_id,
        cell_text(ticket, Column.STATUS),
        cell_text(ticket, Column.PRIORITY),
        language_name(ticket.language),
        f"{count} message{'' if count == 1 else 's'}{when}",
    ]
    return " · ".join(part for part in parts if part)
