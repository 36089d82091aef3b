"""What goes to a model and what comes back, free of any SDK.

A stream ends in exactly one `StreamEnd`. A provider's fault is a `DeskError` with one of the codes of `FAULTS`, never an SDK's own exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desktop.domain.errors import DeskError
from desktop.domain.runs import RunState, Usage

FAULTS = (
    "provider-name",
    "provider-connection",
    "provider-certificate",
    "provider-key",
    "provider-model",
    "provider-quota",
    "provider-timeout",
    "provider-request",
    "provider-broken",
    "provider-rested",
    "local-only",
)
"""Host not found; refused or reset; TLS not trusted; 401/403; model unknown; 429 or no credit; too slow; other 4xx; 5xx or an answer that is none;
it failed so often that it is left alone for a while; the program is locked to this machine."""


class ProviderFault(DeskError):  # noqa: N818 - a fault is what the field calls it, and `FAULTS` lists their codes
    """What went wrong with a provider. `status` is the HTTP status, 0 when none came.

    `is_transient` when the same request may well succeed a little later: 429 for a rate, 5xx, a connection that broke off before the answer began.
    Every other 4xx, a name that is not found and a certificate that is not trusted are not. `retry_after_seconds` is what the provider asked for.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        remedy: str = "",
        status: int = 0,
        is_transient: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(code, message, remedy=remedy)
        self.status = status
        self.is_transient = is_transient
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for text. `max_tokens` bounds the answer; `temperature` None leaves it to the provider.

    `schema` is the JSON schema that the answer should keep, where the provider can hold it to one; `schema_name` is what it is called there
    (letters, digits, `_` and `-`).
    """

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int = 700
    temperature: float | None = 0.0
    schema: Mapping[str, Any] | None = None
    schema_name: str = "summary"


@dataclass(frozen=True, slots=True)
class StreamDelta:
    """New text of the answer, or of what a reasoning model thinks before it; either may be ''."""

    text: str
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How the stream ended: complete (a finish_reason of `stop` was seen), or incomplete with the reason in words (cut off, length, filtered)."""

    state: RunState
    reason: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a provider said of its limits in the headers of an answer (`x-ratelimit-*`); None where it said nothing.

    `remaining` of the requests or tokens are left; the limit is whole again after `reset_seconds`.
    """

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests_seconds: float | None = None
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The provider began to answer: the first event of a stream, before any text."""

    status: int
    limits: RateLimits = RateLimits()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is sent for so many seconds, and why in words; the request follows then. It comes anew whenever the wait changes."""

    seconds: float
    reason: str


StreamEvent = Opened | Waiting | StreamDelta | StreamEnd


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of texts, in their order; all of one length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = Usage()
