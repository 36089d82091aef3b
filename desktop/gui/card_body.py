"""The body of the summary card: gist, sections as the user wants them, what was left out, and the highlights.

It holds the claims and paints them, at most every 40 ms while they stream in and then only the sections that changed. It knows nothing of services,
of how a run goes, or of what the card's buttons do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QElapsedTimer, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, Fields, Form, RunState, Summary, Support
from desktop.domain.sections import (
    DEADLINES,
    GIST,
    NEXT_STEP,
    NOT_IN_TICKET,
    SENTIMENT,
    SectionChoice,
    choose_sections,
)
from desktop.gui.card_parts import RunNotice, SectionRow, Strips
from desktop.gui.claims_view import ClaimsView, Mark, shown_text
from desktop.gui.highlights_list import HighlightsList
from desktop.gui.panel_parts import layout_height
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time

FLUSH_MS = 40
_LEFT_OUT = (Support.UNSUPPORTED, Support.UNCITED)
_OWNERS = {
    "customer": ("customer", "The customer has to act next"),
    "agent": ("support", "Support has to act next"),
    "other": ("someone else", "Neither the customer nor support has to act next, but someone else"),
    "nobody": ("nobody", "Nobody has to act next"),
}


class CardBody(QScrollArea):
    """What the card shows of a ticket. `claim_clicked(index)` also comes from keys."""

    claim_clicked = Signal(int)
    strip_clicked = Signal(object)
    link_wanted = Signal(str)
    content_changed = Signal()
    """Text was drawn: the card may have to grow."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.claims: list[CheckedClaim] = []
        self._sentences: dict[str, str] = {}
        self._by_section: dict[str, list[tuple[int, CheckedClaim]]] = {}
        self._left_out: list[CheckedClaim] = []
        self._pending = ("", "")
        self._active: frozenset[int] = frozenset()
        self._summary: Summary | None = None
        self._choices = choose_sections(())
        self._rows: dict[str, SectionRow] = {}
        self._changed: set[str] = set()
        self._is_following = True
        self._since = QElapsedTimer()
        self._flush = QTimer(self, interval=FLUSH_MS, singleShot=True)
        self._flush.timeout.connect(self._draw_changed)
        self._build()
        theme.changed.connect(self._on_theme)

    # What it is told

    def set_sentences(self, sentences: Mapping[str, str]) -> None:
        """Take the sentences of another ticket by their ids, for the tool tips."""
        self._sentences = dict(sentences)

    def set_choices(self, choices: Sequence[SectionChoice]) -> None:
        """Take the sections as the user wants them."""
        if tuple(choices) != self._choices:
            self._choices = tuple(choices)
            self._remove_rows()
            self._draw_all()

    @property
    def choices(self) -> tuple[SectionChoice, ...]:
        return self._choices

    def begin(self) -> None:
        """Show no summary."""
        self._flush.stop()
        self._since.invalidate()
        self._put_claims(())
        self._pending, self._active, self._summary = ("", ""), frozenset(), None
        self._is_following = True
        self.notice.hide()
        self.strips.reset()
        self._remove_rows()
        self._draw_all()

    def add_claim(self, checked: CheckedClaim) -> None:
        """Show one more claim, in a moment."""
        self._put_claim(checked)
        self._changed.add(checked.claim.section)
        self._draw_soon()

    def add_pending(self, section: str, pending: str) -> None:
        """Show the claim that is being written, in a moment."""
        if not pending and not self._pending[1]:
            # Nothing to draw, and drawing nothing would make the first letter wait for its turn.
            self._pending = (section, pending)
            return
        self._changed.update((self._pending[0], section))
        self._pending = (section, pending)
        self._draw_soon()

    def show_claims(self, claims: Iterable[CheckedClaim]) -> None:
        """Show other claims in place of these."""
        self._put_claims(claims)
        self._draw_all()

    def show_summary(self, summary: Summary) -> None:
        """Show a run's end."""
        self._flush.stop()
        was_following = self._is_following and self._since.isValid()
        self._summary, self._pending = summary, ("", "")
        self._put_claims(summary.claims)
        self._draw_all()
        if was_following:
            # What was followed to its end is read from its beginning.
            self.verticalScrollBar().setValue(0)

    def activate(self, indices: Iterable[int], *, scrolls: bool = False) -> None:
        """Mark claims as those whose words are lit up in the thread; `scrolls` brings the first into view."""
        self._active = frozenset(indices)
        self._draw_all()
        if scrolls and self._active:
            self._bring_into_view(min(self._active))

    def text(self) -> str:
        """Return all words that are shown, without the highlights."""
        gist = "" if self.gist.isHidden() else self.gist.toPlainText().replace("￼", "").strip()
        rows = (row.text() for row in self._rows_in_order() if not row.isHidden())
        return "\n".join(part for part in (gist, *rows, self.strips.text()) if part)

    def label_of(self, section: str) -> str:
        """Return the label that the user gave a section."""
        return next((choice.label for choice in self._choices if choice.name == section), section)

    def wanted_height(self) -> int:
        """Return how high all of it is at this width."""
        layout = self._sections
        layout.activate()
        width = self.viewport().width()
        return layout_height(layout, width)

    # How it is built

    def _build(self) -> None:
        self.setWidgetResizable(True)
        self.setFocusPolicy(self.focusPolicy().NoFocus)
        inner = QWidget()
        inner.setObjectName("cardBody")
        self._sections = QVBoxLayout(inner)
        self._sections.setContentsMargins(0, 0, SPACE // 2, 0)
        self._sections.setSpacing(SPACE // 2 + 2)
        self.notice = RunNotice(self._theme)
        self.gist = ClaimsView(self._theme)
        self.gist.setFont(scaled(self.font(), 1.06))
        self.gist.hide()
        self._connect_view(self.gist)
        self.strips = Strips()
        self.strips.clicked.connect(self.strip_clicked)
        self.strips.changed.connect(self.content_changed)
        self.highlights = HighlightsList(self._theme)
        self.highlights.toggled.connect(self.content_changed)
        for widget in (self.notice, self.gist, self.strips, self.highlights):
            self._sections.addWidget(widget)
        self._sections.addStretch()
        self._inner = inner
        self.setWidget(inner)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        self.verticalScrollBar().actionTriggered.connect(lambda _: QTimer.singleShot(0, self, self._on_scrolled))

    def _connect_view(self, view: ClaimsView) -> None:
        view.citation_clicked.connect(self.claim_clicked)
        view.link_wanted.connect(self.link_wanted)
        view.left.connect(lambda step: self._go_on(view, step))
        view.reached.connect(self._bring_into_view)

    def _go_on(self, view: ClaimsView, step: int) -> None:
        """Take the keyboard from a section's last claim to the next section's first, or back."""
        views = [v for v in self._views() if v.has_claims and v.isVisible()]
        at = views.index(view) + step
        if 0 <= at < len(views):
            views[at].enter(step)

    def _views(self) -> list[ClaimsView]:
        return [self.gist, *(row.view for row in self._rows_in_order())]

    def _rows_in_order(self) -> list[SectionRow]:
        found = (self._sections.itemAt(i) for i in range(self._sections.count()))
        return [w for item in found if item is not None and isinstance(w := item.widget(), SectionRow)]

    # How it draws

    def _put_claims(self, claims: Iterable[CheckedClaim]) -> None:
        self.claims, self._by_section, self._left_out = [], {}, []
        for checked in claims:
            self._put_claim(checked)

    def _put_claim(self, checked: CheckedClaim) -> None:
        index = len(self.claims)
        self.claims.append(checked)
        if checked.support in _LEFT_OUT:
            self._left_out.append(checked)
        else:
            self._by_section.setdefault(checked.claim.section, []).append((index, checked))

    def _draw_soon(self) -> None:
        """Draw at once after a pause, else when the last drawing is old enough: the first letter does not wait."""
        if self._flush.isActive():
            return
        if not self._since.isValid() or self._since.elapsed() >= FLUSH_MS:
            self._draw_changed()
        else:
            self._flush.start(int(FLUSH_MS - self._since.elapsed()))

    def _draw_changed(self) -> None:
        self._since.start()
        changed, self._changed = self._changed, set()
        for name in changed:
            if name:
                self._draw_section(name)
        self.strips.show_claims(self._left_out, self._labels())
        self.content_changed.emit()

    def _draw_all(self) -> None:
        self._changed.clear()
        for name in dict.fromkeys((GIST, *self._rows, *self._by_section, *self._asked_for())):
            self._draw_section(name)
        self.strips.show_claims(self._left_out, self._labels())
        self.content_changed.emit()

    def _draw_section(self, name: str) -> None:
        claims = self._by_section.get(name, [])
        pending = self._pending[1] if name == self._pending[0] else ""
        note = self._note_of(name)
        is_shown = bool(claims or pending or note) and self._is_wanted(name)
        view = self.gist if name == GIST else self._rows[name].view if name in self._rows else None
        if view is None:
            if not is_shown:
                return
            view = self._add_row(name).view
        view.model = self._summary.model if self._summary else ""
        owner = self.gist if name == GIST else self._rows[name]
        view.show_claims(
            claims,
            pending=pending,
            active=self._active,
            sentences=self._sentences,
            marks=self._marks_of(name) if claims else (),
            note=note,
        )
        if owner.isHidden() is is_shown:
            owner.setVisible(is_shown)

    def _is_wanted(self, name: str) -> bool:
        return all(choice.is_on for choice in self._choices if choice.name == name)

    def _asked_for(self) -> tuple[str, ...]:
        """Return the sections that the recipe asked for, once it is known what became of them all."""
        summary = self._summary
        if summary is None or summary.state is not RunState.COMPLETE or summary.form is not Form.SECTIONS:
            return ()
        return tuple(summary.sections) if summary.claims else ()

    def _note_of(self, name: str) -> str:
        if name == GIST or name in self._by_section or name not in self._asked_for():
            return ""
        left_out = sum(checked.claim.section == name for checked in self._left_out)
        return "Left out: see below" if left_out else NOT_IN_TICKET

    def _marks_of(self, name: str) -> tuple[Mark, ...]:
        fields = self._summary.fields if self._summary else Fields()
        if name == NEXT_STEP and fields.next_owner in _OWNERS:
            return (Mark(*_OWNERS[fields.next_owner]),)
        if name == SENTIMENT and fields.sentiment:
            return (Mark(fields.sentiment, f"The customer last sounds {fields.sentiment}"),)
        if name == DEADLINES and fields.deadline:
            date = readable_time(fields.deadline)
            is_said = any(date in shown_text(checked) for _, checked in self._by_section.get(name, ()))
            return () if is_said else (Mark(date, "The earliest deadline"),)
        return ()

    def _labels(self) -> dict[str, str]:
        return {choice.name: choice.label for choice in self._choices}

    def _add_row(self, name: str) -> SectionRow:
        row = SectionRow(self._theme, self.label_of(name))
        self._connect_view(row.view)
        wanted = [choice.name for choice in self._choices]
        # Sections of other recipes stand behind the user's own, in the order they come in.
        rank = wanted.index(name) if name in wanted else len(wanted)
        before = [n for n in self._rows if (wanted.index(n) if n in wanted else len(wanted)) <= rank]
        first = self._sections.indexOf(self.gist) + 1
        self._sections.insertWidget(first + len(before), row)
        self._rows[name] = row
        return row

    def _remove_rows(self) -> None:
        for row in self._rows.values():
            self._sections.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows.clear()

    def _bring_into_view(self, index: int) -> None:
        # A claim that was only just drawn has no place yet.
        self._sections.activate()
        for view in self._views():
            top = view.top_of(index)
            if top >= 0:
                place = view.mapTo(self._inner, view.rect().topLeft()).y() + top
                self.ensureVisible(0, place, 0, self.fontMetrics().height() * 3)
                return

    def _on_range(self, _: int, most: int) -> None:
        if self._is_following and self._since.isValid() and self._summary is None:
            self.verticalScrollBar().setValue(most)

    def _on_scrolled(self) -> None:
        """Follow what is written as long as the reader has not gone elsewhere."""
        bar = self.verticalScrollBar()
        self._is_following = bar.value() >= bar.maximum() - self.fontMetrics().height()

    def _on_theme(self) -> None:
        for view in self._views():
            view.render_again()
