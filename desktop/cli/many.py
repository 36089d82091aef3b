"""Summaries of many tickets in the terminal: each is printed as it ends, and below them stands how far it is, how long it takes and what it cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desktop.domain.runs import RunState, Summary
from desktop.services.queue_work import seconds_left
from desktop.services.wording import count, describe_seconds_left

if TYPE_CHECKING:
    from desktop.services.container import Desk

SILENT_SECONDS = 1.0
"""Work shorter than this needs no word about how far it is."""
SAID_SECONDS = 0.2
Show = Callable[[str, Summary], None]


class ProgressLine:
    """One line on standard error that is written over and over, while a person is looking."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = self._said_at = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._is_there = False
        self._asked_at: list[float] = []
        self._ended = self._failed = self._cost = 0
        self._is_priced = True

    def count(self, summary: Summary) -> None:
        """Count one that ended."""
        self._ended += 1
        self._failed += summary.state is RunState.FAILED
        if not summary.cached and summary.state is not RunState.FAILED:
            self._asked_at.append(time.monotonic())
            self._cost += summary.cost_microusd or 0
            self._is_priced = self._is_priced and summary.cost_microusd is not None

    def say(self) -> None:
        """Say how far it is, if it was not said a moment ago."""
        now = time.monotonic()
        if self._is_terminal and now - self._began >= SILENT_SECONDS and now - self._said_at >= SAID_SECONDS:
            self._said_at, self._is_there = now, True
            sys.stderr.write(f"\r\x1b[K{self._words()}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._is_there:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_there = False

    def _words(self) -> str:
        parts = [f"{self._ended:,} of {count(self._total, 'ticket')}"]
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        left = seconds_left(self._total - self._ended, self._asked_at[-400:])
        if left:
            parts.append(describe_seconds_left(left))
        if self._cost:
            parts.append(f"${self._cost / 1_000_000:,.4f}{'' if self._is_priced else ' and what has no known price'}")
        return " · ".join(parts)


@dataclass(slots=True)
class Many:
    """Takes summaries as they end, prints them, and keeps how they ended."""

    desk: Desk
    show: Show
    line: ProgressLine
    states: set[RunState] = field(default_factory=set)

    async def take(self, summaries: Sequence[Summary]) -> None:
        """Print summaries; those of tickets that somebody removed meanwhile are left out."""
        rows = await self.desk.tickets.rows([summary.ticket_id for summary in summaries])
        references = {row.id: row.reference for row in rows}
        self.line.clear()
        for summary in summaries:
            if (reference := references.get(summary.ticket_id)) is not None:
                self.states.add(summary.state)
                self.line.count(summary)
                self.show(reference, summary)
        self.line.say()
