"""Weights: how the signs of a sentence's wording become one number, fitted on the development half of `benchmarks/data/evidence`.

`benchmarks/fit_evidence.py` fits them anew and prints this module's table. Take it whole: signs overlap, so that a single weight means little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

BIAS = -0.220
WEIGHTS: Mapping[str, float] = {
    "uncovered": 0.286,
    "uncovered_in_thread": 0.479,
    "inexact": -0.896,
    "absent": -2.281,
    "first_absent": 0.251,
    "few_and_absent": 1.348,
    "verbatim": -0.444,
    "not_alone": -0.529,
    "not_lost": 0.463,
    "denied_here": 0.818,
    "denied_there": -0.145,
    "opposite": 0.391,
    "other_actor": 0.843,
    "other_actor_alone": 0.489,
    "acted_by_other": 0.527,
    "promise": -0.334,
    "promise_novel": 0.462,
    "strong_promise": 1.259,
    "done_but_to_come": 0.740,
    "lasting_but_happened": -0.302,
    "missing_source": 0.000,
    "moved": 0.342,
    "verb_by_other": 0.786,
    "single": 0.782,
    "pairs": 0.335,
    "predicate": -0.097,
}

THRESHOLDS: Mapping[str, float] = {"lenient": 0.84, "normal": 0.63, "strict": 0.49}
"""From this on the wording is worth a look."""
UNSUPPORTED_FROM = 0.9
"""From this on nothing like it was found."""


def differs(values: Sequence[float], names: Sequence[str]) -> float:
    """Return how likely it is that a sentence with these signs does not say what its sources say, 0..1, as far as wording goes."""
    total = BIAS + sum(WEIGHTS.get(name, 0.0) * value for name, value in zip(names, values, strict=True))
    return 1 / (1 + math.exp(-total))
