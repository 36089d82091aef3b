"""One run of a summary: the request, the text as it streams in, each claim checked as it is completed, and the end that it had.

What was shown is journaled, so a crash loses at most the last half second. Whatever ends the run, its text is kept with the name of that end. A run
does not retry, and decides nothing about caches: see `summaries`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from concurrent.futures import Executor
from contextlib import aclosing
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.llm import StreamDelta, StreamEnd, StreamEvent
from desktop.domain.runs import (
    CheckedClaim,
    Claim,
    ClaimChecked,
    Finished,
    RunState,
    Started,
    Summary,
    SummaryEvent,
    Support,
    TextDelta,
)
from desktop.services.claims import GIST, SummaryParser
from desktop.services.evidence import check_claim, coverage
from desktop.services.outbound import Endpoint, Outbound
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import AnswerForm, Style, build_prompt
from desktop.services.recipes import Recipe
from desktop.storage.runs import RunStore

T = TypeVar("T")

JOURNAL_SECONDS = 0.5
TASK = "summarize"
STOPPED = "stopped by you"
LEFT = "the ticket was left while it was being written"
IN_CIRCLES = "stopped, because the model began to repeat itself"


class SummaryRun:
    """One request for one ticket. Read `events` once, to its end or not: either way the run is recorded."""

    def __init__(
        self,
        prepared: PreparedTicket,
        recipe: Recipe,
        endpoint: Endpoint,
        *,
        sections: tuple[str, ...],
        style: Style,
        secret: bytes,
        runs: RunStore,
        outbound: Outbound,
        workers: Executor,
    ) -> None:
        self._prepared = prepared
        self._recipe = recipe
        self._endpoint = endpoint
        self._runs = runs
        self._outbound = outbound
        self._workers = workers
        self._prompt = build_prompt(
            prepared.thread,
            prepared.sentences,
            recipe=recipe,
            model=endpoint.model,
            sections=sections,
            style=style,
            form=AnswerForm.LINES,
            secret=secret,
        )
        self._parser = SummaryParser(sections)
        self._claims: list[CheckedClaim] = []
        self._text = ""
        self._run_id = 0
        self._began = time.monotonic()
        self._first_token_seconds: float | None = None

    async def events(self, *, cache_key: str, stop: asyncio.Event) -> AsyncGenerator[SummaryEvent, None]:
        """Yield `Started`, then text and claims as they come, then `Finished`. Setting `stop` closes the connection at once.

        Raises:
            DeskError: `ticket-missing`, when the ticket has gone before the run began.
        """
        self._run_id = await self._start(cache_key)
        end, error = StreamEnd(RunState.CANCELLED, LEFT), DeskError("", "")
        is_recorded = False
        journaling = asyncio.create_task(self._keep_journal())
        try:
            yield Started(self._endpoint.name, self._endpoint.model)
            try:
                async with aclosing(self._receive(stop)) as received:
                    async for event in received:
                        if isinstance(event, StreamEnd):
                            end = event
                        else:
                            yield event
            except DeskError as raised:
                error, end = raised, StreamEnd(RunState.FAILED, raised.message)
            for checked in await self._check(self._parser.finish()):
                yield checked
            summary = self._summary(end, error)
            await self._runs.finish(self._run_id, summary, self._prepared.sentences)
            is_recorded = True
            yield Finished(summary)
        finally:
            journaling.cancel()
            await asyncio.gather(journaling, return_exceptions=True)
            if not is_recorded:
                await asyncio.shield(self._record_left(end, error))

    async def _record_left(self, end: StreamEnd, error: DeskError) -> None:
        """Record a run whose reader went away, with the sentence that was being written."""
        await self._check(self._parser.finish())
        await self._runs.finish(self._run_id, self._summary(end, error), self._prepared.sentences)

    async def _start(self, cache_key: str) -> int:
        return await self._runs.start(
            ticket_id=self._prepared.thread.ticket.id,
            task=TASK,
            recipe=self._recipe.name,
            recipe_version=self._recipe.version,
            provider=self._endpoint.name,
            model=self._endpoint.model,
            cache_key=cache_key,
            content_hash=self._prepared.thread.content_hash,
        )

    async def _receive(self, stop: asyncio.Event) -> AsyncGenerator[SummaryEvent | StreamEnd, None]:
        stream = self._outbound.stream(self._endpoint, self._prompt.request, purpose=TASK)
        async with aclosing(stream), aclosing(_until(stream, stop)) as events:
            async for event in events:
                if isinstance(event, StreamEnd):
                    yield event
                    return
                if self._first_token_seconds is None:
                    self._first_token_seconds = time.monotonic() - self._began
                self._text += event.text
                for checked in await self._check(self._parser.feed(event.text)):
                    yield checked
                yield TextDelta(event.text, self._parser.pending_section, self._parser.pending)
                if self._parser.is_going_in_circles:
                    yield StreamEnd(RunState.INCOMPLETE, IN_CIRCLES)
                    return
            yield StreamEnd(RunState.CANCELLED, STOPPED)

    async def _keep_journal(self) -> None:
        """Write the text down twice a second while it grows. Apart from the stream, because a stream may stall after its last words."""
        written = ""
        while True:
            await asyncio.sleep(JOURNAL_SECONDS)
            if self._text != written:
                written = self._text
                await self._runs.journal(self._run_id, written)

    async def _check(self, claims: tuple[Claim, ...]) -> list[ClaimChecked]:
        found: list[ClaimChecked] = []
        for claim in claims:
            checked = await asyncio.get_running_loop().run_in_executor(
                self._workers, check_claim, claim, self._prepared.evidence
            )
            found.append(ClaimChecked(len(self._claims), checked))
            self._claims.append(checked)
        return found

    def _summary(self, end: StreamEnd, error: DeskError) -> Summary:
        # A list has no room for a mark: only what the ticket supports stands there.
        gist = [c.claim.text for c in self._claims if c.claim.section == GIST and c.support is Support.SUPPORTED]
        return Summary(
            ticket_id=self._prepared.thread.ticket.id,
            state=end.state,
            reason=end.reason,
            text=self._text,
            gist=" ".join(gist),
            sections=self._parser.sections,
            claims=tuple(self._claims),
            coverage=coverage(self._prepared.evidence, self._claims, read=len(self._prompt.shown) if self._text else 0),
            highlights=self._prepared.highlights,
            provider=self._endpoint.name,
            model=self._endpoint.model,
            recipe=self._recipe.name,
            recipe_version=self._recipe.version,
            usage=end.usage,
            cost_microusd=self._outbound.cost_microusd(self._endpoint, end.usage),
            first_token_seconds=self._first_token_seconds,
            seconds=time.monotonic() - self._began,
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            error=error.code,
            remedy=error.remedy,
        )


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


async def _until(
    stream: AsyncGenerator[StreamEvent, None], stop: asyncio.Event
) -> AsyncGenerator[StreamDelta | StreamEnd, None]:
    """Yield a stream's events until it ends or `stop` is set; a wait for the next event is broken off at once."""
    # One task waits for `stop` all the time: one for each event would cost as much as all that is done with the event.
    stopped = asyncio.ensure_future(stop.wait())
    coming: asyncio.Future[StreamEvent | None] | None = None
    try:
        while not stop.is_set():
            coming = asyncio.ensure_future(anext(stream, None))
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done() or (event := coming.result()) is None:
                return
            yield event
    finally:
        stopped.cancel()
        if coming is not None and not coming.done():
            coming.cancel()
        await asyncio.gather(stopped, *([coming] if coming is not None else []), return_exceptions=True)
