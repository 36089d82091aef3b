"""Wording of the queue: no price is rounded to nothing, none that is unknown passes for nothing, and spans of time are said as people say them."""

from __future__ import annotations

import pytest

from desktop.domain.queue import ItemState, QueueItem, QueueStatus, Quote
from desktop.domain.runs import Estimate
from desktop.services.queue_wording import (
    describe_item_cost,
    describe_price,
    describe_queue,
    describe_queue_end,
    describe_queue_shortly,
    describe_quote,
    describe_seconds,
)

ESTIMATE = Estimate(
    tickets=214,
    calls=153,
    cached=61,
    input_tokens=290_456,
    output_tokens=21_800,
    cost_microusd=380_000,
    most_cost_microusd=710_000,
)
QUOTE = Quote("OpenAI", "gpt-4.1-mini", "api.openai.com", is_local=False, estimate=ESTIMATE, identical=9, seconds=372)


def test_a_quote_says_all_of_it_in_one_line() -> None:
    assert describe_quote(QUOTE) == (
        "214 tickets · 61 cached · 9 identical · about 312,000 tokens · about $0.38 (at most $0.71) · about 6 minutes"
        " · OpenAI (api.openai.com), gpt-4.1-mini"
    )


def priced(*, cost: int | None, most: int | None, calls: int = 153, is_local: bool = False) -> str:
    """Return how a price is said."""
    estimate = Estimate(214, calls, 61, 1, 1, cost, most)
    return describe_price(Quote("P", "m", "host", is_local=is_local, estimate=estimate))


def test_a_price_is_never_rounded_to_nothing_and_an_unknown_one_is_said() -> None:
    assert priced(cost=None, most=None) == "price unknown"
    assert priced(cost=0, most=0, is_local=True) == "free, on this machine"
    assert priced(cost=300, most=900) == "under $0.01"
    assert priced(cost=300, most=19_000) == "under $0.01 (at most $0.02)"
    assert priced(cost=12_400_000, most=1_234_560_000) == "about $12.40 (at most $1,234.56)"
    assert priced(cost=0, most=0, calls=0) == "nothing to pay: nothing is sent"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (40, "40 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (360, "6 minutes"),
        (5_399, "90 minutes"),
        (10_800, "3 hours"),
        (172_800, "2 days"),
    ],
)
def test_a_span_of_time_is_said_in_its_largest_unit(seconds: float, words: str) -> None:
    assert describe_seconds(seconds) == words


def test_the_queue_says_how_far_it_is() -> None:
    status = QueueStatus(waiting=149, running=4, done=61, spent_microusd=120_000, seconds_left=300, parallel=4)
    assert describe_queue(status) == "61 of 214 done · 4 being written · about 5 minutes left · $0.12 so far"
    assert describe_queue_shortly(status) == "Queue 61 of 214 · 5 minutes left"
    assert describe_queue(QueueStatus()) == "Nothing is in the queue"


def test_what_stopped_the_queue_and_what_has_no_price_is_said() -> None:
    stopped = QueueStatus(waiting=3, done=1, failed=1, is_paused=True, pause_reason="The cap is reached.", unpriced=2)
    assert describe_queue(stopped) == "1 of 5 done · 1 failed · stopped · 2 requests of unknown price"
    assert describe_queue_shortly(stopped) == "Queue 2 of 5 · stopped"
    assert describe_queue_shortly(QueueStatus(waiting=3, is_paused=True)) == "Queue 0 of 3 · paused"
    both = QueueStatus(done=2, unpriced=1, spent_microusd=2_600)
    assert describe_queue(both) == "2 of 2 done · $0.0026 so far + 1 request of unknown price"


def test_the_end_of_the_queue_is_told() -> None:
    assert describe_queue_end(QueueStatus(done=211, failed=3)) == "211 tickets summarized, 3 failed"
    assert describe_queue_end(QueueStatus(done=1)) == "1 ticket summarized"


def test_what_a_ticket_has_cost_is_said_once_it_is_done() -> None:
    item = QueueItem(1, 1, "a:1", "Title", ItemState.DONE, cost_microusd=2_600)
    assert describe_item_cost(item) == "$0.0026"
    assert describe_item_cost(QueueItem(1, 1, "a:1", "T", ItemState.DONE)) == "unknown"
    assert describe_item_cost(QueueItem(1, 1, "a:1", "T", ItemState.DONE, is_cached=True)) == "cached"
    assert describe_item_cost(QueueItem(1, 1, "a:1", "T", ItemState.WAITING)) == ""
