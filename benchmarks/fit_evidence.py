"""Fit the weights of the evidence checker's wording score on the development half, and print them as `services/evidence/weights.py` has them.

A logistic regression with a ridge, on the claims whose facts stand where they are cited: what a missing fact marks, wording need not. The figures are
those of folds by kind of ticket: each kind is scored by weights that never saw it. Both classes weigh the same. Needs numpy.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from evidence import REST, Labelled, load

from desktop.domain.runs import Support
from desktop.services.evidence import check_claim
from desktop.services.evidence.checking import signs_of
from desktop.services.evidence.signs import NAMES

ALARMS = 0.10
STEPS = 60


def fit(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Return the weights, the bias last, by Newton's method."""
    x = np.hstack([x, np.ones((len(x), 1))])
    share = y.mean()
    weight = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 0.0
    w = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (weight * (p - y)) + penalty * w
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-6)
        w -= np.linalg.solve(hessian, gradient)
    return w


def score(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return how likely each row differs."""
    scores: np.ndarray = 1 / (1 + np.exp(-(np.hstack([x, np.ones((len(x), 1))]) @ w)))
    return scores


def main() -> None:
    """Fit, score by folds, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ridge", type=float, default=1.5)
    parser.add_argument("--show", action="store_true", help="list the mistakes at the threshold")
    options = parser.parse_args()
    claims = load("development")
    checked = [check_claim(each.claim, each.prepared) for each in claims]
    signs_found = [signs_of(each.claim, each.prepared) for each in claims]
    sure = np.array(
        [
            bool(c.missing_facts or c.misplaced_facts or c.support is Support.UNCITED or signs.is_contrary)
            for c, signs in zip(checked, signs_found, strict=True)
        ]
    )
    x = np.array([signs.values for signs in signs_found])
    y = np.array([float(each.label != "faithful") for each in claims])
    kinds = np.array([each.kind for each in claims])
    p = np.zeros(len(claims))
    for kind in sorted(set(kinds)):
        learn = (kinds != kind) & ~sure
        p[kinds == kind] = score(x[kinds == kind], fit(x[learn], y[learn], options.ridge))
    _report(claims, p, sure, y, show=options.show)
    w = fit(x[~sure], y[~sure], options.ridge)
    print(f"BIAS = {w[-1]:.3f}")
    print("WEIGHTS = {" + ", ".join(f'"{name}": {value:.3f}' for name, value in zip(NAMES, w, strict=False)) + "}")


def _report(claims: list[Labelled], p: np.ndarray, sure: np.ndarray, y: np.ndarray, *, show: bool) -> None:
    for wanted in (0.05, ALARMS, 0.15, 0.2):
        faithful = np.sort(np.where(sure, 2.0, p)[y == 0])
        threshold = faithful[max(0, int(len(faithful) * (1 - wanted)) - 1)]
        marked = sure | (p > threshold)
        found = Counter(each.label for each, is_marked in zip(claims, marked, strict=True) if is_marked)
        total = Counter(each.label for each in claims)
        kinds = " ".join(f"{label} {found[label] / total[label]:.2f}" for label in sorted(total))
        rest = sum(found[label] for label in REST) / max(1, sum(total[label] for label in REST))
        print(f"alarms {wanted:.2f} threshold {threshold:.3f} rest {rest:.2f}: {kinds}")
        if show and wanted == ALARMS:
            for each, is_marked, value in zip(claims, marked, p, strict=True):
                if is_marked == (each.label == "faithful"):
                    print(f"   {each.label:9} {value:.2f} {each.place}: {each.claim.text[:150]}")


if __name__ == "__main__":
    main()
