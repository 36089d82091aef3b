"""Calls: what surrounds one call of the SDK: who is told what leaves, how much may come, and how it is ended cleanly.

The hooks of the HTTP client know a request and a response and nothing of why; a context variable ties them to the call that they are in. Nothing
here imports the SDK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from desktop.domain.llm import StreamEnd
from desktop.llm.answer import TOO_LONG, Answer
from desktop.llm.bounds import bound
from desktop.llm.faults import Exchange, Fault, closed_fault, empty_fault
from desktop.llm.watch import Watch

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
OnSend = Callable[[bytes], Awaitable[None]]
"""Awaited with the exact bytes of a request's body before they leave; what it raises is raised to the caller, and nothing leaves."""

MAX_ANSWER_BYTES = 64_000_000
"""An answer that comes whole: 2,000 vectors of 1,500 numbers."""
# WORKAROUND for the SDK's `AsyncStream`, which leaves its inner generators suspended after a fault; to go when it closes them itself.
_TURNS_TO_END = 16


@dataclass(slots=True)
class Sending:
    """What the hooks must know of the call that they are in. Only a stream has a `watch`."""

    on_send: OnSend | None = None
    watch: Watch | None = None
    most_bytes: int = MAX_ANSWER_BYTES
    failure: BaseException | None = None


current: ContextVar[Sending] = ContextVar("current")


async def tell(request: httpx2.Request) -> None:
    """Tell what is about to leave: a hook of the HTTP client."""
    sending = current.get(None)
    if sending is None or sending.on_send is None:
        return
    try:
        await sending.on_send(await request.aread())
    except Exception as error:
        # The SDK would wrap it, and it would pass for a fault of the provider.
        sending.failure = error
        raise


async def bound_response(response: httpx2.Response) -> None:
    """Bound what is read of a response: a hook of the HTTP client."""
    sending = current.get(None) or Sending()
    bound(response, watch=sending.watch, most_bytes=sending.most_bytes)


async def awaited(waiting: Awaitable[T]) -> T:
    """Await what is awaitable and no coroutine."""
    return await waiting


async def close(chunks: Any) -> None:
    """Close a stream's connection, then read on until the SDK says no.

    Its nested generators end only by being read to the end. After a fault they cannot be: each becomes a task of the loop when it is
    collected, the outer one first, and is given its turns here, so that no task outlives the answer.
    """
    with suppress(Exception):
        await chunks.close()
        while await anext(chunks, None) is not None:
            pass
    await settle()


async def settle() -> None:
    """Give generators that were collected their turns to end."""
    for _ in range(_TURNS_TO_END):
        await asyncio.sleep(0)


def end_of(answer: Answer, fault: Fault | None, exchange: Exchange, response: httpx2.Response) -> StreamEnd:
    """Return the one end of a stream; raise a `ProviderFault` when nothing of an answer had come."""
    if answer.finish_reason or answer.characters or answer.thought or answer.is_too_long:
        too_long = TOO_LONG if answer.is_too_long else ""
        return answer.end(broken_off=fault.reason if fault else too_long)
    status = response.status_code
    if fault is None:
        is_stream = status == 200 and response.headers.get("content-type", "").startswith("text/event-stream")
        fault = closed_fault(exchange) if answer.chunks else empty_fault(exchange, is_stream=is_stream)
    raise replace(fault, status=status).error()
