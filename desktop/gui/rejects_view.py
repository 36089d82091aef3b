"""Rejected rows: why each was set aside, and an editor to mend it and try it again.

What was edited of a row stays with it while others are looked at. A row that passes becomes a ticket of its import and leaves this list; one that
does not says why, in place. Deliberately not here: reading the row, see `services.history`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.history import EditableRow, ImportRecord, RejectedRow
from desktop.gui.jobs import JobScope
from desktop.gui.leaf_head import LeafHead
from desktop.gui.row_editor import RowEditor
from desktop.gui.tables import Index, RowTable, TitledTableModel
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, plain_tip
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

_TITLES = ("Line", "Why", "Value")
_LINE, _WHY, _VALUE = range(3)


class RejectsView(QWidget):
    """Shows the rejected rows of one import. `left()` when the user goes back, `tickets_changed` when a row became a ticket."""

    left = Signal()
    tickets_changed = Signal()
    failed = Signal(DeskError)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._record: ImportRecord | None = None
        self._edited: dict[int, EditableRow] = {}
        self.jobs = JobScope(self.failed.emit)
        self._editing = JobScope(self.failed.emit)
        self.model = RejectTableModel(theme)
        self.table = RowTable("Rejected rows", hides={_VALUE: 45 * SPACE})
        self.table.setModel(self.model)
        self.editor = RowEditor(theme)
        self.head = LeafHead(theme)
        self.retry = QPushButton("Retry")
        self.retry.setProperty("kind", "primary")
        self.retry.setToolTip("Read this row again and make its ticket part of this import (Ctrl+Enter)")
        self.retry.setShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return))
        self.retry_all = QPushButton()
        self.aside = QPushButton("Set aside")
        self.said = Words(wraps=True)
        self._build()
        self._connect()

    @property
    def import_id(self) -> int:
        """Return the import that is shown, 0 for none."""
        return self._record.id if self._record else 0

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def show_import(self, record: ImportRecord) -> None:
        """Show the rejected rows of an import."""
        self._record = record
        self._edited.clear()
        self._say("")
        self.jobs.restart(self._load())
        self.table.setFocus()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await asyncio.gather(self.jobs.close(), self._editing.close())

    def chosen(self) -> RejectedRow | None:
        """Return the row that is chosen."""
        index = self.table.currentIndex()
        return self.model.rows[index.row()] if index.isValid() else None

    async def _load(self, *, chosen: int = 0, place: int = 0) -> None:
        """Read the rows again and choose the one with this id, else the one at this place."""
        assert self._desk is not None
        assert self._record is not None
        rows = await self._desk.history.rejects(self._record.id)
        self.model.set_rows(rows)
        name = Path(self._record.path).name
        left = sum(not row.is_set_aside for row in rows)
        self.head.title.setText(f"Rejected rows: {name}")
        aside = f", {len(rows) - left:,} set aside" if len(rows) > left else ""
        self.head.facts.setText(f"{left:,} of {count(self._record.totals.rows, 'row')} can be mended{aside}")
        self._splitter.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        if rows:
            found = next((i for i, row in enumerate(rows) if row.id == chosen), min(place, len(rows) - 1))
            self.table.selectRow(found)
        else:
            self.head.back.setFocus()
        self._show_buttons()

    def _build(self) -> None:
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_LINE, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(_LINE, 9 * SPACE)
        header.setSectionResizeMode(_WHY, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        header.resizeSection(_VALUE, 20 * SPACE)
        self._empty = Words("No rejected rows are left: every row of this file has its place.", kind="muted")
        self._empty.hide()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        left = QWidget()
        listed = QVBoxLayout(left)
        listed.setContentsMargins(0, 0, 2 * SPACE, 0)
        listed.addWidget(self.table)
        self._splitter.addWidget(left)
        self._splitter.addWidget(self._build_editor())
        self._splitter.setSizes([520, 660])
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self.head)
        layout.addWidget(self._empty)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self.said)
        layout.addStretch(0)

    def _build_editor(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(2 * SPACE, 0, 0, 0)
        column.setSpacing(SPACE + 4)
        column.addWidget(self.editor, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.retry)
        buttons.addWidget(self.retry_all)
        buttons.addStretch()
        buttons.addWidget(self.aside)
        column.addLayout(buttons)
        return box

    def _connect(self) -> None:
        self.head.left.connect(self.left)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._on_chosen())
        self.table.opened.connect(self.editor.edit)
        self.editor.edited.connect(self._on_edited)
        self.retry.clicked.connect(lambda: self._start_retry(only_chosen=True))
        self.retry_all.clicked.connect(lambda: self._start_retry(only_chosen=False))
        self.aside.clicked.connect(self._on_aside)

    def _on_chosen(self) -> None:
        row = self.chosen()
        if row is not None:
            self._editing.restart(self._load_row(row.id))

    async def _load_row(self, reject_id: int) -> None:
        assert self._desk is not None
        editable = self._edited.get(reject_id) or await self._desk.history.editable(reject_id)
        self.editor.show_row(editable)
        self._show_buttons()

    def _on_edited(self, editable: EditableRow) -> None:
        self._edited[editable.row.id] = editable
        self._show_buttons()

    def _show_buttons(self) -> None:
        row, shown = self.chosen(), self.editor.shown
        self.retry.setEnabled(row is not None and shown is not None and not shown.obstacle)
        self.retry_all.setVisible(len(self._edited) > 1)
        self.retry_all.setText(f"Retry all {len(self._edited):,} edited rows")
        self.aside.setText("Take up again" if row is not None and row.is_set_aside else "Set aside")

    def _start_retry(self, *, only_chosen: bool) -> None:
        self.editor.finish()
        shown = self.editor.shown
        rows = [] if shown is None else [shown] if only_chosen else list(self._edited.values())
        if rows:
            self.jobs.restart(self._retry(rows))

    async def _retry(self, rows: list[EditableRow]) -> None:
        """Read rows again, one after the other, and say what became of them."""
        assert self._desk is not None
        place = self.table.currentIndex().row()
        used, wrong = 0, ""
        try:
            for row in rows:
                result = await self._desk.history.retry(row.row.id, cells=row.cells, raw="" if row.cells else row.raw)
                self._edited.pop(row.row.id, None)
                used += not result.reason
                wrong = f"Line {row.row.line:,} is still rejected: {result.reason}." if result.reason else wrong
        finally:
            if used:
                self.tickets_changed.emit()
            await self._reload_record()
            chosen = rows[0].row.id if len(rows) == 1 else 0
            await self._load(chosen=chosen, place=place)
            self._on_chosen()
        done = (
            f"Line {rows[0].row.line:,} is imported now." if len(rows) == 1 else f"{count(used, 'row')} imported now."
        )
        self._say(" ".join(filter(None, [done if used else "", wrong])), is_wrong=bool(wrong))

    async def _reload_record(self) -> None:
        assert self._desk is not None
        assert self._record is not None
        wanted = self._record.id
        self._record = next(
            (record for record in await self._desk.imports.history() if record.id == wanted), self._record
        )

    def _on_aside(self) -> None:
        row = self.chosen()
        if row is not None:
            self.jobs.restart(self._set_aside(row))

    async def _set_aside(self, row: RejectedRow) -> None:
        assert self._desk is not None
        place = self.table.currentIndex().row()
        await self._desk.history.set_aside(row.id, aside=not row.is_set_aside)
        await self._load(place=place)
        words = "is taken up again" if row.is_set_aside else "is set aside, and still counts as rejected"
        self._say(f"Line {row.line:,} {words}.")

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        self.said.say(text, "errorText" if is_wrong else "muted")
        self.said.setVisible(bool(text))


class RejectTableModel(TitledTableModel):
    """The rejected rows of one import."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(_TITLES)
        self._theme = theme
        self.rows: tuple[RejectedRow, ...] = ()

    def set_rows(self, rows: tuple[RejectedRow, ...]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            if column == _LINE:
                return f"{row.line:,}"
            return f"{'Set aside: ' if row.is_set_aside else ''}{row.reason}" if column == _WHY else _flat(row.value)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.reason if column == _WHY else row.value)
        if role == Qt.ItemDataRole.ForegroundRole:
            t = self._theme.tokens
            return QColor(t.faint if row.is_set_aside else t.text if column == _WHY else t.muted)
        return None


def _flat(text: str) -> str:
    return " ".join(text.split())
