"""Asking: one run's requests, whose usage is added up, each broken off as soon as the user stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from desktop.domain.llm import ChatRequest, StreamDelta, StreamEnd, StreamEvent
from desktop.domain.outgoing import Outcome
from desktop.domain.runs import RunState, Usage
from desktop.services.outbound import Endpoint, Outbound, Sending

T = TypeVar("T")

STOPPED = "stopped by you"


class Asker:
    """Sends requests of one run. `estimated_tokens` counts here what was sent, beside what the provider counts in `usage`.

    `outcomes` are how its requests ended, to be written together with the run.
    """

    def __init__(self, endpoint: Endpoint, outbound: Outbound, sending: Sending, *, stop: asyncio.Event) -> None:
        self.endpoint = endpoint
        self.stop = stop
        self.estimated_tokens = 0
        self.outcomes: list[Outcome] = []
        self._outbound = outbound
        self._sending = replace(sending, outcomes=self.outcomes)
        self._usages: list[Usage] = []

    @property
    def usage(self) -> Usage:
        """Return what all requests used so far; None where any of them did not say."""
        return add_usages(self._usages)

    def begin(self, run_id: int) -> None:
        """Name the run that the requests belong to."""
        self._sending.run_id = run_id

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield what comes of a request, and one `StreamEnd`: cancelled, when the user stopped it.

        Raises:
            DeskError: one of `domain.llm.FAULTS`, when no text came.
        """
        model = self.endpoint.model
        # In a worker thread: the first count loads its tables, and a long ticket takes a while.
        self.estimated_tokens += await asyncio.to_thread(self._count, request, model)
        # One task waits for `stop` all the time: one for each event would cost as much as all that is done with the event.
        stopped = asyncio.ensure_future(self.stop.wait())
        coming: asyncio.Future[StreamEvent | None] | None = None
        async with aclosing(self._outbound.stream(self.endpoint, request, self._sending)) as events:
            try:
                while not self.stop.is_set():
                    coming = asyncio.ensure_future(anext(events, None))
                    await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done() or (event := coming.result()) is None:
                        break
                    if isinstance(event, StreamEnd):
                        self._usages.append(event.usage)
                        yield event
                        return
                    yield event
            finally:
                # Before the stream is closed, which must not be asked for anything then.
                await _abandon(stopped, coming)
        self._usages.append(Usage())
        yield StreamEnd(RunState.CANCELLED, STOPPED)

    def _count(self, request: ChatRequest, model: str) -> int:
        return sum(self._outbound.count_tokens(message.content, model) for message in request.messages)

    async def ask(self, request: ChatRequest) -> str:
        """Return the whole text of an answer; what came of it when it was stopped or broken off.

        Raises:
            DeskError: as `stream`.
        """
        text = ""
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, StreamDelta):
                    text += event.text
        return text


async def unless_stopped(waiting: Awaitable[T], stop: asyncio.Event) -> T | None:
    """Await something until it is there or `stop` is set; None when it was stopped, and then it is abandoned."""
    task, stopped = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _abandon(*waiting: asyncio.Future[Any] | None) -> None:
    """Cancel what is still awaited, and wait until it has ended."""
    tasks = [task for task in waiting if task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def add_usages(usages: Sequence[Usage]) -> Usage:
    """Add up what requests used; None where any of them did not say."""

    def add(counts: list[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    cached = [usage.cached_input_tokens for usage in usages if usage.cached_input_tokens is not None]
    return Usage(
        add([usage.input_tokens for usage in usages]),
        add([usage.output_tokens for usage in usages]),
        sum(cached) if cached else None,
    )
