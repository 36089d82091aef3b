"""Sets of ids as small as they can be: which tickets a file held, a million of them in a few kilobytes.

Ids that were given together follow each other, so their differences are nearly all 1, and that packs. Plain bytes, no SQL.
"""

from __future__ import annotations

import operator
import sys
import zlib
from array import array
from itertools import accumulate, chain, islice


def pack_ids(ids: array[int]) -> bytes:
    """Pack a set of ids, in any order, with or without repetitions; equal sets make equal bytes."""
    # Those of a first import ascend already: a set of a million numbers takes 60 MB.
    is_ascending = all(map(operator.lt, ids, islice(ids, 1, None)))
    ordered = ids if is_ascending else array("q", sorted(set(ids)))
    differences = array("q", map(operator.sub, ordered, chain([0], ordered)))
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
