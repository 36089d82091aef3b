"""Sent text: what goes to a model, as plain text that is only read. Placeholders are marked by color, because they are what the provider sees."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtGui import QColor, QFont, QFontDatabase, QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QPlainTextEdit

from desktop.gui.theme.style import Theme

MOST_SHOWN = 400_000
"""Characters: a view of more takes seconds to lay out. What is left out is said."""
_PLACEHOLDER = re.compile(r"<[A-Z]+_\d+[a-z]*>")


class SentText(QPlainTextEdit):
    """A plain text that is only read; Tab leaves it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setAccessibleName(name)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self.font().pointSizeF())
        self.setFont(fixed)
        self._marks = _Placeholders(self, theme)

    def show_text(self, text: str) -> None:
        """Show a text from its beginning; of a very long one its beginning, and how much is left out."""
        left = len(text) - MOST_SHOWN
        self.setPlainText(
            text if left <= 0 else f"{text[:MOST_SHOWN]}\n\n… {left:,} more characters are not shown here."
        )


def as_blocks(messages: Iterable[tuple[str, str]]) -> str:
    """Return the messages of a request (role, text) as they are read, each below its role."""
    return "\n\n".join(f"━━ {role} ━━\n{text}" for role, text in messages)


class _Placeholders(QSyntaxHighlighter):
    """Colors what stands in the place of a value that stayed here, and the names of roles."""

    def __init__(self, view: QPlainTextEdit, theme: Theme) -> None:
        super().__init__(view.document())
        self._theme = theme
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        t = self._theme.tokens
        look = QTextCharFormat()
        look.setForeground(QColor(t.accent))
        look.setFontWeight(QFont.Weight.DemiBold)
        for found in _PLACEHOLDER.finditer(text):
            # Qt counts in units of UTF-16.
            start = len(text[: found.start()].encode("utf-16-le", "surrogatepass")) // 2
            self.setFormat(start, len(found.group()), look)
        if text.startswith("━━ ") and text.endswith(" ━━"):
            look.setForeground(QColor(t.muted))
            self.setFormat(0, len(text), look)
