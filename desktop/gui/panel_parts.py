"""What panels have in common: the line at their top, the list at their left, and how high they want to be."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLayout, QListWidget, QPushButton

from desktop.gui.theme.style import title_font
from desktop.gui.words import Words


def panel_head(title: str, closed: SignalInstance, tools: QLayout | None = None) -> QHBoxLayout:
    """Return the line of a title, of what can be set for all below it, and of *Done*, which Esc is too."""
    head = QHBoxLayout()
    words = Words(title)
    words.setFont(title_font(words.font()))
    head.addWidget(words)
    head.addStretch()
    if tools is not None:
        head.addLayout(tools)
    done = QPushButton("Done")
    done.setShortcut("Esc")
    done.clicked.connect(closed)
    head.addWidget(done)
    return head


def panel_list(name: str, width: int, on_row: Callable[[int], None]) -> QListWidget:
    """Return the list that one of what the panel edits is chosen from."""
    names = QListWidget()
    names.setObjectName("framed")
    names.setAccessibleName(name)
    names.setFixedWidth(width)
    names.currentRowChanged.connect(on_row)
    return names


def layout_height(layout: QLayout, width: int) -> int:
    """Return how high a layout wants to be at a width. One whose words are all hidden has no height for a width, and says -1 when it is asked."""
    return layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()
