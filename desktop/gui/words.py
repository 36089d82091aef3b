"""Words on the screen: labels that show exactly the text they are given. Ticket text can hold anything, so no label guesses at rich text."""

from __future__ import annotations

import html

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget


class Words(QLabel):
    """A plain-text label. `kind` names its look in the style sheet: muted, faint, errorText, stripNote."""

    def __init__(
        self,
        text: str = "",
        kind: str = "",
        *,
        wraps: bool = False,
        centered: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName(kind)
        self.setWordWrap(wraps)
        if centered:
            self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def say(self, text: str, kind: str) -> None:
        """Show another text in another look."""
        self.setObjectName(kind)
        # Qt looks a style up once.
        self.style().unpolish(self)
        self.style().polish(self)
        self.setText(text)


class ElidedWords(Words):
    """A plain-text label of one line that ends in an ellipsis where there is no room."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind=kind)
        self._full = ""
        self.setMinimumWidth(1)

    def setText(self, text: str) -> None:
        self._full = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self._fit()

    def text(self) -> str:
        return self._full

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 2, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width())
        super().setText(shown)
        self.setToolTip(plain_tip(self._full) if shown != self._full else "")


def plain_tip(text: str) -> str:
    """Return a tool tip that shows exactly this text.

    Qt takes a tip that looks like HTML for HTML, and then reads the files that it names, without asking any text view.
    """
    return f"<qt>{html.escape(text)}</qt>" if text else ""


def as_listed(word: str) -> str:
    """Return a status or a priority as the list of tickets shows it: `On hold` for `on-hold`."""
    return word.replace("-", " ").capitalize()


def named_frame(name: str) -> QFrame:
    """Return a frame that the style sheet knows by name."""
    frame = QFrame()
    frame.setObjectName(name)
    return frame
