"""Learned limit: how fast requests may follow each other, learned from those that were accepted and refused.

Providers count in many ways: so many in each minute by the clock, so many in any sixty seconds, a bucket that fills drop by drop. One description
fits them all closely enough: *no more than `quota` in any `span` seconds*. It is measured between two moments at which the provider took requests
again after it had refused some: what it took in between is the quota, the time between is the span. A stretch that began anywhere else began at an
unknown place of the provider's count: it only gives a speed to try, which then grows quickly until the next refusal.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, replace

FIRST_SPACING, LEAST_SPACING = 0.02, 0.005
"""Before anything is known the first requests follow each other so fast, later ones faster: a provider that refuses does not refuse a whole
volley."""
FIRST_BACKOFF_SECONDS = 0.75
BACKOFF_FACTOR = 1.6
LONGEST_BACKOFF_SECONDS = 8.0
LONGEST_PAUSE_SECONDS = 600.0
TRYING_SECONDS, TRYING_FACTOR = 2.0, 1.5
"""A speed that is only a guess grows by this factor whenever so many seconds pass without a refusal."""
BURST = 8.0
"""Within its quota, requests follow each other at most so many times as fast as the quota lets them in the long run."""
DROP_SPACINGS = 2.0
SPARE = 1.01
"""A span is taken to be so much longer than measured: requests travel for a while, and never equally long."""
GROWTH, MOST_GROWTH = 0.03, 0.25
"""By how much a span is shortened when all goes well: a share that doubles as long as it does."""
LEAST_BEFORE_GROWTH = 12
LEAST_TRIES, TRIES_SHARE = 6, 0.011
"""To find out whether more is let through costs refusals; so many are spent on it, and so many of what was accepted."""
LEAST_MEASURED_SECONDS, LEAST_MEASURED = 5.0, 8
"""What is shorter, or holds fewer requests, measures nothing."""
IDLE_SECONDS = 5.0
FORGET_SECONDS = 300.0


@dataclass(slots=True)
class _Stretch:
    """What was sent since `began_at`; `is_whole` when the provider took requests again at that moment."""

    began_at: float
    is_whole: bool
    sent: int = 0
    held_up: int = 0

    @property
    def is_hindered(self) -> bool:
        return self.held_up > self.sent / 2


@dataclass(slots=True)
class _Limit:
    """`quota` in any `span` seconds; when it is only a guess, just the speed that follows from the two.

    `proven` is the shortest span at which a whole quota was taken without a refusal, `settled` the one before it was last tried shorter.
    """

    quota: int
    span: float
    is_guess: bool
    changed_at: float
    accepted: int = 0
    growth: float = GROWTH
    burst: float = BURST
    proven: float = math.inf
    settled: float = 0.0

    @property
    def spacing(self) -> float:
        even = self.span / self.quota
        return even if self.is_guess else even / self.burst

    def may_grow(self, now: float) -> bool:
        """Tell whether a whole quota was taken in a whole span, and nothing refused."""
        return self.accepted >= max(LEAST_BEFORE_GROWTH, self.quota) and now - self.changed_at >= self.span

    def grow(self, now: float) -> None:
        self.proven = min(self.proven, self.span)
        self.accepted, self.settled, self.changed_at = 0, self.span, now
        self.span *= 1 - self.growth
        self.growth = min(MOST_GROWTH, self.growth * 2)

    def shrink(self) -> None:
        """A refusal came long before a whole span was over: it was a little too fast, and what was measured still holds."""
        if self.burst > 1.0:
            self.burst /= 2
        else:
            self.span *= SPARE
        self.span = max(self.span, self.settled)
        self.accepted, self.growth = 0, GROWTH


@dataclass(slots=True)
class _Pause:
    """Nothing goes until `until`. `first` is when the first request after it went; without a time from the provider nothing follows that one."""

    until: float
    is_timed: bool
    tries: int = 0
    first: float | None = None


class LearnedLimit:
    """What is known of a limit. All times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=20_000)
        self._stretch: _Stretch | None = None
        self._limit: _Limit | None = None
        self._before: tuple[_Stretch, _Limit | None] | None = None
        self._pause: _Pause | None = None
        self._paused_at = -math.inf
        self._idle_since: float | None = None
        self._accepted_count = self._refused_count = 0

    @property
    def seconds_a_request(self) -> float | None:
        """Return the seconds between two requests in the long run, None while no limit is known."""
        return None if self._limit is None or self._limit.is_guess else self._limit.span / self._limit.quota

    def is_paused(self, now: float) -> bool:
        """Tell whether nothing goes because the provider refused something."""
        return self._pause is not None and (now < self._pause.until or self._pause.first is not None)

    def next_at(self, now: float) -> float:
        """Return when the next request may go; infinity while all depends on one that is under way."""
        pause, limit = self._pause, self._limit
        if pause is not None and pause.first is None:
            return pause.until
        if pause is not None and not pause.is_timed:
            return math.inf
        if not self._sent:
            return now
        if limit is None or limit.is_guess:
            return max(now, self._sent[-1] + self._guessed_spacing(now))
        at = self._sent[-1] + max(LEAST_SPACING, limit.spacing)
        if len(self._sent) >= limit.quota:
            at = max(at, self._sent[-limit.quota] + limit.span)
        return at

    def _guessed_spacing(self, now: float) -> float:
        """Return the least time between two requests while nothing was measured: less and less as long as nothing is refused."""
        limit = self._limit
        began = limit.changed_at if limit is not None else self._stretch.began_at if self._stretch is not None else now
        first = limit.spacing if limit is not None else FIRST_SPACING
        steps = min(40, int((now - began) / TRYING_SECONDS))
        return max(LEAST_SPACING, first / TRYING_FACTOR**steps)

    def sent(self, now: float) -> None:
        """Note that a request goes."""
        if self._idle_since is not None and now - self._idle_since >= IDLE_SECONDS:
            # A time in which nothing was wanted measures nothing.
            self._stretch = None
            if now - self._idle_since >= FORGET_SECONDS:
                self._limit = None
        self._idle_since = None
        if self._stretch is None:
            self._stretch = _Stretch(now, is_whole=False)
        if self._pause is not None and self._pause.first is None:
            self._pause.first = now
            self._before = (self._stretch, self._limit)
            self._end_stretch(self._stretch, now)
        self._stretch.sent += 1
        self._sent.append(now)

    def hindered(self) -> None:
        """Note that it was not for the provider that a request had to wait."""
        if self._stretch is not None:
            self._stretch.held_up += 1

    def accepted(self, sent_at: float, now: float) -> None:
        """Note that a request that went at a time was accepted."""
        if self._pause is not None and self._pause.first is not None and sent_at >= self._pause.first:
            self._pause, self._before = None, None
        self._accepted_count += 1
        limit = self._limit
        if limit is None or limit.is_guess:
            return
        limit.accepted += 1
        if limit.may_grow(now) and self._has_tries:
            limit.grow(now)

    def refused(self, sent_at: float, now: float, retry_after: float | None) -> bool:
        """Note that a request was refused; tell whether that is news, and not one of many that were refused together."""
        self._drop(sent_at)
        self._refused_count += 1
        if sent_at <= self._paused_at:
            if retry_after is not None and self._pause is not None and self._pause.first is None:
                self._pause.until = max(self._pause.until, now + _bounded(retry_after))
            return False
        tries = 0
        if self._pause is not None and sent_at == self._pause.first:
            # It was too early: the stretch before goes on.
            assert self._before is not None
            self._stretch, self._limit = self._before
            tries = self._pause.tries + 1
        self._begin_pause(now, retry_after, tries)
        return tries == 0

    def broke(self, sent_at: float, now: float, retry_after: float | None) -> bool:
        """Note that the provider failed; tell whether that is news."""
        self._drop(sent_at)
        if self._pause is not None and sent_at == self._pause.first:
            assert self._before is not None
            self._stretch, self._limit = self._before
            self._begin_pause(now, retry_after, self._pause.tries + 1)
            return False
        is_news = sent_at > self._paused_at
        if is_news:
            self._paused_at = now
            if retry_after is not None:
                self._begin_pause(now, retry_after, 0)
        return is_news

    def left(self, sent_at: float, now: float, *, is_idle: bool) -> None:
        """Note that a request ended, whether or not anything was reported of it, and whether nothing else is wanted."""
        if self._pause is not None and sent_at == self._pause.first:
            # Nobody knows whether it would have been accepted: another one may find out.
            self._pause.first = None
            if self._before is not None:
                self._stretch, self._limit = self._before
        if is_idle:
            self._idle_since = now

    def _begin_pause(self, now: float, retry_after: float | None, tries: int) -> None:
        if retry_after is None:
            seconds = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * BACKOFF_FACTOR**tries)
            seconds *= random.uniform(0.85, 1.15)  # noqa: S311 - spreads waits, keeps no secret
        else:
            seconds = _bounded(retry_after)
        self._paused_at = now
        self._pause = _Pause(now + seconds, is_timed=retry_after is not None, tries=tries)
        self._before = None

    def _drop(self, sent_at: float) -> None:
        """Forget a request that was not taken: it does not count towards any quota."""
        if self._stretch is not None and sent_at >= self._stretch.began_at:
            self._stretch.sent -= 1
        place = bisect_left(self._sent, sent_at)
        if place < len(self._sent) and self._sent[place] == sent_at:
            del self._sent[place]

    def _end_stretch(self, stretch: _Stretch, now: float) -> None:
        """Learn from a stretch that ended with a refusal and the pause after it. As a rule another one begins."""
        assert self._pause is not None
        # Where there was no free place at the end of the pause, the time after it says nothing of the provider.
        quota, span = max(1, stretch.sent), max(min(now, self._pause.until) - stretch.began_at, 0.001)
        before, is_first = self._limit, not stretch.is_whole
        if before is not None and not before.is_guess and span < before.span / 2:
            self._limit = replace(before)
            self._limit.shrink()
            return
        if stretch.is_hindered and (before is None or before.is_guess or quota / span < before.quota / before.span):
            # It was not the provider that held requests up, so it lets at least so many through: a guess that soon grows.
            self._limit = _Limit(quota, span, is_guess=True, changed_at=now)
            if before is not None and before.quota / before.span > quota / span:
                self._limit = replace(before, is_guess=True, changed_at=now)
        elif is_first or (
            before is not None and before.is_guess and (span < LEAST_MEASURED_SECONDS or quota < LEAST_MEASURED)
        ):
            # Too short to be more than a guess: it goes on, unless its beginning is unknown.
            self._limit = _Limit(quota, span, is_guess=True, changed_at=now)
            if not is_first:
                return
        else:
            self._limit = self._measured(quota, span * SPARE, before, now)
        self._stretch = _Stretch(now, is_whole=True)

    def _measured(self, quota: int, span: float, before: _Limit | None, now: float) -> _Limit:
        limit = _Limit(quota, span, is_guess=False, changed_at=now)
        if before is None or before.is_guess:
            return limit
        if span > 2 * before.span and quota > before.quota:
            # The speed is that of the longer stretch; how many may come at once is known from the shorter one.
            limit.quota, limit.span = before.quota, span * before.quota / quota
        assert self._pause is not None
        # Where the next one is taken so soon, a drop at a time comes in: what follows too closely is refused, however slow it is in the long run.
        is_drop = self._pause.until - self._paused_at <= DROP_SPACINGS * span / quota
        limit.burst = max(1.0, before.burst / 2) if is_drop else before.burst
        if quota >= max(before.quota, LEAST_BEFORE_GROWTH) and before.proven < math.inf:
            # A stretch that was slower than the provider lets through measures only itself.
            slower = 1.0 if self._has_tries else SPARE
            limit.span = min(limit.span, before.proven * slower * limit.quota / before.quota)
            limit.proven = limit.span
        return limit

    @property
    def _has_tries(self) -> bool:
        return self._refused_count <= LEAST_TRIES + TRIES_SHARE * self._accepted_count


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.05), LONGEST_PAUSE_SECONDS)
