"""Notices: one line where the work is, in words, with the remedy as a button. Never a modal dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from desktop.domain.errors import DeskError
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

_ICONS = {"info": "check", "warning": "warning", "error": "warning"}
INFO_MS = 12_000


class NoticeBar(QFrame):
    """Shows one notice at a time; an information goes by itself, a warning or an error stays until it is closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._theme = theme
        self._action: Callable[[], None] | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE // 2 + 2, SPACE, SPACE // 2 + 2)
        layout.setSpacing(SPACE)
        self._icon = Words()
        self._words = Words(wraps=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton()
        self._button.clicked.connect(self._act)
        self._close = QPushButton()
        self._close.setProperty("kind", "flat")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.hide)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._button)
        layout.addWidget(self._close)
        self._timer = QTimer(self, singleShot=True, interval=INFO_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def text(self) -> str:
        """Return the words that are shown, '' when none are."""
        return self._words.text() if not self.isHidden() else ""

    def show_notice(
        self, text: str, *, tone: str = "info", button: str = "", action: Callable[[], None] | None = None
    ) -> None:
        """Show a notice; `tone` is info, warning or error."""
        t = self._theme.tokens
        color = {"info": t.accent, "warning": t.warning, "error": t.error}[tone]
        self._icon.setPixmap(self._theme.icons.pixmap(_ICONS[tone], color))
        self._close.setIcon(self._theme.icons.icon("close", t.muted))
        self._words.setText(text)
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._action = action
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.show()
        if tone == "info":
            self._timer.start()
        else:
            self._timer.stop()

    def show_error(self, error: DeskError, *, button: str = "", action: Callable[[], None] | None = None) -> None:
        """Show an error that the user can fix: what happened and what to do."""
        self.show_notice(str(error), tone="error", button=button, action=action)

    def _act(self) -> None:
        self.hide()
        if self._action:
            self._action()
