"""Batches: tickets handed to the provider in files, for a part of the price, and their summaries taken in within a day, across restarts.

Only one TLDesk hands over or takes in at a time, whoever has the data folder open: what another one is at is found done at the next look. A batch
ends when all that came of it was taken in; then its files are deleted at the provider.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager, suppress

from desktop.domain.batches import (
    OVER_STATES,
    Batch,
    BatchResult,
    BatchState,
    BatchSupport,
    HandedOver,
    RequestState,
)
from desktop.domain.errors import DeskError
from desktop.domain.runs import Estimate, Finished, Usage
from desktop.services.batch_results import BatchResults
from desktop.services.batch_submitting import BatchSubmitting, OnProgress
from desktop.services.batch_tending import BatchTending
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.services.prepared import PreparedTickets
from desktop.services.questions import TASK
from desktop.services.recipes import RecipeBook
from desktop.services.summaries import SummaryService
from desktop.services.summary_writing import SummaryWriter
from desktop.storage.batches import BatchStore
from desktop.storage.locking import FileLock
from desktop.storage.runs import RunStore

FIRST_POLL_SECONDS = 10.0
LONGEST_POLL_SECONDS = 300.0
POLL_GROWTH = 1.5
LOOK_SECONDS = 60.0
"""How often it is looked whether another TLDesk handed something over."""
TRIED_OUT_FROM, MOST_TRIES = 20, 20
"""From so many tickets on the first is asked live, of the first so many that take a request."""
IN_THE_WAY = ("provider-key", "provider-quota", "provider-model", "provider-name", "provider-certificate", "local-only")
LOCK_PATIENCE_SECONDS = 20.0
LOCK_LOOK_SECONDS = 0.1

OnBatch = Callable[[Batch], None]
OnTickets = Callable[[tuple[int, ...]], None]


class BatchService:
    """All batches (desk.batches)."""

    def __init__(
        self,
        store: BatchStore,
        *,
        summaries: SummaryService,
        writer: SummaryWriter,
        runs: RunStore,
        outbound: Outbound,
        recipes: RecipeBook,
        prepared: PreparedTickets,
        secret: bytes,
        workers: Executor,
        resolve: Callable[[str, str], Awaitable[Endpoint]],
        lock: FileLock,
    ) -> None:
        self._store = store
        self._summaries = summaries
        self._writer = writer
        self._outbound = outbound
        self._recipes = recipes
        self._resolve = resolve
        self._submitting = BatchSubmitting(
            store, summaries=summaries, runs=runs, outbound=outbound, secret=secret, workers=workers
        )
        self._results = BatchResults(store, prepared=prepared, outbound=outbound, workers=workers)
        self._tending = BatchTending(
            store,
            submitting=self._submitting,
            results=self._results,
            outbound=outbound,
            target=self._target,
            resolve=resolve,
            on_tickets=self._tell_tickets,
        )
        self._file_lock = lock
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._seconds = FIRST_POLL_SECONDS
        self._on_batch: list[OnBatch] = []
        self._on_tickets: list[OnTickets] = []

    # What is offered

    def support(self, provider: str = "", model: str = "", recipe: str = TASK) -> BatchSupport:
        """Say whether a provider ('' for whoever does the task) takes batches, and for what share of the price. Nothing is sent.

        Raises:
            DeskError: `provider-missing`.
        """
        return self._outbound.batching.support(self._target(provider, model, recipe))

    def cost_microusd(
        self, estimate: Estimate, *, provider: str = "", model: str = "", recipe: str = TASK
    ) -> int | None:
        """Return what the tickets of an estimate would cost as a batch; None when the provider takes none or no price is known.

        Raises:
            DeskError: `provider-missing`.
        """
        target = self._target(provider, model, recipe)
        if not self._outbound.batching.offers_batch(target):
            return None
        usage = Usage(estimate.input_tokens, estimate.output_tokens)
        return self._outbound.batching.cost_microusd(target, usage)

    # Handing over

    async def submit(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = TASK,
        refresh: bool = False,
        on_progress: OnProgress | None = None,
    ) -> tuple[Batch, ...]:
        """Hand tickets over and return the new batches.

        Raises:
            DeskError: as `hand_over`.
        """
        handed = await self.hand_over(
            ids, provider=provider, model=model, recipe=recipe, refresh=refresh, on_progress=on_progress
        )
        return handed.batches

    async def hand_over(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = TASK,
        refresh: bool = False,
        on_progress: OnProgress | None = None,
        is_listed: bool = False,
    ) -> HandedOver:
        """Hand tickets over, each that takes exactly one request and is in no batch yet, and say what became of the others.

        `on_progress` is told how many of how many were looked at. `is_listed` when the queue is to list them.
        Nobody stands in for a provider that does not take the file.

        Raises:
            DeskError: `batch-not-offered`, `batches-busy`, `recipe-missing`, `recipe-broken`, `provider-…`: one of `domain.llm.FAULTS`.
        """
        target = self._target(provider, model, recipe)
        if not self._outbound.batching.offers_batch(target):
            raise DeskError(
                "batch-not-offered",
                f"{target.name} ({target.host or 'this machine'}) does not take batches.",
                remedy="Summarize without a batch, or choose a provider that takes them.",
            )
        chosen = await asyncio.to_thread(self._recipes.load, recipe)
        endpoint = await self._resolve(target.name, target.model)
        begun: list[int] = []

        async def note(batch_id: int) -> None:
            begun.append(batch_id)
            if is_listed:
                # At once: what becomes of the other tickets changes nothing of these.
                await self._list([batch_id], None, refresh=refresh)

        written = await self._try_out(ids, endpoint, recipe, refresh=refresh)
        tried = {ticket_id for ticket_id, _ in written}
        ids = [ticket_id for ticket_id in ids if ticket_id not in tried]
        async with self._alone():
            found = await self._submitting.submit(
                ids, endpoint, chosen, refresh=refresh, on_progress=on_progress, on_batch=note
            )
        self._look_soon()
        if is_listed and found.running:
            await self._list(await self.batches_with(found.running), set(found.running), refresh=refresh)
        results = await self._store.results(begun) if begun else ()
        batches = tuple([await self._tell(batch_id) for batch_id in begun])
        return HandedOver(
            batches,
            submitted=tuple(result.ticket_id for result in results),
            written=written,
            running=tuple(found.running),
            cached=tuple(found.cached),
            live=tuple(found.live),
        )

    async def _list(self, batch_ids: Sequence[int], wanted: set[int] | None, *, refresh: bool) -> None:
        """Have the queue list tickets of batches, all when `wanted` is None."""
        results = await self.results(batch_ids)
        listed = [(r.batch_id, r.ticket_id) for r in results if wanted is None or r.ticket_id in wanted]
        await self._store.put_in_queue(listed, refresh=refresh)

    async def _try_out(
        self, ids: Sequence[int], endpoint: Endpoint, recipe: str, *, refresh: bool
    ) -> tuple[tuple[int, int], ...]:
        """Ask for one summary live before many are handed over, so that no refused parameter, key or model is refused for each of them.

        Raises:
            DeskError: what stands in the way of all of them.
        """
        for ticket_id in ids[:MOST_TRIES] if len(ids) >= TRIED_OUT_FROM else ():
            if self._outbound.batching.knows(endpoint):
                break
            events = self._summaries.stream(
                ticket_id, provider=endpoint.name, model=endpoint.model, recipe=recipe, refresh=refresh
            )
            async with aclosing(events):
                summary = [event async for event in events if isinstance(event, Finished)][-1].summary
            if summary.error in IN_THE_WAY:
                raise DeskError(summary.error, summary.reason, remedy=summary.remedy)
            if summary.run_id and not summary.cached:
                return ((ticket_id, summary.run_id),)
        return ()

    # Looking

    async def batches(self) -> tuple[Batch, ...]:
        """Return all batches, the newest first."""
        return tuple(stored.batch for stored in await self._store.all())

    async def under_way(self) -> tuple[int, int]:
        """Return what the batches that have not ended can come to at most: micro-dollars, as far as prices are known, and tokens."""
        return await self._store.under_way()

    async def results(self, batch_ids: Sequence[int]) -> tuple[BatchResult, ...]:
        """Return what became of the tickets of batches so far; those still waited for are in it too."""
        return await self._store.results(batch_ids) if batch_ids else ()

    async def batches_with(self, ticket_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the running batches that hold any of these tickets."""
        running = [stored.batch.id for stored in await self._store.all() if stored.batch.is_running]
        wanted = set(ticket_ids)
        return tuple(sorted({r.batch_id for r in await self.results(running) if r.ticket_id in wanted}))

    async def poll(self) -> tuple[Batch, ...]:
        """Ask at once how all running batches stand and take in what there is; return them. While another TLDesk is at it, nothing is asked.

        Raises:
            DeskError: only what is wrong with the database; what is wrong with a provider is the batch's `reason`.
        """
        with suppress(_BusyError):
            async with self._alone(patience_seconds=0.0):
                for stored in await self._store.all(running=True):
                    await self._tending.look_at(stored)
                    if stored.batch.state is not BatchState.PREPARING:
                        await self._tell(stored.batch.id)
        return tuple(stored.batch for stored in await self._store.all() if stored.batch.is_running)

    async def follow(self, batch_ids: Sequence[int]) -> AsyncGenerator[BatchResult, None]:
        """Poll until batches have ended, and yield what becomes of each ticket as it is known, whoever takes it in."""
        seen: set[tuple[int, int]] = set()
        seconds = FIRST_POLL_SECONDS
        while True:
            await self.poll()
            for result in await self.results(batch_ids):
                place = (result.batch_id, result.ticket_id)
                if result.state is not RequestState.WAITING and place not in seen:
                    seen.add(place)
                    yield result
            if not any([(await self._store.get(batch_id)).batch.is_running for batch_id in batch_ids]):
                return
            await asyncio.sleep(seconds)
            seconds = min(LONGEST_POLL_SECONDS, seconds * POLL_GROWTH)

    async def cancel(self, batch_id: int) -> Batch:
        """Have the provider stop a batch; what is done is taken in at the next polls. The rest is not asked again by itself.

        Raises:
            DeskError: `batch-missing`, `batch-ended`, `batches-busy`, or one of `domain.llm.FAULTS`.
        """
        async with self._alone():
            stored = await self._store.get(batch_id)
            if not stored.batch.is_running:
                raise DeskError(
                    "batch-ended", f"Batch {batch_id} has ended already.", remedy="There is nothing to stop."
                )
            endpoint = await self._tending.endpoint(stored)
            await self._store.cancelled(batch_id)
            if stored.remote_id and stored.batch.state not in OVER_STATES:
                remote = await self._outbound.batching.cancel(endpoint, stored.remote_id)
                await self._store.polled(batch_id, remote)
        self._look_soon()
        return await self._tell(batch_id)

    async def forget(self, batch_id: int) -> None:
        """Give up a batch whose provider can no longer be asked. Its files stay there.

        Raises:
            DeskError: `batch-missing`, `batches-busy`.
        """
        async with self._alone():
            stored = await self._store.get(batch_id)
            await self._store.cancelled(batch_id)
            stored = await self._store.get(batch_id)
            await self._results.settle(stored, {}, self._tell_tickets)
            await self._store.end(batch_id, f"given up here; its files may still be at {stored.batch.host}")
            await self._store.cleared(batch_id, reason=(await self._store.get(batch_id)).batch.reason)
        await self._tell(batch_id)

    async def retried(self, ticket_id: int) -> None:
        """Note that a ticket which got no answer was asked live."""
        await self._store.retried(ticket_id)

    # In the background

    def start_polling(self) -> None:
        """Poll in the background until `stop`: at once, then after 10 seconds, growing to 5 minutes."""
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll_on(), name="batches")

    async def stop(self) -> None:
        """End polling and wait until it has ended."""
        task, self._polling = self._polling, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def listen(self, callback: OnBatch) -> Callable[[], None]:
        """Have `callback(batch)` called on the event loop whenever a batch changed; return what ends that."""
        self._on_batch.append(callback)
        return lambda: self._on_batch.remove(callback) if callback in self._on_batch else None

    def listen_tickets(self, callback: OnTickets) -> Callable[[], None]:
        """Have `callback(ticket_ids)` called whenever something became of tickets: a summary came, or they are to be asked live."""
        self._on_tickets.append(callback)
        return lambda: self._on_tickets.remove(callback) if callback in self._on_tickets else None

    async def _poll_on(self) -> None:
        while True:
            self._wake.clear()
            # What is wrong with the disk is told by whoever writes to it on the user's behalf.
            with suppress(DeskError):
                running = await self.poll()
                if not running:
                    self._seconds = FIRST_POLL_SECONDS
            until = time.monotonic() + self._seconds
            self._seconds = min(LONGEST_POLL_SECONDS, self._seconds * POLL_GROWTH)
            while (left := until - time.monotonic()) > 0 and not self._wake.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), min(left, LOOK_SECONDS))

    def _look_soon(self) -> None:
        self._seconds = FIRST_POLL_SECONDS
        self._wake.set()

    # Within

    def _target(self, provider: str, model: str, recipe: str) -> Target:
        return self._writer.targets(recipe, provider, model)[0]

    async def _tell(self, batch_id: int) -> Batch:
        batch = (await self._store.get(batch_id)).batch
        for callback in tuple(self._on_batch):
            callback(batch)
        return batch

    def _tell_tickets(self, ticket_ids: tuple[int, ...]) -> None:
        if ticket_ids:
            for callback in tuple(self._on_tickets):
                callback(ticket_ids)

    @asynccontextmanager
    async def _alone(self, *, patience_seconds: float = LOCK_PATIENCE_SECONDS) -> AsyncIterator[None]:
        """Wait for this TLDesk's turn, and keep others from handing over and taking in meanwhile.

        Raises:
            DeskError: `batches-busy`.
        """
        async with self._turn:
            until = time.monotonic() + patience_seconds
            while not self._file_lock.acquire():
                if time.monotonic() >= until:
                    raise _BusyError
                await asyncio.sleep(LOCK_LOOK_SECONDS)
            try:
                yield
            finally:
                self._file_lock.release()


class _BusyError(DeskError):
    """Another TLDesk is at it."""

    def __init__(self) -> None:
        super().__init__(
            "batches-busy",
            "Another TLDesk is handing over or taking in batches right now.",
            remedy="Try again in a moment.",
        )
