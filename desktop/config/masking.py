"""Masking: keys out of whatever is written for people to read: the log, a traceback.

It is the second line of defense: the first is that nobody writes a key. A key is known here from the moment it is read from or given to the
keyring, and is blanked whatever it looks like; what only looks like one is blanked too.
"""

from __future__ import annotations

import re

_LEAST = 6
"""A shorter key stands in too many words that are none."""
_LOOKS_LIKE_KEY = re.compile(r"\b(sk|pk|key|api)[-_][A-Za-z0-9_\-]{8,}|(?i:bearer)\s+\S+")
_known: set[str] = set()


def keep_out(key: str) -> None:
    """Remember a key, so that it is never written."""
    if len(key) >= _LEAST:
        _known.add(key)


def masked(text: str) -> str:
    """Return a text without keys."""
    for key in tuple(_known):
        text = text.replace(key, "[key]")
    return _LOOKS_LIKE_KEY.sub("[key]", text)
