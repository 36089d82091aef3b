"""Checking one claim: facts and names first, each for itself, then the wording as one score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from desktop.domain.runs import CheckedClaim, Claim, Coverage, Support
from desktop.domain.sentences import LONGEST_SENTENCE, Sentence
from desktop.domain.tickets import Thread
from desktop.services.evidence.binding import has_competitor, is_swapped
from desktop.services.evidence.derived import is_derived
from desktop.services.evidence.names import find_names, is_known, is_mixed
from desktop.services.evidence.preparing import (
    Line,
    PreparedThread,
    coverage_of,
    read_thread,
    wanted_stems,
    with_neighbors,
)
from desktop.services.evidence.signs import NAMES, Signs, read_signs
from desktop.services.evidence.weights import THRESHOLDS, UNSUPPORTED_FROM, differs
from desktop.services.facts import Fact, find_facts

LEAST_FOUND = 0.85
"""What the model did not name is put in place of what it named from this share on."""
LEAST_UNCITED = 0.45
"""A claim without a source is given the nearest sentences from this share on; whether they say it is for the score to tell."""
_LEAST_BETTER = 0.35
_MOST_FOUND = 2
_LEAST_GAIN = 0.1
LEAST_RELATED = 0.2
"""Under this share of its words a claim is about something else."""
LEAST_NEAR = 0.01
"""Sources that hold none of a claim's words say something else, whatever the score makes of it."""
NORMAL = "normal"
TOO_LONG = "longer than any sentence, only its beginning was compared"


def prepare_thread(thread: Thread, sentences: Sequence[Sentence], *, strictness: str = NORMAL) -> PreparedThread:
    """Read all sentences once. `strictness` is lenient, normal or strict; what is none of them counts as normal. Raises nothing."""
    return read_thread(thread, sentences, strictness=strictness if strictness in THRESHOLDS else NORMAL)


def check_claim(claim: Claim, prepared: PreparedThread, *, strictness: str = "") -> CheckedClaim:
    """Compare one claim with the sentences it cites.

    `score` says how much its wording is like theirs, 0..1; `missing_facts` stand nowhere in the ticket, `misplaced_facts` only elsewhere in it, both
    in the order of the claim. `strictness` overrides that of the thread. Raises nothing: a citation of a sentence that does not exist is dropped.
    A text that is longer than any sentence is compared as far as one goes, and never counts as supported.
    """
    if len(claim.text) > LONGEST_SENTENCE:
        beginning = replace(claim, text=claim.text[:LONGEST_SENTENCE])
        checked = check_claim(beginning, prepared, strictness=strictness)
        support: Support = checked.support
        if support is Support.SUPPORTED:
            support = Support.PARTIAL
        return replace(checked, claim=claim, support=support, doubts=(*checked.doubts, TOO_LONG))
    words = wanted_stems(claim.text, prepared)
    named = _existing(claim.citations, words, prepared)
    cited, origin = _choose_sources(named, words, prepared)
    evidence = with_neighbors(cited, prepared) if cited else list(prepared.lines)
    near = evidence if origin == "model" else [*evidence, *with_neighbors(named, prepared)]
    sources = [prepared.lines[place] for place in cited]
    missing, misplaced = _facts(claim.text, sources, near, prepared, is_named=bool(named))
    signs = _signs(claim, words, named, cited, prepared)
    difference = differs(signs.values, NAMES)
    least = THRESHOLDS.get(strictness or prepared.strictness, THRESHOLDS[NORMAL])
    is_foreign = bool(words) and coverage_of(words, prepared.lines) < LEAST_RELATED
    # The weights were fitted on sentences that tell of the ticket: whatever they say, words that its sources hardly have are worth a look.
    is_far = len(words) > 2 and coverage_of(words, evidence) < LEAST_NEAR
    support = _judge(
        difference,
        least,
        is_cited=bool(cited),
        is_foreign=is_foreign,
        is_contrary=signs.is_contrary or is_far,
        missing=missing,
        misplaced=misplaced,
    )
    return CheckedClaim(
        claim=claim,
        support=support,
        score=round(1 - difference, 3),
        citations=tuple(prepared.lines[place].sentence.id for place in cited),
        missing_facts=missing,
        misplaced_facts=misplaced,
        origin=origin,
        doubts=_doubts(signs, support, is_wording=difference >= least or is_foreign or is_far or signs.is_contrary),
    )


def signs_of(claim: Claim, prepared: PreparedThread) -> Signs:
    """Return what the wording of a claim shows: what the weights are fitted on."""
    words = wanted_stems(claim.text, prepared)
    named = _existing(claim.citations, words, prepared)
    return _signs(claim, words, named, _choose_sources(named, words, prepared)[0], prepared)


def coverage(prepared: PreparedThread, claims: Iterable[CheckedClaim], *, read: int) -> Coverage:
    """Say how many messages there are, how many the model was shown (`read`), and which no claim cites."""
    used = {int(citation[1:].split(".")[0]) for checked in claims for citation in checked.citations}
    return Coverage(
        messages=len(prepared.messages),
        read=read,
        unused=tuple(f"m{position}" for position in prepared.messages if position not in used),
    )


def _signs(
    claim: Claim, words: Sequence[str], named: tuple[int, ...], cited: tuple[int, ...], prepared: PreparedThread
) -> Signs:
    evidence = with_neighbors(cited, prepared) if cited else list(prepared.lines)
    sources = [prepared.lines[place] for place in cited]
    return read_signs(claim.text, words, sources, evidence, prepared, is_moved=bool(named) and cited != named)


def _judge(
    difference: float,
    least: float,
    *,
    is_cited: bool,
    is_foreign: bool,
    is_contrary: bool,
    missing: Sequence[str],
    misplaced: Sequence[str],
) -> Support:
    if not is_cited:
        return Support.UNCITED
    if missing or is_foreign or difference >= max(UNSUPPORTED_FROM, least):
        return Support.UNSUPPORTED
    return Support.PARTIAL if misplaced or is_contrary or difference >= least else Support.SUPPORTED


def _doubts(signs: Signs, support: Support, *, is_wording: bool) -> tuple[str, ...]:
    """Return what differs in words; only where the wording made the difference: a single sign of many is no doubt yet."""
    return signs.doubts if is_wording and support is not Support.SUPPORTED else ()


def _choose_sources(
    named: tuple[int, ...], words: Sequence[str], prepared: PreparedThread
) -> tuple[tuple[int, ...], str]:
    """Return the sentences to compare with: those that are named, or what says it far better than they do; and who found them."""
    own = coverage_of(words, with_neighbors(named, prepared)) if named else 0.0
    if named and own >= 1.0 - _LEAST_BETTER:
        return named, "model"
    # Small models cite the wrong sentence more often than they make one up: then the right one is looked for, and named as ours.
    found, reached = _look_up(words, prepared)
    is_better = reached >= LEAST_FOUND and reached >= own + _LEAST_BETTER
    return (found, "found") if found and (not named or is_better) else (named, "model")


def _facts(
    text: str, cited: Sequence[Line], near: Sequence[Line], prepared: PreparedThread, *, is_named: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the facts and names that stand nowhere in the ticket, and those that stand only elsewhere in it."""
    facts = find_facts(text).facts
    # “It is marked as delivered since yesterday”: a sentence that names a day of its own is not about the day on which it was written.
    dated = {line.sentence.position for line in cited if any(value.startswith("date:") for value in line.values)}
    # Without a citation there is no telling which message a claim is about.
    undated = [line for line in near if line.sentence.position not in dated] if is_named else prepared.lines
    own_days = frozenset().union(*(prepared.days[line.sentence.position] for line in undated))
    values = prepared.context.union(own_days, *(line.values for line in near))
    cited_values = frozenset().union(*(line.values for line in cited))
    missing: list[tuple[int, str]] = []
    misplaced: list[tuple[int, str]] = []
    for fact in facts:
        if fact.readings & values:
            is_elsewhere = not fact.readings & cited_values and has_competitor(fact, facts, cited)
            if not is_elsewhere and not is_swapped(fact, text, facts, cited):
                continue
        elif is_derived(fact, text, prepared.lines):
            continue
        if not fact.readings & prepared.values:
            missing.append((fact.start, fact.text))
        elif not _is_said_in_passing(fact):
            misplaced.append((fact.start, fact.text))
    words = prepared.people_words.union(*(line.words for line in near))
    for name in find_names(text, prepared.ordinary, prepared.named):
        if not is_known(name, words):
            (misplaced if is_known(name, prepared.known_words) else missing).append((text.find(name), name))
    if mixed := is_mixed(text, prepared.full_names):
        misplaced.append((text.find(mixed), mixed))
    return tuple(name for _, name in sorted(missing)), tuple(name for _, name in sorted(misplaced))


def _is_said_in_passing(fact: Fact) -> bool:
    """Tell whether a fact may be said of what a claim is about without standing in its source: a month, a small number in words."""
    is_small_word = fact.text.isalpha() and fact.readings <= {"number:3", "number:4"}
    return is_small_word or all(reading.startswith("month:") for reading in fact.readings)


def _existing(citations: Iterable[str], words: Sequence[str], prepared: PreparedThread) -> tuple[int, ...]:
    """Return the places of the cited sentences that exist. `m3` alone is taken for the sentence of that message that is nearest to the claim."""
    places: list[int] = []
    for citation in citations:
        if citation in prepared.place_of:
            places.append(prepared.place_of[citation])
        elif "." not in citation:
            inside = [place for id_, place in prepared.place_of.items() if id_.startswith(f"{citation}.")]
            if inside:
                places.append(max(inside, key=lambda place: (coverage_of(words, [prepared.lines[place]]), -place)))
    return tuple(dict.fromkeys(places))


def _look_up(words: Sequence[str], prepared: PreparedThread) -> tuple[tuple[int, ...], float]:
    """Find where the ticket says it: the places of at most two sentences that together hold most of the claim's words, and what share they hold."""
    lines = prepared.lines
    found: list[int] = []
    reached = 0.0
    for _ in range(_MOST_FOUND):
        shares = [coverage_of(words, [*(lines[place] for place in found), line]) for line in lines]
        best = max(shares, default=0.0)
        if best < reached + _LEAST_GAIN:
            break
        found.append(shares.index(best))
        reached = best
    return (tuple(sorted(found)), reached) if words and reached >= LEAST_UNCITED else ((), reached)
