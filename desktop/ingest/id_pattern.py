"""Id pattern: what the ids of a file look like, so that after a broken row a torn line is told from the start of the next row."""

from __future__ import annotations

import re
from collections import Counter


class IdPattern:
    """What ids of this file look like, learned from a few, so that a torn line is not taken for a row."""

    def __init__(self, samples: tuple[str, ...]) -> None:
        counts = Counter(_id_shape(sample) for sample in samples if sample.strip())
        # Where most look alike, the odd one is a torn line or a footer that came early.
        least = 2 if max(counts.values(), default=0) > 1 else 1
        self._shapes = {shape for shape, count in counts.items() if count >= least}

    def fits(self, value: str) -> bool:
        """Tell whether a cell could be an id of this file."""
        value = value.strip()
        if not value or len(value) > 100 or "\n" in value:
            return False
        if not self._shapes:
            return not any(character.isspace() for character in value)
        return _id_shape(value) in self._shapes


def _id_shape(value: str) -> str:
    value = value.strip()
    if re.fullmatch(r"[A-Za-z0-9]+", value) and not re.fullmatch(r"[A-Za-z]*\d+", value):
        return "token"  # 50L3a3ySlMSouFp4sPL1: mixed, no two alike
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", value))
