"""`tldesk summarize`: summaries of one ticket, of some, or of all, each written as it comes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from desktop.cli.live import LiveSummary, describe_end, follow, summary_fields
from desktop.cli.main import FAILED, PARTLY
from desktop.cli.output import count, dollars, print_json_line, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.cli.tickets import search_option, where_option
from desktop.domain.runs import RunState, Summary
from desktop.domain.tickets import TicketQuery

if TYPE_CHECKING:
    from desktop.services.container import Desk

OVER_THE_LIMIT = "the cost limit was reached before this ticket"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to summarize with."""

    provider: str
    model: str
    recipe: str
    refresh: bool


@click.command("summarize")
@click.argument("references", nargs=-1, metavar="[ID…]")
@search_option
@where_option
@click.option("--all", "take_all", is_flag=True, help="Every ticket.")
@click.option("--provider", default="", metavar="NAME", help="Who writes; else the default provider.")
@click.option("--model", default="", metavar="NAME", help="The model; else the provider's own.")
@click.option("--recipe", default="summarize", show_default=True, metavar="NAME", help="The prompt.")
@click.option("--refresh", is_flag=True, help="Write anew what was written before.")
@click.option("--estimate", is_flag=True, help="Only tell what it would take, spending nothing.")
@click.option(
    "--concurrency", type=click.IntRange(1, 32), default=1, show_default=True, metavar="N", help="So many at a time."
)
@click.option(
    "--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Begin no summary that would go over this."
)
@click.option("--jsonl", "as_json", is_flag=True, help="Print a JSON document a line, one for each ticket.")
@json_option
@common_options
def summarize_command(
    session: Session,
    references: tuple[str, ...],
    search: str,
    where: tuple[tuple[str, str], ...],
    take_all: bool,
    provider: str,
    model: str,
    recipe: str,
    refresh: bool,
    estimate: bool,
    concurrency: int,
    max_cost: float | None,
    as_json: bool,
) -> int:
    """Summarize tickets. Every sentence is checked against the messages it cites."""
    if bool(references) + bool(search or where) + take_all != 1:
        raise click.UsageError("Name tickets, or choose them with --search and --where, or take --all.")
    wanted = _Wanted(provider, model, recipe, refresh)

    async def work(desk: Desk) -> int:
        desk.providers.profile(provider)
        ids = [await desk.tickets.find(reference) for reference in references]
        ids = ids or (await desk.tickets.ids(TicketQuery(search, where))).tolist()
        if estimate:
            await _estimate(desk, ids, wanted, as_json=as_json)
            return 0
        if not ids:
            warn("No ticket was chosen.")
            return 0
        batch = _Batch(desk, wanted, as_json=as_json, max_cost=max_cost, is_live=len(ids) == 1 and not as_json)
        return await batch.run(ids, concurrency=concurrency)

    return session.run(work)


async def _estimate(desk: Desk, ids: list[int], wanted: _Wanted, *, as_json: bool) -> None:
    estimate = await desk.summaries.estimate(
        ids, provider=wanted.provider, model=wanted.model, recipe=wanted.recipe, refresh=wanted.refresh
    )
    fields = asdict(estimate)
    cost = dollars(fields.pop("cost_microusd"))
    if as_json:
        print_json_line({**fields, "cost": cost})
        return
    price = "price unknown" if cost is None else f"about ${cost:,.4f}"
    say(f"{count(estimate.tickets, 'ticket')}, {count(estimate.calls, 'call')}, {estimate.cached:,} cached", end="")
    say(f"; about {estimate.input_tokens:,} tokens in and {estimate.output_tokens:,} out; {price}.")


class _Batch:
    """Summaries of several tickets, a few at a time, within a cost limit."""

    def __init__(self, desk: Desk, wanted: _Wanted, *, as_json: bool, max_cost: float | None, is_live: bool) -> None:
        self._desk = desk
        self._wanted = wanted
        self._as_json = as_json
        self._is_live = is_live
        self._left_microusd = None if max_cost is None else round(max_cost * 1_000_000)
        self._ended: list[RunState] = []

    async def run(self, ids: list[int], *, concurrency: int) -> int:
        """Summarize all and return the exit code."""
        waiting = iter(ids)

        async def work_off() -> None:
            for ticket_id in waiting:
                await self._summarize(ticket_id)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(ids))):
                group.create_task(work_off())
        good = sum(state is RunState.COMPLETE for state in self._ended)
        return 0 if good == len(self._ended) else PARTLY if good else FAILED

    async def _summarize(self, ticket_id: int) -> None:
        (row,) = await self._desk.tickets.rows([ticket_id])
        if await self._is_over_limit(ticket_id):
            summary = Summary(ticket_id, RunState.FAILED, reason=OVER_THE_LIMIT, provider=self._wanted.provider)
        else:
            if self._is_live:
                say(f"{row.title} ({row.reference})")
            summary = await self._follow(ticket_id)
            if self._left_microusd is not None:
                self._left_microusd -= summary.cost_microusd or 0 if not summary.cached else 0
        self._ended.append(summary.state)
        if self._as_json:
            print_json_line(summary_fields(row.reference, summary))
        elif not self._is_live:
            say(f"{row.reference}  {summary.gist or row.title}  ({describe_end(summary)})")

    async def _follow(self, ticket_id: int) -> Summary:
        w = self._wanted
        events = self._desk.summaries.stream(
            ticket_id, provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
        )
        return await follow(events, LiveSummary() if self._is_live else None)

    async def _is_over_limit(self, ticket_id: int) -> bool:
        if self._left_microusd is None:
            return False
        w = self._wanted
        estimate = await self._desk.summaries.estimate(
            [ticket_id], provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
        )
        # Without a known price a limit cannot be kept, so nothing is begun.
        return estimate.cost_microusd is None or estimate.cost_microusd > self._left_microusd
