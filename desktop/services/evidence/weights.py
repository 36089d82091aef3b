"""Weights: how the signs of a sentence's wording become one number, fitted on the development half of `benchmarks/data/evidence`.

`benchmarks/fit_evidence.py` fits them anew and prints this module's table. Take it whole: signs overlap, so that a single weight means little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

BIAS = -0.199
WEIGHTS: Mapping[str, float] = {
    "uncovered": 0.294,
    "uncovered_in_thread": 0.519,
    "inexact": -0.880,
    "absent": -2.236,
    "first_absent": 0.243,
    "few_and_absent": 1.331,
    "verbatim": -0.526,
    "not_alone": -0.396,
    "not_lost": 0.444,
    "denied_here": 0.459,
    "denied_there": -0.130,
    "opposite": 0.389,
    "other_actor": 1.040,
    "other_actor_alone": 0.449,
    "acted_by_other": 0.469,
    "promise": -0.225,
    "promise_novel": 0.364,
    "strong_promise": 1.246,
    "done_but_to_come": 0.755,
    "lasting_but_happened": -0.298,
    "missing_source": 0.000,
    "moved": 0.414,
    "verb_by_other": 0.934,
    "single": 0.725,
    "pairs": 0.293,
    "predicate": -0.041,
}

THRESHOLDS: Mapping[str, float] = {"lenient": 0.85, "normal": 0.69, "strict": 0.50}
"""From this on the wording is worth a look."""
UNSUPPORTED_FROM = 0.9
"""From this on nothing like it was found."""


def differs(values: Sequence[float], names: Sequence[str]) -> float:
    """Return how likely it is that a sentence with these signs does not say what its sources say, 0..1, as far as wording goes."""
    total = BIAS + sum(WEIGHTS.get(name, 0.0) * value for name, value in zip(names, values, strict=True))
    return 1 / (1 + math.exp(-total))
