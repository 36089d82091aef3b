"""Chips: the small rounded marks inside a text, a citation's number or an author's role, drawn from the tokens.

A chip is one object character in the document. Its words are kept in the format, so that the tool tip and the screen reader's description can be
made from them; copying a summary never goes through the document.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)

from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import plain_tip

CHIP = int(QTextFormat.ObjectTypes.UserObject) + 1
_TEXT = int(QTextFormat.Property.UserProperty) + 1
_TONE = int(QTextFormat.Property.UserProperty) + 2
_SCALE = 0.78
OBJECT_CHARACTER = "￼"
FOUND = "found"
"""The tone of a citation that this machine found: a dashed line, so that it is never taken for the model's."""
ACTIVE_FOUND = "active found"
OPINION = "opinion"
"""The tone of what a model said when it was asked again: a line of its own, apart from what was found here."""


class ChipPainter(QPyTextObject):
    """Measures and draws chips; one for each document."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        document.documentLayout().registerHandler(CHIP, self)

    def intrinsicSize(self, document: QTextDocument, position: int, format_: QTextFormat) -> QSizeF:
        metrics = QFontMetricsF(_font(document))
        return QSizeF(metrics.horizontalAdvance(str(format_.property(_TEXT))) + 1.25 * SPACE, metrics.height() + 1)

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, document: QTextDocument, position: int, format_: QTextFormat
    ) -> None:
        t = self._theme.tokens
        tone = str(format_.property(_TONE))
        ground, ink = {
            "active": (t.accent, t.on_accent),
            "warning": (t.warning_ground, t.warning),
            FOUND: (t.raised, t.muted),
            ACTIVE_FOUND: (t.selection, t.accent),
            OPINION: (t.raised, t.accent),
        }.get(tone, (t.chip, t.muted))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        box = QRectF(rect).adjusted(1, 3, -1, 2)
        if tone in (FOUND, ACTIVE_FOUND, OPINION):
            box.adjust(0.5, 0.5, -0.5, -0.5)
            pen = QPen(QColor(ink), 1)
            if tone != OPINION:
                pen.setDashPattern([2, 2])
            painter.setPen(pen)
        painter.drawRoundedRect(box, SPACE / 2, SPACE / 2)
        painter.setPen(QColor(ink))
        painter.setFont(_font(document))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), str(format_.property(_TEXT)))
        painter.restore()


def chip_format(text: str, *, tone: str = "", href: str = "", tool_tip: str = "") -> QTextCharFormat:
    """Return the format of one chip; insert it with `OBJECT_CHARACTER`."""
    result = QTextCharFormat()
    result.setObjectType(CHIP)
    result.setProperty(_TEXT, text)
    result.setProperty(_TONE, tone)
    result.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignNormal)
    if href:
        result.setAnchor(True)
        result.setAnchorHref(href)
    if tool_tip:
        result.setToolTip(plain_tip(tool_tip))
    return result


def _font(document: QTextDocument) -> QFont:
    return scaled(document.defaultFont(), _SCALE)
