"""Text that files and the database take, and text as a reader sees it.

Half a surrogate pair is no character, and neither UTF-8 nor SQLite has a place for one. It comes from the names of files (Linux allows any bytes),
from what a terminal hands over, from JSON and UTF-7 that spell halves, and from streams that cut a pair in two.
"""

from __future__ import annotations

import re
import unicodedata

# What a reader cannot see can only disguise what they do see: control characters, overrides of direction, zero width.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def valid_text(text: str) -> str:
    """Return a text with torn surrogate pairs joined and lone halves replaced."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def visible_text(text: str) -> str:
    """Return a text without what a reader cannot see, and with nothing that no text can hold."""
    return _UNSEEN.sub("", valid_text(text))


def folded(text: str) -> str:
    """Return a text by which two spellings of one name are equal: whatever the case, the spaces and the way its accents are written."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
