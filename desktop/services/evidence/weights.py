"""Weights: how the signs of a sentence's wording become one number, fitted on the development half of `benchmarks/data/evidence`.

`benchmarks/fit_evidence.py` fits them anew and prints this module's table. Take it whole: signs overlap, so that a single weight means little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

BIAS = 0.923
WEIGHTS: Mapping[str, float] = {
    "uncovered": 0.214,
    "uncovered_in_thread": 0.190,
    "inexact": -0.383,
    "absent": -1.111,
    "length": -1.956,
    "first_absent": 0.263,
    "few_and_absent": 0.733,
    "verbatim": -0.742,
    "not_alone": -0.348,
    "not_lost": 0.307,
    "denied_here": 0.462,
    "denied_there": 0.046,
    "opposite": 0.193,
    "other_actor": 0.591,
    "other_actor_alone": 0.328,
    "acted_by_other": 0.375,
    "promise": -0.051,
    "promise_novel": 0.163,
    "strong_promise": 0.865,
    "done_but_to_come": 0.355,
    "lasting_but_happened": -0.217,
    "missing_source": 0.000,
    "moved": 0.344,
}

THRESHOLDS: Mapping[str, float] = {"lenient": 0.76, "normal": 0.64, "strict": 0.54}
"""From this on the wording is worth a look."""
UNSUPPORTED_FROM = 0.9
"""From this on nothing like it was found."""


def differs(values: Sequence[float], names: Sequence[str]) -> float:
    """Return how likely it is that a sentence with these signs does not say what its sources say, 0..1, as far as wording goes."""
    total = BIAS + sum(WEIGHTS.get(name, 0.0) * value for name, value in zip(names, values, strict=True))
    return 1 / (1 + math.exp(-total))
