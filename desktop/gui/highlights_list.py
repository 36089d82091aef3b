"""The highlights: the ticket's own words, chosen on this machine, each a click away from its place in the thread."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.domain.runs import Highlight
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import LABEL_WIDTH, SPACE
from desktop.gui.words import Words, plain_tip


class HighlightsList(QWidget):
    """The ticket's own words: chosen on this machine, without a model. Folded away under a finished summary."""

    chosen = Signal(object)
    toggled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._highlights: tuple[Highlight, ...] = ()
        self._is_open = True
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._toggle = QPushButton()
        self._toggle.setProperty("kind", "link")
        self._toggle.setFont(small_font(self.font()))
        self._toggle.clicked.connect(lambda: self.set_open(not self._is_open))
        self._toggle.setToolTip("The ticket's own words, chosen on this machine without a model")
        layout.addWidget(self._toggle, 0, Qt.AlignmentFlag.AlignLeft)
        self._list = QVBoxLayout()
        self._list.setSpacing(SPACE // 2)
        layout.addLayout(self._list)
        theme.changed.connect(self._draw)

    @property
    def has_any(self) -> bool:
        return bool(self._highlights)

    def show_highlights(self, highlights: tuple[Highlight, ...]) -> None:
        """Show other highlights."""
        self._highlights = highlights
        self._draw()

    def set_open(self, is_open: bool) -> None:
        """Unfold or fold the list."""
        self._is_open = is_open
        self._draw()
        self.toggled.emit()

    def _draw(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        count = len(self._highlights)
        self.setVisible(bool(count))
        icon = "chevron-down" if self._is_open else "chevron-right"
        self._toggle.setIcon(self._theme.icons.icon(icon, self._theme.tokens.accent))
        self._toggle.setText(f"Highlights, word for word ({count})")
        if not self._is_open:
            return
        author = ""
        for highlight in self._highlights:
            self._list.addWidget(
                _HighlightRow(
                    self._theme, highlight, "" if highlight.author == author else highlight.author, self.chosen
                )
            )
            author = highlight.author


class _HighlightRow(QWidget):
    def __init__(self, theme: Theme, highlight: Highlight, author: str, chosen: object) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        name = Words(kind="muted")
        name.setFixedWidth(LABEL_WIDTH)
        name.setText(name.fontMetrics().elidedText(author, Qt.TextElideMode.ElideRight, LABEL_WIDTH))
        name.setToolTip(plain_tip(highlight.author))
        words = _Quote(highlight)
        words.clicked.connect(lambda: chosen.emit(highlight))  # type: ignore[attr-defined]
        layout.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(words, 1)


class _Quote(Words):
    clicked = Signal()

    def __init__(self, highlight: Highlight) -> None:
        super().__init__(" ".join(highlight.text.split()), wraps=True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(f"Show it in message {highlight.position}")

    def mouseReleaseEvent(self, event: object) -> None:
        self.clicked.emit()

    def keyPressEvent(self, event: object) -> None:
        key = event.key()  # type: ignore[attr-defined]
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
            return
        super().keyPressEvent(event)  # type: ignore[arg-type]
