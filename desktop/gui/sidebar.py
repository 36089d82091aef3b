"""The sidebar: all tickets, by status and by source, with their counts. Choosing one asks the list a question."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.tickets import STATUSES, TicketCounts
from desktop.gui.language_names import language_name
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import RADIUS, SIDEBAR_WIDTH, SPACE
from desktop.gui.words import as_listed, plain_tip

Where = tuple[tuple[str, str], ...]
DEADLINES = ("deadline", "any")
"""The filter that is listed in the order of what it is about, not of the last change."""
MOST_LANGUAGES = 8
SUMMARY_FILTERS = (
    ("Agent’s turn", ("next_owner", "agent")),
    ("Customer’s turn", ("next_owner", "customer")),
    ("Others’ turn", ("next_owner", "other")),
    ("Open questions", ("open_questions", "yes")),
    ("Deadlines, next first", DEADLINES),
    ("Angry customers", ("sentiment", "angry")),
    ("Worried customers", ("sentiment", "worried")),
)
_WHERE = int(Qt.ItemDataRole.UserRole)
_COUNT = _WHERE + 1
_IS_HEADING = _WHERE + 2


class Sidebar(QWidget):
    """Filters of the list. `filter_chosen(where)` carries pairs of field and value."""

    filter_chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(SIDEBAR_WIDTH - 5 * SPACE)
        self._list = QListWidget()
        self._list.setAccessibleName("Filters")
        self._list.setItemDelegate(_FilterDelegate(theme, self._list))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setMouseTracking(True)
        self._list.currentItemChanged.connect(self._on_current)
        # A click on what is chosen already leads back from a panel to its tickets.
        self._list.itemClicked.connect(self._on_current)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(self._list)
        self._shown: list[tuple[str, Where, int]] = []
        theme.changed.connect(self._list.viewport().update)

    def chosen(self) -> Where:
        """Return the chosen filter."""
        item = self._list.currentItem()
        return item.data(_WHERE) if item else ()

    def choose_all(self) -> None:
        """Choose all tickets, without asking for them."""
        self._list.blockSignals(True)
        self._list.setCurrentRow(1)
        self._list.blockSignals(False)

    def show_counts(self, counts: TicketCounts) -> None:
        """Show what there is, keeping the choice."""
        entries: list[tuple[str, Where, int]] = [("TICKETS", (), -1), ("All", (), counts.total)]
        entries += [
            (as_listed(status), (("status", status),), counts.by_status[status])
            for status in STATUSES
            if counts.by_status.get(status)
        ]
        if counts.by_status.get("") and counts.total != counts.by_status[""]:
            entries.append(("No status", (("status", ""),), counts.by_status[""]))
        entries += _summary_entries(counts)
        if counts.by_source:
            entries.append(("SOURCES", (), -1))
            entries += [(source, (("source", source),), n) for source, n in sorted(counts.by_source.items())]
        entries += _language_entries(counts)
        if entries == self._shown:
            return
        self._shown = entries
        self._fill(entries, self.chosen())

    def _fill(self, entries: list[tuple[str, Where, int]], chosen: Where) -> None:
        self._list.blockSignals(True)
        self._list.clear()
        current: QListWidgetItem | None = None
        for title, where, count in entries:
            item = QListWidgetItem(title)
            item.setData(_WHERE, where)
            item.setData(_COUNT, count)
            item.setData(_IS_HEADING, count < 0)
            if count < 0:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            else:
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{title}, {count} tickets")
                item.setToolTip(plain_tip(title))
                if where == chosen:
                    current = item
            self._list.addItem(item)
        is_gone = current is None
        self._list.setCurrentItem(current or self._list.item(1))
        self._list.blockSignals(False)
        if is_gone and chosen:
            self.filter_chosen.emit(())

    def _on_current(self, current: QListWidgetItem | None) -> None:
        if current is not None:
            self.filter_chosen.emit(current.data(_WHERE))


def _summary_entries(counts: TicketCounts) -> list[tuple[str, Where, int]]:
    """Return what can be asked of the summaries that were written: whose turn it is, what is open, by when."""
    shown = [(title, (field,), counts.by_summary.get(field, 0)) for title, field in SUMMARY_FILTERS]
    shown = [entry for entry in shown if entry[2]]
    return [("SUMMARIES", (), -1), *shown] if shown else []


def _language_entries(counts: TicketCounts) -> list[tuple[str, Where, int]]:
    """Return the most frequent languages; a backlog in one language has none to choose from."""
    languages = sorted(counts.by_language.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(languages) < 2:
        return []
    shown = [(language_name(code), (("language", code),), n) for code, n in languages[:MOST_LANGUAGES]]
    return [("LANGUAGES", (), -1), *shown]


class _FilterDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        height = option.fontMetrics.height() + SPACE + 2
        return QSize(SIDEBAR_WIDTH - 4 * SPACE, height + SPACE if index.data(_IS_HEADING) else height)  # type: ignore[attr-defined]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        t = self._theme.tokens
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        title = str(index.data(Qt.ItemDataRole.DisplayRole))  # type: ignore[attr-defined]
        box = rect.adjusted(SPACE, 0, -SPACE, 0)
        painter.save()
        if index.data(_IS_HEADING):  # type: ignore[attr-defined]
            painter.setFont(scaled(painter.font(), 0.8, weight=painter.font().Weight.DemiBold))
            painter.setPen(QColor(t.faint))
            painter.drawText(box.adjusted(0, SPACE, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), title)
            painter.restore()
            return
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(t.selection if is_chosen else t.hover))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), RADIUS, RADIUS)
        count = f"{index.data(_COUNT):,}"  # type: ignore[attr-defined]
        painter.setPen(QColor(t.faint))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), count)
        width = box.width() - painter.fontMetrics().horizontalAdvance(count) - SPACE
        painter.setPen(QColor(t.accent if is_chosen else t.text))
        words = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, width)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), words)
        painter.restore()
