"""Texts in which personal data is marked, and how much of it is found. For the test of the floor and for `benchmarks/redaction.py`.

`development` was looked at while the patterns were made. `held_out` was written before them and looked at once they stood, `second_held_out` after
them; docs/privacy.md has what was found of both before anybody looked. The `clean` files hold nothing to be found: orders, versions, prices, logs,
code, and words that are names of the ticket's people too. All is invented; numbers are right by their checksums.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.services.redaction import Redactor

DATA = Path(__file__).resolve().parents[1] / "data" / "redaction"
MARKED = ("development", "held_out", "second_held_out")
CLEAN = ("clean_development", "clean_held_out")
ENOUGH = 0.8
"""Which share of a value's letters and digits must be covered for it to count as found: a trailing dot or a country more or less is no leak."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and of what kind it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One text with the people its ticket would know, and what is to be found in it."""

    text: str
    people: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(slots=True)
class Tally:
    """What was found of each kind, of how many, and how much of what was taken was right."""

    marked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    rightly: Counter[str] = field(default_factory=Counter)

    def recall(self, kind: str) -> float:
        """Return the share of marked values of a kind that are covered, by whatever kind."""
        return self.found[kind] / self.marked[kind] if self.marked[kind] else 1.0

    def precision(self, kind: str) -> float:
        """Return the share of what was taken for a kind that touches something marked."""
        return self.rightly[kind] / self.taken[kind] if self.taken[kind] else 1.0


def load(name: str) -> list[Line]:
    """Read one file of lines."""
    return [_line(json.loads(line)) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def _line(values: dict[str, Any]) -> Line:
    places = (Place(span["start"], span["end"], span["kind"]) for span in values.get("spans", ()))
    return Line(values["text"], tuple(values["people"]), tuple(places))


def find(line: Line) -> list[Place]:
    """Return what the redactor of such a ticket takes out."""
    return [Place(span.start, span.end, span.kind) for span in Redactor(line.people).find(line.text)]


def add(tally: Tally, line: Line, taken: Sequence[Place], *, also_right: Iterable[Place] = ()) -> None:
    """Count one line. `also_right` may be taken but need not."""
    right = (*line.places, *also_right)
    for place in line.places:
        tally.marked[place.kind] += 1
        tally.found[place.kind] += is_covered(line.text, place, taken)
    for place in taken:
        tally.taken[place.kind] += 1
        tally.rightly[place.kind] += any(one.start < place.end and place.start < one.end for one in right)


def is_covered(text: str, place: Place, taken: Sequence[Place]) -> bool:
    """Tell whether enough of a value is taken out."""
    places = [at for at in range(place.start, place.end) if text[at].isalnum()]
    covered = sum(any(one.start <= at < one.end for one in taken) for at in places)
    return covered >= ENOUGH * len(places)


def missed(line: Line, taken: Sequence[Place]) -> Iterator[str]:
    """Yield the values that stay."""
    for place in line.places:
        if not is_covered(line.text, place, taken):
            yield f"{place.kind}: {line.text[place.start : place.end]}"
