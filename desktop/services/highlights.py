"""Highlights: the sentences of a ticket that say most, found without a model.

Extractive and deterministic: every highlight is a verbatim span of one sentence. A unit (a sentence with its ends trimmed) is scored by how central
its words are to the thread and by the part it plays in it: what the asker first said, what the other side said last, what the asker made of it. The
weights were set by hand on 1,400 dialogues; those of `outcome`, `latest` and politeness later, on half of the threads of `benchmarks/highlights.py`.
Word lists are English, and shorter ones of six more languages; others lose the lists, not the method. It rewrites nothing and ranks no tickets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from desktop.domain.runs import Highlight
from desktop.domain.sentences import Sentence, number_sentences
from desktop.domain.tickets import Message, Role, Thread
from desktop.services.trimming import (
    is_courtesy,
    is_greeting,
    is_machine_text,
    is_only_addresses,
    is_only_greeting,
    tells_outcome,
    trim,
)
from desktop.services.words import content_words, count_words, stem

MOST_UNITS = 400
_MOST_HIGHLIGHTS = 6
_DAMPING = 0.85
_POWER_STEPS = 20
_REDUNDANCY = 0.4
_SAME = 0.95
_LEAST_LEAD_WORDS = 3
_OUTCOME_SHARE = 0.4
_LONGEST_POLITE = 12
_DEICTIC = re.compile(
    r"(?:it|its|it's|that|that's|this|these|those|he|she|they|there|there's|them|which|here|such)\b", re.IGNORECASE
)

Row = dict[int, float]


@dataclass(frozen=True, slots=True)
class _Unit:
    """One trimmed sentence: its place, its words, and its place among the units of its message (from 0)."""

    sentence: Sentence
    start: int
    end: int
    text: str
    message_index: int
    index: int
    is_asker: bool
    words: int
    terms: tuple[str, ...]
    is_greeting: bool
    is_courtesy: bool


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Units that play a part, by their number; -1 for none.

    `outcome` is what the asker says or asks after the other side's last word; `latest` are the other substantive units of that last word.
    """

    first: int
    second: int
    last_other: int
    last_asker: int
    outcome: int
    latest: frozenset[int]


def find_highlights(thread: Thread) -> tuple[Highlight, ...]:
    """Return up to six highlights in thread order, in all about 3.5·√words of the thread, between 15 and 80 words.

    None only where no message has a sentence.
    """
    # A ticket that only says "thanks" is shown as it is rather than as nothing.
    units = _build_units(thread.messages, drops_filler=True) or _build_units(thread.messages, drops_filler=False)
    if not units:
        return ()
    similar = _similarities(units)
    anchors = _find_anchors(units)
    scores = _score(units, similar, anchors)
    authors = {message.position: message.author for message in thread.messages}
    return tuple(
        Highlight(u.text, u.sentence.id, u.sentence.position, u.start, u.end, authors[u.sentence.position])
        for u in (units[number] for number in sorted(_select(units, scores, similar, anchors)))
    )


def find_lead(thread: Thread) -> str:
    """Return the first highlight that the title does not say already, as one line: what a list shows where there is no gist; '' for none."""
    title = set(content_words(thread.ticket.title))
    for highlight in find_highlights(thread):
        words = set(content_words(highlight.text))
        # A subject may have been made of the first message: then its first sentence tells nothing new.
        if len(words) >= _LEAST_LEAD_WORDS and len(words & title) < 0.6 * min(len(words), len(title) or 1):
            return " ".join(highlight.text.split())
    return ""


def _build_units(messages: Sequence[Message], *, drops_filler: bool) -> list[_Unit]:
    """Cut and trim; notices of the system only count where nobody else wrote."""
    people = [message for message in messages if message.role is not Role.SYSTEM] or list(messages)
    by_position = {message.position: message for message in people}
    index_of = {message.position: index for index, message in enumerate(people)}
    sentences = number_sentences(people)
    if len(sentences) > MOST_UNITS:
        sentences = sentences[: MOST_UNITS // 2] + sentences[-MOST_UNITS // 2 :]
    is_asker = _asker_test(people)
    units: list[_Unit] = []
    counts: Counter[int] = Counter()
    for sentence in sentences:
        message = by_position[sentence.position]
        start, end = trim(message.text, sentence.start, sentence.end)
        text = message.text[start:end]
        words = max(1, count_words(text))
        if drops_filler and _is_filler(sentence.text, text):
            continue
        terms = tuple(content_words(text))
        position = sentence.position
        units.append(
            _Unit(
                sentence,
                start,
                end,
                text,
                message_index=index_of[position],
                index=counts[position],
                is_asker=is_asker(message),
                words=words,
                terms=terms,
                is_greeting=is_greeting(text),
                is_courtesy=is_courtesy(text),
            )
        )
        counts[position] += 1
    stems = _stems_of({term for unit in units for term in unit.terms})
    return [replace(unit, terms=tuple(stems[term] for term in unit.terms)) for unit in units]


def _is_filler(sentence: str, trimmed: str) -> bool:
    """Tell whether a sentence has nothing to say to people: courtesy, addresses, machine text."""
    return (
        not count_words(trimmed)
        or is_only_greeting(sentence)
        or is_only_addresses(sentence)
        or is_machine_text(trimmed)
    )


def _stems_of(words: set[str]) -> dict[str, str]:
    """Stem the words that could meet another: one whose first letters no other word has stands for itself, which saves half of a first look."""
    beginnings = Counter(word[:3] for word in words)
    return {
        word: stem(word) if beginnings[word[:3]] > 1 or len(word) < 3 or word[:2] in words else word for word in words
    }


def _asker_test(messages: Sequence[Message]) -> Callable[[Message], bool]:
    """Return who counts as the asker: the customer, or whoever wrote first where no role says so."""
    if any(message.role is Role.CUSTOMER for message in messages):
        return lambda message: message.role is Role.CUSTOMER
    first = messages[0].author if messages else ""
    return lambda message: message.author == first


def _similarities(units: list[_Unit]) -> list[Row]:
    """Return the cosines of all pairs of units that share a term, as sparse rows without the diagonal."""
    count = len(units)
    holding: dict[str, list[tuple[int, float]]] = {}
    frequencies = Counter(term for unit in units for term in set(unit.terms))
    for number, unit in enumerate(units):
        weights = {
            term: (1 + math.log(times)) * (math.log((count + 1) / (frequencies[term] + 0.5)) + 0.3)
            for term, times in Counter(unit.terms).items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for term, weight in weights.items():
            holding.setdefault(term, []).append((number, weight / length))
    rows: list[Row] = [{} for _ in units]
    for postings in holding.values():
        for place, (one, weight) in enumerate(postings):
            row = rows[one]
            for other, other_weight in postings[place + 1 :]:
                row[other] = row.get(other, 0.0) + weight * other_weight
    for one, row in enumerate(rows):
        for other, value in row.items():
            if other > one:
                rows[other][one] = value
    return rows


def _lexrank(rows: list[Row]) -> list[float]:
    """Return each unit's centrality, 0..1: a random walk over similarities, times n, capped at 3, divided by 3."""
    count = len(rows)
    sums = [sum(row.values()) for row in rows]
    ranks = [1 / count] * count
    for _ in range(_POWER_STEPS):
        loose = sum(rank for rank, total in zip(ranks, sums, strict=True) if not total)
        following = [(1 - _DAMPING) / count + _DAMPING * loose / count] * count
        for number, row in enumerate(rows):
            if row:
                share = _DAMPING * ranks[number] / sums[number]
                for other, value in row.items():
                    following[other] += share * value
        ranks = following
    return [min(3.0, rank * count) / 3 for rank in ranks]


def _find_anchors(units: list[_Unit]) -> _Anchors:
    substantive = [
        number
        for number, unit in enumerate(units)
        if len(unit.terms) >= 3 and not unit.is_greeting and (unit.is_asker or not unit.is_courtesy)
    ]
    asked = [number for number in substantive if units[number].is_asker]
    answered = [number for number in substantive if not units[number].is_asker]
    first = asked[0] if asked else -1
    is_followed = asked and first + 1 < len(units) and units[first + 1].is_asker
    return _Anchors(
        first=first,
        second=first + 1 if is_followed else -1,
        last_other=answered[-1] if answered else -1,
        last_asker=asked[-1] if asked else -1,
        outcome=_find_outcome(units, after=answered[-1] if answered else len(units)),
        latest=frozenset(n for n in answered[:-1] if units[n].message_index == units[answered[-1]].message_index),
    )


def _find_outcome(units: list[_Unit], *, after: int) -> int:
    """Return the unit after the other side's last word in which the asker says that it works or still does not, else what they ask; -1 for none."""
    closing = [n for n in range(after + 1, len(units)) if units[n].is_asker]
    said = [n for n in closing if tells_outcome(units[n].text)]
    asked = [n for n in closing if units[n].text.rstrip().endswith(("?", "？", "؟")) and len(units[n].terms) >= 2]
    return next(iter(said + asked), -1)


def _score(units: list[_Unit], rows: list[Row], anchors: _Anchors) -> list[float]:
    """Score every unit. Changing a weight means measuring again."""
    ranks = _lexrank(rows)
    degrees = [sum(row.values()) for row in rows]
    highest = max(degrees) or 1.0
    return [
        0.60 * (number == anchors.last_other)
        + 0.40 * (number == anchors.first)
        + 0.35 * ranks[number]
        + 0.20 / (1 + unit.message_index)
        + 0.15 * min(unit.words, 25) / 25
        + 0.10 * (number == anchors.second)
        + 0.10 * degrees[number] / highest
        + 0.10 * min(1.0, len(unit.terms) / unit.words)
        + 0.45 * (number == anchors.outcome)
        + 0.20 * (number in anchors.latest)
        - 0.30 * (number != anchors.outcome and _is_polite(unit))
        - 0.10 * (number == anchors.last_asker != anchors.outcome)
        - 0.10 * (_DEICTIC.match(unit.text) is not None)
        - 0.20 * min(unit.index, 5) / 5
        - 0.40 * max(0, 5 - unit.words) / 5
        for number, unit in enumerate(units)
    ]


def _is_polite(unit: _Unit) -> bool:
    """Tell whether a short unit only thanks, apologizes or wishes well."""
    return unit.words <= _LONGEST_POLITE and (unit.is_courtesy or unit.is_greeting)


def _select(units: list[_Unit], scores: list[float], rows: list[Row], anchors: _Anchors) -> list[int]:
    """Take the best units that do not repeat each other, within a budget of words; a short word on the outcome comes on top."""
    budget = min(80.0, max(15.0, 3.5 * math.sqrt(sum(unit.words for unit in units))))
    nearest = [0.0] * len(units)
    left = set(range(len(units)))
    is_short = anchors.outcome >= 0 and units[anchors.outcome].words <= _OUTCOME_SHARE * budget
    on_top = [anchors.outcome] if is_short else []
    left.difference_update(on_top)
    taken: list[int] = []
    texts: set[str] = {units[number].text for number in on_top}
    words = 0
    while left and len(taken) < _MOST_HIGHLIGHTS - len(on_top) and words < 0.85 * budget:
        best = max(left, key=lambda number: (scores[number] - _REDUNDANCY * nearest[number], -number))
        left.remove(best)
        if nearest[best] > _SAME or units[best].text in texts:
            continue
        # The asker's opening is what everything else answers: it may exceed the budget, other sentences may not.
        if taken and best != anchors.first and words + units[best].words > 1.3 * budget:
            continue
        taken.append(best)
        texts.add(units[best].text)
        words += units[best].words
        for other, value in rows[best].items():
            nearest[other] = max(nearest[other], value)
    return taken + on_top
