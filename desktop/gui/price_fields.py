"""The price of a provider's model: what is known of it, and the fields to enter it. It says *unknown* where it is, and never 0 for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.providers import ModelPrice
from desktop.gui.panel_parts import add_row, form_layout
from desktop.gui.theme.style import small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words, plain_tip

_FIELDS = (("input", "Input"), ("cached_input", "Cached input"), ("output", "Output"))
_WIDTH = 16 * SPACE


class PriceFields(QWidget):
    """Edits one price, in US dollars a million tokens. `failed(error)` when the file with all of them cannot be opened."""

    failed = Signal(DeskError)

    def __init__(self, *, open_file: Callable[[QUrl], bool] = QDesktopServices.openUrl) -> None:
        """`open_file` has the system open a file."""
        super().__init__()
        self._open_file = open_file
        self._price = ModelPrice("", "")
        self._file = Path()
        self.fields = {name: QLineEdit(placeholderText="unknown") for name, _ in _FIELDS}
        self.note = Words(kind="muted", wraps=True)
        self._warning = Words(kind="errorText", wraps=True)
        self._path = ElidedWords(kind="faint")
        self._path.setFont(small_font(self.font()))
        self.open_button = QPushButton("Open the file")
        self.open_button.setProperty("kind", "link")
        self.open_button.clicked.connect(self._on_open)
        form = form_layout()
        self._lines = QWidget()
        self._lines.setLayout(form)
        for name, title in _FIELDS:
            self.fields[name].setAccessibleName(f"{title}, US dollars a million tokens")
            self.fields[name].setMaximumWidth(_WIDTH)
            add_row(form, title, self.fields[name])
        foot = QHBoxLayout()
        foot.setSpacing(SPACE)
        foot.addWidget(self._path, 1)
        foot.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for widget in (self.note, self._lines, self._warning):
            layout.addWidget(widget)
        layout.addLayout(foot)

    def show_price(self, price: ModelPrice, file: Path, *, warning: str) -> None:
        """Show a price, and the file with the user's own; what is wrong with the file is said."""
        self._price, self._file = price, file
        for name, line in self.fields.items():
            line.setText(_plain(getattr(price, name)))
        self.note.setText(_explain(price))
        self._lines.setVisible(not price.is_local and bool(price.model))
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        self._path.setText(f"Your own prices: {file}")
        self.open_button.setToolTip(plain_tip(str(file)))
        self.open_button.setEnabled(file.is_file())

    def edited(self) -> ModelPrice | None:
        """Return what stands in the fields, None where nothing was changed.

        Raises:
            DeskError: `price-bad`.
        """
        texts = {name: line.text().strip() for name, line in self.fields.items()}
        if self._price.is_local or texts == {name: _plain(getattr(self._price, name)) for name in texts}:
            return None
        amounts = {name: _number(text) for name, text in texts.items()}
        return replace(
            self._price, input=amounts["input"], cached_input=amounts["cached_input"], output=amounts["output"]
        )

    def _on_open(self) -> None:
        if not self._open_file(QUrl.fromLocalFile(str(self._file))):
            self.failed.emit(
                DeskError(
                    "prices-not-opened",
                    f"The system has no program to open {self._file} with.",
                    remedy="Open it with a text editor.",
                )
            )


def _explain(price: ModelPrice) -> str:
    if price.is_local:
        return "What runs on this machine costs nothing."
    if not price.model:
        return "Choose a model to see what it costs."
    if not price.is_known:
        return f"Nobody told TLDesk what {price.model} costs at {price.host}, so its cost is shown as unknown and no cap of money can hold it."
    return (
        f"US dollars a million tokens of {price.model} at {price.host}. Empty fields bring back what came with TLDesk."
    )


def _plain(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.6f}".rstrip("0").rstrip(".") or "0"


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        # Where a comma stands before the decimals, people type one.
        return float(text.lstrip("$ ").replace(",", "."))
    except ValueError:
        raise DeskError(
            "price-bad", f"“{text}” is not a price.", remedy="Enter US dollars a million tokens, such as 0.15."
        ) from None
