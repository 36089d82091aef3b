"""The parts of the summary card: a section's row, the strips for what was left out, and how a run ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, RunState, Summary
from desktop.gui.chips import OBJECT_CHARACTER
from desktop.gui.claims_view import ClaimsView
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import LABEL_WIDTH, SPACE
from desktop.gui.words import Words
from desktop.services.wording import count, describe_claim, describe_end, describe_opinion

MOST_STRIPS = 6


class SectionRow(QWidget):
    """One section: its label on the left, its claims on the right."""

    def __init__(self, theme: Theme, label: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        self._label = Words(label, kind="muted")
        self._label.setFixedWidth(LABEL_WIDTH)
        self._label.setWordWrap(True)
        self.view = ClaimsView(theme)
        layout.addWidget(self._label, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.view, 1, Qt.AlignmentFlag.AlignTop)

    def set_label(self, label: str) -> None:
        """Show the section under another label."""
        self._label.setText(label)

    def text(self) -> str:
        """Return the section as one line of plain text."""
        return f"{self._label.text()}: {self.view.toPlainText()}".replace(OBJECT_CHARACTER, "").strip()


class Strip(QFrame):
    """A claim that the ticket does not support: where it stood, what it says, and why *Copy* leaves it out.

    `clicked(checked)` asks for the sentences that it cites.
    """

    clicked = Signal(object)

    def __init__(self, checked: CheckedClaim, label: str) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.checked = checked
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        layout.setSpacing(2 * SPACE)
        self._claim = Words(f"{label}: “{checked.claim.text}”", wraps=True)
        opinion = describe_opinion(checked.opinion)
        said = " · ".join(part for part in (describe_claim(checked), "left out of copy", opinion) if part)
        self._note = Words(said, wraps=True)
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
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setToolTip("Show what it cites (Enter)")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(self.checked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self.checked)
            return
        super().keyPressEvent(event)

    def text(self) -> str:
        """Return the strip as one line of plain text."""
        return f"{self._claim.text()} {self._note.text()}"


class Strips(QWidget):
    """All claims that were left out, a strip each; of many only the first, until the rest is asked for."""

    clicked = Signal(object)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._left_out: tuple[CheckedClaim, ...] = ()
        self._labels: Mapping[str, str] = {}
        self._shows_all = False
        self._more = QPushButton()
        self._more.setProperty("kind", "link")
        self._more.setFont(small_font(self.font()))
        self._more.clicked.connect(self._on_more)
        self._more.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE // 2)
        self._box = QVBoxLayout()
        self._box.setSpacing(SPACE // 2)
        layout.addLayout(self._box)
        layout.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def reset(self) -> None:
        """Show none."""
        self._shows_all = False
        self.show_claims((), {})

    def show_claims(self, left_out: Sequence[CheckedClaim], labels: Mapping[str, str]) -> None:
        """Show these claims under the labels of their sections; what is there already stays as it is."""
        before, self._left_out = self._left_out, tuple(left_out)
        if self._left_out[: len(before)] != before or labels != self._labels:
            self._clear()
        self._labels = dict(labels)
        self._fill()

    def strips(self) -> list[Strip]:
        """Return the strips that are shown."""
        found = (self._box.itemAt(i) for i in range(self._box.count()))
        return [w for item in found if item is not None and isinstance(w := item.widget(), Strip)]

    def text(self) -> str:
        """Return the strips as lines of plain text."""
        return "\n".join(strip.text() for strip in self.strips())

    def _fill(self) -> None:
        most = len(self._left_out) if self._shows_all else MOST_STRIPS
        for checked in self._left_out[self._box.count() : most]:
            name = checked.claim.section
            strip = Strip(checked, self._labels.get(name, name))
            strip.clicked.connect(self.clicked)
            self._box.addWidget(strip)
        hidden = len(self._left_out) - self._box.count()
        self._more.setText(f"{count(hidden, 'more sentence')} left out of copy")
        self._more.setVisible(hidden > 0)
        self.setVisible(bool(self._left_out))

    def _clear(self) -> None:
        for strip in self.strips():
            self._box.removeWidget(strip)
            strip.hide()
            strip.deleteLater()

    def _on_more(self) -> None:
        self._shows_all = True
        self._fill()
        self.changed.emit()


_ABOUT_PROVIDER = ("provider-", "engine-", "base-url", "local-only", "proxy", "ca-file", "client-certificate")


class RunNotice(QFrame):
    """How a run ended when it did not end well: what happened, what to do, and a button that does it."""

    retry_requested = Signal()
    continue_requested = Signal(int)
    """Carries the id of the run that shall be gone on with."""
    providers_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._theme = theme
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        self._icon = Words()
        self._words = Words(wraps=True)
        self._run_id = 0
        self._continue = QPushButton("Continue")
        self._continue.setToolTip("Have the model go on where the text breaks off; what is there is kept")
        self._continue.clicked.connect(lambda: self.continue_requested.emit(self._run_id))
        self._retry = QPushButton("Try again")
        self._providers = QPushButton("Providers…")
        self._retry.clicked.connect(self.retry_requested)
        self._providers.clicked.connect(self.providers_requested)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._continue)
        layout.addWidget(self._retry)
        layout.addWidget(self._providers)
        self.hide()

    def show_summary(self, summary: Summary, *, is_refresh: bool = False, can_go_on: bool = False) -> None:
        """Show the end of a run; a complete one shows nothing. `is_refresh` when the summary before it is still there."""
        self.setVisible(summary.state is not RunState.COMPLETE)
        if summary.state is RunState.COMPLETE:
            return
        self._icon.setPixmap(self._theme.icons.pixmap("warning", self._theme.tokens.warning))
        words = describe_end(summary)
        self._words.setText(words.replace("No summary:", "Not refreshed:", 1) if is_refresh else words)
        is_about_provider = summary.error.startswith(_ABOUT_PROVIDER)
        self._providers.setVisible(is_about_provider)
        self._run_id = summary.run_id
        self._continue.setVisible(can_go_on and not is_refresh and can_be_continued(summary))
        self._retry.setVisible(summary.error != "" or summary.state is not RunState.FAILED)


def can_be_continued(summary: Summary) -> bool:
    """Tell whether a summary broke off in the middle of a model's text, so that it can go on there."""
    is_broken_off = summary.state in (RunState.INCOMPLETE, RunState.CANCELLED)
    return is_broken_off and bool(summary.text) and bool(summary.run_id) and not summary.is_edit
