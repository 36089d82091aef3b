"""How good are highlights, beside what is usually taken instead? On threads that people summarized, and with a clock.

The threads in `data/highlights` are invented and written by hand, in three styles: mails with signatures and internal notes, chats, and short public
posts; a quarter is not English. Each has a reference summary, and what a support lead would write under *problem* and *stands*, with the
sentences of the thread that say it. Measured are ROUGE-1, -2 and -L (F1 × 100; stems for English) and in how many threads a highlight lies in one of
those sentences. What was taken of every second thread was not looked at while the weights and lists were chosen: its half is shown by itself.
It is no held-back set: whoever wrote the threads wrote the lists too, and its means were seen.

Peers: the first method (`peers/first_highlights.py`); LEAD-3 and TextRank-3, which take whole messages; LEAD, the first sentences up to as many
words as ours took. All see messages without quotes and signatures, and no leading handles. Left out: usefulness, which ROUGE does not tell.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from peers.first_highlights import find_highlights as find_first_highlights
from rouge_score.rouge_scorer import RougeScorer

from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.highlights import find_highlights
from desktop.services.trimming import trim
from desktop.services.words import content_words, count_words, stem

DATA = Path(__file__).resolve().parent / "data" / "highlights"
STYLES = ("mails", "chats", "tweets")
MEASURES = ("rouge1", "rouge2", "rougeL")
TIMED_MESSAGES = 20
LONG_MESSAGES = 1_000
ROUNDS = 50
_HANDLES = re.compile(r"\s*(?:@\w+[:,]?\s+)+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Example:
    """One thread with what people wrote of it; `problem_in` and `stands_in` are the ids of the sentences that carry the fields."""

    name: str
    language: str
    thread: Thread
    summary: str
    problem_in: frozenset[str]
    stands_in: frozenset[str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a method took: pieces of text in order, and the ids of the sentences that they lie in (none for whole messages)."""

    texts: tuple[str, ...]
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """One method on one set of threads: means of F1 × 100 and of words, and shares of threads in percent (None: not asked of it)."""

    style: str
    half: str
    method: str
    threads: int
    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815
    words: float
    problem: float | None
    stands: float | None
    either: float | None


class _Words:
    """Tokens for languages that rouge-score's own tokenizer would cut at every accent."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.lower())


def read_examples(style: str) -> list[Example]:
    """Read the threads of one style in their order."""
    return [_as_example(told) for told in json.loads((DATA / f"{style}.json").read_text(encoding="utf-8"))]


def _as_example(told: dict[str, Any]) -> Example:
    messages = tuple(
        Message(n, m["author"], Role(m["role"]), "", m["text"], internal=m.get("internal", False))
        for n, m in enumerate(told["messages"], start=1)
    )
    fields = frozenset(told["problem_in"]), frozenset(told["stands_in"])
    return Example(told["id"], told["language"], as_thread(messages), told["summary"], *fields)


def as_thread(messages: tuple[Message, ...]) -> Thread:
    """Make a thread of messages alone."""
    return Thread(
        TicketRow(1, "", "1", "", "", "", "", "", "", "", "", "", len(messages), ""), {}, messages, "benchmark"
    )


def take_highlights(thread: Thread, find: Callable[[Thread], Sequence[Any]]) -> Taken:
    """Take what a method of highlights finds."""
    found = find(thread)
    return Taken(tuple(h.text for h in found), frozenset(h.sentence_id for h in found))


def own_texts(thread: Thread) -> list[str]:
    """Return each message without quotes, signature and leading handles; messages that say nothing are left out."""
    texts: dict[int, list[str]] = {}
    for sentence in number_sentences(thread.messages):
        texts.setdefault(sentence.position, []).append(sentence.text)
    return [_HANDLES.sub("", " ".join(sentences), count=1) for sentences in texts.values()]


def take_lead_messages(thread: Thread) -> Taken:
    """Take the first three messages."""
    return Taken(tuple(own_texts(thread)[:3]))


def take_central_messages(thread: Thread) -> Taken:
    """Take three messages by TextRank: a walk over messages that share words, as Mihalcea and Tarau weigh them (2004)."""
    texts = own_texts(thread)
    terms = [[stem(word) for word in content_words(text)] for text in texts]
    likeness = [[_shared(one, other) if one is not other else 0.0 for other in terms] for one in terms]
    sums = [sum(row) or 1.0 for row in likeness]
    ranks = [1.0] * len(texts)
    for _ in range(30):
        ranks = [
            0.15 + 0.85 * sum(likeness[other][one] / sums[other] * ranks[other] for other in range(len(texts)))
            for one in range(len(texts))
        ]
    best = sorted(range(len(texts)), key=lambda number: (-ranks[number], number))[:3]
    return Taken(tuple(texts[number] for number in sorted(best)))


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    size = math.log(len(one) or 1) + math.log(len(other) or 1)
    return len(set(one) & set(other)) / size if size else 0.0


def take_lead_sentences(thread: Thread, words: int) -> Taken:
    """Take the first sentences, trimmed as ours are, until there are as many words as ours took."""
    texts: dict[int, str] = {message.position: message.text for message in thread.messages}
    taken: list[str] = []
    ids: list[str] = []
    left = words
    for sentence in number_sentences(thread.messages):
        start, end = trim(texts[sentence.position], sentence.start, sentence.end)
        text = texts[sentence.position][start:end]
        if left <= 0 or (taken and count_words(text) > 1.3 * left):
            break
        taken.append(text)
        ids.append(sentence.id)
        left -= count_words(text)
    return Taken(tuple(taken), frozenset(ids))


def take_all(example: Example) -> dict[str, Taken]:
    """Let every method choose from one thread."""
    ours = take_highlights(example.thread, find_highlights)
    return {
        "highlights": ours,
        "first method": take_highlights(example.thread, find_first_highlights),
        "LEAD-3": take_lead_messages(example.thread),
        "TextRank-3": take_central_messages(example.thread),
        "LEAD, as many words": take_lead_sentences(example.thread, sum(count_words(text) for text in ours.texts)),
    }


def measure_style(style: str, examples: Sequence[Example]) -> list[Score]:
    """Measure every method on one style: on all threads, on the first of every two, and on the second."""
    taken = [(example, take_all(example)) for example in examples]
    halves = {"all": taken, "seen": taken[0::2], "unseen": taken[1::2]}
    methods = list(taken[0][1])
    return [_score(style, half, method, some) for half, some in halves.items() for method in methods]


def _score(style: str, half: str, method: str, taken: Sequence[tuple[Example, dict[str, Taken]]]) -> Score:
    rouge = [_rouge(example, " ".join(by_method[method].texts)) for example, by_method in taken]
    means = {measure: statistics.mean(row[measure] for row in rouge) for measure in MEASURES}
    found = [_fields(example, by_method[method]) for example, by_method in taken if by_method[method].ids]
    shares = [100 * statistics.mean(column) for column in zip(*found, strict=True)]
    return Score(
        style=style,
        half=half,
        method=method,
        threads=len(taken),
        **means,
        words=statistics.mean(sum(map(count_words, by_method[method].texts)) for _, by_method in taken),
        problem=shares[0] if shares else None,
        stands=shares[1] if shares else None,
        either=shares[2] if shares else None,
    )


def _rouge(example: Example, text: str) -> dict[str, float]:
    scorer = ENGLISH if example.language == "en" else OTHERS
    return {name: 100 * score.fmeasure for name, score in scorer.score(example.summary, text).items()}


ENGLISH = RougeScorer(list(MEASURES), use_stemmer=True)
OTHERS = RougeScorer(list(MEASURES), tokenizer=_Words())


def _fields(example: Example, taken: Taken) -> tuple[bool, bool, bool]:
    has_problem, has_stands = bool(taken.ids & example.problem_in), bool(taken.ids & example.stands_in)
    return has_problem, has_stands, has_problem or has_stands


def measure_time(examples: Sequence[Example]) -> dict[str, float]:
    """Time a thread of 20 messages, cold (its words met for the first time) and warm, and one of 1,000."""
    messages = [message for example in examples for message in example.thread.messages]
    return {
        "cold_ms": _time(_numbered(messages[:TIMED_MESSAGES]), is_cold=True),
        "warm_ms": _time(_numbered(messages[:TIMED_MESSAGES])),
        "first_method_ms": _time(_numbered(messages[:TIMED_MESSAGES]), find=find_first_highlights),
        "long_ms": _time(_numbered((messages * (1 + LONG_MESSAGES // len(messages)))[:LONG_MESSAGES]), rounds=5),
    }


def _numbered(messages: Sequence[Message]) -> Thread:
    return as_thread(tuple(Message(n, m.author, m.role, "", m.text) for n, m in enumerate(messages, start=1)))


def _time(
    thread: Thread, *, find: Callable[[Thread], object] = find_highlights, rounds: int = ROUNDS, is_cold: bool = False
) -> float:
    times = []
    for _ in range(rounds):
        if is_cold:
            stem.cache_clear()
        began = time.perf_counter()
        find(thread)
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def show(scores: Sequence[Score], times: dict[str, float]) -> None:
    """Print a table for people."""
    print(f"{'':34}{'R1':>7}{'R2':>7}{'RL':>7}{'words':>7}  {'problem':>8}{'stands':>8}{'either':>8}")
    for score in scores:
        place = f"{score.style} ({score.half}, {score.threads})"
        if score.method == "highlights":
            print(place)
        shares = "".join(
            f"{'' if share is None else f'{share:.0f} %':>8}" for share in (score.problem, score.stands, score.either)
        )
        figures = f"{score.rouge1:7.2f}{score.rouge2:7.2f}{score.rougeL:7.2f}{score.words:7.0f}"
        print(f"  {score.method:32}{figures}  {shares}")
    print(
        f"20 messages: {times['cold_ms']:.1f} ms with every word new, {times['warm_ms']:.1f} ms warm (at most 5;"
        f" first method {times['first_method_ms']:.1f} ms)"
        f" · 1,000 messages: {times['long_ms']:.0f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--show", metavar="ID", help="print what ours takes from one thread, or from all of a style")
    options = parser.parse_args()
    by_style = {style: read_examples(style) for style in STYLES}
    if options.show:
        show_taken([example for examples in by_style.values() for example in examples], options.show)
        return
    scores = [score for style, examples in by_style.items() for score in measure_style(style, examples)]
    times = measure_time(by_style["mails"])
    if options.json:
        print(json.dumps({"scores": [asdict(score) for score in scores], "times": times}))
    else:
        show(scores, times)


def show_taken(examples: Sequence[Example], name: str) -> None:
    """Print the highlights of the threads whose id begins so, marked with P and S where they say the problem and how it stands."""
    for example in examples:
        if not example.name.startswith(name.rstrip("s")):
            continue
        print(f"{example.name}: {example.summary}")
        for found in find_highlights(example.thread):
            marks = ("P" if found.sentence_id in example.problem_in else " ") + (
                "S" if found.sentence_id in example.stands_in else " "
            )
            print(f"  {marks} {found.sentence_id:6} {found.text}")


if __name__ == "__main__":
    main()
