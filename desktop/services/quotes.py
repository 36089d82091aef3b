"""Quotes: what summaries of many tickets would take, before a click on *Summarize*, and whether the queue would begin them at all.

Which summaries are there already, and which tickets are twins, is counted; what the others take is measured for each of a few, and for a sample of
many, so that a hundred thousand are priced in seconds. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from desktop.config.settings import Settings
from desktop.domain.queue import Quote
from desktop.domain.runs import Estimate, Usage
from desktop.services.budget import Amount, Budget, read_caps
from desktop.services.outbound import Target
from desktop.services.outbound.batching import Batching
from desktop.services.outbound.pace import Pace
from desktop.services.summaries import SummaryService
from desktop.services.written_before import WrittenBefore
from desktop.storage.queue import QueueStore
from desktop.storage.runs import RunStore
from desktop.storage.twins import TwinStore

OnProgress = Callable[[int, int], None]
"""Told how many tickets were measured, of how many."""
MEASURED_EACH = 250
SAMPLE = 200
MEASURED_AT_ONCE = 20
FEW_AT_ONCE = 8
"""How many are asked about at once where nothing is known yet of the provider, as a rule."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a quote is for."""

    provider: str
    model: str
    recipe: str
    refresh: bool


class Quotes:
    """Makes quotes."""

    def __init__(
        self,
        summaries: SummaryService,
        settings: Settings,
        *,
        batching: Batching,
        written: WrittenBefore,
        twins: TwinStore,
        runs: RunStore,
        queue: QueueStore,
        pace: Callable[[Target], Pace],
        missing_key: Callable[[str], Awaitable[str]],
    ) -> None:
        """`missing_key` says in words that a provider's key is not there, '' when it is or none is needed."""
        self._batching = batching
        self._summaries = summaries
        self._settings = settings
        self._written = written
        self._twins = twins
        self._runs = runs
        self._queue = queue
        self._pace = pace
        self._missing_key = missing_key

    async def quote(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = "summarize",
        refresh: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Quote:
        """Say what summaries of these tickets would take.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        wanted = _Wanted(provider, model, recipe, refresh)
        target = self._summaries.targets(recipe, provider, model)[0]
        ids = await self._written.existing(ids)
        uncached = ids
        if not refresh:
            found = await self._written.uncached(ids, recipe=recipe, provider=provider, model=model)
            uncached = ids if found is None else found
        # Each is written anew when that is what was asked for, twin or not.
        twins = set() if refresh else await self._twins.twins(uncached)
        asked = [ticket_id for ticket_id in uncached if ticket_id not in twins]
        estimate, is_sampled = await self._measure(asked, wanted, on_progress)
        cached = len(ids) - len(uncached) + estimate.cached
        estimate = replace(estimate, tickets=len(ids), cached=cached)
        offers_batch = self._batching.offers_batch(target)
        usage = Usage(estimate.input_tokens, estimate.output_tokens)
        cost = estimate.cost_microusd
        return Quote(
            target.name,
            target.model,
            target.host,
            target.is_local,
            estimate,
            identical=len(twins),
            seconds=await self._seconds(estimate, target),
            batch_cost_microusd=self._batching.cost_microusd(target, usage) if offers_batch else None,
            offers_batch=offers_batch,
            must_ask=bool(estimate.calls) and (cost is None or cost > self._settings.get("ask_above_cost") * 1_000_000),
            refusal=await self._refusal(estimate, target),
            is_sampled=is_sampled,
        )

    async def _measure(self, ids: list[int], wanted: _Wanted, on_progress: OnProgress | None) -> tuple[Estimate, bool]:
        """Return what tickets would take, and whether only some of them were measured."""
        is_sampled = len(ids) > MEASURED_EACH
        sample = [ids[place * len(ids) // SAMPLE] for place in range(SAMPLE)] if is_sampled else ids
        total = Estimate()
        for start in range(0, len(sample), MEASURED_AT_ONCE):
            part = sample[start : start + MEASURED_AT_ONCE]
            total = _plus(total, await self._estimate(part, wanted))
            if on_progress is not None:
                on_progress(min(len(sample), start + len(part)), len(sample))
        return _scaled(total, len(ids) / len(sample)) if is_sampled else total, is_sampled

    async def _estimate(self, ids: Sequence[int], wanted: _Wanted) -> Estimate:
        # A ticket may go while it is measured: those that are still there count.
        return await self._summaries.estimate(
            await self._written.existing(ids),
            provider=wanted.provider,
            model=wanted.model,
            recipe=wanted.recipe,
            refresh=wanted.refresh,
        )

    async def _seconds(self, estimate: Estimate, target: Target) -> float | None:
        """Return how long it would take: at the pace that the provider keeps, if it is known, and as long as a summary took of late."""
        if not estimate.calls:
            return 0.0
        pace = self._pace(target)
        each = await self._runs.typical_seconds(target.name, target.model)
        if each is None:
            return None
        at_once = max(pace.parallel, 1 if target.is_local else FEW_AT_ONCE)
        if (most := self._settings.get("parallel_summaries")) > 0:
            at_once = min(at_once, most)
        return estimate.calls * max(each / at_once, pace.seconds_a_request or 0.0)

    async def _refusal(self, estimate: Estimate, target: Target) -> str:
        """Say why the queue would not begin, '' when it would. What is there already is taken from here, whatever is locked."""
        if not estimate.calls:
            return ""
        if self._settings.get("local_only") and not target.is_local:
            return f"Local only is on: nothing is sent to {target.host}."
        if missing := await self._missing_key(target.name):
            return missing
        caps = read_caps(self._settings)
        if not caps.any:
            return ""
        most = estimate.most_cost_microusd
        first = Amount(None if most is None else most // estimate.calls, estimate.most_tokens // estimate.calls)
        budget = Budget(caps, day=Amount(*await self._queue.spent_today()))
        reason = budget.refusal(first, target.model).replace(
            "was reached before this ticket", "is less than one ticket may take"
        )
        return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _plus(one: Estimate, other: Estimate) -> Estimate:
    def add(cost: int | None, more: int | None) -> int | None:
        return None if cost is None or more is None else cost + more

    return Estimate(
        one.tickets + other.tickets,
        one.calls + other.calls,
        one.cached + other.cached,
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        add(one.cost_microusd, other.cost_microusd),
        add(one.most_cost_microusd, other.most_cost_microusd),
        most_tokens=one.most_tokens + other.most_tokens,
    )


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    def scale(number: int) -> int:
        return round(number * factor)

    cost, most = estimate.cost_microusd, estimate.most_cost_microusd
    return Estimate(
        scale(estimate.tickets),
        scale(estimate.calls),
        scale(estimate.cached),
        scale(estimate.input_tokens),
        scale(estimate.output_tokens),
        None if cost is None else scale(cost),
        None if most is None else scale(most),
        most_tokens=scale(estimate.most_tokens),
    )
