"""Tables: how every framed table of the panels looks and behaves: rows of one height, left titles, keys that leave it by Tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from desktop.gui.theme.style import small_font
from desktop.gui.theme.tokens import SPACE

Index = QModelIndex | QPersistentModelIndex
TABLE_ROW_HEIGHT = 4 * SPACE


class RowTable(QTableView):
    """A table of things that are opened by Enter, one row each. `hides` are columns that a table narrower than this many pixels does without."""

    opened = Signal()

    def __init__(self, name: str, *, hides: Mapping[int, int]) -> None:
        super().__init__()
        self._hides = hides
        set_up_table(self, name)

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        keep_header_out_of_choice(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.opened.emit()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column, least in self._hides.items():
            self.setColumnHidden(column, self.width() < least)


class TitledTableModel(QAbstractTableModel):
    """A model whose columns have these titles."""

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self._titles = titles

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        is_title = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return self._titles[section] if is_title else None


def keep_header_out_of_choice(table: QTableView) -> None:
    """Have a table's header not look for what is chosen.

    To draw one title it would go through all rows of the column, which takes most of a second for 100,000.
    """
    header = table.horizontalHeader()
    header.setSelectionModel(QItemSelectionModel(table.model(), header))


def set_up_table(table: QTableView, name: str) -> None:
    """Give a table the look of the panels' tables; rows are chosen whole, one at a time."""
    table.setObjectName("framed")
    table.setAccessibleName(name)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    header = table.horizontalHeader()
    header.setFont(small_font(table.font()))
    header.setStretchLastSection(True)
    header.setHighlightSections(False)
    header.setSectionsClickable(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(TABLE_ROW_HEIGHT)
