"""Which points are tried: spread over all calls that an undisturbed import makes, the same ones each time.

A point is a number of a call, so the plan is made from the counts of that import (`Stage.calls`). Where a call is made less often than it is
to be hit, each of its calls is hit and the rest goes to `pwrite64`, which is what an import does most.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from tests.durability.program import Fault

SEED = 20261125
_KILLS = {"pwrite64": 0.70, "fdatasync": 0.26, "ftruncate": 0.03, "unlink": 0.01}
"""How the kills are shared out among the calls."""
_FAULTS = (
    *(("pwrite64", "ENOSPC", True, 0.36), ("pwrite64", "ENOSPC", False, 0.12)),
    *(("pwrite64", "EIO", True, 0.12), ("pwrite64", "EIO", False, 0.12)),
    *(("fdatasync", "EIO", True, 0.14), ("fdatasync", "EIO", False, 0.10), ("ftruncate", "EIO", False, 0.04)),
)
"""Which errors, of which calls, once or from then on, and how they are shared out."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is tried. `kills` and `faults` are spread over the calls, `fresh_*` of them hit the making of a new data folder.

    `queue_kills` hit a queue at work.
    """

    tickets: int = 20_000
    kills: int = 200
    fresh_kills: int = 14
    random_kills: int = 100
    faults: int = 50
    fresh_faults: int = 4
    full_disks: int = 3
    queue_kills: int = 20


def plan_kills(calls: Mapping[str, int], count: int) -> list[Fault]:
    """Spread `count` kills over the calls, first and last included."""
    wanted = {call: min(calls[call], max(1, round(count * share))) for call, share in _KILLS.items() if calls[call]}
    wanted["pwrite64"] = count - sum(n for call, n in wanted.items() if call != "pwrite64")
    return [Fault(call, number) for call, n in wanted.items() for number in spread(calls[call], n)]


def plan_first_kills(calls: Mapping[str, int], count: int) -> list[Fault]:
    """Hit the first calls of all: those that make a new data folder."""
    writes = count * 2 // 3
    steps = [Fault("pwrite64", 1 + 3 * n) for n in range(writes)] + [
        Fault("fdatasync", 1 + n) for n in range(count - writes)
    ]
    return [fault for fault in steps if fault.number <= calls[fault.call]]


def plan_faults(calls: Mapping[str, int], count: int) -> list[Fault]:
    """Spread `count` errors of the disk over the calls."""
    planned: list[Fault] = []
    for call, error, lasts, share in _FAULTS:
        n = min(calls[call], max(1, round(count * share)))
        planned += [Fault(call, number, error, lasts) for number in spread(calls[call], n)]
    rest = count - len(planned)
    return planned[:count] + [
        Fault("pwrite64", n, "ENOSPC", True) for n in spread(calls["pwrite64"] // 2, max(0, rest))
    ]


def plan_first_faults(count: int) -> list[Fault]:
    """Let the first calls of all fail: those that make a new data folder."""
    return [Fault("pwrite64", 1 + 5 * n, "ENOSPC", lasts=True) for n in range(count)]


def plan_delays(seconds: float, count: int) -> list[float]:
    """Return `count` moments at random within an import of `seconds`, the same ones each time for the same length."""
    chance = random.Random(SEED)
    return [chance.random() * seconds for _ in range(count)]


def spread(last: int, count: int) -> list[int]:
    """Return `count` different numbers from 1 to `last`, both ends included, evenly apart."""
    if count <= 1:
        return [last // 2 or 1][:count]
    return sorted({1 + round(step * (last - 1) / (count - 1)) for step in range(count)})
