"""The ticket list: a table of fixed row height whose first column shows the subject and, below it, the gist."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop.domain.tickets import TicketRow
from desktop.gui.queue_marks import STATE_ICONS, Mark, state_color
from desktop.gui.tables import keep_header_out_of_choice
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import ROW_HEIGHT, SPACE
from desktop.gui.ticket_model import MARK_ROLE, ROW_ROLE, Column, TicketTableModel, cell_text
from desktop.gui.words import Words

STATUS_WIDTH = 88
PRIORITY_WIDTH = 68
AGE_WIDTH = 48
LINE_GAP = 4


class TicketList(QWidget):
    """The list with its empty state. `ticket_chosen(id)` is emitted when the chosen row changes; `opened()` on Enter.

    `shows_gist` is false where the second line tells something else of a ticket than what it is about; with `chooses_many` several rows can be
    chosen, of which the last is the one that is read.
    """

    ticket_chosen = Signal(int)
    choice_changed = Signal()
    """Others are chosen, or another number of them."""
    opened = Signal()

    def __init__(self, theme: Theme, *, shows_gist: bool = True, chooses_many: bool = False) -> None:
        super().__init__()
        self.model = TicketTableModel()
        self.table = _Table()
        self.table.setModel(self.model)
        keep_header_out_of_choice(self.table)
        self.table.setItemDelegate(_TicketDelegate(theme, self.table, shows_gist=shows_gist))
        self.table.setAccessibleName("Tickets")
        _set_up_columns(self.table)
        if chooses_many:
            self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._empty = Words(centered=True)
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        layout = QStackedLayout(self)
        layout.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layout.addWidget(self._empty)
        layout.addWidget(self.table)
        layout.setCurrentWidget(self.table)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._empty.hide()
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.choice_changed.emit())
        self.table.entered_key.connect(self.opened)
        theme.changed.connect(self.table.viewport().update)

    def chosen_id(self) -> int | None:
        """Return the id of the chosen ticket."""
        index = self.table.currentIndex()
        return self.model.id_at(index.row()) if index.isValid() else None

    def chosen_ids(self) -> list[int]:
        """Return the ids of all chosen tickets, in the order of the list."""
        # Ranges, not rows: all of a million tickets may be chosen.
        ranges = self.table.selectionModel().selection().toList()
        rows = {row for found in ranges for row in range(found.top(), found.bottom() + 1)}
        return [self.model.id_at(row) for row in sorted(rows)]

    def chosen_count(self) -> int:
        """Return how many tickets are chosen."""
        return sum(found.bottom() - found.top() + 1 for found in self.table.selectionModel().selection().toList())

    def choose(self, ticket_id: int) -> bool:
        """Choose a ticket and bring it into view; tell whether it is in the list."""
        row = self.model.row_of(ticket_id)
        if row < 0:
            return False
        self.table.selectRow(row)
        return True

    def choose_first(self) -> None:
        """Choose the first ticket, if there is one."""
        if self.model.rowCount():
            self.table.selectRow(0)

    def show_columns(self, *, status: bool, priority: bool) -> None:
        """Show only columns that some ticket has a value for; the subject takes the room."""
        self.table.setColumnHidden(Column.STATUS, not status)
        self.table.setColumnHidden(Column.PRIORITY, not priority)

    def show_empty(self, text: str) -> None:
        """Say in the middle of the list why it is empty; '' for a list that is not."""
        self._empty.setText(text)
        self._empty.setVisible(bool(text))
        # StackAll shows only one widget on top: the table stays usable, the words lie over its empty ground.
        if text:
            self._empty.raise_()

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.ticket_chosen.emit(self.model.id_at(current.row()))


class _Table(QTableView):
    entered_key = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_J: 1, Qt.Key.Key_K: -1}.get(Qt.Key(event.key()))
        if step and not event.modifiers():
            row = min(max(0, self.currentIndex().row() + step), self.model().rowCount() - 1)
            if row >= 0:
                self.selectRow(row)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered_key.emit()
            return
        super().keyPressEvent(event)


def _set_up_columns(table: QTableView) -> None:
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionsClickable(False)
    header.setSectionResizeMode(Column.SUBJECT, QHeaderView.ResizeMode.Stretch)
    for column, width in ((Column.STATUS, STATUS_WIDTH), (Column.PRIORITY, PRIORITY_WIDTH), (Column.AGE, AGE_WIDTH)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(column, width)
    header.setFont(small_font(header.font()))


class _TicketDelegate(QStyledItemDelegate):
    """Paints a row from the tokens."""

    def __init__(self, theme: Theme, table: QTableView, *, shows_gist: bool) -> None:
        super().__init__(table)
        self._theme = theme
        self._shows_gist = shows_gist
        self._table = table

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        t = self._theme.tokens
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        column = Column(index.column())
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(t.selection))
            if column is Column.SUBJECT:
                painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(t.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(t.sunken))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(t.line))
        ticket: TicketRow | None = index.data(ROW_ROLE)
        if ticket is not None and column is Column.SUBJECT:
            self._paint_subject(painter, rect, ticket, index.data(MARK_ROLE))
        elif ticket is not None:
            self._paint_cell(painter, rect, ticket, column)
        painter.restore()

    def _paint_subject(self, painter: QPainter, rect: QRect, ticket: TicketRow, mark: Mark | None) -> None:
        t = self._theme.tokens
        first, second = painter.font(), small_font(painter.font())
        above, below = QFontMetrics(first), QFontMetrics(second)
        left, width = rect.left() + 2 * SPACE, rect.width() - 3 * SPACE
        top = rect.top() + (rect.height() - above.height() - below.height() - LINE_GAP) // 2
        elide = Qt.TextElideMode.ElideRight
        painter.setPen(QColor(t.text))
        room = width - (self._paint_mark(painter, rect, top + above.ascent(), mark) if mark is not None else 0)
        painter.drawText(left, top + above.ascent(), above.elidedText(_flat(ticket.title), elide, room))
        painter.setFont(second)
        gist = _flat(ticket.gist) if self._shows_gist else ""
        painter.setPen(QColor(t.muted if gist or not self._shows_gist else t.faint))
        line = gist or self._lead(ticket) or _messages(ticket)
        baseline = top + above.height() + LINE_GAP + below.ascent()
        painter.drawText(left, baseline, below.elidedText(line, elide, width))

    def _paint_mark(self, painter: QPainter, rect: QRect, baseline: int, mark: Mark) -> int:
        """Paint where a ticket stands in the queue at the end of its first line, and return the room that this takes."""
        painter.save()
        font = small_font(painter.font())
        metrics = QFontMetrics(font)
        words = metrics.horizontalAdvance(mark.text)
        left = rect.right() - SPACE - words
        color = state_color(self._theme, mark.state)
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(left, baseline, mark.text)
        size = metrics.ascent()
        icon = self._theme.icons.pixmap(STATE_ICONS[mark.state], color, size=size)
        painter.drawPixmap(left - size - SPACE // 2, baseline - metrics.capHeight() // 2 - size // 2, icon)
        painter.restore()
        return words + size + 2 * SPACE

    def _lead(self, ticket: TicketRow) -> str:
        model = self._table.model()
        lead = model.lead_of(ticket) if isinstance(model, TicketTableModel) else ""
        return f"“{lead}”" if lead and self._shows_gist else lead

    def _paint_cell(self, painter: QPainter, rect: QRect, ticket: TicketRow, column: Column) -> None:
        t = self._theme.tokens
        text = cell_text(ticket, column)
        above, below = QFontMetrics(painter.font()), QFontMetrics(small_font(painter.font()))
        # On the line of the subject, so that the eye reads across.
        baseline = rect.top() + (rect.height() - above.height() - below.height() - LINE_GAP) // 2 + above.ascent()
        metrics = below
        painter.setFont(small_font(painter.font()))
        left = rect.left() + SPACE
        if column is Column.STATUS and text:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(_status_color(self._theme, ticket.status)))
            painter.drawEllipse(
                QRectF(
                    QPointF(left, baseline - metrics.ascent() / 2 - 2),
                    QPointF(left + 7, baseline - metrics.ascent() / 2 + 5),
                )
            )
            left += 13
        painter.setPen(QColor(t.muted))
        painter.drawText(left, baseline, metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.right() - left))


def _status_color(theme: Theme, status: str) -> str:
    t = theme.tokens
    return {"open": t.accent, "pending": t.pending, "on-hold": t.pending, "solved": t.ok, "closed": t.faint}.get(
        status, t.strong_line
    )


def _messages(ticket: TicketRow) -> str:
    who = f"{ticket.requester} · " if ticket.requester else ""
    return f"{who}{ticket.message_count} message{'' if ticket.message_count == 1 else 's'}"


def _flat(text: str) -> str:
    return " ".join(text.split())
