"""Header quota: what a provider says is left of its limits (`x-ratelimit-remaining`), and when more comes (`x-ratelimit-reset`).

What is left is counted down by what was sent since. *Reset* means two things, and which of them shows from two answers: the end of a window, which
comes nearer as time passes, or the time until a bucket would be full again, which grows with each request. Of a window all is there again after it,
of a bucket as much as has flowed in. Where something else was meant (when the oldest request of a minute is forgotten), so little is there after
the first reset that the headers are not listened to any more: what is refused teaches more.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque

from desktop.domain.llm import RateLimits

LATE_SECONDS = 0.05
"""A reset is waited for so much longer: requests travel for a while."""
MOST_VOTES = 4
TRUSTED_SHARE = 0.5
"""A window gives back at least so much of its limit, or its reset was none."""
USE_WEIGHT = 0.2


class Counter:
    """One count, of requests or of tokens. `a_request` is what one request takes of it."""

    def __init__(self, a_request: float) -> None:
        self.a_request = a_request
        self.reset_at = -math.inf
        self.is_from_answer = False
        self._left = math.inf
        self._left_at = 0.0
        self._inflow = 0.0
        self._votes = 0
        self._seen: tuple[float, int, float] | None = None
        self._came_back_at: float | None = None
        self._since_reset = -math.inf
        self._is_trusted = True

    def answered(
        self, limit: int | None, remaining: int, reset: float | None, *, sent_at: float, since: int, now: float
    ) -> None:
        """Take in what an answer said to a request that went at `sent_at`, after which so many others went."""
        if not self._is_trusted or sent_at < self._since_reset:
            return
        at = now if self.is_from_answer else sent_at
        if limit is not None and reset is not None:
            self._tell_kind(at, limit - remaining, reset)
        if self._came_back_at is not None and limit is not None:
            if sent_at >= self._came_back_at and self._votes <= 0:
                self._is_trusted = remaining + 1 >= limit * TRUSTED_SHARE
            self._came_back_at = None
        self._inflow = (limit - remaining) / reset if self._votes > 0 and limit is not None and reset else 0.0
        self._left, self._left_at = remaining - since * self.a_request, at
        self.reset_at = at + (reset or 0.0)
        if not self._is_trusted:
            self._left = math.inf

    def _tell_kind(self, at: float, used: int, reset: float) -> None:
        if self._seen is not None:
            then, used_then, reset_then = self._seen
            if used_then <= 0 or used - used_then < max(2, used_then * 0.02):
                if used < used_then:
                    self._seen = (at, used, reset)
                return
            as_window = abs(reset - max(0.0, reset_then - (at - then)))
            as_bucket = abs(reset - reset_then * used / used_then)
            self._votes = max(-MOST_VOTES, min(MOST_VOTES, self._votes + (1 if as_bucket < as_window else -1)))
        self._seen = (at, used, reset)

    def next_at(self, now: float) -> float:
        """Return when there is enough for one more request."""
        left = self._left + max(0.0, now - self._left_at) * self._inflow
        if left >= self.a_request or not self._is_trusted:
            return now
        if self._inflow > 0:
            return now + (self.a_request - left) / self._inflow
        return self.reset_at + LATE_SECONDS

    def sent(self, now: float) -> None:
        """Note that a request goes."""
        if self._inflow == 0 and self._left < self.a_request:
            # The reset has passed. How much came back is known with the next answer; what older ones say is about the time before.
            self._left, self._came_back_at, self._since_reset = math.inf, now, now
        self._left -= self.a_request


class HeaderQuota:
    """What the headers say is left, of requests and of tokens."""

    def __init__(self) -> None:
        self._requests, self._tokens = Counter(1.0), Counter(0.0)
        self._sent: deque[float] = deque(maxlen=4_096)
        self._tokens_seen: tuple[float, int] | None = None

    def sent(self, now: float) -> None:
        """Note that a request goes."""
        self._sent.append(now)
        self._requests.sent(now)
        self._tokens.sent(now)

    def answered(self, limits: RateLimits, *, sent_at: float, now: float) -> None:
        """Take in what an answer said to a request that went at a time."""
        since = len(self._sent) - bisect_right(self._sent, sent_at)
        if (remaining := limits.remaining_requests) is not None:
            self._requests.answered(
                *(limits.limit_requests, remaining, limits.reset_requests_seconds),
                sent_at=sent_at,
                since=since,
                now=now,
            )
        if (remaining := limits.remaining_tokens) is not None:
            self._learn_use(remaining, sent_at)
            self._tokens.answered(
                *(limits.limit_tokens, remaining, limits.reset_tokens_seconds), sent_at=sent_at, since=since, now=now
            )

    def refused(self, now: float) -> None:
        """Note that a request was refused although the headers let it go: they were written when the answer began, not when the request came."""
        for counter in (self._requests, self._tokens):
            counter.is_from_answer = True

    def _learn_use(self, remaining: int, sent_at: float) -> None:
        """Learn how many tokens a request takes, from how many went between two answers."""
        if self._tokens_seen is not None:
            then, remaining_then = self._tokens_seen
            requests = bisect_right(self._sent, sent_at) - bisect_right(self._sent, then)
            if requests <= 0:
                return
            if remaining < remaining_then:
                use = (remaining_then - remaining) / requests
                known = self._tokens.a_request
                self._tokens.a_request = use if not known else known + (use - known) * USE_WEIGHT
        self._tokens_seen = (sent_at, remaining)

    def next_at(self, now: float) -> float:
        """Return when a request would be taken, as far as the provider said."""
        return max(now, self._requests.next_at(now), self._tokens.next_at(now))
