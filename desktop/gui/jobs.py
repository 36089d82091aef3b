"""Jobs: the coroutines that a pane has running.

Each pane owns a `JobScope`. When the pane's question changes, its old jobs are cancelled and awaited before the new one starts, so an old answer
can never overwrite a newer one. A failed job is reported, never swallowed: a `DeskError` goes to the pane, everything else to the crash path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from desktop.domain.errors import DeskError


class JobScope:
    """The jobs of one pane."""

    def __init__(self, on_error: Callable[[DeskError], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def start(self, job: Coroutine[Any, Any, object]) -> None:
        """Run a job beside the others; refused once the scope is closed."""
        if self._is_closed:
            job.close()
            return
        self._run(job, job)

    def restart(self, job: Coroutine[Any, Any, object]) -> None:
        """Run a job in place of all others: they are cancelled and awaited first."""
        if self._is_closed:
            job.close()
            return
        old = list(self._tasks)
        for task in old:
            task.cancel()
        self._run(self._after(old, job), job)

    def cancel(self) -> None:
        """Cancel all jobs; they end on their own."""
        for task in self._tasks:
            task.cancel()

    @property
    def is_busy(self) -> bool:
        """Tell whether any job is running."""
        return bool(self._tasks)

    async def idle(self) -> None:
        """Wait until no job is running."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self, *, seconds: float = 2.0) -> None:
        """Refuse new jobs, cancel the old ones and await them, at most `seconds`."""
        self._is_closed = True
        self.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)

    def _run(self, work: Coroutine[Any, Any, object], job: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # One that is cancelled before its first turn was never begun, and a coroutine that is never begun must be closed.
        task.add_done_callback(lambda _: (work.close(), job.close()))

    async def _after(self, old: list[asyncio.Task[None]], job: Coroutine[Any, Any, object]) -> None:
        try:
            if old:
                await asyncio.wait(old)
        except asyncio.CancelledError:
            job.close()
            raise
        await job

    async def _guard(self, job: Coroutine[Any, Any, object]) -> None:
        try:
            await job
        except DeskError as error:
            self._on_error(error)
        except asyncio.CancelledError:
            pass  # the user went on to something else: nothing is to be reported
        except Exception as error:  # noqa: BLE001 - our bug: shown and logged by the loop's handler, the window lives on
            asyncio.get_running_loop().call_exception_handler({"message": "A job failed", "exception": error})
