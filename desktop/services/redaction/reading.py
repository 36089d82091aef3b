"""A reading: a text cut into its words once, for all who look for words in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER = re.compile(r"[0-9]+")


class Word(NamedTuple):
    """A word: where it stands, and itself in lower case."""

    start: int
    end: int
    lower: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, the same in lower case and equally long, and its words in lower case; where a word stands is told when it is asked for.

    `vocabulary` has each word once: looking for some among them costs least. `numbers` are start and end of its runs of digits.
    """

    text: str
    lower: str
    words: tuple[str, ...]
    vocabulary: frozenset[str]
    numbers: tuple[tuple[int, int], ...]
    _found: tuple[re.Match[str], ...]

    def word(self, place: int) -> Word:
        """Return a word by its place."""
        start, end = self._found[place].span()
        return Word(start, end, self.words[place])


def read(text: str) -> Reading:
    """Cut a text into words: runs of letters, apostrophes inside them included."""
    lower = lowered(text)
    found = tuple(_WORD.finditer(lower))
    numbers = tuple([number.span() for number in _NUMBER.finditer(text)])
    words = tuple([word[0] for word in found])
    return Reading(text, lower, words, frozenset(words), numbers, found)


def lowered(text: str) -> str:
    """Return a text in lower case with every character in its place: `İ` alone would become two."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one := character.lower()) == 1 else character for character in text)
