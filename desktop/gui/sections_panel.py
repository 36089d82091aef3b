"""The sections of a summary as the user wants them: which, under which label, in which order.

It stands in the card, in place of the summary. Every change holds at once; *Reset* brings back the sections as they come. What a section is asked for
stays the same whatever its label: it is known by its own name everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.domain.sections import STANDARD_SECTIONS, SectionChoice
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words


class SectionsPanel(QWidget):
    """Edits `SectionChoice`s. `chosen(choices)` on every change, `closed()` when the user is done."""

    chosen = Signal(tuple)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._choices: list[SectionChoice] = [SectionChoice(name, name) for name in STANDARD_SECTIONS]
        self._rows: list[_Row] = []
        title = Words("Sections")
        title.setFont(scaled(self.font(), 1.0, weight=title.font().Weight.DemiBold))
        hint = ElidedWords(kind="faint")
        hint.setText("Ctrl+Up and Ctrl+Down move a section")
        hint.setFont(small_font(self.font()))
        self.reset_button = QPushButton("Reset")
        self.reset_button.setToolTip("All sections, under their own names, in their own order")
        self.reset_button.clicked.connect(self._reset)
        self.done_button = QPushButton("Done")
        self.done_button.setProperty("kind", "primary")
        self.done_button.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(hint, 1)
        head.addWidget(self.reset_button)
        head.addWidget(self.done_button)
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE // 2)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addLayout(self._grid)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._build_rows()
        theme.changed.connect(self._on_theme)

    def show_choices(self, choices: Sequence[SectionChoice]) -> None:
        """Show these choices."""
        if list(choices) != self._choices:
            self._choices = list(choices)
            self._fill()

    def setFocus(self, *_: object) -> None:
        """Take the keyboard, at the first section."""
        self._rows[0].box.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                at = next((i for i, row in enumerate(self._rows) if watched in row.widgets()), -1)
                if at >= 0:
                    self._move(at, step)
                    return True
        return super().eventFilter(watched, event)

    def _build_rows(self) -> None:
        for at in range(len(STANDARD_SECTIONS)):
            row = _Row()
            row.box.clicked.connect(lambda is_on, a=at: self._change(a, is_on=is_on))
            row.name.editingFinished.connect(lambda a=at: self._rename(a))
            row.up.clicked.connect(lambda _=False, a=at: self._move(a, -1))
            row.down.clicked.connect(lambda _=False, a=at: self._move(a, 1))
            for column, widget in enumerate(row.widgets()):
                widget.installEventFilter(self)
                self._grid.addWidget(widget, at, column)
            self._rows.append(row)
        self._on_theme()
        self._fill()

    def _fill(self) -> None:
        last = len(self._choices) - 1
        for at, (row, choice) in enumerate(zip(self._rows, self._choices, strict=True)):
            row.show(choice)
            row.up.setEnabled(at > 0)
            row.down.setEnabled(at < last)

    def _change(self, at: int, *, label: str = "", is_on: bool | None = None) -> None:
        old = self._choices[at]
        new = SectionChoice(old.name, label or old.label, old.is_on if is_on is None else is_on)
        if new != old:
            self._choices[at] = new
            self._tell()

    def _rename(self, at: int) -> None:
        # An empty label is none: the section goes back to its own name.
        self._change(at, label=" ".join(self._rows[at].name.text().split()) or self._choices[at].name)

    def _move(self, at: int, step: int) -> None:
        to = at + step
        if not 0 <= to < len(self._choices):
            return
        self._rename(at)
        self._choices[at], self._choices[to] = self._choices[to], self._choices[at]
        # The keyboard goes along with what it moved.
        kind = next((i for i, widget in enumerate(self._rows[at].widgets()) if widget.hasFocus()), 0)
        self._tell()
        target = self._rows[to].widgets()[kind]
        (target if target.isEnabled() else self._rows[to].box).setFocus()

    def _reset(self) -> None:
        self._choices = [SectionChoice(name, name) for name in STANDARD_SECTIONS]
        self._tell()

    def _tell(self) -> None:
        self._fill()
        self.chosen.emit(tuple(self._choices))

    def _on_theme(self) -> None:
        for row in self._rows:
            row.up.setIcon(self._theme.icons.icon("chevron-up"))
            row.down.setIcon(self._theme.icons.icon("chevron-down"))


class _Row:
    def __init__(self) -> None:
        self.box = QCheckBox()
        self.name = QLineEdit()
        self.own_name = Words(kind="faint")
        self.up, self.down = QPushButton(), QPushButton()
        for button in (self.up, self.down):
            button.setProperty("kind", "flat")

    def widgets(self) -> tuple[QWidget, ...]:
        return (self.box, self.name, self.own_name, self.up, self.down)

    def show(self, choice: SectionChoice) -> None:
        self.box.setChecked(choice.is_on)
        self.box.setAccessibleName(f"Show {choice.name}")
        self.box.setToolTip("Show this section")
        if self.name.text() != choice.label:
            self.name.setText(choice.label)
        self.name.setPlaceholderText(choice.name)
        self.name.setAccessibleName(f"Label of {choice.name}")
        self.own_name.setText("" if choice.label == choice.name else choice.name)
        self.up.setAccessibleName(f"Move {choice.name} up")
        self.up.setToolTip("Move up (Ctrl+Up)")
        self.down.setAccessibleName(f"Move {choice.name} down")
        self.down.setToolTip("Move down (Ctrl+Down)")
