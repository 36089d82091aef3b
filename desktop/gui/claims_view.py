"""Claims as text: one section of a summary, its claims one after the other with a chip for each cited message.

A claim that is only partly supported is underlined and says why in its tool tip. The claim that is still being written stands at the end in plain,
fainter text. The view is as high as its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QSizePolicy

from desktop.domain.runs import CheckedClaim, Support
from desktop.gui.chips import OBJECT_CHARACTER, ChipPainter, chip_format
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme
from desktop.gui.words import plain_tip
from desktop.services.wording import describe_claim

_CITE = "cite:"
LINE_PERCENT = 125.0


class ClaimsView(SafeTextBrowser):
    """Shows the claims of one section. `citation_clicked(index)` is the index of the claim whose text or chip was clicked."""

    citation_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._content: tuple[tuple[tuple[int, CheckedClaim], ...], str, int] = ((), "", -1)
        self._sentences: Mapping[str, str] = {}
        self.setFrameShape(SafeTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._chips = ChipPainter(theme, self.document())
        self.link_clicked.connect(self._on_link)

    def show_claims(
        self,
        claims: Sequence[tuple[int, CheckedClaim]],
        *,
        pending: str = "",
        active: int = -1,
        sentences: Mapping[str, str],
    ) -> None:
        """Show claims by their index, the text being written, and which claim is active. `sentences` gives the tool tips."""
        content = (tuple(claims), pending, active)
        self._sentences = sentences
        if content != self._content or not self.document().characterCount():
            self._content = content
            self.render_again()

    def render_again(self) -> None:
        """Draw the same claims anew, after a change of theme or width."""
        claims, pending, active = self._content
        self.document().clear()
        self.document().setDefaultFont(self.font())
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        block = QTextBlockFormat()
        block.setLineHeight(LINE_PERCENT, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
        cursor.setBlockFormat(block)
        for index, checked in claims:
            self._insert_claim(cursor, index, checked, is_active=index == active)
        if pending:
            look = QTextCharFormat()
            look.setForeground(QColor(self._theme.tokens.muted))
            cursor.insertText(pending, look)
        cursor.endEditBlock()
        self.setAccessibleName(" ".join(_spoken(checked) for _, checked in claims) or pending)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _insert_claim(self, cursor: QTextCursor, index: int, checked: CheckedClaim, *, is_active: bool) -> None:
        t = self._theme.tokens
        look = QTextCharFormat()
        look.setForeground(QColor(t.text))
        look.setAnchor(True)
        look.setAnchorHref(f"{_CITE}{index}")
        look.setToolTip(plain_tip(describe_claim(checked)))
        if checked.support is not Support.SUPPORTED:
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            look.setUnderlineColor(QColor(t.warning))
        cursor.insertText(checked.claim.text, look)
        plain = QTextCharFormat()
        tone = "active" if is_active else "warning" if checked.support is not Support.SUPPORTED else ""
        by_message: dict[str, list[str]] = {}
        for citation in checked.citations:
            by_message.setdefault(citation.removeprefix("m").split(".")[0], []).append(citation)
        for number, citations in by_message.items():
            cursor.insertText("\u00a0", plain)
            tip = " … ".join(self._sentences.get(citation, "") for citation in citations)
            cursor.insertText(OBJECT_CHARACTER, chip_format(number, tone=tone, href=f"{_CITE}{index}", tool_tip=tip))
        cursor.insertText(" ", plain)

    def _fit(self) -> None:
        self.document().setTextWidth(self.viewport().width())
        height = int(self.document().size().height()) + 2
        if height != self.height():
            self.setFixedHeight(height)

    def _on_link(self, href: str) -> None:
        if href.startswith(_CITE):
            self.citation_clicked.emit(int(href.removeprefix(_CITE)))


def _spoken(checked: CheckedClaim) -> str:
    cited = ", ".join(sorted({c.removeprefix("m").split(".")[0] for c in checked.citations}))
    return f"{checked.claim.text} ({describe_claim(checked)}{f'; message {cited}' if cited else ''})"
