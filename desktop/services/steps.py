"""Steps that are done or not done, never half: writing what the counts already know, or counting what was already written."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Await a step that is never half done: a cancellation waits until it has ended, so that what was written is also counted."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await ended(task)
        raise


async def ended(work: asyncio.Future[Any]) -> None:
    """Wait until something has ended, well or not, also when who waits is cancelled once more: Cancel can be clicked twice."""
    is_cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            is_cancelled = True
    if not work.cancelled():
        work.exception()  # looked at, or it would be reported as forgotten
    if is_cancelled:
        raise asyncio.CancelledError
