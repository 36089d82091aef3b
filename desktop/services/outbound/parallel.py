"""Parallel: how many requests may be under way at once.

Elsewhere it grows while requests are accepted and all places are taken, by one for each at first, by one for each round later, and is halved when the
provider breaks. That it wants fewer of them a minute is learned elsewhere. A model on this machine refuses nothing, it only becomes slower: there
the number is doubled as long as that brings more done.
"""

from __future__ import annotations

MOST_PARALLEL = 128
FIRST_PARALLEL = 4
WORTH_IT = 1.25
"""On this machine twice as many at once are kept when they get so many times as much done."""
LOOK_AGAIN_SECONDS = 120.0
"""After which it is tried again whether more at once get more done."""


class Parallel:
    """Places for requests. `most` bounds them whatever the provider bears."""

    def __init__(self, *, is_local: bool, most: int = MOST_PARALLEL) -> None:
        self.most = most
        self._is_local = is_local
        self._allowed = 1.0 if is_local else float(FIRST_PARALLEL)
        self._quick_until = float("inf")
        self._was_full = False
        self._ended = 0
        self._since = -1.0
        self._pace_before = 0.0
        self._settled_at = -1.0

    @property
    def now(self) -> int:
        """Return how many requests may be under way now."""
        return max(1, min(int(self._allowed), self.most))

    def filled(self) -> None:
        """Note that somebody waits for a place."""
        self._was_full = True

    def accepted(self, in_flight: int) -> None:
        """Note that a request was accepted while so many were under way."""
        is_full, self._was_full = self._was_full or in_flight >= self.now, False
        if self._is_local or not is_full or self._allowed >= self.most:
            return
        self._allowed += 1.0 if self._allowed < self._quick_until else 1.0 / self._allowed

    def broke(self) -> None:
        """Note that the provider broke: once for all that were under way at that moment."""
        self._quick_until = max(2.0, self._allowed * 0.75)
        self._allowed = max(1.0, self._allowed / 2)
        self._since = -1.0

    def left(self, now: float) -> None:
        """Note that a request ended. On this machine it is seen from that whether more at once get more done."""
        if not self._is_local:
            return
        if self._since < 0 or not self._was_full:
            # What ran with places to spare says nothing of them.
            self._since, self._ended = now, 0
        else:
            self._ended += 1
            if self._ended >= max(3, self.now) and now > self._since:
                self._look(self._ended / (now - self._since), now)
        self._was_full = False

    def _look(self, pace: float, now: float) -> None:
        self._since, self._ended = now, 0
        if self._settled_at >= 0:
            if now - self._settled_at < LOOK_AGAIN_SECONDS:
                return
            self._settled_at = -1.0
        elif self._pace_before and pace < self._pace_before * WORTH_IT:
            self._allowed, self._settled_at, self._pace_before = max(1.0, self._allowed / 2), now, 0.0
            return
        if self._allowed < self.most:
            self._pace_before = pace
            self._allowed = min(float(self.most), self._allowed * 2)
