"""`tldesk summarize --batch` and `tldesk batches`: tickets handed over in files for a part of the price, and what became of them.

A batch goes on at the provider when the command is interrupted. The same command takes it up again, and so does an open window.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.output import dollars, print_json, print_table, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.batches import Batch, BatchResult, HandedOver, RequestState
from desktop.domain.errors import DeskError
from desktop.domain.runs import Estimate, RunState, Summary
from desktop.services.budget import Caps
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

SILENT_SECONDS = 1.0
GOES_ON = "Interrupted. The batch goes on at the provider: the same command takes it up again."
batch_option = click.option(
    "--batch", "as_batch", is_flag=True, help="Hand them to the provider in a batch: cheaper, within a day."
)


@dataclass(frozen=True, slots=True)
class BatchWork:
    """What `summarize --batch` works with: whom to ask for what, who is told of each summary, and who asks for one live."""

    desk: Desk
    provider: str
    model: str
    recipe: str
    refresh: bool
    took: Callable[[int, Summary], Awaitable[None]]
    ask_live: Callable[[list[int]], Awaitable[None]]

    async def run(self, ids: list[int], *, caps: Caps) -> None:
        """Hand tickets over, wait for them, and tell of each as it is taken in; what a batch is not for is asked live meanwhile."""
        await self.desk.queue.refuse_batch_over(
            caps, ids, provider=self.provider, model=self.model, recipe=self.recipe, refresh=self.refresh
        )
        with closing(_Bar()) as bar:
            handed = await self.desk.batches.hand_over(
                ids,
                provider=self.provider,
                model=self.model,
                recipe=self.recipe,
                refresh=self.refresh,
                on_progress=bar.show,
            )
        batch_ids = [batch.id for batch in handed.batches]
        if handed.running:
            batch_ids += [i for i in await self.desk.batches.batches_with(handed.running) if i not in batch_ids]
        _say_handed_over(handed, self.desk)
        for ticket_id, run_id in handed.written:
            await self.took(ticket_id, replace(await self.desk.summaries.version(ticket_id, run_id), cached=False))
        stop_telling = self.desk.batches.listen(_Progress(set(batch_ids)))
        try:
            await self._follow({*handed.submitted, *handed.running}, batch_ids, [*handed.cached, *handed.live])
        except asyncio.CancelledError:
            if batch_ids:
                warn(GOES_ON)
            raise
        finally:
            stop_telling()

    async def _follow(self, wanted: set[int], batch_ids: list[int], others: list[int]) -> None:
        if others:
            await self._ask_live(others)
        again: list[int] = []
        if batch_ids:
            async with aclosing(self.desk.batches.follow(batch_ids)) as results:
                async for result in results:
                    if result.ticket_id not in wanted:
                        continue
                    if result.state is RequestState.RETRY:
                        warn(
                            f"{await self._reference(result.ticket_id)}: {result.reason.rstrip('.')}; it is asked live."
                        )
                        again.append(result.ticket_id)
                    else:
                        await self.took(result.ticket_id, await self._summary(result))
        if again:
            await self._ask_live(again)

    async def _ask_live(self, ids: list[int]) -> None:
        await self.ask_live(ids)
        for ticket_id in ids:
            await self.desk.batches.retried(ticket_id)

    async def _summary(self, result: BatchResult) -> Summary:
        if result.run_id:
            return replace(await self.desk.summaries.version(result.ticket_id, result.run_id), cached=False)
        name = self.desk.providers.route(self.recipe, self.provider)[0][0]
        return Summary(result.ticket_id, RunState.FAILED, reason=result.reason, provider=name)

    async def _reference(self, ticket_id: int) -> str:
        rows = await self.desk.tickets.rows([ticket_id])
        return rows[0].reference if rows else str(ticket_id)


async def batch_cost(desk: Desk, estimate: Estimate, *, provider: str, model: str, recipe: str) -> float | None:
    """Return what an estimate comes to as a batch, in dollars.

    Raises:
        DeskError: `batch-not-offered`.
    """
    if not desk.batches.support(provider, model, recipe).is_offered:
        name = desk.providers.route(recipe, provider)[0][0]
        raise DeskError(
            "batch-not-offered",
            f"{name} does not take batches.",
            remedy="Leave --batch out, or name a provider that takes them.",
        )
    return dollars(desk.batches.cost_microusd(estimate, provider=provider, model=model, recipe=recipe))


class _Bar:
    """A progress bar on standard error while tickets are looked at, once that has taken a second and a person is looking."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: Any = None

    def show(self, done: int, total: int) -> None:
        if self._bar is None and time.monotonic() - self._began >= SILENT_SECONDS and sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label="Handing over", file=sys.stderr)
            self._bar.__enter__()
        if self._bar is not None:
            self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


class _Progress:
    """Says on standard error how batches stand, whenever that changed."""

    def __init__(self, batch_ids: set[int]) -> None:
        self._batch_ids = batch_ids
        self._said: dict[int, str] = {}

    def __call__(self, batch: Batch) -> None:
        words = f"{batch.state.value.replace('_', ' ')}, {batch.completed:,} of {batch.requests:,} written"
        if batch.reason:
            words += f"; {batch.reason}"
        if batch.id in self._batch_ids and self._said.get(batch.id) != words:
            self._said[batch.id] = words
            warn(f"Batch {batch.id}: {words}")


def _say_handed_over(handed: HandedOver, desk: Desk) -> None:
    for batch in handed.batches:
        warn(f"Batch {batch.id}: {count(batch.requests, 'ticket')} handed to {batch.provider} ({batch.host}).")
        if batch.reason:
            warn(f"Batch {batch.id}: {batch.reason}")
    if handed.running:
        warn(f"{count(len(handed.running), 'ticket')} in a batch that runs already.")
    if handed.live:
        warn(f"{count(len(handed.live), 'ticket')} asked live: a batch is for tickets that take one request.")


@click.group("batches", invoke_without_command=True)
@json_option
@common_options
@click.pass_context
def batches_command(context: click.Context, session: Session, as_json: bool) -> None:
    """List the batches that were handed to providers, or look after one."""
    if context.invoked_subcommand is None:
        _show(session.run(lambda desk: desk.batches.batches()), as_json=as_json)


@batches_command.command("poll")
@json_option
@common_options
def poll_batches(session: Session, as_json: bool) -> None:
    """Ask at once how all batches stand, and take in what there is."""

    async def work(desk: Desk) -> tuple[Batch, ...]:
        await desk.batches.poll()
        return await desk.batches.batches()

    _show(session.run(work), as_json=as_json)


@batches_command.command("cancel")
@click.argument("batch_id", type=int, metavar="ID")
@json_option
@common_options
def cancel_batch(session: Session, batch_id: int, as_json: bool) -> None:
    """Have a batch stopped. What is done is taken in, the rest is not asked again by itself."""
    _show((session.run(lambda desk: desk.batches.cancel(batch_id)),), as_json=as_json)


@batches_command.command("forget")
@click.argument("batch_id", type=int, metavar="ID")
@json_option
@common_options
def forget_batch(session: Session, batch_id: int, as_json: bool) -> None:
    """Give up a batch whose provider can no longer be asked. Its files stay there."""

    async def work(desk: Desk) -> tuple[Batch, ...]:
        await desk.batches.forget(batch_id)
        return await desk.batches.batches()

    _show(session.run(work), as_json=as_json)


def _show(batches: Sequence[Batch], *, as_json: bool) -> None:
    if as_json:
        print_json({"batches": [_fields(batch) for batch in batches]})
        return
    if not batches:
        say("No batch was handed over yet.")
        return
    titles = ("ID", "Submitted", "Provider", "Model", "State", "Tickets", "Done", "Cost")
    print_table(titles, [_cells(batch) for batch in batches])
    for batch in batches:
        if batch.reason:
            say(f"Batch {batch.id}: {batch.reason}")


def _cells(batch: Batch) -> tuple[str, ...]:
    when = batch.submitted_at.replace("T", " ")[:16]
    done = max(batch.taken, batch.completed)
    cost = "" if batch.cost_microusd is None else f"${batch.cost_microusd / 1_000_000:,.4f}"
    state = batch.state.value.replace("_", " ")
    return (*(str(batch.id), when, batch.provider, batch.model, state, f"{batch.requests:,}", f"{done:,}", cost),)


def _fields(batch: Batch) -> dict[str, Any]:
    fields = asdict(batch)
    cost, is_cleared = dollars(fields.pop("cost_microusd")), fields.pop("is_cleared")
    ends = {name: fields.pop(name) or None for name in ("submitted_at", "polled_at", "ended_at")}
    return {**fields, "cost": cost, **ends, "cleared": is_cleared}
