"""Parsing: a file's batches, parsed in a worker thread while the event loop goes on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Executor

from desktop.domain.imports import Batch
from desktop.services.steps import ended
from desktop.storage.writing import Hashed, hash_tickets

SWITCH_INTERVAL_SECONDS = 0.0005
"""Python threads share one lock; handing it over this often cut the window's wait from 41 to 2 ms (measured)."""


class Parsing:
    """A file being parsed. While it lasts the interpreter's lock is handed over more often; then the file is closed."""

    _lock = threading.Lock()
    _active = 0
    _usual_seconds = 0.005

    def __init__(self, batches: Generator[Batch, None, None], workers: Executor) -> None:
        self._batches = batches
        self._workers = workers

    async def batches(self, *, is_ahead: bool) -> AsyncGenerator[tuple[Batch, list[Hashed]], None]:
        """Yield batches and what their tickets hash to; `is_ahead` parses the next one while the one before is written."""
        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._workers, self._next)
        try:
            while (parsed := await asyncio.shield(coming)) is not None:
                if is_ahead:
                    coming = loop.run_in_executor(self._workers, self._next)
                yield parsed
                if not is_ahead:
                    coming = loop.run_in_executor(self._workers, self._next)
        finally:
            # The file is closed only once nobody reads it any more.
            await ended(coming)

    def _next(self) -> tuple[Batch, list[Hashed]] | None:
        """Parse one more batch and hash its tickets; None at the end of the file."""
        batch = next(self._batches, None)
        return None if batch is None else (batch, hash_tickets(batch.tickets))

    def __enter__(self) -> Parsing:
        with self._lock:
            if Parsing._active == 0:
                Parsing._usual_seconds = sys.getswitchinterval()
                sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
            Parsing._active += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._batches.close()
        with self._lock:
            Parsing._active -= 1
            if Parsing._active == 0:
                sys.setswitchinterval(Parsing._usual_seconds)
