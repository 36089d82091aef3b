"""Quotes: what summaries of many tickets would take, before a click on *Summarize*, and whether the queue would begin them at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.config.settings import Settings
from desktop.domain.queue import Quote
from desktop.domain.runs import Usage
from desktop.services.outbound import Target
from desktop.services.outbound.batching import Batching
from desktop.services.summaries import SummaryService

OnProgress = Callable[[int, int], None]
"""Told how many tickets were measured, of how many."""


class Quotes:
    """Makes quotes."""

    def __init__(
        self,
        summaries: SummaryService,
        settings: Settings,
        *,
        targets: Callable[[str, str, str], Sequence[Target]],
        batching: Batching,
    ) -> None:
        self._batching = batching
        self._summaries = summaries
        self._settings = settings
        self._targets = targets

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
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        target = self._targets(recipe, provider, model)[0]
        is_locked = self._settings.get("local_only") and not target.is_local
        estimate = await self._summaries.estimate(ids, provider=provider, model=model, recipe=recipe, refresh=refresh)
        if on_progress is not None:
            on_progress(len(ids), len(ids))
        cost = estimate.cost_microusd
        must_ask = cost is None or cost > self._settings.get("ask_above_cost") * 1_000_000
        offers_batch = self._batching.offers_batch(target)
        usage = Usage(estimate.input_tokens, estimate.output_tokens)
        return Quote(
            target.name,
            target.model,
            target.host,
            target.is_local,
            estimate,
            must_ask=must_ask,
            # What is there already is taken from here, whatever is locked.
            refusal=f"Local only is on: nothing is sent to {target.host}." if is_locked and estimate.calls else "",
            offers_batch=offers_batch,
            batch_cost_microusd=self._batching.cost_microusd(target, usage) if offers_batch else None,
        )
