"""Header quota: what a provider says is left of its limits, and when more comes.

`x-ratelimit-remaining` is counted down by what was sent since. When nothing is left, nothing goes until the reset. *Reset* means two things: the end of a
window, which comes nearer as time passes, or the time until a bucket would be full again, which grows with every request; which of them it is shows
from two answers. Of a bucket a drop is enough.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque

from desktop.domain.llm import RateLimits

LATE_SECONDS = 0.05
"""A reset is waited for so much longer than it was said to take."""


class _Counter:
    """One count, of requests or of tokens: `left` at the provider, `reset_at`, and what a request takes of it."""

    def __init__(self) -> None:
        self.a_request = 1.0
        self.left = math.inf
        self.reset_at = -math.inf
        self.refill = 0.0
        self._bucket_votes = 0
        self._seen: tuple[float, int, float] | None = None

    def answered(self, limit: int | None, remaining: int, reset: float | None, *, since: int, now: float) -> None:
        """Take in what an answer said; so many requests went after the one that it belongs to."""
        self._compare(limit, remaining, reset, now)
        self.left = remaining - since * self.a_request
        if reset is None:
            self.reset_at = now
        elif now + reset < self.reset_at or now >= self.reset_at or self._bucket_votes > 0 or now + reset > self.reset_at + max(1.0, reset * 0.5):
            self.reset_at = now + reset
        is_bucket = self._bucket_votes > 0 and limit is not None and bool(reset)
        self.refill = (limit - remaining) / reset if is_bucket and limit is not None and reset else 0.0

    def _compare(self, limit: int | None, remaining: int, reset: float | None, now: float) -> None:
        if limit is None or reset is None:
            return
        if self._seen is not None:
            then, remaining_then, reset_then = self._seen
            used, used_then = limit - remaining, limit - remaining_then
            if abs(used - used_then) < max(2, used_then * 0.02):
                return
            if used_then > 0 and used > used_then:
                as_window = abs(reset - max(0.0, reset_then - (now - then)))
                as_bucket = abs(reset - reset_then * used / used_then)
                vote = 1 if as_bucket < as_window else -1
                self._bucket_votes = max(-4, min(4, self._bucket_votes + vote))
        self._seen = (now, remaining, reset)

    def next_at(self, now: float) -> float:
        """Return when there is enough for one more request."""
        if self.left >= self.a_request:
            return now
        if self.refill > 0:
            return min(self.reset_at, self._since_known + (self.a_request - self.left) / self.refill)
        return self.reset_at + LATE_SECONDS

    _since_known = 0.0


class HeaderQuota:
    """What the headers say is left, of requests and of tokens."""

    def __init__(self) -> None:
        self._requests, self._tokens = _Counter(), _Counter()
        self._sent: deque[float] = deque(maxlen=4_096)

    def sent(self, now: float) -> None:
        """Note that a request goes."""
        self._sent.append(now)
        for counter in (self._requests, self._tokens):
            if counter.left < counter.a_request:
                # The reset has passed: what is left now is known with the next answer.
                counter.left = math.inf if counter.refill == 0 else counter.left
            counter.left -= counter.a_request

    def answered(self, limits: RateLimits, *, sent_at: float, now: float) -> None:
        """Take in what an answer said to a request that went at a time."""
        since = len(self._sent) - bisect_right(self._sent, sent_at)
        if limits.remaining_requests is not None:
            self._requests._since_known = now
            self._requests.answered(
                limits.limit_requests, limits.remaining_requests, limits.reset_requests_seconds, since=since, now=now
            )
        if limits.remaining_tokens is not None:
            self._learn_use(limits.remaining_tokens)
            self._tokens._since_known = now
            self._tokens.answered(
                limits.limit_tokens, limits.remaining_tokens, limits.reset_tokens_seconds, since=since, now=now
            )

    def _learn_use(self, remaining: int) -> None:
        """Learn how many tokens a request takes, from how many went between two answers."""

    def next_at(self, now: float) -> float:
        """Return when a request would be taken, as far as the provider said."""
        return max(now, self._requests.next_at(now), self._tokens.next_at(now))
