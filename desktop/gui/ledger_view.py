"""Requests: every request that went to a model, the newest first, found by state, host and words; each opens as it was sent.

What is listed can be saved as it is filtered. Deliberately not here: one request whole, see `trace_view`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QHeaderView, QLineEdit, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.operations import LEDGER_STATES, LedgerQuery
from desktop.gui.jobs import JobScope
from desktop.gui.operations_tables import LedgerTableModel
from desktop.gui.tables import RowTable
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words
from desktop.services.moments import days_ago
from desktop.services.operations_words import describe_entry_state
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

SETTLE_MS = 150
_WIDTHS = (19, 20, 17, 18, 10, 0, 18, 11)


class LedgerView(QWidget):
    """Lists requests. `request_opened(id)` when one is to be seen whole; `said(words)` after an export."""

    request_opened = Signal(int)
    said = Signal(str)
    failed = Signal(DeskError)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._days = 7
        self.jobs = JobScope(self.failed.emit)
        self._pages = JobScope(self.failed.emit)
        self.exports = JobScope(self.failed.emit)
        self.state, self.host = QComboBox(), QComboBox()
        self.search = QLineEdit(placeholderText="Host, model, purpose, error or ticket")
        self.model = LedgerTableModel(theme)
        self.table = RowTable(
            "Requests", hides={LedgerTableModel.SIZE: 120 * SPACE, LedgerTableModel.PURPOSE: 112 * SPACE}
        )
        self.table.setModel(self.model)
        self._sum = Words(kind="muted")
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._build()
        self._connect()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def show_requests(self, days: int) -> None:
        """Show the requests of the last days, today among them; 0 for all."""
        self._days = days
        self.reload()

    def reload(self) -> None:
        """Read the list again; the one that was chosen stays it."""
        if self._desk is not None:
            self.jobs.restart(self._load())

    def query(self) -> LedgerQuery:
        """Return what is asked for now."""
        since = days_ago(self._days - 1) if self._days else ""
        return LedgerQuery(
            since, state=self.state.currentData() or "", host=self.host.currentData() or "", text=self.search.text()
        )

    def ask_where_to_export(self) -> None:
        """Ask for a file and write what is listed to it."""
        dialog = QFileDialog(
            self, "Export the requests that are listed", "requests.csv", "CSV table (*.csv);;JSON (*.json)"
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix("json" if "json" in kind else "csv"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.exports.restart(self.export(Path(name))))
        dialog.open()

    async def export(self, path: Path) -> None:
        """Write what is listed to a file."""
        assert self._desk is not None
        number = await self._desk.operations.export_ledger(self.query(), path)
        self.said.emit(f"{count(number, 'request')} exported to {path}.")

    async def close_jobs(self) -> None:
        """End everything that runs."""
        for scope in (self.jobs, self._pages, self.exports):
            await scope.close()

    async def _load(self) -> None:
        assert self._desk is not None
        query = self.query()
        hosts = await self._desk.operations.hosts()
        ids = await self._desk.operations.ids(query)
        self._show_hosts(hosts)
        if ids and ids == self.model.ids():
            # The same requests: what is chosen and where one has scrolled to stay, though one of them may have ended.
            self.model.refresh()
            return
        index = self.table.currentIndex()
        chosen = self.model.id_at(index.row()) if index.isValid() else 0
        self.model.set_ids(ids)
        if ids:
            self.table.selectRow(max(0, self.model.row_of(chosen)))
        self.table.setVisible(bool(ids))
        is_filtered = query != LedgerQuery(query.since)
        nothing = "No request is like that." if is_filtered else "Nothing was sent to a model in this time."
        self._sum.setText(f"{count(len(ids), 'request')}. Enter opens one as it was sent." if ids else nothing)

    async def _load_page(self, page: int) -> None:
        assert self._desk is not None
        ids = self.model.ids_of_page(page)
        self.model.put_page(page, ids, await self._desk.operations.entries(ids))

    def _build(self) -> None:
        self.state.addItem("Any end", "")
        for state in LEDGER_STATES:
            self.state.addItem(describe_entry_state(state), state)
        self.state.setAccessibleName("State")
        self.host.addItem("Any host", "")
        self.host.setAccessibleName("Host")
        self.host.setMaximumWidth(34 * SPACE)
        self.search.setAccessibleName("Find requests")
        self.search.setClearButtonEnabled(True)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        for column, width in enumerate(_WIDTHS):
            mode = QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(column, mode)
            if width:
                header.resizeSection(column, width * SPACE)
        filters = QHBoxLayout()
        filters.setSpacing(SPACE)
        filters.addWidget(self.search, 1)
        filters.addWidget(self.state)
        filters.addWidget(self.host)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE + 4)
        layout.addLayout(filters)
        layout.addWidget(self._sum)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)

    def _connect(self) -> None:
        self._settle.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._settle.start())
        self.search.returnPressed.connect(self.table.setFocus)
        for box in (self.state, self.host):
            box.currentIndexChanged.connect(lambda _: self.reload())
        self.model.page_wanted.connect(lambda page: self._pages.start(self._load_page(page)))
        self.table.opened.connect(self._on_opened)
        self.table.doubleClicked.connect(lambda _: self._on_opened())

    def _show_hosts(self, hosts: tuple[str, ...]) -> None:
        if hosts == tuple(self.host.itemData(place) for place in range(1, self.host.count())):
            return
        chosen = self.host.currentData()
        self.host.blockSignals(True)
        self.host.clear()
        self.host.addItem("Any host", "")
        for host in hosts:
            self.host.addItem(host, host)
        self.host.setCurrentIndex(max(0, self.host.findData(chosen)))
        self.host.blockSignals(False)

    def _on_opened(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self.request_opened.emit(self.model.id_at(index.row()))
