"""Runs: one call of a model, what it wrote, and how each sentence of it stands to the ticket.

The events of one summary, in order: `Highlights` at once, then `Cached` or `Started`, `TextDelta` and `ClaimChecked` as they come, then one
`Finished`. A stream ends in exactly one of four states; `complete` means that a terminal event was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RunState(StrEnum):
    """How a run ended; `running` only while it has not."""

    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Support(StrEnum):
    """What was found of a claim in the ticket. Never *true* or *verified*: only what the ticket says."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a summary: its section, its text without citation marks, and the sentence ids it cites (`m3.2`)."""

    section: str
    text: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim and what was found of it. `score` is 0..1, higher is better supported.

    `missing_facts` stand nowhere in the ticket, `misplaced_facts` only outside the cited sentences. `citations` hold only existing sentences;
    `origin` is `model`, or `found` when the model named none, or one that says something else, and this machine found these.
    """

    claim: Claim
    support: Support
    score: float
    citations: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    misplaced_facts: tuple[str, ...] = ()
    origin: str = "model"


@dataclass(frozen=True, slots=True)
class Highlight:
    """A verbatim span of one message: its sentence id, the message's position (from 1), start and end in that message's text."""

    text: str
    sentence_id: str
    position: int
    start: int
    end: int
    author: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. None means that the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many messages there are, how many the model was shown, and the ids (`m2`) of those no claim cites."""

    messages: int
    read: int
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished summary, whatever its end. `cost_microusd` is None when no price is known; 0 for a model on this machine."""

    ticket_id: int
    state: RunState
    reason: str = ""
    text: str = ""
    gist: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[CheckedClaim, ...] = ()
    coverage: Coverage = Coverage(0, 0)
    highlights: tuple[Highlight, ...] = ()
    provider: str = ""
    model: str = ""
    recipe: str = ""
    recipe_version: int = 0
    cached: bool = False
    stale: bool = False
    usage: Usage = Usage()
    cost_microusd: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    created_at: str = ""
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What summaries of some tickets would take: `calls` of the `tickets`, `cached` of them made before.

    `cost_microusd` is what to expect, `most_cost_microusd` what it cannot exceed by much; None: no price is known.
    """

    tickets: int = 0
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int | None = 0
    most_cost_microusd: int | None = 0


@dataclass(frozen=True, slots=True)
class Highlights:
    """The highlights stand, before any model was asked."""

    highlights: tuple[Highlight, ...]


@dataclass(frozen=True, slots=True)
class Cached:
    """This ticket was summarized before by the same recipe and model; nothing is sent."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class Started:
    """A request went out."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text, as it came; `pending` is the unfinished end of the text after it, the claim that is being written in `section`."""

    text: str
    section: str = ""
    pending: str = ""


@dataclass(frozen=True, slots=True)
class ClaimChecked:
    """A claim was completed and checked; `index` counts from 0 in the order of the text."""

    index: int
    checked: CheckedClaim


@dataclass(frozen=True, slots=True)
class Finished:
    """The run ended; `summary.state` says how."""

    summary: Summary


SummaryEvent = Highlights | Cached | Started | TextDelta | ClaimChecked | Finished
