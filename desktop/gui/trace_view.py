"""One request whole: the prompt as it was sent, what was taken out of it, its parameters, the raw answer, how long it took and how it ended.

All of it is shown as plain text and nothing is loaded or followed: prompts hold tickets, and answers are a model's. Placeholders stay as they were
sent, marked by color, because that is what the provider saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.outgoing import Trace
from desktop.gui.jobs import JobScope
from desktop.gui.leaf_head import LeafHead
from desktop.gui.operations_tables import describe_size
from desktop.gui.panel_parts import form_layout
from desktop.gui.sent_text import SentText, as_blocks
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time
from desktop.gui.words import Words, named_frame
from desktop.services.operations import read_request
from desktop.services.operations_words import (
    describe_entry_state,
    describe_error,
    describe_money,
    describe_purpose,
    describe_redactions,
    describe_seconds,
    remedy_for,
)

if TYPE_CHECKING:
    from desktop.services.container import Desk

FACTS_WIDTH = 40 * SPACE
_GONE = "The text was not kept: it is older than the settings keep it, or it was erased. The ledger's facts stay."


class TraceView(QWidget):
    """Shows one request. `left()` when the user goes back, `ticket_opened(id)` when its ticket is to be seen."""

    left = Signal()
    ticket_opened = Signal(int)
    failed = Signal(DeskError)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._desk: Desk | None = None
        self._trace: Trace | None = None
        self.jobs = JobScope(self.failed.emit)
        self.head = LeafHead(theme)
        self.head.lead_back_to("Requests")
        self.ticket = QPushButton("Open the ticket")
        self.raw = QPushButton("Exact bytes")
        self.raw.setCheckable(True)
        self.raw.setToolTip("Show the body exactly as it was sent, instead of its messages")
        self.trouble = named_frame("strip")
        self._trouble_words = Words(wraps=True)
        self.facts = form_layout()
        self.prompt, self.answer = SentText(theme, "Prompt as sent"), SentText(theme, "Raw answer")
        self._build()
        self.head.left.connect(self.left)
        self.raw.toggled.connect(lambda _: self._show_prompt())
        self.ticket.clicked.connect(self._on_ticket)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def show_request(self, entry_id: int) -> None:
        """Show one request."""
        self.jobs.restart(self._load(entry_id))
        self.prompt.setFocus()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    async def _load(self, entry_id: int) -> None:
        assert self._desk is not None
        trace = await self._desk.operations.trace(entry_id)
        names = await self._desk.operations.references([trace.entry])
        self._trace = trace
        entry = trace.entry
        self.head.title.setText(f"Request {entry.id}: {describe_purpose(entry)}")
        ended = describe_entry_state(entry.state)
        self.head.facts.setText(f"{readable_time(entry.at)}:{entry.at[17:19]} UTC · {entry.host} · {ended}")
        wrong = " ".join(filter(None, (describe_error(entry), remedy_for(entry))))
        self._trouble_words.setText(wrong)
        self.trouble.setVisible(bool(wrong))
        self.ticket.setVisible(entry.ticket_id in names)
        self._show_facts(trace, names.get(entry.ticket_id, ""))
        self._show_prompt()
        self.answer.show_text(trace.answer or (_GONE if not trace.body else "Nothing came."))

    def _on_ticket(self) -> None:
        if self._trace is not None:
            self.ticket_opened.emit(self._trace.entry.ticket_id)

    def _show_facts(self, trace: Trace, ticket: str) -> None:
        entry = trace.entry
        while self.facts.rowCount():
            self.facts.removeRow(0)
        _, parameters = read_request(trace.body)
        usage = entry.usage
        cached = f", {usage.cached_input_tokens:,} of them cached" if usage.cached_input_tokens else ""
        rows = [
            ("Provider", entry.provider or "not recorded"),
            ("Model", entry.model or "–"),
            ("Recipe", entry.recipe),
            ("Ticket", ticket.replace(":", ":\n", 1)),  # an id of a source has no place to break
            ("Try", str(entry.attempt)),
            ("Status", str(entry.status) if entry.status else "none came"),
            ("Left out", describe_redactions(entry.redactions)),
            ("Size", f"{describe_size(entry.bytes)} ({entry.bytes:,} bytes)"),
            ("First token", describe_seconds(entry.first_token_seconds)),
            ("Whole answer", describe_seconds(entry.seconds)),
            ("Tokens in", "not said" if usage.input_tokens is None else f"{usage.input_tokens:,}{cached}"),
            ("Tokens out", "not said" if usage.output_tokens is None else f"{usage.output_tokens:,}"),
            ("Cost", describe_money(entry.cost_microusd)),
            ("SHA-256", " ".join(entry.sha256[i : i + 16] for i in range(0, len(entry.sha256), 16))),
        ]
        for title, value in rows:
            if value:
                self._add_fact(title, value)
        if parameters:
            self.facts.addRow(_heading("Parameters"))
            for name, value in parameters:
                self._add_fact(name, value if len(value) < 200 else f"{value[:200]}…")

    def _add_fact(self, title: str, value: str) -> None:
        words = Words(value, wraps=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setMinimumWidth(1)
        name = Words(title, kind="muted")
        name.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.facts.addRow(name, words)

    def _show_prompt(self) -> None:
        if self._trace is None:
            return
        messages, _ = read_request(self._trace.body)
        self.raw.setEnabled(bool(messages))
        if self.raw.isChecked() or not messages:
            self.prompt.show_text(self._trace.body or _GONE)
            return
        self.prompt.show_text(as_blocks(messages))

    def _build(self) -> None:
        strip = QHBoxLayout(self.trouble)
        strip.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        strip.addWidget(self._trouble_words, 1)
        self.trouble.hide()
        self.facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.facts.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self.facts.setVerticalSpacing(SPACE // 2 + 2)
        inside = QWidget()
        inside.setLayout(self.facts)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        area.setMinimumWidth(28 * SPACE)
        texts = QSplitter(Qt.Orientation.Vertical)
        texts.addWidget(_titled("Prompt as sent", self.prompt, self.raw))
        texts.addWidget(_titled("Raw answer", self.answer))
        texts.setSizes([420, 260])
        both = QSplitter(Qt.Orientation.Horizontal)
        both.addWidget(area)
        both.addWidget(texts)
        both.setSizes([FACTS_WIDTH, 3 * FACTS_WIDTH])
        both.setStretchFactor(1, 1)
        for splitter in (texts, both):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        head = QHBoxLayout()
        head.addWidget(self.head, 1)
        head.addWidget(self.ticket, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(head)
        layout.addWidget(self.trouble)
        layout.addWidget(both, 1)


def _titled(title: str, view: QWidget, *tools: QPushButton) -> QWidget:
    box = QWidget()
    head = QHBoxLayout()
    head.addWidget(_heading(title))
    head.addStretch()
    for tool in tools:
        head.addWidget(tool)
    layout = QVBoxLayout(box)
    layout.setContentsMargins(2 * SPACE, SPACE // 2, 0, SPACE // 2)
    layout.setSpacing(SPACE // 2)
    layout.addLayout(head)
    layout.addWidget(view, 1)
    return box


def _heading(text: str) -> Words:
    words = Words(text)
    words.setFont(scaled(words.font(), 1.0, weight=words.font().Weight.DemiBold))
    return words
