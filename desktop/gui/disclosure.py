"""Disclosure: a title that opens what stands below it, with a few words beside it that say what is set there while it is closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords


class Disclosure(QWidget):
    """Shows or hides its content. `toggled(is_open)` when the user opened or closed it."""

    toggled = Signal(bool)

    def __init__(self, theme: Theme, title: str, content: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self.content = content
        self.button = QPushButton(title)
        self.button.setProperty("kind", "disclosure")
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        self._summary = ElidedWords(kind="muted")
        self._summary.setFont(small_font(self.font()))
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self.button)
        head.addWidget(self._summary, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(content)
        content.hide()
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def say(self, summary: str) -> None:
        """Say what is set, in a few words."""
        self._summary.setText(summary)
        self.button.setAccessibleDescription(summary)

    def open(self) -> None:
        """Show the content, for something in it must be looked at."""
        self.button.setChecked(True)

    @property
    def is_open(self) -> bool:
        """Tell whether the content is shown."""
        return self.button.isChecked()

    def _on_toggled(self, is_open: bool) -> None:
        self.content.setVisible(is_open)
        self._on_theme()
        self.toggled.emit(is_open)

    def _on_theme(self) -> None:
        name = "chevron-down" if self.button.isChecked() else "chevron-right"
        self.button.setIcon(self._theme.icons.icon(name, self._theme.tokens.muted))
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
