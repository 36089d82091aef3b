"""Tables: how every framed table of the panels looks and behaves: rows of one height, left titles, keys that leave it by Tab."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from desktop.gui.theme.style import small_font
from desktop.gui.theme.tokens import SPACE

TABLE_ROW_HEIGHT = 4 * SPACE


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
