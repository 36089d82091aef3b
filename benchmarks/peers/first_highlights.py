"""The first method for highlights, frozen with its weights and word lists: the peer that a change must not be worse than.

Centrality of words, and anchors for the asker's opening and the other side's last word; English in its lists. It only serves to be measured.

Similarities and centrality are today those of `services.highlights`, and stand here again on purpose: whoever improves them there would otherwise
improve the peer as well, and measure no gain. Only what both methods are given is shared: sentences, words and stems.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.domain.runs import Highlight
from desktop.domain.sentences import Sentence, number_sentences
from desktop.domain.tickets import Message, Role, Thread
from desktop.services.words import content_words, count_words, stem

MOST_UNITS = 400
_MOST_HIGHLIGHTS = 6
_DAMPING = 0.85
_POWER_STEPS = 20
_REDUNDANCY = 0.4
_DEICTIC = re.compile(
    r"(?:it|its|it's|that|that's|this|these|those|he|she|they|there|there's|them|which|here|such)\b", re.IGNORECASE
)
_PASSES = 4
_SHORTEST_REST = 8
_LONGEST_WORDS = 60
_CUT_AT_WORDS = 40

_FRONT = (
    re.compile(r"[\s>*•–—·,;:!-]+(?=\S)"),
    re.compile(r"\(?\d{1,2}[.)]\s+"),
    re.compile(r"(?:[.,]?@\w+[:,]?\s*)+"),
    re.compile(
        r"(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day)|greetings|morning|hallo|bonjour|hola|guten (?:tag|morgen))"
        r"(?:\s+(?:there|all|team|everyone|support|sir|madam|folks|guys|again|@?[A-ZÀ-Þ][\w’'-]*))*(?:(?<=[A-Z])\.)?\s*(?:[,!:–—-]+|\.(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:well|oh|ah|ok|okay|yes|yeah|yep|no|nope|sure|so|right|actually|sorry|of course|great|perfect|excellent|thanks|thank you(?: so much)?"
        r"|many thanks|hmm|um|uh|alright|fine|certainly|absolutely|understood|got it|i see|no problem|please|anyway|honestly|basically)"
        r"\s*(?:[,;:–—]|[.!…]+(?=\s)|-+(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(r"(?:and|but|so|then|also)\s+(?=\S)", re.IGNORECASE),
)
_BACK = (
    re.compile(r"\s*(?:https?://|www\.)\S+\s*$"),
    re.compile(r"\s+(?:\^\s?[A-Za-z]{1,8}|[-–][A-Z][A-Za-z]?|\*[A-Z]{2,3})\s*$"),
    re.compile(r"\s+\(?[1-9]\s?/\s?[1-9]\)?\s*$"),
    re.compile(r"[\s*_]+$"),
)
_CUT = re.compile(r"(?<=[,;:–—)])\s")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_GREETING = re.compile(
    r"\b(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank|thx|cheers|welcome|bye|goodbye|regards|appreciate[ds]?|greetings|ok|okay"
    r"|great|perfect|awesome|hallo|danke|bonjour|merci|hola|gracias|grazie|bedankt|obrigad[oa])\b",
    re.IGNORECASE,
)
_ONLY_GREETING = re.compile(
    r"\W*(?i:hi|hello|hey|hiya|dear|(?:good )?(?:morning|afternoon|evening|day)|greetings|thanks|thank you|thx|cheers|bye|goodbye"
    r"|(?:best|kind) regards|regards|hallo|guten (?:tag|morgen|abend)|danke|bonjour|merci|hola|gracias|ciao|grazie|bedankt|olá)"
    r"(?:[\s,]+(?:(?i:there|all|team|everyone|again|so much|very much|a lot|in advance|support|sir|madam|or)|@?[A-ZÀ-Þ][\w’'.-]*))*\W*"
)
_COURTESY = re.compile(
    r"anything else|feel free|happy to (?:help|assist)|glad to (?:help|assist|hear)|here to help|(?:have|enjoy) (?:a|the rest|your)\b.{0,20}"
    r"(?:day|evening|weekend|week|one|night)|thanks? (?:you )?(?:so much |very much )?for|let (?:us|me) know if|don'?t hesitate|do not hesitate"
    r"|you'?re (?:most |very )?welcome|my pleasure|no worries|sorry (?:to hear|for (?:the|any)|about (?:the|that|this))|apologi[sz]e for"
    r"|apologies for|understand (?:your|how) (?:frustrat|concern)|patience|look(?:ing)? forward to|hope (?:this|that) helps"
    r"|reach out to us|good luck|(?:write|call|contact us|reach out) any ?time|how (?:can|may) (?:i|we) (?:help|assist)"
    r"|(?:good|nice) to hear|stay safe|take care",
    re.IGNORECASE,
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


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Units that play a part, by their number; -1 for none."""

    first: int
    second: int
    last_other: int
    last_asker: int


def find_highlights(thread: Thread) -> tuple[Highlight, ...]:
    """Return up to six highlights in thread order, in all about 3.5·√words of the thread, between 15 and 80 words."""
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
        for u in (units[number] for number in sorted(_select(units, scores, similar, first=anchors.first)))
    )


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
        if drops_filler and (not count_words(text) or is_only_greeting(sentence.text) or is_machine_text(text)):
            continue
        terms = tuple(map(stem, content_words(text)))
        position = sentence.position
        units.append(
            _Unit(sentence, start, end, text, index_of[position], counts[position], is_asker(message), words, terms)
        )
        counts[position] += 1
    return units


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
        if len(unit.terms) >= 3 and not is_greeting(unit.text) and (unit.is_asker or not is_courtesy(unit.text))
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
    )


def _score(units: list[_Unit], rows: list[Row], anchors: _Anchors) -> list[float]:
    """Score every unit. The weights are those of the design's table, fitted by hand; changing one means measuring again."""
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
        - 0.10 * (number == anchors.last_asker)
        - 0.10 * (_DEICTIC.match(unit.text) is not None)
        - 0.20 * min(unit.index, 5) / 5
        - 0.40 * max(0, 5 - unit.words) / 5
        for number, unit in enumerate(units)
    ]


def _select(units: list[_Unit], scores: list[float], rows: list[Row], *, first: int) -> list[int]:
    """Take the best units that do not repeat each other, within a budget of words."""
    budget = min(80.0, max(15.0, 3.5 * math.sqrt(sum(unit.words for unit in units))))
    nearest = [0.0] * len(units)
    left = set(range(len(units)))
    taken: list[int] = []
    words = 0
    while left and len(taken) < _MOST_HIGHLIGHTS and words < 0.85 * budget:
        best = max(left, key=lambda number: (scores[number] - _REDUNDANCY * nearest[number], -number))
        left.remove(best)
        # The asker's opening is what everything else answers: it may exceed the budget, other sentences may not.
        if taken and best != first and words + units[best].words > 1.3 * budget:
            continue
        taken.append(best)
        words += units[best].words
        for other, value in rows[best].items():
            nearest[other] = max(nearest[other], value)
    return taken


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without what its ends can spare; a rest shorter than 8 characters is never left."""
    for _ in range(_PASSES):
        before = (start, end)
        for pattern in _FRONT:
            found = pattern.match(text, start, end)
            if found and end - found.end() >= _SHORTEST_REST:
                start = found.end()
        for pattern in _BACK:
            found = pattern.search(text[start:end])
            if found and found.start() >= _SHORTEST_REST:
                end = start + found.start()
        if (start, end) == before:
            break
    return _without_loose_ends(text, *_shortened(text, start, end))


def is_only_greeting(text: str) -> bool:
    """Tell whether a whole sentence is a greeting or thanks and at most a name."""
    return _ONLY_GREETING.fullmatch(text) is not None


def is_greeting(text: str) -> bool:
    """Tell whether a sentence of few words only greets or thanks."""
    return count_words(text) <= 7 and _GREETING.search(text) is not None


def is_courtesy(text: str) -> bool:
    """Tell whether a sentence is what agents write in every ticket."""
    return _COURTESY.search(text.replace("’", "'")) is not None


def is_machine_text(text: str) -> bool:
    """Tell whether a sentence is a log line, a stack frame or code: mostly signs and digits, or built of very long words."""
    visible = [character for character in text if not character.isspace()]
    letters = sum(character.isalpha() for character in visible)
    words = text.split()
    longest = max(map(len, words), default=0)
    is_spaceless = any(ord(character) > 0x2E80 for character in visible)
    return letters < 0.55 * len(visible) or (longest > 60 and not is_spaceless and len(words) < 6)


def _shortened(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a very long sentence at a comma, else at a word: a highlight is something to glance at."""
    words = list(_WORD.finditer(text, start, end))
    if len(words) <= _LONGEST_WORDS:
        return start, end
    limit = words[_CUT_AT_WORDS - 1].end()
    cuts = [found.start() for found in _CUT.finditer(text, words[_CUT_AT_WORDS // 2].start(), limit)]
    return start, cuts[-1] if cuts else limit


def _without_loose_ends(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;–—"):
        end -= 1
    return start, end
