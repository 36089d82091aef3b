"""Output: results to standard output, everything else to standard error.

JSON is printed for programs, with what a terminal obeys written as escapes. What people read may come from tickets and models, so it is cleaned
first: a terminal obeys control characters, and text that runs backwards can hide what it says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import click

from desktop.services.documents import as_json

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class ReaderGone(Exception):  # noqa: N818 - not an error: whoever read our output has seen enough (`| head`)
    """Nobody reads standard output any more."""


def print_json(document: object) -> None:
    """Print one JSON document, readable."""
    _write(as_json(document, indent=2))


def print_json_line(document: object) -> None:
    """Print one JSON document on one line, at once."""
    _write(as_json(document))


def say(text: str = "", *, end: str = "\n") -> None:
    """Print text for people, cleaned, at once."""
    _print(clean(text) + end)


def print_document(text: str) -> None:
    """Print a piece of a document: as it is for a program, cleaned for a terminal, which would obey what stands in a ticket."""
    if sys.stdout.isatty():
        say(text, end="")
        return
    try:
        # Past the text layer, which would write line ends its own way on Windows.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def print_bytes(content: bytes) -> None:
    """Print bytes as they are, for a program to read."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def warn(text: str) -> None:
    """Print text for people on standard error, cleaned."""
    click.echo(clean(text), err=True)


def clean(text: str) -> str:
    """Return a text that a terminal shows and does not obey; line ends and tabs stay."""
    return _OBEYED.sub("�", text.replace("\r\n", "\n"))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, widest: int = 60) -> None:
    """Print rows under titles, in columns as wide as they need to be, at most `widest` characters."""
    lines = [[_one_line(cell, widest) for cell in row] for row in [titles, *rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def dollars(microusd: int | None) -> float | None:
    """Return US dollars as JSON has them; None when no price is known."""
    return None if microusd is None else microusd / 1_000_000


def _one_line(text: str, widest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= widest else line[: widest - 1] + "…"


def _write(text: str) -> None:
    # A lone surrogate has no place in UTF-8; JSON can name it.
    _print(text.encode("utf-8", "backslashreplace").decode() + "\n")


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None
