"""`tldesk summarize`: summaries of one ticket, of some, or of all, each written as it comes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.batches import BatchWork, batch_cost, batch_option
from desktop.cli.live import LiveSummary, follow, say_end
from desktop.cli.main import FAILED, PARTLY
from desktop.cli.many import Many, ProgressLine, Show
from desktop.cli.output import dollars, print_json, print_json_line, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.cli.tickets import search_option, tell_languages, where_option
from desktop.domain.errors import DeskError
from desktop.domain.runs import RunState, Summary
from desktop.domain.tickets import TicketQuery
from desktop.services.budget import Amount, Budget, Caps, with_caps_of_day
from desktop.services.documents import summary_document
from desktop.services.wording import count
from desktop.services.worklists import Order

if TYPE_CHECKING:
    from desktop.services.container import Desk


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to summarize with."""

    provider: str
    model: str
    recipe: str
    refresh: bool
    caps: Caps
    concurrency: int


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
@click.option(
    "--continue", "is_continuing", is_flag=True, help="Have the newest text of one ticket, which broke off, written on."
)
@click.option("--estimate", is_flag=True, help="Only tell what it would take, spending nothing.")
@batch_option
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="N",
    help="At most so many at a time; else as many as the provider bears.",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    callback=_read_amount,
    help="Begin no summary that would go over this.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=0),
    metavar="N",
    help="Begin no summary that would take more tokens than this in all.",
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
    is_continuing: bool,
    estimate: bool,
    as_batch: bool,
    concurrency: int | None,
    max_cost: float | None,
    max_tokens: int | None,
    as_lines: bool,
    as_json: bool,
) -> int:
    """Summarize tickets. Every sentence is checked against the messages it cites."""
    ways = bool(references) + bool(search or where) + take_all
    if ways == 0:
        raise click.UsageError("Name tickets, or choose them with --search and --where, or take --all.")
    if ways > 1:
        raise click.UsageError("Named tickets, --search with --where, and --all exclude each other: take one of them.")
    if is_continuing and (len(references) != 1 or refresh or as_batch or estimate):
        raise click.UsageError("--continue takes one ticket, and none of --refresh, --batch and --estimate.")
    caps = Caps(cost_run=None if max_cost is None else round(max_cost * 1_000_000), tokens_run=max_tokens)
    wanted = _Wanted(provider, model, recipe, refresh, caps, concurrency or 0)

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
        many = wanted if len(ids) == 1 else replace(wanted, caps=with_caps_of_day(wanted.caps, desk.settings))
        documents: list[dict[str, Any]] = []
        if is_continuing:
            return await _go_on(desk, ids[0], wanted, as_json=as_json or as_lines)
        show = _printer(documents, as_json=as_json, as_lines=as_lines, is_live=len(ids) == 1 and not as_batch)
        code = await _Batch(desk, many, show=show, total=len(ids)).run(ids, as_batch=as_batch)
        if as_json and not as_lines:
            print_json(documents[0] if len(documents) == 1 else {"summaries": documents})
        return code

    return session.run(work)


async def _go_on(desk: Desk, ticket_id: int, wanted: _Wanted, *, as_json: bool) -> int:
    """Have the newest text of a ticket written on from where it broke off, and return the exit code."""
    newest = next(iter(await desk.summaries.versions(ticket_id)), None)
    if newest is None:
        raise DeskError("version-missing", "There is no text to go on from.", remedy="Leave out --continue.")
    events = desk.summaries.stream(
        ticket_id,
        provider=wanted.provider,
        model=wanted.model,
        recipe=wanted.recipe,
        continue_run=newest.run_id,
    )
    summary = await follow(events, None if as_json else LiveSummary())
    if as_json:
        rows = await desk.tickets.rows([ticket_id])
        print_json(summary_document(rows[0].reference, summary))
    if summary.state is RunState.COMPLETE:
        return 0
    return FAILED if summary.state is RunState.FAILED else PARTLY


def _printer(documents: list[dict[str, Any]], *, as_json: bool, as_lines: bool, is_live: bool) -> Show | None:
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
    """Summaries of several tickets within limits."""

    def __init__(self, desk: Desk, wanted: _Wanted, *, show: Show | None, total: int) -> None:
        """`show` takes each summary as it ends; without it the one summary is printed as it is written."""
        self._desk = desk
        self._wanted = wanted
        self._is_live = show is None
        self._many = Many(desk, show or _nothing, ProgressLine(total))

    async def run(self, ids: list[int], *, as_batch: bool) -> int:
        """Summarize all, each by itself or those that can be in a batch, and return the exit code."""
        try:
            if as_batch:
                w = self._wanted
                work = BatchWork(self._desk, w.provider, w.model, w.recipe, w.refresh, self._took, self._run_live)
                await work.run(ids, caps=w.caps)
            elif self._is_live:
                await self._show_live(ids[0])
            else:
                await self._run_live(ids)
        finally:
            self._many.line.clear()
        states = self._many.states
        if states <= {RunState.COMPLETE}:
            return 0
        # A summary that was cut short is there in part; only where nothing came has it failed as a whole.
        return FAILED if states == {RunState.FAILED} else PARTLY

    async def _run_live(self, ids: list[int]) -> None:
        w = self._wanted
        order = Order(w.provider, w.model, w.recipe, w.refresh, w.caps, w.concurrency)
        stop = await self._desk.worklists.work(ids, order, self._many.take)
        if stop is not None and len(ids) > 1:
            self._many.line.clear()
            warn(f"Stopped before all were begun: {stop}")

    async def _took(self, ticket_id: int, summary: Summary) -> None:
        """Take a summary that came in a batch."""
        await self._many.take([replace(summary, ticket_id=ticket_id)])

    async def _show_live(self, ticket_id: int) -> None:
        rows = await self._desk.tickets.rows([ticket_id])
        if not rows:
            return  # removed by somebody else since the list was made
        w = self._wanted
        say(f"{rows[0].title} ({rows[0].reference})")
        if refusal := await self._refusal(ticket_id):
            name = self._desk.providers.route(w.recipe, w.provider)[0][0]
            summary = Summary(ticket_id, RunState.FAILED, reason=refusal, provider=name)
            say(say_end(summary))
        else:
            events = self._desk.summaries.stream(
                ticket_id, provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
            )
            summary = await follow(events, LiveSummary())
        self._many.states.add(summary.state)

    async def _refusal(self, ticket_id: int) -> str:
        """Say why a summary must not begin: it could go over a limit, or has no known price; '' when it may."""
        w = self._wanted
        if not w.caps.any:
            return ""
        estimate = await self._desk.summaries.estimate(
            [ticket_id], provider=w.provider, model=w.model, recipe=w.recipe, refresh=w.refresh
        )
        model = w.model or self._desk.providers.profile(w.provider).model or "this model"
        return Budget(w.caps).refusal(Amount(estimate.most_cost_microusd, estimate.most_tokens), model)


def _nothing(reference: str, summary: Summary) -> None:
    """Print nothing: it was printed while it was written."""
