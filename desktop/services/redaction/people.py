"""People: the names that a ticket's data and texts give, found again in all their forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from desktop.services.redaction.spans import Span


class People:
    """The people of one ticket."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = [name for name in names if len(name) > 1]

    def learn(self, text: str) -> None:
        """Take note of the people that a text names as such."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield where people are named."""
        for name in self._names:
            at = text.find(name)
            while at >= 0:
                yield Span(at, at + len(name), "person", name.casefold())
                at = text.find(name, at + len(name))
