"""Summaries: from a ticket to a summary whose every claim was checked, as a stream of events.

Highlights come at once and from no model. Then the summary that was written before from the same content by the same recipe and model, or a run that
writes one (`summary_run`). A summary that is there is never hidden by a newer one that did not end well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import (
    ClaimChange,
    Estimate,
    Finished,
    Highlight,
    Highlights,
    RunState,
    Summary,
    SummaryEvent,
    Verified,
    Version,
)
from desktop.domain.sections import choose_sections
from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Thread
from desktop.services.estimating import OPINION_USAGE, add_estimate
from desktop.services.few_shot import choose_examples
from desktop.services.highlights import find_lead
from desktop.services.instructions import Instruction, find_instructions
from desktop.services.outbound import Outbound, Target
from desktop.services.prepared import PreparedTicket, PreparedTickets
from desktop.services.prompting import AnswerForm, Style, wanted_sections
from desktop.services.questions import TASK, Question, name_question, namer
from desktop.services.reading_again import read_edit, restore_summary
from desktop.services.recipes import Example, Recipe, RecipeBook
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION
from desktop.services.starred import StarredSummaries
from desktop.services.summary_run import LEFT
from desktop.services.summary_writing import SummaryWriter, Wanted, nothing_written
from desktop.services.token_ratios import TokenRatios
from desktop.services.updating import bring_up_to_date, is_built_upon
from desktop.services.verifying import verify_text
from desktop.services.versions import compare_claims, hash_messages
from desktop.storage.runs import EDIT, NewRun, RunStore, StoredSummary
from desktop.storage.tickets import TicketStore

T = TypeVar("T")

SHORTEST_THREAD_WORDS = 6
INCREMENTAL = "incremental"
TOO_SHORT = "the ticket is too short to summarize"


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
        writer: SummaryWriter,
    ) -> None:
        self._prepared = PreparedTickets(tickets, workers, lambda: str(settings.get("strictness")))
        self._tickets = tickets
        self._runs = runs
        self._outbound = outbound
        self._recipes = recipes
        self._settings = settings
        self._secret = secret
        self._workers = workers
        self._writer = writer
        self._starred = StarredSummaries(tickets, runs)
        self._token_ratios = TokenRatios(runs)

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
        return await self._on_worker(partial(restore_summary, stored, prepared, self._recipes))

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
        self._starred.forget()
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
        work = partial(read_edit, text, prepared, self._recipes, recipe)
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
            text_key="",
            content_hash=thread.content_hash,
            message_count=len(thread.messages),
            messages_hash=hash_messages(thread.messages),
        )
        run_id = await self._runs.keep_edit(run, summary, prepared.sentences)
        self._starred.forget()
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
        return self._outbound.cost_microusd(self._writer.targets(SECOND_OPINION)[0], OPINION_USAGE)

    async def star(self, ticket_id: int, is_starred: bool) -> None:
        """Take a ticket's summary as an example for others, or no longer."""
        await self._starred.star(ticket_id, is_starred=is_starred)

    def forget(self) -> None:
        """Read anew what is kept of tickets: a person was erased from them."""
        self._starred.forget()
        self._prepared.forget()

    async def examples(self, thread: Thread, recipe: Recipe) -> tuple[Example, ...]:
        """Return the starred summaries that are sent along as examples for a ticket."""
        starred = await self._starred.all(self._sections(recipe))
        if not starred:
            return ()
        return await self._on_worker(partial(choose_examples, thread, starred, audience=recipe.audience))

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def leads(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Return for each ticket the highlight that stands in its list row while it has no gist; '' for none. No model is asked."""
        found: dict[int, str] = {}
        for ticket_id in ticket_ids:
            if (thread := await self._tickets.thread(ticket_id)) is not None:
                found[ticket_id] = await self._on_worker(partial(find_lead, thread))
        return found

    def targets(self, recipe: str, provider: str = "", model: str = "") -> Sequence[Target]:
        """Return whom a recipe's summaries would be asked of, in this order.

        Raises:
            DeskError: `provider-missing`.
        """
        return self._writer.targets(recipe, provider, model)

    async def namer(self, recipe: str, target: Target) -> Callable[[str], str] | None:
        """Return what names summaries by the content hashes of their tickets, see `questions.namer`.

        None where that takes a look at each ticket: starred tickets are sent along as examples, those that are like it.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken`.
        """
        chosen = await self._recipes.loaded(recipe)
        return None if await self._runs.starred() else namer(self._asked(chosen, target), target)

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
        chosen = await self._recipes.loaded(recipe)
        target = self._writer.targets(recipe, provider, model)[0]
        total = Estimate(tickets=len(ticket_ids))
        for ticket_id in ticket_ids:
            prepared = await self._prepared.get(ticket_id)
            question = await self._question(prepared, chosen, target)
            if not refresh and await self._runs.cached(name_question(prepared.thread, question, target)) is not None:
                total = replace(total, cached=total.cached + 1)
                continue
            if not _is_too_short(prepared.sentences):
                question = await self.only_what_is_new(prepared, question)
                work = partial(
                    add_estimate, total, question, prepared, target, outbound=self._outbound, secret=self._secret
                )
                total = await self._on_worker(work)
        return total

    async def stream(
        self,
        ticket_id: int,
        *,
        provider: str = "",
        model: str = "",
        recipe: str = TASK,
        refresh: bool = False,
        continue_run: int = 0,
        is_urgent: bool = True,
        stop: asyncio.Event | None = None,
    ) -> AsyncGenerator[SummaryEvent, None]:
        """Summarize one ticket. Setting `stop` closes the connection and ends the run as cancelled, its text kept.

        `continue_run` has an answer that broke off written to its end. `is_urgent` when a person waits for it. A fault of the provider is no
        exception here: it is the `Finished` event's state, reason and remedy.

        Raises:
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`, `provider-missing`, `version-missing`, `version-whole`.
        """
        prepared = await self._prepared.get(ticket_id)
        begun = await self._begun(ticket_id, continue_run) if continue_run else ""
        chosen = await self._recipes.loaded(recipe)
        targets = self._writer.targets(recipe, provider, model)
        yield Highlights(prepared.highlights)
        if _is_too_short(prepared.sentences):
            yield Finished(nothing_written(prepared, chosen, targets[0], TOO_SHORT, remedy="Read it as it is."))
            return
        wanted = Wanted(
            prepared,
            chosen,
            question=partial(self._question, prepared, chosen),
            only_what_is_new=partial(self.only_what_is_new, prepared),
            stop=stop or asyncio.Event(),
            refresh=refresh,
            is_urgent=is_urgent,
            begun=begun,
        )
        try:
            async with aclosing(self._writer.write(targets, wanted)) as events:
                async for event in events:
                    yield event
        finally:
            self._starred.changed(ticket_id)

    async def _begun(self, ticket_id: int, run_id: int) -> str:
        """Return the text of an answer that broke off.

        Raises:
            DeskError: `version-missing`, `version-whole`.
        """
        stored = await self._runs.version(ticket_id, run_id)
        if stored is None or not stored.summary.text:
            raise DeskError("version-missing", "There is no text to go on from.", remedy="Have it written anew.")
        if stored.summary.state is RunState.COMPLETE:
            raise DeskError("version-whole", "That summary is whole already.", remedy="Have it written anew.")
        return stored.summary.text

    async def question(self, ticket_id: int, recipe: Recipe, target: Target) -> tuple[PreparedTicket, Question] | None:
        """Return a ticket and what a recipe asks of it; None when it is too short to ask anything.

        Raises:
            DeskError: `ticket-missing`.
        """
        prepared = await self._prepared.get(ticket_id)
        return None if _is_too_short(prepared.sentences) else (prepared, await self._question(prepared, recipe, target))

    async def _question(self, prepared: PreparedTicket, recipe: Recipe, target: Target) -> Question:
        """Return what is asked of a ticket by a recipe with the user's settings."""
        return replace(
            self._asked(recipe, target),
            examples=await self.examples(prepared.thread, recipe),
            token_ratio=await self._token_ratios.of(target),
        )

    def _asked(self, recipe: Recipe, target: Target) -> Question:
        """Return what is asked of any ticket, but for the examples that are sent along."""
        return Question(
            recipe=recipe,
            sections=self._sections(recipe),
            style=self._style(),
            # The built-in model is too small to keep an object's form; whoever else cannot is told apart by its refusal.
            form=AnswerForm.LINES if target.name == BUILT_IN else AnswerForm.JSON,
            task=TASK if recipe.name == TASK else recipe.name,
            wants_opinion=bool(self._settings.get("second_opinion")) and target.name != BUILT_IN,
        )

    async def only_what_is_new(self, prepared: PreparedTicket, question: Question) -> Question:
        """Ask for the earlier summary to be brought up to date, where only newer messages came since it was written."""
        stored = await self._runs.latest(prepared.thread.ticket.id)
        if stored is None or not is_built_upon(stored, prepared, question):
            return question
        incremental = await self._recipes.loaded(INCREMENTAL)
        return bring_up_to_date(question, stored, prepared, incremental=incremental)

    def _sections(self, recipe: Recipe) -> tuple[str, ...]:
        return wanted_sections(recipe, choose_sections(self._settings.get("sections")))

    def _style(self) -> Style:
        return Style(*(self._settings.get(f"summary_{name}") for name in ("language", "length", "tone")))


def _is_too_short(sentences: Sequence[Sentence]) -> bool:
    return sum(len(sentence.text.split()) for sentence in sentences) < SHORTEST_THREAD_WORDS
