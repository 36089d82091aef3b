"""Limits: what the headers of an answer say of how often a provider may be asked, and when again.

Durations come as Go writes them (`6m0s`, `120ms`), as plain seconds, or as the moment itself; what cannot be read was not said.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from desktop.domain.llm import RateLimits

LONGEST_WAIT_SECONDS = 86_400.0
"""What is asked for beyond a day is a day: no provider's quota lasts longer, and a broken clock or a joker may ask for a century."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(ms|us|µs|ns|[smhd])")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_MOMENT_FROM = 1e9
"""A reset that is this large is no duration but a moment: seconds, or milliseconds, since 1970."""

Headers = Mapping[str, str]


def rate_limits(headers: Headers) -> RateLimits:
    """Return what an answer's headers say of the limits; a gateway that tells no requests from tokens speaks of requests."""
    return RateLimits(
        limit_requests=_count(headers, "limit-requests", "limit"),
        remaining_requests=_count(headers, "remaining-requests", "remaining"),
        reset_requests_seconds=_duration(headers, "reset-requests", "reset"),
        limit_tokens=_count(headers, "limit-tokens"),
        remaining_tokens=_count(headers, "remaining-tokens"),
        reset_tokens_seconds=_duration(headers, "reset-tokens"),
    )


def retry_after(headers: Headers) -> float | None:
    """Return in how many seconds the provider wants to be asked again, None when it does not say.

    `Retry-After` is seconds or a date (RFC 9110); `retry-after-ms` is OpenAI's and Azure's, and finer. Without either, a limit that is used up
    says when it is whole again.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    said = headers.get("retry-after", "").strip()
    seconds = _number(said)
    if seconds is None and said:
        seconds = _until(said, headers.get("date", ""))
    if seconds is not None:
        return _bounded(seconds)
    limits = rate_limits(headers)
    resets = (
        (limits.remaining_requests, limits.reset_requests_seconds),
        (limits.remaining_tokens, limits.reset_tokens_seconds),
    )
    waits = [reset for remaining, reset in resets if remaining == 0 and reset is not None]
    return _bounded(max(waits)) if waits else None


def duration_seconds(text: str) -> float | None:
    """Return a duration such as `6m0s`, `120ms`, `1s` or `7.66` in seconds; None when it is none."""
    text = text.strip().lower()
    plain = _number(text)
    if plain is not None:
        return plain
    parts = list(_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        return None
    return math.fsum(float(part[1]) * _UNITS[part[2]] for part in parts)


def _until(date: str, now: str) -> float | None:
    """Return the seconds until an HTTP date, by the server's own clock where it shows it."""
    try:
        then = parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    try:
        return then - parsedate_to_datetime(now).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return then - time.time()


def _duration(headers: Headers, *names: str) -> float | None:
    seconds = next((s for n in names if (s := duration_seconds(headers.get(f"x-ratelimit-{n}", ""))) is not None), None)
    if seconds is None or seconds < _MOMENT_FROM:
        return None if seconds is None else _bounded(seconds)
    return _bounded((seconds / 1000 if seconds >= _MOMENT_FROM * 1000 else seconds) - time.time())


def _count(headers: Headers, *names: str) -> int | None:
    numbers = (_number(headers.get(f"x-ratelimit-{name}", "")) for name in names)
    return next((int(number) for number in numbers if number is not None), None)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
