"""The queue: tickets that wait for their summaries, and how far they are. It outlives the program: what waits in it is in the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.domain.runs import Estimate


class ItemState(StrEnum):
    """Where a ticket of the queue stands."""

    WAITING = "waiting"
    RUNNING = "running"
    SUBMITTED = "submitted"
    """Handed to the provider in a batch."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One ticket of the queue. `reason` and `remedy` say why it failed, in words; `attempts` counts how often it was begun.

    `cost_microusd` is None while it is not done and where no price is known; `is_cached` when no request was needed.
    """

    id: int
    ticket_id: int
    reference: str
    title: str
    state: ItemState
    reason: str = ""
    remedy: str = ""
    recipe: str = ""
    provider: str = ""
    model: str = ""
    attempts: int = 0
    cost_microusd: int | None = None
    is_cached: bool = False
    batch_id: int = 0


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue as a whole. `pause_reason` is '' while it works or was paused by the user, else why it stopped by itself (a cap, a provider at rest).

    `lot` counts how often the queue was begun anew since the program started.

    `seconds_left` is None while nothing is known of the pace; `parallel` is how many summaries are being written at once now. `spent_microusd` and
    `tokens` are those of what was begun since the queue was last empty, `unpriced` counts its requests without a known price.
    """

    waiting: int = 0
    running: int = 0
    submitted: int = 0
    done: int = 0
    failed: int = 0
    is_paused: bool = False
    pause_reason: str = ""
    spent_microusd: int = 0
    unpriced: int = 0
    tokens: int = 0
    parallel: int = 0
    seconds_left: float | None = None
    lot: int = 0

    @property
    def total(self) -> int:
        """Count all that was put in since the queue was last empty."""
        return self.waiting + self.running + self.submitted + self.done + self.failed

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is left to be done."""
        return not (self.waiting or self.running or self.submitted)


@dataclass(frozen=True, slots=True)
class Quote:
    """The price before the click. `estimate` as for the tickets one by one; `identical` of them have the very text of another and are not asked for.

    `seconds` is about how long it takes, None when nothing is known of the model's pace; `batch_cost_microusd` what it costs as a batch, None when
    the provider has no batch API or no price is known. `must_ask` when the price is above what the user wants to be asked about; `refusal` says in
    words why the queue would not begin at all, '' when it would. `is_sampled` when the tickets were too many to be measured each.
    """

    provider: str
    model: str
    host: str
    is_local: bool
    estimate: Estimate
    identical: int = 0
    seconds: float | None = None
    batch_cost_microusd: int | None = None
    offers_batch: bool = False
    must_ask: bool = False
    refusal: str = ""
    is_sampled: bool = False
