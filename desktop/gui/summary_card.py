"""The summary card: what the ticket says in short, each sentence with its source, and what was left out because the ticket does not say it.

It only paints what it is told: highlights at once, claims as they are checked, the end of the run in words. Text is drawn at most every 40 ms while
it streams, and only the sections that changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, Highlight, RunState, Summary, Support
from desktop.gui.card_parts import HighlightsList, RunNotice, SectionRow, Strip
from desktop.gui.claims_view import ClaimsView
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import Span, readable_time
from desktop.gui.words import ElidedWords, Words, named_frame
from desktop.services.wording import describe_findings

FLUSH_MS = 40
GIST = "Gist"


class SummaryCard(QFrame):
    """The card above the thread."""

    spans_wanted = Signal(list)
    """The user asks to see these `Span`s in the thread."""
    summarize_requested = Signal(bool)
    """True when an existing summary shall be made again."""
    stop_requested = Signal()
    copy_requested = Signal(str)
    """How: `copied` (what is supported), `markdown`, or `everything`."""
    providers_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._sentences: dict[str, str] = {}
        self._spans: dict[str, Span] = {}
        self._claims: list[CheckedClaim] = []
        self._pending = ("", "")
        self._active = -1
        self._summary: Summary | None = None
        self._is_running = False
        self._rows: dict[str, SectionRow] = {}
        self._flush = QTimer(self, interval=FLUSH_MS, singleShot=True)
        self._flush.timeout.connect(self._draw)
        self._build()
        theme.changed.connect(self._on_theme)

    # What the pane tells the card

    def reset(self, sentences: Mapping[str, str], spans: Mapping[str, Span]) -> None:
        """Begin with another ticket. `sentences` and `spans` are its sentences by id."""
        self._sentences, self._spans = dict(sentences), dict(spans)
        self._highlights.show_highlights(())
        self._begin()
        self._set_running(False)
        self._meta.clear()
        self._draw()

    def show_highlights(self, highlights: tuple[Highlight, ...]) -> None:
        """Show the highlights, open as long as no summary stands above them."""
        self._highlights.show_highlights(highlights)
        self._highlights.set_open(self._summary is None or not self._summary.claims)
        self._draw_footer()

    def show_started(self, provider: str, model: str) -> None:
        """A request went out."""
        self._begin()
        self.spans_wanted.emit([])
        self._set_running(True)
        self._meta.setText(f"{provider} · {model}" if model else provider)
        self._status.setText("Reading the ticket…")
        self._draw()

    def add_text(self, section: str, pending: str) -> None:
        """Show the claim that is being written."""
        self._pending = (section, pending)
        if not self._flush.isActive():
            self._flush.start()

    def add_claim(self, checked: CheckedClaim) -> None:
        """Show a claim that was completed and checked."""
        self._claims.append(checked)
        if not self._flush.isActive():
            self._flush.start()

    def show_summary(self, summary: Summary, *, attempt: Summary | None = None) -> None:
        """Show a run's end: all of its claims and how it ended. `attempt` is a newer run that brought no text: how it ended is said instead."""
        self._flush.stop()
        self._summary = summary
        self._claims = list(summary.claims)
        self._pending = ("", "")
        self._set_running(False)
        self._notice.show_summary(attempt or summary)
        self._meta.setText(_meta(summary))
        self._highlights.set_open(not any(c.support is Support.SUPPORTED for c in summary.claims))
        self._draw()

    def shown_text(self) -> str:
        """Return all words that the card shows, for the accessible description and for tests."""
        gist = "" if self._gist.isHidden() else self._gist.toPlainText().replace("￼", "").strip()
        parts = [gist, *(row.text() for row in self._rows.values() if not row.isHidden())]
        return "\n".join(part for part in (*parts, *(strip.text() for strip in self._strips())) if part)

    @property
    def is_running(self) -> bool:
        return self._is_running

    # How it is built

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE + 4, 2 * SPACE, SPACE + 4)
        layout.setSpacing(SPACE)
        head = QHBoxLayout()
        self._title = Words("Summary")
        self._title.setFont(scaled(self.font(), 1.0, weight=self._title.font().Weight.DemiBold))
        self._meta = Words(kind="faint")
        self._meta.setFont(small_font(self.font()))
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._meta)
        layout.addLayout(head)
        self._body = QScrollArea()
        self._body.setWidgetResizable(True)
        self._body.setFocusPolicy(self._body.focusPolicy().NoFocus)
        inner = QWidget()
        inner.setObjectName("cardBody")
        self._sections = QVBoxLayout(inner)
        self._sections.setContentsMargins(0, 0, SPACE // 2, 0)
        self._sections.setSpacing(SPACE // 2 + 2)
        self._gist = ClaimsView(self._theme)
        self._gist.setFont(scaled(self.font(), 1.06))
        self._gist.hide()
        self._gist.citation_clicked.connect(self._on_citation)
        self._sections.addWidget(self._gist)
        self._strip_box = QVBoxLayout()
        self._strip_box.setSpacing(SPACE // 2)
        self._sections.addLayout(self._strip_box)
        self._notice = RunNotice(self._theme)
        self._notice.retry_requested.connect(lambda: self.summarize_requested.emit(True))
        self._notice.providers_requested.connect(self.providers_requested)
        self._sections.insertWidget(0, self._notice)
        self._highlights = HighlightsList(self._theme)
        self._highlights.chosen.connect(self._on_highlight)
        self._highlights.toggled.connect(self.fit)
        self._sections.addWidget(self._highlights)
        self._sections.addStretch()
        self._body.setWidget(inner)
        layout.addWidget(self._body)
        rule = named_frame("rule")
        rule.setFixedHeight(1)
        layout.addWidget(rule)
        layout.addLayout(self._build_footer())

    def _build_footer(self) -> QHBoxLayout:
        footer = QHBoxLayout()
        footer.setSpacing(SPACE)
        self._copy = QPushButton("Copy")
        self._copy.setProperty("kind", "primary")
        self._copy.setToolTip("Copy what the ticket supports, as rich and plain text (Ctrl+C)")
        self._copy.clicked.connect(lambda: self.copy_requested.emit("copied"))
        self._more = QPushButton()
        self._more.setAccessibleName("More ways to copy")
        self._more.setToolTip("More ways to copy")
        menu = QMenu(self._more)
        menu.addAction("Copy as Markdown").triggered.connect(lambda: self.copy_requested.emit("markdown"))
        menu.addAction("Copy everything, unsupported too").triggered.connect(
            lambda: self.copy_requested.emit("everything")
        )
        self._more.setMenu(menu)
        self._refresh = QPushButton("Summarize")
        self._refresh.clicked.connect(lambda: self.summarize_requested.emit(self._summary is not None))
        self._stop = QPushButton("Stop")
        self._stop.setToolTip("Stop writing and keep the text so far (Esc)")
        self._stop.clicked.connect(self.stop_requested)
        self._status = ElidedWords(kind="muted")
        self._status.setFont(small_font(self.font()))
        for widget in (self._copy, self._more, self._refresh, self._stop):
            footer.addWidget(widget)
        footer.addWidget(self._status, 1)
        self._status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # Not the button's own: a button forgets its shortcut whenever its text changes.
        again = QShortcut(QKeySequence("F5"), self)
        again.activated.connect(self._refresh.click)
        self._on_theme()
        return footer

    # How it draws

    def _begin(self) -> None:
        self._flush.stop()
        self._claims, self._pending, self._active, self._summary = [], ("", ""), -1, None
        self._notice.hide()
        for row in self._rows.values():
            row.deleteLater()
        self._rows.clear()

    def _draw(self) -> None:
        by_section: dict[str, list[tuple[int, CheckedClaim]]] = {}
        left_out: list[CheckedClaim] = []
        for index, checked in enumerate(self._claims):
            if checked.support in (Support.UNSUPPORTED, Support.UNCITED):
                left_out.append(checked)
            else:
                by_section.setdefault(checked.claim.section, []).append((index, checked))
        section, pending = self._pending
        gist = by_section.pop(GIST, [])
        pending_gist = pending if section == GIST else ""
        self._gist.setVisible(bool(gist or pending_gist))
        self._gist.show_claims(gist, pending=pending_gist, active=self._active, sentences=self._sentences)
        for name in dict.fromkeys([*by_section, *([section] if pending and section != GIST else [])]):
            row = self._rows.get(name) or self._add_row(name)
            row.show()
            row.view.show_claims(
                by_section.get(name, []),
                pending=pending if name == section else "",
                active=self._active,
                sentences=self._sentences,
            )
        for name, row in self._rows.items():
            row.setVisible(name in by_section or (name == section and bool(pending)))
        self._draw_strips(left_out)
        self._draw_footer()
        self.fit()

    def _add_row(self, name: str) -> SectionRow:
        row = SectionRow(self._theme, name)
        row.view.citation_clicked.connect(self._on_citation)
        self._rows[name] = row
        # Behind the notice, the gist and the sections before it.
        self._sections.insertWidget(len(self._rows) + 1, row)
        return row

    def _draw_strips(self, left_out: list[CheckedClaim]) -> None:
        strips = self._strips()
        if [strip.checked for strip in strips] == left_out:
            return
        for strip in strips:
            self._strip_box.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        for checked in left_out:
            strip = Strip(self._theme, checked)
            strip.clicked.connect(self._on_strip)
            self._strip_box.addWidget(strip)

    def _draw_footer(self) -> None:
        # What is still being written is not copied: until it is done, the highlights are what there is.
        has_text = bool(self._claims) and not self._is_running
        self._copy.setEnabled(has_text or self._highlights.has_any)
        self._copy.setText("Copy" if has_text or not self._highlights.has_any else "Copy highlights")
        self._more.setVisible(has_text and not self._is_running)
        self._refresh.setText("Refresh" if self._summary is not None and self._summary.claims else "Summarize")
        self._refresh.setToolTip(
            "Write this summary again (F5)" if self._summary else "Write a summary of this ticket (F5)"
        )
        if self._is_running:
            count = len(self._claims)
            waiting = "Writing…" if self._pending[1] else "Reading the ticket…"
            self._status.setText(f"{count} sentence{'' if count == 1 else 's'} checked" if count else waiting)
        else:
            self._status.setText(_status(self._summary) if self._summary else "")

    def _set_running(self, is_running: bool) -> None:
        self._is_running = is_running
        self._refresh.setVisible(not is_running)
        self._stop.setVisible(is_running)

    def fit(self) -> None:
        """Make the card as high as its content, up to three fifths of the pane, so that the thread stays in sight."""
        QTimer.singleShot(0, self, self._fit_now)

    def _fit_now(self) -> None:
        layout = self._sections
        layout.activate()
        parent = self.parentWidget()
        most = max(160, (parent.height() if parent else 600) * 3 // 5 - 120)
        wanted = (
            layout.totalHeightForWidth(self._body.viewport().width())
            if layout.hasHeightForWidth()
            else layout.sizeHint().height()
        )
        self._body.setFixedHeight(max(24, min(wanted, most)))

    def _strips(self) -> list[Strip]:
        found = (self._strip_box.itemAt(i) for i in range(self._strip_box.count()))
        return [w for item in found if item is not None and isinstance(w := item.widget(), Strip)]

    def _on_citation(self, index: int) -> None:
        self._active = index
        self._draw()
        self.spans_wanted.emit([self._spans[c] for c in self._claims[index].citations if c in self._spans])

    def _on_strip(self, checked: CheckedClaim) -> None:
        self.spans_wanted.emit([self._spans[c] for c in checked.citations if c in self._spans])

    def _on_highlight(self, highlight: Highlight) -> None:
        self.spans_wanted.emit([Span(highlight.position, highlight.start, highlight.end)])

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self._copy.setIcon(icons.icon("copy", t.on_accent))
        self._more.setIcon(icons.icon("chevron-down"))
        self._refresh.setIcon(icons.icon("sparkle"))
        self._stop.setIcon(icons.icon("stop"))
        for view in (self._gist, *(row.view for row in self._rows.values())):
            view.render_again()


def _meta(summary: Summary) -> str:
    cost = summary.cost_microusd
    parts = [
        summary.model or summary.provider,
        "price unknown" if cost is None else "free" if cost == 0 else f"${cost / 1e6:.4f}",
    ]
    if summary.created_at:
        parts.append(readable_time(summary.created_at))
    return " · ".join(parts) if summary.claims or summary.text else ""


def _status(summary: Summary) -> str:
    stale = ("the ticket has changed since",) if summary.stale else ()
    state = () if summary.state is RunState.COMPLETE else (summary.state.value,)
    findings = describe_findings(summary)
    return " · ".join((*state, findings, *stale)) if findings else ""
