"""The strip above the card of a ticket whose text addresses a model: that it does, where, and that it is treated as text like any other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import Span
from desktop.gui.words import Words
from desktop.services.wording import count


class InstructionsStrip(QFrame):
    """Says that a ticket holds instructions. `spans_wanted(spans)` asks to see the next of them."""

    spans_wanted = Signal(list)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._theme = theme
        self._spans: tuple[Span, ...] = ()
        self._next = 0
        self._icon = Words()
        self._words = Words(wraps=True)
        self._words.setFont(small_font(self.font()))
        self.show_button = QPushButton("Show")
        self.show_button.setProperty("kind", "link")
        self.show_button.setFont(small_font(self.font()))
        self.show_button.setAccessibleName("Show the text that addresses a model")
        self.show_button.clicked.connect(self._on_show)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, 2, SPACE, 2)
        layout.setSpacing(SPACE)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self.show_button)
        theme.changed.connect(self._on_theme)
        self._on_theme()
        self.hide()

    def text(self) -> str:
        """Return what is said, '' when nothing is."""
        return "" if self.isHidden() else self._words.text()

    def show_spans(self, spans: Sequence[Span]) -> None:
        """Say how many places there are; nothing for none."""
        self._spans, self._next = tuple(spans), 0
        places = count(len(spans), "place")
        self._words.setText(f"This ticket holds text that addresses a model ({places}). It is treated as text.")
        self.setAccessibleName(self._words.text())
        self._tell_next()
        self.setVisible(bool(spans))

    def _on_show(self) -> None:
        span = self._spans[self._next % len(self._spans)]
        self._next += 1
        self._tell_next()
        self.spans_wanted.emit([span])

    def _tell_next(self) -> None:
        number = len(self._spans)
        self.show_button.setText("Show" if number < 2 else f"Show {self._next % number + 1} of {number}")

    def _on_theme(self) -> None:
        self._icon.setPixmap(self._theme.icons.pixmap("warning", self._theme.tokens.warning))
