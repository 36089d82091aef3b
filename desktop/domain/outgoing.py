"""What leaves for a model, as the ledger tells of it, and what was taken out of it before.

An *entry* is one HTTP request, entered before its first byte goes; its state is *outcome unknown* until its end is known here. A *redaction* is a
value that stayed here: a placeholder went in its place. Nothing in this module holds a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.domain.runs import RunState, Usage

OUTCOME_UNKNOWN = "outcome unknown"

REDACTION_KINDS = ("email", "phone", "iban", "card", "ip", "key", "url", "address", "person")
"""E-mail addresses, telephone numbers, bank accounts, payment cards, IP addresses, keys and tokens, secrets inside URLs, postal addresses, and
the ticket's own people."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """One value that was replaced: what it is, and what went in its place."""

    kind: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A request about to go: whom it goes to, why, and the exact bytes of its body as size and SHA-256.

    `redactions` counts by kind what was replaced. `attempt` counts from 1 the requests of one action. `run_id` and `ticket_id` are 0 where there is
    none. `body` is kept for the trace, the answer beside it later; both hold placeholders, never what they stand for.
    """

    host: str
    provider: str
    model: str
    purpose: str
    body: bytes
    sha256: str
    recipe: str = ""
    redactions: Mapping[str, int] = field(default_factory=dict)
    attempt: int = 1
    run_id: int = 0
    ticket_id: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended. `status` is the HTTP status, 0 when none came; `error` one of `llm.FAULTS` or '', `message` says it in words.

    `answer` is the raw text that came, placeholders in it. `cost_microusd` is None when no price or no usage is known.
    """

    entry_id: int
    state: RunState
    status: int = 0
    error: str = ""
    message: str = ""
    usage: Usage = Usage()
    cost_microusd: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    answer: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One request as the ledger lists it. `state` is a `RunState` or *outcome unknown*; times are ISO 8601 UTC."""

    id: int
    at: str
    host: str
    provider: str
    model: str
    purpose: str
    recipe: str
    bytes: int
    sha256: str
    redactions: Mapping[str, int]
    attempt: int
    state: str
    status: int
    error: str
    message: str
    usage: Usage
    cost_microusd: int | None
    first_token_seconds: float | None
    seconds: float
    run_id: int
    ticket_id: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One request whole: its entry, its body as sent (JSON), and the raw answer. Both '' when they were not kept that long."""

    entry: LedgerEntry
    body: str
    answer: str
