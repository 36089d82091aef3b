"""The row editor: one rejected row to be mended, a line for each of its cells, or its raw text where it could not be cut into cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPlainTextEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.history import EditableRow
from desktop.gui.tables import Index, TitledTableModel, set_up_table
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, plain_tip

_NAME, _VALUE = range(2)


class RowEditor(QWidget):
    """Edits one row. `edited(EditableRow)` is emitted with the row as it is now whenever something of it was changed."""

    edited = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.shown: EditableRow | None = None
        self._title = Words()
        self._title.setFont(scaled(self.font(), 1.0, weight=self.font().Weight.DemiBold))
        self._reason = Words(kind="errorText", wraps=True)
        self._obstacle = Words(kind="muted", wraps=True)
        self.cells = CellTableModel(theme)
        self.table = QTableView()
        set_up_table(self.table, "Cells of the row")
        self.table.setModel(self.cells)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        # Where one column cannot be edited, Tab goes from value to value, as in a form.
        self.table.setTabKeyNavigation(True)
        trigger = QAbstractItemView.EditTrigger
        self.table.setEditTriggers(trigger.AnyKeyPressed | trigger.EditKeyPressed | trigger.DoubleClicked)
        self.table.clicked.connect(self.table.edit)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(_NAME, 24 * SPACE)
        self.raw = QPlainTextEdit()
        self.raw.setAccessibleName("The row as it stands in the file")
        self.raw.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.raw.setTabChangesFocus(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.raw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for widget in (self._title, self._reason, self._obstacle):
            layout.addWidget(widget)
        layout.addWidget(self._stack, 1)
        self.cells.changed.connect(self._on_edited)
        self.raw.textChanged.connect(self._on_edited)

    def show_row(self, editable: EditableRow) -> None:
        """Show another row; a column that it was rejected for is marked and stands in view."""
        self.shown = editable
        row = editable.row
        self._title.setText(f"Line {row.line:,}")
        self._reason.setText(f"{row.reason}.")
        self._obstacle.setText(editable.obstacle)
        self._obstacle.setVisible(bool(editable.obstacle))
        self.cells.set_row(editable)
        self.raw.blockSignals(True)
        self.raw.setPlainText(editable.raw)
        self.raw.setReadOnly(bool(editable.obstacle))
        self.raw.blockSignals(False)
        self._stack.setCurrentWidget(self.table if editable.cells else self.raw)
        if editable.cells:
            place = self.cells.index(self._place(editable), _VALUE)
            self.table.setCurrentIndex(place)
            self.table.scrollTo(place)

    def edit(self) -> None:
        """Begin to edit: the cell that was wrong, or the raw text."""
        if self.shown is None:
            return
        if self.shown.cells:
            self.table.setFocus()
            self.table.edit(self.table.currentIndex())
        else:
            self.raw.setFocus()

    def finish(self) -> None:
        """Take over what is being typed, as leaving the line would."""
        if self.shown is not None and self.shown.cells:
            self.table.setFocus()

    def _place(self, editable: EditableRow) -> int:
        names = editable.names
        return names.index(editable.row.column) if editable.row.column in names else 0

    def _on_edited(self) -> None:
        if self.shown is not None and not self.shown.obstacle:
            if self.shown.cells:
                self.shown = replace(self.shown, cells=tuple(self.cells.values))
            else:
                self.shown = replace(self.shown, raw=self.raw.toPlainText())
            self.edited.emit(self.shown)


class CellTableModel(TitledTableModel):
    """The cells of one row under their columns' names."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(("Column", "Value"))
        self._theme = theme
        self._names: tuple[str, ...] = ()
        self._wrong = ""
        self.values: list[str] = []

    def set_row(self, editable: EditableRow) -> None:
        """Show the cells of another row."""
        self.beginResetModel()
        self._names, self._wrong = editable.names, editable.row.column
        self.values = list(editable.cells)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.values)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.column() != _VALUE:
            return Qt.ItemFlag.NoItemFlags  # a name is no place to go to: Tab would stop there
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, is_value = index.row(), index.column() == _VALUE
        name, value = self._names[row], self.values[row]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return " ".join(value.split()) if is_value else name
            case Qt.ItemDataRole.EditRole if is_value:
                return value
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{name}: {value}" if is_value else name
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(value if is_value else name)
            case Qt.ItemDataRole.ForegroundRole if not is_value:
                return QColor(self._theme.tokens.error if name == self._wrong else self._theme.tokens.muted)
            case Qt.ItemDataRole.DecorationRole if not is_value and name == self._wrong:
                return self._mark()
        return None

    def _mark(self) -> QIcon:
        """Return the mark of the column that is wrong, as red as it is although the name beside it cannot be chosen."""
        mark = self._theme.icons.pixmap("warning", self._theme.tokens.error)
        icon = QIcon(mark)
        icon.addPixmap(mark, QIcon.Mode.Disabled)
        return icon

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or index.column() != _VALUE:
            return False
        if str(value) != self.values[index.row()]:
            self.values[index.row()] = str(value)
            self.dataChanged.emit(index, index)
            self.changed.emit()
        return True
