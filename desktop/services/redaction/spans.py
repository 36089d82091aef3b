"""Spans: where something stands in a text that shall not leave, and how spans that touch each other become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A value in a text. `key` is the same for all spellings of it; '' where the value itself is."""

    start: int
    end: int
    kind: str
    key: str = ""


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Return spans in their order that share nothing: of two that do, one goes from the first start to the last end.

    It has the kind of the one that holds the other, else of the one that was given first: detectors are asked in the order of their certainty.
    """
    merged: list[Span] = []
    surest = 0
    for rank, span in sorted(enumerate(spans), key=lambda one: (one[1].start, -one[1].end, one[0])):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            merged.append(span)
            surest = rank
        elif span.end > last.end:
            merged[-1] = Span(last.start, span.end, span.kind if rank < surest else last.kind)
            surest = min(surest, rank)
    return merged
