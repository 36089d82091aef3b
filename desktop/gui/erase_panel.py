"""Erase a person: what is here of them, the two ways in which they can go, and what went.

Nothing is done until their name is typed: there is no undo. What it would do is looked up anew whenever the panel opens, and told for the chosen way.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.erasing import Erased, ErasingStep, Footprint, Found, Way
from desktop.domain.errors import DeskError
from desktop.domain.text import folded
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import FormArea, panel_head
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words
from desktop.services.erasing_wording import describe_erased, describe_footprint, describe_handles, describe_left

if TYPE_CHECKING:
    from desktop.services.container import Desk

WIDTH = 680
_BAR_STEPS = 1_000


class ErasePanel(QWidget):
    """Erases one person. `closed()` when the user is done, `erased()` when tickets are other than they were."""

    closed = Signal()
    erased = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self._found: Found | None = None
        self._footprint: Footprint | None = None
        self._is_erasing = False
        self.jobs = JobScope(self._show_error)
        self._build()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    async def close_jobs(self) -> None:
        """End everything that runs; what was begun in the database is finished first."""
        await self.jobs.close()

    def open(self, ticket_id: int) -> None:
        """Show what is here of a ticket's requester."""
        if self._is_erasing:
            return
        self._found = self._footprint = None
        self._choice.hide()
        self.typed.clear()
        self.remove.setChecked(True)
        self.name.setText("")
        self.also.setText("")
        self.outcome.say("Looking through everything that is kept here…", "muted")
        assert self._desk is not None
        self.jobs.restart(self._look(self._desk, ticket_id))

    def _build(self) -> None:
        self.name = Words(wraps=True)
        self.name.setFont(scaled(self.font(), 1.1, weight=self.font().Weight.DemiBold))
        self.also = Words(kind="muted", wraps=True)
        self.outcome = Words(kind="muted", wraps=True)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setRange(0, _BAR_STEPS)
        self.progress.setAccessibleName("How far erasing is")
        self.progress.hide()
        self._choice = self._build_choice()
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for widget in (self.name, self.also, self._choice, self.outcome, self.progress):
            layout.addWidget(widget)
        layout.addStretch()
        column.setMaximumWidth(WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        outer.setSpacing(2 * SPACE)
        outer.addLayout(panel_head("Erase a person", self.closed))
        outer.addWidget(FormArea(column))
        outer.addStretch()

    def _build_choice(self) -> QWidget:
        self.remove = QRadioButton("Remove everything")
        self.anonymize = QRadioButton("Anonymize")
        self.what = Words(wraps=True)
        self.left = Words(kind="stripNote", wraps=True)
        self.left.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        strip = QFrame()
        strip.setObjectName("strip")
        note = QVBoxLayout(strip)
        note.setContentsMargins(SPACE + SPACE // 2, SPACE, SPACE + SPACE // 2, SPACE)
        note.addWidget(self.left)
        self.hint = Words(wraps=True)
        self.typed = QLineEdit()
        self.typed.setAccessibleName("The name, typed to confirm")
        self.typed.textChanged.connect(lambda _: self._show_ready())
        self.typed.returnPressed.connect(self._on_erase)
        self.erase_button = QPushButton("Erase")
        self.erase_button.setProperty("kind", "primary")
        self.erase_button.clicked.connect(self._on_erase)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.typed, 1)
        row.addWidget(self.erase_button)
        choice = QWidget()
        layout = QVBoxLayout(choice)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        for radio, words in (
            (self.remove, "Their tickets go, with every message and all that was made of them."),
            (
                self.anonymize,
                "Their tickets stay; a stand-in takes the place of name, e-mail, telephone and signature.",
            ),
        ):
            layout.addWidget(radio)
            layout.addWidget(_below(words, radio))
            radio.toggled.connect(lambda _: self._show_plan())
        layout.addSpacing(SPACE)
        layout.addWidget(self.what)
        layout.addWidget(strip)
        layout.addSpacing(SPACE)
        layout.addWidget(self.hint)
        layout.addLayout(row)
        return choice

    @property
    def way(self) -> Way:
        """Return the way that is chosen."""
        return Way.ANONYMIZE if self.anonymize.isChecked() else Way.REMOVE

    async def _look(self, desk: Desk, ticket_id: int) -> None:
        found = await desk.erasing.of_ticket(ticket_id)
        self._found = found
        name, _, also = describe_handles(found).partition(", also known as ")
        self.name.setText(name)
        self.also.setText(f"Also known as {also}" if also else "")
        self.also.setVisible(bool(also))
        self._footprint = await desk.erasing.footprint(found)
        self.outcome.say("", "muted")
        self._choice.show()
        self.hint.setText(f"Type {found.handles.known_as} to erase them:")
        self._show_plan()
        self.remove.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_plan(self) -> None:
        if self._footprint is None:
            return
        left = describe_left(self._footprint)
        lines = [line for line in describe_footprint(self._footprint, self.way) if line not in left]
        self.what.setText("\n".join(f"•  {line}." for line in lines))
        no_way_back = "There is no undo, and no copy is made. Exports and files elsewhere are yours to delete."
        self.left.setText("\n".join([no_way_back, *(f"{line}" for line in left)]))
        self.erase_button.setText("Anonymize" if self.way is Way.ANONYMIZE else "Erase")
        self._show_ready()

    def _show_ready(self) -> None:
        self.erase_button.setEnabled(self._is_confirmed())

    def _is_confirmed(self) -> bool:
        found = self._found
        return (
            found is not None and not self._is_erasing and folded(self.typed.text()) == folded(found.handles.known_as)
        )

    def _on_erase(self) -> None:
        if self._is_confirmed():
            assert self._desk is not None
            assert self._found is not None
            self.jobs.restart(self._erase(self._desk, self._found, self.way))

    async def _erase(self, desk: Desk, found: Found, way: Way) -> None:
        self._set_erasing(True)
        try:
            async with aclosing(desk.erasing.erase(found, way)) as events:
                async for event in events:
                    if isinstance(event, ErasingStep):
                        self.progress.setValue(round(event.fraction * _BAR_STEPS))
                        self.outcome.say(f"{event.doing}…", "muted")
                    elif isinstance(event, Erased):
                        self._show_outcome(found, event)
        finally:
            self._set_erasing(False)

    def _set_erasing(self, is_erasing: bool) -> None:
        self._is_erasing = is_erasing
        self._choice.setEnabled(not is_erasing)
        self.progress.setVisible(is_erasing)
        self._show_ready()

    def _show_outcome(self, found: Found, erased: Erased) -> None:
        self._found = self._footprint = None
        self._choice.hide()
        self.also.hide()
        # The name goes from the screen too.
        self.name.setText("Anonymized" if erased.way is Way.ANONYMIZE else "Erased")
        self.outcome.say("\n".join(describe_erased(found, erased)), "")
        self.erased.emit()

    def _show_error(self, error: DeskError) -> None:
        self.outcome.say(str(error), "errorText")


def _below(text: str, radio: QRadioButton) -> Words:
    """Return what a choice means, small and below it, in line with its words."""
    words = Words(text, kind="muted", wraps=True)
    words.setFont(small_font(radio.font()))
    words.setIndent(3 * SPACE)
    radio.setAccessibleDescription(text)
    return words
