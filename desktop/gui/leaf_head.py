"""The head of a leaf that was opened from a list: the way back, what is shown, and a line of facts about it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.gui.theme.style import Theme, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words


class LeafHead(QWidget):
    """Shows a title and facts beside a button back. `left()` when the user goes back, by the button or by Esc."""

    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.back = QPushButton()
        self.lead_back_to("Imports")
        self.back.clicked.connect(self.left)
        self.title = ElidedWords()
        self.title.setFont(title_font(self.font()))
        self.facts = Words(kind="muted", wraps=True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.facts)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self.back)
        layout.addLayout(words, 1)
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def lead_back_to(self, title: str) -> None:
        """Name where the way back leads to."""
        self.back.setText(title)
        # A button's text takes its shortcut away.
        self.back.setShortcut("Esc")

    def _on_theme(self) -> None:
        self.back.setIcon(self._theme.icons.icon("chevron-left"))
