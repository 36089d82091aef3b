"""A run's events on the card: what each of them shows. Nothing is decided here but who is told."""

from __future__ import annotations

from desktop.domain.runs import (
    Cached,
    ClaimChecked,
    Delayed,
    FellBack,
    Finished,
    Highlights,
    Opined,
    Progressed,
    Started,
    Summary,
    SummaryEvent,
    TextDelta,
    Thinking,
)
from desktop.gui.summary_card import SummaryCard


def show_event(card: SummaryCard, event: SummaryEvent) -> Summary | None:
    """Show one event of a run, and return the summary once it has ended, which is the pane's to show."""
    match event:
        case TextDelta(_, section, pending):
            card.add_text(section, pending)
        case ClaimChecked(_, checked):
            card.add_claim(checked)
        case Highlights(found):
            card.show_highlights(found)
        case Started(provider, model):
            card.show_started(provider, model)
        case Delayed(seconds, reason):
            card.delay.count_down(seconds, reason)
        case FellBack(provider, model, reason):
            card.show_fallback(provider, model, reason)
        case Thinking(text):
            card.add_thinking(text)
        case Progressed(done, parts):
            card.show_progress(done, parts)
        case Opined(claims):
            card.show_claims(claims)
        case Cached(summary) | Finished(summary):
            return summary
    return None
