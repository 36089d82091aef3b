"""What of operations can be set: above what the status bar warns, where spans are sent, and how long the texts of requests are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.operations import AlertLimits, SpanStatus
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import add_row, form_layout, side_by_side
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import LABEL_WIDTH, SPACE
from desktop.gui.words import Words
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

NUMBER_WIDTH = 14 * SPACE
ADDRESS_WIDTH = 52 * SPACE
_NUMBER = QRegularExpression(r"\d{0,6}([.,]\d{0,4})?")
_WHOLE = QRegularExpression(r"\d{0,5}")
_SPANS = (
    "Each request is told to your own OpenTelemetry collector as a span by the conventions for generative AI: who was asked,"
    " how long it took, tokens, cost and how it ended. Never a prompt, an answer, or what stands in a ticket."
    " Off while the address is empty; it must be https, or http on this machine. What was sent before is not told."
)


class OperationsSettings(QWidget):
    """Edits limits, the collector's address and how long texts are kept. `changed()` when a limit was; each is kept when its field is left."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._desk: Desk | None = None
        self.jobs = JobScope(self._show_error)
        self.spend, self.rate, self.latency = (_number_field(_NUMBER, "never") for _ in range(3))
        self.days = _number_field(_WHOLE, "30")
        self.address = QLineEdit(placeholderText="https://collector.example.com:4318")
        self.address.setMaximumWidth(ADDRESS_WIDTH)
        self.send = QPushButton("Send now")
        self.spans = Words(kind="muted", wraps=True)
        self.said = Words(kind="errorText", wraps=True)
        self._build()
        for field in (self.spend, self.rate, self.latency):
            field.editingFinished.connect(self._keep_limits)
        self.days.editingFinished.connect(self._keep_days)
        self.address.editingFinished.connect(self._keep_address)
        self.send.clicked.connect(lambda: self.jobs.restart(self._send()))

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open(self) -> None:
        """Show what is set."""
        assert self._desk is not None
        limits = self._desk.operations.limits()
        self.spend.setText(_shown(limits.spend_day))
        self.rate.setText(_shown(limits.error_rate * 100))
        self.latency.setText(_shown(limits.first_token_seconds))
        self.days.setText(str(self._desk.settings.get("trace_days")))
        self.address.setText(self._desk.settings.get("otlp_address"))
        self.said.clear()
        self.refresh()

    def refresh(self) -> None:
        """Say again how the sending of spans stands."""
        if self._desk is not None:
            self.jobs.start(self._load())

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    async def _load(self) -> None:
        assert self._desk is not None
        status = await self._desk.operations.spans.status()
        self.send.setEnabled(bool(status.address) and bool(status.pending))
        self.spans.say(*_tell(status))

    async def _send(self) -> None:
        assert self._desk is not None
        self.said.clear()
        self.send.setEnabled(False)
        try:
            await self._desk.operations.spans.send_now()
        finally:
            await self._load()

    def _keep_limits(self) -> None:
        assert self._desk is not None
        limits = AlertLimits(_read(self.spend), min(1.0, _read(self.rate) / 100), _read(self.latency))
        if limits != self._desk.operations.limits():
            self._keep(lambda desk: desk.operations.set_limits(limits))
            self.changed.emit()

    def _keep_days(self) -> None:
        text = self.days.text()
        if text:
            self._keep(lambda desk: desk.settings.set("trace_days", int(text)))

    def _keep_address(self) -> None:
        assert self._desk is not None
        if self.address.text().strip() != self._desk.settings.get("otlp_address"):
            self._keep(lambda desk: desk.operations.spans.set_address(self.address.text()))
            self.refresh()

    def _keep(self, change: Callable[[Desk], object]) -> None:
        assert self._desk is not None
        self.said.clear()
        try:
            change(self._desk)
        except DeskError as error:
            self._show_error(error)

    def _show_error(self, error: DeskError) -> None:
        self.said.setText(str(error))

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE + 4)
        alerts, spans, traces = form_layout(), form_layout(), form_layout()
        for title, field, unit in (
            ("Spend today", self.spend, "US dollars (a day begins at midnight UTC)"),
            ("Errors", self.rate, "% of the last 20 calls within the last hour, of at least 5"),
            ("First token (p95)", self.latency, "seconds, of the same calls"),
        ):
            _add(alerts, title, field, unit)
        self.address.setAccessibleName("Collector")
        add_row(spans, "Collector", side_by_side(self.address, self.send, QWidget()))
        _add(
            traces,
            "Keep for",
            self.days,
            "days; prompts and answers older than that are forgotten, the list of requests stays",
        )
        explained = Words(_SPANS, kind="muted", wraps=True)
        for heading, widgets in (
            ("Warn in the status bar above these", (alerts,)),
            ("OpenTelemetry", (explained, spans, self.spans)),
            ("Texts of requests", (traces,)),
        ):
            layout.addWidget(_heading(heading))
            for each in widgets:
                layout.addWidget(each) if isinstance(each, QWidget) else layout.addLayout(each)
            layout.addSpacing(2 * SPACE)
        # The fields of all three forms stand below each other.
        for name in (words for words in self.findChildren(Words) if words.buddy() is not None):
            name.setMinimumWidth(LABEL_WIDTH)
        layout.addWidget(self.said)
        layout.addStretch()


def _tell(status: SpanStatus) -> tuple[str, str]:
    """Say how the sending stands, and in which look."""
    if status.failure:
        waiting = (
            f" {count(status.pending, 'span')} {'waits' if status.pending == 1 else 'wait'}." if status.pending else ""
        )
        return f"{status.failure} {status.remedy}{waiting}".strip(), "errorText"
    if not status.address:
        return "Off: nothing is sent.", "muted"
    return f"To {status.address}: {status.sent:,} sent since TLDesk was started, {status.pending:,} waiting.", "muted"


def _number_field(pattern: QRegularExpression, empty: str) -> QLineEdit:
    field = QLineEdit(placeholderText=empty)
    field.setValidator(QRegularExpressionValidator(pattern, field))
    field.setFixedWidth(NUMBER_WIDTH)
    return field


def _add(form: QFormLayout, title: str, field: QLineEdit, unit: str) -> None:
    row = QWidget()
    beside = QHBoxLayout(row)
    beside.setContentsMargins(0, 0, 0, 0)
    beside.setSpacing(SPACE)
    beside.addWidget(field)
    beside.addWidget(Words(unit, kind="muted", wraps=True), 1)
    field.setAccessibleName(f"{title}, {unit}")
    add_row(form, title, row)


def _heading(text: str) -> Words:
    words = Words(text)
    words.setFont(scaled(words.font(), 1.05, weight=words.font().Weight.DemiBold))
    return words


def _shown(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".") if number else ""


def _read(field: QLineEdit) -> float:
    """Return a number as it was typed, with a point or a comma; 0 for none."""
    text = field.text().replace(",", ".").strip(".")
    return float(text) if text else 0.0
