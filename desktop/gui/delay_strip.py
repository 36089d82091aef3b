"""Why nothing comes just now: a provider asks to wait, and for how long; or it did not answer, and who was asked in its place.

The seconds are counted down as they pass, so that a wait never looks like a program that hangs.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

TICK_MS = 1_000


class DelayStrip(QFrame):
    """Shows a countdown, and what was said of other providers. `cancel_requested()` while it counts."""

    cancel_requested = Signal()
    changed = Signal()
    """It is there, or gone, or of another height."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._theme = theme
        self._reason = ""
        self._left = 0
        self._is_waiting = False
        self._icon = Words()
        self.wait, self.others = Words(wraps=True), Words(wraps=True)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Do not wait; the text so far is kept (Esc)")
        self.cancel.clicked.connect(self.cancel_requested)
        words = QVBoxLayout()
        words.setSpacing(SPACE // 2)
        words.addWidget(self.others)
        words.addWidget(self.wait)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        layout.setSpacing(SPACE)
        layout.addWidget(self._icon)
        layout.addLayout(words, 1)
        layout.addWidget(self.cancel)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._on_tick)
        self.clear()
        theme.changed.connect(self._show)

    def clear(self) -> None:
        """Begin anew: nothing was said."""
        self.others.setText("")
        self.end_wait()
        self._show()

    def count_down(self, seconds: float, reason: str) -> None:
        """Nothing is sent for so long, and why; 0 seconds when nobody knows for how long."""
        self._reason, self._left = reason.rstrip("."), math.ceil(seconds)
        self._is_waiting = True
        if self._left:
            self._ticks.start()
        else:
            self._ticks.stop()
        self._show()

    @property
    def is_waiting(self) -> bool:
        """Tell whether seconds are being counted down."""
        return self._is_waiting

    def say_fallback(self, asked: str, provider: str, reason: str) -> None:
        """Say that another provider was asked, and why."""
        why = f" ({reason.rstrip('.')})" if reason else ""
        words = f"{asked or 'The provider'} did not answer{why}: asked {provider} instead"
        before = self.others.text()
        self.others.setText(f"{before}\n{words}" if before else words)
        self.end_wait()
        self._show()

    def end_wait(self) -> None:
        """Something comes again, or nothing ever will. Every word that comes says so: it costs nothing where nobody waits."""
        if not self._is_waiting:
            return
        self._ticks.stop()
        self._is_waiting = False
        self._show()

    def _on_tick(self) -> None:
        self._left -= 1
        if self._left:
            self._show()
        else:
            self.end_wait()

    def _show(self) -> None:
        was = (self.isHidden(), self.wait.isHidden(), self.others.text())
        is_waiting = self._is_waiting
        self.wait.setText(f"{self._reason}: {self._left} s" if self._left else f"{self._reason}…")
        self.wait.setVisible(is_waiting)
        self.cancel.setVisible(is_waiting)
        self.others.setVisible(bool(self.others.text()))
        name = "clock" if is_waiting else "info"
        self._icon.setPixmap(self._theme.icons.pixmap(name, self._theme.tokens.warning))
        self.setVisible(is_waiting or bool(self.others.text()))
        if was != (self.isHidden(), self.wait.isHidden(), self.others.text()):
            self.changed.emit()
