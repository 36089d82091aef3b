"""The parts of the summary card: a section's row, a strip for what was left out, the highlights, and how a run ended."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, Highlight, RunState, Summary
from desktop.gui.claims_view import ClaimsView
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import LABEL_WIDTH, SPACE
from desktop.gui.words import Words, plain_tip
from desktop.services.wording import describe_claim, describe_end


class SectionRow(QWidget):
    """One section: its name on the left, its claims on the right."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        self._label = Words(name, kind="muted")
        self._label.setFixedWidth(LABEL_WIDTH)
        self._label.setWordWrap(True)
        self.view = ClaimsView(theme)
        layout.addWidget(self._label, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.view, 1, Qt.AlignmentFlag.AlignTop)

    def text(self) -> str:
        """Return the section as one line of plain text."""
        return f"{self._label.text()}: {self.view.toPlainText()}".replace("￼", "").strip()


class Strip(QFrame):
    """A claim that the ticket does not support: where it stood, what it says, and why *Copy* leaves it out.

    `clicked(checked)` asks for the sentences that it cites.
    """

    clicked = Signal(object)

    def __init__(self, theme: Theme, checked: CheckedClaim) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.checked = checked
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        layout.setSpacing(2 * SPACE)
        self._claim = Words(f"{checked.claim.section}: “{checked.claim.text}”", wraps=True)
        self._note = Words(f"{describe_claim(checked)} · left out of copy", wraps=True)
        self._note.setObjectName("stripNote")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        small = small_font(self.font())
        self._claim.setFont(small)
        self._note.setFont(small)
        layout.addWidget(self._claim, 1)
        layout.addWidget(self._note, 1)
        self.setAccessibleName(self.text())
        if checked.citations:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(self.checked)

    def text(self) -> str:
        """Return the strip as one line of plain text."""
        return f"{self._claim.text()} {self._note.text()}"


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


class RunNotice(QFrame):
    """How a run ended when it did not end well: what happened, what to do, and a button that does it."""

    retry_requested = Signal()
    providers_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._theme = theme
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        self._icon = Words()
        self._words = Words(wraps=True)
        self._retry = QPushButton("Try again")
        self._providers = QPushButton("Providers…")
        self._retry.clicked.connect(self.retry_requested)
        self._providers.clicked.connect(self.providers_requested)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._retry)
        layout.addWidget(self._providers)
        self.hide()

    def show_summary(self, summary: Summary) -> None:
        """Show the end of a run; a complete one shows nothing."""
        self.setVisible(summary.state is not RunState.COMPLETE)
        if summary.state is RunState.COMPLETE:
            return
        self._icon.setPixmap(self._theme.icons.pixmap("warning", self._theme.tokens.warning))
        self._words.setText(describe_end(summary))
        is_about_provider = summary.error.startswith(("provider-", "engine-", "base-url"))
        self._providers.setVisible(is_about_provider)
        self._retry.setVisible(summary.error != "" or summary.state is not RunState.FAILED)
