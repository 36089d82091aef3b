"""Files dropped on the window: said over it while they hover, handed out when they fall. What is no file on this machine is not taken."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from desktop.gui.theme.style import title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words


class FileDrop(QObject):
    """Watches one window. `dropped(paths)` are the files that were let go over it."""

    dropped = Signal(list)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._overlay = Words("Drop to import", "dropOverlay", centered=True, parent=window)
        self._overlay.setFont(title_font(window.font()))
        self._overlay.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._window:
            return False
        if isinstance(event, QDragEnterEvent):
            self._on_enter(event)
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._overlay.hide()
            event.acceptProposedAction()
            self.dropped.emit([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
            return True
        if event.type() in (QEvent.Type.DragLeave, QEvent.Type.Resize):
            self._overlay.hide()
        return False

    def _on_enter(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._overlay.setGeometry(self._window.rect().adjusted(2 * SPACE, 2 * SPACE, -2 * SPACE, -2 * SPACE))
            self._overlay.raise_()
            self._overlay.show()
