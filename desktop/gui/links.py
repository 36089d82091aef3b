"""Links: addresses in texts that people or models wrote. Nothing opens by itself: the whole address is shown first, and then it is asked.

Only http, https and mailto are links at all. What a link shows is the address itself, so a text cannot name one place and lead to another; a
host with look-alike letters is shown as it is spelled on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QTextCharFormat, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

SCHEMES = ("http", "https", "mailto")
MOST_CHARACTERS = 2_000
"""Longer than this no browser takes an address whole."""
# Marks that turn the direction of text, and controls, end an address: inside one they only serve to disguise it.
_LINK = re.compile(
    r"\b(?:https?://|mailto:)[^\s<>\"“”‘’«»`{}|\\^\[\]\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'*_~"


def find_links(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every address in a text, without the punctuation behind it."""
    for found in _LINK.finditer(text):
        link = found.group().rstrip(_TRAILING)
        while link.endswith(")") and link.count(")") > link.count("("):
            link = link[:-1].rstrip(_TRAILING)
        if is_link(link):
            yield found.start(), found.start() + len(link)


def is_link(href: str) -> bool:
    """Tell whether an address is one that may be offered to be opened."""
    if len(href) > MOST_CHARACTERS:
        return False
    url = QUrl(href, QUrl.ParsingMode.StrictMode)
    return url.isValid() and url.scheme().lower() in SCHEMES and bool(url.host() or url.scheme().lower() == "mailto")


def link_format(base: QTextCharFormat, href: str, color: str) -> QTextCharFormat:
    """Return the format of an address inside a text."""
    look = QTextCharFormat(base)
    look.setAnchor(True)
    look.setAnchorHref(href)
    look.setForeground(QColor(color))
    look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
    look.setToolTip("Show this link whole before it opens")
    return look


class LinkStrip(QFrame):
    """Shows one address whole and asks whether to open it. It lies below the card until it is answered."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("asking")
        self._theme = theme
        self._url = QUrl()
        self._question = Words(wraps=True)
        self.address = QPlainTextEdit(readOnly=True)
        self.address.setAccessibleName("Address of the link")
        self.address.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.address.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.open_button = QPushButton("Open link")
        self.open_button.clicked.connect(self._open)
        self.copy_button = QPushButton("Copy link")
        self.copy_button.clicked.connect(self._copy)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.hide)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self.open_button, self.copy_button, self.close_button):
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self._question)
        layout.addWidget(self.address)
        layout.addLayout(buttons)
        self.hide()

    def ask(self, href: str) -> None:
        """Show an address that was clicked; what is no link is passed over."""
        if not is_link(href):
            return
        self._url = QUrl(href, QUrl.ParsingMode.StrictMode)
        is_mail = self._url.scheme().lower() == "mailto"
        where = "your mail program" if is_mail else f"your browser, from {_host(self._url)}"
        self._question.setText(f"This link of the ticket opens in {where}:")
        shown = shown_address(href)
        self.address.setPlainText(shown)
        # One line or three; a longer one is scrolled, never cut.
        lines = 1 if self.address.fontMetrics().horizontalAdvance(shown) < self.width() - 4 * SPACE else 3
        self.address.setFixedHeight(self.address.fontMetrics().lineSpacing() * lines + 2 * SPACE + 4)
        self.show()
        self.close_button.setFocus()

    def _open(self) -> None:
        self.hide()
        QDesktopServices.openUrl(self._url)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.address.toPlainText())


def shown_address(href: str) -> str:
    """Return an address as it goes over the wire: a host in other letters is shown in its ASCII spelling."""
    return QUrl(href, QUrl.ParsingMode.StrictMode).toString(QUrl.ComponentFormattingOption.FullyEncoded)


def _host(url: QUrl) -> str:
    return url.host(QUrl.ComponentFormattingOption.FullyEncoded)
