"""The columns of a file: each with its name, what it is taken for, and samples of what it holds.

What a column is taken for can be changed, by mouse and by keys: typing goes to the column of that name, Enter opens the choice. A Jira export has 600
columns, and a combo box for each took three seconds to build: one is made only for the column that is being changed.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QComboBox, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from desktop.domain.imports import COLUMN_ROLES, Column
from desktop.gui.tables import TABLE_ROW_HEIGHT, Index, TitledTableModel, set_up_table
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import ICON_SIZE, SPACE
from desktop.gui.words import plain_tip

NAME, ROLE, SAMPLES = range(3)
ROLE_TITLES = {
    "ticket_id": "ticket id",
    "created_at": "created",
    "updated_at": "updated",
    "requester_email": "requester's e-mail",
    "author_role": "author's role",
    "message_id": "message id",
    "message_created_at": "message time",
    "internal": "internal note",
    "body": "message text",
    "journal": "all comments",
    "customer_author": "author, a customer",
    "agent_author": "author, an agent",
    "person_id": "person's id",
    "person_name": "person's name",
    "person_email": "person's e-mail",
    "person_role": "person's role",
}
KEPT = "kept as a field"
_TITLES = ("Column", "Is", "Holds")
_SAMPLE_CHARACTERS = 60
_WIDEST_NAME = 36 * SPACE


def role_title(role: str) -> str:
    """Return a role in words."""
    return ROLE_TITLES.get(role, role) if role else KEPT


class ColumnTable(QTableView):
    """Shows the columns of a file. `role_chosen(place, role)` is emitted when the user says what one of them is."""

    role_chosen = Signal(int, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_up_table(self, "Columns of the file")
        self.columns = ColumnTableModel(theme)
        self.setModel(self.columns)
        self.setItemDelegateForColumn(ROLE, _RoleDelegate(theme, self))
        header = self.horizontalHeader()
        header.setSectionResizeMode(ROLE, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(ROLE, 24 * SPACE)
        self.columns.role_chosen.connect(self.role_chosen)
        self.clicked.connect(lambda index: self.edit(index) if index.column() == ROLE else None)
        theme.changed.connect(self.viewport().update)

    def show_columns(self, columns: tuple[Column, ...]) -> None:
        """Show these columns; where they are those that are shown already, the place and the chosen row stay."""
        metrics = self.fontMetrics()
        if self.columns.set_columns(columns):
            widest = max((metrics.horizontalAdvance(column.name) for column in columns), default=0)
            width = min(widest + 4 * SPACE, _WIDEST_NAME)
            self.horizontalHeader().resizeSection(NAME, max(width, 14 * SPACE))
            self.setMinimumHeight(3 * TABLE_ROW_HEIGHT + SPACE)
            self.setMaximumHeight((len(columns) + 1) * TABLE_ROW_HEIGHT + SPACE)
            if columns:
                self.setCurrentIndex(self.columns.index(0, ROLE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        opens = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_F4)
        if event.key() in opens and self.currentIndex().isValid():
            self.edit(self.columns.index(self.currentIndex().row(), ROLE))
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        # The words that one looks for are names, whichever cell of the row is the current one.
        row = max(0, self.currentIndex().row())
        self.setCurrentIndex(self.columns.index(row, NAME))
        super().keyboardSearch(search)


class ColumnTableModel(TitledTableModel):
    """The columns of one file."""

    role_chosen = Signal(int, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(_TITLES)
        self._theme = theme
        self._columns: tuple[Column, ...] = ()

    def set_columns(self, columns: tuple[Column, ...]) -> bool:
        """Show columns; tell whether they are others than before, and not the same with other roles."""
        is_other = [column.name for column in columns] != [column.name for column in self._columns]
        if is_other:
            self.beginResetModel()
        self._columns = columns
        if is_other:
            self.endResetModel()
        elif columns:
            self.dataChanged.emit(self.index(0, NAME), self.index(len(columns) - 1, SAMPLES))
        return is_other

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._columns)

    def flags(self, index: Index) -> Qt.ItemFlag:
        shown = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return shown | Qt.ItemFlag.ItemIsEditable if index.column() == ROLE else shown

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column, place = self._columns[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(column, place)
            case Qt.ItemDataRole.EditRole if place == ROLE:
                return column.role
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.name} is {role_title(column.role)}" if place == ROLE else self._text(column, place)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(" · ".join(column.samples) if place == SAMPLES else column.name)
            case Qt.ItemDataRole.ForegroundRole:
                t = self._theme.tokens
                return QColor(t.text if column.role and place != SAMPLES else t.muted)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        column = self._columns[index.row()]
        if role != Qt.ItemDataRole.EditRole or index.column() != ROLE or value == column.role:
            return False
        self.role_chosen.emit(column.index, str(value))
        return True

    def _text(self, column: Column, place: int) -> str:
        if place == NAME:
            return " ".join(column.name.split()) or "(no name)"
        if place == ROLE:
            return role_title(column.role)
        return "  ·  ".join(" ".join(sample.split())[:_SAMPLE_CHARACTERS] for sample in column.samples)


class _RoleDelegate(QStyledItemDelegate):
    """Paints what a column is with a mark that it can be changed, and makes the one combo box that changes it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        rect = option.rect
        mark = self._theme.icons.pixmap("chevron-down", self._theme.tokens.muted, size=ICON_SIZE - 4)
        painter.drawPixmap(QPoint(rect.right() - 3 * SPACE, rect.center().y() - ICON_SIZE // 2 + 3), mark)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        box = _RoleBox(parent)
        box.setAccessibleName(f"What {index.model().index(index.row(), NAME).data()} is")
        for role in ("", *COLUMN_ROLES):
            box.addItem(role_title(role), role)
        box.activated.connect(lambda _: self.commitData.emit(box))
        box.left.connect(lambda: self.closeEditor.emit(box, QStyledItemDelegate.EndEditHint.NoHint))
        QTimer.singleShot(0, box, box.showPopup)
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData())


class _RoleBox(QComboBox):
    """A combo box that is done when its list is closed, whether something was chosen or not."""

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        # Esc closes the list past `hidePopup`, so it is the list itself that is watched.
        self.view().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view() and event.type() == QEvent.Type.Hide:
            # What was chosen is told after the list is closed.
            QTimer.singleShot(0, self, self.left.emit)
        return super().eventFilter(watched, event)
