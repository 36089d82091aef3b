"""A summary in the terminal: its sentences as they are written, each with what was found of it; and the same as JSON.

It never says *true* or *verified*, only what the ticket's words do: see `services.evidence`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from desktop.cli.output import say, warn
from desktop.domain.runs import (
    Cached,
    CheckedClaim,
    ClaimChecked,
    Delayed,
    FellBack,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Started,
    Summary,
    SummaryEvent,
    Support,
    TextDelta,
)
from desktop.services.wording import describe_claim, describe_end, describe_findings, describe_writer

LABEL_WIDTH = 17


class LiveSummary:
    """Prints events as they come. Text that is still being written grows on its line; when its sentence is complete, the finding follows it."""

    def __init__(self) -> None:
        self._section = ""
        self._shown = ""
        self._is_line_open = False

    def show(self, event: SummaryEvent) -> None:
        """Print what an event adds."""
        match event:
            case Highlights(highlights):
                _say_highlights(highlights)
            case Started(provider, model):
                say(f"\nSummary, being written by {model or 'a model'} ({provider}):")
            case Delayed(seconds, reason):
                self._end_line()
                warn(f"Waiting{f' {seconds:.0f} s' if seconds else ''}: {reason}.")
            case FellBack(provider, model, reason):
                self._end_line()
                warn(f"{reason.rstrip('.')}. Asking {provider}{f' ({model})' if model else ''} in its place.")
            case Cached(summary):
                self.show_written(summary)
            case TextDelta(_, section, pending):
                self._show_pending(section, pending)
            case ClaimChecked(_, checked):
                self._show_claim(checked)
            case Finished(summary):
                self._end_line()
                say(f"\n{say_end(summary)}")

    def show_written(self, summary: Summary) -> None:
        """Print a summary that was written before, all but how it ended."""
        say(f"\nSummary, written before by {describe_writer(summary)}:")
        for checked in summary.claims:
            self._show_claim(checked)

    def _show_pending(self, section: str, pending: str) -> None:
        if not pending:
            return
        if not self._is_line_open or section != self._section or not pending.startswith(self._shown):
            self._begin_line(section)
        say(pending[len(self._shown) :], end="")
        self._shown = pending

    def _show_claim(self, checked: CheckedClaim) -> None:
        claim = checked.claim
        if not self._is_line_open or claim.section != self._section or not claim.text.startswith(self._shown):
            self._begin_line(claim.section)
        say(f"{claim.text[len(self._shown) :]}  {_finding(checked)}")
        self._shown, self._is_line_open = "", False

    def _begin_line(self, section: str) -> None:
        self._end_line()
        label = f"{section}:" if section != self._section else ""
        say(f"  {label:<{LABEL_WIDTH}}", end="")
        self._section, self._shown, self._is_line_open = section, "", True

    def _end_line(self) -> None:
        if self._is_line_open:
            say()
        self._shown, self._is_line_open = "", False


async def follow(events: AsyncGenerator[SummaryEvent, None], live: LiveSummary | None) -> Summary:
    """Read a run's events to their end, printing them where `live` is given, and return the summary."""
    summary: Summary | None = None
    async with aclosing(events):
        async for event in events:
            if live is not None:
                live.show(event)
            if isinstance(event, Finished):
                summary = event.summary
    assert summary is not None
    return summary


def say_stored(summary: Summary) -> None:
    """Print a stored summary, how it ended, and whether the ticket is another one by now; where nothing was written, only how it ended."""
    if summary.text:
        LiveSummary().show_written(summary)
    say(f"\n{say_end(summary)}")
    if summary.stale:
        say("The ticket has changed since.")


def say_end(summary: Summary) -> str:
    """Say in one line how a run ended and what was found of it."""
    parts = [describe_findings(summary)]
    if summary.cached:
        parts.append("written before")
    elif summary.text:
        parts.append(f"{summary.seconds:.1f} s")
    if summary.cost_microusd:
        parts.append(f"${summary.cost_microusd / 1_000_000:.4f}")
    facts = " · ".join(part for part in parts if part)
    if summary.state is RunState.COMPLETE:
        return f"Complete: {facts}"
    return f"{describe_end(summary)}{f' ({facts})' if facts else ''}"


def _finding(checked: CheckedClaim) -> str:
    cited = ", ".join(checked.citations)
    match checked.support:
        case Support.SUPPORTED:
            return f"[supported: {cited}{' (found on this machine)' if checked.origin == 'found' else ''}]"
        case Support.PARTIAL:
            return f"[partly, {cited}: {describe_claim(checked)}]"
    return f"[NOT SUPPORTED: {describe_claim(checked)}]"


def _say_highlights(highlights: tuple[Highlight, ...]) -> None:
    say("\nHighlights, the ticket's own words (no model):")
    for highlight in highlights:
        say(f"  [{highlight.sentence_id}] {highlight.author or 'Unknown'}: {' '.join(highlight.text.split())}")
    if not highlights:
        say("  none: the ticket has no text")
