"""Notices: one line where the work is, in words, with the remedy as a button. Never a modal dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from desktop.domain.errors import DeskError
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

_ICONS = {"info": "check", "warning": "warning", "error": "warning"}
INFO_MS = 12_000

Action = tuple[str, Callable[[], None]]
"""A button's title and what it does."""


class NoticeBar(QFrame):
    """Shows one notice at a time; an information goes by itself, a warning or an error stays until it is closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._theme = theme
        self._buttons: list[QPushButton] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE // 2 + 2, SPACE, SPACE // 2 + 2)
        layout.setSpacing(SPACE)
        self._icon = Words()
        self._words = Words(wraps=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QPushButton()
        self._close.setProperty("kind", "flat")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.hide)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(SPACE)
        layout.addLayout(self._actions)
        layout.addWidget(self._close)
        self._timer = QTimer(self, singleShot=True, interval=INFO_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def text(self) -> str:
        """Return the words that are shown, '' when none are."""
        return self._words.text() if not self.isHidden() else ""

    def show_notice(self, text: str, *, tone: str = "info", actions: Sequence[Action] = ()) -> None:
        """Show a notice; `tone` is info, warning or error. One that offers something stays until it is closed, whatever its tone."""
        t = self._theme.tokens
        color = {"info": t.accent, "warning": t.warning, "error": t.error}[tone]
        self._icon.setPixmap(self._theme.icons.pixmap(_ICONS[tone], color))
        self._close.setIcon(self._theme.icons.icon("close", t.muted))
        self._words.setText(text)
        self._offer(actions)
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.show()
        if tone == "info" and not actions:
            self._timer.start()
        else:
            self._timer.stop()

    def show_error(self, error: DeskError) -> None:
        """Show an error that the user can fix: what happened and what to do."""
        self.show_notice(str(error), tone="error")

    def _offer(self, actions: Sequence[Action]) -> None:
        for button in self._buttons:
            self._actions.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = [QPushButton(title) for title, _ in actions]
        for button, (_, act) in zip(self._buttons, actions, strict=True):
            button.clicked.connect(lambda _=False, a=act: self._act(a))
            self._actions.addWidget(button)

    def _act(self, act: Callable[[], None]) -> None:
        self.hide()
        act()
