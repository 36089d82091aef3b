"""The queue's table: as many rows as there are tickets in it, of which only those in view are held.

`data()` never asks; a page that is not there yet is asked for and shows as empty, one that may have changed stays until its successor comes.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from desktop.domain.queue import ItemState, QueueItem
from desktop.gui.queue_marks import STATE_ICONS, state_color
from desktop.gui.tables import Index, TitledTableModel
from desktop.gui.theme.style import Theme
from desktop.gui.words import plain_tip
from desktop.services.queue_wording import describe_item_cost, describe_item_state

PAGE_ROWS = 200
CACHED_PAGES = 16


class Column(IntEnum):
    """The columns of the queue, in their order."""

    STATE = 0
    REFERENCE = 1
    TITLE = 2
    ATTEMPTS = 3
    COST = 4
    REASON = 5


TITLES = ("State", "Ticket", "Subject", "Attempts", "Cost", "Reason")
_NUMBERS = (Column.ATTEMPTS, Column.COST)


class QueueModel(TitledTableModel):
    """All tickets of the queue, or those in one state. `page_wanted(page)` asks for rows, `put_page` brings them."""

    page_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(TITLES)
        self._theme = theme
        self._rows = 0
        self._pages: OrderedDict[int, tuple[QueueItem, ...]] = OrderedDict()
        self._asked: set[int] = set()
        self._stale: set[int] = set()

    def restart(self, rows: int) -> None:
        """Show other tickets: so many."""
        self.beginResetModel()
        self._rows = rows
        self._pages.clear()
        self._asked.clear()
        self._stale.clear()
        self.endResetModel()

    def refresh(self, rows: int) -> None:
        """There are so many now, and any of them may be in another state: those in view are asked for again."""
        if rows > self._rows:
            self.beginInsertRows(QModelIndex(), self._rows, rows - 1)
            self._rows = rows
            self.endInsertRows()
        elif rows < self._rows:
            self.beginRemoveRows(QModelIndex(), rows, self._rows - 1)
            self._rows = rows
            self.endRemoveRows()
        self._stale.update(self._pages, self._asked)
        self._tell(0, self._rows)

    def put_page(self, page: int, items: tuple[QueueItem, ...]) -> None:
        """Take the rows of a page."""
        # What became stale while it was being read stays so, and is asked for once more.
        self._asked.discard(page)
        self._pages[page] = items
        self._pages.move_to_end(page)
        while len(self._pages) > CACHED_PAGES:
            gone, _ = self._pages.popitem(last=False)
            self._stale.discard(gone)
        self._tell(page * PAGE_ROWS, min(self._rows, (page + 1) * PAGE_ROWS))

    def item_at(self, row: int) -> QueueItem | None:
        """Return the ticket at a row, or None; ask for its page when it is not there or may have changed."""
        page, offset = divmod(row, PAGE_ROWS)
        items = self._pages.get(page)
        if (items is None or page in self._stale) and page not in self._asked:
            self._asked.add(page)
            self._stale.discard(page)
            self.page_wanted.emit(page)
        return items[offset] if items is not None and offset < len(items) else None

    def held_rows(self) -> dict[int, int]:
        """Return the row of every ticket that is held, by its id in the queue."""
        return {
            item.id: page * PAGE_ROWS + place for page, items in self._pages.items() for place, item in enumerate(items)
        }

    def held_item(self, row: int) -> QueueItem | None:
        """Return the ticket at a row if it is held, without asking."""
        page, offset = divmod(row, PAGE_ROWS)
        items = self._pages.get(page, ())
        return items[offset] if offset < len(items) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self._rows

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = Column(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        item = self.item_at(index.row())
        if item is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and column is Column.TITLE else None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _cell(item, column)
            case Qt.ItemDataRole.ToolTipRole if column in (Column.TITLE, Column.REASON):
                return plain_tip(_cell(item, column))
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(self._ink(item, column))
            case Qt.ItemDataRole.DecorationRole if column is Column.STATE:
                return self._theme.icons.pixmap(STATE_ICONS[item.state], state_color(self._theme, item.state))
        return None

    def _ink(self, item: QueueItem, column: Column) -> str:
        t = self._theme.tokens
        if item.state is ItemState.FAILED and column in (Column.STATE, Column.REASON):
            return t.error
        return t.text if column in (Column.TITLE, Column.STATE) else t.muted

    def _tell(self, first: int, end: int) -> None:
        if end > first:
            self.dataChanged.emit(self.index(first, 0), self.index(end - 1, len(Column) - 1))


def describe_reason(item: QueueItem) -> str:
    """Say why a ticket failed and what to do about it; '' for one that did not."""
    return f"{item.reason.rstrip('.')}. {item.remedy}".strip() if item.reason else ""


def _alignment(column: Column) -> Any:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cell(item: QueueItem, column: Column) -> str:
    match column:
        case Column.STATE:
            return describe_item_state(item.state)
        case Column.REFERENCE:
            return item.reference
        case Column.TITLE:
            return " ".join(item.title.split())
        case Column.ATTEMPTS:
            return str(item.attempts) if item.attempts else ""
        case Column.COST:
            return describe_item_cost(item)
    return " ".join(describe_reason(item).split())
