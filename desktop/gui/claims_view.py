"""Claims as text: one section of a summary, its claims one after the other with a chip for each cited message.

A claim that is only partly supported is underlined; what is missing is named behind it, the rest is told in its tool tip. A citation that this
machine found has a dashed chip, and what a model said when it was asked again a chip of its own. The claim that is still being written stands at
the end in plain, fainter text. The view is as high as its text.

While a summary is written only what is new is put in: all else would cost more the longer the text is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QResizeEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QSizePolicy, QTextEdit, QWidget

from desktop.domain.runs import CheckedClaim, Opinion, Support
from desktop.domain.sections import DEADLINES
from desktop.gui.chips import ACTIVE_FOUND, FOUND, OBJECT_CHARACTER, OPINION, ChipPainter, chip_format
from desktop.gui.links import find_links, link_format
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.thread_view import readable_time
from desktop.gui.words import plain_tip
from desktop.services.wording import describe_claim, describe_opinion

_CITE = "cite:"
LINE_PERCENT = 125.0
# Qt lays out a whole paragraph whenever a letter of it changes: a long section is cut into paragraphs, so that a letter costs the same at its end.
_LONGEST_PARAGRAPH = 900
_ISO_DATE = re.compile(r"\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b")


@dataclass(frozen=True, slots=True)
class Mark:
    """A chip before the claims of a section: what it says, in which tone, and its tool tip.

    It stands in place of a claim that says only this word, so that nothing is said twice.
    """

    text: str
    tip: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    claims: tuple[tuple[int, CheckedClaim], ...] = ()
    pending: str = ""
    active: frozenset[int] = frozenset()
    marks: tuple[Mark, ...] = ()
    note: str = ""

    def mark_for(self, checked: CheckedClaim) -> Mark | None:
        """Return the chip that says all that a claim says."""
        words = checked.claim.text.strip(" .!").casefold()
        return next((mark for mark in self.marks if mark.text.casefold() == words), None)

    def marks_apart(self) -> list[Mark]:
        """Return the chips that stand for no claim."""
        standing = [self.mark_for(checked) for _, checked in self.claims]
        return [mark for mark in self.marks if mark not in standing]


class ClaimsView(SafeTextBrowser):
    """Shows the claims of one section. `citation_clicked(index)` is the index of the claim whose text or chip was clicked.

    `shows_reasons` puts each claim on a line of its own, with what was found of it behind: for texts that are only checked.
    """

    citation_clicked = Signal(int)
    link_wanted = Signal(str)
    left = Signal(int)
    """The keyboard goes on before the first claim (-1) or behind the last (1)."""
    reached = Signal(int)
    """The keyboard came to the claim of this index."""
    height_changed = Signal()

    def __init__(self, theme: Theme, *, shows_reasons: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._shows_reasons = shows_reasons
        self.model = ""
        """Who wrote the claims, and was asked about them again."""
        self._content = _Content()
        self._sentences: Mapping[str, str] = {}
        self._places: list[tuple[int, int, int]] = []
        self._tail = 0
        self._is_drawn = False
        self._current = -1
        self._spoken: list[str] = []
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
        active: frozenset[int] = frozenset(),
        sentences: Mapping[str, str],
        marks: tuple[Mark, ...] = (),
        note: str = "",
    ) -> None:
        """Show claims by their index, the text being written, and which claims are active. `sentences` gives the tool tips.

        `note` stands in place of claims where there are none.
        """
        old, self._content = self._content, _Content(tuple(claims), pending, active, marks, note)
        self._sentences = sentences
        if self._content == old and self._is_drawn:
            return
        if self._is_drawn and self._continues(old):
            self._put_in(old)
        else:
            self.render_again()

    def render_again(self) -> None:
        """Draw the same claims anew, after a change of theme."""
        content = self._content
        self._places, self._spoken, self._is_drawn = [], [], True
        self.document().clear()
        self.document().setDefaultFont(self.font())
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setBlockFormat(_paragraph())
        for mark in content.marks_apart():
            cursor.insertText(OBJECT_CHARACTER, chip_format(mark.text, tone=mark.tone, tool_tip=mark.tip))
            cursor.insertText("\u2002", QTextCharFormat())
        for index, checked in content.claims:
            self._insert_claim(cursor, index, checked)
        if content.note and not content.claims and not content.pending:
            cursor.insertText(content.note, self._ink(self._theme.tokens.faint))
        self._tail = cursor.position()
        cursor.insertText(content.pending, self._ink(self._theme.tokens.muted))
        cursor.endEditBlock()
        # What has no claims is nothing to go to by Tab.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self._places else Qt.FocusPolicy.ClickFocus)
        self._tell()
        self._mark_current()
        self._fit()

    def top_of(self, index: int) -> int:
        """Return where a claim begins, in this view's pixels; -1 when it is not here."""
        for found, first, _ in self._places:
            if found == index:
                cursor = QTextCursor(self.document())
                cursor.setPosition(first)
                return self.cursorRect(cursor).top()
        return -1

    @property
    def current(self) -> int:
        """Return the index of the claim that the keyboard is at, -1 for none."""
        return self._current if self.hasFocus() else -1

    @property
    def has_claims(self) -> bool:
        return bool(self._places)

    def enter(self, step: int) -> None:
        """Take the keyboard, at the first claim (1) or the last (-1)."""
        self.setFocus(Qt.FocusReason.TabFocusReason)
        if self._places:
            self._go_to(self._places[0 if step > 0 else -1][0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if self._places and self._current not in [index for index, _, _ in self._places]:
            is_back = event.reason() is Qt.FocusReason.BacktabFocusReason  # type: ignore[attr-defined]
            self._current = self._places[-1 if is_back else 0][0]
        self._mark_current()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self._current = -1
        self._mark_current()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1}.get(key)
        if step and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            if not self._step(step):
                self.left.emit(step)
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._ask_for_link()
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            if self._current >= 0:
                self.citation_clicked.emit(self._current)
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Go by Tab from claim to claim, and then on to the next control."""
        return self._step(1 if is_next else -1) or QWidget.focusNextPrevChild(self, is_next)

    def _ask_for_link(self) -> None:
        """Hand out the first link of the claim that the keyboard is at."""
        for index, checked in self._content.claims:
            if index == self._current:
                text = shown_text(checked)
                for start, end in find_links(text):
                    self.link_wanted.emit(text[start:end])
                    return

    def _step(self, step: int) -> bool:
        indices = [index for index, _, _ in self._places]
        at = indices.index(self._current) + step if self._current in indices else -1
        if not 0 <= at < len(indices):
            return False
        self._go_to(indices[at])
        return True

    def _go_to(self, index: int) -> None:
        self._current = index
        self._mark_current()
        self.reached.emit(index)

    def _mark_current(self) -> None:
        selections = []
        for index, first, last in self._places:
            if index == self._current:
                selection = QTextEdit.ExtraSelection()
                cursor = QTextCursor(self.document())
                cursor.setPosition(first)
                cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
                look = QTextCharFormat()
                look.setBackground(QColor(self._theme.tokens.selection))
                selection.cursor, selection.format = cursor, look
                selections.append(selection)
        if selections or self.extraSelections():
            self.setExtraSelections(selections)

    # How text is put in

    def _continues(self, old: _Content) -> bool:
        """Tell whether what is to be shown only goes on from what is there."""
        new, count = self._content, len(old.claims)
        return (
            (new.active, new.marks, new.note) == (old.active, old.marks, old.note)
            and not (new.note and not count)
            and new.claims[:count] == old.claims
            and new.marks_apart() == old.marks_apart()
        )

    def _put_in(self, old: _Content) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        new = self._content.claims[len(old.claims) :]
        if not new and old.pending and self._content.pending.startswith(old.pending):
            cursor.insertText(self._content.pending[len(old.pending) :], self._ink(self._theme.tokens.muted))
            self._fit()
            return
        cursor.beginEditBlock()
        cursor.setPosition(self._tail)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        for index, checked in new:
            self._insert_claim(cursor, index, checked)
        self._tail = cursor.position()
        cursor.insertText(self._content.pending, self._ink(self._theme.tokens.muted))
        cursor.endEditBlock()
        if new:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._tell()
        self._fit()

    def _insert_claim(self, cursor: QTextCursor, index: int, checked: CheckedClaim) -> None:
        if self._places and (self._shows_reasons or cursor.positionInBlock() > _LONGEST_PARAGRAPH):
            cursor.insertBlock(_paragraph())
        first = cursor.position()
        self._insert_text(cursor, index, checked)
        last = cursor.position()
        plain = QTextCharFormat()
        for chip in self._chips_of(index, checked):
            cursor.insertText("\u00a0", plain)
            cursor.insertText(OBJECT_CHARACTER, chip)
        if said := self._said_of(checked):
            warning = self._ink(self._theme.tokens.warning)
            warning.setFont(small_font(self.font()))
            cursor.insertText(f" {said}", warning)
        cursor.insertText(" ", plain)
        self._places.append((index, first, last))
        mark = self._content.mark_for(checked)
        self._spoken.append(_spoken(mark.tip if mark else shown_text(checked), checked, self.model))

    def _insert_text(self, cursor: QTextCursor, index: int, checked: CheckedClaim) -> None:
        if mark := self._content.mark_for(checked):
            tip = f"{mark.tip}: {describe_claim(checked)}"
            chip = chip_format(mark.text, tone=self._tone_of(index, checked), href=f"{_CITE}{index}", tool_tip=tip)
            cursor.insertText(OBJECT_CHARACTER, chip)
            return
        look = self._ink(self._theme.tokens.text)
        look.setAnchor(True)
        look.setAnchorHref(f"{_CITE}{index}")
        look.setToolTip(plain_tip(describe_claim(checked)))
        if checked.support is not Support.SUPPORTED:
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            look.setUnderlineColor(QColor(self._theme.tokens.warning))
        text, at = shown_text(checked), 0
        for start, end in find_links(text):
            cursor.insertText(text[at:start], look)
            cursor.insertText(text[start:end], link_format(look, text[start:end], self._theme.tokens.accent))
            at = end
        cursor.insertText(text[at:], look)

    def _chips_of(self, index: int, checked: CheckedClaim) -> list[QTextCharFormat]:
        is_found = checked.origin == "found"
        tone = self._tone_of(index, checked)
        if is_found:
            tone = ACTIVE_FOUND if index in self._content.active else FOUND
        by_message: dict[str, list[str]] = {}
        for citation in checked.citations:
            by_message.setdefault(citation.removeprefix("m").split(".")[0], []).append(citation)
        chips = []
        for number, citations in by_message.items():
            tip = " … ".join(self._sentences.get(citation, "") for citation in citations)
            if is_found:
                # Of a text that a person pasted, no model named anything.
                how = (
                    "Found on this machine" if self._shows_reasons else "Found on this machine, not named by the model"
                )
                tip = f"{how}: {tip}"
            chips.append(chip_format(number, tone=tone, href=f"{_CITE}{index}", tool_tip=tip))
        if checked.opinion is not Opinion.NONE:
            word = {Opinion.SAYS_SO: "yes", Opinion.SAYS_OTHERWISE: "no", Opinion.UNCLEAR: "unclear"}[checked.opinion]
            tip = describe_opinion(checked.opinion, self.model)
            chips.append(chip_format(f"asked again: {word}", tone=OPINION, tool_tip=tip))
        return chips

    def _tone_of(self, index: int, checked: CheckedClaim) -> str:
        if index in self._content.active:
            return "active"
        return "" if checked.support is Support.SUPPORTED else "warning"

    def _said_of(self, checked: CheckedClaim) -> str:
        if self._shows_reasons:
            return "" if checked.support is Support.SUPPORTED else describe_claim(checked)
        return describe_claim(checked) if checked.support is Support.PARTIAL and checked.missing_facts else ""

    def _ink(self, color: str) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(QColor(color))
        return look

    def _tell(self) -> None:
        marks = [mark.tip for mark in self._content.marks_apart()]
        words = [*marks, *self._spoken] or [self._content.note or self._content.pending]
        self.setAccessibleName(" ".join(words))

    def _fit(self) -> None:
        self.document().setTextWidth(self.viewport().width())
        height = int(self.document().size().height()) + 2
        if height != self.height():
            self.setFixedHeight(height)
            self.height_changed.emit()

    def _on_link(self, href: str) -> None:
        if href.startswith(_CITE):
            self.citation_clicked.emit(int(href.removeprefix(_CITE)))
        else:
            self.link_wanted.emit(href)


def shown_text(checked: CheckedClaim) -> str:
    """Return a claim as the window shows it: the dates of deadlines as people write them."""
    if checked.claim.section != DEADLINES:
        return checked.claim.text
    return _ISO_DATE.sub(lambda found: readable_time(found.group()), checked.claim.text)


def _paragraph() -> QTextBlockFormat:
    block = QTextBlockFormat()
    block.setLineHeight(LINE_PERCENT, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
    return block


def _spoken(text: str, checked: CheckedClaim, model: str) -> str:
    cited = ", ".join(sorted({c.removeprefix("m").split(".")[0] for c in checked.citations}))
    opinion = describe_opinion(checked.opinion, model)
    words = f"{describe_claim(checked)}{f'; message {cited}' if cited else ''}"
    return f"{text} ({words}{f'; {opinion}' if opinion else ''})"
