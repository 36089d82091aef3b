"""The first screen: drop an export, choose one, or try the sample. It says what stays on this machine."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.gui.theme.style import Theme, small_font, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame


class EmptyState(QWidget):
    """Shown while there are no tickets."""

    import_requested = Signal()
    sample_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.zone = named_frame("dropZone")
        self.zone.setMaximumSize(84 * SPACE, 46 * SPACE)
        self.zone.setMinimumSize(60 * SPACE, 40 * SPACE)
        self._icon = Words(centered=True)
        title = Words("Drop a ticket export here", centered=True)
        title.setFont(title_font(self.font()))
        kinds = Words(
            "CSV or Excel from Zendesk, Jira, ServiceNow, Freshdesk, Intercom,\nor any table with one row a ticket or one row a message.",
            centered=True,
            kind="muted",
        )
        self.choose = QPushButton("Choose a file…")
        self.choose.setProperty("kind", "primary")
        self.choose.clicked.connect(self.import_requested)
        self.sample = QPushButton("Try with sample tickets")
        self.sample.clicked.connect(self.sample_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        buttons.addStretch()
        buttons.addWidget(self.choose)
        buttons.addWidget(self.sample)
        buttons.addStretch()
        self.note = Words(centered=True, kind="faint", wraps=True)
        self.note.setFont(small_font(self.font()))
        inner = QVBoxLayout(self.zone)
        inner.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 3 * SPACE)
        inner.setSpacing(2 * SPACE)
        inner.addStretch()
        inner.addWidget(self._icon)
        inner.addWidget(title)
        inner.addWidget(kinds)
        inner.addSpacing(SPACE)
        inner.addLayout(buttons)
        inner.addStretch()
        inner.addWidget(self.note)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.zone, 1)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(row)
        layout.addStretch(3)
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def show_provider(self, words: str) -> None:
        """Say what leaves this machine, and to whom."""
        self.note.setText(words)

    def _on_theme(self) -> None:
        self._icon.setPixmap(self._theme.icons.pixmap("inbox", self._theme.tokens.accent, size=6 * SPACE))
        self.choose.setIcon(self._theme.icons.icon("import", self._theme.tokens.on_accent))
        self.sample.setIcon(self._theme.icons.icon("sparkle"))
