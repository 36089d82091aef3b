"""Batches: summaries handed to a provider in a file, which it writes within a day for a part of the price.

A batch outlives the program. What the provider said of it last is its `state`; it has *ended* once all that came of it was taken in here. Each of
its requests is one ticket's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.domain.llm import ProviderFault, StreamEnd


class BatchState(StrEnum):
    """Where a batch stands. The first three are this program's own, the others as the provider's API names them."""

    PREPARING = "preparing"
    """It is being written down here; nothing of it has left."""
    PREPARED = "prepared"
    """It is written down here, and its file may be on its way."""
    UPLOADED = "uploaded"
    """Its file is at the provider; whether the batch was begun there is not known yet."""
    VALIDATING = "validating"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


OVER_STATES = (BatchState.COMPLETED, BatchState.FAILED, BatchState.EXPIRED, BatchState.CANCELLED)
"""The provider does nothing more for it."""


class RequestState(StrEnum):
    """What became of one ticket's request in a batch."""

    WAITING = "waiting"
    DONE = "done"
    """Its answer was taken in, whatever the summary's own state."""
    RETRY = "retry"
    """It got no answer, and is to be asked live."""
    DROPPED = "dropped"
    """It got no answer and is not asked again by itself: the batch was cancelled, or refused as a whole."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `reason` says in words what is wrong, '' when nothing is.

    `requests` are the tickets in it; `completed` and `failed` of them as the provider counts, `taken` as they were taken in here. `cost_microusd` is
    what was taken in cost, None when no price is known. `ended_at` is '' until all was taken in; `is_cleared` when the provider keeps no file of it.
    """

    id: int
    provider: str
    model: str
    host: str
    recipe: str
    state: BatchState
    reason: str = ""
    requests: int = 0
    completed: int = 0
    failed: int = 0
    taken: int = 0
    cost_microusd: int | None = None
    submitted_at: str = ""
    polled_at: str = ""
    ended_at: str = ""
    is_cleared: bool = False

    @property
    def is_running(self) -> bool:
        """Tell whether something may still come of it."""
        return not self.ended_at


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one ticket of a batch. `run_id` is that of its summary, 0 when there is none; `reason` says in words why not."""

    batch_id: int
    ticket_id: int
    state: RequestState
    run_id: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What became of tickets that were to be handed over: the new `batches`, and the tickets that are not in them.

    `written` was asked live first, to see how the model wants to be asked: ticket and run. `running` are in a batch that runs already, `cached`
    have their summary, `live` take more than one request each, or got no answer in a batch before.
    """

    batches: tuple[Batch, ...] = ()
    submitted: tuple[int, ...] = ()
    written: tuple[tuple[int, int], ...] = ()
    running: tuple[int, ...] = ()
    cached: tuple[int, ...] = ()
    live: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchSupport:
    """Whether a provider takes batches, and what share of the usual price it asks for one (0.5 is half)."""

    is_offered: bool
    price_share: float = 1.0


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """What a provider says of a batch; ids are '' while there are none. `reason` is why it failed as a whole, in the provider's words."""

    id: str
    state: BatchState
    input_file_id: str = ""
    output_file_id: str = ""
    error_file_id: str = ""
    requests: int = 0
    completed: int = 0
    failed: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One line of a batch's results: the answer with how it ended, or the fault that it ended in. `raw` is the line as it came."""

    custom_id: str
    text: str = ""
    thinking: str = ""
    end: StreamEnd | None = None
    fault: ProviderFault | None = None
    raw: str = ""
