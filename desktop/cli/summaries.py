"""`tldesk summarize`: summaries of one ticket, of some, or of all, each written as it comes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.batches import BatchWork, batch_cost, batch_option
from desktop.cli.live import LiveSummary, follow, say_end
from desktop.cli.main import FAILED, PARTLY
from desktop.cli.output import dollars, print_json, print_json_line, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.cli.tickets import search_option, tell_languages, where_option
from desktop.domain.runs import RunState, Summary, Usage
from desktop.domain.tickets import TicketQuery
from desktop.services.documents import summary_document
from desktop.services.wording import count

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


def _read_amount(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Read an amount of money; what counts as a number and is no amount, such as `nan`, is refused."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no amount, such as 0.50.", context, parameter)
    return value


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
@batch_option
@click.option(
    "--concurrency", type=click.IntRange(1, 32), default=1, show_default=True, metavar="N", help="So many at a time."
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    callback=_read_amount,
    help="Begin no summary that would go over this.",
)
@click.option(
    "--jsonl", "as_lines", is_flag=True, help="Print a JSON document a line, one for each ticket, as it ends."
)
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
    as_batch: bool,
    concurrency: int,
    max_cost: float | None,
    as_lines: bool,
    as_json: bool,
) -> int:
    """Summarize tickets. Every sentence is checked against the messages it cites."""
    ways = bool(references) + bool(search or where) + take_all
    if ways == 0:
        raise click.UsageError("Name tickets, or choose them with --search and --where, or take --all.")
    if ways > 1:
        raise click.UsageError("Named tickets, --search with --where, and --all exclude each other: take one of them.")
    wanted = _Wanted(provider, model, recipe, refresh)

    async def work(desk: Desk) -> int:
        desk.providers.profile(provider)
        ids = list(dict.fromkeys([await desk.tickets.find(reference) for reference in references]))
        if search:
            await desk.tickets.caught_up()
        await tell_languages(desk, where)
        ids = ids or (await desk.tickets.ids(TicketQuery(search, where))).tolist()
        if estimate:
            await _estimate(desk, ids, wanted, as_json=as_json or as_lines, as_batch=as_batch)
            return 0
        if not ids:
            warn("No ticket was chosen.")
            return 0
        documents: list[dict[str, Any]] = []
        show = _printer(documents, as_json=as_json, as_lines=as_lines, is_live=len(ids) == 1 and not as_batch)
        code = await _Batch(desk, wanted, show=show, max_cost=max_cost).run(
            ids, concurrency=concurrency, as_batch=as_batch
        )
        if as_json and not as_lines:
            print_json(documents[0] if len(documents) == 1 else {"summaries": documents})
        return code

    return session.run(work)


def _printer(
    documents: list[dict[str, Any]], *, as_json: bool, as_lines: bool, is_live: bool
) -> Callable[[str, Summary], None] | None:
    """Return what is done with each summary as it ends; None to print the only one while it is written."""
    if as_lines:
        return lambda reference, summary: print_json_line(summary_document(reference, summary))
    if as_json:
        return lambda reference, summary: documents.append(summary_document(reference, summary))
    if is_live:
        return None
    return lambda reference, summary: say(f"{reference}  {summary.gist or '(no gist)'}  ({say_end(summary)})")


async def _estimate(desk: Desk, ids: list[int], wanted: _Wanted, *, as_json: bool, as_batch: bool) -> None:
    estimate = await desk.summaries.estimate(
        ids, provider=wanted.provider, model=wanted.model, recipe=wanted.recipe, refresh=wanted.refresh
    )
    fields = asdict(estimate)
    cost, most = dollars(fields.pop("cost_microusd")), dollars(fields.pop("most_cost_microusd"))
    w, in_batch = wanted, None
    if as_batch:
        in_batch = await batch_cost(desk, estimate, provider=w.provider, model=w.model, recipe=w.recipe)
    if as_json:
        extra = {"batch_cost": in_batch} if as_batch else {}
        print_json({**fields, "cost": cost, "most_cost": most, **extra})
        return
    price = "price unknown" if cost is None else f"about ${cost:,.4f}"
    if in_batch is not None:
        price += f", as a batch about ${in_batch:,.4f}"
    say(f"{count(estimate.tickets, 'ticket')}, {count(estimate.calls, 'call')}, {estimate.cached:,} cached", end="")
    say(f"; about {estimate.input_tokens:,} tokens in and {estimate.output_tokens:,} out; {price}.")


class _Batch:
    """Summaries of several tickets, a few at a time, within a cost limit."""

    def __init__(
        self, desk: Desk, wanted: _Wanted, *, show: Callable[[str, Summary], None] | None, max_cost: float | None
    ) -> None:
        """`show` takes each summary as it ends; without it the one summary is printed as it is written."""
        self._desk = desk
        self._wanted = wanted
        self._show = show
        self._left_microusd = None if max_cost is None else round(max_cost * 1_000_000)
        self._ended: list[RunState] = []

    async def run(self, ids: list[int], *, concurrency: int, as_batch: bool) -> int:
        """Summarize all, each by itself or those that can be in a batch, and return the exit code."""
        if as_batch:
            w, limit = self._wanted, self._left_microusd
            ask_live = partial(self._run_live, concurrency=concurrency)
            work = BatchWork(self._desk, w.provider, w.model, w.recipe, w.refresh, self._took, ask_live)
            await work.run(ids, max_cost=None if limit is None else limit / 1_000_000)
        else:
            await self._run_live(ids, concurrency=concurrency)
        if all(state is RunState.COMPLETE for state in self._ended):
            return 0
        # A summary that was cut short is there in part; only where nothing came has it failed as a whole.
        return FAILED if all(state is RunState.FAILED for state in self._ended) else PARTLY

    async def _run_live(self, ids: list[int], *, concurrency: int) -> None:
        # What runs at the same time is set aside together: which of them ends first does not decide whether the others begin.
        first = ids[:concurrency]
        reserved = dict(zip(first, [await self._reserve(ticket_id) for ticket_id in first], strict=True))
        waiting = iter(ids)

        async def work_off() -> None:
            for ticket_id in waiting:
                amount = reserved.pop(ticket_id) if ticket_id in reserved else await self._reserve(ticket_id)
                await self._summarize(ticket_id, amount)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(ids))):
                    group.create_task(work_off())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _summarize(self, ticket_id: int, reserved: int | str) -> None:
        rows = await self._desk.tickets.rows([ticket_id])
        if not rows:
            return  # removed by somebody else since the list was made
        if self._show is None:
            say(f"{rows[0].title} ({rows[0].reference})")
        if isinstance(reserved, str):
            name = self._wanted.provider or self._desk.providers.default_name()
            summary = Summary(ticket_id, RunState.FAILED, reason=reserved, provider=name)
            if self._show is None:
                say(say_end(summary))
        else:
            summary = await self._follow(ticket_id)
            self._settle(reserved, summary)
        self._ended.append(summary.state)
        if self._show is not None:
            self._show(rows[0].reference, summary)

    async def _took(self, ticket_id: int, summary: Summary) -> None:
        """Take a summary that came in a batch."""
        rows = await self._desk.tickets.rows([ticket_id])
        self._ended.append(summary.state)
        if rows and self._show is not None:
            self._show(rows[0].reference, summary)

    async def _follow(self, ticket_id: int) -> Summary:
        w = self._wanted
        events = self._desk.summaries.stream(
            ticket_id, provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
        )
        return await follow(events, LiveSummary() if self._show is None else None)

    async def _reserve(self, ticket_id: int) -> int | str:
        """Set aside what a summary can cost at most and return it; else why it must not begin: it could go over the limit, or has no known price."""
        if self._left_microusd is None:
            return 0
        w = self._wanted
        estimate = await self._desk.summaries.estimate(
            [ticket_id], provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
        )
        most = estimate.most_cost_microusd
        if most is None:
            model = w.model or self._desk.providers.profile(w.provider).model or "this model"
            return f"no price is known for {model}, so the limit cannot be kept"
        if most > self._left_microusd:
            return OVER_THE_LIMIT
        self._left_microusd -= most
        return most

    def _settle(self, reserved: int, summary: Summary) -> None:
        """Give back what was set aside and not spent. What a run without a report of its usage has spent is not known: nothing is given back."""
        if self._left_microusd is not None:
            # Without a text and without a report nothing was asked, or nothing came; a model that only thought has a report.
            is_free = summary.cached or (not summary.text and summary.usage == Usage())
            spent = 0 if is_free else summary.cost_microusd
            self._left_microusd += reserved - (reserved if spent is None else spent)
