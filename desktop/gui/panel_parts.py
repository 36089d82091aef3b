"""What panels have in common: the line at their top, the list at their left, their forms, and how high they want to be."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, SignalInstance
from PySide6.QtGui import QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLayout,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.theme.style import title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, plain_tip

_TITLE_WIDTH = 20 * SPACE
"""At least: forms that stand one below the other have their fields in one line."""

_SETTLE_MS = 150


def panel_head(title: str, closed: SignalInstance, tools: QLayout | None = None) -> QHBoxLayout:
    """Return the line of a title, of what can be set for all below it, and of *Done*, which Esc is too."""
    head = QHBoxLayout()
    words = Words(title)
    words.setFont(title_font(words.font()))
    head.addWidget(words)
    head.addStretch()
    if tools is not None:
        head.addLayout(tools)
    done = QPushButton("Done")
    done.setShortcut("Esc")
    done.clicked.connect(closed)
    head.addWidget(done)
    return head


def panel_list(name: str, width: int, on_row: Callable[[int], None]) -> QListWidget:
    """Return the list that one of what the panel edits is chosen from."""
    names = QListWidget()
    names.setObjectName("framed")
    names.setAccessibleName(name)
    names.setFixedWidth(width)
    names.currentRowChanged.connect(on_row)
    return names


def layout_height(layout: QLayout, width: int) -> int:
    """Return how high a layout wants to be at a width. One whose words are all hidden has no height for a width, and says -1 when it is asked."""
    return layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()


def form_layout() -> QFormLayout:
    """Return a form: titles at the left, fields at the right."""
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(2 * SPACE)
    form.setVerticalSpacing(SPACE + 2)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def add_row(form: QFormLayout, title: str, field: QWidget, *, note: QWidget | None = None) -> QWidget:
    """Add a titled field to a form, a note close below it, and return the row's widget.

    The title stands in the middle of the field's height, whatever stands below.
    """
    words = Words(title)
    words.setFixedHeight(field.sizeHint().height())
    words.setMinimumWidth(_TITLE_WIDTH)
    words.setBuddy(field)
    row = field
    if note is not None:
        row = QWidget()
        layout = QVBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE // 2)
        layout.addWidget(field)
        layout.addWidget(note)
    form.addRow(words, row)
    return row


def side_by_side(*widgets: QWidget) -> QWidget:
    """Return widgets as one row of a form, the fields among them as wide as there is room for."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE)
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, QPushButton) else 1)
    return row


def add_choice(box: QComboBox, text: str, value: str, *, reason: str = "") -> None:
    """Add a choice to a box; with a `reason` why it cannot be chosen it is gray, and the reason is its tool tip."""
    box.addItem(text, value)
    items, place = box.model(), box.count() - 1
    if reason and isinstance(items, QStandardItemModel):
        items.item(place).setEnabled(False)
        box.setItemData(place, plain_tip(reason), Qt.ItemDataRole.ToolTipRole)
        box.setItemData(place, f"{text}, {reason}", Qt.ItemDataRole.AccessibleTextRole)


class FormArea(QScrollArea):
    """Holds a form: as high as the form, and scrolled where there is no room for all of it, so that what stands below it stays in sight."""

    def __init__(self, form: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(12 * SPACE)
        self._form = form
        self._opened: QWidget | None = None
        # What is opened right after something was closed changes the range twice, or not at all: looked at until it has settled.
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        self.setWidget(form)
        form.installEventFilter(self)

    def show_whole(self, part: QWidget) -> None:
        """Scroll so far that a part of the form that was just opened is seen, as soon as there is room made for it."""
        self._opened = part
        self._settle.start()

    def _on_range(self) -> None:
        if self._opened is not None:
            self.ensureWidgetVisible(self._opened, 0, 0)

    def _on_settled(self) -> None:
        self._on_range()
        self._opened = None

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._wanted())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMaximumHeight(max(self._wanted(), self.minimumHeight()))
        self.updateGeometry()

    def _wanted(self) -> int:
        layout = self._form.layout()
        return layout_height(layout, self.viewport().width()) if layout is not None else 0
