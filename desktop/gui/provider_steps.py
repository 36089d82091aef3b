"""The steps of a provider test, each with its mark and its sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.domain.providers import TestStep
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words


class ProviderSteps(QWidget):
    """Grows by one line a step."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.steps: list[TestStep] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(SPACE // 2)
        self._grid.setColumnStretch(2, 1)
        self._words = Words(kind="muted")

    def clear(self) -> None:
        """Forget the last test."""
        self.steps = []
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self._words:
                widget.hide()
                widget.deleteLater()
        self._words.hide()

    def start(self) -> None:
        """A test begins."""
        self.clear()
        self._say("Testing…")

    def add(self, step: TestStep) -> None:
        """Show one more step."""
        row = len(self.steps)
        self.steps.append(step)
        t = self._theme.tokens
        mark = Words()
        mark.setPixmap(self._theme.icons.pixmap("check" if step.ok else "warning", t.ok if step.ok else t.error))
        name = Words(step.name.capitalize())
        detail = Words(f"{step.detail} {step.remedy}".strip(), wraps=True)
        detail.setObjectName("muted" if step.ok else "errorText")
        detail.setAccessibleName(f"{step.name}: {'in order' if step.ok else 'failed'}. {step.detail}")
        for column, widget in enumerate((mark, name, detail)):
            self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop)
        self._say("Testing…")

    def finish(self) -> None:
        """The test ended."""
        is_ok = bool(self.steps) and all(step.ok for step in self.steps)
        self._say("This provider is ready." if is_ok else "")

    def _say(self, text: str) -> None:
        self._grid.removeWidget(self._words)
        self._words.setText(text)
        self._words.setVisible(bool(text))
        if text:
            self._grid.addWidget(self._words, len(self.steps), 2)
