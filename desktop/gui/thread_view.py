"""The thread: all messages of a ticket in one text, quoted history folded, with the exact words of a citation lit up on request.

Sentences that a summary's claims cite are quietly underlined: they tell which claims, and a click on one leads there. Addresses are links that are
only handed out: see `links`.

Offsets of the domain count code points of one message's text; positions of a Qt document count UTF-16 units. Each piece of a message that is put
into the document remembers where it stands, and only here are the two converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QToolTip

from desktop.domain.quoting import folded_spans
from desktop.domain.tickets import Message, Role, Thread
from desktop.gui.chips import OBJECT_CHARACTER, ChipPainter, chip_format
from desktop.gui.links import find_links, link_format
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import plain_tip

LINE_PERCENT = 135.0
_UNFOLD = "unfold:"
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one message's text: the message's position (from 1), start and end in code points."""

    position: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Use:
    """A sentence that claims cite: where it stands, the claims' indices, and their sections in words (`Problem, Next step`)."""

    span: Span
    claims: tuple[int, ...]
    label: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a message that stands in the document at `place` (UTF-16 units)."""

    span: Span
    place: int
    text: str


class ThreadView(SafeTextBrowser):
    """Shows one thread, read-only. `claims_wanted(indices)` when a sentence that claims cite is clicked, `told(words)` what keys led to."""

    claims_wanted = Signal(list)
    link_wanted = Signal(str)
    told = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._thread: Thread | None = None
        self._unfolded: set[int] = set()
        self._pieces: dict[int, list[_Piece]] = {}
        self._uses: tuple[Use, ...] = ()
        self._used: list[tuple[int, int, Use]] = []
        self._current_use = -1
        self._headers: list[int] = []
        self._lit: tuple[Span, ...] = ()
        self.setAccessibleName("Messages")
        self.setAccessibleDescription(
            "N and P go to the sentences that the summary uses, Enter shows the sentences of the summary that use one"
        )
        self.setFrameShape(SafeTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        self.setViewportMargins(0, 0, 0, 0)
        self._chips = ChipPainter(theme, self.document())
        self.link_clicked.connect(self._on_link)
        theme.changed.connect(self._render)

    def show_thread(self, thread: Thread | None) -> None:
        """Show a thread from its beginning; None for no thread."""
        self._thread = thread
        self._unfolded.clear()
        self._lit = ()
        self._uses, self._current_use = (), -1
        self._render()
        self.verticalScrollBar().setValue(0)

    def show_uses(self, uses: Sequence[Use]) -> None:
        """Underline the sentences that claims cite."""
        self._uses, self._current_use = tuple(uses), -1
        self._mark()

    def light_up(self, spans: Sequence[Span]) -> None:
        """Mark the words of these spans and scroll to the first; folded words are unfolded."""
        self._lit = tuple(spans)
        hidden = {s.position for s in spans if not self._ranges(s)}
        if hidden - self._unfolded:
            self._unfolded |= hidden
            self._render()
        self._mark()
        places = [first for span in spans for first, _ in self._ranges(span)]
        if places:
            self._scroll_to(min(places))

    def lit_text(self) -> str:
        """Return the words that are marked, in the order of the thread."""
        lit = sorted(place for span in self._lit for place in self._ranges(span))
        return " ".join(self._cursor(first, last).selectedText() for first, last in lit)

    def use_at(self, place: int) -> Use | None:
        """Return the sentence that claims cite at a place of the document, None for none."""
        return next((use for first, last, use in self._used if first <= place < last), None)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            use = self._use_under(QPointF(event.pos()))
            if use is not None and not self.anchorAt(event.pos()):
                QToolTip.showText(event.globalPos(), plain_tip(f"Used by: {use.label}"), self.viewport())
                return True
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        is_click = event.button() is Qt.MouseButton.LeftButton and not self.textCursor().hasSelection()
        if is_click and not self.anchorAt(event.position().toPoint()):
            use = self._use_under(event.position())
            if use is not None:
                event.accept()
                self.claims_wanted.emit(list(use.claims))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_N: 1, Qt.Key.Key_P: -1}.get(Qt.Key(event.key()))
        if step and self._uses and not event.modifiers():
            self._step(step)
            return
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers()
        if is_enter and 0 <= self._current_use < len(self._uses):
            self.claims_wanted.emit(list(self._uses[self._current_use].claims))
            return
        super().keyPressEvent(event)

    def _step(self, step: int) -> None:
        """Light the next sentence that claims cite, and say which claims."""
        at = self._current_use + step if self._current_use >= 0 else (0 if step > 0 else len(self._uses) - 1)
        self._current_use = at % len(self._uses)
        use = self._uses[self._current_use]
        self.light_up([use.span])
        self.told.emit(f"Message {use.span.position}, used by: {use.label}")

    def _use_under(self, point: QPointF) -> Use | None:
        offset = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        place = self.document().documentLayout().hitTest(point + offset, Qt.HitTestAccuracy.ExactHit)
        return self.use_at(place) if place >= 0 else None

    def _cursor(self, first: int, last: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(first)
        cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setPen(QColor(self._theme.tokens.line))
        layout = self.document().documentLayout()
        offset = self.verticalScrollBar().value()
        for number in self._headers:
            block = self.document().findBlockByNumber(number)
            top = round(layout.blockBoundingRect(block).top() - SPACE - offset)
            if 0 <= top <= self.viewport().height():
                painter.drawLine(0, top, self.viewport().width(), top)
        painter.end()

    def _render(self) -> None:
        scroll = self.verticalScrollBar().value()
        self._pieces.clear()
        self._headers.clear()
        self.setExtraSelections([])
        self.document().clear()
        self.document().setDefaultFont(self.font())
        if self._thread is not None:
            cursor = QTextCursor(self.document())
            cursor.beginEditBlock()
            for message in self._thread.messages:
                self._insert_header(cursor, message)
                self._insert_body(cursor, message)
            cursor.endEditBlock()
        self._mark()
        self.verticalScrollBar().setValue(scroll)

    def _insert_header(self, cursor: QTextCursor, message: Message) -> None:
        t = self._theme.tokens
        block = QTextBlockFormat()
        block.setTopMargin(2 * SPACE)
        block.setBottomMargin(SPACE / 2)
        if message.position == self._first_position():
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)
        self._headers.append(cursor.blockNumber())
        name = QTextCharFormat()
        name.setFontWeight(QFont.Weight.DemiBold)
        name.setForeground(QColor(t.text))
        cursor.insertText(message.author or "Unknown", name)
        quiet = QTextCharFormat()
        quiet.setForeground(QColor(t.faint))
        small = small_font(self.font())
        quiet.setFont(small)
        if message.role is not Role.UNKNOWN:
            cursor.insertText("  ", quiet)
            cursor.insertText(OBJECT_CHARACTER, chip_format(str(message.role)))
        if message.internal:
            cursor.insertText(" ", quiet)
            cursor.insertText(
                OBJECT_CHARACTER,
                chip_format("internal", tone="warning", tool_tip="The customer does not see this message"),
            )
        if message.created_at:
            cursor.insertText("  " + readable_time(message.created_at), quiet)

    def _insert_body(self, cursor: QTextCursor, message: Message) -> None:
        t = self._theme.tokens
        block = QTextBlockFormat()
        block.setLineHeight(LINE_PERCENT, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
        plain = QTextCharFormat()
        plain.setForeground(QColor(t.text))
        cursor.insertBlock(block)
        folded = () if message.position in self._unfolded else folded_spans(message.text)
        at = 0
        for start, end in (*folded, (len(message.text), len(message.text))):
            self._insert_piece(cursor, message, at, start, plain)
            if end > start:
                fold = QTextCharFormat()
                fold.setForeground(QColor(t.faint))
                fold.setFont(small_font(self.font()))
                fold.setAnchor(True)
                fold.setAnchorHref(f"{_UNFOLD}{message.position}")
                fold.setToolTip("Show it")
                cursor.insertText("⋯ quoted history or signature folded", fold)
            at = end

    def _insert_piece(
        self, cursor: QTextCursor, message: Message, start: int, end: int, plain: QTextCharFormat
    ) -> None:
        text = message.text[start:end]
        if text:
            piece = _Piece(Span(message.position, start, end), cursor.position(), text)
            self._pieces.setdefault(message.position, []).append(piece)
            at = 0
            for first, last in find_links(text):
                cursor.insertText(text[at:first], plain)
                cursor.insertText(text[first:last], link_format(plain, text[first:last], self._theme.tokens.accent))
                at = last
            cursor.insertText(text[at:], plain)

    def _first_position(self) -> int:
        return self._thread.messages[0].position if self._thread and self._thread.messages else 0

    def _ranges(self, span: Span) -> list[tuple[int, int]]:
        """Return where a span stands in the document, in UTF-16 units; more than one range when a fold lies inside it."""
        ranges = []
        for piece in self._pieces.get(span.position, ()):
            first, last = max(span.start, piece.span.start), min(span.end, piece.span.end)
            if first < last:
                before = utf16_length(piece.text[: first - piece.span.start])
                length = utf16_length(piece.text[first - piece.span.start : last - piece.span.start])
                ranges.append((piece.place + before, piece.place + before + length))
        return ranges

    def _mark(self) -> None:
        quiet = QTextCharFormat()
        quiet.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        quiet.setUnderlineColor(QColor(self._theme.tokens.strong_line))
        lit = QTextCharFormat()
        lit.setBackground(QColor(self._theme.tokens.mark))
        self._used = [(first, last, use) for use in self._uses for first, last in self._ranges(use.span)]
        selections = [self._selection(first, last, quiet) for first, last, _ in self._used]
        selections += [self._selection(first, last, lit) for span in self._lit for first, last in self._ranges(span)]
        self.setExtraSelections(selections)

    def _selection(self, first: int, last: int, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
        selection = QTextEdit.ExtraSelection()
        selection.cursor, selection.format = self._cursor(first, last), look
        return selection

    def _scroll_to(self, place: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(place)
        top = self.cursorRect(cursor).top() + self.verticalScrollBar().value()
        self.verticalScrollBar().setValue(max(0, top - self.viewport().height() // 3))

    def _on_link(self, href: str) -> None:
        if href.startswith(_UNFOLD):
            self._unfolded.add(int(href.removeprefix(_UNFOLD)))
            self._render()
        else:
            self.link_wanted.emit(href)


def readable_time(iso: str) -> str:
    """Return a time (ISO 8601 UTC) as people write it: `2 March 2026, 09:14`."""
    try:
        date = f"{int(iso[8:10])} {MONTHS[int(iso[5:7]) - 1]} {iso[:4]}"
    except (ValueError, IndexError):
        return iso
    return f"{date}, {iso[11:16]}" if len(iso) >= 16 else date


def utf16_length(text: str) -> int:
    """Return how many of Qt's units a text is long."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)
