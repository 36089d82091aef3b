"""Token ratios: how many tokens a model makes of what is counted here as one, as its provider reported of late."""

from __future__ import annotations

import math
import time

from desktop.services.outbound import Target
from desktop.storage.runs import RunStore

LOOKED_UP_SECONDS = 5.0
"""How a model counts changes slowly: it is looked up at most so often."""


class TokenRatios:
    """The ratios of all models."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs
        self._known: dict[tuple[str, str], tuple[float, float]] = {}

    async def of(self, target: Target) -> float:
        """Return the ratio of a model; never less than counted."""
        name = (target.name, target.model)
        looked_up_at, ratio = self._known.get(name, (-math.inf, 1.0))
        if time.monotonic() - looked_up_at >= LOOKED_UP_SECONDS:
            reported = await self._runs.token_ratio(*name)
            if reported is None:
                return 1.0
            ratio = max(1.0, reported)
            self._known[name] = (time.monotonic(), ratio)
        return ratio
