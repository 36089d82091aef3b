"""Evidence: does the ticket say what the summary claims?

A claim is one sentence of a summary with the sentence ids it cites. Checking is local and deterministic. Hard facts (numbers, amounts, dates, ids,
links) must stand in the cited sentences or beside them, and enough of the wording must too. A claim whose citation is missing or says something
else is looked up in the whole ticket. It never asks a model, and it never says *true*: a wrong sentence in the ticket's own words, without a wrong
fact, passes, unless it adds a *not* of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from desktop.domain.runs import CheckedClaim, Claim, Coverage, Support
from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Thread
from desktop.services.facts import day_values, find_facts
from desktop.services.words import REPORTING_WORDS, ROLE_WORDS, content_words, stem

LEAST_SUPPORTED = 0.5
"""Share of a claim's content words that the cited sentences must hold; under it the wording is worth a look."""
LEAST_RELATED = 0.2
"""Under this share the claim is about something else."""
LEAST_FOUND = 0.6
"""A source that the model did not name is taken for one from this share on."""
_MOST_FOUND = 2
_LEAST_GAIN = 0.1
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|unable|refus\w+|declin\w+|fail\w*|den(?:y|ied|ies)|nicht|kein\w*)\b|n['’]t\b",
    re.IGNORECASE,
)
_PREFIX = 5
_PREFIX_WORTH = 0.85


@dataclass(frozen=True, slots=True)
class _Line:
    """One sentence as a claim is compared with it: its values, its stems and their beginnings."""

    sentence: Sentence
    values: frozenset[str]
    stems: frozenset[str]
    prefixes: frozenset[str]


@dataclass(frozen=True, slots=True)
class PreparedThread:
    """A thread with all that every claim is compared with. `context` are the values that stand around the messages: title, ids, days, times."""

    lines: tuple[_Line, ...]
    place_of: dict[str, int]
    context: frozenset[str]
    values: frozenset[str]
    messages: tuple[int, ...]
    names: frozenset[str]


def prepare_thread(thread: Thread, sentences: Sequence[Sentence]) -> PreparedThread:
    """Read all sentences once. Raises nothing."""
    days = {message.position: _day(message.created_at) for message in thread.messages}
    lines = tuple(_prepare_line(sentence, days.get(sentence.position)) for sentence in sentences)
    context = _context(thread, days.values())
    names = {stem(word) for message in thread.messages for word in content_words(message.author)}
    return PreparedThread(
        lines=lines,
        place_of={line.sentence.id: place for place, line in enumerate(lines)},
        context=context,
        values=context.union(*(line.values for line in lines)),
        messages=tuple(message.position for message in thread.messages),
        names=frozenset(names | {stem(word) for word in content_words(thread.ticket.requester)}),
    )


def check_claim(claim: Claim, prepared: PreparedThread) -> CheckedClaim:
    """Compare one claim with the sentences it cites.

    `score` is the share of its content words that the cited sentences hold, 0..1; `missing_facts` stand nowhere in the ticket, `misplaced_facts` only
    elsewhere in it, both in the order of the claim. Raises nothing: a citation of a sentence that does not exist is dropped.
    """
    words = _words(claim.text, prepared)
    named = _existing(claim.citations, words, prepared)
    cited, origin = named, "model"
    # Small models cite the wrong sentence more often than they make one up: then the right one is looked for, and named as ours.
    is_elsewhere = bool(named) and _coverage(words, _with_neighbors(named, prepared)) < LEAST_SUPPORTED
    if (not named or is_elsewhere) and (found := _look_up(words, prepared)):
        cited, origin = found, "found"
    evidence = _with_neighbors(cited, prepared) if cited else prepared.lines
    near = prepared.context.union(*(line.values for line in evidence))
    facts = find_facts(claim.text).facts
    missing = tuple(fact.text for fact in facts if not fact.readings & prepared.values)
    misplaced = tuple(fact.text for fact in facts if fact.readings & prepared.values and not fact.readings & near)
    score = _coverage(words, evidence)
    return CheckedClaim(
        claim=claim,
        support=_judge(
            score,
            is_cited=bool(cited),
            has_missing=bool(missing),
            is_doubtful=bool(misplaced)
            or (origin == "found" and is_elsewhere)
            or _is_negated_alone(claim.text, evidence),
        ),
        score=round(score, 3),
        citations=tuple(prepared.lines[place].sentence.id for place in cited),
        missing_facts=missing,
        misplaced_facts=misplaced,
        origin=origin,
    )


def coverage(prepared: PreparedThread, claims: Iterable[CheckedClaim], *, read: int) -> Coverage:
    """Say how many messages there are, how many the model was shown (`read`), and which no claim cites."""
    used = {int(citation[1:].split(".")[0]) for checked in claims for citation in checked.citations}
    return Coverage(
        messages=len(prepared.messages),
        read=read,
        unused=tuple(f"m{position}" for position in prepared.messages if position not in used),
    )


def _judge(score: float, *, is_cited: bool, has_missing: bool, is_doubtful: bool) -> Support:
    if not is_cited:
        return Support.UNCITED
    if has_missing or score < LEAST_RELATED:
        return Support.UNSUPPORTED
    return Support.PARTIAL if is_doubtful or score < LEAST_SUPPORTED else Support.SUPPORTED


def _is_negated_alone(text: str, evidence: Iterable[_Line]) -> bool:
    """Tell whether a claim says *not* where its sources say nothing of the kind. The other way round is left alone: "no longer fails" works."""
    return _NEGATED.search(text) is not None and not any(_NEGATED.search(line.sentence.text) for line in evidence)


def _prepare_line(sentence: Sentence, day: date | None) -> _Line:
    stems = frozenset(map(stem, content_words(sentence.text)))
    return _Line(sentence, find_facts(sentence.text, on=day).values, stems, frozenset(map(_prefix, stems)))


def _context(thread: Thread, days: Iterable[date | None]) -> frozenset[str]:
    """Return the values of what a model is shown beside the sentences: it may name the ticket, a message's day or time without inventing it."""
    ticket = thread.ticket
    times = {f"time:{message.created_at[11:16]}" for message in thread.messages if len(message.created_at) >= 16}
    known = find_facts(f"{ticket.subject}\n{ticket.external_id}").values
    return known.union(times, *(day_values(day) for day in days if day is not None))


def _existing(citations: Iterable[str], words: Sequence[str], prepared: PreparedThread) -> tuple[int, ...]:
    """Return the places of the cited sentences that exist. `m3` alone is taken for the sentence of that message that is nearest to the claim."""
    places: list[int] = []
    for citation in citations:
        if citation in prepared.place_of:
            places.append(prepared.place_of[citation])
        elif "." not in citation:
            inside = [place for id_, place in prepared.place_of.items() if id_.startswith(f"{citation}.")]
            if inside:
                places.append(max(inside, key=lambda place: (_coverage(words, [prepared.lines[place]]), -place)))
    return tuple(dict.fromkeys(places))


def _look_up(words: Sequence[str], prepared: PreparedThread) -> tuple[int, ...]:
    """Find where the ticket says it: the places of at most two sentences that together hold most of the claim's words, none when they do not."""
    lines = prepared.lines
    found: list[int] = []
    reached = 0.0
    for _ in range(_MOST_FOUND):
        shares = [_coverage(words, [*(lines[place] for place in found), line]) for line in lines]
        best = max(shares, default=0.0)
        if best < reached + _LEAST_GAIN:
            break
        found.append(shares.index(best))
        reached = best
    return tuple(sorted(found)) if words and reached >= LEAST_FOUND else ()


def _with_neighbors(places: Iterable[int], prepared: PreparedThread) -> list[_Line]:
    """Return the cited sentences and the ones beside them in the same message: a fact often stands in the sentence before."""
    lines = prepared.lines
    near = {
        other
        for place in places
        for other in (place - 1, place, place + 1)
        if 0 <= other < len(lines) and lines[other].sentence.position == lines[place].sentence.position
    }
    return [lines[place] for place in sorted(near)]


def _words(text: str, prepared: PreparedThread) -> tuple[str, ...]:
    """Return the stems that a claim must find in the ticket: not who said it, nor that it was said."""
    plain = re.sub(r"\b\d[\d.,:/-]*\b", " ", text)
    stems = (stem(word) for word in content_words(plain) if word not in REPORTING_WORDS and word not in ROLE_WORDS)
    return tuple(dict.fromkeys(word for word in stems if word not in prepared.names))


def _coverage(words: Sequence[str], lines: Iterable[_Line]) -> float:
    """Return the share of a claim's words that stand in the lines: the same stem counts whole, the same beginning almost. No words: 1."""
    if not words:
        return 1.0
    lines = list(lines)
    total = 0.0
    for word in words:
        if any(word in line.stems for line in lines):
            total += 1.0
        elif len(word) >= _PREFIX and any(_prefix(word) in line.prefixes for line in lines):
            total += _PREFIX_WORTH
    return total / len(words)


def _prefix(word: str) -> str:
    return word[:_PREFIX] if len(word) >= _PREFIX else f"={word}"


def _day(time: str) -> date | None:
    try:
        return date.fromisoformat(time[:10])
    except ValueError:
        return None
