"""Queue work: has the tickets of a queue summarized, as many at once as the provider bears, within a budget.

Where the tickets come from and where it is written down how they ended is somebody else's: the queue in the database, or a list that one command was
given. What was written before is found for many tickets at once, and takes no place.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState
from desktop.domain.runs import Delayed, Finished, RunState, Summary, Usage
from desktop.services.budget import Amount, Budget
from desktop.services.summaries import SummaryService
from desktop.services.verdicts import SAME_FAULTS, Patience, Verdict, judge_end
from desktop.storage.queue import Ended, Task

LOOKED_AHEAD = 1_000
"""Tickets whose summaries are looked for at once among those that were written before."""
SPARE = 2
"""Tickets that are made ready beyond those that are being asked about, so that no place stays empty meanwhile."""
Places = Callable[[str, str, str], int]
"""Says for a task, a provider and a model how many may be asked about at once now."""
PACE_SECONDS = 120.0
"""The time left is told from what was done in so many seconds."""
DAY_SECONDS = 10.0
"""How often it is looked at what others spent today."""
LEFT = "stopped before it was whole"

log = logging.getLogger(__name__)


def places_for(task: Task, parallel: Places, most: int) -> int:
    """Return how many tickets may be in work at once: as many as the provider bears and a few more, but never more than `most`, if that is set."""
    places = parallel(task.recipe, task.provider, task.model) + SPARE
    return min(places, most) if most > 0 else places


class Source(Protocol):
    """Where tickets come from."""

    async def waiting(self, limit: int, *, leave_out: Iterable[int] = ()) -> list[Task]: ...

    async def begin(self, item_ids: Sequence[int]) -> list[Task]: ...

    async def end(self, ended: Sequence[Ended]) -> None: ...


FindWritten = Callable[[Sequence[Task]], Awaitable[dict[int, Ended]]]
"""Which of these tasks were done before: by item id, how they ended."""


@dataclass(slots=True)
class Watcher:
    """Who is told what happens; all of it on the event loop."""

    changed: Callable[[Sequence[int]], None] = lambda ticket_ids: None
    summarized: Callable[[Task, Summary], Awaitable[None]] | None = None
    paused: Callable[[str], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the work stopped by itself, with the fault's code where it was one."""

    reason: str
    remedy: str = ""
    error: str = ""

    def __str__(self) -> str:
        return f"{self.reason.rstrip('.')}. {self.remedy}".strip()


@dataclass(slots=True)
class _Faults:
    """Tickets in a row that failed for the same reason."""

    reason: str = ""
    number: int = 0

    def take(self, reason: str) -> bool:
        """Count one; tell whether there were too many."""
        self.number = self.number + 1 if reason == self.reason else 1
        self.reason = reason
        return self.number >= SAME_FAULTS

    def forget(self) -> None:
        self.reason, self.number = "", 0


@dataclass(eq=False, slots=True)
class QueueWork:
    """One lot of work. `run` it; it ends when nothing waits any more, when `pause` was called, or when it paused itself."""

    source: Source
    summaries: SummaryService
    parallel: Callable[[Task], int]
    budget: Budget
    find_written: FindWritten
    spent_today: Callable[[], Awaitable[tuple[int, int]]] | None = None
    watcher: Watcher = field(default_factory=Watcher)
    patience: Patience = field(default_factory=Patience)
    stopped: Stop | None = None
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=400))
    """When the last summaries were done that took requests, by the monotonic clock."""
    resting: tuple[float, str] = (-math.inf, "")
    """Until when nothing is begun because a provider is at rest, and why."""
    _running: dict[asyncio.Task[None], Task] = field(default_factory=dict)
    _ahead: deque[Task] = field(default_factory=deque)
    _not_before: dict[int, float] = field(default_factory=dict)
    _faults: _Faults = field(default_factory=_Faults)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _is_paused: bool = False
    _rests: int = 0
    _day_seen_at: float = -math.inf
    _delays: dict[int, tuple[float, str]] = field(default_factory=dict)

    @property
    def held_up(self) -> str:
        """Say why nothing goes on just now, '' when something does: a provider at rest, or one that has everybody wait."""
        now = time.monotonic()
        if self.resting[0] > now:
            return self.resting[1]
        delays = [self._delays.get(task.item_id, (0.0, "")) for task in self._running.values()]
        return delays[0][1] if delays and all(until > now for until, _ in delays) else ""

    @property
    def running(self) -> int:
        """Return how many summaries are being written."""
        return len(self._running)

    def wake(self) -> None:
        """Look again at what waits: something was put in, taken out or moved."""
        self._ahead.clear()
        self._wake.set()

    def pause(self) -> None:
        """Begin nothing more; what is being written is written to its end."""
        self._is_paused = True
        self._wake.set()

    def resume(self) -> None:
        """Begin again after `pause`, as long as what was being written then is not over; a provider at rest is asked at once."""
        self._is_paused, self.resting, self.stopped, self._rests = False, (-math.inf, ""), None, 0
        self.wake()

    async def run(self) -> None:
        """Work. When it is cancelled, what was being written is stopped, kept as far as it came, and waits again."""
        try:
            while True:
                self._wake.clear()
                seconds = await self._begin_more()
                if not self._running and seconds is None and not self._wake.is_set():
                    # Nothing is awaited from here to whoever called: what is put in now begins another lot.
                    return
                await self._wait(seconds)
        finally:
            self._stop.set()
            for work in self._running:
                work.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _wait(self, seconds: float | None) -> None:
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({woken, *self._running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        for work in [work for work in self._running if work.done()]:
            del self._running[work]
            work.result()

    async def _begin_more(self) -> float | None:
        """Begin what may begin; return after how many seconds to look again, None when nothing will change by itself."""
        if self._is_paused:
            return None
        if (rest := self.resting[0] - time.monotonic()) > 0:
            return rest
        while True:
            tasks = await self._look_ahead()
            if not tasks:
                return self._next_wait()
            places = self.parallel(tasks[0]) - len(self._running)
            if places <= 0 or self._is_paused:
                return None
            reserved: dict[int, Amount] = {}
            for task in list(tasks)[:places]:
                most = await self._most(task)
                if refusal := self.budget.refusal(most, task.model):
                    await self._begin(reserved)
                    return await self._over_budget(refusal, most)
                if self._is_paused or task not in self._ahead:
                    break
                # Set aside at once: two that are begun in one moment must not both fit into the same rest.
                self.budget.reserve(most)
                self._ahead.remove(task)
                reserved[task.item_id] = most
            await self._begin(reserved)

    def _next_wait(self) -> float | None:
        now = time.monotonic()
        return max(0.01, min(self._not_before.values()) - now) if self._not_before else None

    async def _over_budget(self, refusal: str, most: Amount) -> float | None:
        if self._running and self.budget.waits_for_others(most):
            return None
        await self._pause_itself(Stop(refusal, "Raise the limit, or begin another lot."))
        return None

    async def _begin(self, reserved: dict[int, Amount]) -> None:
        """Begin items for which something was set aside; some may have been taken out meanwhile."""
        begun = await self.source.begin(list(reserved)) if reserved else []
        for task in begun:
            self._running[asyncio.create_task(self._do(task, reserved.pop(task.item_id)))] = task
        for most in reserved.values():
            self.budget.settle(most, Amount())
        self.watcher.changed([task.ticket_id for task in begun])

    async def _look_ahead(self) -> deque[Task]:
        """Return the next tickets that have to be asked about; what was written before is settled on the way."""
        now = time.monotonic()
        self._not_before = {item_id: at for item_id, at in self._not_before.items() if at > now}
        while not self._ahead and not self._is_paused:
            tasks = await self.source.waiting(LOOKED_AHEAD, leave_out=tuple(self._not_before))
            if not tasks:
                break
            try:
                found = await self.find_written([task for task in tasks if not task.refresh])
            except DeskError as error:
                await self._pause_itself(Stop(error.message, error.remedy, error.code))
                break
            if found:
                await self.source.end(list(found.values()))
                self.watcher.changed([task.ticket_id for task in tasks if task.item_id in found])
            self._ahead.extend(task for task in tasks if task.item_id not in found)
        return self._ahead

    async def _most(self, task: Task) -> Amount:
        """Return the most that a summary can cost, where there is a cap to keep."""
        if not self.budget.caps.any:
            return Amount()
        await self._look_at_day()
        try:
            estimate = await self.summaries.estimate(
                [task.ticket_id], provider=task.provider, model=task.model, recipe=task.recipe, refresh=task.refresh
            )
        except DeskError:
            # It will be said when it is begun.
            return Amount()
        return Amount(estimate.most_cost_microusd, estimate.most_tokens)

    async def _look_at_day(self) -> None:
        now = time.monotonic()
        if self.spent_today is not None and self.budget.caps.of_day and now - self._day_seen_at >= DAY_SECONDS:
            self._day_seen_at = now
            self.budget.look_at_day(Amount(*await self.spent_today()))

    async def _do(self, task: Task, most: Amount) -> None:
        summary = Summary(task.ticket_id, RunState.CANCELLED, LEFT)
        spent: Amount | None = Amount()
        try:
            summary = await self._summarize(task)
            spent = _spent(summary)
        except DeskError as error:
            summary = Summary(task.ticket_id, RunState.FAILED, error.message, error=error.code, remedy=error.remedy)
        except Exception:
            log.exception("a ticket of the queue could not be summarized")
            reason = "an error of TLDesk itself; it is in the log"
            summary = Summary(task.ticket_id, RunState.FAILED, reason, error="unexpected")
        finally:
            self.budget.settle(most, spent)
            await asyncio.shield(self._settle(task, summary))

    async def _summarize(self, task: Task) -> Summary:
        ended: Summary | None = None
        events = self.summaries.stream(
            task.ticket_id,
            provider=task.provider,
            model=task.model,
            recipe=task.recipe,
            refresh=task.refresh,
            is_urgent=False,
            stop=self._stop,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Delayed):
                    self._delays[task.item_id] = (time.monotonic() + event.seconds, event.reason)
                else:
                    self._delays.pop(task.item_id, None)
                if isinstance(event, Finished):
                    ended = event.summary
        assert ended is not None
        return ended

    async def _settle(self, task: Task, summary: Summary) -> None:
        """Write down how a ticket ended, and draw what follows for the others."""
        verdict = judge_end(summary, task.attempts, self.patience)
        await self.source.end([_ended(task, summary, verdict)])
        if verdict.waits_again and verdict.seconds and not verdict.rests:
            self._not_before[task.item_id] = time.monotonic() + verdict.seconds
        if verdict.is_done:
            self._faults.forget()
            self._rests = 0
            if not summary.cached:
                self.seconds.append(time.monotonic())
        if not verdict.waits_again and self.watcher.summarized is not None:
            await self.watcher.summarized(task, summary)
        self.watcher.changed([task.ticket_id])
        await self._draw_conclusions(summary, verdict)

    async def _draw_conclusions(self, summary: Summary, verdict: Verdict) -> None:
        """Have all others wait, or stop, where they would meet the same."""
        why = Stop(summary.reason, summary.remedy, summary.error)
        if verdict.rests and self.resting[0] <= time.monotonic():
            self._rests += 1
            self.resting = (time.monotonic() + verdict.seconds, summary.reason)
        is_repeated = not verdict.is_done and not verdict.waits_again and bool(summary.error)
        if verdict.pauses or self._rests > self.patience.rests:
            await self._pause_itself(why)
        elif is_repeated and self._faults.take(f"{summary.error} {summary.reason}"):
            await self._pause_itself(replace(why, reason=f"{SAME_FAULTS} tickets in a row failed: {why.reason}"))

    async def _pause_itself(self, why: Stop) -> None:
        if not self._is_paused:
            self.stopped = why
            self.pause()
            if self.watcher.paused is not None:
                await self.watcher.paused(str(why))


def seconds_left(left: int, done_at: Sequence[float]) -> float | None:
    """Return how long what is left will take at the pace of the last two minutes, None while too little was done to tell."""
    now = time.monotonic()
    recent = [at for at in done_at if at >= now - PACE_SECONDS]
    if len(recent) < 3 or not left:
        return 0.0 if not left else None
    return left * (now - recent[0]) / len(recent)


def _spent(summary: Summary) -> Amount | None:
    """Return what a summary cost, None when nobody knows."""
    if summary.cached or (not summary.text and summary.usage == Usage()):
        # Without a text and without a report nothing was asked, or nothing came; a model that only thought has a report.
        return Amount()
    usage = summary.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    return Amount(summary.cost_microusd, (usage.input_tokens or 0) + (usage.output_tokens or 0))


def _ended(task: Task, summary: Summary, verdict: Verdict) -> Ended:
    over = ItemState.DONE if verdict.is_done else ItemState.FAILED
    state = ItemState.WAITING if verdict.waits_again else over
    is_asked = not summary.cached and bool(summary.text or summary.usage != Usage())
    spent = _spent(summary)
    return Ended(
        task.item_id,
        state,
        reason="" if verdict.is_done else summary.reason,
        remedy="" if verdict.is_done else summary.remedy,
        run_id=summary.run_id,
        cost_microusd=summary.cost_microusd if is_asked else 0,
        tokens=spent.tokens if spent is not None and is_asked else 0,
        is_cached=summary.cached,
        is_unpriced=is_asked and summary.cost_microusd is None,
        is_attempt=verdict.counts,
    )
