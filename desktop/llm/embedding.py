"""Embeddings as they come: an answer of a server that speaks the API is not yet one vector for each text, all of one length."""

from __future__ import annotations

import math
from typing import Any

import orjson

from desktop.domain.llm import Embeddings
from desktop.llm.answer import usage_of, value_of


def read_embeddings(raw: bytes, *, count: int) -> Embeddings | str:
    """Return the vectors of an answer in the order of the texts, or what is wrong with it, in words that follow the host's name.

    It takes its time with many vectors: call it in a worker thread.
    """
    try:
        answer: Any = orjson.loads(raw)
    except ValueError:
        return "did not answer with vectors"
    data = value_of(answer, "data")
    if not isinstance(data, list):
        return "did not answer with vectors"
    if len(data) != count:
        return f"answered with {len(data)} vectors for {count} texts"
    said = [value_of(item, "index") for item in data]
    places = [place for place in said if isinstance(place, int)]
    if sorted(places) != list(range(count)):
        # Some servers number nothing, or every text 0: then the order of the answer is all there is.
        if any(place not in (0, None) for place in said):
            return "answered with vectors that belong to no text"
        places = list(range(count))
    vectors: list[tuple[float, ...]] = [()] * count
    for place, item in zip(places, data, strict=True):
        numbers = value_of(item, "embedding")
        if not isinstance(numbers, list) or not all(_is_number(number) for number in numbers):
            return "answered with vectors that are not made of numbers"
        vectors[place] = tuple(map(float, numbers))
    if not vectors[0] or len({len(vector) for vector in vectors}) != 1:
        return "answered with vectors of different lengths"
    return Embeddings(tuple(vectors), usage_of(value_of(answer, "usage")))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
