"""Kinds: what a named kind of malformed file is, and the list that all of them stand in.

A kind makes one file (or folder, pipe, link) in a folder of its own and returns the path that a user would drop. `least` tickets must come out of it
when it is accepted: damage in one row takes no other row along. Deliberately not here: what must become of a file, see `child`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Maker = Callable[[Path], Path]
KINDS: dict[str, Kind] = {}


class NotPossibleHereError(Exception):
    """This system has no such thing as a pipe, a link or a name like that. The text says which."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its name, what makes it, how many tickets it holds at least, and whether it must be refused."""

    name: str
    make: Maker
    least: int = 0
    must_refuse: bool = False


def kind(*, least: int = 0, must_refuse: bool = False) -> Callable[[Maker], Maker]:
    """Enter a function into the list under its own name."""

    def enter(make: Maker) -> Maker:
        name = getattr(make, "__name__", "")
        assert name not in KINDS, f"two kinds are called {name}"
        KINDS[name] = Kind(name, make, least, must_refuse)
        return make

    return enter
