"""Providers that take so many requests a minute, each counting in its own way, on a clock that jumps: an hour of waiting takes a second."""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from desktop.domain.llm import RateLimits

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Where others would wait, it moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing will ever happen")
            self.now += max(timeout, 0.0)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is made up."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._jumping.now


def run_jumping(work: Coroutine[Any, Any, T]) -> T:
    """Run something whose waiting takes no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


class Limiter(Protocol):
    """Takes a request or not, says how long until it would, and what is left."""

    def take(self, now: float) -> bool: ...

    def retry_after(self, now: float) -> float: ...

    def limits(self, now: float) -> RateLimits: ...

    def least_seconds(self, requests: int) -> float: ...


@dataclass
class FixedWindow:
    """So many in each window by the clock; the first request comes in the middle of one, at `offset` seconds."""

    limit: int
    window: float = 60.0
    offset: float = 0.0
    _window: int = -1
    _used: int = 0

    def _turn(self, now: float) -> None:
        if (number := math.floor((now - 1_000.0 + self.offset) / self.window)) != self._window:
            self._window, self._used = number, 0

    def take(self, now: float) -> bool:
        self._turn(now)
        if self._used >= self.limit:
            return False
        self._used += 1
        return True

    def retry_after(self, now: float) -> float:
        return self.window - (now - 1_000.0 + self.offset) % self.window

    def limits(self, now: float) -> RateLimits:
        self._turn(now)
        return RateLimits(self.limit, self.limit - self._used, self.retry_after(now))

    def least_seconds(self, requests: int) -> float:
        windows = math.ceil(requests / self.limit) - 1
        return max(0.0, windows * self.window - self.offset)


@dataclass
class SlidingWindow:
    """So many in any sixty seconds; with `counts_refused`, refused ones count too."""

    limit: int
    window: float = 60.0
    _taken: deque[float] = field(default_factory=deque)

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0] <= now - self.window:
            self._taken.popleft()

    def take(self, now: float) -> bool:
        self._forget(now)
        if len(self._taken) >= self.limit:
            return False
        self._taken.append(now)
        return True

    def retry_after(self, now: float) -> float:
        self._forget(now)
        return self._taken[0] + self.window - now if len(self._taken) >= self.limit else 0.0

    def limits(self, now: float) -> RateLimits:
        self._forget(now)
        reset = self._taken[0] + self.window - now if self._taken else 0.0
        return RateLimits(self.limit, self.limit - len(self._taken), reset)

    def least_seconds(self, requests: int) -> float:
        return (math.ceil(requests / self.limit) - 1) * self.window


@dataclass
class TokenBucket:
    """A bucket that holds `capacity` requests and fills evenly."""

    limit: int
    capacity: float
    _level: float = -1.0
    _at: float = 0.0

    @property
    def _rate(self) -> float:
        return self.limit / 60

    def _fill(self, now: float) -> None:
        if self._level < 0:
            self._level, self._at = self.capacity, now
        self._level = min(self.capacity, self._level + (now - self._at) * self._rate)
        self._at = now

    def take(self, now: float) -> bool:
        self._fill(now)
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def retry_after(self, now: float) -> float:
        self._fill(now)
        return max(0.0, (1 - self._level) / self._rate)

    def limits(self, now: float) -> RateLimits:
        """As OpenAI says it: reset is when the bucket will be full."""
        self._fill(now)
        return RateLimits(int(self.capacity), int(self._level), (self.capacity - self._level) / self._rate)

    def least_seconds(self, requests: int) -> float:
        return max(0.0, (requests - self.capacity) / self._rate)


@dataclass
class Provider:
    """Answers after `latency` seconds, give or take a fifth; refuses after `refusal` seconds. It opens its answer early or with its first word."""

    limiter: Limiter
    latency: float
    refusal: float = 0.03
    has_headers: bool = False
    has_retry_after: bool = True
    rounds_up: bool = False
    opens_early: bool = True
    taken: int = 0
    refused: int = 0
    at_once: int = 0
    most_at_once: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(7))

    async def ask(self, turn: Any) -> bool:
        """Have one request answered, told to the turn; tell whether it was."""
        loop = asyncio.get_running_loop()
        way = self.random.uniform(0.3, 0.6) * self.refusal
        await asyncio.sleep(way)
        if not self.limiter.take(loop.time()):
            self.refused += 1
            wait = self.limiter.retry_after(loop.time())
            await asyncio.sleep(self.refusal - way)
            turn.refused((math.ceil(wait) if self.rounds_up else wait) if self.has_retry_after else None)
            return False
        self.taken += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        limits = self.limiter.limits(loop.time()) if self.has_headers else RateLimits()
        latency = self.latency * self.random.uniform(0.8, 1.2)
        before = min(self.refusal, latency) if self.opens_early else latency
        await asyncio.sleep(before)
        turn.accepted(limits)
        await asyncio.sleep(latency - before)
        self.at_once -= 1
        return True
