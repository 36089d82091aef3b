"""Prompting: a thread as the numbered sentences that a model can cite.

Each message becomes a header line (`m2 · Sam O. (agent) · 2026-03-02 11:40`) and one line a sentence (`[m2.1] I can see both charges.`). Ticket
text is data: whatever it says, it stands between these lines and nowhere else in the prompt. A thread too long for the model keeps its first
message and as many of the latest as fit; which ones were shown is returned, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.domain.llm import ChatMessage, ChatRequest
from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Message, Thread
from desktop.services.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for a summary and the positions of the messages that are in it."""

    request: ChatRequest
    shown: tuple[int, ...]


def build_prompt(
    thread: Thread,
    sentences: Sequence[Sentence],
    *,
    recipe: Recipe,
    model: str,
    context_tokens: int,
    estimate_tokens: Callable[[str], int],
) -> Prompt:
    """Render a thread for a recipe, within the model's context (`context_tokens`, the answer's share included)."""
    opening = [ChatMessage("system", recipe.prompt)]
    for example in recipe.examples:
        opening += [ChatMessage("user", example.thread), ChatMessage("assistant", example.summary)]
    spent = sum(estimate_tokens(message.content) + 8 for message in opening) + recipe.max_tokens + 64
    blocks = _render_messages(thread.messages, sentences)
    shown = _choose(blocks, budget=max(200, context_tokens - spent), estimate_tokens=estimate_tokens)
    lines = [_header(thread)]
    previous = 0
    for position in shown:
        if position != previous + 1:
            lines.append(f"({position - previous - 1} messages are left out here)")
        lines.append(blocks[position])
        previous = position
    request = ChatRequest(
        model=model,
        messages=(*opening, ChatMessage("user", "\n\n".join(lines))),
        max_tokens=recipe.max_tokens,
        temperature=recipe.temperature,
    )
    return Prompt(request, shown)


def _header(thread: Thread) -> str:
    ticket = thread.ticket
    facts = [f"Status: {ticket.status or ticket.status_original or 'unknown'}"]
    if ticket.priority or ticket.priority_original:
        facts.append(f"Priority: {ticket.priority or ticket.priority_original}")
    return f"Ticket: {_one_line(ticket.title)}\n{' · '.join(facts)}"


def _render_messages(messages: Sequence[Message], sentences: Sequence[Sentence]) -> dict[int, str]:
    lines: dict[int, list[str]] = {}
    for message in messages:
        note = ", internal note" if message.internal else ""
        when = message.created_at.replace("T", " ")[:16]
        head = [f"m{message.position}", f"{_one_line(message.author) or 'Unknown'} ({message.role}{note})", when]
        lines[message.position] = [" · ".join(part for part in head if part)]
    for sentence in sentences:
        lines[sentence.position].append(f"[{sentence.id}] {_one_line(sentence.text)}")
    return {position: "\n".join(block) for position, block in lines.items()}


def _choose(blocks: dict[int, str], *, budget: int, estimate_tokens: Callable[[str], int]) -> tuple[int, ...]:
    """Keep the first message and the latest ones, as many as fit; a single one that is too long is cut at its end."""
    order = sorted(blocks)
    if not order:
        return ()
    first, rest = order[0], order[1:]
    kept, left = [], budget - estimate_tokens(blocks[first])
    for position in reversed(rest):
        cost = estimate_tokens(blocks[position])
        if cost > left:
            break
        kept.append(position)
        left -= cost
    if left < 0:
        _cut(blocks, first, budget, estimate_tokens)
    return (first, *reversed(kept))


def _cut(blocks: dict[int, str], position: int, budget: int, estimate_tokens: Callable[[str], int]) -> None:
    kept: list[str] = []
    for line in blocks[position].split("\n"):
        cost = estimate_tokens(line) + 1
        if cost > budget and kept:
            kept.append("(the rest of this message is left out)")
            break
        kept.append(line[: max(200, budget * 3)])
        budget -= cost
    blocks[position] = "\n".join(kept)


def _one_line(text: str) -> str:
    return " ".join(text.split())
