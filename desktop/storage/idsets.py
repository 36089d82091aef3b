"""Sets of ids as small as they can be: which tickets a file held, a million of them in a few kilobytes.

Ids that were given together follow each other, so their differences are nearly all 1, and that packs. Plain bytes, no SQL.
"""

from __future__ import annotations

import operator
import sys
import zlib
from array import array
from collections.abc import Iterable
from itertools import accumulate, islice


def pack_ids(ids: array[int]) -> bytes:
    """Pack a set of ids, in any order, with or without repetitions; equal sets make equal bytes."""
    is_ascending = all(map(operator.lt, ids, islice(ids, 1, None)))
    in_order: Iterable[int] = ids if is_ascending else sorted(set(ids))
    ordered = in_order if isinstance(in_order, array) else array("q", in_order)
    differences = array("q", ordered[:1])
    differences.extend(map(operator.sub, islice(ordered, 1, None), ordered))
    return zlib.compress(_little_endian(differences).tobytes(), 1)


def unpack_ids(packed: bytes | None) -> array[int]:
    """Return the ids of a packed set in ascending order; none for one that was never written."""
    differences = array("q")
    if packed:
        differences.frombytes(zlib.decompress(packed))
    return array("q", accumulate(_little_endian(differences)))


def _little_endian(numbers: array[int]) -> array[int]:
    """Turn numbers of this machine into those of a file and back: a file may move to another kind of machine."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
