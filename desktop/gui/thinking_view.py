"""What a reasoning model wrote before its answer: one folded line that can be opened. It is never part of a summary, and never copied."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.gui.theme.style import Theme, small_font
from desktop.services.wording import count

FLUSH_MS = 100
_LINES = 6


class ThinkingView(QWidget):
    """Shows the thinking as it comes. `toggled()` when it was opened or folded."""

    toggled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pieces: list[str] = []
        self._words = 0
        self._ends_in_word = False
        self._is_open = False
        self._is_thinking = False
        self.toggle = QPushButton()
        self.toggle.setProperty("kind", "link")
        self.toggle.setFont(small_font(self.font()))
        self.toggle.setToolTip("What the model wrote for itself before it answered; no part of the summary")
        self.toggle.clicked.connect(lambda: self.set_open(not self._is_open))
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("The model's thinking")
        self.text.setFont(small_font(self.font()))
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _LINES)
        self.text.setUndoRedoEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.text)
        self._flush = QTimer(self, interval=FLUSH_MS, singleShot=True)
        self._flush.timeout.connect(self._draw)
        theme.changed.connect(self._show_title)
        self.clear()

    def clear(self) -> None:
        """Show none."""
        self._flush.stop()
        self._pieces, self._words, self._ends_in_word = [], 0, False
        self._is_open = self._is_thinking = False
        self.text.clear()
        self.text.hide()
        self.hide()

    def add(self, piece: str) -> None:
        """Take more of it while the model thinks."""
        self._is_thinking = True
        self._take(piece)
        if not self._flush.isActive():
            self._flush.start()

    def show_thinking(self, thinking: str) -> None:
        """Show the whole of it, after the end; '' for none."""
        is_open = self._is_open
        self.clear()
        if thinking.strip():
            self._take(thinking)
            self._draw()
            self.set_open(is_open)

    def end(self) -> None:
        """Say that the model has begun its answer."""
        if self._is_thinking:
            self._is_thinking = False
            self._show_title()

    def set_open(self, is_open: bool) -> None:
        """Unfold or fold it."""
        self._is_open = is_open
        self.text.setVisible(is_open)
        self._show_title()
        self.toggled.emit()

    def _take(self, piece: str) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        goes_on = self._ends_in_word and not piece[0].isspace()
        self._words += len(piece.split()) - (1 if goes_on and piece.split() else 0)
        self._ends_in_word = not piece[-1].isspace()

    def _draw(self) -> None:
        bar = self.text.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum() - 1
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText("".join(self._pieces))
        self._pieces.clear()
        if is_at_end:
            bar.setValue(bar.maximum())
        was_hidden = self.isHidden()
        self._show_title()
        self.show()
        if was_hidden:
            self.toggled.emit()

    def _show_title(self) -> None:
        icon = "chevron-down" if self._is_open else "chevron-right"
        self.toggle.setIcon(self._theme.icons.icon(icon, self._theme.tokens.accent))
        self.toggle.setText(f"Thinking{'…' if self._is_thinking else ''} ({count(self._words, 'word')})")
