"""The summary card: what the ticket says in short, each sentence with its source, and what was left out because the ticket does not say it.

It only paints what it is told and hands on what is asked of it: head, thinking, body and foot are parts of their own. The card knows which of its
states it is in: no summary, one being written, one that ended. Highlights never pose as a summary: the head says what stands below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.domain.runs import CheckedClaim, ClaimChange, Coverage, Highlight, Summary, Support
from desktop.domain.sections import SectionChoice
from desktop.gui.card_body import CardBody
from desktop.gui.card_footer import CardFooter
from desktop.gui.card_head import CardHead, describe_author, describe_tags
from desktop.gui.claim_changes_view import ClaimChangesView
from desktop.gui.delay_strip import DelayStrip
from desktop.gui.sections_panel import SectionsPanel
from desktop.gui.summary_editor import SummaryEditor
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thinking_view import ThinkingView
from desktop.gui.thread_view import Span, Use
from desktop.gui.words import named_frame
from desktop.services.wording import count

LEAST_HEIGHT = 24
LEAST_BODY = 72
LEAST_THREAD = 96


class SummaryCard(QFrame):
    """The card above the thread."""

    spans_wanted = Signal(list)
    """The user asks to see these `Span`s in the thread."""
    messages_wanted = Signal(list)
    """The user asks to see these messages whole, by their positions."""
    uses_changed = Signal(list)
    """Which sentences of the thread claims cite now, as `Use`s."""
    summarize_requested = Signal(bool)
    """True when an existing summary shall be made again."""
    continue_requested = Signal(int)
    """The run with this id shall be gone on with where it was broken off."""
    providers_requested = Signal()
    sections_chosen = Signal(tuple)
    """The user chose other sections, as `SectionChoice`s."""
    link_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._spans: dict[str, Span] = {}
        self._summary: Summary | None = None
        self._is_running = False
        self._changes: tuple[ClaimChange, ...] | None = None
        self._next_unused = 0
        self._progress = ""
        self._reserved = 0
        self._asked = ""
        self._build()
        self._connect()

    @property
    def is_running(self) -> bool:
        return self._is_running

    @property
    def is_editing(self) -> bool:
        """Tell whether the editor or the panel of sections stands in place of the summary."""
        return self._reading.isHidden()

    # What the pane tells the card

    def reset(self, sentences: Mapping[str, str], spans: Mapping[str, Span]) -> None:
        """Begin with another ticket. `sentences` and `spans` are its sentences by id."""
        self.body.set_sentences(sentences)
        self._spans = dict(spans)
        self.body.highlights.show_highlights(())
        self.show_summary_again()
        self.delay.clear()
        self._begin()
        self._set_running(False)
        self._show_head()

    def set_choices(self, choices: Sequence[SectionChoice]) -> None:
        """Take the sections as the user wants them."""
        self.body.set_choices(choices)
        self.changes.set_labels({choice.name: choice.label for choice in choices})

    def show_highlights(self, highlights: tuple[Highlight, ...]) -> None:
        """Show the highlights, open as long as no summary stands above them."""
        self.body.highlights.show_highlights(highlights)
        self.body.highlights.set_open(self._summary is None or not self._summary.claims)
        self._show_head()
        self._show_footer()

    def begin_run(self, provider: str) -> None:
        """A summary was asked for; nothing was sent yet."""
        self.delay.clear()
        self.show_started(provider, "")

    def show_started(self, provider: str, model: str) -> None:
        """A request went out."""
        self.show_summary_again()
        self._begin()
        self.spans_wanted.emit([])
        self._set_running(True)
        self._show_author(provider, model)

    def show_progress(self, done: int, parts: int) -> None:
        """Say how far the reading of a long ticket is."""
        self._progress = (
            f"Reading part {min(done + 1, parts)} of {parts}" if done < parts else "Putting the parts together…"
        )
        self._show_status()

    def show_fallback(self, provider: str, model: str, reason: str) -> None:
        """The provider that was asked did not answer, and why; another one is asked."""
        self.delay.say_fallback(self._asked, provider, reason)
        self._show_author(provider, model)

    def add_thinking(self, text: str) -> None:
        """Take more of what a reasoning model thinks before it answers."""
        self.delay.end_wait()
        self.thinking.add(text)

    def add_text(self, section: str, pending: str) -> None:
        """Show the claim that is being written."""
        self.delay.end_wait()
        self.thinking.end()
        self.body.add_pending(section, pending)

    def add_claim(self, checked: CheckedClaim) -> None:
        """Show a claim that was completed and checked."""
        self.delay.end_wait()
        self.thinking.end()
        self.body.add_claim(checked)

    def show_claims(self, claims: tuple[CheckedClaim, ...]) -> None:
        """Show all claims anew, once a model was asked about them again."""
        self.body.show_claims(claims)

    def show_summary(self, summary: Summary, *, attempt: Summary | None = None) -> None:
        """Show a run's end: all of its claims and how it ended. `attempt` is a newer run that brought no text: how it ended is said instead."""
        self._summary = summary
        self._changes, self._next_unused, self._progress = None, 0, ""
        self.footer.show_changes(None)
        self._show_page(self._reading)
        self._show_inner(self.body)
        self.body.notice.show_summary(attempt or summary, is_refresh=attempt is not None, can_go_on=True)
        self.body.show_summary(summary)
        self.thinking.show_thinking(summary.thinking)
        self.delay.end_wait()
        self._set_running(False)
        self.body.highlights.set_open(not any(c.support is Support.SUPPORTED for c in summary.claims))
        self._show_head(attempt)
        self.uses_changed.emit(self._uses())
        self.fit()

    def show_changes(self, changes: tuple[ClaimChange, ...]) -> None:
        """Offer to show what the last refresh changed."""
        self._changes = changes
        self.changes.show_changes(changes)
        self.footer.show_changes(
            sum(change.old is not None or change.new is not None for change in changes if change.old != change.new)
        )

    def show_editor(self, text: str) -> None:
        """Edit the summary here; `text` is its lines."""
        self.editor.edit(text)
        self._show_page(self.editor)
        self.editor.text.setFocus()

    def show_sections(self) -> None:
        """Choose the sections here."""
        self.sections.show_choices(self.body.choices)
        self._show_page(self.sections)
        self.sections.setFocus()

    def show_summary_again(self) -> None:
        """Leave the editor or the panel of sections."""
        if self.is_editing:
            self._show_page(self._reading)

    def activate(self, indices: list[int]) -> None:
        """Mark the claims that a sentence of the thread was used by, and bring the first into view."""
        self.body.activate(indices, scrolls=True)
        cited = [c for i in indices if i < len(self.body.claims) for c in self.body.claims[i].citations]
        self.spans_wanted.emit([self._spans[c] for c in dict.fromkeys(cited) if c in self._spans])

    def tell(self, words: str) -> None:
        """Say something in the foot, until the next thing is said."""
        self.footer.say(words)

    def shown_text(self) -> str:
        """Return all words that the card shows, for the accessible description and for tests."""
        return self.body.text()

    def reserve(self, height: int) -> None:
        """Leave room for what else stands around the card."""
        if height != self._reserved:
            self._reserved = height
            self.fit()

    def fit(self) -> None:
        """Make the card as high as its content, up to three fifths of the pane, so that the thread stays in sight."""
        self._fitting.start()

    # How it is built

    def _build(self) -> None:
        self.head = CardHead(self._theme)
        self.delay = DelayStrip(self._theme)
        self.thinking = ThinkingView(self._theme)
        self.body = CardBody(self._theme)
        self.changes = ClaimChangesView(self._theme)
        self.footer = CardFooter(self._theme)
        self.editor = SummaryEditor(self._theme)
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self._fit_now)
        inner = QWidget()
        stacked = QVBoxLayout(inner)
        stacked.setContentsMargins(0, 0, 0, 0)
        stacked.addWidget(self.body)
        stacked.addWidget(self.changes)
        self.changes.hide()
        rule = named_frame("rule")
        rule.setFixedHeight(1)
        self._reading = QWidget()
        reading = QVBoxLayout(self._reading)
        reading.setContentsMargins(0, 0, 0, 0)
        reading.setSpacing(SPACE)
        for widget in (self.head, self.delay, self.thinking, inner, rule, self.footer):
            reading.addWidget(widget)
        self._inner_widget = inner
        # Not a stack: that is as high as its highest page, whichever is shown.
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2 * SPACE, SPACE + 4, 2 * SPACE, SPACE + 4)
        self._pages = [self._reading, self.editor]
        for page in self._pages:
            self._column.addWidget(page)
        self.editor.hide()

    @cached_property
    def sections(self) -> SectionsPanel:
        """Return the panel of sections, which is built when it is first opened."""
        panel = SectionsPanel(self._theme)
        panel.chosen.connect(self.sections_chosen)
        panel.closed.connect(self.show_summary_again)
        self._pages.append(panel)
        self._column.addWidget(panel)
        return panel

    def _show_page(self, page: QWidget) -> None:
        for each in self._pages:
            each.setVisible(each is page)
        self.fit()

    def _show_inner(self, widget: QWidget) -> None:
        self.body.setVisible(widget is self.body)
        self.changes.setVisible(widget is self.changes)

    def _connect(self) -> None:
        self.body.claim_clicked.connect(self._on_claim)
        self.body.strip_clicked.connect(self._on_strip)
        self.body.link_wanted.connect(self.link_wanted)
        self.body.content_changed.connect(self._on_content)
        self.body.highlights.chosen.connect(self._on_highlight)
        self.body.notice.retry_requested.connect(lambda: self.summarize_requested.emit(True))
        self.body.notice.providers_requested.connect(self.providers_requested)
        self.body.notice.continue_requested.connect(self.continue_requested)
        self.delay.cancel_requested.connect(self.footer.stop_requested)
        self.delay.changed.connect(self.fit)
        self.thinking.toggled.connect(self.fit)
        self.footer.summarize_requested.connect(self.summarize_requested)
        self.footer.unused_wanted.connect(self._on_unused)
        self.footer.changes_toggled.connect(self._on_changes)
        self.footer.sections_requested.connect(self.show_sections)
        self.editor.resized.connect(self.fit)

    # States

    def _show_author(self, provider: str, model: str) -> None:
        self._asked = provider
        self.head.show_state("Writing the summary", meta=f"{provider} · {model}" if model else provider)

    def _begin(self) -> None:
        self.delay.end_wait()
        self._summary, self._changes, self._next_unused, self._progress = None, None, 0, ""
        self.footer.show_changes(None)
        self._show_inner(self.body)
        self.thinking.clear()
        self.body.begin()
        self.uses_changed.emit([])

    def _set_running(self, is_running: bool) -> None:
        self._is_running = is_running
        self._show_footer()

    def _show_head(self, attempt: Summary | None = None) -> None:
        if self._is_running:
            return
        summary = self._summary
        has_text = summary is not None and bool(summary.claims)
        self.head.set_draggable(has_text or self.body.highlights.has_any)
        if summary is None or not has_text:
            self.head.show_state("No summary yet" if summary is None else "No summary")
        else:
            tags = describe_tags(summary, attempt)
            self.head.show_state("Summary", meta=describe_author(summary), tags=tags, is_edit=summary.is_edit)

    def _show_footer(self) -> None:
        has_any = self.body.highlights.has_any
        self.footer.show_state(self._summary, is_running=self._is_running, has_highlights=has_any)
        self._show_status()

    def _show_status(self) -> None:
        if not self._is_running:
            return
        number = len(self.body.claims)
        waiting = self._progress or "Reading the ticket…"
        self.footer.say(f"{count(number, 'sentence')} checked" if number else waiting)

    def _on_content(self) -> None:
        self._show_status()
        self.fit()

    def _fit_now(self) -> None:
        parent = self.parentWidget()
        height = parent.height() if parent else 600
        below = height - self.y() - self._reserved - LEAST_THREAD
        most = max(LEAST_BODY, min((height - self._reserved) * 3 // 5, below) - self._frame_height())
        if self.is_editing:
            self.editor.set_most_height(most)
            return
        if self._is_running and self._inner_widget.height() == most:
            return
        is_body = not self.body.isHidden()
        wanted = self.body.wanted_height() if is_body else self.changes.wanted_height()
        height = max(LEAST_HEIGHT, min(wanted, most))
        if height != self._inner_widget.height():
            self._inner_widget.setFixedHeight(height)

    def _frame_height(self) -> int:
        """Return how high all of the card is but its body."""
        parts = (self.head, self.delay, self.thinking, self.footer)
        heights = [part.sizeHint().height() + SPACE for part in parts if not part.isHidden()]
        return sum(heights) + 2 * SPACE + 2 * (SPACE + 4)

    # Evidence both ways

    def _uses(self) -> list[Use]:
        by_citation: dict[str, list[int]] = {}
        for index, checked in enumerate(self.body.claims):
            if checked.support in (Support.SUPPORTED, Support.PARTIAL):
                for citation in checked.citations:
                    by_citation.setdefault(citation, []).append(index)
        return [
            Use(self._spans[citation], tuple(indices), self._sections_of(indices))
            for citation, indices in by_citation.items()
            if citation in self._spans
        ]

    def _sections_of(self, indices: list[int]) -> str:
        names = (self.body.claims[index].claim.section for index in indices)
        return ", ".join(dict.fromkeys(self.body.label_of(name) for name in names))

    def _on_claim(self, index: int) -> None:
        self.body.activate([index])
        self.spans_wanted.emit([self._spans[c] for c in self.body.claims[index].citations if c in self._spans])

    def _on_strip(self, checked: CheckedClaim) -> None:
        self.spans_wanted.emit([self._spans[c] for c in checked.citations if c in self._spans])

    def _on_highlight(self, highlight: Highlight) -> None:
        self.spans_wanted.emit([Span(highlight.position, highlight.start, highlight.end)])

    def _on_unused(self) -> None:
        """Show the next message that no claim cites."""
        coverage = self._summary.coverage if self._summary else Coverage(0, 0)
        positions = [int(message.removeprefix("m")) for message in coverage.unused]
        if positions:
            at = self._next_unused % len(positions)
            self._next_unused = at + 1
            self.messages_wanted.emit([positions[at]])
            of = f" ({at + 1} of {len(positions)})" if len(positions) > 1 else ""
            self.tell(f"Message {positions[at]}, not used{of}")

    def _on_changes(self, is_on: bool) -> None:
        self._show_inner(self.changes if is_on else self.body)
        self.fit()
