"""Verify pasted text: any text, an agent's own reply, checked against the ticket sentence by sentence, as a summary's claims are.

It lies below the card while it is open. It checks nothing itself, keeps nothing, and sends nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.domain.runs import Support, Verified
from desktop.gui.claims_view import ClaimsView
from desktop.gui.panel_parts import layout_height
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import Span
from desktop.gui.words import Words
from desktop.services.wording import LIMITS, count

SETTLE_MS = 300
_LINES = 3
_LEAST_HEIGHT = 48
_MOST_HEIGHT = 200
_ROOMY_HEIGHT = 720


class VerifyPanel(QFrame):
    """A text and what was found of it. `check_wanted(text)` while one types, `spans_wanted(spans)` on a click, `closed()` at the end."""

    check_wanted = Signal(str)
    spans_wanted = Signal(list)
    link_wanted = Signal(str)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._verified: Verified | None = None
        self._sentences: dict[str, str] = {}
        self._spans: dict[str, Span] = {}
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self._build()
        self._on_theme()
        theme.changed.connect(self._on_theme)
        self.hide()

    def reset(self, sentences: Mapping[str, str], spans: Mapping[str, Span]) -> None:
        """Take the sentences of another ticket; the pasted text stays, and is checked against it."""
        self._sentences, self._spans = dict(sentences), dict(spans)
        self._show(None)
        if not self.isHidden():
            self._ask()

    def open(self) -> None:
        """Show it, ready to paste."""
        self.show()
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._ask()

    def show_verified(self, verified: Verified) -> None:
        """Show what was found of the text."""
        self._show(verified)

    def _build(self) -> None:
        title = Words("Verify pasted text")
        title.setFont(scaled(self.font(), 1.0, weight=title.font().Weight.DemiBold))
        self.status = Words(kind="muted")
        self.status.setFont(small_font(self.font()))
        self.close_button = QPushButton()
        self.close_button.setProperty("kind", "flat")
        self.close_button.setAccessibleName("Close the panel")
        self.close_button.setToolTip("Close (Esc)")
        self.close_button.clicked.connect(self.closed)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Text to verify")
        self.text.setPlaceholderText(
            "Paste a reply here: each of its sentences is checked against this ticket, on this machine."
        )
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _LINES + 2 * SPACE)
        self.text.textChanged.connect(self._settle.start)
        self.found = ClaimsView(self._theme, shows_reasons=True)
        self.found.citation_clicked.connect(self._on_claim)
        self.found.link_wanted.connect(self.link_wanted)
        self.found.height_changed.connect(self._fit)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        inner.setObjectName("cardBody")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addWidget(self.found)
        self._column = column
        self._area.setWidget(inner)
        self.limits_toggle = QPushButton("What this check can and cannot see")
        self.limits_toggle.setProperty("kind", "link")
        self.limits_toggle.setFont(small_font(self.font()))
        self.limits_toggle.setCheckable(True)
        self.limits_toggle.toggled.connect(self._on_limits)
        self.limits = Words(LIMITS, kind="muted", wraps=True)
        self.limits.setFont(small_font(self.font()))
        self.limits.hide()
        self._lay_out(title)

    def _lay_out(self, title: Words) -> None:
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.status, 1)
        head.addWidget(self.close_button)
        self.status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.text)
        layout.addWidget(self._area)
        self._column.addWidget(self.limits_toggle, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.limits)
        self._column.addStretch()

    def _ask(self) -> None:
        self._settle.stop()
        if self.text.toPlainText().strip():
            self.check_wanted.emit(self.text.toPlainText())
        else:
            self._show(None)

    def _show(self, verified: Verified | None) -> None:
        self._verified = verified
        claims = verified.claims if verified else ()
        self.found.show_claims(tuple(enumerate(claims)), sentences=self._sentences)
        supported = sum(checked.support is Support.SUPPORTED for checked in claims)
        self.status.setText(f"{supported} of {count(len(claims), 'sentence')} supported" if claims else "")
        self.found.setVisible(bool(claims))
        self._fit()

    def _on_claim(self, index: int) -> None:
        assert self._verified is not None
        claims = self._verified.claims
        self.found.show_claims(tuple(enumerate(claims)), active=frozenset((index,)), sentences=self._sentences)
        self.spans_wanted.emit([self._spans[c] for c in claims[index].citations if c in self._spans])

    def _on_limits(self, is_open: bool) -> None:
        self.limits.setVisible(is_open)
        self._fit()
        self._on_theme()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Take the room that the findings need, and give it up where there is none: they can be scrolled."""
        self._column.activate()
        wanted = layout_height(self._column, self._area.viewport().width()) + 2
        parent = self.parentWidget()
        is_roomy = parent is None or parent.height() >= _ROOMY_HEIGHT
        self._area.setMinimumHeight(min(_MOST_HEIGHT if is_roomy else _LEAST_HEIGHT, wanted))
        self._area.setMaximumHeight(min(_MOST_HEIGHT, wanted))

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self.close_button.setIcon(icons.icon("close", t.muted))
        chevron = "chevron-down" if self.limits_toggle.isChecked() else "chevron-right"
        self.limits_toggle.setIcon(icons.icon(chevron, t.accent))
        self.found.render_again()
