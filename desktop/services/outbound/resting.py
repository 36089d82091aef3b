"""Resting: a provider that keeps failing is left alone for a while (a circuit breaker), so that others can answer and nobody waits in vain.

After `FAILURES` faults in a row that look like the provider's own it rests; then one request may try it again, and each further failure doubles the
rest. Any answer at all ends it. Refusals for a rate are no failures: the pace is kept elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 300.0
FAILING = frozenset(("provider-connection", "provider-timeout", "provider-broken", "provider-name"))
"""Codes of faults that count. A bad key or an unknown model fails every request alike, and no rest mends it."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    rest_seconds: float = FIRST_REST_SECONDS
    until: float = 0.0


class Resting:
    """Which providers, by base URL, are left alone, and for how long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def seconds_left(self, address: str) -> float:
        """Return how long one still rests, 0 when it may be asked. Whoever asks after a rest tries it for all others: they find it resting."""
        record = self._records.get(address)
        if record is None or record.failures < FAILURES:
            return 0.0
        left = record.until - self._clock()
        if left > 0:
            return left
        record.until = self._clock() + record.rest_seconds
        return 0.0

    def failed(self, address: str, code: str) -> None:
        """Count a fault."""
        if code not in FAILING:
            return
        record = self._records.setdefault(address, _Record())
        record.failures += 1
        if record.failures == FAILURES:
            record.until = self._clock() + record.rest_seconds
        elif record.failures > FAILURES:
            record.rest_seconds = min(LONGEST_REST_SECONDS, record.rest_seconds * 2)
            record.until = self._clock() + record.rest_seconds

    def answered(self, address: str) -> None:
        """Forget what went wrong: the host answers."""
        self._records.pop(address, None)
