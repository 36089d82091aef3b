"""The difference of one ticket: fields with the old and the new value, messages added, removed or edited.

What was added stands behind a plus and on green, what was removed behind a minus and on red, and inside an edited text the one is underlined and the
other struck out: nothing is said by color alone. Text of tickets is shown as it is and does nothing.
"""

from __future__ import annotations

from PySide6.QtGui import (
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTableFormat,
)

from desktop.domain.history import FieldChange, MessageChange, Piece, TicketDifference
from desktop.gui.chips import OBJECT_CHARACTER, ChipPainter, chip_format
from desktop.gui.safe_text import SafeTextBrowser
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import LINE_PERCENT, readable_time
from desktop.gui.words import as_listed
from desktop.services.wording import count

MOST_CHARACTERS = 4_000
"""Of one text; the whole of it stands in the ticket."""
MOST_MESSAGES = 20
"""Of one ticket: each is a table of its own in the document, and a ticket of 500 would hold the window up."""
_MOST_VALUE_CHARACTERS = 600
_SIGNS = {"added": "+", "removed": "−", "edited": "~"}
_TITLE_PERCENT, _VALUE_PERCENT = 22, 39


class DifferenceView(SafeTextBrowser):
    """Shows one `TicketDifference`, read-only."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._difference: TicketDifference | None = None
        self._note = ""
        self.setAccessibleName("What changed in this ticket")
        self.setFrameShape(SafeTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        self._chips = ChipPainter(theme, self.document())
        theme.changed.connect(self._render)

    def show_difference(self, difference: TicketDifference | None, note: str = "") -> None:
        """Show what became of a ticket; None for none. `note` is a sentence above it."""
        self._difference, self._note = difference, note
        self._render()
        self.verticalScrollBar().setValue(0)

    def _render(self) -> None:
        self.clear()
        self.document().setDefaultFont(self.font())
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if self._note:
            self._insert_block(cursor, top=0)
            cursor.insertText(self._note, self._ink(self._theme.tokens.muted))
        if self._difference is not None:
            if self._difference.fields:
                self._insert_fields(cursor, self._difference.fields)
            if self._difference.messages:
                self._insert_heading(cursor, self._heading(self._difference))
            for message in self._difference.messages[:MOST_MESSAGES]:
                self._insert_message(cursor, message)
            if (more := len(self._difference.messages) - MOST_MESSAGES) > 0:
                self._insert_block(cursor, top=1.5 * SPACE)
                stand = "stands" if more == 1 else "stand"
                cursor.insertText(
                    f"{count(more, 'more message')} {stand} in the ticket", self._ink(self._theme.tokens.muted)
                )
        cursor.endEditBlock()

    def _heading(self, difference: TicketDifference) -> str:
        kept = difference.kept_messages
        return "Messages" + (f" · {count(kept, 'message')} unchanged" if kept else "")

    def _insert_fields(self, cursor: QTextCursor, changes: tuple[FieldChange, ...]) -> None:
        is_new = self._difference is not None and self._difference.kind == "new"
        self._insert_heading(cursor, "Fields")
        columns = 2 if is_new else 3
        look = _frameless()
        look.setCellPadding(SPACE / 2)
        look.setCellSpacing(2)
        widths = [_TITLE_PERCENT, *([100 - _TITLE_PERCENT] if is_new else [_VALUE_PERCENT] * 2)]
        look.setColumnWidthConstraints([QTextLength(QTextLength.Type.PercentageLength, width) for width in widths])
        table = cursor.insertTable(len(changes), columns, look)
        for row, change in enumerate(changes):
            title = table.cellAt(row, 0).firstCursorPosition()
            title.insertText(change.title, self._ink(self._theme.tokens.muted))
            if not is_new:
                self._fill(table.cellAt(row, 1), "−", _shown(change, change.before))
            self._fill(table.cellAt(row, columns - 1), "+", _shown(change, change.after))
        cursor.movePosition(QTextCursor.MoveOperation.End)

    def _fill(self, cell: object, sign: str, value: str) -> None:
        """Fill one side of a field; nothing stands where there was nothing."""
        t = self._theme.tokens
        if value:
            ground, ink = (t.ok_ground, t.ok) if sign == "+" else (t.error_ground, t.error)
            look = cell.format()  # type: ignore[attr-defined]
            look.setBackground(QColor(ground))
            cell.setFormat(look)  # type: ignore[attr-defined]
        place: QTextCursor = cell.firstCursorPosition()  # type: ignore[attr-defined]
        if not value:
            place.insertText("nothing", self._ink(t.faint))
            return
        place.insertText(f"{sign} ", self._ink(ink, is_bold=True))
        place.insertText(_cut(value, _MOST_VALUE_CHARACTERS), self._ink(t.text))

    def _insert_message(self, cursor: QTextCursor, change: MessageChange) -> None:
        t = self._theme.tokens
        message = change.message
        self._insert_block(cursor, top=1.5 * SPACE)
        color = {"added": t.ok, "removed": t.error}.get(change.change, t.warning)
        cursor.insertText(f"{_SIGNS[change.change]} ", self._ink(color, is_bold=True))
        cursor.insertText(change.change, self._ink(color, is_bold=True))
        cursor.insertText("  ", self._ink(t.faint))
        cursor.insertText(message.author or "Unknown", self._ink(t.text, is_bold=True))
        cursor.insertText("  ", self._ink(t.faint))
        cursor.insertText(OBJECT_CHARACTER, chip_format(str(message.role)))
        if message.internal:
            cursor.insertText(OBJECT_CHARACTER, chip_format("internal", tone="warning"))
        quiet = self._ink(t.faint)
        quiet.setFont(small_font(self.font()))
        told = [readable_time(message.created_at)] if message.created_at else []
        cursor.insertText("  " + " · ".join([*told, *change.notes]), quiet)
        ground = {"added": t.ok_ground, "removed": t.error_ground}.get(change.change, t.raised)
        self._insert_body(cursor, change, ground)

    def _insert_body(self, cursor: QTextCursor, change: MessageChange, ground: str) -> None:
        look = _frameless()
        look.setCellPadding(SPACE)
        look.setMargin(0)
        look.setTopMargin(SPACE / 2)
        box = cursor.insertTable(1, 1, look).cellAt(0, 0)
        colored = box.format()
        colored.setBackground(QColor(ground))
        box.setFormat(colored)
        cell = box.firstCursorPosition()
        block = QTextBlockFormat()
        block.setLineHeight(LINE_PERCENT, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
        cell.setBlockFormat(block)
        left = MOST_CHARACTERS
        for piece in change.pieces:
            cell.insertText(_cut(piece.text, left), self._piece_look(piece, change))
            left -= len(piece.text)
            if left <= 0:
                break
        cursor.movePosition(QTextCursor.MoveOperation.End)

    def _piece_look(self, piece: Piece, change: MessageChange) -> QTextCharFormat:
        t = self._theme.tokens
        look = self._ink(t.text)
        if change.change == "edited" and piece.sign == "+":
            look.setBackground(QColor(t.ok_ground))
            look.setForeground(QColor(t.ok))
            look.setFontUnderline(True)
        elif change.change == "edited" and piece.sign == "-":
            look.setBackground(QColor(t.error_ground))
            look.setForeground(QColor(t.error))
            look.setFontStrikeOut(True)
        return look

    def _insert_heading(self, cursor: QTextCursor, text: str) -> None:
        self._insert_block(cursor, top=2 * SPACE)
        look = self._ink(self._theme.tokens.text)
        look.setFont(scaled(self.font(), 1.0, weight=QFont.Weight.DemiBold))
        cursor.insertText(text, look)

    def _insert_block(self, cursor: QTextCursor, *, top: float) -> None:
        block = QTextBlockFormat()
        block.setTopMargin(top)
        if self.document().isEmpty():
            block.setTopMargin(0)
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)

    def _ink(self, color: str, *, is_bold: bool = False) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(QColor(color))
        if is_bold:
            look.setFontWeight(QFont.Weight.DemiBold)
        return look


def _frameless() -> QTextTableFormat:
    """Return the format of a table as wide as the view, without lines."""
    look = QTextTableFormat()
    look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
    look.setBorder(0)
    look.setCellSpacing(0)
    look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    return look


def _shown(change: FieldChange, value: str) -> str:
    if change.key in ("created_at", "updated_at") and value:
        return readable_time(value)
    return as_listed(value) if change.key in ("status", "priority") else value


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: max(0, most)].rstrip()} ⋯ {len(text) - max(0, most):,} more characters stand in the ticket"
