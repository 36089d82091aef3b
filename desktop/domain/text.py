"""Text that files and the database take: half a surrogate pair is no character, and neither UTF-8 nor SQLite has a place for one.

It comes from the names of files (Linux allows any bytes), from what a terminal hands over, from JSON and UTF-7 that spell halves, and from streams
that cut a pair in two.
"""

from __future__ import annotations


def valid_text(text: str) -> str:
    """Return a text with torn surrogate pairs joined and lone halves replaced."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
