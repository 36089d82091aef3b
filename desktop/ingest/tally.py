"""Tally: what was met while a file was read and is worth a warning at its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counts of what was met."""

    unread_dates: int = 0
    unknown_flags: int = 0
    contrary_dates: int = 0
    hidden: int = 0
