"""Errors: an error is one of three.

*The user can fix it* is a `DeskError`: one sentence that says what happened and where, and one that says what to do. *Cancelled* is asyncio's own and
silent. Everything else is our bug and takes the crash path.
"""

from __future__ import annotations


class DeskError(Exception):
    """Something the user can fix.

    `code` is a stable kebab-case name for scripts and tests, `message` one sentence (what, where), `remedy` one sentence (what to do).
    Neither may hold a key or a ticket's text.
    """

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
