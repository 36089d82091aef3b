"""Reading in parts: a ticket too long for a model is summarized part by part, a few at a time, and the summaries are merged, citations kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.runs import CheckedClaim, Progressed, Support
from desktop.services.answers import AnswerParser
from desktop.services.asking import Asker
from desktop.services.lines import write_lines
from desktop.services.parts import LEAST_BUDGET, Part, group_texts
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import Prompt
from desktop.services.questions import CountTokens, Question, make_prompt
from desktop.services.recipes import Recipe

T = TypeVar("T")

PARTS_AT_A_TIME = 4


class PartReading:
    """One ticket's parts. `read` holds the positions that were read, `unread_parts` how many parts could not be."""

    def __init__(
        self,
        question: Question,
        prepared: PreparedTicket,
        asker: Asker,
        *,
        merge_recipe: Recipe,
        secret: bytes,
        count_tokens: CountTokens,
        workers: Executor,
    ) -> None:
        self.read: set[int] = set()
        self.unread_parts = 0
        self._question = question
        self._prepared = prepared
        self._asker = asker
        self._merge_recipe = merge_recipe
        self._secret = secret
        self._count_tokens = count_tokens
        self._workers = workers
        self._texts: list[str] = []

    async def read_parts(self, parts: Sequence[Part]) -> AsyncGenerator[Progressed, None]:
        """Summarize the parts and yield how many were read.

        Raises:
            DeskError: one of `domain.llm.FAULTS`, when no part could be read.
        """
        yield Progressed(0, len(parts))
        gate = asyncio.Semaphore(1 if self._asker.endpoint.is_local else PARTS_AT_A_TIME)
        found: dict[int, str] = {}

        async def read(number: int) -> None:
            async with gate:
                prompt = await self._prompt(parts[number])
                if text := await self._ask(prompt):
                    found[number] = text
                    self.read.update(prompt.shown)

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
        self.unread_parts = len(parts) - len(found)
        earlier = [self._question.earlier] if self._question.earlier else []
        self._texts = [*earlier, *(found[number] for number in sorted(found))]

    async def merge_prompt(self) -> Prompt:
        """Return the request that makes one summary of what was read, merged beforehand as far as it would not fit."""
        texts, context = self._texts, self._asker.endpoint.context_tokens
        budget = max(LEAST_BUDGET * 2, context // 2 - self._question.answer_tokens)
        while len(texts) > 1 and sum(map(self._count_tokens, texts)) > budget and not self._asker.stop.is_set():
            merged = [
                await self._ask(await self._prompt(None, earlier=_joined(group))) or _joined(group)
                for group in group_texts(texts, budget=budget, count_tokens=self._count_tokens)
            ]
            if len(merged) >= len(texts):
                break
            texts = merged
        return await self._prompt(None, earlier=_joined(texts))

    async def _prompt(self, part: Part | None, *, earlier: str = "") -> Prompt:
        work = partial(
            make_prompt,
            self._question,
            self._prepared,
            model=self._asker.endpoint.model,
            secret=self._secret,
            part=part,
            recipe=None if part else self._merge_recipe,
            earlier=earlier,
        )
        return await self._on_worker(work)

    async def _ask(self, prompt: Prompt) -> str:
        """Return an answer as lines, each claim with its citations; '' where nothing was written."""
        text = await self._asker.ask(prompt.request)
        return await self._on_worker(partial(_as_lines, text, self._question.sections))

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _as_lines(text: str, sections: Sequence[str]) -> str:
    parser = AnswerParser(sections)
    claims = (*parser.feed(text), *parser.finish())
    return write_lines([CheckedClaim(c, Support.SUPPORTED, 1.0, citations=c.citations) for c in claims])


def _joined(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"Part {number}\n{text}" for number, text in enumerate(texts, start=1))
