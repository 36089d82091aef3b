"""The queue: one ticket or a hundred thousand that wait for their summaries, worked off as fast as the provider bears, across restarts.

What waits is in the database and nowhere else. A queue that was at work when the program was closed goes on when the window opens again: its user saw
the price and said yes, and the caps still hold. After a crash it waits for *Resume* instead: nobody knows what the crash was about, and what was
under way may have cost money without a trace. What paused itself says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from desktop.config.settings import Settings
from desktop.domain.batches import Batch
from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState, QueueItem, QueueStatus, Quote
from desktop.services.batches import BatchService
from desktop.services.budget import NOTHING, Amount, Budget, Caps, read_caps
from desktop.services.queue_work import Places, QueueWork, Watcher, places_for, seconds_left
from desktop.services.quotes import OnProgress, Quotes
from desktop.services.summaries import SummaryService
from desktop.services.written_before import WrittenBefore
from desktop.storage.queue import QueueStore, StoredQueue, Task

TOLD_SECONDS = 0.25
"""Listeners are told at most so often."""
OUR_ERROR = "TLDesk itself made an error; it is in the log."
CLOSED_BADLY = "TLDesk was not closed in good order while the queue worked."
REMOVALS_KEPT = 20

log = logging.getLogger(__name__)

OnStatus = Callable[[QueueStatus], None]
OnItems = Callable[[tuple[int, ...]], None]


class QueueService:
    """The one queue of a data folder (desk.queue). Call `start` once in the program that works on it; others may add to it."""

    def __init__(
        self,
        store: QueueStore,
        *,
        summaries: SummaryService,
        settings: Settings,
        quotes: Quotes,
        written: WrittenBefore,
        batches: BatchService,
        parallel: Places,
    ) -> None:
        """`parallel` says for a task, a provider and a model how many may be asked about at once now."""
        self.status_now = QueueStatus()
        self._lot = 0
        self._store = store
        self._summaries = summaries
        self._settings = settings
        self._quotes = quotes
        self._written = written
        self._batches = batches
        self._parallel = parallel
        self._listeners: list[OnStatus] = []
        self._item_listeners: list[OnItems] = []
        self._changed: dict[int, None] = {}
        self._is_told = True
        self._telling: asyncio.Task[None] | None = None
        self._work: QueueWork | None = None
        self._working: asyncio.Task[None] | None = None
        self._removed: list[list[tuple[Any, ...]]] = []
        self._is_closed = False
        self._starting = asyncio.Lock()
        self._is_started = False
        self._going: asyncio.Task[None] | None = None
        batches.listen_tickets(self._batch_changed)

    # What is wanted

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
        """Say what summaries of these tickets would take, and whether the queue would begin them. Nothing is sent.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        return await self._quotes.quote(
            ids, provider=provider, model=model, recipe=recipe, refresh=refresh, on_progress=on_progress
        )

    async def add(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = "summarize",
        refresh: bool = False,
        first: bool = False,
    ) -> int:
        """Put tickets in, behind the others or in front of them, and begin to work unless the queue is paused. Return how many were put in."""
        stored = await self._store.overview()
        if not _is_busy(stored):
            await self._begin_anew()
            if stored.is_paused:
                await self._store.set_paused(False)
        added = await self._store.add(ids, recipe=recipe, provider=provider, model=model, refresh=refresh, first=first)
        self._tell(ids)
        await self._go_on()
        return added

    async def submit_batch(
        self,
        ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = "summarize",
        refresh: bool = False,
        on_progress: OnProgress | None = None,
    ) -> tuple[Batch, ...]:
        """Hand tickets to the provider in batches; those that a batch is not for are put in as others are. Return the new batches.

        Raises:
            DeskError: `batch-over-cap`, and as `BatchService.hand_over`.
        """
        stored = await self._store.overview()
        if not _is_busy(stored):
            await self._begin_anew()
            stored = await self._store.overview()
        await self.refuse_batch_over(
            read_caps(self._settings),
            ids,
            provider=provider,
            model=model,
            recipe=recipe,
            refresh=refresh,
            spent=Amount(stored.spent_microusd, stored.tokens),
            on_progress=on_progress,
        )
        try:
            handed = await self._batches.hand_over(
                ids,
                provider=provider,
                model=model,
                recipe=recipe,
                refresh=refresh,
                on_progress=on_progress,
                is_listed=True,
            )
        finally:
            self._tell(ids)
        if others := [*handed.cached, *handed.live]:
            await self.add(others, provider=provider, model=model, recipe=recipe, refresh=refresh)
        return handed.batches

    async def refuse_batch_over(
        self,
        caps: Caps,
        ids: Sequence[int],
        *,
        provider: str,
        model: str,
        recipe: str,
        refresh: bool,
        spent: Amount = NOTHING,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Refuse to hand over what could go over a cap: a batch that was begun is not stopped by one. `spent` is what the run has cost before.

        Raises:
            DeskError: `batch-over-cap`, and as `quote`.
        """
        if not caps.any:
            return
        quote = await self._quotes.quote(
            ids, provider=provider, model=model, recipe=recipe, refresh=refresh, on_progress=on_progress
        )
        share = self._batches.support(provider, model, recipe).price_share
        most = quote.estimate.most_cost_microusd
        amount = Amount(None if most is None else round(most * share), quote.estimate.most_tokens)
        if why := (await self._budget(caps, spent)).refusal(amount, quote.model or "this model"):
            raise DeskError(
                "batch-over-cap",
                f"The batch could go over a limit: {why.removesuffix(' before this ticket')}.",
                remedy="Choose fewer tickets, or raise the limit.",
            )

    async def _budget(self, caps: Caps, run: Amount) -> Budget:
        """Return what may still be spent. What is in batches that have not ended is set aside: nobody can take it back."""
        return Budget(
            caps,
            run=run,
            day=Amount(*await self._store.spent_today()),
            reserved=Amount(*await self._batches.under_way()),
        )

    async def _begin_anew(self) -> None:
        self._lot += 1
        await self._store.begin_anew()

    def _batch_changed(self, ticket_ids: Sequence[int]) -> None:
        """Something came of tickets in a batch: what got no answer there waits now, and is asked about by whoever works on the queue."""
        self._look_again(ticket_ids)
        if self._is_started and not self._is_closed:
            self._going = asyncio.create_task(self._go_on_after(self._going), name="queue-going")

    async def _go_on_after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        await self._go_on()

    async def start(self) -> None:
        """Settle what an earlier program left behind, and go on where it was closed in good order while it worked."""
        stored = await self._store.overview()
        await self._store.recover()
        if stored.is_working and not stored.is_paused and _is_busy(stored):
            await self._store.set_paused(True, CLOSED_BADLY)
        await self._store.set_working(False)
        self._is_started = True
        self._batches.start_polling()
        await self._go_on()

    async def close(self) -> None:
        """Stop: what is being written is kept as far as it came and waits again."""
        self._is_closed = True
        if self._going is not None:
            await asyncio.gather(self._going, return_exceptions=True)
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
            await self._store.set_working(False)
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    # Working

    async def pause(self) -> None:
        """Begin nothing more; what is being written is written to its end."""
        await self._pause("")

    async def resume(self) -> None:
        """Go on."""
        await self._store.set_paused(False)
        if self._work is not None:
            self._work.budget.caps = read_caps(self._settings)
            self._work.resume()
        await self._go_on()

    async def _pause(self, reason: str) -> None:
        await self._store.set_paused(True, reason)
        if self._work is not None:
            self._work.pause()
        self._tell(())

    async def _go_on(self) -> None:
        async with self._starting:
            stored = await self._store.overview()
            if not (stored.is_paused or self._is_closed or not stored.counts.get(ItemState.WAITING)):
                await self._work_on(stored)
        self._tell(())

    async def _work_on(self, stored: StoredQueue) -> None:
        if self._work is not None:
            self._work.wake()
            return
        spent = Amount(stored.spent_microusd, stored.tokens)
        budget = await self._budget(read_caps(self._settings), spent)
        self._work = QueueWork(
            self._store,
            self._summaries,
            parallel=self._places,
            budget=budget,
            find_written=self._written.find,
            spent_today=self._store.spent_today,
            watcher=Watcher(changed=self._tell, paused=self._pause),
        )
        self._working = asyncio.create_task(self._run(self._work), name="queue")

    async def _run(self, work: QueueWork) -> None:
        reason = ""
        try:
            await work.run()
        except DeskError as error:
            reason = str(error)
        except Exception:
            log.exception("the queue stopped")
            reason = OUR_ERROR
        finally:
            self._work = None
        if reason:
            await self._pause(reason)
        await self._store.set_working(False)
        self._tell(())

    def _places(self, task: Task) -> int:
        return places_for(task, self._parallel, int(self._settings.get("parallel_summaries")))

    # What there is

    async def status(self) -> QueueStatus:
        """Return the queue as a whole."""
        stored = await self._store.overview()
        counts = stored.counts
        work, reason = self._work, stored.pause_reason
        if work is not None and not stored.is_paused:
            reason = work.held_up
        left = counts.get(ItemState.WAITING, 0) + counts.get(ItemState.RUNNING, 0)
        self.status_now = QueueStatus(
            lot=self._lot,
            waiting=counts.get(ItemState.WAITING, 0),
            running=counts.get(ItemState.RUNNING, 0),
            submitted=counts.get(ItemState.SUBMITTED, 0),
            done=counts.get(ItemState.DONE, 0),
            failed=counts.get(ItemState.FAILED, 0),
            is_paused=stored.is_paused,
            pause_reason=reason,
            spent_microusd=stored.spent_microusd,
            unpriced=stored.unpriced,
            tokens=stored.tokens,
            parallel=work.running if work is not None else 0,
            seconds_left=seconds_left(left, work.seconds) if work is not None else None,
        )
        return self.status_now

    async def items(
        self, *, state: ItemState | None = None, offset: int = 0, limit: int = 200
    ) -> tuple[QueueItem, ...]:
        """Return a page of the queue: what is in work first, then what waits in its order, then what failed, then what is done."""
        return await self._store.items(state=state, offset=offset, limit=limit)

    async def states(self, ticket_ids: Sequence[int]) -> dict[int, ItemState]:
        """Return where tickets stand; those that are not in the queue are left out."""
        return await self._store.states(ticket_ids)

    async def reasons(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return why tickets failed and what to do about it; those that did not are left out."""
        return await self._store.reasons(ticket_ids)

    # Changing what waits

    async def move(self, item_ids: Sequence[int], *, to_front: bool) -> None:
        """Put waiting items in front of all others or behind them."""
        await self._store.move(item_ids, to_front=to_front)
        self._look_again()

    async def remove(self, item_ids: Sequence[int]) -> int:
        """Take items out that are not being written; return how many. `put_back` undoes it."""
        rows = await self._store.remove(item_ids)
        if rows:
            self._removed.append(rows)
            del self._removed[:-REMOVALS_KEPT]
        self._look_again([row[0] for row in rows])
        return len(rows)

    async def put_back(self) -> int:
        """Put back what was removed last, where it was; return how many items."""
        if not self._removed:
            return 0
        rows = self._removed.pop()
        put_back = await self._store.put_back(rows)
        self._look_again([row[0] for row in rows])
        await self._go_on()
        return put_back

    async def retry_failed(self) -> int:
        """Have everything that failed wait again; return how many."""
        retried = await self._store.retry_failed()
        self._look_again()
        await self._go_on()
        return retried

    async def clear_ended(self) -> int:
        """Take out what is done or failed; return how many."""
        cleared = await self._store.clear_ended()
        self._look_again()
        return cleared

    def _look_again(self, ticket_ids: Sequence[int] = ()) -> None:
        if self._work is not None:
            self._work.wake()
        self._tell(ticket_ids)

    # Telling

    def listen(self, callback: OnStatus) -> Callable[[], None]:
        """Have `callback(status)` called whenever the queue changed, at most four times a second; return what ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def listen_items(self, callback: OnItems) -> Callable[[], None]:
        """Have `callback(ticket_ids)` called with the tickets whose state or summary changed, at most four times a second."""
        self._item_listeners.append(callback)
        return lambda: self._item_listeners.remove(callback)

    def _tell(self, ticket_ids: Sequence[int]) -> None:
        self._changed |= dict.fromkeys(ticket_ids)
        self._is_told = False
        if not self._is_closed and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_soon(), name="queue-telling")

    async def _tell_soon(self) -> None:
        while not self._is_told:
            self._is_told = True
            status = await self.status()
            changed, self._changed = tuple(self._changed), {}
            for listener in tuple(self._listeners):
                listener(status)
            if changed:
                for item_listener in tuple(self._item_listeners):
                    item_listener(changed)
            await asyncio.sleep(TOLD_SECONDS)


def _is_busy(stored: StoredQueue) -> bool:
    return any(stored.counts.get(state) for state in (ItemState.WAITING, ItemState.RUNNING, ItemState.SUBMITTED))
