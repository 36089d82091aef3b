"""Parts: a ticket too long for a model, cut so that every part fits, at messages where that is possible.

What a prompt's fixed part and the answer leave of the model's context is the budget of a part. A single message over it is cut at sentences. Nothing
is left out: every sentence is in exactly one part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Thread
from desktop.services.prompting import render_messages

LEAST_BUDGET = 200
"""Tokens. Even a model with hardly any room is shown something."""
_HEADER_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a ticket's messages: their positions, and those of their sentences that belong to this part."""

    positions: tuple[int, ...]
    sentences: tuple[Sentence, ...]


def cut_into_parts(
    thread: Thread,
    sentences: Sequence[Sentence],
    *,
    audience: str,
    budget: int,
    count_tokens: Callable[[str], int],
    positions: Sequence[int] | None = None,
) -> tuple[Part, ...]:
    """Return the parts of a thread, or of its messages at `positions`, each of at most `budget` tokens: one where all of it fits."""
    room = max(LEAST_BUDGET, budget - _HEADER_TOKENS)
    by_message: dict[int, list[Sentence]] = {}
    for sentence in sentences:
        by_message.setdefault(sentence.position, []).append(sentence)
    parts: list[Part] = []
    open_positions: list[int] = []
    open_sentences: list[Sentence] = []
    used = 0
    for position, block in render_messages(thread, sentences, audience=audience).items():
        if positions is not None and position not in positions:
            continue
        cost = count_tokens(block) + 2
        if used and used + cost > room:
            parts.append(Part(tuple(open_positions), tuple(open_sentences)))
            open_positions, open_sentences, used = [], [], 0
        if cost > room:
            parts += (
                Part((position,), piece) for piece in _cut_message(by_message.get(position, []), room, count_tokens)
            )
            continue
        open_positions.append(position)
        open_sentences += by_message.get(position, [])
        used += cost
    if open_positions:
        parts.append(Part(tuple(open_positions), tuple(open_sentences)))
    return tuple(parts)


def group_texts(
    texts: Sequence[str], *, budget: int, count_tokens: Callable[[str], int]
) -> tuple[tuple[str, ...], ...]:
    """Return texts in groups that fit a budget, at least two in each so that merging them comes to an end."""
    groups: list[list[str]] = []
    used = 0
    for text in texts:
        cost = count_tokens(text)
        if not groups or (used + cost > budget and len(groups[-1]) >= 2):
            groups.append([])
            used = 0
        groups[-1].append(text)
        used += cost
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2] += groups.pop()
    return tuple(tuple(group) for group in groups)


def _cut_message(
    sentences: Sequence[Sentence], room: int, count_tokens: Callable[[str], int]
) -> list[tuple[Sentence, ...]]:
    pieces: list[list[Sentence]] = [[]]
    used = 0
    for sentence in sentences:
        cost = count_tokens(sentence.text) + 8
        if pieces[-1] and used + cost > room:
            pieces.append([])
            used = 0
        pieces[-1].append(sentence)
        used += cost
    return [tuple(piece) for piece in pieces if piece]
