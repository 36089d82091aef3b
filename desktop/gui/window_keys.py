"""The window's keys: those that hold everywhere in it, and those that hold where tickets are read. Panels have keys of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from desktop.gui.window import MainWindow

_KEY = QKeySequence.StandardKey


def add_keys(window: MainWindow, reading: QWidget) -> None:
    """Bind the keys; `reading` holds the list and the ticket."""
    for keys, action in (
        (_KEY.Open, window.choose_file),
        (_KEY.Find, window.focus_search),
        (_KEY.Copy, window.copy),
        (_KEY.Quit, window.close),
        ("Ctrl+,", window.show_providers),
        ("Ctrl+H", window.show_history),
        ("Ctrl+E", window.export),
        ("Ctrl+J", window.show_queue),
        ("Ctrl+Shift+O", window.show_operations),
    ):
        shortcut = QShortcut(QKeySequence(keys), window)
        shortcut.activated.connect(action)
    for place, keys, action in (
        (reading, "Esc", window.ticket.escape),
        (reading, "/", window.focus_search),
        # Elsewhere in the window these keys finish what is typed.
        (window.list, "Ctrl+Return", window.summarize_many),
        (window.list, "Ctrl+Enter", window.summarize_many),
    ):
        shortcut = QShortcut(QKeySequence(keys), place)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action)
