"""What does the built-in model make of real tickets, and does every card say what it is?

The first `--tickets` tickets of an export are imported into a folder of their own and summarized one after the other, none left out: as many short,
foreign and garbled ones as the export has. Counted are how the runs ended and why, whether the model kept the form, what was found of each claim and
who named its source. Three things must hold whatever a model this small writes: nothing crashes; a card always says its state, its form and its
reason, and is empty where no call was made; a number that the model made up is marked.

A number is any fact of a claim with a digit, or a number in words: amounts, percentages, dates, times, ids. It counts as made up when none of its
readings, and not its letters either, stand in the ticket: messages whole, title, number, names, days and times of the messages. That is looked up
here anew, not taken from the checker, and a number that can be reckoned from the ticket counts too. Left out: whether a summary is any good.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from measured import REPOSITORY

from desktop.config.paths import find_paths
from desktop.domain.providers import BUILT_IN
from desktop.domain.runs import CheckedClaim, Finished, Form, RunState, Started, Summary, Support
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Thread, TicketQuery
from desktop.services.container import Desk, open_desk
from desktop.services.evidence.preparing import day_of
from desktop.services.facts import Fact, day_values, find_facts
from desktop.services.summaries import TOO_SHORT

EXPORT = REPOSITORY.parent / "shared" / "data" / "exports" / "conversations" / "support_messages.csv"
CRASHED = "crashed"
_IN_WORDS = ("number:", "plain:")


@dataclass(frozen=True, slots=True)
class Invented:
    """A number of a claim that stands nowhere in its ticket; `is_marked` when the claim is not supported and names it as missing."""

    ticket: str
    number: str
    section: str
    claim: str
    support: str
    missing: tuple[str, ...]
    is_marked: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ticket. `origins` has one entry for each claim with a source; `faults` is what its card does not say of itself."""

    ticket: str
    seconds: float
    end: str = ""
    reason: str = ""
    is_called: bool = False
    form: str = ""
    supports: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    invented: tuple[Invented, ...] = ()
    faults: tuple[str, ...] = ()


async def measure(export: Path, folder: Path, *, most: int, most_seconds: float) -> list[Outcome]:
    """Import an export and summarize its first tickets; none is begun after `most_seconds` (0: no limit)."""
    desk = await open_desk(find_paths(folder / "data"))
    try:
        recognized = await desk.imports.recognize(export)
        async with aclosing(desk.imports.run(recognized)) as events:
            async for _ in events:
                pass
        outcomes: list[Outcome] = []
        began = time.monotonic()
        for ticket_id in (await desk.tickets.ids(TicketQuery()))[:most]:
            if most_seconds and time.monotonic() - began > most_seconds:
                break
            outcomes.append(await summarize(desk, ticket_id))
            _say(len(outcomes), outcomes[-1])
        return outcomes
    finally:
        await desk.close()


def _say(number: int, outcome: Outcome) -> None:
    told = " ".join(filter(None, (outcome.end, outcome.form, outcome.reason)))
    print(f"{number:4} {outcome.ticket}: {told}, {outcome.seconds:.1f} s", file=sys.stderr, flush=True)


async def summarize(desk: Desk, ticket_id: int) -> Outcome:
    """Summarize one ticket with the built-in model and look at what came; an exception is an outcome too."""
    began, reference = time.monotonic(), str(ticket_id)
    try:
        thread = await desk.tickets.thread(ticket_id)
        assert thread is not None
        reference = thread.ticket.reference
        summaries: list[Summary] = []
        is_called = False
        async with aclosing(desk.summaries.stream(ticket_id, provider=BUILT_IN)) as events:
            async for event in events:
                is_called = is_called or isinstance(event, Started)
                if isinstance(event, Finished):
                    summaries.append(event.summary)
        assert len(summaries) == 1, f"finished {len(summaries)} times"
        return _look_at(thread, summaries[0], is_called=is_called, seconds=time.monotonic() - began)
    except Exception:  # noqa: BLE001 - that any is raised is what is counted
        return Outcome(reference, time.monotonic() - began, end=CRASHED, reason=traceback.format_exc())


def _look_at(thread: Thread, summary: Summary, *, is_called: bool, seconds: float) -> Outcome:
    return Outcome(
        ticket=thread.ticket.reference,
        seconds=seconds,
        end="too short" if summary.reason == TOO_SHORT else summary.state.value,
        reason=summary.reason,
        is_called=is_called,
        form=summary.form.value if summary.text else "",
        supports=tuple(checked.support.value for checked in summary.claims),
        origins=tuple(checked.origin for checked in summary.claims if checked.citations),
        invented=tuple(find_invented(thread, summary.claims)),
        faults=tuple(find_faults(summary, is_called=is_called)),
    )


def find_faults(summary: Summary, *, is_called: bool) -> Iterable[str]:
    """Yield what a card does not say of itself, or says without a call."""
    if not summary.state.value or summary.state is RunState.RUNNING:
        yield "no state that a run ends in"
    if not summary.form.value:
        yield "no form"
    if summary.state is not RunState.COMPLETE and not summary.reason:
        yield "not complete, and no reason"
    if summary.state is RunState.COMPLETE and not (summary.text.strip() and summary.claims):
        yield "complete, and nothing in it"
    if not is_called and summary.state is RunState.COMPLETE:
        yield "complete without a call"
    if not is_called and (summary.text or summary.claims or summary.gist or summary.sections):
        is_highlight = any(highlight.text in summary.text for highlight in summary.highlights)
        yield "a highlight stands as a summary" if is_highlight else "text without a call"


def find_invented(thread: Thread, claims: Sequence[CheckedClaim]) -> Iterable[Invented]:
    """Yield the numbers of claims that stand nowhere in their ticket."""
    text, values = _text_of(thread), _values_of(thread)
    for checked in claims:
        for fact in find_facts(checked.claim.text).facts:
            if not _is_number(fact) or fact.readings & values or _stands_in(fact.text, text):
                continue
            is_named = fact.text in checked.missing_facts
            yield Invented(
                ticket=thread.ticket.reference,
                number=fact.text,
                section=checked.claim.section,
                claim=checked.claim.text,
                support=checked.support.value,
                missing=checked.missing_facts,
                is_marked=is_named and checked.support is not Support.SUPPORTED,
                sentences=tuple(f"{s.id} {s.text}" for s in number_sentences(thread.messages)),
            )


def _is_number(fact: Fact) -> bool:
    return any(map(str.isdigit, fact.text)) or all(reading.startswith(_IN_WORDS) for reading in fact.readings)


def _stands_in(number: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(number)}(?!\w)", text, re.IGNORECASE) is not None


def _text_of(thread: Thread) -> str:
    ticket = thread.ticket
    people = (ticket.requester, ticket.assignee, *(message.author for message in thread.messages))
    times = (message.created_at for message in thread.messages)
    return "\n".join((ticket.title, ticket.external_id, *people, *times, *(m.text for m in thread.messages)))


def _values_of(thread: Thread) -> frozenset[str]:
    """Return all that a number of a claim could mean: what the ticket writes, and the days and times of its messages."""
    around = find_facts(_text_of(thread)).values
    return around.union(*(_values_of_message(message) for message in thread.messages))


def _values_of_message(message: Message) -> frozenset[str]:
    day = day_of(message.created_at)
    clock = frozenset((f"time:{message.created_at[11:16]}",))
    return clock | find_facts(message.text, on=day).values | (day_values(day) if day else frozenset())


def add_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures: how many tickets, claims and citations there were of each kind, and whether what must hold does."""
    invented = [number for outcome in outcomes for number in outcome.invented]
    called = [outcome.seconds for outcome in outcomes if outcome.is_called]
    return {
        "tickets": len(outcomes),
        "ends": _count(outcomes, lambda outcome: (outcome.end,)),
        "reasons": _count(outcomes, lambda outcome: (outcome.reason,) if outcome.end != CRASHED else ()),
        "forms": {form.value: 0 for form in Form} | _count(outcomes, lambda outcome: (outcome.form,)),
        "claims": {support.value: 0 for support in Support} | _count(outcomes, lambda outcome: outcome.supports),
        "citations": {"model": 0, "found": 0} | _count(outcomes, lambda outcome: outcome.origins),
        "crashes": [outcome.reason for outcome in outcomes if outcome.end == CRASHED],
        "faults": [f"{outcome.ticket}: {fault}" for outcome in outcomes for fault in outcome.faults],
        "invented": len(invented),
        "invented_marked": sum(number.is_marked for number in invented) / len(invented) if invented else None,
        "invented_unmarked": [asdict(number) for number in invented if not number.is_marked],
        "seconds_mean": statistics.mean(called) if called else None,
        "seconds_median": statistics.median(called) if called else None,
        "seconds_most": max(called, default=None),
    }


def _count(outcomes: Iterable[Outcome], kinds: Callable[[Outcome], Iterable[str]]) -> dict[str, int]:
    return dict(Counter(kind for outcome in outcomes for kind in kinds(outcome) if kind).most_common())


def show(figures: dict[str, Any]) -> None:
    """Print a table for people."""
    print(f"{'tickets':16}{figures['tickets']}")
    for name in ("ends", "reasons", "forms", "claims", "citations"):
        total = sum(figures[name].values()) if name != "reasons" else figures["tickets"]
        shares = (f"{kind} {count} ({100 * count / max(total, 1):.0f} %)" for kind, count in figures[name].items())
        print(f"{name:16}{' · '.join(shares)}")
    print(f"{'crashes':16}{len(figures['crashes'])} (must be 0)")
    print(f"{'cards at fault':16}{len(figures['faults'])} (must be 0)")
    marked = "none to mark" if figures["invented_marked"] is None else f"{figures['invented_marked']:.3f}"
    print(f"{'invented':16}{figures['invented']} numbers, share marked {marked} (must be 1)")
    if figures["seconds_mean"] is not None:
        seconds = (figures[f"seconds_{name}"] for name in ("mean", "median", "most"))
        print("{:16}{:.1f} s mean, {:.1f} s median, {:.1f} s at most".format("a ticket", *seconds))
    for crash in figures["crashes"]:
        print(f"\n{crash}")
    for fault in figures["faults"]:
        print(f"\n{fault}")
    for number in figures["invented_unmarked"]:
        print(f"\nNot marked in {number['ticket']}: {number['number']} ({number['support']}), {number['section']}:")
        print("\n    ".join((f"  {number['claim']}", *number["sentences"])))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--tickets", type=int, default=100, help="how many tickets to summarize (100)")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin no ticket after so many seconds (no limit)")
    known = EXPORT if EXPORT.is_file() else find_paths().sample
    parser.add_argument("export", nargs="?", type=Path, default=known, help="the export to import (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tldesk-bench-") as name:
        work = measure(options.export, Path(name), most=options.tickets, most_seconds=options.seconds)
        figures = add_up(asyncio.run(work))
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
