"""Caps: the most that the queue may spend and use, a run and a day, edited where the price is read. What is typed is kept in the settings at once.

An empty field is no cap. A cap stops the queue, not the program; what it stops for is said where the queue is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

if TYPE_CHECKING:
    from desktop.config.settings import Settings

_NUMBER = re.compile(r"\$?\s*(\d[\d,_ ]*(?:\.\d*)?|\.\d+)\s*([km]?)", re.IGNORECASE)
_SIZES = {"": 1, "k": 1_000, "m": 1_000_000}
_FIELDS = (
    ("max_cost_run", "Dollars a run at most", 9),
    ("max_tokens_run", "Tokens a run at most", 12),
    ("max_cost_day", "Dollars a day at most", 9),
    ("max_tokens_day", "Tokens a day at most", 12),
)
_NONE = "no cap"


class CapsEditor(QWidget):
    """Four fields. `changed()` when a cap was set to something else, `refused(words)` when what was typed is no number."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._settings: Settings | None = None
        self.fields = {name: self._field(name, label, width) for name, label, width in _FIELDS}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE // 2)
        for words, period in (("At most a run: $", "run"), ("a day: $", "day")):
            if period == "day":
                row.addSpacing(SPACE)
            row.addWidget(Words(words, kind="muted"))
            row.addWidget(self.fields[f"max_cost_{period}"])
            row.addWidget(Words("and", kind="muted"))
            row.addWidget(self.fields[f"max_tokens_{period}"])
            row.addWidget(Words("tokens", kind="muted"))

    def attach(self, settings: Settings) -> None:
        """Take the settings, and show the caps."""
        self._settings = settings
        self.show_caps()

    def show_caps(self) -> None:
        """Show the caps as they are kept."""
        assert self._settings is not None
        for name, field in self.fields.items():
            field.setText(_written(name, self._settings.get(name)))

    def _field(self, name: str, label: str, width: int) -> QLineEdit:
        field = QLineEdit(placeholderText=_NONE, maxLength=20)
        field.setAccessibleName(label)
        field.setToolTip(f"{label}; the queue stops there. Empty for no cap.")
        field.setFixedWidth(width * SPACE)
        field.editingFinished.connect(lambda: self._on_edited(name))
        return field

    def _on_edited(self, name: str) -> None:
        if self._settings is None:
            return
        field, kept = self.fields[name], self._settings.get(name)
        value = parse_cap(field.text())
        if value is None:
            self.refused.emit(
                f"“{field.text()}” is no amount. Write a number, such as 5 or 250k, or nothing for no cap."
            )
        else:
            self.refused.emit("")
            value = value if isinstance(kept, float) else round(value)
            if value != kept:
                self._settings.set(name, value)
                self.changed.emit()
        field.setText(_written(name, self._settings.get(name)))


def parse_cap(text: str) -> float | None:
    """Return a cap as it was typed: `$5`, `1,000`, `250k`; 0 for nothing, None for what is no amount."""
    if not text.strip():
        return 0.0
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    return float(re.sub(r"[,_ ]", "", found[1])) * _SIZES[found[2].lower()]


def _written(name: str, value: float) -> str:
    if not value:
        return ""
    return f"{value:,.2f}" if "cost" in name else f"{value:,.0f}"
