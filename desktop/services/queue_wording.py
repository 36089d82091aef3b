"""Wording of the queue: prices, durations and states of tickets in words, the same in the window and in the command.

A price is never rounded down to nothing, an unknown one is said to be unknown, and what costs nothing says why.
"""

from __future__ import annotations

from desktop.domain.batches import Batch, BatchState
from desktop.domain.providers import BUILT_IN
from desktop.domain.queue import ItemState, QueueItem, QueueStatus, Quote
from desktop.services.wording import count

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_CENT = 10_000

_STATES = {
    ItemState.WAITING: "Waiting",
    ItemState.RUNNING: "Being written",
    ItemState.SUBMITTED: "In a batch",
    ItemState.DONE: "Done",
    ItemState.FAILED: "Failed",
}

_BATCH_STATES = {
    BatchState.PREPARING: "being prepared",
    BatchState.PREPARED: "being handed over",
    BatchState.UPLOADED: "being handed over",
    BatchState.VALIDATING: "being looked at by the provider",
    BatchState.IN_PROGRESS: "being written",
    BatchState.FINALIZING: "nearly done",
    BatchState.COMPLETED: "done, being taken in",
    BatchState.FAILED: "refused",
    BatchState.EXPIRED: "expired",
    BatchState.CANCELLING: "being stopped",
    BatchState.CANCELLED: "stopped",
}


def describe_dollars(microusd: int) -> str:
    """Return an amount of money as people write it: `$12.40`, `under $0.01` where two digits would show nothing."""
    return "under $0.01" if 0 < microusd < _CENT else f"${microusd / 1e6:,.2f}"


def describe_about(microusd: int) -> str:
    """Return an expected amount: `about $0.38`, `under $0.01`."""
    words = describe_dollars(microusd)
    return words if words.startswith("under") else f"about {words}"


def describe_price(quote: Quote) -> str:
    """Say what is to be expected, and what it cannot exceed by much: `about $0.38 (at most $0.71)`."""
    estimate = quote.estimate
    if not estimate.calls:
        return "nothing to pay: nothing is sent"
    if quote.is_local:
        return "free, on this machine"
    if estimate.cost_microusd is None:
        return "price unknown"
    if not estimate.cost_microusd:
        return "free"
    if not estimate.most_cost_microusd:
        return describe_about(estimate.cost_microusd)
    words, most = describe_about(estimate.cost_microusd), describe_dollars(estimate.most_cost_microusd)
    return words if most in words else f"{words} (at most {most})"


def describe_seconds(seconds: float) -> str:
    """Return a span of time in its largest unit, as one says it: `40 seconds`, `6 minutes`, `3 hours`, `2 days`."""
    for size, noun in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        # An hour and a half is said in minutes, so that what is rounded away stays small.
        if seconds >= size * 1.5:
            return count(round(seconds / size), noun)
    return count(max(1, round(seconds)), "second")


def describe_tickets(quote: Quote) -> str:
    """Say what becomes of the tickets: `214 tickets · 61 cached · 9 identical · about 312,000 tokens`."""
    estimate = quote.estimate
    parts = [count(estimate.tickets, "ticket")]
    parts += [f"{estimate.cached:,} cached"] if estimate.cached else []
    parts += [f"{quote.identical:,} identical"] if quote.identical else []
    tokens = estimate.input_tokens + estimate.output_tokens
    parts += [f"about {_rounded(tokens):,} tokens"] if tokens else []
    parts += ["measured on a sample"] if quote.is_sampled else []
    return " · ".join(parts)


def describe_place(quote: Quote) -> str:
    """Say who would write, and where that is: `OpenAI (api.openai.com), gpt-4.1-mini`."""
    if quote.provider == BUILT_IN:
        return f"Built-in model, {quote.model}" if quote.model else "Built-in model"
    host = f"{quote.provider} ({quote.host})"
    return f"{host}, {quote.model}" if quote.model else host


def describe_quote(quote: Quote) -> str:
    """Say the whole quote in one line."""
    parts = [describe_tickets(quote), describe_price(quote)]
    if quote.seconds is not None and quote.estimate.calls:
        parts.append(f"about {describe_seconds(quote.seconds)}")
    return " · ".join((*parts, describe_place(quote)))


def describe_item_state(state: ItemState) -> str:
    """Return a ticket's state in a word or two."""
    return _STATES[state]


def describe_item_cost(item: QueueItem) -> str:
    """Return what a ticket of the queue has cost; '' for one that is not done."""
    if item.state is not ItemState.DONE:
        return ""
    if item.is_cached:
        return "cached"
    return "unknown" if item.cost_microusd is None else _exactly(item.cost_microusd)


def describe_queue(status: QueueStatus) -> str:
    """Say how far the queue is: `61 of 214 done · 4 being written · about 5 minutes left · $0.12 so far`."""
    if not status.total:
        return "Nothing is in the queue"
    parts = [f"{status.done:,} of {status.total:,} done"]
    parts += [f"{status.running:,} being written"] if status.running else []
    parts += [f"{status.submitted:,} in a batch"] if status.submitted else []
    parts += [f"{status.failed:,} failed"] if status.failed else []
    if status.is_paused and not status.is_idle:
        parts.append("stopped" if status.pause_reason else "paused")
    elif status.seconds_left is not None and not status.is_idle:
        parts.append(f"about {describe_seconds(status.seconds_left)} left")
    return " · ".join((*parts, describe_spent(status)))


def describe_queue_shortly(status: QueueStatus) -> str:
    """Say how far the queue is in a few words: `Queue 61 of 214 · 5 minutes left`."""
    if status.is_idle:
        return f"Queue · {status.failed:,} failed" if status.failed else "Queue"
    words = f"Queue {status.done + status.failed:,} of {status.total:,}"
    if status.is_paused:
        return f"{words} · {'stopped' if status.pause_reason else 'paused'}"
    return words if status.seconds_left is None else f"{words} · {describe_seconds(status.seconds_left)} left"


def describe_spent(status: QueueStatus) -> str:
    """Say what was spent so far; requests without a known price are said, never counted as nothing."""
    unknown = f"{count(status.unpriced, 'request')} of unknown price" if status.unpriced else ""
    if unknown and not status.spent_microusd:
        return unknown
    return f"{_exactly(status.spent_microusd)} so far" + (f" + {unknown}" if unknown else "")


def describe_queue_end(status: QueueStatus) -> str:
    """Say how the queue ended: `214 tickets summarized, 3 failed`."""
    failed = f", {status.failed:,} failed" if status.failed else ""
    return f"{count(status.done, 'ticket')} summarized{failed}"


def describe_batch(batch: Batch) -> str:
    """Say where a batch stands: `Batch 3 · 214 tickets · being written, 120 answered · OpenAI (api.openai.com), gpt-4.1-mini`."""
    state = "taken in" if batch.ended_at and batch.state is BatchState.COMPLETED else _BATCH_STATES[batch.state]
    answered = f", {batch.completed:,} answered" if batch.is_running and batch.completed else ""
    place = f"{batch.provider} ({batch.host}), {batch.model}"
    words = f"Batch {batch.id} · {count(batch.requests, 'ticket')} · {state}{answered} · {place}"
    return f"{words} · {batch.reason}" if batch.reason else words


def _rounded(tokens: int) -> int:
    """Return an estimate without digits that it does not know: two or three of them."""
    step: int = 10 ** max(0, len(str(tokens)) - 3)
    return round(tokens / step) * step


def _exactly(microusd: int) -> str:
    return f"${microusd / 1e6:,.4f}" if 0 < microusd < _CENT else f"${microusd / 1e6:,.2f}"
