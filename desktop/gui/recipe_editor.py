"""Recipe editor: a recipe's file as plain text, with line numbers, and what is wrong with it underlined and listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, plain_tip

if TYPE_CHECKING:
    from desktop.services.recipe_check import Problem

SETTLE_MS = 250
_MONO_SCALE = 0.95


class RecipeEditor(QWidget):
    """The editor and the list of problems below it. `settled()` comes when the text was changed and typing has paused."""

    settled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._problems: tuple[Problem, ...] = ()
        self.text_edit = _NumberedText(theme)
        self.text_edit.setAccessibleName("The recipe's file")
        self._verdict = Words(kind="muted", wraps=True)
        self.list = QListWidget()
        self.list.setObjectName("framed")
        self.list.setAccessibleName("What is found wrong")
        self.list.setWordWrap(True)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMaximumHeight(20 * SPACE)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.itemClicked.connect(lambda item: self._go_to(self.list.row(item)))
        self.list.itemActivated.connect(lambda item: self._go_to(self.list.row(item)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self.text_edit, 1)
        layout.addWidget(self._verdict)
        layout.addWidget(self.list)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.settled)
        self.text_edit.textChanged.connect(lambda: self._settle.start())
        theme.changed.connect(self._underline)
        self.show_problems(())

    def text(self) -> str:
        """Return the text as it stands."""
        return self.text_edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Show another text."""
        self.text_edit.blockSignals(True)
        self.text_edit.setPlainText(text)
        self.text_edit.blockSignals(False)
        self._settle.stop()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Underline and list what is wrong."""
        self._problems = tuple(problems)
        self._verdict.setText(
            f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'} found:"
            if problems
            else "Nothing is found wrong with it."
        )
        self.list.clear()
        for problem in problems:
            item = QListWidgetItem(f"Line {problem.line}: {problem.sentence} {problem.remedy}")
            item.setToolTip(plain_tip(problem.remedy))
            self.list.addItem(item)
        self.list.setVisible(bool(problems))
        self._underline()

    def _underline(self) -> None:
        ink = QTextCharFormat()
        ink.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        ink.setUnderlineColor(QColor(self._theme.tokens.error))
        ink.setBackground(QColor(self._theme.tokens.error_ground))
        selections = []
        for problem in self._problems:
            selection = QTextEdit.ExtraSelection()
            selection.format, selection.cursor = ink, self._cursor_at(problem)
            selections.append(selection)
        self.text_edit.setExtraSelections(selections)

    def _cursor_at(self, problem: Problem) -> QTextCursor:
        block = self.text_edit.document().findBlockByNumber(problem.line - 1)
        if not block.isValid():
            block = self.text_edit.document().lastBlock()
        text = block.text()
        start = problem.start if 0 <= problem.start <= len(text) else 0
        length = len(problem.quote) if problem.start >= 0 else len(text)
        # Qt counts UTF-16 units.
        first, last = _utf16(text[:start]), _utf16(text[: start + length])
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + first)
        cursor.setPosition(block.position() + min(last, block.length() - 1), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _go_to(self, row: int) -> None:
        self.text_edit.setTextCursor(self._cursor_at(self._problems[row]))
        self.text_edit.centerCursor()
        self.text_edit.setFocus()


class _NumberedText(QPlainTextEdit):
    """Plain text of one width with the numbers of its lines beside it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFont(mono_font(self))
        self.setTabChangesFocus(True)
        self._margin = _Margin(self)
        self.blockCountChanged.connect(lambda _: self._fit())
        self.updateRequest.connect(self._on_update)
        theme.changed.connect(self._margin.update)
        self._fit()

    def margin_width(self) -> int:
        """Return how wide the numbers are."""
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("0") * digits + 2 * SPACE

    def paint_margin(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines that are seen."""
        painter = QPainter(self._margin)
        painter.setFont(self.font())
        painter.setPen(QColor(self._theme.tokens.faint))
        block = self.firstVisibleBlock()
        top = round(self.blockBoundingGeometry(block).translated(self.contentOffset()).top())
        while block.isValid() and top <= event.rect().bottom():
            height = round(self.blockBoundingRect(block).height())
            place = QRect(0, top, self._margin.width() - SPACE, self.fontMetrics().height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, str(block.blockNumber() + 1))
            block, top = block.next(), top + height

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inner = self.contentsRect()
        self._margin.setGeometry(QRect(inner.left(), inner.top(), self.margin_width(), inner.height()))

    def _fit(self) -> None:
        self.setViewportMargins(self.margin_width(), 0, 0, 0)
        self._margin.setFixedWidth(self.margin_width())

    def _on_update(self, rect: QRect, dy: int) -> None:
        if dy:
            self._margin.scroll(0, dy)
        else:
            self._margin.update(0, rect.y(), self._margin.width(), rect.height())


class _Margin(QWidget):
    """The strip with the numbers."""

    def __init__(self, text: _NumberedText) -> None:
        super().__init__(text)
        self._text = text

    def sizeHint(self) -> QSize:
        return QSize(self._text.margin_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._text.paint_margin(event)


def mono_font(widget: QWidget) -> QFont:
    """Return the system's font of one width, as large as the widget's own."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(widget.font().pointSizeF())
    return scaled(font, _MONO_SCALE)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
