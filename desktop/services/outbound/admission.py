"""Admission: waiting for one's turn at a provider, as events that can be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from desktop.domain.llm import Waiting
from desktop.services.outbound.pace import Pace, Turn


async def wait_for_turn(pace: Pace, *, is_urgent: bool) -> AsyncGenerator[Waiting | Turn, None]:
    """Yield what is waited for, then the turn; it lasts until the generator is closed."""
    waits: asyncio.Queue[Waiting] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        turn = pace.turn(
            is_urgent=is_urgent, on_wait=lambda seconds, reason: waits.put_nowait(Waiting(seconds, reason))
        )
        entering = asyncio.ensure_future(stack.enter_async_context(turn))
        told: asyncio.Future[Waiting] | None = None
        try:
            while not entering.done():
                told = asyncio.ensure_future(waits.get())
                await asyncio.wait({entering, told}, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    yield told.result()
                else:
                    told.cancel()
            yield entering.result()
        finally:
            # Whoever waited may have given up in the middle of it.
            entering.cancel()
            if told is not None:
                told.cancel()
                await asyncio.gather(told, return_exceptions=True)
            await asyncio.gather(entering, return_exceptions=True)
