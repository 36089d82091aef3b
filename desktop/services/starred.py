"""Starred summaries: the tickets that the user holds up as examples, with their summaries as they are shown, read once and kept."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.domain.runs import CheckedClaim, Summary, Support
from desktop.domain.sections import GIST, NOT_IN_TICKET
from desktop.services.few_shot import StarredExample
from desktop.services.lines import write_lines
from desktop.storage.runs import RunStore
from desktop.storage.tickets import TicketStore

MOST_STARRED = 50
"""Starred tickets among which examples are looked for, the newest stars first."""


class StarredSummaries:
    """All that is starred. Whoever changes a shown summary has it forgotten."""

    def __init__(self, tickets: TicketStore, runs: RunStore) -> None:
        self._tickets = tickets
        self._runs = runs
        self._kept: dict[tuple[str, ...], tuple[StarredExample, ...]] = {}
        self._ids: frozenset[int] = frozenset()

    async def star(self, ticket_id: int, *, is_starred: bool) -> None:
        """Star a ticket, or no longer."""
        await self._runs.star(ticket_id, is_starred=is_starred)
        self.forget()

    def forget(self) -> None:
        """Read everything anew when it is next asked for."""
        self._kept.clear()

    def changed(self, ticket_id: int) -> None:
        """Note that a ticket has another summary: of most tickets none is kept, and a queue writes a hundred of them a second."""
        if ticket_id in self._ids:
            self.forget()

    async def all(self, sections: tuple[str, ...]) -> tuple[StarredExample, ...]:
        """Return the starred tickets with their summaries, each with a line for all of these sections."""
        if sections not in self._kept:
            found: list[StarredExample] = []
            starred = await self._runs.starred()
            self._ids = frozenset(starred)
            for ticket_id in starred[:MOST_STARRED]:
                thread, stored = await self._tickets.thread(ticket_id), await self._runs.latest(ticket_id)
                if thread is not None and stored is not None:
                    found.append(StarredExample(thread, _as_example(stored.summary, sections)))
            self._kept[sections] = tuple(found)
        return self._kept[sections]


def _as_example(summary: Summary, sections: Sequence[str]) -> str:
    """Return a summary as an example of an answer: every wanted section has its line."""
    kept = [c for c in summary.claims if summary.is_edit or c.support not in (Support.UNSUPPORTED, Support.UNCITED)]
    by_section: dict[str, list[CheckedClaim]] = {}
    for checked in kept:
        by_section.setdefault(checked.claim.section, []).append(checked)
    lines = [write_lines(by_section.get(GIST, ()))]
    lines += [write_lines(by_section.get(name, ())) or f"{name}: {NOT_IN_TICKET}" for name in sections]
    return "\n".join(line for line in lines if line)
