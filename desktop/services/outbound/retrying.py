"""Retrying: whether a request that failed is sent again, and when. The one owner of that question in the program.

Only what is likely to pass is tried again: a rate that was exceeded, an error of the server's own, a connection that broke off before the answer
began. What the provider asks for is kept to; where it says nothing the wait doubles and is spread at random, so that many programs do not come
back at the same moment.
"""

from __future__ import annotations

import random

from desktop.domain.llm import ProviderFault

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 120.0
"""Nobody looks at a countdown for longer: then the fault is told, with the time that the provider named."""


def wait_before_retry(fault: ProviderFault, attempt: int) -> float | None:
    """Return how many seconds to wait after the so-manieth attempt (from 1) failed, None when it is not tried again."""
    if not fault.is_transient:
        return None
    asked_for = fault.retry_after_seconds
    if asked_for is not None:
        return asked_for if asked_for <= LONGEST_WAIT_SECONDS else None
    return FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads waits, keeps no secret


def describe_wait(fault: ProviderFault, host: str) -> str:
    """Say in words why nothing is sent for a while."""
    if fault.retry_after_seconds is not None:
        return f"{host} asks to wait"
    if fault.code == "provider-quota":
        return f"{host} is asked too often"
    return f"{host} did not answer, it is asked again"
