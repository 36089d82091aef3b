"""Who does what: for every task the provider and the model that do it, where that is not the default one; and what happens by itself.

Every change holds at once. A provider that may not be asked now stays where it was chosen, and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, ProviderProfile, TaskModel
from desktop.gui.panel_parts import FormArea, add_choice
from desktop.gui.theme.style import small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words, plain_tip
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION

if TYPE_CHECKING:
    from desktop.services.container import Desk

_AUTO = (("local", "With a model on this machine"), ("always", "Always"), ("never", "Only when I ask"))
WIDTH = 112 * SPACE
_TITLES = ("Task", "Provider", "Model", "If it fails")


class TaskTable(QWidget):
    """Edits who does what. `changed()` after every change, `failed(error)` when one could not be kept."""

    changed = Signal()
    failed = Signal(DeskError)

    def __init__(self) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self.rows: list[_Row] = []
        self.auto = QComboBox()
        self.auto.setAccessibleName("Summarize when a ticket is opened")
        for value, text in _AUTO:
            self.auto.addItem(text, value)
        self.auto.currentIndexChanged.connect(self._on_auto)
        by_itself = QHBoxLayout()
        by_itself.setSpacing(SPACE)
        by_itself.addWidget(Words("Summarize when a ticket is opened:"))
        by_itself.addWidget(self.auto)
        by_itself.addStretch()
        note = "A task without a provider of its own is done by the default one. Merging parts and bringing up to date belong to their summary."
        content = QWidget()
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * SPACE)
        self._grid.setVerticalSpacing(SPACE)
        for column, stretch in enumerate((0, 4, 4, 2)):
            self._grid.setColumnStretch(column, stretch)
            title = ElidedWords(kind="faint")
            title.setText(_TITLES[column])
            title.setFont(small_font(self.font()))
            self._grid.addWidget(title, 0, column)
        self.setMaximumWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(by_itself)
        layout.addWidget(Words(note, kind="muted", wraps=True))
        layout.addWidget(FormArea(content), 1)
        layout.addStretch()

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open(self) -> None:
        """Show what is set."""
        assert self._desk is not None
        self.auto.blockSignals(True)
        self.auto.setCurrentIndex(max(0, self.auto.findData(self._desk.settings.get("auto_summarize"))))
        self.auto.blockSignals(False)
        tasks = self._desk.providers.tasks.all()
        while len(self.rows) > len(tasks):
            self.rows.pop().remove()
        while len(self.rows) < len(tasks):
            row = _Row()
            place = len(self.rows)
            row.provider.activated.connect(lambda _, at=place: self._on_provider(at))
            row.model.editingFinished.connect(lambda at=place: self._on_model(at))
            for column, widget in enumerate(row.widgets()):
                self._grid.addWidget(widget, place + 1, column)
            self.rows.append(row)
        for row, chosen in zip(self.rows, tasks, strict=True):
            row.show(chosen, self._desk)

    def _on_provider(self, at: int) -> None:
        row = self.rows[at]
        chosen = TaskModel(row.chosen.task, str(row.provider.currentData()))
        if chosen.provider != row.chosen.provider:
            self._keep(row, chosen)

    def _on_model(self, at: int) -> None:
        row = self.rows[at]
        chosen = TaskModel(row.chosen.task, row.chosen.provider, row.model.text().strip())
        if chosen.provider and chosen != row.chosen:
            self._keep(row, chosen)

    def _keep(self, row: _Row, chosen: TaskModel) -> None:
        assert self._desk is not None
        try:
            self._desk.providers.tasks.set(chosen)
        except DeskError as error:
            self.failed.emit(error)
        row.show(self._desk.providers.tasks.get(chosen.task), self._desk)
        self.changed.emit()

    def _on_auto(self) -> None:
        assert self._desk is not None
        try:
            self._desk.settings.set("auto_summarize", str(self.auto.currentData()))
        except DeskError as error:
            self.failed.emit(error)


class _Row:
    def __init__(self) -> None:
        self.chosen = TaskModel("")
        self.task = ElidedWords()
        self.task.setMinimumWidth(14 * SPACE)
        self.provider = QComboBox()
        self.provider.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.provider.setMinimumContentsLength(12)
        self.model = QLineEdit()
        self.model.setMinimumWidth(14 * SPACE)
        self.then = ElidedWords(kind="muted")

    def widgets(self) -> tuple[QWidget, ...]:
        return (self.task, self.provider, self.model, self.then)

    def remove(self) -> None:
        for widget in self.widgets():
            widget.hide()
            widget.deleteLater()

    def show(self, chosen: TaskModel, desk: Desk) -> None:
        """Show who does a task, and who else could."""
        service, self.chosen = desk.providers, chosen
        route = service.tasks.who(chosen.task)
        locked = service.locked_reason(service.profile(route[0][0])) if route else ""
        self.task.setText(chosen.task)
        self._show_provider(chosen, desk, locked)
        self._show_model(chosen, service.profile(route[0][0]) if route else None)
        following = ", then ".join(name for name, _ in route[1:]) or "Nobody else"
        self.then.say("Locked" if locked else following, "stripNote" if locked else "muted")
        if locked:
            self.then.setToolTip(plain_tip(locked))

    def _show_provider(self, chosen: TaskModel, desk: Desk, locked: str) -> None:
        service = desk.providers
        is_opinion = chosen.task == SECOND_OPINION
        self.provider.setAccessibleName(f"Provider of {chosen.task}")
        self.provider.setAccessibleDescription(locked)
        self.provider.setToolTip(plain_tip(locked))
        self.provider.clear()
        default = f"Default: {service.default_name()}"
        add_choice(self.provider, "Whoever wrote the summary" if is_opinion else default, "")
        for profile in service.profiles():
            add_choice(self.provider, profile.name, profile.name, reason=service.locked_reason(profile))
        self.provider.setCurrentIndex(max(0, self.provider.findData(chosen.provider)))

    def _show_model(self, chosen: TaskModel, first: ProviderProfile | None) -> None:
        self.model.setAccessibleName(f"Model of {chosen.task}")
        self.model.setText(chosen.model)
        self.model.setPlaceholderText(first.model if first else "")
        self.model.setEnabled(bool(chosen.provider) and first is not None and first.kind != BUILT_IN)
