"""The ticket: its title, the summary card and the thread below it. Owns the jobs that fill them.

Highlights are asked for at once; a stored summary is shown as it is; whether a new one is written without a click is the user's setting.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.runs import Highlight, RunState, Summary
from desktop.domain.tickets import Thread
from desktop.gui.checking_flow import CheckingFlow
from desktop.gui.copy_flow import CopyFlow
from desktop.gui.instructions_strip import InstructionsStrip
from desktop.gui.jobs import JobScope
from desktop.gui.links import LinkStrip
from desktop.gui.run_events import show_event
from desktop.gui.sections_flow import SectionsFlow
from desktop.gui.star_button import StarButton
from desktop.gui.summary_card import SummaryCard
from desktop.gui.theme.style import Theme, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import Span, ThreadView
from desktop.gui.ticket_facts import FactsLine
from desktop.gui.verify_panel import VerifyPanel
from desktop.gui.words import Words
from desktop.services.rendering import CopyItem

if TYPE_CHECKING:
    from desktop.gui.versions_flow import VersionsFlow
    from desktop.services.container import Desk
    from desktop.services.summaries import OpenedTicket


class TicketPane(QWidget):
    """Shows one ticket. `summarized(ticket_id)` is emitted when a summary was written, `queue_changed(n)` while one is."""

    summarized = Signal(int)
    queue_changed = Signal(int)
    providers_requested = Signal()
    noticed = Signal(str)
    failed = Signal(object)
    erase_requested = Signal(int)
    """The ticket whose requester is to be erased."""
    preview_requested = Signal(int)
    """The ticket of which is to be seen what a summary would send."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self._wanted_id: int | None = None
        self._thread: Thread | None = None
        self._summary: Summary | None = None
        self._highlights: tuple[Highlight, ...] = ()
        self._sentences: dict[str, str] = {}
        self._stop = asyncio.Event()
        self.jobs = JobScope(self.failed.emit)
        self.asides = JobScope(self.failed.emit)
        self.card = SummaryCard(theme)
        self.thread_view = ThreadView(theme)
        self.instructions = InstructionsStrip(theme)
        self.links = LinkStrip(theme)
        self.verify = VerifyPanel(theme)
        self.checking = CheckingFlow(self.card, self.verify, self.failed.emit)
        self.copies = CopyFlow(self.failed.emit)
        self.sections = SectionsFlow(self.card, self.failed.emit)
        self._title = Words(wraps=True)
        self._title.setFont(title_font(self.font()))
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts = FactsLine()
        self._facts.erase_requested.connect(self.erase_requested)
        self._build()
        self._connect()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        for flow in (self.checking, self.copies, self.sections):
            flow.attach(desk)

    async def close_jobs(self) -> None:
        """End everything that runs."""
        for scope in (self.jobs, self.asides, self.checking, self.copies.jobs):
            await scope.close()
        if "versions" in vars(self):
            await self.versions.jobs.close()

    @cached_property
    def versions(self) -> VersionsFlow:
        """Return what leads the view of versions; both are built when it is first opened."""
        from desktop.gui.versions_flow import VersionsFlow
        from desktop.gui.versions_view import VersionsView

        assert self._desk is not None
        view = VersionsView(self._theme)
        view.closed.connect(self._show_card)
        view.link_wanted.connect(self.links.ask)
        self._column.insertWidget(self._column.indexOf(self.card) + 1, view)
        flow = VersionsFlow(view, self.failed.emit)
        flow.restored.connect(self._on_other_version)
        flow.attach(self._desk)
        return flow

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
        if self._thread is not None and not self.card.is_running and not self.card.is_editing:
            self.jobs.restart(self._load(self._thread.ticket.id))

    def reload_if_shown(self, ticket_ids: tuple[int, ...]) -> None:
        """Show what the queue has written of the ticket that is open; one whose summary stays the same is left as it is read."""
        if self._thread is not None and self._thread.ticket.id in ticket_ids:
            self.asides.start(self._look_for_summary(self._thread.ticket.id))

    def refresh_facts(self) -> None:
        """Read the line below the title again; the rest of the ticket stays as it is shown."""
        if self._thread is not None:
            self.jobs.start(self._load_facts(self._thread))

    def clear(self) -> None:
        """Show no ticket."""
        self.jobs.cancel()
        self._wanted_id = self._thread = self._summary = None
        self._highlights = ()
        self.checking.show_ticket(None)
        self.thread_view.show_thread(None)
        self._stack.setCurrentIndex(0)

    def summarize(self, *, again: bool) -> None:
        """Write a summary of the ticket that is shown."""
        if self._thread is not None:
            self.jobs.restart(self._summarize(self._thread.ticket.id, again=again))

    def go_on(self, run_id: int) -> None:
        """Have a summary that broke off written to its end."""
        if self._thread is not None:
            self.jobs.restart(self._summarize(self._thread.ticket.id, continue_run=run_id))

    def stop(self) -> None:
        """Stop writing; the text so far is kept."""
        self._stop.set()

    def escape(self) -> None:
        """Close what was opened last, or stop what is being written."""
        if not self.links.isHidden():
            self.links.hide()
        elif self.card.is_editing and self.card.editor.isVisible():
            self.checking.cancel_edit()
        elif self.card.is_editing:
            self.card.show_summary_again()
        elif self.card.isHidden():
            self._show_card()
        elif self.card.is_running:
            self.stop()
        elif not self.verify.isHidden():
            self.verify.hide()

    def copy(self, how: str = "copied") -> None:
        """Copy the summary, or the highlights where there is none."""
        if self._thread is not None:
            self.copies.copy(self._copy_item(self._thread), how)

    def _copy_item(self, thread: Thread) -> CopyItem:
        return CopyItem(thread.ticket.title, self._summary, self._highlights, thread.messages)

    def _drag(self) -> None:
        if self._thread is not None:
            self.copies.drag(self._copy_item(self._thread), self.card.head)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.card.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Have the card make room for what comes and goes around it."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            asides = (self.links, self.verify)
            self.card.reserve(sum(w.sizeHint().height() + SPACE for w in asides if not w.isHidden()))
        return super().eventFilter(watched, event)

    def _build(self) -> None:
        self._stack = QStackedLayout(self)
        nothing = Words("Choose a ticket to read it.", centered=True, kind="muted")
        self._stack.addWidget(nothing)
        page = QWidget()
        self._column = layout = QVBoxLayout(page)
        layout.setContentsMargins(3 * SPACE, 2 * SPACE + 4, 2 * SPACE, 0)
        layout.setSpacing(SPACE // 2)
        self.star_button = StarButton(self._theme)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.star_button, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(head)
        layout.addWidget(self._facts)
        layout.addSpacing(SPACE)
        for widget in (self.instructions, self.card, self.links, self.verify):
            layout.addWidget(widget)
        layout.addSpacing(2 * SPACE - 4)
        layout.addWidget(self.thread_view, 1)
        for aside in (self.instructions, self.links, self.verify):
            aside.installEventFilter(self)
        self._stack.addWidget(page)

    def _connect(self) -> None:
        card, footer = self.card, self.card.footer
        card.spans_wanted.connect(self.thread_view.light_up)
        card.messages_wanted.connect(self._on_messages)
        card.uses_changed.connect(self.thread_view.show_uses)
        card.summarize_requested.connect(lambda again: self.summarize(again=again))
        card.continue_requested.connect(self.go_on)
        card.providers_requested.connect(self.providers_requested)
        card.head.model_version_wanted.connect(self._on_model_version)
        card.head.drag_began.connect(self._drag)
        self.copies.noticed.connect(self.noticed)
        self.sections.checking_changed.connect(self.reload)
        footer.more_button.menu().aboutToShow.connect(self.sections.show_checking)
        footer.stop_requested.connect(self.stop)
        footer.copy_requested.connect(self.copy)
        footer.versions_requested.connect(self._on_versions)
        footer.edit_requested.connect(lambda: self.checking.edit(self._summary))
        footer.verify_requested.connect(self.verify.open)
        footer.preview_requested.connect(self._on_preview)
        self.checking.edited.connect(self._on_other_version)
        self.verify.spans_wanted.connect(self.thread_view.light_up)
        self.instructions.spans_wanted.connect(self.thread_view.light_up)
        self.thread_view.claims_wanted.connect(self._on_claims)
        self.thread_view.told.connect(card.tell)
        for place in (card, self.verify, self.thread_view):
            place.link_wanted.connect(self.links.ask)
        self.star_button.clicked.connect(lambda is_on: self.asides.start(self._star(is_on=is_on)))

    def _on_preview(self) -> None:
        if self._thread is not None:
            self.preview_requested.emit(self._thread.ticket.id)

    async def _load(self, ticket_id: int) -> None:
        assert self._desk is not None
        try:
            opened = await self._desk.summaries.open_ticket(ticket_id)
        except DeskError:
            # It has gone since it was chosen; the list says so by leaving it out.
            self.clear()
            return
        self._show_opened(opened)
        if opened.summary is not None:
            self._show_summary(opened.summary)
        self.checking.show_ticket(ticket_id)
        if opened.is_unfinished and not self.card.is_editing and self._starts_by_itself():
            await self._summarize(ticket_id, again=False)

    def _show_opened(self, opened: OpenedTicket) -> None:
        self._thread, self._summary, self._highlights = opened.thread, None, opened.highlights
        self._title.setText(opened.thread.ticket.title)
        self._facts.show_thread(opened.thread)
        sentences = self._sentences = {s.id: s.text for s in opened.sentences}
        spans = {s.id: Span(s.position, s.start, s.end) for s in opened.sentences}
        self.thread_view.show_thread(opened.thread)
        self.card.reset(sentences, spans)
        self.verify.reset(sentences, spans)
        self.links.hide()
        self._show_card()
        self.instructions.show_spans([Span(s.position, s.start, s.end) for s in opened.instructions])
        self.star_button.show_starred(is_starred=opened.is_starred)
        self.card.footer.show_versions(opened.version_count)
        self._stack.setCurrentIndex(1)
        self.card.show_highlights(opened.highlights)

    async def _load_facts(self, thread: Thread) -> None:
        assert self._desk is not None
        rows = await self._desk.tickets.rows([thread.ticket.id])
        if rows and thread is self._thread:
            self._facts.show_thread(replace(thread, ticket=rows[0]))

    def _starts_by_itself(self) -> bool:
        assert self._desk is not None
        wanted, providers = self._desk.settings.get("auto_summarize"), self._desk.providers
        profile = providers.profile(providers.route("summarize")[0][0])
        # Nobody asked for it: what is locked is not tried only to be refused.
        if providers.locked_reason(profile):
            return False
        return wanted == "always" or (wanted == "local" and providers.is_local(profile))

    async def _summarize(self, ticket_id: int, *, again: bool = False, continue_run: int = 0) -> None:
        assert self._desk is not None
        self._stop = asyncio.Event()
        earlier, self._summary = self._summary, None
        self._show_card()
        # Starting the built-in model takes a moment: say at once that something happens.
        self.card.begin_run(self._desk.providers.route("summarize")[0][0])
        self.queue_changed.emit(1)
        try:
            events = self._desk.summaries.stream(ticket_id, refresh=again, continue_run=continue_run, stop=self._stop)
            async with aclosing(events):
                async for event in events:
                    if (ended := show_event(self.card, event)) is not None:
                        self._show_end(ended, earlier)
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
            return
        self._show_summary(summary)
        self.asides.start(self._count_versions(summary.ticket_id))
        if earlier is not None and earlier.claims and summary.claims and self._desk is not None:
            self.card.show_changes(self._desk.summaries.compare(earlier, summary))

    def _show_summary(self, summary: Summary) -> None:
        self._summary = summary
        self.card.show_summary(summary)

    # What stands beside the summary

    def _show_card(self) -> None:
        if self.card.isHidden():
            self.versions.view.hide()
            self.card.show()

    def _on_versions(self, *, prefers_model: bool = False) -> None:
        if self._thread is not None:
            view = self.versions.view
            view.reset(self._sentences)
            view.set_choices(self.card.body.choices)
            view.prefers_model = prefers_model
            self.card.hide()
            view.show()
            self.versions.open(self._thread.ticket.id)

    def _on_model_version(self) -> None:
        """Show the versions with the model's newest chosen, beside a person's edit."""
        self._on_versions(prefers_model=True)

    def _on_other_version(self, summary: Summary) -> None:
        self._show_card()
        self._show_summary(summary)
        self.asides.start(self._count_versions(summary.ticket_id))
        self.summarized.emit(summary.ticket_id)

    def _on_messages(self, positions: list[int]) -> None:
        """Light up messages whole."""
        texts = {m.position: m.text for m in self._thread.messages} if self._thread else {}
        self.thread_view.light_up([Span(p, 0, len(texts[p])) for p in positions if p in texts])

    def _on_claims(self, indices: list[int]) -> None:
        if not self.card.is_editing:
            self._show_card()
            self.card.activate(indices)

    async def _count_versions(self, ticket_id: int) -> None:
        assert self._desk is not None
        versions = await self._desk.summaries.versions(ticket_id)
        if ticket_id == self.ticket_id:
            self.card.footer.show_versions(len(versions))

    async def _look_for_summary(self, ticket_id: int) -> None:
        assert self._desk is not None
        found = await self._desk.summaries.open_ticket(ticket_id)
        run_id = self._summary.run_id if self._summary else 0
        is_free = not self.card.is_running and not self.card.is_editing
        if found.summary is not None and found.summary.run_id != run_id and ticket_id == self.ticket_id and is_free:
            self._show_summary(found.summary)
            self.card.footer.show_versions(found.version_count)

    async def _star(self, *, is_on: bool) -> None:
        if self._desk is not None and self._thread is not None:
            await self._desk.summaries.star(self._thread.ticket.id, is_on)
