"""Sections: the fields of a summary, their names and order, and how a user wants to see them.

A section is known by its standard name everywhere: in what a model is asked, in what is stored, in scripts. What the user renames is only its label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GIST = "Gist"
UNNAMED = "Summary"
"""Where a text stands that came without sections."""
NOT_IN_TICKET = "Not in the ticket"
"""The value of a section that the ticket says nothing of."""

PROBLEM, TRIED, STANDS = "Problem", "Tried so far", "Where it stands"
NEXT_STEP, QUESTIONS, DEADLINES, SENTIMENT = "Next step", "Open questions", "Deadlines", "Sentiment"
STANDARD_SECTIONS = (PROBLEM, TRIED, STANDS, NEXT_STEP, QUESTIONS, DEADLINES, SENTIMENT)


@dataclass(frozen=True, slots=True)
class SectionChoice:
    """One section as the user wants it: its standard name, the label it is shown under, and whether it is wanted at all."""

    name: str
    label: str
    is_on: bool = True


def choose_sections(stored: Iterable[object]) -> tuple[SectionChoice, ...]:
    """Return all standard sections in the user's order, new ones last; what is stored of others, twice, or in no such shape is passed over."""
    chosen: dict[str, SectionChoice] = {}
    for values in stored:
        if not isinstance(values, Mapping):
            continue
        name = values.get("name")
        label = values.get("label")
        if isinstance(name, str) and name in STANDARD_SECTIONS and name not in chosen:
            shown = " ".join(label.split()) if isinstance(label, str) else ""
            chosen[name] = SectionChoice(name, shown or name, values.get("is_on") is not False)
    return (*chosen.values(), *(SectionChoice(name, name) for name in STANDARD_SECTIONS if name not in chosen))
