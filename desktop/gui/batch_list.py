"""Batches: what was handed to a provider in a file and is not all taken in yet, a line each, above the queue's tickets."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.domain.batches import OVER_STATES, Batch
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words, named_frame
from desktop.services.queue_wording import describe_batch

MOST_LINES = 4


class BatchList(QWidget):
    """Shows batches. `stop_requested(id)` for one that the provider still works at."""

    stop_requested = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._batches: tuple[Batch, ...] = ()
        self._lines: list[QFrame] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE // 2)
        self._more = Words(kind="muted")
        self._layout.addWidget(self._more)
        self.hide()
        theme.changed.connect(self._draw)

    def show_batches(self, batches: Sequence[Batch]) -> None:
        """Show those of which something may still come, the newest first."""
        shown = tuple(batch for batch in batches if batch.is_running)
        if shown != self._batches:
            self._batches = shown
            self._draw()

    def text(self) -> str:
        """Return the lines that are shown."""
        return "\n".join(describe_batch(batch) for batch in self._batches[:MOST_LINES])

    def _draw(self) -> None:
        for line in self._lines:
            self._layout.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._lines = [self._line(batch) for batch in self._batches[:MOST_LINES]]
        for place, line in enumerate(self._lines):
            self._layout.insertWidget(place, line)
        hidden = len(self._batches) - len(self._lines)
        self._more.setText(f"and {hidden:,} more" if hidden > 0 else "")
        self._more.setVisible(hidden > 0)
        self.setVisible(bool(self._lines))

    def _line(self, batch: Batch) -> QFrame:
        line = named_frame("card")
        icon = Words()
        color = self._theme.tokens.warning if batch.reason else self._theme.tokens.pending
        icon.setPixmap(self._theme.icons.pixmap("warning" if batch.reason else "layers", color))
        words = ElidedWords()
        words.setText(describe_batch(batch))
        layout = QHBoxLayout(line)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        layout.addWidget(icon)
        layout.addWidget(words, 1)
        if batch.state not in OVER_STATES:
            stop = QPushButton("Stop")
            stop.setAccessibleName(f"Stop batch {batch.id}")
            stop.setToolTip("Have the provider stop; what is done by then is taken in")
            stop.clicked.connect(lambda: self.stop_requested.emit(batch.id))
            layout.addWidget(stop)
        return line
