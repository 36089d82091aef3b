"""Verdicts: what becomes of a ticket of the queue, and of the queue, when its summary has come to an end.

Most faults concern the ticket alone. Some would fail every ticket alike (a wrong key, no credit, an unknown model): of those one is enough, the queue
stops and nothing fails. Some pass by themselves (a rate, a provider in trouble): the ticket waits again, each time longer, and fails when it was in
vain too often. A provider at rest is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.domain.runs import RunState, Summary

FIRST_WAIT_SECONDS = 15.0
STOPS_EVERYTHING = frozenset(
    (
        "local-only",
        "provider-certificate",
        "provider-key",
        "provider-missing",
        "provider-model",
        "provider-name",
        "provider-no-key",
        "provider-no-model",
        "provider-quota",
        "recipe-broken",
        "recipe-missing",
    )
)
"""Codes of faults that the next ticket would meet as well. A rate (429) is a `provider-quota` that passes by itself, and is none of them."""
SAME_FAULTS = 5
"""So many tickets in a row that fail for one and the same reason, and none that succeeds, stop the queue too."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much is borne. A ticket is begun `attempts` times at most, each of them up to three requests; a provider rests `rests` times in a row.

    `is_final` when what stops everything is the end of it: nobody will resume.
    """

    attempts: int = 4
    rests: int = 5
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`waits_again` puts the ticket back, for `seconds` at least; `pauses` stops the queue; `rests` has it wait for `seconds` and go on."""

    is_done: bool = False
    waits_again: bool = False
    seconds: float = 0.0
    pauses: bool = False
    rests: bool = False
    counts: bool = True


def judge_end(summary: Summary, attempts: int, patience: Patience) -> Verdict:
    """Say what follows from how a summary ended, the so-manieth time that it was begun."""
    if summary.state is RunState.COMPLETE:
        return Verdict(is_done=True)
    if summary.state is RunState.CANCELLED:
        return Verdict(waits_again=True, counts=False)
    if summary.error == "provider-rested":
        return Verdict(waits_again=True, rests=True, seconds=summary.retry_seconds or FIRST_WAIT_SECONDS, counts=False)
    if summary.retry_seconds is not None:
        if attempts >= patience.attempts:
            return Verdict()
        wait = max(summary.retry_seconds, FIRST_WAIT_SECONDS * 2 ** (attempts - 1))
        return Verdict(waits_again=True, seconds=wait)
    if summary.error in STOPS_EVERYTHING or summary.error.startswith("engine-"):
        return Verdict(waits_again=not patience.is_final, pauses=True, counts=patience.is_final)
    return Verdict()
