"""Few-shot: which of the user's starred summaries are sent along as examples: those whose tickets are most like this one.

Likeness is the cosine of two tickets' content stems, each weighed by how rare it is among the starred tickets and this one (tf-idf). The same tickets
always give the same examples, and nothing leaves the machine for choosing them. It does not decide what a good summary is: the user's star does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Thread
from desktop.services.prompting import render_messages, render_ticket
from desktop.services.recipes import Example
from desktop.services.words import ROLE_WORDS, content_words, stem

MOST_EXAMPLES = 2
LEAST_LIKENESS = 0.05
"""Below it two tickets share no more than a greeting."""
MOST_CHARACTERS = 6_000
"""Of one example's ticket: a longer one would cost more than it shows."""


@dataclass(frozen=True, slots=True)
class StarredExample:
    """A ticket that the user starred, and its summary as it was shown or edited, in the lines form (`Label: text [m1.2]`)."""

    thread: Thread
    summary: str


def choose_examples(
    thread: Thread, starred: Sequence[StarredExample], *, most: int = MOST_EXAMPLES, audience: str = "team"
) -> tuple[Example, ...]:
    """Return the starred tickets most like this one, the most alike last, next to the ticket; none of another subject altogether.

    For customers no ticket with internal notes is an example: its summary may tell of them.
    """
    others = [
        (each, words)
        for each in starred
        if each.thread.ticket.id != thread.ticket.id
        and not (audience == "customer" and any(message.internal for message in each.thread.messages))
        and (words := _stems(each.thread))
    ]
    this = _stems(thread)
    spread = Counter(word for words in (this, *(words for _, words in others)) for word in words)
    total = len(others) + 1
    # Smoothed, so that with one starred ticket alone the words they share still count for something.
    rarity = {word: math.log((1 + total) / (1 + found)) + 1 for word, found in spread.items()}
    ranked = sorted(
        ((-_cosine(this, words, rarity), each.thread.ticket.id, each) for each, words in others),
        key=lambda item: item[:2],
    )
    chosen: list[Example] = []
    for likeness, _, each in ranked:
        example = render_example(each)
        if -likeness >= LEAST_LIKENESS and len(example.thread) <= MOST_CHARACTERS and len(chosen) < most:
            chosen.append(example)
    return tuple(reversed(chosen))


def render_example(starred: StarredExample) -> Example:
    """Return a starred ticket as it is sent."""
    # Only those who starred something wait for its word lists.
    from desktop.services.redaction import people_of

    blocks = render_messages(starred.thread, number_sentences(starred.thread.messages))
    thread = render_ticket(starred.thread, blocks, sorted(blocks))
    return Example(thread, starred.summary.strip(), people_of(starred.thread))


def _stems(thread: Thread) -> Counter[str]:
    text = "\n".join((thread.ticket.subject, *(message.text for message in thread.messages)))
    return Counter(stem(word) for word in content_words(text) if word not in ROLE_WORDS)


def _cosine(one: Mapping[str, int], other: Mapping[str, int], rarity: Mapping[str, float]) -> float:
    shared = sum(one[word] * other[word] * rarity[word] ** 2 for word in one if word in other)
    if not shared:
        return 0.0
    return shared / (_length(one, rarity) * _length(other, rarity))


def _length(words: Mapping[str, int], rarity: Mapping[str, float]) -> float:
    return math.sqrt(sum((number * rarity[word]) ** 2 for word, number in words.items()))
