"""What would be sent: the next request of a ticket before it goes, to whom, its exact bytes, and the values that stay on this machine.

It is asked for anew whenever it opens: settings, the ticket and what is known of the provider may have changed. Nothing is sent by looking at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QHeaderView, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.gui.jobs import JobScope
from desktop.gui.operations_tables import describe_size
from desktop.gui.panel_parts import form_layout, panel_head
from desktop.gui.sent_text import SentText, as_blocks
from desktop.gui.tables import Index, RowTable, TitledTableModel
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame, plain_tip
from desktop.services.operations_words import describe_kind, describe_money
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.preview import Kept, RequestPreview

SIDE_WIDTH = 46 * SPACE
_HASH_PART = 16


class PreviewPanel(QWidget):
    """Shows what would be sent for one ticket. `closed()` when the user is done."""

    closed = Signal()
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk: Desk | None = None
        self.shown: RequestPreview | None = None
        self.jobs = JobScope(self._show_error)
        self.about = Words(kind="muted", wraps=True)
        self.strip = named_frame("strip")
        self.note = Words(wraps=True)
        self.facts = form_layout()
        self.kept = KeptTableModel()
        self.table = _KeptTable()
        self.table.setModel(self.kept)
        self.nothing_kept = Words(kind="muted", wraps=True)
        self.text = SentText(theme, "What would be sent")
        self.readable, self.raw = QPushButton("Messages"), QPushButton("Exact bytes")
        self.copy = QPushButton("Copy")
        self._build()
        self._connect()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open(self, ticket_id: int) -> None:
        """Show what a summary of a ticket would send now."""
        self._clear()
        self.jobs.restart(self._load(ticket_id))
        self.text.setFocus()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    async def _load(self, ticket_id: int) -> None:
        assert self._desk is not None
        shown = await self._desk.preview.preview(ticket_id)
        profile = self._desk.providers.profile(shown.target.name)
        self.shown = shown
        self._show_facts(shown)
        self._show_kept(shown)
        self._show_text()
        self.copy.setEnabled(True)
        self._say(_describe(shown, locked=self._desk.providers.locked_reason(profile)))

    def _clear(self) -> None:
        self.shown = None
        self.kept.set_rows(())
        self._say("")
        self.copy.setEnabled(False)
        self.table.hide()
        self.nothing_kept.setText("")
        self.text.show_text("")
        while self.facts.rowCount():
            self.facts.removeRow(0)

    def _show_error(self, error: DeskError) -> None:
        self._say(f"{error.message} {error.remedy}".strip())

    def _say(self, words: str) -> None:
        self.note.setText(words)
        self.strip.setVisible(bool(words))

    def _show_facts(self, shown: RequestPreview) -> None:
        target, size = shown.target, len(shown.body)
        parts = range(0, len(shown.sha256), _HASH_PART)
        for title, value in (
            ("To", target.host),
            ("Provider", target.name),
            ("Model", target.model or "none chosen"),
            ("Size", f"{describe_size(size)} ({size:,} bytes)"),
            ("SHA-256", " ".join(shown.sha256[at : at + _HASH_PART] for at in parts)),
            ("Tokens in", f"about {shown.input_tokens:,}"),
            ("Cost", describe_money(shown.cost_microusd)),
        ):
            words = Words(value, wraps=True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.setMinimumWidth(1)
            name = Words(title, kind="muted")
            name.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            self.facts.addRow(name, words)

    def _show_kept(self, shown: RequestPreview) -> None:
        self.kept.set_rows(shown.kept)
        self.table.setVisible(bool(shown.kept))
        if not shown.target.redacts:
            where = "runs on this machine" if shown.target.is_local else "is set to get everything as it is"
            self.nothing_kept.setText(f"Nothing is taken out: {shown.target.name} {where}.")
        elif not shown.kept:
            self.nothing_kept.setText("Nothing was found that identifies people or opens a door.")
        self.nothing_kept.setVisible(not shown.kept)

    def _show_text(self) -> None:
        if self.shown is None:
            return
        if self.raw.isChecked():
            self.text.show_text(self.shown.body.decode())
        else:
            self.text.show_text(as_blocks((message.role, message.content) for message in self.shown.messages))

    def _copy(self) -> None:
        if self.shown is None:
            return
        if self.raw.isChecked():
            QGuiApplication.clipboard().setText(self.shown.body.decode())
            self.said.emit(f"Copied the exact body, {len(self.shown.body):,} bytes.")
        else:
            messages = ((message.role, message.content) for message in self.shown.messages)
            QGuiApplication.clipboard().setText(as_blocks(messages))
            self.said.emit("Copied the messages as they would be sent.")

    def _copy_kept(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        chosen = [self.kept.rows[index.row()] for index in rows] or list(self.kept.rows)
        if chosen:
            lines = (f"{one.redaction.placeholder}\t{describe_kind(one.redaction.kind)}\t{one.value}" for one in chosen)
            QGuiApplication.clipboard().setText("\n".join(lines))
            self.said.emit(f"Copied {count(len(chosen), 'value')} with the placeholders.")

    def _connect(self) -> None:
        ways = QButtonGroup(self)
        for way, tip in (
            (self.readable, "The messages as a person reads them"),
            (self.raw, "The body exactly as it would be sent"),
        ):
            way.setCheckable(True)
            way.setToolTip(tip)
            ways.addButton(way)
        self.readable.setChecked(True)
        ways.buttonClicked.connect(lambda _: self._show_text())
        self.copy.setToolTip("Copy what is shown, whole")
        self.copy.clicked.connect(self._copy)
        self.table.copied.connect(self._copy_kept)

    def _build(self) -> None:
        note = QHBoxLayout(self.strip)
        note.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        note.addWidget(self.note, 1)
        self.strip.hide()
        self.about.setText(
            "The first request of the next summary, before it goes. Nothing is sent by looking at it. What is marked stands in the place of a value"
            " that stays on this machine, and is put back into the answer."
        )
        both = QSplitter(Qt.Orientation.Horizontal)
        both.addWidget(self._side())
        both.addWidget(self._request())
        both.setSizes([SIDE_WIDTH, 2 * SIDE_WIDTH])
        both.setStretchFactor(1, 1)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE + 4)
        layout.addLayout(panel_head("What would be sent", self.closed))
        layout.addWidget(self.about)
        layout.addWidget(self.strip)
        layout.addWidget(both, 1)

    def _side(self) -> QWidget:
        self.facts.setVerticalSpacing(SPACE // 2 + 2)
        header = self.table.horizontalHeader()
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        side = QWidget()
        side.setMinimumWidth(30 * SPACE)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 2 * SPACE, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(self.facts)
        layout.addSpacing(SPACE)
        layout.addWidget(_heading("Stays on this machine"))
        layout.addWidget(self.nothing_kept)
        layout.addWidget(self.table, 1)
        layout.addStretch()
        return side

    def _request(self) -> QWidget:
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(_heading("Request"))
        head.addStretch()
        for button in (self.readable, self.raw, self.copy):
            head.addWidget(button)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(2 * SPACE, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.text, 1)
        return box


class _KeptTable(RowTable):
    """The values; `copied()` when the user copies from it: here the key is this table's and not the window's."""

    copied = Signal()

    def __init__(self) -> None:
        super().__init__("Values that stay on this machine", hides={})

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Copy)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
            return
        super().keyPressEvent(event)


class KeptTableModel(TitledTableModel):
    """A row each value that stays here: its placeholder, what it is, and itself."""

    def __init__(self) -> None:
        super().__init__(("Placeholder", "Kind", "Value"))
        self.rows: tuple[Kept, ...] = ()

    def set_rows(self, rows: tuple[Kept, ...]) -> None:
        """Show other values."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        kept = self.rows[index.row()]
        texts = (kept.redaction.placeholder, describe_kind(kept.redaction.kind), " ".join(kept.value.split()))
        if role == Qt.ItemDataRole.DisplayRole:
            return texts[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(kept.value)
        return None


def _describe(shown: RequestPreview, *, locked: str) -> str:
    """Say what else there is to know before it goes."""
    words = []
    if locked:
        words.append(f"{locked.rstrip('.')}: this would be refused.")
    if shown.requests > 1:
        words.append(f"The ticket is read in {shown.requests} parts: this is the first of their requests.")
    if shown.is_cached:
        words.append("A summary of this is there already: it is sent only when you have it written anew.")
    return " ".join(words)


def _heading(text: str) -> Words:
    words = Words(text)
    words.setFont(scaled(words.font(), 1.0, weight=words.font().Weight.DemiBold))
    return words
