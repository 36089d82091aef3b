"""A reading: a text cut into its words once, for all who look for words in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word: where it stands, and itself in lower case."""

    start: int
    end: int
    lower: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, the same in lower case and equally long, and its words."""

    text: str
    lower: str
    words: tuple[Word, ...]


def read(text: str) -> Reading:
    """Cut a text into words: runs of letters, apostrophes inside them included."""
    lower = lowered(text)
    return Reading(text, lower, tuple(Word(*found.span(), found[0]) for found in _WORD.finditer(lower)))


def lowered(text: str) -> str:
    """Return a text in lower case with every character in its place: `İ` alone would become two."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one := character.lower()) == 1 else character for character in text)
