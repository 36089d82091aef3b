"""Prompt preview: what would be sent for a ticket by a recipe, word for word, and about how long it is. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage
from desktop.domain.sections import choose_sections
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Thread
from desktop.services.prompting import AnswerForm, Style, build_prompt, fixed_messages, guard, wanted_sections
from desktop.services.recipes import Example, Recipe
from desktop.storage.tickets import TicketStore

_EARLIER = {
    "incremental": "(the earlier summary stands here)",
    "merge": "(the summaries of the ticket's parts stand here, one after the other)",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt as it would be sent. Tokens are estimates; `fixed_tokens` of them, the first `fixed_count` messages, are the same for every ticket."""

    messages: tuple[ChatMessage, ...]
    fixed_count: int
    tokens: int
    fixed_tokens: int
    answer_tokens: int
    shown: int
    message_count: int


class PromptPreviews:
    """Makes previews with the user's settings."""

    def __init__(
        self,
        *,
        tickets: TicketStore,
        settings: Settings,
        secret: bytes,
        estimate_tokens: Callable[[str], int],
        examples: Callable[[Thread, Recipe], Awaitable[tuple[Example, ...]]],
        workers: Executor,
    ) -> None:
        """`examples` chooses the starred summaries that go along with a ticket."""
        self._examples = examples
        self._tickets = tickets
        self._settings = settings
        self._secret = secret
        self._estimate_tokens = estimate_tokens
        self._workers = workers

    def style(self) -> Style:
        """Return how summaries are to be written, as the settings have it."""
        return Style(*(self._settings.get(f"summary_{name}") for name in ("language", "length", "tone")))

    def sections(self, recipe: Recipe) -> tuple[str, ...]:
        """Return a recipe's sections as the settings have them."""
        return wanted_sections(recipe, choose_sections(self._settings.get("sections")))

    def fixed(self, recipe: Recipe, *, form: AnswerForm = AnswerForm.LINES) -> tuple[ChatMessage, ...]:
        """Return the part that is the same for every ticket."""
        return fixed_messages(
            recipe, sections=self.sections(recipe), style=self.style(), form=form, secret=self._secret
        )

    async def preview(
        self, recipe: Recipe, ticket_id: int | None = None, *, form: AnswerForm = AnswerForm.LINES
    ) -> Preview:
        """Return the prompt for a ticket; None shows where a ticket would stand.

        Raises:
            DeskError: `ticket-missing`.
        """
        thread = None if ticket_id is None else await self._tickets.thread(ticket_id)
        if ticket_id is not None and thread is None:
            raise DeskError(
                "ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list."
            )
        examples = () if thread is None else await self._examples(thread, recipe)
        work = partial(self._make, recipe, thread, form, examples)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def _make(self, recipe: Recipe, thread: Thread | None, form: AnswerForm, examples: tuple[Example, ...]) -> Preview:
        fixed = self.fixed(recipe, form=form)
        if thread is None:
            messages: tuple[ChatMessage, ...] = (
                *fixed,
                ChatMessage("user", guard("ticket", "(the ticket stands here)", self._secret)),
            )
            shown, answer_tokens = 0, recipe.max_tokens
        else:
            prompt = build_prompt(
                thread,
                number_sentences(thread.messages),
                recipe=recipe,
                model="",
                sections=self.sections(recipe),
                style=self.style(),
                form=form,
                secret=self._secret,
                examples=examples,
                positions=() if recipe.task == "merge" else None,
                earlier=_EARLIER.get(recipe.task, ""),
            )
            messages, shown = prompt.request.messages, len(prompt.shown)
            answer_tokens = prompt.request.max_tokens
        counts = [self._estimate_tokens(message.content) for message in messages]
        return Preview(
            messages=messages,
            fixed_count=len(fixed),
            tokens=sum(counts),
            fixed_tokens=sum(counts[: len(fixed)]),
            answer_tokens=answer_tokens,
            shown=shown,
            message_count=len(thread.messages) if thread else 0,
        )
