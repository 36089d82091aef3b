"""The editor of a summary: its lines, `Problem: The export fails. [m1.2]`, each checked against the ticket while one types.

What is missing stands beside the text and is underlined in it. It checks nothing itself: it asks, and shows what it is told. A draft that was neither
saved nor given up is the pane's to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, Coverage, Support, Verified
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import utf16_length
from desktop.gui.words import ElidedWords, Words
from desktop.services.wording import count, describe_claim

SETTLE_MS = 300
LEAST_HEIGHT = 160


class SummaryEditor(QWidget):
    """Edits one summary. `check_wanted(text)` while one types, `saved(text)` and `cancelled()` at the end, `changed(text)` at every letter."""

    check_wanted = Signal(str)
    changed = Signal(str)
    saved = Signal(str)
    cancelled = Signal()
    resized = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._verified = Verified((), _nothing())
        self._is_loading = False
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(lambda: self.check_wanted.emit(self.text.toPlainText()))
        self._build()
        theme.changed.connect(self._draw)

    def edit(self, text: str) -> None:
        """Begin with this text; it is checked at once."""
        self._is_loading = True
        self.text.setPlainText(text)
        self._is_loading = False
        self.show_verified(Verified((), _nothing()))
        self.check_wanted.emit(text)

    def show_verified(self, verified: Verified) -> None:
        """Show what was found of the text."""
        self._verified = verified
        self._draw()

    def set_most_height(self, height: int) -> None:
        """Take the room that there is."""
        lines = self.text.document().blockCount() + 3
        wanted = self.text.fontMetrics().lineSpacing() * lines + 4 * SPACE
        self.text.setFixedHeight(max(LEAST_HEIGHT, min(wanted, height)))
        self.findings.setFixedHeight(self.text.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._save()
                return True
        return super().eventFilter(watched, event)

    def _build(self) -> None:
        title = Words("Edit the summary")
        title.setFont(scaled(self.font(), 1.0, weight=title.font().Weight.DemiBold))
        hint = ElidedWords(kind="faint")
        hint.setText("One line a section, the sentence it cites in brackets: [m1.2]")
        hint.setFont(small_font(self.font()))
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("The summary's lines")
        self.text.setTabChangesFocus(True)
        self.text.installEventFilter(self)
        self.text.textChanged.connect(self._on_text)
        self.findings = SafeTextBrowser()
        self.findings.setObjectName("framed")
        self.findings.setAccessibleName("What the ticket does not say of this text")
        self.findings.setFrameShape(SafeTextBrowser.Shape.NoFrame)
        self.save_button = QPushButton("Save")
        self.save_button.setProperty("kind", "primary")
        self.save_button.setToolTip("Keep this as your version; the model's stays among the versions (Ctrl+Enter)")
        self.save_button.clicked.connect(self._save)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Give this edit up (Esc)")
        self.cancel_button.clicked.connect(self.cancelled)
        self.status = Words(kind="muted")
        self.status.setFont(small_font(self.font()))
        head, middle, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.addWidget(title)
        head.addWidget(hint, 1)
        hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        middle.addWidget(self.text, 3)
        middle.addWidget(self.findings, 2)
        middle.setSpacing(SPACE)
        foot.addWidget(self.save_button)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.status, 1)
        self.status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for part in (head, middle, foot):
            layout.addLayout(part)

    def _on_text(self) -> None:
        self.save_button.setEnabled(bool(self.text.toPlainText().strip()))
        if not self._is_loading:
            self._settle.start()
            self.changed.emit(self.text.toPlainText())
        self.resized.emit()

    def _save(self) -> None:
        if self.save_button.isEnabled():
            self._settle.stop()
            self.saved.emit(self.text.toPlainText())

    def _draw(self) -> None:
        text = self.text.toPlainText()
        doubtful = [
            (c, place) for c, place in locate(text, self._verified.claims) if c.support is not Support.SUPPORTED
        ]
        self._underline(text, [place for _, place in doubtful if place is not None])
        self.findings.document().clear()
        cursor = QTextCursor(self.findings.document())
        cursor.beginEditBlock()
        for number, (checked, place) in enumerate(doubtful):
            if number:
                cursor.insertBlock()
            line = f"Line {text.count(chr(10), 0, place[0]) + 1}: " if place else ""
            cursor.insertText(line, self._ink(self._theme.tokens.muted))
            said = describe_claim(checked)
            cursor.insertText(said, self._ink(self._theme.tokens.warning))
        cursor.endEditBlock()
        total = len(self._verified.claims)
        supported = sum(checked.support is Support.SUPPORTED for checked in self._verified.claims)
        self.status.setText(f"{supported} of {count(total, 'sentence')} supported" if total else "")

    def _underline(self, text: str, places: list[tuple[int, int]]) -> None:
        look = QTextCharFormat()
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        look.setUnderlineColor(QColor(self._theme.tokens.warning))
        selections = []
        for start, end in places:
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.text.document())
            cursor.setPosition(utf16_length(text[:start]))
            cursor.setPosition(utf16_length(text[:end]), QTextCursor.MoveMode.KeepAnchor)
            selection.cursor, selection.format = cursor, look
            selections.append(selection)
        self.text.setExtraSelections(selections)

    def _ink(self, color: str) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(QColor(color))
        look.setFont(small_font(self.font()))
        return look


def locate(text: str, claims: tuple[CheckedClaim, ...]) -> Iterator[tuple[CheckedClaim, tuple[int, int] | None]]:
    """Yield each claim with where it stands in the text it was read from; None where its words are not found as they are."""
    at = 0
    for checked in claims:
        words = r"\s+".join(re.escape(word) for word in checked.claim.text.split())
        found = re.compile(words).search(text, at) if words else None
        if found:
            at = found.end()
        yield checked, found.span() if found else None


def _nothing() -> Coverage:
    return Coverage(0, 0)
