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
PASSING_MS = 4_000

Action = tuple[str, Callable[[], None]]
"""A button's title and what it does."""


class NoticeBar(QFrame):
    """Shows one notice at a time; an information goes by itself, a warning or an error stays until it is closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._theme = theme
        self._buttons: list[QPushButton] = []
        self._offered: tuple[str, str, tuple[Action, ...]] | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE // 2 + 2, SPACE, SPACE // 2 + 2)
        layout.setSpacing(SPACE)
        self._icon = Words()
        self._words = Words(wraps=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QPushButton()
        self._close.setProperty("kind", "flat")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self._on_closed)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(SPACE)
        layout.addLayout(self._actions)
        layout.addWidget(self._close)
        self._timer = QTimer(self, singleShot=True, interval=INFO_MS)
        self._timer.timeout.connect(self._on_time)
        self.hide()

    def text(self) -> str:
        """Return the words that are shown, '' when none are."""
        return self._words.text() if not self.isHidden() else ""

    def show_notice(self, text: str, *, tone: str = "info", actions: Sequence[Action] = ()) -> None:
        """Show a notice; `tone` is info, warning or error. One that offers something stays until it is closed, whatever its tone."""
        if tone == "info" and not actions and self._offered and not self.isHidden():
            # A word in passing must not take away an *Undo*: what was offered comes back after it.
            self._timer.start(PASSING_MS)
        else:
            self._offered = (text, tone, tuple(actions)) if actions else None
            self._timer.setInterval(INFO_MS)
            self._set_timer(tone, actions)
        self._paint(text, tone, actions)

    def _set_timer(self, tone: str, actions: Sequence[Action]) -> None:
        if tone == "info" and not actions:
            self._timer.start()
        else:
            self._timer.stop()

    def _on_time(self) -> None:
        if self._offered:
            self._paint(*self._offered)
        else:
            self.hide()

    def _on_closed(self) -> None:
        self._offered = None
        self._timer.stop()
        self.hide()

    def _paint(self, text: str, tone: str, actions: Sequence[Action]) -> None:
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
            # A layout shows what is added to it only in the loop's next turn: the words would stand there without their button.
            button.show()

    def _act(self, act: Callable[[], None]) -> None:
        self._on_closed()
        act()
