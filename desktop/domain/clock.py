"""The clock: moments as they are kept, ISO 8601 in UTC to the second, so that their order as text is their order in time."""

from __future__ import annotations

import time


def now() -> str:
    """Return this moment: `2026-03-02T09:14:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
