"""What would be sent: the exact bytes that a summary of one ticket would send, and the values that stay here in place of which a placeholder goes.

Looking at it sends nothing. Everything is shown as plain text; the values behind the placeholders are shown here alone, never copied with the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QTabWidget, QTextEdit, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import panel_head
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.preview import SendingPreview


class PreviewPanel(QWidget):
    """Shows one preview. `closed()` when the user is done."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self.preview: SendingPreview | None = None
        self.jobs = JobScope(lambda error: self._say(str(error)))
        self.facts = Words(wraps=True)
        self.checksum = Words(kind="muted", wraps=True)
        self.messages = _text("The messages that would be sent")
        self.values = _text("What stays on this machine")
        self.raw = _text("The exact bytes")
        self.tabs = QTabWidget()
        for title, view in (("Messages", self.messages), ("What stays here", self.values), ("Exact bytes", self.raw)):
            self.tabs.addTab(view, title)
        copy = QPushButton("Copy")
        copy.setToolTip("Copy what is shown in “Exact bytes”")
        copy.clicked.connect(self._on_copy)
        head = panel_head("What would be sent", self.closed)
        head.insertWidget(head.count() - 1, copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.facts)
        layout.addWidget(self.checksum)
        layout.addWidget(self.tabs, 1)
        theme.changed.connect(self._mark)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    def open(self, ticket_id: int) -> None:
        """Show what a summary of a ticket would send now."""
        self.preview = None
        self._say("Putting it together…")
        self.jobs.restart(self._load(ticket_id))
        self.messages.setFocus()

    async def _load(self, ticket_id: int) -> None:
        assert self._desk is not None
        try:
            preview = await self._desk.sending_previews.preview(ticket_id)
        except DeskError as error:
            self._say(str(error))
            return
        self.preview = preview
        cost = preview.cost_microusd
        price = "price unknown" if cost is None else f"about ${cost / 1e6:,.4f}" if cost else "free"
        parts = f" · the first of {preview.parts} requests" if preview.parts > 1 else ""
        self.facts.setText(
            f"To {preview.host}, {preview.model or 'no model chosen'} ({preview.provider}) · {len(preview.body):,} bytes"
            f" · about {preview.input_tokens:,} tokens · {price}{parts}"
        )
        replaced = (
            f"{count(len(preview.redactions), 'value')} replaced" if preview.redactions else "Nothing is replaced"
        )
        self.checksum.setText(f"{replaced} · SHA-256 {preview.sha256}")
        self.messages.setPlainText("\n\n".join(f"{m.role.upper()}\n{m.content}" for m in preview.messages))
        self.raw.setPlainText(preview.body.decode())
        lines = [f"{r.placeholder}\t{r.kind}\t{preview.values[r.placeholder]}" for r in preview.redactions]
        self.values.setPlainText("\n".join(lines) or "Nothing is taken out of what goes there.")
        self._mark()

    def _say(self, text: str) -> None:
        self.facts.setText(text)
        self.checksum.clear()
        for view in (self.messages, self.values, self.raw):
            view.clear()

    def _mark(self) -> None:
        """Light up the placeholders among the messages."""
        form = QTextCharFormat()
        form.setBackground(QColor(self._theme.tokens.selection))
        form.setForeground(QColor(self._theme.tokens.accent))
        found = []
        for redaction in self.preview.redactions if self.preview else ():
            cursor = self.messages.document().find(redaction.placeholder)
            while not cursor.isNull():
                found.append(_selection(cursor, form))
                cursor = self.messages.document().find(redaction.placeholder, cursor)
        self.messages.setExtraSelections(found)

    def _on_copy(self) -> None:
        self.raw.selectAll()
        self.raw.copy()
        self.raw.moveCursor(QTextCursor.MoveOperation.Start)


def _text(name: str) -> QPlainTextEdit:
    view = QPlainTextEdit(readOnly=True)
    view.setAccessibleName(name)
    view.setTabChangesFocus(True)
    return view


def _selection(cursor: QTextCursor, form: QTextCharFormat) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor, selection.format = cursor, form
    return selection
