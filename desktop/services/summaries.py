"""Summaries: from a ticket to a summary whose every claim was checked, as a stream of events.

Highlights come at once and from no model. Then the cached summary, or a stream of text in which each claim is checked as it is completed. What
was shown is journaled, so a crash loses at most the last half second. This module decides which of the four ends a stream had; it does not retry.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.llm import StreamDelta, StreamEnd, StreamEvent
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    Cached,
    CheckedClaim,
    Claim,
    ClaimChecked,
    Estimate,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Started,
    Summary,
    SummaryEvent,
    Support,
    TextDelta,
    Usage,
)
from desktop.domain.sentences import Sentence, number_sentences
from desktop.domain.tickets import Thread
from desktop.services.claims import GIST, SummaryParser
from desktop.services.evidence import PreparedThread, check_claim, coverage, prepare_thread
from desktop.services.highlights import find_highlights, find_lead
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.services.prompting import Prompt, build_prompt
from desktop.services.recipes import Recipe, load_recipe
from desktop.storage.runs import RunStore
from desktop.storage.tickets import TicketStore

JOURNAL_SECONDS = 0.5
SHORTEST_THREAD_WORDS = 6
TASK = "summarize"
STOPPED = "stopped by you"
TOO_SHORT = "the ticket is too short to summarize"
IN_CIRCLES = "stopped, because the model began to repeat itself"
EXPECTED_ANSWER_SHARE = 0.4
"""Of the longest answer that a recipe allows, what a summary takes as a rule: for estimates only."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A thread with everything that is computed from it once."""

    thread: Thread
    sentences: tuple[Sentence, ...]
    highlights: tuple[Highlight, ...]
    evidence: PreparedThread


@dataclass(slots=True)
class _Progress:
    """What one run has so far."""

    parser: SummaryParser
    started_at: float
    run_id: int = 0
    text: str = ""
    claims: list[CheckedClaim] = field(default_factory=list)
    first_token_seconds: float | None = None
    journaled_at: float = 0.0
    end: StreamEnd | None = None


class SummaryService:
    """Summaries of one ticket at a time; the queue of many stands above it."""

    def __init__(
        self,
        *,
        tickets: TicketStore,
        runs: RunStore,
        outbound: Outbound,
        recipes_folder: Path,
        workers: Executor,
        target: Callable[[str, str], Target],
        resolve: Callable[[str, str], Awaitable[Endpoint]],
    ) -> None:
        self._tickets = tickets
        self._runs = runs
        self._outbound = outbound
        self._recipes_folder = recipes_folder
        self._workers = workers
        self._target = target
        self._resolve = resolve

    async def highlights(self, ticket_id: int) -> tuple[Highlight, ...]:
        """Return the highlights of a ticket; no model is asked.

        Raises:
            DeskError: `ticket-missing`.
        """
        return (await self._prepare(ticket_id)).highlights

    async def leads(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return for each ticket the highlight that stands in its list row while it has no gist; '' for none. No model is asked."""
        found: dict[int, str] = {}
        for ticket_id in ticket_ids:
            if (thread := await self._tickets.thread(ticket_id)) is not None:
                work = partial(find_lead, thread)
                found[ticket_id] = await asyncio.get_running_loop().run_in_executor(self._workers, work)
        return found

    async def latest(self, ticket_id: int) -> Summary | None:
        """Return the newest summary of a ticket, whatever its end; `stale` when the ticket changed since."""
        found = await self._runs.latest(ticket_id)
        if found is None:
            return None
        prepared = await self._prepare(ticket_id)
        summary, content_hash = found
        return replace(
            summary, highlights=prepared.highlights, stale=content_hash != prepared.thread.content_hash, cached=True
        )

    async def spent_today_microusd(self) -> tuple[int, int]:
        """Return what was spent since midnight UTC in micro-dollars, and how many calls have no known price."""
        return await self._runs.spent_since(time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime()))

    async def estimate(
        self,
        ticket_ids: Sequence[int],
        *,
        provider: str = "",
        model: str = "",
        recipe: str = TASK,
        refresh: bool = False,
    ) -> Estimate:
        """Say what summaries of these tickets would take. Nothing is sent, no key is read, no model is started.

        Raises:
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        chosen = await asyncio.to_thread(load_recipe, self._recipes_folder, recipe)
        target = self._target(provider, model)
        total = Estimate(tickets=len(ticket_ids))
        for ticket_id in ticket_ids:
            thread = await self._thread(ticket_id)
            if not refresh and await self._runs.cached(_cache_key(thread, chosen, target)) is not None:
                total = replace(total, cached=total.cached + 1)
                continue
            work = partial(_count_input_tokens, thread, chosen, target, self._outbound.estimate_tokens)
            input_tokens = await asyncio.get_running_loop().run_in_executor(self._workers, work)
            if input_tokens:
                total = self._add_call(
                    total, target, Usage(input_tokens, int(chosen.max_tokens * EXPECTED_ANSWER_SHARE))
                )
        return total

    def _add_call(self, total: Estimate, target: Target, usage: Usage) -> Estimate:
        cost = self._outbound.cost_microusd(target, usage)
        return replace(
            total,
            calls=total.calls + 1,
            input_tokens=total.input_tokens + (usage.input_tokens or 0),
            output_tokens=total.output_tokens + (usage.output_tokens or 0),
            cost_microusd=None if cost is None or total.cost_microusd is None else total.cost_microusd + cost,
        )

    async def stream(
        self,
        ticket_id: int,
        *,
        provider: str = "",
        model: str = "",
        recipe: str = TASK,
        refresh: bool = False,
        stop: asyncio.Event | None = None,
    ) -> AsyncGenerator[SummaryEvent, None]:
        """Summarize one ticket. Setting `stop` closes the connection and ends the run as cancelled, its text kept.

        A fault of the provider is no exception here: it is the `Finished` event's state, reason and remedy.

        Raises:
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`.
        """
        began = time.monotonic()
        prepared = await self._prepare(ticket_id)
        chosen = await asyncio.to_thread(load_recipe, self._recipes_folder, recipe)
        yield Highlights(prepared.highlights)
        blank = Summary(
            ticket_id,
            RunState.FAILED,
            highlights=prepared.highlights,
            recipe=chosen.name,
            recipe_version=chosen.version,
            provider=provider,
        )
        if _is_too_short(prepared.sentences):
            yield Finished(replace(blank, reason=TOO_SHORT, remedy="Read it as it is."))
            return
        try:
            endpoint = await self._resolve(provider, model)
            if not endpoint.model:
                raise _no_model(endpoint)
        except DeskError as error:
            yield Finished(replace(blank, reason=error.message, error=error.code, remedy=error.remedy))
            return
        key = _cache_key(prepared.thread, chosen, endpoint)
        found = None if refresh else await self._runs.cached(key)
        if found is not None:
            summary = replace(found, highlights=prepared.highlights, cached=True)
            yield Cached(summary)
            yield Finished(summary)
            return
        async with aclosing(self._run(prepared, chosen, endpoint, key, began, stop or asyncio.Event())) as events:
            async for event in events:
                yield event

    async def _run(
        self, prepared: _Prepared, recipe: Recipe, endpoint: Endpoint, key: str, began: float, stop: asyncio.Event
    ) -> AsyncGenerator[SummaryEvent, None]:
        prompt = build_prompt(
            prepared.thread,
            prepared.sentences,
            recipe=recipe,
            model=endpoint.model,
            context_tokens=endpoint.context_tokens,
            estimate_tokens=self._outbound.estimate_tokens,
        )
        progress = _Progress(SummaryParser(recipe.sections), began)
        progress.run_id = await self._runs.start(
            ticket_id=prepared.thread.ticket.id,
            task=TASK,
            recipe=recipe.name,
            recipe_version=recipe.version,
            provider=endpoint.name,
            model=endpoint.model,
            cache_key=key,
            content_hash=prepared.thread.content_hash,
        )
        end = StreamEnd(RunState.CANCELLED, STOPPED)
        error = DeskError("", "")
        is_settled = False

        def settle() -> Summary:
            return self._summary(prepared, recipe, endpoint, prompt, progress, end, error)

        try:
            yield Started(endpoint.name, endpoint.model)
            try:
                async for event in self._receive(prepared, endpoint, prompt, progress, stop):
                    yield event
                end = progress.end or end
            except DeskError as raised:
                error = raised
                end = StreamEnd(RunState.FAILED, raised.message)
            for event in self._check(prepared, progress, progress.parser.finish()):
                yield event
            summary = settle()
            await self._runs.finish(progress.run_id, summary)
            is_settled = True
            yield Finished(summary)
        finally:
            if not is_settled:
                # The reader went away: the text so far is kept as what it is, cancelled.
                await asyncio.shield(self._runs.finish(progress.run_id, settle()))

    async def _receive(
        self, prepared: _Prepared, endpoint: Endpoint, prompt: Prompt, progress: _Progress, stop: asyncio.Event
    ) -> AsyncIterator[SummaryEvent]:
        async with aclosing(self._outbound.stream(endpoint, prompt.request, purpose=TASK)) as stream:
            async for event in _until(stream, stop):
                if isinstance(event, StreamEnd):
                    progress.end = event
                    continue
                if progress.first_token_seconds is None:
                    progress.first_token_seconds = time.monotonic() - progress.started_at
                progress.text += event.text
                for checked in self._check(prepared, progress, progress.parser.feed(event.text)):
                    yield checked
                yield TextDelta(event.text, progress.parser.pending_section, progress.parser.pending)
                await self._journal(progress)
                if progress.parser.is_going_in_circles:
                    progress.end = StreamEnd(RunState.INCOMPLETE, IN_CIRCLES)
                    return

    async def _journal(self, progress: _Progress) -> None:
        now = time.monotonic()
        if now - progress.journaled_at >= JOURNAL_SECONDS:
            progress.journaled_at = now
            await self._runs.journal(progress.run_id, progress.text)

    def _check(self, prepared: _Prepared, progress: _Progress, claims: tuple[Claim, ...]) -> list[SummaryEvent]:
        events: list[SummaryEvent] = []
        for claim in claims:
            checked = check_claim(claim, prepared.evidence)
            events.append(ClaimChecked(len(progress.claims), checked))
            progress.claims.append(checked)
        return events

    def _summary(
        self,
        prepared: _Prepared,
        recipe: Recipe,
        endpoint: Endpoint,
        prompt: Prompt,
        progress: _Progress,
        end: StreamEnd,
        error: DeskError,
    ) -> Summary:
        return Summary(
            ticket_id=prepared.thread.ticket.id,
            state=end.state,
            reason=end.reason,
            text=progress.text,
            # A list has no room for a mark: only what the ticket supports stands there.
            gist=" ".join(
                c.claim.text for c in progress.claims if c.claim.section == GIST and c.support is Support.SUPPORTED
            ),
            sections=dict(progress.parser.sections),
            claims=tuple(progress.claims),
            coverage=coverage(prepared.evidence, progress.claims, read=len(prompt.shown)),
            highlights=prepared.highlights,
            provider=endpoint.name,
            model=endpoint.model,
            recipe=recipe.name,
            recipe_version=recipe.version,
            usage=end.usage,
            cost_microusd=self._outbound.cost_microusd(endpoint, end.usage),
            first_token_seconds=progress.first_token_seconds,
            seconds=time.monotonic() - progress.started_at,
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            error=error.code,
            remedy=error.remedy,
        )

    async def _prepare(self, ticket_id: int) -> _Prepared:
        thread = await self._thread(ticket_id)
        return await asyncio.get_running_loop().run_in_executor(self._workers, _prepare, thread)

    async def _thread(self, ticket_id: int) -> Thread:
        thread = await self._tickets.thread(ticket_id)
        if thread is None:
            raise DeskError(
                "ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list."
            )
        return thread


def _prepare(thread: Thread) -> _Prepared:
    sentences = number_sentences(thread.messages)
    return _Prepared(thread, sentences, find_highlights(thread), prepare_thread(thread, sentences))


def _no_model(target: Target) -> DeskError:
    return DeskError(
        "provider-no-model", f"No model is chosen for {target.name}.", remedy="Choose one in Settings > Providers."
    )


def _is_too_short(sentences: Sequence[Sentence]) -> bool:
    return sum(len(sentence.text.split()) for sentence in sentences) < SHORTEST_THREAD_WORDS


def _count_input_tokens(thread: Thread, recipe: Recipe, target: Target, estimate_tokens: Callable[[str], int]) -> int:
    """Return about how many tokens the prompt for a thread has; 0 when no call would be made."""
    sentences = number_sentences(thread.messages)
    if _is_too_short(sentences):
        return 0
    prompt = build_prompt(
        thread,
        sentences,
        recipe=recipe,
        model=target.model,
        context_tokens=target.context_tokens,
        estimate_tokens=estimate_tokens,
    )
    return sum(estimate_tokens(message.content) for message in prompt.request.messages)


def _cache_key(thread: Thread, recipe: Recipe, target: Target) -> str:
    """Name a summary by all that it depends on: content, recipe, provider (its address, not its port of today) and model."""
    address = "built-in" if target.name == BUILT_IN else target.base_url
    parts = [thread.content_hash, recipe.name, recipe.version, recipe.digest, target.name, address, target.model]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


async def _until(
    stream: AsyncGenerator[StreamEvent, None], stop: asyncio.Event
) -> AsyncIterator[StreamDelta | StreamEnd]:
    """Yield a stream's events until it ends or `stop` is set; a wait for the next event is broken off at once."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(stream, None))
            try:
                await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await _abandon(following)
                raise
            if not following.done():
                await _abandon(following)
                return
            event = following.result()
            if event is None:
                return
            yield event
    finally:
        stopped.cancel()


async def _abandon(task: asyncio.Future[StreamEvent | None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
