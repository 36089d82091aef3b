"""Parallel: how many requests may be under way at once.

Elsewhere it grows by one for each that is accepted while all places are taken, and after the provider broke, when it was halved, by one for each
round. A model on this machine refuses nothing, it only becomes slower: there the number is doubled as long as a request does not take nearly twice
as long for it. That a provider wants fewer requests a minute is learned elsewhere (`LearnedLimit`).
"""

from __future__ import annotations

MOST_PARALLEL = 128
FIRST_PARALLEL = 4
SLOWER = 1.6
"""On this machine twice as many at once are kept when a request takes less than so many times as long: then a quarter more gets done."""
LOOK_AGAIN_SECONDS, LONGEST_LOOK_AGAIN_SECONDS = 20.0, 320.0
"""After which it is tried again whether more at once get more done; each time in vain twice as long."""
LEAST_SAMPLE = 3


class Parallel:
    """Places for requests. `most` bounds them whatever the provider bears."""

    def __init__(self, *, is_local: bool, most: int = MOST_PARALLEL) -> None:
        self.most = most
        self._is_local = is_local
        self._allowed = 1.0 if is_local else float(FIRST_PARALLEL)
        self._quick_until = float("inf")
        self._was_full = False
        self._durations: list[float] = []
        self._seconds_before = 0.0
        self._level_since = -1.0
        self._look_again_at = -1.0
        self._look_again_after = LOOK_AGAIN_SECONDS

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
        self._forget()

    def left(self, began: float, now: float, in_flight: int, *, is_whole: bool) -> None:
        """Note that a request that was accepted ended, while so many were under way. On this machine it is seen from that what the model bears."""
        if not self._is_local or not is_whole or began < self._level_since or in_flight < self.now * 0.75:
            # One that began before the number changed, or with places to spare, says nothing of this number.
            return
        self._durations.append(now - began)
        if len(self._durations) >= max(LEAST_SAMPLE, self.now // 2):
            self._look(sum(self._durations) / len(self._durations), now)

    def _look(self, seconds: float, now: float) -> None:
        self._durations.clear()
        if now < self._look_again_at or self._allowed >= self.most:
            return
        if self._seconds_before and seconds > self._seconds_before * SLOWER:
            self._allowed, self._look_again_at = max(1.0, self._allowed / 2), now + self._look_again_after
            self._look_again_after = min(LONGEST_LOOK_AGAIN_SECONDS, self._look_again_after * 2)
            self._seconds_before = 0.0
        else:
            self._seconds_before = seconds
            self._allowed = min(float(self.most), self._allowed * 2)
        self._level_since = now

    def _forget(self) -> None:
        self._durations.clear()
        self._seconds_before = 0.0
