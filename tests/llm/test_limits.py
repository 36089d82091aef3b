"""What the headers of an answer say of limits and of waiting, however they are written; nonsense says nothing."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from desktop.domain.llm import RateLimits
from desktop.llm.limits import LONGEST_WAIT_SECONDS, duration_seconds, rate_limits, retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1s", 1.0),
        ("7.66s", 7.66),
        ("1h2m3s", 3723.0),
        ("1m30.5s", 90.5),
        ("17", 17.0),
        (" 0.5 ", 0.5),
        ("1d", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1s later", None),
        ("1e9", None),
        ("nan", None),
        ("٣", None),
        ("9" * 400, None),
    ],
)
def test_a_duration_is_read_as_it_is_written(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == (None if seconds is None else pytest.approx(seconds))


def test_limits_of_requests_and_tokens() -> None:
    said = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert rate_limits(said) == RateLimits(60, 59, 1.0, 150_000, 149_984, 360.0)
    assert rate_limits({}) == RateLimits()
    assert rate_limits({"x-ratelimit-limit-requests": "many", "x-ratelimit-reset-tokens": "?"}) == RateLimits()


def test_a_gateway_that_names_the_moment_means_requests() -> None:
    moment = str(int((time.time() + 30) * 1000))
    said = rate_limits({"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": moment})
    assert (said.limit_requests, said.remaining_requests, said.limit_tokens) == (20, 0, None)
    assert said.reset_requests_seconds == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"date": "Wed, 25 Nov 2026 10:00:00 GMT", "retry-after": "Wed, 25 Nov 2026 10:00:20 GMT"}, 20.0),
        ({"date": "Wed, 25 Nov 2026 10:00:00 GMT", "retry-after": "Wed, 25 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "99999999"}, LONGEST_WAIT_SECONDS),
        ({"retry-after": "Wed, 01 Jan 9999 00:00:00 GMT"}, LONGEST_WAIT_SECONDS),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "3s"}, 3.0),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "3s"}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_without_the_servers_clock_is_taken_by_this_one() -> None:
    assert retry_after({"retry-after": formatdate(time.time() + 40, usegmt=True)}) == pytest.approx(40, abs=3)
