"""`tldesk try`: the main job in the terminal, on the sample tickets, each step said; what `make run` does where there is no display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desktop.cli.imports import import_file
from desktop.cli.live import LiveSummary, follow
from desktop.cli.main import FAILED
from desktop.cli.output import say
from desktop.cli.session import Session, common_options
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import RunState
from desktop.domain.tickets import TicketQuery, TicketRow

if TYPE_CHECKING:
    from desktop.services.container import Desk

TRY_NEXT = """
What to try next:
  tldesk list                             the tickets; --search refund finds words
  tldesk show {reference:<28}this ticket with its messages
  tldesk import your-export.csv           your own tickets; --dry-run only tells what would happen
  tldesk providers add work --kind openai --model gpt-4o-mini
                                          a better model; then: tldesk keys set work
  tldesk                                  the window, where there is a display
(The command is .venv/bin/tldesk until .venv is activated.)"""


@click.command("try")
@common_options
def try_command(session: Session) -> int:
    """Import the sample tickets and summarize one with the built-in model."""
    return session.run(_try)


async def _try(desk: Desk) -> int:
    say(f"1. Importing the sample tickets into {desk.paths.data_dir}")
    recognized = await desk.imports.recognize(desk.paths.sample)
    await import_file(desk, recognized)
    row = await _choose(desk, recognized.source)
    say(f"\n2. One of them: {row.title} ({row.reference}, {row.message_count} messages)")
    say(
        "\n3. What it says, first in its own words, then as the built-in model sums it up. That model is tiny, for trying out:"
    )
    say("   it gets things wrong, and each of its sentences is checked against the ticket on this machine.")
    summary = await follow(desk.summaries.stream(row.id, provider=BUILT_IN, refresh=True), LiveSummary())
    say(TRY_NEXT.format(reference=row.reference))
    return FAILED if summary.state is RunState.FAILED else 0


async def _choose(desk: Desk, source: str) -> TicketRow:
    """Take the shortest of the sample tickets that were answered, the last changed of them: a tiny model needs a short one."""
    rows = await desk.tickets.rows(await desk.tickets.ids(TicketQuery(where=(("source", source),))))
    return min((row for row in rows if row.message_count > 1), key=lambda row: row.message_count)
