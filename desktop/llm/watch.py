"""Watch: one clock for a whole stream, that ends a wait when the answer has taken too long, or has been silent too long since it began.

`asyncio.timeout` around every piece does the same for ten times the price: a stream has thousands of pieces, and each would set a timer and cancel
it. Here one timer looks when it may be over, and is set anew only then.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType


class SilentError(Exception):
    """Nothing more came of a stream that had begun."""


class Watch:
    """Bounds every `with` block it is used for: raises `TimeoutError` at the deadline, `SilentError` after the silence. Close it in the end."""

    def __init__(self, deadline: float, *, quiet_seconds: float = math.inf) -> None:
        """`deadline` is a time of the running loop; `quiet_seconds` count from the first call of `heard` on, and only while somebody waits."""
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._quiet_seconds = quiet_seconds
        self._heard_at = math.inf
        self._over: type[Exception] | None = None
        self._task: asyncio.Task[object] | None = None
        self._is_ending = False
        self._timer = self._loop.call_at(deadline, self._look)

    def heard(self) -> None:
        """Note that something came."""
        is_first = self._heard_at == math.inf
        self._heard_at = self._loop.time()
        if is_first and self._quiet_seconds < math.inf:
            self._timer.cancel()
            self._look()

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def __enter__(self) -> None:
        if self._over is not None:
            raise self._over
        self._task = asyncio.current_task()
        if self._heard_at < math.inf:
            self._heard_at = self._loop.time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._is_ending or task is None:
            return
        self._is_ending = False
        # As `asyncio.timeout` does: whoever else wants the task to end as well has precedence.
        others = task.uncancel()
        if kind is asyncio.CancelledError and not others and self._over is not None:
            raise self._over from None

    def _look(self) -> None:
        now = self._loop.time()
        silent_at = (self._heard_at if self._task is not None else now) + self._quiet_seconds
        if now < self._deadline and now < silent_at:
            self._timer = self._loop.call_at(min(self._deadline, silent_at), self._look)
            return
        self._over = TimeoutError if now >= self._deadline else SilentError
        if self._task is not None:
            self._is_ending = True
            self._task.cancel()
