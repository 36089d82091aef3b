"""Deadline: until when an answer must be whole, tries and waits between them included.

It begins when the first request goes: who stands in line before that has not been kept waiting by the model.
"""

from __future__ import annotations

import asyncio
import math

from desktop.domain.llm import ProviderFault, Waiting


class Deadline:
    """One action's deadline, on the event loop's clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = math.inf

    def begin(self) -> float:
        """Return when it is; the first call sets it."""
        if self._at == math.inf:
            self._at = asyncio.get_running_loop().time() + self.seconds
        return self._at

    def is_before(self, seconds: float) -> bool:
        """Tell whether it comes before so many seconds have passed."""
        return asyncio.get_running_loop().time() + seconds >= self._at

    def refuse_wait(self, waiting: Waiting, host: str, *, is_urgent: bool) -> None:
        """Give up where nothing can come in time: the line is longer than what is left, or than a person who waits has patience for.

        Raises:
            ProviderFault: `provider-quota`.
        """
        if self.is_before(waiting.seconds) or (is_urgent and waiting.seconds > self.seconds):
            raise ProviderFault(
                "provider-quota",
                f"{host} takes no more requests for {waiting.seconds:,.0f} seconds.",
                remedy="Try again then, or use another provider.",
                is_transient=True,
                retry_after_seconds=waiting.seconds,
            )
