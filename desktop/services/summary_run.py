"""One run of a summary: the request, the text as it streams in, each claim checked as it is completed, and the end that it had.

What was shown is journaled, so a crash loses at most the last half second. Whatever ends the run, its text is kept with the name of that end. A run
does not retry, and decides nothing about caches: see `summaries`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta, StreamEnd, StreamEvent
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    CheckedClaim,
    Claim,
    ClaimChecked,
    Finished,
    Form,
    Opined,
    Progressed,
    RunState,
    Started,
    Summary,
    SummaryEvent,
    Support,
    TextDelta,
    Thinking,
    Usage,
)
from desktop.domain.sections import GIST
from desktop.services.answers import AnswerParser
from desktop.services.evidence import coverage
from desktop.services.fields import find_fields
from desktop.services.lines import write_lines
from desktop.services.outbound import Endpoint, Outbound
from desktop.services.parts import LEAST_BUDGET, Part, cut_into_parts, group_texts
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import (
    AnswerForm,
    Prompt,
    Style,
    answer_schema,
    build_prompt,
    fill_placeholders,
    fixed_messages,
    guard,
    most_answer_tokens,
)
from desktop.services.recipes import Example, Recipe, with_sections_of
from desktop.services.second_opinion import ask_about, unclear_claims, with_opinions
from desktop.services.verifying import check_sentence
from desktop.services.versions import hash_messages
from desktop.storage.runs import NewRun, RunStore

T = TypeVar("T")

JOURNAL_SECONDS = 0.5
_SPARE_TOKENS = 96
_PARTS_AT_A_TIME = 4
_REPAIR = "What follows is a summary that did not keep this form. Put it into this form: change no word, add nothing, keep the ids in brackets."
TASK = "summarize"
STOPPED = "stopped by you"
LEFT = "the ticket was left while it was being written"
NO_SENTENCE = "the model's answer held no sentence that could be read"
IN_CIRCLES = "stopped, because the model began to repeat itself"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a ticket: the recipe and its wanted sections, the form of the answer, what is sent along.

    `positions` are the messages to read, all when None; `earlier` is the earlier summary (lines form) of those before, which read `read_before` of
    them. `task` is what the run is recorded as.
    """

    recipe: Recipe
    sections: tuple[str, ...]
    style: Style
    form: AnswerForm
    task: str = TASK
    examples: tuple[Example, ...] = ()
    positions: tuple[int, ...] | None = None
    earlier: str = ""
    read_before: tuple[int, ...] = ()
    token_ratio: float = 1.0
    wants_opinion: bool = False
    releases_pin: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What every run works with."""

    runs: RunStore
    outbound: Outbound
    workers: Executor
    secret: bytes
    merge_recipe: Recipe


class SummaryRun:
    """One summary of one ticket. Read `events` once, to its end or not: either way the run is recorded.

    As a rule it is one request. A ticket too long for the model is read in parts first, whose summaries are merged; an answer without sections is put
    into sections by one more request; claims whose wording stayed unclear are asked about in one, where the user wants that.
    """

    def __init__(self, prepared: PreparedTicket, question: Question, endpoint: Endpoint, tools: Tools) -> None:
        self._prepared = prepared
        self._question = question
        self._endpoint = endpoint
        self._tools = tools
        self._runs = tools.runs
        self._outbound = tools.outbound
        self._parser = AnswerParser(question.sections)
        self._form = Form.SECTIONS
        self._claims: list[CheckedClaim] = []
        self._text = ""
        self._thinking = ""
        self._read: set[int] = set()
        self._unread_parts = 0
        self._usages: list[Usage] = []
        self._run_id = 0
        self._began = time.monotonic()
        self._first_token_seconds: float | None = None

    async def events(self, *, cache_key: str, stop: asyncio.Event) -> AsyncGenerator[SummaryEvent, None]:
        """Yield `Started`, then text and claims as they come, then `Finished`. Setting `stop` closes the connection at once.

        Raises:
            DeskError: `ticket-missing`, when the ticket has gone before the run began.
        """
        parts = await self._on_worker(self._cut)
        self._run_id = await self._start(cache_key)
        end, error = StreamEnd(RunState.CANCELLED, LEFT), DeskError("", "")
        is_recorded = False
        journaling = asyncio.create_task(self._keep_journal())
        try:
            yield Started(self._endpoint.name, self._endpoint.model)
            try:
                async with aclosing(self._write(parts, stop)) as received:
                    async for event in received:
                        if isinstance(event, StreamEnd):
                            end = event
                        else:
                            yield event
            except DeskError as raised:
                error, end = raised, StreamEnd(RunState.FAILED, raised.message)
            for checked in await self._check(self._parser.finish()):
                yield checked
            if end.state is RunState.COMPLETE and not self._claims and not self._parser.has_sections:
                end = StreamEnd(RunState.INCOMPLETE, NO_SENTENCE, end.usage)
            if end.state is RunState.COMPLETE:
                await self._put_into_sections(stop)
                if self._question.wants_opinion and (opined := await self._ask_opinion(stop)):
                    yield opined
            summary = self._summary(end, error)
            await self._runs.finish(
                self._run_id, summary, self._prepared.sentences, releases_pin=self._question.releases_pin
            )
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
        await self._runs.finish(self._run_id, self._summary(end, error), self._prepared.sentences)

    async def _start(self, cache_key: str) -> int:
        q, thread = self._question, self._prepared.thread
        messages = thread.messages
        return await self._runs.start(
            NewRun(
                ticket_id=thread.ticket.id,
                task=q.task,
                recipe=q.recipe.name,
                recipe_version=q.recipe.version,
                recipe_digest=q.recipe.digest,
                provider=self._endpoint.name,
                model=self._endpoint.model,
                cache_key=cache_key,
                content_hash=thread.content_hash,
                message_count=len(messages),
                messages_hash=hash_messages(messages),
            )
        )

    # What is sent

    def _cut(self) -> tuple[Part, ...]:
        q = self._question
        opening = fixed_messages(q.recipe, sections=q.sections, style=q.style, form=q.form, secret=self._tools.secret)
        fixed = sum(self._count(m.content) for m in opening) + self._count(q.earlier)
        fixed += sum(self._count(example.thread) + self._count(example.summary) for example in q.examples)
        return cut_into_parts(
            self._prepared.thread,
            self._prepared.sentences,
            audience=q.recipe.audience,
            budget=self._endpoint.context_tokens - fixed - self._answer_tokens() - _SPARE_TOKENS,
            count_tokens=self._count,
            positions=q.positions,
        )

    def _count(self, text: str) -> int:
        return int(self._outbound.count_tokens(text, self._endpoint.model) * self._question.token_ratio) + 1

    def _answer_tokens(self) -> int:
        return most_answer_tokens(self._question.recipe, style=self._question.style, form=self._question.form)

    def _prompt(self, part: Part | None, *, recipe: Recipe, earlier: str) -> Prompt:
        """Return the request for one part of the ticket, or for none of its messages."""
        q = self._question
        prompt = build_prompt(
            self._prepared.thread,
            part.sentences if part else (),
            recipe=recipe,
            model=self._endpoint.model,
            sections=q.sections,
            style=q.style,
            form=q.form,
            secret=self._tools.secret,
            positions=part.positions if part else (),
            examples=q.examples,
            earlier=earlier,
        )
        schema = answer_schema(q.sections) if q.form is AnswerForm.JSON else None
        return replace(prompt, request=replace(prompt.request, schema=schema))

    async def _write(
        self, parts: tuple[Part, ...], stop: asyncio.Event
    ) -> AsyncGenerator[SummaryEvent | StreamEnd, None]:
        """Write the summary: from the whole ticket, or from the summaries of its parts."""
        if len(parts) <= 1:
            part = parts[0] if parts else None
            prompt = await self._on_worker(
                partial(self._prompt, part, recipe=self._question.recipe, earlier=self._question.earlier)
            )
            self._read.update(prompt.shown)
        else:
            texts: list[str] = [self._question.earlier] if self._question.earlier else []
            async with aclosing(self._read_parts(parts, texts, stop)) as steps:
                async for step in steps:
                    yield step
            if stop.is_set():
                yield StreamEnd(RunState.CANCELLED, STOPPED)
                return
            earlier = await self._merge_down(texts, stop)
            merge = with_sections_of(self._tools.merge_recipe, self._question.recipe)
            prompt = await self._on_worker(partial(self._prompt, None, recipe=merge, earlier=earlier))
        async with aclosing(self._receive(prompt.request, stop)) as received:
            async for event in received:
                yield self._with_gap(event) if isinstance(event, StreamEnd) else event

    def _with_gap(self, end: StreamEnd) -> StreamEnd:
        """Say of a summary that some of the ticket's parts could not be read."""
        if end.state is RunState.COMPLETE and self._unread_parts:
            return StreamEnd(
                RunState.INCOMPLETE, f"{self._unread_parts} of the ticket's parts could not be read", end.usage
            )
        return end

    async def _read_parts(
        self, parts: tuple[Part, ...], texts: list[str], stop: asyncio.Event
    ) -> AsyncGenerator[SummaryEvent, None]:
        """Summarize parts, a few at a time, and put what was written of each into `texts`, in their order."""
        yield Progressed(0, len(parts))
        gate = asyncio.Semaphore(1 if self._endpoint.is_local else _PARTS_AT_A_TIME)
        found: dict[int, str] = {}

        async def read(number: int) -> None:
            async with gate:
                prompt = await self._on_worker(
                    partial(self._prompt, parts[number], recipe=self._question.recipe, earlier="")
                )
                text = await self._ask(prompt.request, stop)
                lines = await self._on_worker(partial(_as_lines, text, self._question.sections))
                if lines:
                    found[number] = lines
                    self._read.update(prompt.shown)

        tasks = [asyncio.create_task(read(number)) for number in range(len(parts))]
        faults: list[DeskError] = []
        try:
            for done, task in enumerate(asyncio.as_completed(tasks), start=1):
                try:
                    await task
                except DeskError as error:
                    faults.append(error)
                yield Progressed(done, len(parts))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not found and faults:
            raise faults[0]
        self._unread_parts = len(parts) - len(found)
        texts += (found[number] for number in sorted(found))

    async def _merge_down(self, texts: list[str], stop: asyncio.Event) -> str:
        """Merge summaries of parts until those that are left fit into one prompt."""
        budget = max(LEAST_BUDGET * 2, self._endpoint.context_tokens // 2 - self._answer_tokens())
        merge = with_sections_of(self._tools.merge_recipe, self._question.recipe)
        while len(texts) > 1 and sum(map(self._count, texts)) > budget and not stop.is_set():
            merged: list[str] = []
            for group in group_texts(texts, budget=budget, count_tokens=self._count):
                prompt = await self._on_worker(partial(self._prompt, None, recipe=merge, earlier=_joined(group)))
                text = await self._ask(prompt.request, stop)
                merged.append(
                    await self._on_worker(partial(_as_lines, text, self._question.sections)) or _joined(group)
                )
            if len(merged) >= len(texts):
                break
            texts = merged
        return _joined(texts)

    async def _ask(self, request: ChatRequest, stop: asyncio.Event) -> str:
        """Return the whole text of an answer; what came of it when it was stopped or broken off."""
        text = ""
        stream = self._outbound.stream(self._endpoint, request, purpose=TASK)
        async with aclosing(stream), aclosing(_until(stream, stop)) as events:
            async for event in events:
                if isinstance(event, StreamEnd):
                    self._usages.append(event.usage)
                else:
                    text += event.text
        return text

    async def _receive(
        self, request: ChatRequest, stop: asyncio.Event
    ) -> AsyncGenerator[SummaryEvent | StreamEnd, None]:
        stream = self._outbound.stream(self._endpoint, request, purpose=TASK)
        async with aclosing(stream), aclosing(_until(stream, stop)) as events:
            async for event in events:
                if isinstance(event, StreamEnd):
                    self._usages.append(event.usage)
                    yield event
                    return
                if event.thinking:
                    self._thinking += event.thinking
                    yield Thinking(event.thinking)
                if not event.text:
                    continue
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
        written = ("", "")
        while True:
            await asyncio.sleep(JOURNAL_SECONDS)
            if (self._text, self._thinking) != written:
                written = (self._text, self._thinking)
                await self._runs.journal(self._run_id, *written)

    # What becomes of it

    async def _put_into_sections(self, stop: asyncio.Event) -> None:
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
            max_tokens=self._answer_tokens(),
            temperature=0.0,
        )
        try:
            text = await self._ask(request, stop)
        except DeskError:
            return
        parser = AnswerParser(q.sections)
        claims = (*parser.feed(text), *parser.finish())
        if claims and parser.has_sections:
            self._parser, self._claims, self._form, self._text = parser, [], Form.REPAIRED, text
            await self._check(claims)

    async def _ask_opinion(self, stop: asyncio.Event) -> Opined | None:
        places = unclear_claims(self._claims)
        if not places:
            return None
        texts = {sentence.id: sentence.text for sentence in self._prepared.sentences}
        request = ask_about(self._claims, places, texts=texts, model=self._endpoint.model, secret=self._tools.secret)
        try:
            answer = await self._ask(request, stop)
        except DeskError:
            return None
        self._claims = list(with_opinions(self._claims, places, answer))
        return Opined(tuple(self._claims))

    async def _check(self, claims: tuple[Claim, ...]) -> list[ClaimChecked]:
        found: list[ClaimChecked] = []
        for claim in claims:
            checked = await self._on_worker(partial(check_sentence, claim, self._prepared.evidence))
            found.append(ClaimChecked(len(self._claims), checked))
            self._claims.append(checked)
        return found

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._tools.workers, work)

    def _summary(self, end: StreamEnd, error: DeskError) -> Summary:
        # A list has no room for a mark: only what the ticket supports stands there.
        gist = [c.claim.text for c in self._claims if c.claim.section == GIST and c.support is Support.SUPPORTED]
        usage = _total(self._usages)
        read = len(self._read.union(self._question.read_before)) if self._text else 0
        return Summary(
            ticket_id=self._prepared.thread.ticket.id,
            state=end.state,
            reason=end.reason,
            text=write_lines(self._claims) if self._parser.is_object and self._claims else self._text,
            gist=" ".join(gist),
            sections=self._parser.sections,
            claims=tuple(self._claims),
            coverage=coverage(self._prepared.evidence, self._claims, read=read),
            highlights=self._prepared.highlights,
            provider=self._endpoint.name,
            model=self._endpoint.model,
            recipe=self._question.recipe.name,
            recipe_version=self._question.recipe.version,
            usage=usage,
            cost_microusd=self._outbound.cost_microusd(self._endpoint, usage),
            first_token_seconds=self._first_token_seconds,
            seconds=time.monotonic() - self._began,
            created_at=now(),
            error=error.code,
            remedy=error.remedy,
            task=self._question.task,
            form=self._form,
            thinking=self._thinking,
            fields=find_fields(
                self._claims,
                thread=self._prepared.thread,
                sections=self._question.sections,
                owner=self._parser.owner,
            ),
        )


def _as_lines(text: str, sections: Sequence[str]) -> str:
    """Return what was written of a part as lines, each claim with its citations; '' where nothing was."""
    parser = AnswerParser(sections)
    claims = (*parser.feed(text), *parser.finish())
    return write_lines([CheckedClaim(c, Support.SUPPORTED, 1.0, citations=c.citations) for c in claims])


def _joined(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"Part {number}\n{text}" for number, text in enumerate(texts, start=1))


def _total(usages: Sequence[Usage]) -> Usage:
    """Add up what requests used; unknown where any of them did not say."""

    def add(counts: list[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    cached = [usage.cached_input_tokens for usage in usages if usage.cached_input_tokens is not None]
    return Usage(
        add([usage.input_tokens for usage in usages]),
        add([usage.output_tokens for usage in usages]),
        sum(cached) if cached else None,
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
