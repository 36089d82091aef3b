"""Questions: what is asked of a ticket, and the requests that it takes, within what the model can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from desktop.domain.llm import ChatMessage, ChatRequest
from desktop.domain.providers import BUILT_IN
from desktop.domain.tickets import Thread
from desktop.services.outbound import Target
from desktop.services.parts import Part, cut_into_parts
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import (
    AnswerForm,
    Prompt,
    Style,
    answer_schema,
    build_prompt,
    fixed_messages,
    most_answer_tokens,
)
from desktop.services.recipes import Example, Recipe

TASK = "summarize"
_SPARE_TOKENS = 96
_CONTINUE = "Your answer broke off there. Go on from its very last character: repeat nothing of it, add no remark, keep its form."
CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a ticket: the recipe and its wanted sections, the form of the answer, what is sent along.

    `positions` are the messages to read, all when None; `earlier` is the earlier summary (lines form) of those before, which were at `read_before`.
    `task` is what the run is recorded as.
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

    @property
    def people(self) -> tuple[str, ...]:
        """Return the people of the examples' tickets."""
        return tuple(name for example in self.examples for name in example.people)

    @property
    def answer_tokens(self) -> int:
        """Return how long an answer may become, in tokens."""
        return most_answer_tokens(self.recipe, style=self.style, form=self.form)


def fixed_tokens(question: Question, *, secret: bytes, count_tokens: CountTokens) -> int:
    """Count what every request of a question holds besides messages and earlier summaries, in tokens."""
    q = question
    opening = fixed_messages(q.recipe, sections=q.sections, style=q.style, form=q.form, secret=secret)
    examples = (text for example in q.examples for text in (example.thread, example.summary))
    return sum(count_tokens(message.content) for message in opening) + sum(map(count_tokens, examples)) + _SPARE_TOKENS


def plan_parts(
    question: Question, prepared: PreparedTicket, target: Target, *, secret: bytes, count_tokens: CountTokens
) -> tuple[Part, ...]:
    """Return the parts in which a ticket is read: one where it fits into the model as it is."""
    taken = fixed_tokens(question, secret=secret, count_tokens=count_tokens) + count_tokens(question.earlier)
    return cut_into_parts(
        prepared.thread,
        prepared.sentences,
        audience=question.recipe.audience,
        budget=target.context_tokens - taken - question.answer_tokens,
        count_tokens=count_tokens,
        positions=question.positions,
    )


def make_prompt(
    question: Question,
    prepared: PreparedTicket,
    *,
    model: str,
    secret: bytes,
    part: Part | None,
    recipe: Recipe | None = None,
    earlier: str = "",
) -> Prompt:
    """Return the request for one part of a ticket, or for none of its messages; `recipe` stands in for the question's own."""
    prompt = build_prompt(
        prepared.thread,
        part.sentences if part else (),
        recipe=recipe or question.recipe,
        model=model,
        sections=question.sections,
        style=question.style,
        form=question.form,
        secret=secret,
        positions=part.positions if part else (),
        examples=question.examples,
        earlier=earlier,
    )
    return replace(prompt, request=_with_schema(prompt.request, question))


def _with_schema(request: ChatRequest, question: Question) -> ChatRequest:
    is_object = question.form is AnswerForm.JSON
    return replace(request, schema=answer_schema(question.sections)) if is_object else request


def continue_answer(request: ChatRequest, begun: str) -> ChatRequest:
    """Return the request that has an answer that broke off written to its end."""
    more = (ChatMessage("assistant", begun), ChatMessage("user", _CONTINUE))
    return replace(request, messages=(*request.messages, *more), schema=None)


def name_question(thread: Thread, question: Question, target: Target) -> str:
    """Name a summary by all that it depends on: content, what is asked, provider (its address, not its port of today) and model."""
    return namer(question, target)(thread.content_hash)


def namer(question: Question, target: Target) -> Callable[[str], str]:
    """Return what names the summaries of one question by their tickets' content hashes: many of them as quickly as can be."""
    address = BUILT_IN if target.name == BUILT_IN else target.base_url
    recipe, style = question.recipe, question.style
    examples = [[example.thread, example.summary] for example in question.examples]
    parts: list[object] = [recipe.name, recipe.version, recipe.digest]
    parts += [target.name, address, target.model, question.sections, question.form.value]
    parts += [style.language, style.length, style.tone, examples]
    # A list in JSON whose first element is the content hash.
    rest = f", {json.dumps(parts)[1:]}"
    return lambda content_hash: hashlib.sha256(f"[{json.dumps(content_hash)}{rest}".encode()).hexdigest()
