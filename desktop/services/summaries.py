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
from typing import TypeVar

from desktop.config.settings import Settings
from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    Cached,
    CheckedClaim,
    ClaimChange,
    Estimate,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Summary,
    SummaryEvent,
    Support,
    Usage,
    Verified,
    Version,
)
from desktop.domain.sections import GIST, NOT_IN_TICKET, choose_sections
from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Thread
from desktop.services.answers import AnswerParser
from desktop.services.claims import SummaryParser
from desktop.services.evidence import coverage
from desktop.services.few_shot import StarredExample, choose_examples
from desktop.services.fields import find_fields
from desktop.services.highlights import find_lead
from desktop.services.instructions import Instruction, find_instructions
from desktop.services.lines import write_lines
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.services.prepared import PreparedTicket, PreparedTickets
from desktop.services.prompting import AnswerForm, Style, build_prompt, most_answer_tokens, wanted_sections
from desktop.services.recipes import Example, Recipe, RecipeBook, with_sections_of
from desktop.services.summary_run import (
    LEFT,
    STOPPED,
    TASK,
    Question,
    SummaryRun,
    Tools,
    unless_stopped,
)
from desktop.services.verifying import check_sentence, verify_text
from desktop.services.versions import compare_claims, hash_messages
from desktop.storage.runs import EDIT, NewRun, RunStore, StoredSummary
from desktop.storage.tickets import TicketStore

T = TypeVar("T")

SHORTEST_THREAD_WORDS = 6
MOST_STARRED = 50
"""Starred tickets among which examples are looked for, the newest stars first."""
MERGE, INCREMENTAL = "merge", "incremental"
TOO_SHORT = "the ticket is too short to summarize"
OPINION_USAGE = Usage(input_tokens=500, output_tokens=40)
"""What a second opinion takes as a rule: two or three claims with their sentences, and a word for each."""
EXPECTED_ANSWER_SHARE = 0.4
"""Of the longest answer that a recipe allows, what a summary takes as a rule: for estimates only."""


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A ticket as it is shown: its thread and sentences, its highlights, and its summary if there is one.

    `instructions` are passages that address a model; `version_count` tells how many texts were written of it.

    `is_unfinished` tells that nobody has decided about a summary yet: none was written, or its writing was broken off by leaving the ticket.
    """

    thread: Thread
    sentences: tuple[Sentence, ...]
    highlights: tuple[Highlight, ...]
    summary: Summary | None
    is_unfinished: bool
    instructions: tuple[Instruction, ...] = ()
    is_starred: bool = False
    version_count: int = 0


class SummaryService:
    """Summaries of one ticket at a time; the queue of many stands above it."""

    def __init__(
        self,
        *,
        tickets: TicketStore,
        runs: RunStore,
        outbound: Outbound,
        recipes: RecipeBook,
        settings: Settings,
        secret: bytes,
        workers: Executor,
        target: Callable[[str, str], Target],
        resolve: Callable[[str, str], Awaitable[Endpoint]],
    ) -> None:
        self._prepared = PreparedTickets(tickets, workers, lambda: str(settings.get("strictness")))
        self._tickets = tickets
        self._runs = runs
        self._outbound = outbound
        self._recipes = recipes
        self._settings = settings
        self._secret = secret
        self._workers = workers
        self._target = target
        self._resolve = resolve
        self._starred: tuple[StarredExample, ...] | None = None

    async def open_ticket(self, ticket_id: int) -> OpenedTicket:
        """Return all that is shown of a ticket before any model is asked.

        Raises:
            DeskError: `ticket-missing`.
        """
        prepared = await self._prepared.get(ticket_id)
        found = await self._runs.latest(ticket_id)
        summary = await self._restore(prepared, found) if found else None
        instructions = await self._on_worker(partial(find_instructions, prepared.thread))
        return OpenedTicket(
            prepared.thread,
            prepared.sentences,
            prepared.highlights,
            summary,
            is_unfinished=summary is None or (summary.state is RunState.CANCELLED and summary.reason == LEFT),
            instructions=instructions,
            is_starred=ticket_id in await self._runs.starred(),
            version_count=await self._runs.count_versions(ticket_id),
        )

    async def _restore(self, prepared: PreparedTicket, stored: StoredSummary) -> Summary:
        """Return a stored summary as it is to be shown, with what of the ticket changed since."""
        summary = stored.summary
        if summary.text and not summary.claims:
            # The program ended while it was being written: there is the text, and no claim was recorded.
            summary = await self._on_worker(partial(_read_again, summary, prepared, self._recipes))
        else:
            # By today's rules and the strictness that is set now: a summary written before is judged like one written today.
            summary = await self._on_worker(partial(_check_again, summary, prepared))
        is_stale = stored.content_hash != prepared.thread.content_hash
        newer = len(prepared.thread.messages) - stored.message_count if is_stale and _is_prefix(stored, prepared) else 0
        return replace(summary, highlights=prepared.highlights, stale=is_stale, newer_messages=newer, cached=True)

    # Versions

    async def versions(self, ticket_id: int) -> tuple[Version, ...]:
        """Return all texts that were written of a ticket, the newest first."""
        return await self._runs.versions(ticket_id)

    async def version(self, ticket_id: int, run_id: int) -> Summary:
        """Return one version as it was.

        Raises:
            DeskError: `ticket-missing`, `version-missing`.
        """
        prepared = await self._prepared.get(ticket_id)
        stored = await self._runs.version(ticket_id, run_id)
        if stored is None:
            raise DeskError("version-missing", "That version is no longer there.", remedy="Choose another one.")
        return await self._restore(prepared, stored)

    async def restore(self, ticket_id: int, run_id: int) -> Summary:
        """Have a ticket show one of its versions, and return it. It stays until another is chosen or written on request.

        Raises:
            DeskError: `ticket-missing`, `version-missing`.
        """
        summary = await self.version(ticket_id, run_id)
        await self._runs.restore(ticket_id, run_id)
        return summary

    @staticmethod
    def compare(old: Summary, new: Summary) -> tuple[ClaimChange, ...]:
        """Return what became of each claim from one version to another."""
        return compare_claims(old.claims, new.claims)

    async def edit(self, ticket_id: int, text: str) -> Summary:
        """Keep what a person wrote (lines form) as a version of its own, checked like any text, and show it from now on.

        Raises:
            DeskError: `ticket-missing`, `edit-empty`.
        """
        prepared = await self._prepared.get(ticket_id)
        found = await self._runs.latest(ticket_id)
        recipe = found.summary.recipe if found else TASK
        work = partial(_read_edit, text, prepared, self._recipes, recipe)
        summary = await self._on_worker(work)
        if not summary.claims:
            raise DeskError("edit-empty", "There is no sentence in this text.", remedy="Write one, or cancel.")
        thread = prepared.thread
        run = NewRun(
            ticket_id=ticket_id,
            task=EDIT,
            recipe=summary.recipe,
            recipe_version=summary.recipe_version,
            recipe_digest="",
            provider="",
            model="",
            cache_key="",
            content_hash=thread.content_hash,
            message_count=len(thread.messages),
            messages_hash=hash_messages(thread.messages),
        )
        run_id = await self._runs.keep_edit(run, summary, prepared.sentences)
        self._starred = None
        return replace(summary, run_id=run_id)

    async def verify(self, ticket_id: int, text: str) -> Verified:
        """Check any text against a ticket, sentence by sentence.

        Raises:
            DeskError: `ticket-missing`, `text-empty`.
        """
        prepared = await self._prepared.get(ticket_id)
        work = partial(verify_text, prepared.thread, prepared.sentences, prepared.evidence, text)
        return await self._on_worker(work)

    def opinion_price_microusd(self) -> int | None:
        """Return about what a second opinion costs a ticket with the default provider; None when no price is known.

        Raises:
            DeskError: `provider-missing`.
        """
        return self._outbound.cost_microusd(self._target("", ""), OPINION_USAGE)

    async def star(self, ticket_id: int, is_starred: bool) -> None:
        """Take a ticket's summary as an example for others, or no longer."""
        await self._runs.star(ticket_id, is_starred=is_starred)
        self._starred = None

    async def examples(self, thread: Thread, recipe: Recipe) -> tuple[Example, ...]:
        """Return the starred summaries that are sent along as examples for a ticket."""
        if self._starred is None:
            found: list[StarredExample] = []
            for ticket_id in (await self._runs.starred())[:MOST_STARRED]:
                other, stored = await self._tickets.thread(ticket_id), await self._runs.latest(ticket_id)
                if other is not None and stored is not None:
                    found.append(StarredExample(other, _as_example(stored.summary, self._sections(recipe))))
            self._starred = tuple(found)
        return await self._on_worker(partial(choose_examples, thread, self._starred, audience=recipe.audience))

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

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
        chosen = await asyncio.to_thread(self._recipes.load, recipe)
        target = self._target(provider, model)
        total = Estimate(tickets=len(ticket_ids))
        for ticket_id in ticket_ids:
            prepared = await self._prepared.get(ticket_id)
            question = await self._question(prepared, chosen, target)
            if not refresh and await self._runs.cached(self._cache_key(prepared.thread, question, target)) is not None:
                total = replace(total, cached=total.cached + 1)
                continue
            work = partial(self._count_input_tokens, prepared, question, target)
            input_tokens = await self._on_worker(work)
            if input_tokens:
                most = most_answer_tokens(chosen, style=question.style, form=question.form)
                total = self._add_call(total, target, input_tokens, most)
        return total

    def _count_input_tokens(self, prepared: PreparedTicket, question: Question, target: Target) -> int:
        """Return about how many tokens the prompt for a thread has; 0 when no call would be made."""
        if _is_too_short(prepared.sentences):
            return 0
        prompt = build_prompt(
            prepared.thread,
            prepared.sentences,
            recipe=question.recipe,
            model=target.model,
            sections=question.sections,
            style=question.style,
            form=question.form,
            secret=self._secret,
            examples=question.examples,
        )
        counted = sum(self._outbound.count_tokens(m.content, target.model) for m in prompt.request.messages)
        return int(counted * question.token_ratio)

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
        chosen = await asyncio.to_thread(self._recipes.load, recipe)
        target = self._target(provider, model)
        yield Highlights(prepared.highlights)
        if _is_too_short(prepared.sentences):
            yield Finished(_nothing(prepared, chosen, target, TOO_SHORT, remedy="Read it as it is."))
            return
        question = await self._question(prepared, chosen, target)
        key = self._cache_key(prepared.thread, question, target)
        found = None if refresh else await self._runs.cached(key)
        if found is not None:
            summary = replace(found.summary, highlights=prepared.highlights, cached=True)
            yield Cached(summary)
            yield Finished(summary)
            return
        endpoint = await self._reach(target, stop)
        if not isinstance(endpoint, Endpoint):
            state = RunState.FAILED if endpoint.code else RunState.CANCELLED
            nothing = _nothing(prepared, chosen, target, endpoint.message, remedy=endpoint.remedy)
            yield Finished(replace(nothing, state=state, error=endpoint.code))
            return
        question = await self._only_what_is_new(prepared, replace(question, releases_pin=refresh))
        tools = Tools(
            runs=self._runs,
            outbound=self._outbound,
            workers=self._workers,
            secret=self._secret,
            merge_recipe=await asyncio.to_thread(self._recipes.load, MERGE),
        )
        run = SummaryRun(prepared, question, endpoint, tools)
        async with aclosing(run.events(cache_key=key, stop=stop)) as events:
            async for event in events:
                yield event

    async def _question(self, prepared: PreparedTicket, recipe: Recipe, target: Target) -> Question:
        """Return what is asked of a ticket by a recipe with the user's settings."""
        return Question(
            recipe=recipe,
            sections=self._sections(recipe),
            style=self._style(),
            # The built-in model is too small to keep an object's form; whoever else cannot is told apart by its refusal.
            form=AnswerForm.LINES if target.name == BUILT_IN else AnswerForm.JSON,
            task=TASK if recipe.name == TASK else recipe.name,
            examples=await self.examples(prepared.thread, recipe),
            token_ratio=await self._token_ratio(target),
            wants_opinion=bool(self._settings.get("second_opinion")) and target.name != BUILT_IN,
        )

    async def _token_ratio(self, target: Target) -> float:
        """Return how many tokens a model makes of what is counted here as one, as its provider reported of late; never less than counted."""
        return max(1.0, await self._runs.token_ratio(target.name, target.model) or 1.0)

    async def _only_what_is_new(self, prepared: PreparedTicket, question: Question) -> Question:
        """Ask for the earlier summary to be brought up to date, where only newer messages came since it was written.

        A person's edit is not built upon: what it left out on purpose would come back as if the ticket said so.
        """
        if question.task != TASK:
            return question
        stored = await self._runs.latest(prepared.thread.ticket.id)
        if stored is None or stored.summary.state is not RunState.COMPLETE or stored.summary.is_edit:
            return question
        first = stored.message_count
        messages = prepared.thread.messages
        is_same_recipe = stored.summary.recipe == question.recipe.name
        if not is_same_recipe or not 0 < first < len(messages) or not _is_prefix(stored, prepared):
            return question
        standing = [c for c in stored.summary.claims if c.support not in (Support.UNSUPPORTED, Support.UNCITED)]
        if not standing:
            return question
        incremental = await asyncio.to_thread(self._recipes.load, INCREMENTAL)
        return replace(
            question,
            recipe=replace(
                with_sections_of(incremental, question.recipe),
                name=question.recipe.name,
                version=question.recipe.version,
            ),
            positions=tuple(message.position for message in messages[first:]),
            earlier=write_lines(standing),
            read_before=tuple(message.position for message in messages[: stored.summary.coverage.read]),
        )

    def _sections(self, recipe: Recipe) -> tuple[str, ...]:
        return wanted_sections(recipe, choose_sections(self._settings.get("sections")))

    def _style(self) -> Style:
        return Style(*(self._settings.get(f"summary_{name}") for name in ("language", "length", "tone")))

    @staticmethod
    def _cache_key(thread: Thread, question: Question, target: Target) -> str:
        """Name a summary by all that it depends on: content, what is asked, provider (its address, not its port of today) and model."""
        address = "built-in" if target.name == BUILT_IN else target.base_url
        recipe, style = question.recipe, question.style
        examples = [[example.thread, example.summary] for example in question.examples]
        parts: list[object] = [thread.content_hash, recipe.name, recipe.version, recipe.digest]
        parts += [target.name, address, target.model, question.sections, question.form.value]
        parts += [style.language, style.length, style.tone, examples]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

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


def _is_prefix(stored: StoredSummary, prepared: PreparedTicket) -> bool:
    """Tell whether the ticket's first messages are those that a summary was made from."""
    messages = prepared.thread.messages[: stored.message_count]
    return bool(stored.messages_hash) and hash_messages(messages) == stored.messages_hash


def _read_again(summary: Summary, prepared: PreparedTicket, recipes: RecipeBook) -> Summary:
    try:
        sections = recipes.load(summary.recipe).sections
    except DeskError:
        sections = ()
    parser = AnswerParser(sections)
    claims = (*parser.feed(summary.text), *parser.finish())
    checked = tuple(check_sentence(claim, prepared.evidence) for claim in claims)
    text = write_lines(checked) if parser.is_object and checked else summary.text
    return replace(summary, text=text, claims=checked, sections=parser.sections)


def _check_again(summary: Summary, prepared: PreparedTicket) -> Summary:
    checked = (replace(check_sentence(c.claim, prepared.evidence), opinion=c.opinion) for c in summary.claims)
    return replace(summary, claims=tuple(checked))


def _read_edit(text: str, prepared: PreparedTicket, recipes: RecipeBook, name: str) -> Summary:
    """Read what a person wrote as a summary. The gist stands in the list as it is: a person answers for it."""
    try:
        recipe = recipes.load(name)
    except DeskError:
        recipe = recipes.load(TASK)
    parser = SummaryParser(recipe.sections)
    claims = (*parser.feed(text), *parser.finish())
    checked = tuple(check_sentence(claim, prepared.evidence) for claim in claims)
    return Summary(
        ticket_id=prepared.thread.ticket.id,
        state=RunState.COMPLETE,
        text=text.strip(),
        gist=" ".join(claim.text for claim in claims if claim.section == GIST),
        sections=parser.sections,
        claims=checked,
        coverage=coverage(prepared.evidence, checked, read=len(prepared.thread.messages)),
        highlights=prepared.highlights,
        recipe=recipe.name,
        recipe_version=recipe.version,
        cost_microusd=0,
        created_at=now(),
        task=EDIT,
        is_edit=True,
        fields=find_fields(checked, thread=prepared.thread, sections=recipe.sections, is_edit=True),
    )


def _as_example(summary: Summary, sections: Sequence[str]) -> str:
    """Return a summary as an example of an answer: every wanted section has its line."""
    kept = [c for c in summary.claims if summary.is_edit or c.support not in (Support.UNSUPPORTED, Support.UNCITED)]
    by_section: dict[str, list[CheckedClaim]] = {}
    for checked in kept:
        by_section.setdefault(checked.claim.section, []).append(checked)
    lines = [write_lines(by_section.get(GIST, ()))]
    lines += [write_lines(by_section.get(name, ())) or f"{name}: {NOT_IN_TICKET}" for name in sections]
    return "\n".join(line for line in lines if line)


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
