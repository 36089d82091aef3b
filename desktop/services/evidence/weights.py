"""Weights: how the signs of a sentence's wording become one number, fitted on the development half of `benchmarks/data/evidence`.

`benchmarks/fit_evidence.py` fits them anew and prints this module's table. Take it whole: signs overlap, so that a single weight means little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

BIAS = -0.175
WEIGHTS: Mapping[str, float] = {
    "uncovered": 0.425,
    "uncovered_in_thread": 0.441,
    "inexact": -0.852,
    "absent": -2.231,
    "first_absent": 0.132,
    "few_and_absent": 1.395,
    "verbatim": -0.444,
    "not_alone": -0.259,
    "not_lost": 0.374,
    "denied_here": 0.457,
    "denied_there": 0.060,
    "opposite": 0.386,
    "other_actor": 1.030,
    "other_actor_alone": 0.421,
    "acted_by_other": 0.523,
    "promise": -0.192,
    "promise_novel": 0.398,
    "strong_promise": 1.290,
    "done_but_to_come": 0.829,
    "lasting_but_happened": -0.298,
    "moved": 0.216,
    "verb_by_other": 1.169,
    "single": 0.641,
    "pairs": 0.229,
    "predicate": 0.055,
}

THRESHOLDS: Mapping[str, float] = {"lenient": 0.85, "normal": 0.66, "strict": 0.49}
"""From this on the wording is worth a look."""
UNSUPPORTED_FROM = 0.9
"""From this on nothing like it was found."""


def differs(values: Sequence[float], names: Sequence[str]) -> float:
    """Return how likely it is that a sentence with these signs does not say what its sources say, 0..1, as far as wording goes."""
    total = BIAS + sum(WEIGHTS.get(name, 0.0) * value for name, value in zip(names, values, strict=True))
    return 1 / (1 + math.exp(-total))
