"""How many wrong sentences does the checker mark, and how many right ones? On labelled claims about whole threads, beside plain lexical coverage.

`data/evidence/development` was looked at while the checker was made, `data/evidence/held_out` was not: only its figures say what to expect. A claim
is `faithful`, or has one thing wrong: a hard fact (number, amount, date, name, id) or something else (negation, actor, status, promise, a claim of
another ticket, nonsense). Some were written by people (`written`), some are unedited sentences of real models (`model`). Marked means: anything but
*supported*. The peer marks a claim when too small a share of its content words stands in the cited sentences; its threshold is picked on each half
for at least as many
false alarms as ours has there, which favors it. Time is that of one claim after a first pass over all, threads prepared beforehand.
Left out: what a marked claim is told to lack, and reading the files.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from measured import REPOSITORY

from desktop.domain.runs import Claim, Support
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.evidence import PreparedThread, check_claim, prepare_thread
from desktop.services.words import content_words, stem

DATA = REPOSITORY / "benchmarks" / "data" / "evidence"
HALVES = ("development", "held_out")
HARD = ("number", "amount", "date", "name", "id")
REST = ("negation", "actor", "status", "promise", "foreign", "nonsense")
AIM_HARD, AIM_REST, AIM_ALARMS, AIM_MS = 0.95, 0.75, 0.10, 2.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One claim with what is known of it; `place` is its file and number."""

    place: str
    kind: str
    label: str
    source: str
    is_swap: bool
    claim: Claim
    thread: Thread
    prepared: PreparedThread


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some claims were marked, by the checker and by its peer. `aim` is the least (for wrong claims) or the most (for faithful ones)."""

    half: str
    name: str
    claims: int
    marked: int
    peer_marked: int
    aim: float = 0.0

    @property
    def share(self) -> float:
        return self.marked / self.claims if self.claims else 0.0

    @property
    def peer_share(self) -> float:
        return self.peer_marked / self.claims if self.claims else 0.0


def load(half: str) -> list[Labelled]:
    """Read one half of the data, threads prepared."""
    found: list[Labelled] = []
    for path in sorted((DATA / half).glob("*.json")):
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        thread = make_thread(document)
        prepared = prepare_thread(thread, number_sentences(thread.messages))
        for number, values in enumerate(document["claims"], start=1):
            claim = Claim(values.get("section", "Summary"), values["text"], tuple(values["citations"]))
            found.append(
                Labelled(
                    f"{path.stem}/{number}",
                    document["kind"],
                    values["label"],
                    values["source"],
                    bool(values.get("is_swap")),
                    claim,
                    thread,
                    prepared,
                )
            )
    return found


def make_thread(document: dict[str, Any]) -> Thread:
    """Return a thread as it would have been imported."""
    ticket = document["ticket"]
    messages = tuple(
        Message(
            number,
            values["author"],
            Role(values["role"]),
            values["created_at"],
            values["text"],
            bool(values.get("internal")),
        )
        for number, values in enumerate(document["messages"], start=1)
    )
    row = TicketRow(
        id=1,
        source="labelled",
        external_id=ticket["external_id"],
        subject=ticket["subject"],
        status=ticket["status"],
        status_original="",
        priority=ticket["priority"],
        priority_original="",
        requester=ticket["requester"],
        assignee="",
        created_at=messages[0].created_at if messages else "",
        updated_at=messages[-1].created_at if messages else "",
        message_count=len(messages),
        gist="",
    )
    return Thread(row, {}, messages, "")


def mark(claims: Sequence[Labelled]) -> tuple[list[bool], float]:
    """Check all claims; return which are marked, and the milliseconds that one takes once everything is warm."""
    for each in claims:
        check_claim(each.claim, each.prepared)
    began = time.perf_counter()
    marked = [check_claim(each.claim, each.prepared).support is not Support.SUPPORTED for each in claims]
    return marked, 1000 * (time.perf_counter() - began) / max(1, len(claims))


def mark_by_coverage(claims: Sequence[Labelled], *, alarms: int) -> list[bool]:
    """Mark what shares too few content words with the cited sentences; at least as many faithful ones as `alarms`."""
    shares = [_lexical_coverage(each) for each in claims]
    faithful = sorted(share for share, each in zip(shares, claims, strict=True) if each.label == "faithful")
    threshold = faithful[min(alarms, len(faithful)) - 1] if faithful and alarms else -1.0
    return [share <= threshold for share in shares]


def _lexical_coverage(labelled: Labelled) -> float:
    sentences = number_sentences(labelled.thread.messages)
    cited = [s for s in sentences if s.id in labelled.claim.citations] or list(sentences)
    stems = {stem(word) for sentence in cited for word in content_words(sentence.text)}
    wanted = {stem(word) for word in content_words(labelled.claim.text)}
    return len(wanted & stems) / len(wanted) if wanted else 1.0


def shares(half: str, claims: Sequence[Labelled], marked: Sequence[bool], peer: Sequence[bool]) -> list[Share]:
    """Return the shares of marked claims: by kind of mistake, by its two groups, and of the faithful ones by who wrote them."""
    rows = list(zip(claims, marked, peer, strict=True))

    def share(name: str, labels: Iterable[str], *, source: str = "", aim: float = 0.0, is_swap: bool = False) -> Share:
        labels = tuple(labels)
        chosen = [
            (ours, theirs)
            for each, ours, theirs in rows
            if each.label in labels and source in ("", each.source) and (each.is_swap or not is_swap)
        ]
        return Share(half, name, len(chosen), sum(o for o, _ in chosen), sum(t for _, t in chosen), aim)

    found = Counter(each.label for each in claims)
    kinds = [share(label, (label,)) for label in (*HARD, *REST) if found[label]]
    return [
        *kinds,
        share("value of the same thread in the wrong place", HARD, is_swap=True),
        share("hard facts", HARD, aim=AIM_HARD),
        share("the rest", REST, aim=AIM_REST),
        share("wrong, by a model", (*HARD, *REST), source="model"),
        share("false alarms, written", ("faithful",), source="written", aim=AIM_ALARMS),
        share("false alarms, by a model", ("faithful",), source="model", aim=AIM_ALARMS),
        share("false alarms", ("faithful",), aim=AIM_ALARMS),
    ]


def measure(half: str) -> tuple[list[Share], float, list[tuple[Labelled, bool]]]:
    """Measure one half: the shares, milliseconds a claim, and what was marked."""
    claims = load(half)
    marked, ms = mark(claims)
    alarms = sum(m for each, m in zip(claims, marked, strict=True) if each.label == "faithful")
    peer = mark_by_coverage(claims, alarms=alarms)
    return shares(half, claims, marked, peer), ms, list(zip(claims, marked, strict=True))


def main() -> None:
    """Measure the halves that are there and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--half", choices=HALVES, help="only this half")
    parser.add_argument(
        "--mistakes", action="store_true", help="also list faithful claims that are marked, and wrong ones that are not"
    )
    options = parser.parse_args()
    halves = [half for half in HALVES if options.half in (None, half) and (DATA / half).is_dir()]
    documents: list[dict[str, Any]] = []
    for half in halves:
        found, ms, outcomes = measure(half)
        kinds = Counter(each.kind for each, _ in outcomes)
        threads = len({each.place.partition("/")[0] for each, _ in outcomes})
        if options.json:
            rows = [{**asdict(row), "share": row.share, "peer_share": row.peer_share} for row in found if row.claims]
            documents.append({"half": half, "threads": threads, "claims": len(outcomes), "ms": ms, "shares": rows})
            continue
        print(
            f"{half}: {len(outcomes)} claims, {threads} threads of {len(kinds)} kinds; {ms:.2f} ms a claim (aim {AIM_MS:.0f})"
        )
        print(f"  {'':46}{'claims':>7}{'marked':>8}{'coverage alone':>16}")
        for row in found:
            if row.claims:
                aim = f"  aim {row.aim:.2f}" if row.aim else ""
                print(f"  {row.name:46}{row.claims:7}{row.share:8.2f}{row.peer_share:16.2f}{aim}")
        if options.mistakes:
            for each, is_marked in outcomes:
                if is_marked == (each.label == "faithful"):
                    print(f"  {each.label:9} {each.place}: {each.claim.text} {list(each.claim.citations)}")
    if options.json:
        print(json.dumps({"evidence": documents}))


if __name__ == "__main__":
    main()
