"""Operations: what the calls of models came to, every request behind it, and what of it is watched. One page of the window.

Its leaves are the overview, the list of requests, one request, and the settings; each is built when it is first opened. While the page is in sight it
reads its figures again every few seconds, in the database's own threads.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.gui.jobs import JobScope
from desktop.gui.ledger_view import LedgerView
from desktop.gui.operations_overview import OperationsOverview
from desktop.gui.operations_settings import OperationsSettings
from desktop.gui.panel_parts import panel_head
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.trace_view import TraceView
from desktop.services.moments import days_ago

if TYPE_CHECKING:
    from desktop.services.container import Desk

PERIODS = (("Today", 1), ("7 days", 7), ("30 days", 30), ("90 days", 90), ("All", 0))
GROUPS = (("By provider", "provider"), ("By model", "model"), ("By recipe", "recipe"), ("By day", "day"))
LEAVES = ("Overview", "Requests", "Alerts and export")
REFRESH_MS = 5_000


class OperationsPanel(QWidget):
    """Shows operations. `limits_changed()` when alerts are to be judged anew, `said(words)` after an export, `ticket_opened(id)`."""

    closed = Signal()
    failed = Signal(DeskError)
    said = Signal(str)
    ticket_opened = Signal(int)
    limits_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self.exports, self.looks = JobScope(self.failed.emit), JobScope(self.failed.emit)
        self._revision: tuple[object, ...] = ()
        self.tabs = QButtonGroup(self)
        self._built: list[LedgerView | TraceView | OperationsSettings | OperationsOverview] = []
        self._leaves = QStackedWidget()
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._main = QWidget()
        self._build()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        for leaf in self._built:
            leaf.attach(desk)

    def open(self) -> None:
        """Show the overview."""
        self._pages.setCurrentWidget(self._main)
        self.tabs.buttons()[0].setChecked(True)
        self._show_leaf(0)
        self.tabs.buttons()[0].setFocus()

    def show_request(self, entry_id: int) -> None:
        """Show one request whole."""
        self.trace.head.lead_back_to(LEAVES[max(0, self.tabs.checkedId())])
        self._pages.setCurrentWidget(self.trace)
        self.trace.show_request(entry_id)

    def show_failures(self) -> None:
        """List all requests that failed."""
        self.ledger.state.setCurrentIndex(self.ledger.state.findData("failed"))
        self.tabs.buttons()[1].setChecked(True)
        self._show_leaf(1)
        self.ledger.table.setFocus()

    def refresh(self) -> None:
        """Read what is in sight again."""
        if self._desk is None or self._pages.currentWidget() is not self._main:
            return
        leaf = self._leaves.currentWidget()
        if isinstance(leaf, OperationsSettings):
            leaf.refresh()
        elif isinstance(leaf, OperationsOverview | LedgerView) and not leaf.jobs.is_busy:
            self.looks.restart(self._look(leaf))

    async def _look(self, leaf: OperationsOverview | LedgerView) -> None:
        """Have what is in sight read again if anything was sent, has ended or was found in the cache since, or a new day began."""
        assert self._desk is not None
        revision = (days_ago(0), *await self._desk.operations.revision())
        if revision != self._revision:
            self._revision = revision
            leaf.reload()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        self._timer.stop()
        await asyncio.gather(self.looks.close(), self.exports.close(), *(leaf.close_jobs() for leaf in self._built))

    @cached_property
    def overview(self) -> OperationsOverview:
        """Return the figures."""
        leaf = OperationsOverview(self._theme)
        leaf.request_opened.connect(self.show_request)
        leaf.failures_wanted.connect(self.show_failures)
        leaf.failed.connect(self.failed)
        self._take(leaf)
        return leaf

    @cached_property
    def ledger(self) -> LedgerView:
        """Return the list of requests."""
        leaf = LedgerView(self._theme)
        leaf.request_opened.connect(self.show_request)
        leaf.failed.connect(self.failed)
        leaf.said.connect(self.said)
        self._take(leaf)
        return leaf

    @cached_property
    def settings(self) -> OperationsSettings:
        """Return what can be set."""
        leaf = OperationsSettings(self._theme)
        leaf.changed.connect(self.limits_changed)
        self._take(leaf)
        return leaf

    @cached_property
    def trace(self) -> TraceView:
        """Return the view of one request."""
        leaf = TraceView(self._theme)
        leaf.left.connect(self._on_trace_left)
        leaf.ticket_opened.connect(self.ticket_opened)
        leaf.failed.connect(self.failed)
        if self._desk is not None:
            leaf.attach(self._desk)
        self._built.append(leaf)
        self._pages.addWidget(leaf)
        return leaf

    def _take(self, leaf: OperationsOverview | LedgerView | OperationsSettings) -> None:
        if self._desk is not None:
            leaf.attach(self._desk)
        self._built.append(leaf)
        self._leaves.addWidget(leaf)

    def _build(self) -> None:
        self.period, self.group = QComboBox(), QComboBox()
        self.period.setAccessibleName("Time")
        self.group.setAccessibleName("Grouping")
        for box, choices in ((self.period, PERIODS), (self.group, GROUPS)):
            for text, value in choices:
                box.addItem(text, value)
        self.period.setCurrentIndex(1)
        for box in (self.period, self.group):
            box.currentIndexChanged.connect(lambda _: self._show_leaf(self.tabs.checkedId()))
        self.export = QPushButton("Export…")
        self.export.clicked.connect(self._on_export)
        # The line keeps its height: the tabs below must not move when they are clicked.
        policy = self.export.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.export.setSizePolicy(policy)
        tools = QHBoxLayout()
        tools.setSpacing(SPACE)
        for widget in (self.group, self.period, self.export):
            tools.addWidget(widget)
        row = QHBoxLayout()
        row.setSpacing(SPACE // 2)
        for place, title in enumerate(LEAVES):
            tab = QPushButton(title)
            tab.setCheckable(True)
            tab.setProperty("kind", "group")
            self.tabs.addButton(tab, place)
            row.addWidget(tab)
        row.addStretch()
        self.tabs.idClicked.connect(self._show_leaf)
        inside = QVBoxLayout(self._main)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(SPACE + 4)
        inside.addLayout(panel_head("Operations", self.closed, tools))
        inside.addLayout(row)
        inside.addWidget(self._leaves, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._main)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.addWidget(self._pages)

    def _show_leaf(self, place: int) -> None:
        if self._desk is None:
            return
        leaf = (lambda: self.overview, lambda: self.ledger, lambda: self.settings)[place]()
        self._leaves.setCurrentWidget(leaf)
        days = int(self.period.currentData())
        self.period.setVisible(place < 2)
        self.export.setVisible(place < 2)
        self.group.setVisible(place == 0)
        self.export.setToolTip(
            ("Save these figures as CSV", "Save the requests that are listed as CSV or JSON", "")[place]
        )
        if isinstance(leaf, OperationsOverview):
            leaf.show_figures(days, str(self.group.currentData()))
        elif isinstance(leaf, LedgerView):
            leaf.show_requests(days)
        else:
            leaf.open()

    def _on_trace_left(self) -> None:
        self._pages.setCurrentWidget(self._main)
        leaf = self._leaves.currentWidget()
        (leaf.table if isinstance(leaf, LedgerView) else self.overview.failure_table).setFocus()

    def _on_export(self) -> None:
        if self._leaves.currentWidget() is not self.overview:
            self.ledger.ask_where_to_export()
            return
        dialog = QFileDialog(self, "Export these figures", "figures.csv", "CSV table (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.exports.restart(self.export_figures(Path(name))))
        dialog.open()

    async def export_figures(self, path: Path) -> None:
        """Write the figures that are shown to a file."""
        if self._desk is not None and self.overview.stats is not None:
            await self._desk.operations.export_stats(self.overview.stats, path)
            self.said.emit(f"The figures are exported to {path}.")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
