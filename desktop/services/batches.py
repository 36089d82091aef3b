"""Batches: tickets handed to the provider in files, and their summaries taken in as they come, across restarts.

This is the form in which the window and the command use it; see the methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.domain.batches import Batch, BatchResult, BatchSupport, HandedOver

OnBatch = Callable[[Batch], None]
OnProgress = Callable[[int, int], None]


class BatchService:
    """All batches (desk.batches)."""

    def support(self, provider: str = "", model: str = "") -> BatchSupport:
        """Say whether a provider ('' for the default) takes batches, and for what share of the price. Nothing is sent."""
        raise NotImplementedError

    async def submit(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = "summarize",
        refresh: bool = False,
    ) -> tuple[Batch, ...]:
        """Hand tickets over and return the new batches; those that must be asked live go into the queue as waiting."""
        raise NotImplementedError

    async def hand_over(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = "summarize",
        refresh: bool = False,
        on_progress: OnProgress | None = None,
    ) -> HandedOver:
        """Hand tickets over and say what became of each."""
        raise NotImplementedError

    async def poll(self) -> tuple[Batch, ...]:
        """Ask for the state of all running batches at once, and take in what there is; return them."""
        raise NotImplementedError

    async def batches(self) -> tuple[Batch, ...]:
        """Return all batches, the newest first."""
        raise NotImplementedError

    async def results(self, batch_ids: Sequence[int]) -> tuple[BatchResult, ...]:
        """Return what became of the tickets of batches so far; those still waited for are in it too."""
        raise NotImplementedError

    async def cancel(self, batch_id: int) -> Batch:
        """Have the provider stop a batch; what is done is taken in at the next polls. The rest is not asked again by itself."""
        raise NotImplementedError

    async def forget(self, batch_id: int) -> None:
        """Give up a batch whose provider can no longer be asked."""
        raise NotImplementedError

    def start_polling(self) -> None:
        """Poll in the background until `stop`: at once, then after 10 seconds, growing to 5 minutes."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End polling and wait until it has ended."""
        raise NotImplementedError

    def listen(self, callback: OnBatch) -> Callable[[], None]:
        """Have `callback(batch)` called on the event loop whenever a batch changed; return what ends that."""
        raise NotImplementedError
