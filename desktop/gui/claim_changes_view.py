"""What changed from one summary to another, claim by claim: new, gone, or said in other words.

What is new stands behind a plus and on green, what is gone behind a minus, on red and struck out, and inside a changed sentence the words are marked
one by one, as in the difference of a ticket: nothing is said by color alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor

from desktop.domain.runs import ClaimChange
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE

LINE_PERCENT = 125.0
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class ClaimChangesView(SafeTextBrowser):
    """Shows the changes of claims, read-only. Claims that stayed as they were are shown as they are, in fainter ink."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._changes: tuple[ClaimChange, ...] = ()
        self._labels: dict[str, str] = {}
        self.setAccessibleName("What changed in the summary")
        self.setFrameShape(SafeTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        theme.changed.connect(self._render)

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Take the labels of the sections by their names."""
        self._labels = dict(labels)
        self._render()

    def show_changes(self, changes: tuple[ClaimChange, ...]) -> None:
        """Show other changes."""
        self._changes = changes
        self._render()
        self.verticalScrollBar().setValue(0)

    def wanted_height(self) -> int:
        """Return how high all of it is."""
        return int(self.document().size().height()) + 2

    def _render(self) -> None:
        self.document().clear()
        self.document().setDefaultFont(self.font())
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        section = ""
        for number, change in enumerate(self._changes):
            claim = change.new or change.old
            if claim is None:
                continue
            block = QTextBlockFormat()
            block.setLineHeight(LINE_PERCENT, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
            block.setTopMargin(SPACE / 2 if number and claim.claim.section != section else 0)
            if number:
                cursor.insertBlock(block)
            else:
                cursor.setBlockFormat(block)
            if claim.claim.section != section:
                section = claim.claim.section
                cursor.insertText(
                    f"{self._labels.get(section, section)}  ", self._ink(self._theme.tokens.muted, is_bold=True)
                )
            self._insert(cursor, change)
        cursor.endEditBlock()

    def _insert(self, cursor: QTextCursor, change: ClaimChange) -> None:
        old = change.old.claim.text if change.old else ""
        new = change.new.claim.text if change.new else ""
        t = self._theme.tokens
        if old == new:
            cursor.insertText(new, self._ink(t.muted))
            return
        sign, ink = ("+", t.ok) if not old else ("−", t.error) if not new else ("~", t.warning)
        cursor.insertText(f"{sign} ", self._ink(ink, is_bold=True))
        for kind, words in compare_words(old, new):
            cursor.insertText(words, self._look(kind))

    def _look(self, kind: str) -> QTextCharFormat:
        t = self._theme.tokens
        look = self._ink({"+": t.ok, "-": t.error}.get(kind, t.text))
        if kind == "+":
            look.setBackground(QColor(t.ok_ground))
            look.setFontUnderline(True)
        elif kind == "-":
            look.setBackground(QColor(t.error_ground))
            look.setFontStrikeOut(True)
        return look

    def _ink(self, color: str, *, is_bold: bool = False) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(QColor(color))
        if is_bold:
            look.setFontWeight(QFont.Weight.DemiBold)
        return look


def compare_words(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the words of both texts in order, each with `-` for one that is gone, `+` for a new one, `=` for one in both."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "=", "".join(after[c:d])
            continue
        if b > a:
            yield "-", "".join(before[a:b])
        if d > c:
            yield "+", "".join(after[c:d])
