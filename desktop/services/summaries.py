"""Summaries: from a ticket to a summary whose every claim was checked, as a stream of events.

Highlights come at once and from no model. Then the summary that was written before from the same content by the same recipe and model, or a run that
writes one (`summary_run`). A summary that is there is never hidden by a newer one that did not end well.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    Cached,
    Estimate,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Summary,
    SummaryEvent,
    Usage,
    Verified,
)
from desktop.domain.sentences import Sentence, number_sentences
from desktop.domain.tickets import Thread
from desktop.services.claims import SummaryParser
from desktop.services.evidence import check_claim
from desktop.services.highlights import find_lead
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.services.prepared import PreparedTicket, PreparedTickets
from desktop.services.prompting import build_prompt
from desktop.services.recipes import Recipe, load_recipe
from desktop.services.summary_run import LEFT, STOPPED, TASK, SummaryRun, unless_stopped
from desktop.services.verifying import verify_text
from desktop.storage.runs import RunStore
from desktop.storage.tickets import TicketStore

SHORTEST_THREAD_WORDS = 6
TOO_SHORT = "the ticket is too short to summarize"
EXPECTED_ANSWER_SHARE = 0.4
"""Of the longest answer that a recipe allows, what a summary takes as a rule: for estimates only."""


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A ticket as it is shown: its thread and sentences, its highlights, and its summary if there is one.

    `is_unfinished` tells that nobody has decided about a summary yet: none was written, or its writing was broken off by leaving the ticket.
    """

    thread: Thread
    sentences: tuple[Sentence, ...]
    highlights: tuple[Highlight, ...]
    summary: Summary | None
    is_unfinished: bool


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
        self._prepared = PreparedTickets(tickets, workers)
        self._tickets = tickets
        self._runs = runs
        self._outbound = outbound
        self._recipes_folder = recipes_folder
        self._workers = workers
        self._target = target
        self._resolve = resolve

    async def open_ticket(self, ticket_id: int) -> OpenedTicket:
        """Return all that is shown of a ticket before any model is asked.

        Raises:
            DeskError: `ticket-missing`.
        """
        prepared = await self._prepared.get(ticket_id)
        found = await self._runs.latest(ticket_id)
        summary = await self._restore(prepared, *found) if found else None
        is_unfinished = summary is None or (summary.state is RunState.CANCELLED and summary.reason == LEFT)
        return OpenedTicket(prepared.thread, prepared.sentences, prepared.highlights, summary, is_unfinished)

    async def _restore(self, prepared: PreparedTicket, summary: Summary, content_hash: str) -> Summary:
        """Return a stored summary as it is to be shown; `stale` when the ticket changed since."""
        if summary.text and not summary.claims:
            # The program ended while it was being written: there is the text, and no claim was recorded.
            work = partial(_read_again, summary, prepared, self._recipes_folder)
            summary = await asyncio.get_running_loop().run_in_executor(self._workers, work)
        is_stale = content_hash != prepared.thread.content_hash
        return replace(summary, highlights=prepared.highlights, stale=is_stale, cached=True)

    async def leads(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return for each ticket the highlight that stands in its list row while it has no gist; '' for none. No model is asked."""
        found: dict[int, str] = {}
        for ticket_id in ticket_ids:
            if (thread := await self._tickets.thread(ticket_id)) is not None:
                work = partial(find_lead, thread)
                found[ticket_id] = await asyncio.get_running_loop().run_in_executor(self._workers, work)
        return found

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
            thread = await self._prepared.thread(ticket_id)
            if not refresh and await self._runs.cached(_cache_key(thread, chosen, target)) is not None:
                total = replace(total, cached=total.cached + 1)
                continue
            work = partial(_count_input_tokens, thread, chosen, target, self._outbound.estimate_tokens)
            input_tokens = await asyncio.get_running_loop().run_in_executor(self._workers, work)
            if input_tokens:
                total = self._add_call(total, target, input_tokens, chosen.max_tokens)
        return total

    def _add_call(self, total: Estimate, target: Target, input_tokens: int, max_tokens: int) -> Estimate:
        output_tokens = int(max_tokens * EXPECTED_ANSWER_SHARE)
        cost = self._outbound.cost_microusd(target, Usage(input_tokens, output_tokens))
        most = self._outbound.cost_microusd(target, Usage(input_tokens, max_tokens))
        return replace(
            total,
            calls=total.calls + 1,
            input_tokens=total.input_tokens + input_tokens,
            output_tokens=total.output_tokens + output_tokens,
            cost_microusd=_plus(total.cost_microusd, cost),
            most_cost_microusd=_plus(total.most_cost_microusd, most),
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
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        stop = stop or asyncio.Event()
        prepared = await self._prepared.get(ticket_id)
        chosen = await asyncio.to_thread(load_recipe, self._recipes_folder, recipe)
        target = self._target(provider, model)
        yield Highlights(prepared.highlights)
        if _is_too_short(prepared.sentences):
            yield Finished(_nothing(prepared, chosen, target, TOO_SHORT, remedy="Read it as it is."))
            return
        key = _cache_key(prepared.thread, chosen, target)
        found = None if refresh else await self._runs.cached(key)
        if found is not None:
            summary = replace(found, highlights=prepared.highlights, cached=True)
            yield Cached(summary)
            yield Finished(summary)
            return
        endpoint = await self._reach(target, stop)
        if not isinstance(endpoint, Endpoint):
            state = RunState.FAILED if endpoint.code else RunState.CANCELLED
            nothing = _nothing(prepared, chosen, target, endpoint.message, remedy=endpoint.remedy)
            yield Finished(replace(nothing, state=state, error=endpoint.code))
            return
        run = SummaryRun(prepared, chosen, endpoint, runs=self._runs, outbound=self._outbound, workers=self._workers)
        async with aclosing(run.events(cache_key=key, stop=stop)) as events:
            async for event in events:
                yield event

    async def _reach(self, target: Target, stop: asyncio.Event) -> Endpoint | DeskError:
        """Return the endpoint, or what stands in its way; an error without a code when the user stopped waiting for it."""
        if not target.model:
            return DeskError(
                "provider-no-model",
                f"No model is chosen for {target.name}.",
                remedy="Choose one in the provider's settings.",
            )
        try:
            return await unless_stopped(self._resolve(target.name, target.model), stop) or DeskError("", STOPPED)
        except DeskError as error:
            return error

    async def verify(self, ticket_id: int, text: str) -> Verified:
        """Check any text against a ticket, sentence by sentence. No model is asked.

        Raises:
            DeskError: `ticket-missing`, `text-empty`.
        """
        prepared = await self._prepared.get(ticket_id)
        work = partial(verify_text, prepared.thread, prepared.sentences, prepared.evidence, text)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _read_again(summary: Summary, prepared: PreparedTicket, recipes_folder: Path) -> Summary:
    try:
        sections = load_recipe(recipes_folder, summary.recipe).sections
    except DeskError:
        sections = ()
    parser = SummaryParser(sections)
    claims = (*parser.feed(summary.text), *parser.finish())
    checked = tuple(check_claim(claim, prepared.evidence) for claim in claims)
    return replace(summary, claims=checked, sections=parser.sections)


def _nothing(prepared: PreparedTicket, recipe: Recipe, target: Target, reason: str, *, remedy: str) -> Summary:
    """A summary for which no call was made: failed, without text, with the reason."""
    return Summary(
        prepared.thread.ticket.id,
        RunState.FAILED,
        reason=reason,
        remedy=remedy,
        highlights=prepared.highlights,
        provider=target.name,
        model=target.model,
        recipe=recipe.name,
        recipe_version=recipe.version,
    )


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


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
