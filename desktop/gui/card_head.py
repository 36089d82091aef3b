"""The head of the summary card: what stands below it, said so that nothing passes for what it is not.

Who wrote it, whether its structure had to be repaired, whether a person edited it, what has come in since: each a small tag with its reason. Dragging
the head out of the window takes the summary along.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QWidget

from desktop.domain.runs import Form, RunState, Summary
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time
from desktop.gui.words import ElidedWords, Words, plain_tip
from desktop.services.wording import count

_NARROW = 420


@dataclass(frozen=True, slots=True)
class Tag:
    """One word or two about a summary, and why it is said."""

    text: str
    tip: str
    is_warning: bool = False


class CardHead(QWidget):
    """Title, tags, and who wrote it. `drag_began()` when the head is dragged, `model_version_wanted()` from beside a person's edit."""

    drag_began = Signal()
    model_version_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pressed: QPoint | None = None
        self.title = Words("Summary")
        self.title.setFont(scaled(self.font(), 1.0, weight=self.title.font().Weight.DemiBold))
        self.meta = ElidedWords(kind="faint")
        self.meta.setFont(small_font(self.font()))
        self.meta.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.model_version = QPushButton("Model's version")
        self.model_version.setProperty("kind", "link")
        self.model_version.setFont(small_font(self.font()))
        self.model_version.setToolTip("Look at what the model wrote before it was edited; the edit stays")
        self.model_version.clicked.connect(self.model_version_wanted)
        self.model_version.hide()
        self._tags = QHBoxLayout()
        self._tags.setSpacing(SPACE // 2)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self.title)
        layout.addLayout(self._tags)
        layout.addWidget(self.model_version)
        layout.addWidget(self.meta, 1)

    def show_state(self, title: str, *, meta: str = "", tags: tuple[Tag, ...] = (), is_edit: bool = False) -> None:
        """Say what stands below."""
        self.title.setText(title)
        self.meta.setText(meta)
        self.model_version.setVisible(is_edit)
        while (item := self._tags.takeAt(0)) is not None:
            if old := item.widget():
                old.hide()
                old.deleteLater()
        for tag in tags:
            words = Words(tag.text, "tagWarning" if tag.is_warning else "tag")
            words.setFont(small_font(self.font()))
            words.setToolTip(plain_tip(tag.tip))
            words.setAccessibleDescription(tag.tip)
            words.setMinimumWidth(words.sizeHint().width())
            self._tags.addWidget(words)
            words.show()
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Where there is little room, what is said of the summary goes before the word for it."""
        self.title.setVisible(self.width() >= _NARROW or not self._tags.count())

    def tag_texts(self) -> list[str]:
        """Return the tags' words."""
        found = (self._tags.itemAt(i) for i in range(self._tags.count()))
        return [w.text() for item in found if item is not None and isinstance(w := item.widget(), Words)]

    def set_draggable(self, is_draggable: bool) -> None:
        """Offer to drag the summary away, or not."""
        self.setCursor(Qt.CursorShape.OpenHandCursor if is_draggable else Qt.CursorShape.ArrowCursor)
        self.setToolTip("Drag the summary into another program" if is_draggable else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint() if event.button() is Qt.MouseButton.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moved = event.position().toPoint() - self._pressed if self._pressed is not None else QPoint()
        if moved.manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            self.drag_began.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None


def describe_author(summary: Summary) -> str:
    """Say who wrote a summary, at what price, and when; '' for one without text."""
    if not summary.claims and not summary.text:
        return ""
    cost = summary.cost_microusd
    price = "price unknown" if cost is None else "free" if cost == 0 else f"${cost / 1e6:.4f}"
    parts = ["you"] if summary.is_edit else [summary.model or summary.provider, price]
    if share := _cached_share(summary):
        parts.append(share)
    if summary.created_at:
        parts.append(readable_time(summary.created_at))
    return " · ".join(parts)


def describe_tags(summary: Summary, attempt: Summary | None = None) -> tuple[Tag, ...]:
    """Return what must be said of a summary before it is read. `attempt` is a newer run that brought no text."""
    tags: list[Tag] = []
    if summary.is_edit:
        tags.append(Tag("edited by you", "A person wrote this. Writing a new summary keeps it among the versions."))
    elif summary.claims and summary.form is Form.REPAIRED:
        tip = "The model did not write the sections it was asked for. Asked once more, it put its own text into them."
        tags.append(Tag("structure repaired", tip))
    elif summary.claims and summary.form is Form.PLAIN:
        tags.append(
            Tag("plain text", "The model did not write the sections it was asked for: this is its text as it came.")
        )
    if summary.claims and summary.state is not RunState.COMPLETE:
        tags.append(Tag(_state_word(summary.state), summary.reason or "The run did not end well.", is_warning=True))
    if attempt is not None and attempt.state is RunState.FAILED:
        tags.append(Tag("refresh failed", attempt.reason, is_warning=True))
    if summary.newer_messages:
        tip = "They came after this summary was written. Refresh reads them."
        tags.append(Tag(f"{count(summary.newer_messages, 'message')} newer", tip, is_warning=True))
    elif summary.stale:
        tags.append(
            Tag(
                "the ticket changed",
                "The ticket is not the one that was read. Refresh reads it again.",
                is_warning=True,
            )
        )
    return tuple(tags)


def _state_word(state: RunState) -> str:
    return {RunState.CANCELLED: "stopped", RunState.FAILED: "failed"}.get(state, state.value)


def _cached_share(summary: Summary) -> str:
    """Say how much of what was sent came from the provider's cache of prompts."""
    cached, sent = summary.usage.cached_input_tokens, summary.usage.input_tokens
    return f"{cached / sent:.0%} of the prompt cached" if cached and sent else ""
