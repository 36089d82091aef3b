"""Signs: what may make a sentence differ from its sources in wording, each as a number for the score, and some as words for the reader.

Facts and names are judged elsewhere, and alone. A sign is a hint: a faithful sentence shows some of them too, so that their weighted sum decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from desktop.domain.tickets import Role
from desktop.services.evidence import deeds
from desktop.services.evidence.polarity import read_polarity
from desktop.services.evidence.preparing import Line, PreparedThread, coverage_of, likeness
from desktop.services.evidence.synonyms import groups_by_stem, is_opposite, opposites_by_stem
from desktop.services.words import STOP_WORDS, stem, tokenize

_FEW_WORDS = 3
_MOST_ABSENT = 6
_KNOWN = 0.75
_VERBATIM = 0.9
_IN_ITS_WORDS = 0.75

NAMES = (
    "uncovered uncovered_in_thread inexact absent first_absent few_and_absent verbatim not_alone not_lost"
    " denied_here denied_there opposite"
    " other_actor other_actor_alone acted_by_other promise promise_novel strong_promise done_but_to_come"
    " lasting_but_happened moved verb_by_other single pairs predicate"
).split()


@dataclass(frozen=True, slots=True)
class Signs:
    """The numbers in the order of `NAMES`, and what can be said of them in words.

    `is_contrary` when a sentence in the ticket's own words has a *not* more or less than they have.
    """

    values: tuple[float, ...]
    doubts: tuple[str, ...]
    is_contrary: bool = False


def read_signs(
    text: str,
    words: Sequence[str],
    cited: Sequence[Line],
    evidence: Sequence[Line],
    prepared: PreparedThread,
    *,
    is_moved: bool,
) -> Signs:
    """Compare a claim's wording with the sentences it cites (`cited`) and those with their neighbors (`evidence`)."""
    likes = [likeness(word, evidence) for word in words]
    everywhere = [likeness(word, prepared.lines) for word in words]
    many = max(1, len(words))
    covered = sum(likes) / many if words else 1.0
    absent = sum(like < _KNOWN for like in everywhere)
    doubts: list[str] = []
    polarity = _polarity(text, words, cited, evidence, doubts)
    # “Not sent back” and “kept” say the same: opposites only tell of two plain sentences.
    opposite = 0.0 if read_polarity(text).is_any else _opposite(words, likes, evidence, doubts)
    actor = _actor(text, cited, prepared, doubts)
    promise = _promise(text, words, everywhere, doubts)
    time = _time(text, cited, evidence, doubts)
    predicate = _predicate(text)
    values = (
        1 - covered,
        1 - (sum(everywhere) / many if words else 1.0),
        1 - sum(like == 1.0 for like in likes) / many,
        min(absent, _MOST_ABSENT) / _MOST_ABSENT,
        float(bool(everywhere) and everywhere[0] < _KNOWN),
        float(len(words) <= _FEW_WORDS and absent > 0),
        float(bool(words) and sum(like == 1.0 for like in likes) >= _VERBATIM * many),
        *polarity,
        opposite,
        *actor,
        promise[0],
        promise[0] * (1 - covered),
        promise[1],
        *time,
        float(is_moved),
        _verb_by_other(text, words, cited, prepared, doubts),
        1 - max((coverage_of(words, [line]) for line in evidence), default=0.0),
        _loose_pairs(words, evidence),
        float(bool(predicate) and likeness(predicate, evidence) < _KNOWN),
    )
    is_contrary = covered >= _IN_ITS_WORDS and (polarity[2] > 0 or polarity[3] > 0)
    return Signs(values, tuple(dict.fromkeys(doubts)), is_contrary)


def _polarity(
    text: str, words: Sequence[str], cited: Sequence[Line], evidence: Sequence[Line], doubts: list[str]
) -> tuple[float, float, float, float]:
    """Compare what is denied: in the claim alone, in all its sources alone, of one and the same word here or there."""
    own = read_polarity(text)
    is_alone = own.is_any and not any(line.polarity.is_any for line in evidence)
    is_lost = bool(cited) and not own.is_any and all(line.polarity.is_plain for line in cited)
    here = there = 0
    for word in words:
        holding = [line for line in evidence if word in line.stems]
        if not holding:
            continue
        if word in own.denied and not any(line.polarity.is_any for line in holding):
            here += 1
        if not own.is_any and all(word in line.polarity.denied for line in holding):
            there += 1
    if is_alone and own.is_plain:
        doubts.append("says “not”, the ticket does not")
    elif here:
        doubts.append("denies what the ticket says")
    if there:
        doubts.append("the ticket says “not” here")
    return float(is_alone), float(is_lost), float(min(here, 2)), float(min(there, 2))


def _opposite(words: Sequence[str], likes: Sequence[float], evidence: Sequence[Line], doubts: list[str]) -> float:
    table = opposites_by_stem()
    found = 0
    for word, like in zip(words, likes, strict=True):
        if like == 1.0:
            continue
        for line in evidence:
            against = next(
                (
                    other
                    for other in sorted(line.stems)
                    if (word in table or other.endswith(word) or word.endswith(other)) and is_opposite(word, other)
                ),
                None,
            )
            if against is not None:
                found += 1
                said = next(
                    (token for token in tokenize(line.sentence.text) if stem(token.lower()) == against), against
                )
                doubts.append(f"the ticket says “{said}”")
                break
    return float(min(found, 2))


def _actor(text: str, cited: Sequence[Line], prepared: PreparedThread, doubts: list[str]) -> tuple[float, float, float]:
    actor = deeds.find_actor(text, prepared.people)
    if actor is None or not cited:
        return 0.0, 0.0, 0.0
    others = [line for line in cited if deeds.is_other(actor, line.message)]
    if len(others) < len(cited):
        return 0.0, 0.0, 0.0
    acted = any(deeds.acts(line.sentence.text) for line in others)
    if acted:
        writer = others[0].message
        who = {Role.CUSTOMER: "the customer", Role.AGENT: "the agent"}.get(writer.role, writer.author)
        doubts.append(f"the ticket says {who} did this")
    told = any(deeds.addresses(line.sentence.text) for line in others)
    return float(not told), float(deeds.speaks_for_itself(text)), float(acted and not told)


def _promise(text: str, words: Sequence[str], everywhere: Sequence[float], doubts: list[str]) -> tuple[float, float]:
    is_any, is_strong = deeds.promises(text)
    if is_any:
        tokens = {stem(token.lower()): token for token in tokenize(text)}
        new = [tokens.get(word, word) for word, like in zip(words, everywhere, strict=True) if like < _KNOWN]
        if new and is_strong:
            doubts.append(f"“{new[-1]}” is promised nowhere in the ticket")
    return float(is_any), float(is_strong)


def _time(text: str, cited: Sequence[Line], evidence: Sequence[Line], doubts: list[str]) -> tuple[float, float]:
    texts = [line.sentence.text for line in cited]
    done = deeds.find_done(text)
    near = groups_by_stem().get(done, frozenset())
    holding = [line for line in evidence if done and (done in line.stems or near & line.groups)]
    verbs = {done} | {word for line in holding for word in line.stems if near & groups_by_stem().get(word, frozenset())}
    is_early = bool(holding) and all(deeds.is_announced(line.sentence.text, verbs) for line in holding)
    is_late = deeds.lasts(text) and deeds.has_happened(texts) and not any(deeds.lasts(each) for each in texts)
    if is_early:
        doubts.append("says it is done, the ticket speaks of what is to come")
    if is_late:
        doubts.append("says it goes on, the ticket speaks of it as done")
    return float(is_early), float(is_late)


def _verb_by_other(
    text: str, words: Sequence[str], cited: Sequence[Line], prepared: PreparedThread, doubts: list[str]
) -> float:
    """Tell whether what the claim's actor is said to do was done by who wrote the cited sentences, not by the actor."""
    actor = deeds.find_actor(text, prepared.people)
    if actor is None or not cited or not words:
        return 0.0
    if not all(deeds.is_other(actor, line.message) for line in cited):
        return 0.0
    groups = groups_by_stem()
    verbs = {words[0], *(words[1:2])}
    near = groups.get(words[0], frozenset())
    verbs |= {word for line in cited for word in line.stems if near & groups.get(word, frozenset())}
    return float(any(deeds.someone_else_acts(line.sentence.text, tuple(verbs)) for line in cited))


def _loose_pairs(words: Sequence[str], evidence: Sequence[Line]) -> float:
    """Return the share of neighboring content words of a claim that no sentence has together."""
    pairs = list(pairwise(words))
    if not pairs:
        return 0.0
    loose = sum(not any(likeness(one, [line]) and likeness(other, [line]) for line in evidence) for one, other in pairs)
    return loose / len(pairs)


_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|has been|have been|had been|has|have|had|been|did|will|can|could|to)\b(?: (?:not"
    r"|already|now|also|still|been|fully|be))* (\w{3,})",
    re.I,
)


def _predicate(text: str) -> str:
    """Return the stem of what the claim says of its subject; '' when it does not say so with an auxiliary."""
    found = _PREDICATE.search(text)
    return stem(found[1].lower()) if found and found[1].lower() not in STOP_WORDS else ""
