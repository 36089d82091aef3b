"""Recipe preview: the whole prompt as it would be sent for a ticket, and a trial of it.

What a ticket says and what a model answers is shown as it is and does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.runs import Finished, Started, Summary, TextDelta, Thinking
from desktop.gui.jobs import JobScope
from desktop.gui.recipe_editor import mono_font
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words
from desktop.services.prompting import AnswerForm
from desktop.services.wording import count, describe_end, describe_findings

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.prompt_preview import Preview
    from desktop.services.recipes import Recipe

FLUSH_MS = 40
_FORMS = ((AnswerForm.LINES, "As lines"), (AnswerForm.JSON, "As JSON"))
_ROLES = {"system": "Instructions", "user": "An example", "assistant": "Its answer"}
_BY_ITSELF = "It is asked for by itself, when a ticket changed or is too long for the model."


class RecipePreview(QWidget):
    """The right half of the recipes panel. It asks its owner to save what is tried (`save`), and tells of a summary that was written."""

    tried = Signal(int)

    def __init__(self, theme: Theme, *, save: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._save = save
        self._desk: Desk | None = None
        self._recipe: Recipe | None = None
        self._ids: Callable[[int], int | None] = lambda _: None
        self._row = 0
        self._preview: Preview | None = None
        self._stop = asyncio.Event()
        self._coming: list[str] = []
        self.jobs = JobScope(self._show_error)
        self.trial = JobScope(self._show_error)
        self._flush = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._flush.timeout.connect(self._write_coming)
        self._build()
        theme.changed.connect(self._render)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def choose(self, ticket_at: Callable[[int], int | None], row: int) -> None:
        """Show the prompt for one of many tickets: `ticket_at(row)` is its id, None where there is none."""
        self._ids, self._row = ticket_at, max(row, 0)
        self._reload()

    def show_recipe(self, recipe: Recipe | None, *, is_changed: bool) -> None:
        """Show the prompt of another recipe, or of another text of it; None while its text cannot be read as one."""
        self._recipe = recipe
        can_try = recipe is not None and recipe.task not in ("incremental", "merge")
        self.try_button.setText("Save and try it" if is_changed else "Try it")
        self.try_button.setEnabled(can_try and self._ids(self._row) is not None)
        self.try_button.setToolTip(
            _BY_ITSELF
            if recipe is not None and not can_try
            else "Ask the provider for this ticket; the answer is kept as a version of its summary"
        )
        self._reload()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        for scope in (self.jobs, self.trial):
            await scope.close()

    def _build(self) -> None:
        self._form = QComboBox()
        self._form.setAccessibleName("The form of the answer")
        self._form.setToolTip(
            "The form that the answer is asked for in: JSON of providers that take a schema, lines of all others"
        )
        for form, title in _FORMS:
            self._form.addItem(title, form)
        self._form.currentIndexChanged.connect(lambda _: self._reload())
        self.prompt = SafeTextBrowser()
        self.prompt.setObjectName("framed")
        self.prompt.setAccessibleName("The prompt as it would be sent")
        self.answer = SafeTextBrowser()
        self.answer.setObjectName("framed")
        self.answer.setAccessibleName("The answer")
        for view in (self.prompt, self.answer):
            view.setFont(mono_font(view))
        self.tokens = Words(kind="faint", wraps=True)
        self.tokens.setFont(small_font(self.font()))
        self.status = Words(kind="muted", wraps=True)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.prompt)
        self._splitter.addWidget(self._build_answer())
        self._splitter.setSizes([480, 240])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(self._build_ticket_row())
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self.tokens)
        layout.addLayout(self._build_try_row())

    def _build_ticket_row(self) -> QHBoxLayout:
        self.previous, self.next = QPushButton(), QPushButton()
        for button, name, step in ((self.previous, "Previous ticket", -1), (self.next, "Next ticket", 1)):
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.clicked.connect(lambda _=False, s=step: self._step(s))
        self.ticket = ElidedWords()
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for widget in (self.previous, self.next):
            row.addWidget(widget)
        row.addWidget(self.ticket, 1)
        row.addWidget(self._form)
        self._show_icons()
        return row

    def _build_answer(self) -> QWidget:
        self._answer_box = QWidget()
        box = QVBoxLayout(self._answer_box)
        box.setContentsMargins(0, SPACE, 0, 0)
        box.setSpacing(SPACE // 2)
        title = Words("The answer")
        title.setFont(scaled(self.font(), 1.0, weight=title.font().Weight.DemiBold))
        box.addWidget(title)
        box.addWidget(self.answer, 1)
        self._answer_box.hide()
        return self._answer_box

    def _build_try_row(self) -> QHBoxLayout:
        self.try_button = QPushButton("Try it")
        self.try_button.setEnabled(False)
        self.try_button.clicked.connect(self._on_try)
        self.stop_button = QPushButton("Stop")
        self.stop_button.clicked.connect(lambda: self._stop.set())
        self.stop_button.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.try_button)
        row.addWidget(self.stop_button)
        row.addWidget(self.status, 1)
        return row

    # The prompt

    def _step(self, by: int) -> None:
        self._row += by
        self._reload()

    def _reload(self) -> None:
        self.previous.setEnabled(self._row > 0 and self._ids(self._row - 1) is not None)
        self.next.setEnabled(self._ids(self._row + 1) is not None)
        if self._desk is not None:
            self.jobs.restart(self._load())

    async def _load(self) -> None:
        assert self._desk is not None
        ticket_id = self._ids(self._row)
        rows = await self._desk.tickets.rows([ticket_id]) if ticket_id is not None else []
        self.ticket.setText(f"{rows[0].reference} · {rows[0].title}" if rows else "No ticket is chosen.")
        if self._recipe is None:
            self._preview = None
            self.tokens.setText("The prompt is shown again once the front matter is mended.")
        else:
            form = self._form.currentData()
            self._preview = await self._desk.previews.preview(self._recipe, ticket_id if rows else None, form=form)
            self.tokens.setText(_tell(self._preview))
        self._render()

    def _render(self) -> None:
        self._show_icons()
        place = self.prompt.verticalScrollBar().value()
        self.prompt.clear()
        if self._preview is None:
            return
        self.prompt.document().setDefaultFont(self.prompt.font())
        cursor = QTextCursor(self.prompt.document())
        cursor.beginEditBlock()
        for number, message in enumerate(self._preview.messages):
            title = "The ticket" if number == len(self._preview.messages) - 1 else _ROLES[message.role]
            is_fixed = number < self._preview.fixed_count
            self._insert_heading(cursor, f"{title}{' · the same for every ticket' if is_fixed else ''}")
            self._insert_text(cursor, message.content)
        cursor.endEditBlock()
        self.prompt.verticalScrollBar().setValue(place)

    def _insert_heading(self, cursor: QTextCursor, text: str) -> None:
        look, ink = QTextBlockFormat(), QTextCharFormat()
        if cursor.position():
            cursor.insertBlock()
            look.setTopMargin(2 * SPACE)
        look.setBottomMargin(SPACE // 2)
        ink.setFont(scaled(self.font(), 0.92, weight=self.font().Weight.DemiBold))
        ink.setForeground(QColor(self._theme.tokens.accent))
        cursor.setBlockFormat(look)
        cursor.insertText(text, ink)

    def _insert_text(self, cursor: QTextCursor, text: str) -> None:
        ink = QTextCharFormat()
        ink.setFont(self.prompt.font())
        ink.setForeground(QColor(self._theme.tokens.text))
        cursor.insertBlock(QTextBlockFormat())
        # A block a line: half a megabyte is laid out in 135 ms; as one block with soft line ends it takes twice as long.
        cursor.insertText(text, ink)

    def _show_icons(self) -> None:
        for button, name in ((self.previous, "chevron-left"), (self.next, "chevron-right")):
            button.setIcon(self._theme.icons.icon(name))

    # The trial

    def _on_try(self) -> None:
        self._save()
        ticket_id = self._ids(self._row)
        if self._recipe is not None and ticket_id is not None:
            self.trial.restart(self._try(ticket_id, self._recipe.name))

    async def _try(self, ticket_id: int, recipe: str) -> None:
        assert self._desk is not None
        self._stop = asyncio.Event()
        self._coming = []
        self.answer.clear()
        self._answer_box.show()
        self.status.say("Reading the ticket…", "muted")
        self._set_running(True)
        try:
            stream = self._desk.summaries.stream(ticket_id, recipe=recipe, refresh=True, stop=self._stop)
            async with aclosing(stream) as events:
                async for event in events:
                    self._show_event(event)
        finally:
            self._set_running(False)
        self.tried.emit(ticket_id)

    def _show_event(self, event: object) -> None:
        if isinstance(event, Started):
            self.status.say(f"{event.provider} · {event.model}", "muted")
        elif isinstance(event, Thinking):
            self.status.say("The model is thinking…", "muted")
        elif isinstance(event, TextDelta):
            self._coming.append(event.text)
            if not self._flush.isActive():
                self._flush.start()
        elif isinstance(event, Finished):
            self._write_coming()
            self._show_end(event.summary)

    def _write_coming(self) -> None:
        text, self._coming = "".join(self._coming), []
        bar = self.answer.verticalScrollBar()
        is_at_end = bar.value() == bar.maximum()
        cursor = QTextCursor(self.answer.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if is_at_end:
            bar.setValue(bar.maximum())

    def _show_end(self, summary: Summary) -> None:
        if end := describe_end(summary):
            self.status.say(end, "errorText")
            return
        parts = [describe_findings(summary), f"{summary.seconds:.1f} s"]
        if summary.usage.input_tokens is not None:
            cached = summary.usage.cached_input_tokens
            parts.append(f"{summary.usage.input_tokens:,} tokens in{f', {cached:,} of them cached' if cached else ''}")
        if summary.cost_microusd:
            parts.append(f"${summary.cost_microusd / 1e6:.4f}")
        self.status.say(" · ".join(part for part in parts if part), "muted")

    def _set_running(self, is_running: bool) -> None:
        self.try_button.setVisible(not is_running)
        self.stop_button.setVisible(is_running)

    def _show_error(self, error: DeskError) -> None:
        self.status.say(str(error), "errorText")


def _tell(preview: Preview) -> str:
    """Say how long a prompt is, and how much of it is paid for once."""
    share = preview.fixed_tokens / preview.tokens if preview.tokens else 0
    text = (
        f"About {preview.tokens:,} tokens; {preview.fixed_tokens:,} of them ({share:.0%}) are the same for every ticket,"
        f" which providers may charge less for. At most {preview.answer_tokens:,} for the answer."
    )
    if preview.shown < preview.message_count:
        text += f" {preview.shown} of {count(preview.message_count, 'message')} shown."
    return text
