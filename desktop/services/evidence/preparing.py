"""Preparing: a thread as claims are compared with it, read once: facts, stems, names, polarity of every sentence, and who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Message, Thread
from desktop.services.evidence.deeds import People, read_people
from desktop.services.evidence.names import named_words, ordinary_words, words_of
from desktop.services.evidence.polarity import Polarity, read_polarity
from desktop.services.evidence.synonyms import groups_by_stem
from desktop.services.facts import Fact, day_values, find_facts
from desktop.services.words import REPORTING_WORDS, ROLE_WORDS, content_words, stem

PREFIX = 5
_PREFIX_WORTH, _SYNONYM_WORTH = 0.85, 0.8
_BARE_NUMBER = re.compile(r"\b\d[\d.,:/-]*\b")


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as a claim is compared with it."""

    sentence: Sentence
    message: Message
    facts: tuple[Fact, ...]
    values: frozenset[str]
    stems: frozenset[str]
    prefixes: frozenset[str]
    groups: frozenset[int]
    words: frozenset[str]
    polarity: Polarity


@dataclass(frozen=True, slots=True)
class PreparedThread:
    """A thread with all that every claim is compared with. `context` are the values that stand around the messages: title and number.

    `days` are the values of each message's own day and time, by its position.

    `strictness` is what is asked of the wording: `lenient`, `normal` or `strict`.
    """

    lines: tuple[Line, ...]
    place_of: Mapping[str, int]
    context: frozenset[str]
    days: Mapping[int, frozenset[str]]
    values: frozenset[str]
    messages: tuple[int, ...]
    names: frozenset[str]
    people: People
    known_words: frozenset[str]
    people_words: frozenset[str]
    ordinary: frozenset[str]
    named: frozenset[str]
    full_names: tuple[tuple[str, ...], ...]
    strictness: str


def read_thread(thread: Thread, sentences: Sequence[Sentence], *, strictness: str) -> PreparedThread:
    """Read all sentences once."""
    message_of = {message.position: message for message in thread.messages}
    lines = tuple(_read_line(sentence, message_of[sentence.position]) for sentence in sentences)
    ticket = thread.ticket
    people = " ".join(dict.fromkeys((ticket.requester, ticket.assignee, *(m.author for m in thread.messages))))
    context = _context(thread)
    whole = "\n".join((ticket.subject, *(message.text for message in thread.messages)))
    return PreparedThread(
        lines=lines,
        place_of={line.sentence.id: place for place, line in enumerate(lines)},
        context=context,
        days={message.position: _own_values(message) for message in thread.messages},
        values=context.union(*(line.values for line in lines), *map(_own_values, thread.messages)),
        messages=tuple(message.position for message in thread.messages),
        names=frozenset(stem(word) for word in content_words(people)),
        people=read_people(thread),
        known_words=words_of(whole) | words_of(people),
        people_words=words_of(people) | words_of(ticket.subject),
        ordinary=ordinary_words(whole),
        named=named_words(sentence.text for sentence in sentences) - ordinary_words(whole),
        full_names=tuple(
            tuple(re.findall(r"[^\W\d_]+", name.casefold()))
            for name in dict.fromkeys((ticket.requester, ticket.assignee, *(m.author for m in thread.messages)))
        ),
        strictness=strictness,
    )


def wanted_stems(text: str, prepared: PreparedThread) -> tuple[str, ...]:
    """Return the stems that a claim must find in the ticket: not who said it, nor that it was said."""
    plain = _BARE_NUMBER.sub(" ", text)
    stems = (stem(word) for word in content_words(plain) if word not in REPORTING_WORDS and word not in ROLE_WORDS)
    return tuple(dict.fromkeys(word for word in stems if word not in prepared.names))


def likeness(word: str, lines: Iterable[Line]) -> float:
    """Say how well a stem stands in any of the lines, 0..1: itself, a word of the same beginning, a synonym."""
    prefix = word[:PREFIX] if len(word) >= PREFIX else ""
    groups = groups_by_stem().get(word, frozenset())
    best = 0.0
    for line in lines:
        if word in line.stems:
            return 1.0
        if prefix and prefix in line.prefixes:
            best = max(best, _PREFIX_WORTH)
        elif groups and not groups.isdisjoint(line.groups):
            best = max(best, _SYNONYM_WORTH)
    return best


def coverage_of(words: Sequence[str], lines: Sequence[Line]) -> float:
    """Return the share of a claim's words that stand in the lines. No words: 1."""
    return sum(likeness(word, lines) for word in words) / len(words) if words else 1.0


def with_neighbors(places: Iterable[int], prepared: PreparedThread) -> list[Line]:
    """Return the cited sentences and the ones beside them in the same message: a fact often stands in the sentence before."""
    lines = prepared.lines
    near = {
        other
        for place in places
        for other in (place - 1, place, place + 1)
        if 0 <= other < len(lines) and lines[other].sentence.position == lines[place].sentence.position
    }
    return [lines[place] for place in sorted(near)]


def day_of(time: str) -> date | None:
    """Return the day of a message; None when it is not known."""
    try:
        return date.fromisoformat(time[:10])
    except ValueError:
        return None


def _read_line(sentence: Sentence, message: Message) -> Line:
    stems = frozenset(map(stem, content_words(sentence.text)))
    groups = groups_by_stem()
    found = find_facts(sentence.text, on=day_of(message.created_at))
    return Line(
        sentence,
        message,
        found.facts,
        found.values,
        stems,
        frozenset(word[:PREFIX] for word in stems if len(word) >= PREFIX),
        frozenset().union(*(groups[word] for word in stems if word in groups)),
        words_of(sentence.text),
        read_polarity(sentence.text),
    )


def _context(thread: Thread) -> frozenset[str]:
    """Return the values of what a model is shown above the messages: it may name the ticket without inventing it."""
    ticket = thread.ticket
    return find_facts(f"{ticket.subject}\n{ticket.external_id}").values


def _own_values(message: Message) -> frozenset[str]:
    """Return the values of a message's own day and time."""
    day = day_of(message.created_at)
    time = {f"time:{message.created_at[11:16]}"} if len(message.created_at) >= 16 else set()
    return frozenset(time) | (day_values(day) if day else frozenset())
