"""The window: bars, sidebar, list and ticket, and the pages that take their place for a while.

It wires panes to services and owns no logic of either. Everything slow is a job; the window never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QMainWindow,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState
from desktop.gui import window_layout
from desktop.gui.alert_flow import AlertFlow
from desktop.gui.bars import StatusBar, TopBar
from desktop.gui.empty_state import EmptyState
from desktop.gui.export_flow import ExportFlow
from desktop.gui.file_dialog import ask_for_exports
from desktop.gui.file_drop import FileDrop
from desktop.gui.import_flow import ImportFlow
from desktop.gui.import_panel import ImportPanel
from desktop.gui.jobs import JobScope
from desktop.gui.language_flow import LanguageFlow
from desktop.gui.list_flow import ListFlow
from desktop.gui.list_menu import ListMenu
from desktop.gui.notices import NoticeBar
from desktop.gui.pages import Pages
from desktop.gui.queue_flow import QueueFlow
from desktop.gui.sidebar import Sidebar
from desktop.gui.status_flow import StatusFlow
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SIDEBAR_WIDTH
from desktop.gui.ticket_list import TicketList
from desktop.gui.ticket_pane import TicketPane
from desktop.gui.watch_flow import WatchFlow
from desktop.gui.window_keys import add_keys
from desktop.gui.window_layout import DEFAULT_SIZE

if TYPE_CHECKING:
    from desktop.services.container import Desk

SETTLE_MS = 150
LEAST_SIZE = QSize(960, 600)


class MainWindow(QMainWindow):
    """The one window of the program."""

    def __init__(self, theme: Theme, icon: QIcon) -> None:
        super().__init__()
        self.setWindowTitle("TLDesk")
        self.setWindowIcon(icon)
        self.setMinimumSize(LEAST_SIZE)
        self.resize(DEFAULT_SIZE)
        self._theme = theme
        self._desk: Desk | None = None
        self._waiting_files: list[Path] = []
        self.notice = NoticeBar(theme)
        self._quiet = JobScope(self.notice.show_error)
        self.top = TopBar(theme)
        self.sidebar = Sidebar(theme)
        self.list = TicketList(theme, chooses_many=True)
        self.ticket = TicketPane(theme)
        self.empty = EmptyState(theme)
        self.import_panel = ImportPanel(theme)
        self.status = StatusBar(theme)
        self.status_flow = StatusFlow(self.status, theme, self.notice.show_error)
        self.tickets = ListFlow(self.list, self.sidebar, self.status, self.notice.show_error)
        self.imports = ImportFlow(self.import_panel, self.status, self.notice)
        self.pages = Pages(theme, self.imports, self.notice, self.notice.show_error)
        self.watching = WatchFlow(self.imports, self.notice)
        self.status.add(self.watching.button)
        self.alerts = AlertFlow(theme, self.notice.show_error)
        self.status.add(self.alerts.button)
        self.languages = LanguageFlow(self.imports, self.notice.show_error)
        self.exports = ExportFlow(self.status, self.notice, self.notice.show_error)
        self.queue = QueueFlow(
            theme,
            self.list,
            self.status,
            self.notice,
            is_looked_at=self.pages.is_queue_seen,
            on_error=self.notice.show_error,
        )
        self._list_menu = ListMenu(
            self.list,
            summarize=self.summarize_many,
            copy=self._on_copy_chosen,
            export=self.export,
            erase=self.show_erasing,
        )
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._build()
        self._connect()
        add_keys(self, self._inner)

    # Life

    def attach(self, desk: Desk) -> None:
        """Take the services, bring back the layout and show the tickets."""
        self._desk = desk
        for pane in (self.status_flow, self.ticket, self.imports, self.pages, self.queue, self.alerts):
            pane.attach(desk)
        if desk.settings.warning:
            self.notice.show_notice(desk.settings.warning, tone="warning")
        if desk.read_only_reason:
            self.notice.show_notice(desk.read_only_reason, tone="warning")
        self.tickets.attach(desk)
        self.status_flow.show_spend()
        if not desk.read_only_reason:
            self._quiet.start(self.imports.tell_stopped())
        self.watching.attach(desk)
        self.languages.attach(desk)
        self.exports.attach(desk)
        files, self._waiting_files = self._waiting_files, []
        if files:
            self.open_files(files)

    def restore_layout(self, state: dict[str, object]) -> None:
        """Bring back place, size and column widths; what does not fit is ignored."""
        window_layout.restore(self, state, outer=self._outer, inner=self._inner)

    def layout_state(self) -> dict[str, object]:
        """Return what `restore_layout` brings back."""
        return window_layout.state_of(self, outer=self._outer, inner=self._inner)

    async def shut_down(self) -> None:
        """End all jobs and keep the layout; called once, after the window was closed."""
        flows = (self.tickets, self.imports, self.watching, self.languages, self.queue, self.alerts)
        scopes = (*flows, self._quiet, self.status_flow.jobs, self.exports.jobs)
        await self.ticket.close_jobs()
        await asyncio.gather(self.pages.close_jobs(), *(scope.close() for scope in scopes))
        if self._desk is not None and self._desk.settings.get("window") != self.layout_state():
            # A layout that cannot be kept is no reason to leave the tickets' file open.
            with contextlib.suppress(DeskError):
                self._desk.settings.set("window", self.layout_state())

    def open_files(self, paths: list[Path]) -> None:
        """Recognize files and offer to import them, one after the other."""
        if self._desk is None:
            self._waiting_files += paths
            return
        self.imports.open_files(paths)

    def reload_list(self) -> None:
        """Read the list and the counts again; nothing before the database is open."""
        self.tickets.reload()

    # Building

    def _build(self) -> None:
        self._inner = QSplitter(Qt.Orientation.Horizontal)
        self._inner.addWidget(self.list)
        self._inner.addWidget(self.ticket)
        self._inner.setSizes([520, 700])
        for page in (self.empty, self._inner, self.import_panel):
            self.pages.addWidget(page)
        self._outer = QSplitter(Qt.Orientation.Horizontal)
        self._outer.addWidget(self.sidebar)
        self._outer.addWidget(self.pages)
        self._outer.setSizes([SIDEBAR_WIDTH, DEFAULT_SIZE.width() - SIDEBAR_WIDTH])
        self.list.setMinimumWidth(320)
        self.ticket.setMinimumWidth(400)
        for splitter in (self._inner, self._outer):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self._outer.setStretchFactor(1, 1)
        self._inner.setStretchFactor(1, 1)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        # The notice stands below, so that what is being clicked does not move when one comes or goes.
        for widget in (self.top, self._outer, self.queue.quote_panel, self.notice, self.status):
            layout.addWidget(widget, 1 if widget is self._outer else 0)
        self.setCentralWidget(central)
        self._drop = FileDrop(self)
        self._drop.dropped.connect(self.open_files)
        self.sidebar.hide()
        self.pages.setCurrentWidget(self.empty)

    def _connect(self) -> None:
        self.top.search_changed.connect(self._on_search)
        self.top.search_left.connect(self.list.table.setFocus)
        self.top.import_requested.connect(self.choose_file)
        self.top.export_requested.connect(self.export)
        self.top.summarize_requested.connect(self.summarize_many)
        self.list.choice_changed.connect(self._show_choice)
        self.top.settings_requested.connect(self.show_providers)
        self.top.history_requested.connect(self.show_history)
        self.sidebar.filter_chosen.connect(lambda _: self._on_filter())
        self.list.ticket_chosen.connect(lambda _: self._settle.start())
        self.list.opened.connect(self.ticket.thread_view.setFocus)
        self.tickets.loaded.connect(self._on_loaded)
        self.tickets.emptied.connect(self.ticket.clear)
        self._settle.timeout.connect(self._on_settled)
        self.ticket.summarized.connect(self._on_summarized)
        self.ticket.queue_changed.connect(self.queue.show_beside)
        self.queue.tickets_changed.connect(self.ticket.reload_if_shown)
        self.queue.counts_changed.connect(self._on_counts)
        self.queue.page_wanted.connect(self.show_queue)
        self.queue.quotes.closed.connect(self.list.table.setFocus)
        self.queue.quotes.providers_requested.connect(self.show_providers)
        self.ticket.providers_requested.connect(self.show_providers)
        self.ticket.noticed.connect(self.notice.show_notice)
        self.ticket.copies.progressed.connect(self.status.show_copying)
        self.ticket.failed.connect(self.notice.show_error)
        self.status_flow.provider_shown.connect(self.empty.show_provider)
        self.empty.import_requested.connect(self.choose_file)
        self.empty.sample_requested.connect(self._open_sample)
        self.imports.panel_wanted.connect(lambda: self._show_page(self.import_panel))
        self.imports.done_with_panel.connect(self._show_tickets)
        self.imports.tickets_changed.connect(self.tickets.refresh)
        self.imports.imported.connect(self._on_imported)
        self.imports.changes_wanted.connect(lambda i: self._show_history_of(self.pages.history.show_changes, i))
        self.imports.rejects_wanted.connect(lambda i: self._show_history_of(self.pages.history.show_rejects, i))
        self.languages.told.connect(self.tickets.refresh)
        self.languages.told.connect(self.ticket.refresh_facts)
        self.pages.left.connect(self._show_tickets)
        self.pages.providers_changed.connect(self.status_flow.show_providers)
        self.pages.ticket_opened.connect(self._open_ticket)
        self.pages.tickets_mended.connect(self._on_mended)
        self.pages.person_erased.connect(self._on_erased)
        self.ticket.erase_requested.connect(self.show_erasing)
        self.ticket.preview_requested.connect(self.show_preview)
        self.pages.tried.connect(self._on_tried)
        self.status_flow.locked.connect(self.pages.show_lock)
        self.status.recipes_requested.connect(self.show_recipes)
        self.status.operations_requested.connect(self.show_operations)
        self.alerts.button.clicked.connect(self.show_operations)
        self.pages.limits_changed.connect(self.alerts.look)
        self.status.providers_requested.connect(self.show_providers)
        self.status.cancel_requested.connect(self.imports.cancel)
        self.status.cancel_requested.connect(self.ticket.copies.jobs.cancel)
        self.status.cancel_requested.connect(self.watching.cancel)

    # What the user does

    def choose_file(self) -> None:
        """Ask for files to import; the dialog does not block the window."""
        ask_for_exports(self, self.open_files)

    def export(self) -> None:
        """Ask where to export to: the chosen tickets if they are several, else all that are listed."""
        chosen = self.list.chosen_ids()
        self.exports.ask(chosen if len(chosen) > 1 else self.list.model.ids(), self)

    def copy(self) -> None:
        """Copy what is marked in a field, else the summaries of the chosen tickets or that of the one that is read."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QLineEdit) and focus.hasSelectedText():
            focus.copy()
        elif focus is self.list.table:
            self._on_copy_chosen()
        else:
            self.ticket.copy()

    def focus_search(self) -> None:
        """Type what is searched for."""
        self.top.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.top.search.selectAll()

    def summarize_many(self) -> None:
        """Ask what summaries of the chosen tickets, or of all that are listed, would cost."""
        self._show_tickets()
        self.queue.summarize_many()

    def show_queue(self, state: ItemState | None = None) -> None:
        """Show the queue in place of the tickets, all of it or the tickets in one state."""
        if self._desk is not None:
            self._show_page(self.pages.queue)
            self.pages.queue.open(state)

    def show_providers(self) -> None:
        """Show the providers in place of the tickets."""
        if self._desk is not None:
            self._show_page(self.pages.providers)
            self.pages.providers.open()

    def show_history(self) -> None:
        """Show the imports so far in place of the tickets."""
        if self._desk is not None:
            self._show_page(self.pages.history)
            self.pages.history.open()

    def show_erasing(self, ticket_id: int) -> None:
        """Show what is here of a ticket's requester, and how they can be erased."""
        if self._desk is not None:
            self._show_page(self.pages.erasing)
            self.pages.erasing.open(ticket_id)

    def show_preview(self, ticket_id: int) -> None:
        """Show what a summary of a ticket would send."""
        if self._desk is not None:
            self._show_page(self.pages.preview)
            self.pages.preview.open(ticket_id)

    def show_operations(self) -> None:
        """Show what the calls of models came to in place of the tickets."""
        if self._desk is not None:
            self._show_page(self.pages.operations)
            self.pages.operations.open()

    def show_recipes(self) -> None:
        """Show the recipes in place of the tickets, their prompts for the tickets of the list."""
        if self._desk is not None:
            self._show_page(self.pages.recipes)
            self.pages.recipes.open(self.list.model.id_or_none, self.list.table.currentIndex().row())

    def _on_search(self, text: str) -> None:
        if self.tickets.search(text) and self.tickets.counts.total:
            self._show_page(self._inner)

    def _on_filter(self) -> None:
        self._show_tickets()
        self.tickets.reload()

    def _on_settled(self) -> None:
        ticket_id = self.list.chosen_id()
        if ticket_id is not None:
            self.ticket.show_ticket(ticket_id)

    def _on_imported(self) -> None:
        self.list.model.forget_leads()
        self.ticket.reload()

    def _on_mended(self) -> None:
        self._on_imported()
        self.tickets.refresh()

    def _on_erased(self) -> None:
        """Read everything anew, whatever is shown: the name must not stay on the screen."""
        self.list.model.forget_leads()
        self.list.model.refresh()
        self.ticket.clear()
        self.tickets.reload()

    def _show_history_of(self, show: Callable[[int], None], import_id: int) -> None:
        self._show_page(self.pages.history)
        show(import_id)

    def _open_ticket(self, ticket_id: int) -> None:
        """Show one ticket in the list of all, whatever was searched for."""
        self.tickets.open_ticket(ticket_id)
        self.top.search.clear()
        self._show_tickets()

    def _on_summarized(self, _: int) -> None:
        self.list.model.refresh()
        self._on_counts()

    def _on_counts(self) -> None:
        self.tickets.refresh_counts()
        self.status_flow.show_spend()
        self.alerts.look()

    def _show_choice(self) -> None:
        self.top.show_choice(self.list.chosen_count(), self.list.model.rowCount())

    def _on_tried(self, ticket_id: int) -> None:
        self.ticket.reload()
        self._on_summarized(ticket_id)

    def _on_copy_chosen(self) -> None:
        chosen = self.list.chosen_ids()
        if len(chosen) > 1:
            self.ticket.copies.copy_many(chosen)
        else:
            self.ticket.copy()

    def _open_sample(self) -> None:
        if self._desk is not None:
            self.open_files([self._desk.paths.sample])

    # What is shown

    def _show_page(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        self.sidebar.setVisible(bool(self.tickets.counts.total))
        self.queue.show_quote(page is self._inner)

    def _show_tickets(self) -> None:
        self._show_page(self._inner if self.tickets.counts.total else self.empty)
        if self.tickets.counts.total:
            self.list.table.setFocus()

    def _on_loaded(self, is_other: bool) -> None:
        if is_other and self.pages.currentWidget() in (self.empty, self._inner):
            self._show_tickets()
        self.sidebar.setVisible(bool(self.tickets.counts.total))
        self._show_choice()
