"""The window's place, size and column widths, from one run of the program to the next."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QMainWindow, QSplitter

from desktop.gui.theme.tokens import SPACE

DEFAULT_SIZE = QSize(1440, 900)


def restore(window: QMainWindow, state: Mapping[str, object], **splitters: QSplitter) -> None:
    """Bring back what `state_of` returned; what does not fit is ignored. A screen without room for the usual size is filled."""
    geometry = state.get("geometry")
    room = window.screen().availableGeometry().adjusted(0, 0, -SPACE, -5 * SPACE)
    if isinstance(geometry, str):
        window.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
    elif not room.contains(QRect(QPoint(), DEFAULT_SIZE)):
        window.setWindowState(Qt.WindowState.WindowMaximized)
    for name, splitter in splitters.items():
        value = state.get(name)
        if isinstance(value, str):
            splitter.restoreState(QByteArray.fromBase64(value.encode()))


def state_of(window: QMainWindow, **splitters: QSplitter) -> dict[str, object]:
    """Return the layout as text that settings can keep."""
    parts = {"geometry": window.saveGeometry()} | {name: each.saveState() for name, each in splitters.items()}
    return {name: bytes(value.toBase64().data()).decode() for name, value in parts.items()}
