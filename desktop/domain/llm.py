"""What goes to a model and what comes back, free of any SDK.

A stream ends in exactly one `StreamEnd`. A provider's fault is a `DeskError` with one of the codes of `FAULTS`, never an SDK's own exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
)
"""Host not found; refused or reset; TLS not trusted; 401/403; model unknown; 429 or no credit; too slow; other 4xx; 5xx or an answer that is none."""


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


StreamEvent = StreamDelta | StreamEnd
