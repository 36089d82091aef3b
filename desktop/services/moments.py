"""Moments: a time as people and scripts write it, as the ledger has it: ISO 8601 in UTC to the second, or a day of it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from desktop.domain.errors import DeskError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DAY_SECONDS = 86_400


def moment(seconds: float = 0.0) -> str:
    """Return the moment that is so many seconds from now; before now when they are negative."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def days_ago(days: int) -> str:
    """Return the day (UTC) so many days before today: `2026-11-18`."""
    return moment(-days * DAY_SECONDS)[:10]


def read_moment(text: str) -> str:
    """Return a day or a moment as the ledger has it; what names no zone is UTC, '' is ''.

    Raises:
        DeskError: `moment-unreadable`.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DeskError(
            "moment-unreadable", f"“{text}” is no date.", remedy="Write it as 2026-11-25 or 2026-11-25T14:30:00Z."
        ) from None
    if _DAY.fullmatch(text):
        return text
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")
