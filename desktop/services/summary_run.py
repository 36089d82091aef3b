"""One run of a summary: the request, the text as it streams in, each claim checked as it is completed, and the end that it had.

What was shown is journaled, so a crash loses at most the last half second. Whatever ends the run, its text is kept with the name of that end. A run
does not retry, and decides nothing about caches: see `summaries`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta, StreamEnd, Waiting
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    CheckedClaim,
    Claim,
    ClaimChecked,
    Delayed,
    Finished,
    Form,
    Opined,
    RunState,
    Started,
    Summary,
    SummaryEvent,
    TextDelta,
    Thinking,
)
from desktop.services.answers import AnswerParser
from desktop.services.asking import STOPPED, Asker, add_usages
from desktop.services.composing import IN_CIRCLES, Spent, Written, compose, judge
from desktop.services.lines import write_lines
from desktop.services.outbound import Endpoint, Outbound, Sending, Target
from desktop.services.part_reading import PartReading
from desktop.services.parts import Part
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import AnswerForm, fill_placeholders, guard
from desktop.services.questions import Question, continue_answer, make_prompt, plan_parts
from desktop.services.recipes import Recipe, with_sections_of
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION
from desktop.services.second_opinion import ask_about, unclear_claims, with_opinions
from desktop.services.verifying import check_sentence
from desktop.services.versions import hash_messages
from desktop.storage.runs import NewRun, RunStore

T = TypeVar("T")

JOURNAL_SECONDS = 0.5
_REPAIR = "What follows is a summary that did not keep this form. Put it into this form: change no word, add nothing, keep the ids in brackets."
LEFT = "the ticket was left while it was being written"


@dataclass(frozen=True, slots=True)
class Tools:
    """What every run works with. `opinion_endpoint` reaches whoever gives the second opinion; None where none is wanted."""

    runs: RunStore
    outbound: Outbound
    workers: Executor
    secret: bytes
    merge_recipe: Recipe
    opinion_endpoint: Callable[[], Awaitable[Endpoint | None]] | None


class SummaryRun:
    """One summary of one ticket. Read `events` once, to its end or not: either way the run is recorded.

    As a rule it is one request. A ticket too long for the model is read in parts first, whose summaries are merged; an answer without sections is put
    into sections by one more request; claims whose wording stayed unclear are asked about in one, where the user wants that.
    """

    def __init__(
        self,
        prepared: PreparedTicket,
        question: Question,
        endpoint: Endpoint,
        tools: Tools,
        *,
        sending: Sending,
        stop: asyncio.Event,
        begun: str = "",
    ) -> None:
        """Setting `stop` closes the connection at once. `begun` is the text (lines form) of an answer that broke off, to be continued."""
        self._prepared = prepared
        self._question = question
        self._endpoint = endpoint
        self._tools = tools
        self._runs = tools.runs
        self._is_small = prepared.is_small
        self._asker = Asker(endpoint, tools.outbound, sending, stop=stop)
        self._opinion_asker: Asker | None = None
        self._sending = sending
        self._begun = begun
        self._parts = PartReading(
            question,
            prepared,
            self._asker,
            merge_recipe=with_sections_of(tools.merge_recipe, question.recipe),
            secret=tools.secret,
            count_tokens=self._count_tokens,
            workers=tools.workers,
        )
        self._parser = AnswerParser(question.sections)
        self._form = Form.SECTIONS
        self._claims: list[CheckedClaim] = []
        self._text = ""
        self._thinking = ""
        self._shown: set[int] = set()
        self._run_id = 0
        self._began = time.monotonic()
        self._first_token_seconds: float | None = None

    async def events(self, *, cache_key: str, text_key: str) -> AsyncGenerator[SummaryEvent, None]:
        """Yield `Started`, then text and claims as they come, then `Finished`.

        Raises:
            DeskError: `ticket-missing`, when the ticket has gone before the run began.
        """
        parts = await self._on_worker(self._plan)
        new = new_run(self._prepared, self._question, self._endpoint, cache_key=cache_key, text_key=text_key)
        self._run_id = await self._runs.start(new)
        self._asker.begin(self._run_id)
        end, error = StreamEnd(RunState.CANCELLED, LEFT), DeskError("", "")
        is_recorded = False
        journaling = asyncio.create_task(self._keep_journal())
        try:
            yield Started(self._endpoint.name, self._endpoint.model)
            try:
                async with aclosing(self._write(parts)) as received:
                    async for event in received:
                        if isinstance(event, StreamEnd):
                            end = event
                        else:
                            yield event
            except DeskError as raised:
                error, end = raised, StreamEnd(RunState.FAILED, raised.message)
            for checked in await self._check(self._parser.finish()):
                yield checked
            if end.state is RunState.COMPLETE:
                end = self._judge(end)
            if end.state is RunState.COMPLETE:
                await self._put_into_sections()
                if self._tools.opinion_endpoint is not None and (opined := await self._ask_opinion()):
                    yield opined
            summary = self._summary(end, error)
            await self._record(summary)
            is_recorded = True
            yield Finished(replace(summary, run_id=self._run_id))
        finally:
            journaling.cancel()
            await asyncio.gather(journaling, return_exceptions=True)
            if not is_recorded:
                await asyncio.shield(self._record_left(end, error))

    async def _record_left(self, end: StreamEnd, error: DeskError) -> None:
        """Record a run whose reader went away, with the sentence that was being written."""
        await self._check(self._parser.finish())
        await self._record(self._summary(end, error))

    async def _record(self, summary: Summary) -> None:
        await self._runs.finish(
            self._run_id,
            summary,
            self._prepared.sentences,
            releases_pin=self._question.releases_pin,
            estimated_tokens=self._asker.estimated_tokens,
            outcomes=[*self._asker.outcomes, *(self._opinion_asker.outcomes if self._opinion_asker else ())],
        )

    # What is sent

    def _plan(self) -> tuple[Part, ...]:
        return plan_parts(
            self._question,
            self._prepared,
            self._endpoint,
            secret=self._tools.secret,
            count_tokens=self._count_tokens,
        )

    def _count_tokens(self, text: str) -> int:
        counted = self._tools.outbound.count_tokens(text, self._endpoint.model)
        return int(counted * self._question.token_ratio) + 1

    async def _write(self, parts: tuple[Part, ...]) -> AsyncGenerator[SummaryEvent | StreamEnd, None]:
        """Write the summary: from the whole ticket, or from the summaries of its parts."""
        if len(parts) <= 1:
            prompt = await self._on_worker(
                partial(
                    make_prompt,
                    self._question,
                    self._prepared,
                    model=self._endpoint.model,
                    secret=self._tools.secret,
                    part=parts[0] if parts else None,
                    earlier=self._question.earlier,
                )
            )
            self._shown.update(prompt.shown)
        else:
            async with aclosing(self._parts.read_parts(parts)) as steps:
                async for step in steps:
                    yield step
            if self._asker.stop.is_set():
                yield StreamEnd(RunState.CANCELLED, STOPPED)
                return
            prompt = await self._parts.merge_prompt()
        request = prompt.request
        if self._begun and len(parts) <= 1:
            request = continue_answer(request, self._begun)
            async for written in self._take(self._begun):
                yield written
        async with aclosing(self._receive(request)) as received:
            async for event in received:
                yield event

    async def _receive(self, request: ChatRequest) -> AsyncGenerator[SummaryEvent | StreamEnd, None]:
        async with aclosing(self._asker.stream(request)) as events:
            async for event in events:
                if isinstance(event, StreamEnd):
                    yield event
                    return
                if isinstance(event, Waiting):
                    yield Delayed(event.seconds, event.reason)
                if not isinstance(event, StreamDelta):
                    continue
                if event.thinking:
                    self._thinking += event.thinking
                    yield Thinking(event.thinking)
                if not event.text:
                    continue
                if self._first_token_seconds is None:
                    self._first_token_seconds = time.monotonic() - self._began
                async for checked in self._take(event.text):
                    yield checked
                if self._parser.is_going_in_circles:
                    yield StreamEnd(RunState.INCOMPLETE, IN_CIRCLES)
                    return

    async def _take(self, text: str) -> AsyncGenerator[ClaimChecked | TextDelta, None]:
        self._text += text
        for checked in await self._check(self._parser.feed(text)):
            yield checked
        yield TextDelta(text, self._parser.pending_section, self._parser.pending)

    async def _keep_journal(self) -> None:
        """Write the text down twice a second while it grows. Apart from the stream, because a stream may stall after its last words."""
        written = ("", "")
        while True:
            await asyncio.sleep(JOURNAL_SECONDS)
            if (self._text, self._thinking) != written:
                written = (self._text, self._thinking)
                await self._runs.journal(self._run_id, *written)

    # What becomes of it

    def _judge(self, end: StreamEnd) -> StreamEnd:
        """Say of an answer that came to its end whether it is a summary, and one of the whole ticket."""
        end = judge(self._written(), end)
        if end.state is RunState.FAILED:
            self._claims, self._text = [], ""
        if end.state is RunState.COMPLETE and (unread := self._parts.unread_parts):
            return replace(end, state=RunState.INCOMPLETE, reason=f"{unread} of the ticket's parts could not be read")
        return end

    async def _put_into_sections(self) -> None:
        """Have an answer without sections put into sections, once; where that fails it stays the plain text that it is."""
        if self._parser.has_sections or not self._claims or not self._question.sections:
            return
        self._form = Form.PLAIN
        if self._endpoint.name == BUILT_IN:
            # A model of this size that kept no form does not find it at a second try: on 36 tickets it never did.
            return
        q = self._question
        instructions = fill_placeholders(q.recipe, sections=q.sections, style=q.style, form=AnswerForm.LINES)
        request = ChatRequest(
            model=self._endpoint.model,
            messages=(
                ChatMessage("system", f"{instructions}\n\n{_REPAIR}"),
                ChatMessage("user", guard("summary", write_lines(self._claims), self._tools.secret)),
            ),
            max_tokens=q.answer_tokens,
            temperature=0.0,
        )
        try:
            text = await self._asker.ask(request)
        except DeskError:
            return
        parser = AnswerParser(q.sections)
        claims = (*parser.feed(text), *parser.finish())
        if claims and parser.has_sections:
            self._parser, self._claims, self._form, self._text = parser, [], Form.REPAIRED, text
            await self._check(claims)

    async def _ask_opinion(self) -> Opined | None:
        places = unclear_claims(self._claims)
        asker = await self._opinion() if places else None
        if asker is None:
            return None
        texts = {sentence.id: sentence.text for sentence in self._prepared.sentences}
        request = ask_about(self._claims, places, texts=texts, model=asker.endpoint.model, secret=self._tools.secret)
        try:
            answer = await asker.ask(request)
        except DeskError:
            return None
        self._claims = list(with_opinions(self._claims, places, answer))
        return Opined(tuple(self._claims))

    async def _opinion(self) -> Asker | None:
        """Return who is asked for the second opinion, None when that one cannot be reached."""
        assert self._tools.opinion_endpoint is not None
        endpoint = await self._tools.opinion_endpoint()
        if endpoint is None:
            return None
        # Its own: whoever wrote may be trusted with more, or with less.
        redactor = await self._on_worker(
            partial(self._tools.outbound.redactor, endpoint, self._prepared.thread, self._question.people)
        )
        sending = replace(self._sending, purpose=SECOND_OPINION, run_id=self._run_id, redactor=redactor)
        self._opinion_asker = Asker(endpoint, self._tools.outbound, sending, stop=self._asker.stop)
        return self._opinion_asker

    async def _check(self, claims: tuple[Claim, ...]) -> list[ClaimChecked]:
        found: list[ClaimChecked] = []
        for claim in claims:
            checked = await self._on_worker(partial(check_sentence, claim, self._prepared.evidence))
            found.append(ClaimChecked(len(self._claims), checked))
            self._claims.append(checked)
        return found

    async def _on_worker(self, work: Callable[[], T]) -> T:
        if self._is_small:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._tools.workers, work)

    def _summary(self, end: StreamEnd, error: DeskError) -> Summary:
        return compose(
            self._written(),
            prepared=self._prepared,
            question=self._question,
            target=self._endpoint,
            end=end,
            error=error,
            spent=self._spent(),
            shown=self._shown.union(self._parts.read, self._question.read_before),
        )

    def _spent(self) -> Spent:
        """Return what all requests used and cost, each at the price of whoever was asked."""
        askers = [asker for asker in (self._asker, self._opinion_asker) if asker is not None]
        costs = [self._tools.outbound.cost_microusd(asker.endpoint, asker.usage) for asker in askers]
        known = [cost for cost in costs if cost is not None]
        return Spent(
            add_usages([asker.usage for asker in askers]),
            sum(known) if len(known) == len(costs) else None,
            self._first_token_seconds,
            time.monotonic() - self._began,
        )

    def _written(self) -> Written:
        return Written(self._parser, self._text, tuple(self._claims), self._form, self._thinking)


def new_run(prepared: PreparedTicket, question: Question, target: Target, *, cache_key: str, text_key: str) -> NewRun:
    """Return what is known of a run before it begins."""
    thread, recipe = prepared.thread, question.recipe
    return NewRun(
        ticket_id=thread.ticket.id,
        task=question.task,
        recipe=recipe.name,
        recipe_version=recipe.version,
        recipe_digest=recipe.digest,
        provider=target.name,
        model=target.model,
        cache_key=cache_key,
        text_key=text_key,
        content_hash=thread.content_hash,
        message_count=len(thread.messages),
        messages_hash=hash_messages(thread.messages),
    )
