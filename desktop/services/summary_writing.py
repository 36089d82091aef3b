"""Writing a summary: whom to ask, one after the other, until somebody answers; and nobody, where the same was answered before.

A provider that does not answer is followed by the one that stands in for it, as the user set it up; the summary says who wrote it. Two tickets with
the very same text are asked about once: the second takes what the first one got, were it still being written.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.runs import Cached, Delayed, FellBack, Finished, RunState, Summary, SummaryEvent
from desktop.services.asking import STOPPED, unless_stopped
from desktop.services.outbound import Endpoint, Outbound, Retries, Sending, Target
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import AnswerForm, render_messages, render_ticket
from desktop.services.questions import Question, name_question
from desktop.services.reading_again import read_copy
from desktop.services.recipes import Recipe, RecipeBook
from desktop.services.summary_run import SummaryRun, Tools, new_run
from desktop.storage.ledger import LedgerStore
from desktop.storage.runs import RunStore

T = TypeVar("T")

MERGE = "merge"
AskedFor = Callable[[Target], Awaitable[Question]]
"""What is asked of the ticket, of one provider: the form of the answer and the space there is depend on it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a summary is wanted for. `begun` is the text of an answer that broke off; `is_urgent` when a person waits."""

    prepared: PreparedTicket
    recipe: Recipe
    question: AskedFor
    only_what_is_new: Callable[[Question], Awaitable[Question]]
    stop: asyncio.Event
    refresh: bool = False
    is_urgent: bool = True
    begun: str = ""


class SummaryWriter:
    """Asks for summaries and records them."""

    def __init__(
        self,
        *,
        runs: RunStore,
        ledger: LedgerStore,
        outbound: Outbound,
        recipes: RecipeBook,
        secret: bytes,
        workers: Executor,
        target: Callable[[str, str], Target],
        resolve: Callable[[str, str], Awaitable[Endpoint]],
        route: Callable[[str, str, str], Sequence[tuple[str, str]]],
        opinion_route: Callable[[], Sequence[tuple[str, str]]],
    ) -> None:
        """`route` says whom to ask for a task, `opinion_route` who gives second opinions: nobody in particular, where that is whoever wrote."""
        self._runs = runs
        self._ledger = ledger
        self._outbound = outbound
        self._recipes = recipes
        self._secret = secret
        self._workers = workers
        self._target = target
        self._resolve = resolve
        self._route = route
        self._opinion_route = opinion_route
        self._being_written: dict[str, asyncio.Event] = {}

    def targets(self, task: str, provider: str = "", model: str = "") -> tuple[Target, ...]:
        """Return whom a task would be asked of, in this order.

        Raises:
            DeskError: `provider-missing`.
        """
        return tuple(self._target(*each) for each in self._route(task, provider, model))

    async def write(self, targets: Sequence[Target], wanted: Wanted) -> AsyncGenerator[SummaryEvent, None]:
        """Yield what comes of the first provider that answers, and one `Finished`."""
        retries = Retries(spare=len(targets) - 1)
        reasons: list[str] = []
        for place, target in enumerate(targets):
            unanswered: Summary | None = None
            is_last = place + 1 == len(targets)
            async with aclosing(self._ask(target, wanted, retries)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        if not is_last and _is_unanswered(event.summary) and not wanted.stop.is_set():
                            unanswered = event.summary
                            break
                        event = Finished(replace(event.summary, fell_back=tuple(reasons)))
                    yield event
            if unanswered is None:
                return
            if not retries.fall_back():
                yield Finished(replace(unanswered, fell_back=tuple(reasons)))
                return
            reasons.append(f"{target.name}: {unanswered.reason}")
            yield FellBack(targets[place + 1].name, targets[place + 1].model, unanswered.reason)

    async def _ask(self, target: Target, wanted: Wanted, retries: Retries) -> AsyncGenerator[SummaryEvent, None]:
        """Ask one provider, or take what it answered to the very same before."""
        prepared = wanted.prepared
        question = await wanted.question(target)
        key = name_question(prepared.thread, question, target)
        name = partial(name_text, prepared, question, target)
        text_key = name() if prepared.is_small else await self._on_worker(name)
        if wanted.refresh or wanted.begun:
            async with aclosing(self._write_anew(target, question, wanted, retries, key, text_key)) as events:
                async for event in events:
                    yield event
            return
        async for delayed in self._wait_for_twin(text_key, wanted.stop):
            yield delayed
        if text_key in self._being_written:
            # Stopped meanwhile: the claim is the other's.
            yield Finished(_unreached(wanted, target, DeskError("", STOPPED)))
            return
        written = self._being_written[text_key] = asyncio.Event()
        try:
            found = await self._find_written(prepared, question, target, key, text_key)
            if found is not None:
                yield Cached(found)
                yield Finished(found)
                return
            async with aclosing(self._write_anew(target, question, wanted, retries, key, text_key)) as events:
                async for event in events:
                    yield event
        finally:
            self._being_written.pop(text_key, None)
            written.set()

    async def _write_anew(
        self, target: Target, question: Question, wanted: Wanted, retries: Retries, key: str, text_key: str
    ) -> AsyncGenerator[SummaryEvent, None]:
        endpoint = await self._reach(target, wanted.stop)
        if not isinstance(endpoint, Endpoint):
            yield Finished(_unreached(wanted, target, endpoint))
            return
        async with aclosing(self._run(endpoint, question, wanted, retries, key, text_key)) as events:
            async for event in events:
                yield event

    async def _run(
        self, endpoint: Endpoint, question: Question, wanted: Wanted, retries: Retries, key: str, text_key: str
    ) -> AsyncGenerator[SummaryEvent, None]:
        prepared = wanted.prepared
        question = replace(question, releases_pin=wanted.refresh)
        if wanted.begun:
            # What is there of the answer is kept as lines, whichever form was asked for.
            question = replace(question, form=AnswerForm.LINES)
        else:
            question = await wanted.only_what_is_new(question)
        redactor = await self._on_worker(partial(self._outbound.redactor, endpoint, prepared.thread, question.people))
        tools = Tools(
            runs=self._runs,
            outbound=self._outbound,
            workers=self._workers,
            secret=self._secret,
            merge_recipe=await self._recipes.loaded(MERGE),
            opinion_endpoint=partial(self._opinion_endpoint, endpoint) if question.wants_opinion else None,
        )
        sending = Sending(
            purpose=question.task,
            recipe=question.recipe.name,
            ticket_id=prepared.thread.ticket.id,
            redactor=redactor,
            retries=retries,
            is_urgent=wanted.is_urgent,
        )
        run = SummaryRun(prepared, question, endpoint, tools, sending=sending, stop=wanted.stop, begun=wanted.begun)
        async with aclosing(run.events(cache_key=key, text_key=text_key)) as events:
            async for event in events:
                yield event

    async def _opinion_endpoint(self, endpoint: Endpoint) -> Endpoint | None:
        """Return who is asked for the second opinion: whoever is set for it, else whoever wrote; None when that one cannot be reached."""
        chosen = self._opinion_route()
        name, model = chosen[0] if chosen else (endpoint.name, endpoint.model)
        if (name, model) == (endpoint.name, endpoint.model):
            return endpoint
        try:
            return await self._resolve(name, model)
        except DeskError:
            return None

    async def _wait_for_twin(self, text_key: str, stop: asyncio.Event) -> AsyncGenerator[Delayed, None]:
        """Wait while the very same is being written for another ticket."""
        while (written := self._being_written.get(text_key)) is not None and not stop.is_set():
            yield Delayed(0.0, "a ticket with the very same text is being summarized")
            await unless_stopped(written.wait(), stop)

    async def _find_written(
        self, prepared: PreparedTicket, question: Question, target: Target, key: str, text_key: str
    ) -> Summary | None:
        """Return what was written of the same before: of this ticket, or of another with the same text, which is copied to this one."""
        stored = await self._runs.cached(key)
        if stored is None:
            twin = await self._runs.cached_text(text_key)
            if twin is None:
                return None
            summary = await self._on_worker(partial(read_copy, twin, prepared))
            run = new_run(prepared, question, target, cache_key=key, text_key=text_key)
            run_id = await self._runs.keep(run, summary, prepared.sentences)
            found = replace(summary, run_id=run_id)
            saved = twin.summary.cost_microusd
        else:
            found, saved = stored.summary, stored.summary.cost_microusd
        await self._ledger.count_hits(
            provider=target.name, model=target.model, recipe=question.recipe.name, hits=1, saved_microusd=saved or 0
        )
        return replace(found, highlights=prepared.highlights, cached=True)

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

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def nothing_written(prepared: PreparedTicket, recipe: Recipe, target: Target, reason: str, *, remedy: str) -> Summary:
    """Return a summary for which no call was made: failed, without text, with the reason."""
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


def name_text(prepared: PreparedTicket, question: Question, target: Target) -> str:
    """Name a summary by what a model sees: two tickets with the same text have one name, whatever their ids."""
    audience = question.recipe.audience
    blocks = render_messages(prepared.thread, prepared.sentences, audience=audience)
    seen = render_ticket(prepared.thread, blocks, tuple(blocks))
    asked = name_question(replace(prepared.thread, content_hash=""), question, target)
    return hashlib.sha256(json.dumps([asked, seen]).encode()).hexdigest()


def _is_unanswered(summary: Summary) -> bool:
    """Tell whether a provider did not answer at all, so that another may: what it wrote, were it a refusal, stays."""
    return summary.state is RunState.FAILED and bool(summary.error) and not summary.text


def _unreached(wanted: Wanted, target: Target, error: DeskError) -> Summary:
    nothing = nothing_written(wanted.prepared, wanted.recipe, target, error.message, remedy=error.remedy)
    return replace(nothing, state=RunState.FAILED if error.code else RunState.CANCELLED, error=error.code)
