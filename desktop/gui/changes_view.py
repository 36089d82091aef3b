"""What changed since last time: the tickets that one import added, changed or no longer has, and what became of each.

Left the tickets of one of three counted groups, right the difference of the chosen one. Ids are held for all, rows and differences only for what is
in view.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportChanges, ImportRecord, ImportState
from desktop.gui.difference_view import DifferenceView
from desktop.gui.jobs import JobScope
from desktop.gui.leaf_head import LeafHead
from desktop.gui.theme.style import Theme, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time
from desktop.gui.ticket_list import TicketList
from desktop.gui.ticket_model import Column
from desktop.gui.words import ElidedWords, as_listed
from desktop.services.comparison import describe_difference
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

_GROUPS = ("new", "changed", "gone")
_EMPTY = {
    "new": "This import brought no new ticket.",
    "changed": "This import changed no ticket that was there before.",
    "gone": "Every ticket of the import before is in this one too.",
}


class ChangesView(QWidget):
    """Shows the changes of one import. `left()` when the user goes back, `ticket_opened(id)` on Enter, a double click or the button."""

    left = Signal()
    ticket_opened = Signal(int)
    failed = Signal(DeskError)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._record: ImportRecord | None = None
        self._changes = ImportChanges(0)
        self.jobs = JobScope(self.failed.emit)
        self._differences = JobScope(self.failed.emit)
        self.head = LeafHead(theme)
        self._groups = QButtonGroup(self)
        self.buttons = {name: self._group_button(name) for name in _GROUPS}
        self.list = TicketList(theme, shows_gist=False)
        self.list.table.horizontalHeader().hide()
        self.list.setObjectName("framed")
        self._ticket_title = ElidedWords()
        self._ticket_title.setFont(title_font(self.font()))
        self._ticket_facts = ElidedWords(kind="muted")
        self.open_button = QPushButton("Open ticket")
        self.open_button.setToolTip("Read it whole, in the list of tickets (Enter)")
        self.difference = DifferenceView(theme)
        self._build()
        self._connect()

    @property
    def import_id(self) -> int:
        """Return the import that is shown, 0 for none."""
        return self._record.id if self._record else 0

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def show_import(self, record: ImportRecord, records: Mapping[int, ImportRecord]) -> None:
        """Show what an import changed; `records` are all imports by their ids."""
        self._record = record
        self._changes = ImportChanges(record.id)
        self.head.title.setText(f"What changed: {Path(record.path).name}")
        self.head.facts.setText(f"Imported {readable_time(record.finished_at or record.started_at)}")
        self._show_group("new")
        self.list.show_empty("")
        self.jobs.restart(self._load(record, records))

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await asyncio.gather(self.jobs.close(), self._differences.close())

    async def _load(self, record: ImportRecord, records: Mapping[int, ImportRecord]) -> None:
        assert self._desk is not None
        self._changes = await self._desk.history.changes(record.id)
        self.head.facts.setText(self._tell(record, records.get(self._changes.compared_with)))
        for name, button in self.buttons.items():
            number = len(self._ids(name))
            is_known = name != "gone" or bool(self._changes.compared_with)
            button.setText(f"{name.capitalize()}  {number:,}" if is_known else name.capitalize())
            button.setAccessibleName(
                f"{name.capitalize()}, {count(number, 'ticket')}" if is_known else "Gone, not known"
            )
            button.setEnabled(is_known)
        self._show_group(next((name for name in ("changed", "new", "gone") if self._ids(name)), "new"))
        self.list.table.setFocus()

    def _tell(self, record: ImportRecord, before: ImportRecord | None) -> str:
        when = f"Imported {readable_time(record.finished_at or record.started_at)}"
        if before is not None:
            name = Path(before.path).name
            return f"{when}, compared with {name} of {readable_time(before.finished_at)}"
        if record.state is ImportState.STOPPED:
            return f"{when}. It was stopped, so what is gone cannot be told."
        return f"{when}. There is no whole import of its kind before it, so what is gone cannot be told."

    def _group_button(self, name: str) -> QPushButton:
        button = QPushButton(name.capitalize())
        button.setCheckable(True)
        button.setProperty("kind", "group")
        button.clicked.connect(lambda: self._show_group(name))
        self._groups.addButton(button)
        return button

    def _build(self) -> None:
        for column in (Column.STATUS, Column.PRIORITY, Column.AGE):
            self.list.table.setColumnHidden(column, True)
        groups = QHBoxLayout()
        groups.setSpacing(SPACE // 2)
        for button in self.buttons.values():
            groups.addWidget(button)
        groups.addStretch()
        left = QWidget()
        stacked = QVBoxLayout(left)
        stacked.setContentsMargins(0, 0, SPACE, 0)
        stacked.addLayout(groups)
        stacked.addWidget(self.list, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(self._build_ticket())
        splitter.setSizes([420, 760])
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self.head)
        layout.addWidget(splitter, 1)

    def _build_ticket(self) -> QWidget:
        self._ticket = QWidget()
        head = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._ticket_title)
        words.addWidget(self._ticket_facts)
        head.addLayout(words, 1)
        head.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self._ticket)
        column.setContentsMargins(3 * SPACE, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        column.addLayout(head)
        column.addWidget(self.difference, 1)
        return self._ticket

    def _connect(self) -> None:
        self.head.left.connect(self.left)
        self.list.ticket_chosen.connect(lambda i: self._differences.restart(self._load_difference(i)))
        self.list.opened.connect(self._on_open)
        self.list.table.doubleClicked.connect(lambda _: self._on_open())
        self.open_button.clicked.connect(self._on_open)
        self.list.model.page_wanted.connect(lambda page: self.jobs.start(self._load_page(page)))
        self.list.model.leads_wanted.connect(lambda ids: self.jobs.start(self._load_outlines(ids)))

    def _on_open(self) -> None:
        chosen = self.list.chosen_id()
        if chosen is not None:
            self.ticket_opened.emit(chosen)

    def _ids(self, group: str) -> array[int]:
        ids: array[int] = getattr(self._changes, group)
        return ids

    def _show_group(self, group: str) -> None:
        self.buttons[group].setChecked(True)
        ids = self._ids(group)
        self.list.model.forget_leads()
        self.list.model.set_ids(ids)
        self.list.show_empty("" if ids else _EMPTY[group])
        self._ticket.setVisible(bool(ids))
        self.list.choose_first()

    def _kind(self) -> str:
        return next(name for name, button in self.buttons.items() if button.isChecked())

    async def _load_page(self, page: int) -> None:
        assert self._desk is not None
        ids = self.list.model.ids_of_page(page)
        self.list.model.put_page(page, ids, await self._desk.tickets.rows(ids))

    async def _load_outlines(self, ids: list[int]) -> None:
        assert self._desk is not None
        if self._kind() == "changed":
            found = await self._desk.history.differences(self._changes.import_id, ids)
            # One for every id that was asked for, so that none is asked for again.
            self.list.model.put_leads({i: describe_difference(found[i]) if i in found else "" for i in ids})

    async def _load_difference(self, ticket_id: int) -> None:
        assert self._desk is not None
        kind = self._kind()
        rows = await self._desk.tickets.rows([ticket_id])
        found = await self._desk.history.differences(self._changes.import_id, [ticket_id])
        if not rows or ticket_id not in found:
            self._ticket.hide()
            return
        ticket = rows[0]
        self._ticket_title.setText(" ".join(ticket.title.split()))
        parts = [ticket.requester, ticket.external_id, as_listed(ticket.status or ticket.status_original)]
        self._ticket_facts.setText(" · ".join(part for part in parts if part))
        if kind == "gone":
            when = readable_time(self._changes.compared_at)
            words = f"It was in the import of {when} and is not in this one. Here it stays as it was."
            self.difference.show_difference(None, words)
        else:
            self.difference.show_difference(found[ticket_id])
