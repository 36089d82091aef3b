"""Runs: one call of a model, what it wrote, and how each sentence of it stands to the ticket.

The events of one summary, in order: `Highlights` at once, then `Cached` or `Started`, `TextDelta` and `ClaimChecked` as they come, then one
`Finished`. A stream ends in exactly one of four states; `complete` means that a terminal event was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

OWNERS = ("customer", "agent", "other", "nobody")
"""Who has to act next."""
SENTIMENTS = ("angry", "worried", "neutral", "pleased")
"""How the customer sounds last."""


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


class Form(StrEnum):
    """How a model's text came to its sections."""

    SECTIONS = "sections"
    """The model wrote them as it was asked to."""
    REPAIRED = "repaired"
    """It did not, and put its own text into sections when it was asked once more."""
    PLAIN = "plain"
    """It did not; the text stands under one heading."""


class Opinion(StrEnum):
    """What a model answered when it was asked whether the cited sentences say what a claim says. Apart from `Support`, which is found here."""

    NONE = ""
    SAYS_SO = "says so"
    SAYS_OTHERWISE = "says otherwise"
    UNCLEAR = "unclear"


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
    `origin` is `model`, or `found` when the model named none, or one that says something else, and this machine found these. `doubts` say in words
    what else differs. `opinion` is what a model said of the wording, if it was asked.
    """

    claim: Claim
    support: Support
    score: float
    citations: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    misplaced_facts: tuple[str, ...] = ()
    origin: str = "model"
    doubts: tuple[str, ...] = ()
    opinion: Opinion = Opinion.NONE


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
class Fields:
    """What lists filter and sort by, computed here from the supported claims of a summary. '' and None: the summary does not say.

    `next_owner` is one of `OWNERS`, `deadline` the earliest date (ISO 8601), `sentiment` one of `SENTIMENTS`.
    """

    next_owner: str = ""
    deadline: str = ""
    sentiment: str = ""
    has_open_questions: bool | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished summary, whatever its end. `cost_microusd` is None when no price is known; 0 for a model on this machine.

    `retry_seconds` is set where nothing came and the same may succeed later: after so many seconds, 0 when nobody knows; it is not stored.
    `run_id` is 0 for what was never stored. `is_edit` when a person wrote it. `newer_messages` came after it was written; `stale` when the ticket
    changed in any way since. `thinking` is what a reasoning model wrote before its answer, never part of it. `fell_back` names
    those that did not answer before this one, each with its reason.
    """

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
    retry_seconds: float | None = None
    run_id: int = 0
    task: str = "summarize"
    form: Form = Form.SECTIONS
    fields: Fields = Fields()
    thinking: str = ""
    is_edit: bool = False
    newer_messages: int = 0
    fell_back: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One of the texts that a ticket's summary has had. `is_shown` for the one that the list and the card show."""

    run_id: int
    created_at: str
    state: RunState
    form: Form
    provider: str
    model: str
    recipe: str
    recipe_version: int
    cost_microusd: int | None
    is_edit: bool
    is_shown: bool
    gist: str


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """What became of one claim from one version to another: `old` is None for a new one, `new` for one that is gone."""

    old: CheckedClaim | None
    new: CheckedClaim | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A text that was checked against a ticket, sentence by sentence."""

    claims: tuple[CheckedClaim, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Estimate:
    """What summaries of some tickets would take: `calls` of the `tickets`, `cached` of them made before.

    `cost_microusd` is what to expect, `most_cost_microusd` and `most_tokens` what it cannot exceed by much; None: no price is known.
    """

    tickets: int = 0
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int | None = 0
    most_cost_microusd: int | None = 0
    most_tokens: int = 0


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
class Thinking:
    """A reasoning model thinks before it answers: what it wrote since the last event."""

    text: str


@dataclass(frozen=True, slots=True)
class Delayed:
    """Nothing is sent for so many seconds, and why in words."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class FellBack:
    """The provider did not answer, and why in words; another one is asked in its place."""

    provider: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """A long ticket is read in parts: `done` of `parts` have been."""

    done: int
    parts: int


@dataclass(frozen=True, slots=True)
class Opined:
    """The second opinion came; `claims` are all claims anew, in their order."""

    claims: tuple[CheckedClaim, ...]


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


SummaryEvent = (
    Highlights
    | Cached
    | Started
    | Delayed
    | FellBack
    | Thinking
    | Progressed
    | TextDelta
    | ClaimChecked
    | Opined
    | Finished
)
