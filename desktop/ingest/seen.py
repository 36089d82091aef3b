"""Seen: the ids of a file so far, each with one number, in 16 bytes a slot.

A dictionary of a million ids takes over 100 MB, because each of its numbers is an object; here they stand in two arrays. Of an id only its hash is
kept: 64 bits, which two of a million ids share once in thirty million files.
"""

from __future__ import annotations

from array import array

_FIRST_SLOTS = 1 << 12
_BITS = (1 << 64) - 1


class SeenIds:
    """Open addressing: an id's place is its hash, or the next free one after it; at most half of the slots are taken."""

    def __init__(self) -> None:
        self._make(_FIRST_SLOTS)

    def first(self, identifier: str, number: int) -> int:
        """Return the number (from 1, 64 bits) that came with an id when it was first seen; 0 when that is now, and keep it."""
        key = hash(identifier) & _BITS or 1
        keys, mask = self._keys, self._mask
        place = key & mask
        while there := keys[place]:
            if there == key:
                return self._numbers[place]
            place = (place + 1) & mask
        keys[place] = key
        self._numbers[place] = number
        self._free -= 1
        if not self._free:
            self._grow()
        return 0

    def _make(self, slots: int) -> None:
        self._mask = slots - 1
        self._keys = array("Q", (0,)) * slots
        self._numbers = array("Q", (0,)) * slots
        self._free = slots // 2

    def _grow(self) -> None:
        old_keys, old_numbers = self._keys, self._numbers
        self._make(2 * len(old_keys))
        keys, numbers, mask = self._keys, self._numbers, self._mask
        for key, number in zip(old_keys, old_numbers, strict=True):
            if key:
                place = key & mask
                while keys[place]:
                    place = (place + 1) & mask
                keys[place] = key
                numbers[place] = number
                self._free -= 1
