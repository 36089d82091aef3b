"""Text that people did not write themselves, shown without doing anything it asks for.

`QTextBrowser` reads local files on its own when a text holds an image: a FIFO or `/dev/zero` there would hang the program. Here nothing is ever
loaded, no link is followed by itself, and an outside link is handed out by a signal, so that the window can ask first.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QUrl, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget


class SafeTextBrowser(QTextBrowser):
    """A text view that loads nothing. `link_clicked(href)` is emitted for every anchor."""

    link_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nothing = QImage(1, 1, QImage.Format.Format_ARGB32)
        self._nothing.fill(0)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.anchorClicked.connect(lambda url: self.link_clicked.emit(url.toString()))

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        # An empty picture, not nothing: at nothing, and at a picture that cannot be read, Qt goes on and opens the file itself.
        return self._nothing if kind == int(QTextDocument.ResourceType.ImageResource.value) else QByteArray()

    def event(self, event: QEvent) -> bool:
        # Ctrl+C without a selection belongs to the window, where it copies the summary.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_idle_copy(event):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._is_idle_copy(event):
            event.ignore()
            return
        super().keyPressEvent(event)

    def _is_idle_copy(self, event: QKeyEvent) -> bool:
        return event.matches(QKeySequence.StandardKey.Copy) and not self.textCursor().hasSelection()
