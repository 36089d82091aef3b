"""Pace: when the next request to a model may go, so that its provider accepts it, and how many may be under way at once.

One for each model at each host. Nobody tells this program a provider's limits: what it says of them in headers (`HeaderQuota`), what it accepts and
refuses (`LearnedLimit`) and how many requests at once it bears (`Parallel`) are learned apart, and a request goes when all three let it. A turn for
which a person waits goes before all others and needs no free place, but in a pause nothing goes. Whether a refused request is tried again is
decided elsewhere.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from desktop.domain.llm import RateLimits
from desktop.services.outbound.header_quota import HeaderQuota
from desktop.services.outbound.learned_limit import LearnedLimit
from desktop.services.outbound.parallel import MOST_PARALLEL, Parallel

OnWait = Callable[[float, str], None]

ASKED_TO_WAIT = "the provider takes no more requests for a while"
LIMIT_REACHED = "the provider's limit is reached"
TOLD_SECONDS = 1.0
"""Shorter waits are not told of, and a wait is told of again only when its end moved by as much."""
NO_LIMITS = RateLimits()


class Turn:
    """One request that may go now. Report what becomes of it as soon as it is known; a turn without a report teaches nothing."""

    __slots__ = ("_pace", "is_accepted", "sent_at")

    def __init__(self, pace: Pace, sent_at: float) -> None:
        self.sent_at = sent_at
        self.is_accepted = False
        self._pace = pace

    def accepted(self, limits: RateLimits = NO_LIMITS) -> None:
        """Report that the provider began to answer, and what it said of its limits."""
        self.is_accepted = True
        self._pace._accepted(self, limits)

    def refused(self, retry_after_seconds: float | None = None) -> None:
        """Report that the provider wants fewer requests (429), and how long it asked to wait."""
        self._pace._refused(self, retry_after_seconds)

    def broke(self, retry_after_seconds: float | None = None) -> None:
        """Report that the provider failed (5xx) or could not be reached."""
        self._pace._broke(self, retry_after_seconds)


@dataclass(eq=False, slots=True)
class _Waiting:
    admitted: asyncio.Future[Turn]
    on_wait: OnWait | None
    told_until: float = -math.inf


class Pace:
    """The pace of one model at one host. It lives on one event loop."""

    def __init__(self, *, is_local: bool = False, most_parallel: int = MOST_PARALLEL) -> None:
        self._urgent: deque[_Waiting] = deque()
        self._others: deque[_Waiting] = deque()
        self._in_flight = 0
        self._limit = LearnedLimit()
        self._quota = HeaderQuota()
        self._places = Parallel(is_local=is_local, most=most_parallel)
        self._is_held_up = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def parallel(self) -> int:
        """Return how many requests may be under way at once now."""
        return self._places.now

    @property
    def seconds_a_request(self) -> float | None:
        """Return how often the provider lets a request go in the long run, None while nothing is known of a limit."""
        return self._limit.seconds_a_request

    @asynccontextmanager
    async def turn(self, *, is_urgent: bool = False, on_wait: OnWait | None = None) -> AsyncGenerator[Turn, None]:
        """Wait until a request may go; the block is the request, from its first byte to the end of its answer.

        `on_wait` is told how many seconds it will take and why, anew whenever that changes.
        """
        turn = await self._admission(is_urgent=is_urgent, on_wait=on_wait)
        try:
            yield turn
        finally:
            now = _now()
            self._places.left(turn.sent_at, now, self._in_flight, is_whole=turn.is_accepted)
            self._in_flight -= 1
            self._limit.left(turn.sent_at, now, is_idle=not (self._in_flight or self._urgent or self._others))
            self._go()

    async def _admission(self, *, is_urgent: bool, on_wait: OnWait | None) -> Turn:
        waiting = _Waiting(asyncio.get_running_loop().create_future(), on_wait)
        line = self._urgent if is_urgent else self._others
        line.append(waiting)
        self._go()
        try:
            return await waiting.admitted
        except asyncio.CancelledError:
            if waiting in line:
                line.remove(waiting)
            elif waiting.admitted.done() and not waiting.admitted.cancelled():
                # It was let in at the very moment in which nobody wanted it any more.
                self._in_flight -= 1
                self._limit.left(waiting.admitted.result().sent_at, _now(), is_idle=not self._in_flight)
            self._go()
            raise

    def _go(self) -> None:
        """Let in whoever may go now, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while line := self._urgent or self._others:
            if line is self._others and self._in_flight >= self._places.now:
                self._places.filled()
                if not self._is_held_up and self._limit.next_at(_now()) <= _now():
                    self._is_held_up = True
                    self._limit.hindered()
                return
            now = _now()
            at = max(self._limit.next_at(now), self._quota.next_at(now))
            if at > now:
                self._tell(at, now)
                if at < math.inf:
                    self._timer = asyncio.get_running_loop().call_at(at, self._go)
                return
            waiting = line.popleft()
            if not waiting.admitted.done():
                self._in_flight += 1
                self._is_held_up = False
                self._limit.sent(now)
                self._quota.sent(now)
                waiting.admitted.set_result(Turn(self, now))

    def _tell(self, at: float, now: float) -> None:
        """Tell those who wait; whoever stands further behind waits for longer, but nobody can say for how long."""
        if at == math.inf:
            return
        reason = ASKED_TO_WAIT if self._limit.is_paused(now) else LIMIT_REACHED
        for waiting in (*self._urgent, *self._others):
            if (
                waiting.on_wait is not None
                and at - now >= TOLD_SECONDS
                and abs(at - waiting.told_until) >= TOLD_SECONDS
            ):
                waiting.told_until = at
                waiting.on_wait(at - now, reason)

    def _accepted(self, turn: Turn, limits: RateLimits) -> None:
        now = _now()
        self._limit.accepted(turn.sent_at, now)
        self._quota.answered(limits, sent_at=turn.sent_at, now=now)
        self._places.accepted(self._in_flight)
        self._go()

    def _refused(self, turn: Turn, retry_after_seconds: float | None) -> None:
        now = _now()
        if self._limit.refused(turn.sent_at, now, retry_after_seconds):
            self._quota.refused(now)
        self._go()

    def _broke(self, turn: Turn, retry_after_seconds: float | None) -> None:
        now = _now()
        if self._limit.broke(turn.sent_at, now, retry_after_seconds):
            self._places.broke()
        self._go()


def _now() -> float:
    return asyncio.get_running_loop().time()
