"""Batch requests: what is asked of a ticket in a batch, what goes out of it, and what must be kept here to read the answer a day later.

Only a ticket that takes exactly one request is handed over. The text of the request is not kept: the answer is read with the values that stayed here,
and checked against the ticket as it was, as far as it still is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desktop.domain.batches import BatchAnswer
from desktop.domain.llm import ChatRequest
from desktop.domain.outgoing import Redaction
from desktop.domain.runs import Summary, Usage
from desktop.services.composing import Spent, summary_from_answer
from desktop.services.outbound import Outbound, Sending, Target
from desktop.services.prepared import PreparedTicket, prepare_ticket
from desktop.services.prompting import AnswerForm, Style
from desktop.services.questions import CountTokens, Question, make_prompt, plan_parts
from desktop.services.recipes import Recipe
from desktop.services.versions import hash_messages
from desktop.storage.runs import NewRun


@dataclass(frozen=True, slots=True)
class Planned:
    """The one request that a ticket takes, without what identifies people; `values` stand behind its placeholders and stay here.

    `most` is what it can take at most.
    """

    request: ChatRequest
    redactions: tuple[Redaction, ...]
    values: Mapping[str, str]
    asked: Mapping[str, Any]
    most: Usage


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as it was written down with the batch."""

    question: Question
    content_hash: str
    message_count: int
    messages_hash: str
    text_key: str
    shown: tuple[int, ...]
    estimated_tokens: int


def plan_request(
    question: Question,
    prepared: PreparedTicket,
    target: Target,
    *,
    text_key: str,
    secret: bytes,
    outbound: Outbound,
) -> Planned | None:
    """Return the request for a ticket, None where it takes more than one."""

    def count_tokens(text: str) -> int:
        return int(outbound.count_tokens(text, target.model) * question.token_ratio) + 1

    prompt = _only_prompt(question, prepared, target, secret=secret, count_tokens=count_tokens)
    if prompt is None:
        return None
    request, shown = prompt
    redactor = outbound.redactor(target, prepared.thread, question.people)
    request = outbound.redacted(request, Sending(question.task, redactor=redactor))
    sent = "\n".join(message.content for message in request.messages)
    values = {name: value for name, value in redactor.values.items() if name in sent} if redactor else {}
    estimated = sum(outbound.count_tokens(message.content, target.model) for message in request.messages)
    return Planned(
        request,
        redactor.redactions if redactor else (),
        values,
        _written_down(question, prepared, text_key=text_key, shown=shown, estimated_tokens=estimated),
        Usage(int(estimated * question.token_ratio) + 1, request.max_tokens),
    )


def _only_prompt(
    question: Question, prepared: PreparedTicket, target: Target, *, secret: bytes, count_tokens: CountTokens
) -> tuple[ChatRequest, tuple[int, ...]] | None:
    parts = plan_parts(question, prepared, target, secret=secret, count_tokens=count_tokens)
    if len(parts) > 1 or question.wants_opinion:
        return None
    prompt = make_prompt(
        question,
        prepared,
        model=target.model,
        secret=secret,
        part=parts[0] if parts else None,
        earlier=question.earlier,
    )
    return prompt.request, prompt.shown


def _written_down(
    question: Question, prepared: PreparedTicket, *, text_key: str, shown: tuple[int, ...], estimated_tokens: int
) -> dict[str, Any]:
    thread, recipe = prepared.thread, question.recipe
    return {
        "recipe": recipe.name,
        "version": recipe.version,
        "digest": recipe.digest,
        "sections": list(question.sections),
        "form": question.form.value,
        "task": question.task,
        "releases_pin": question.releases_pin,
        "content_hash": thread.content_hash,
        "message_count": len(thread.messages),
        "messages_hash": hash_messages(thread.messages),
        "text_key": text_key,
        "shown": sorted({*shown, *question.read_before}),
        "estimated_tokens": estimated_tokens,
    }


def read_asked(values: Mapping[str, Any]) -> Asked:
    """Return what was asked, from what was written down."""
    sections = tuple(values["sections"])
    # All that is told of a recipe once its answer is there; the prompt itself is none of it.
    recipe = Recipe(
        name=values["recipe"],
        version=values["version"],
        task=values["task"],
        description="",
        sections=sections,
        prompt="",
        examples=(),
        max_tokens=0,
        temperature=None,
        digest=values["digest"],
        path=Path(),
    )
    question = Question(
        recipe=recipe,
        sections=sections,
        style=Style(),
        form=AnswerForm(values["form"]),
        task=values["task"],
        releases_pin=bool(values["releases_pin"]),
    )
    return Asked(
        question,
        content_hash=values["content_hash"],
        message_count=values["message_count"],
        messages_hash=values["messages_hash"],
        text_key=values["text_key"],
        shown=tuple(values["shown"]),
        estimated_tokens=values["estimated_tokens"],
    )


def as_it_was(asked: Asked, prepared: PreparedTicket) -> PreparedTicket:
    """Return a ticket as it was when it was asked about, where it only got newer messages since; else as it is."""
    thread = prepared.thread
    before = thread.messages[: asked.message_count]
    has_grown = thread.content_hash != asked.content_hash and hash_messages(before) == asked.messages_hash
    if not has_grown or len(before) == len(thread.messages):
        return prepared
    return prepare_ticket(replace(thread, messages=before), strictness=prepared.evidence.strictness)


def read_answer(
    answer: BatchAnswer, asked: Asked, prepared: PreparedTicket, target: Target, *, cost_microusd: int | None
) -> Summary:
    """Return the summary that an answer makes."""
    assert answer.end is not None
    return summary_from_answer(
        answer.text,
        answer.thinking,
        prepared=prepared,
        question=asked.question,
        target=target,
        end=answer.end,
        spent=Spent(answer.end.usage or Usage(), cost_microusd),
        shown=asked.shown,
    )


def run_of(asked: Asked, ticket_id: int, target: Target, *, cache_key: str) -> NewRun:
    """Return what is known of the run that an answer belongs to: it was made from the ticket as it was then, and is stale if that changed."""
    recipe = asked.question.recipe
    return NewRun(
        ticket_id=ticket_id,
        task=asked.question.task,
        recipe=recipe.name,
        recipe_version=recipe.version,
        recipe_digest=recipe.digest,
        provider=target.name,
        model=target.model,
        cache_key=cache_key,
        text_key=asked.text_key,
        content_hash=asked.content_hash,
        message_count=asked.message_count,
        messages_hash=asked.messages_hash,
    )
