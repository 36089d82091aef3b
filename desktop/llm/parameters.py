"""Parameters: what of a request a provider accepts, learned from its refusals.

Servers that speak the same API differ in five things: the name of the length limit, the temperature, whether usage can be asked for, whether an
answer can be held to a JSON schema, or to JSON at all, and whether there may be a system message.
A refusal that names one of them is answered with the next way to say it, a second one with the barest form there is; nothing else is ever retried
here. What was refused is remembered, what was only left out to be safe is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from desktop.domain.llm import ChatMessage, ChatRequest
from desktop.domain.text import valid_text
from desktop.llm.presets import host_of

MAX_REQUESTS = 3
"""Requests of one action, the refused ones included: as usual, with what was named changed, and the barest."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_STRUCTURES = ("schema", "object")
_STRUCTURE_WORDS = re.compile(
    r"response_format|response format|json_schema|json_object|json mode|structured|schema|grammar", re.IGNORECASE
)
_TOO_LARGE = re.compile(r"context|too large|too long|at most|less than|exceed", re.IGNORECASE)
_SYSTEM_WORDS = re.compile(
    r"system (role|message|prompt|instruction)s?\b.{0,40}\b(not|un)|(does not|doesn't|do not|cannot|no) (support|accept|allow|take)\w* .{0,20}system"
    r"|unsupported.{0,40}system|role.{0,40}'system'|developer instruction|messages\[0\]\.role|roles must alternate",
    re.IGNORECASE,
)
_OWN_ERRORS = (500, 501)
"""Some servers answer a structure or a role that they do not know with an error of their own making."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One way to ask. `limits` are the names of the length limit still to be tried, the first is used; empty sends none.

    `structures` are the ways to ask for JSON still to be tried, in the same manner; they concern only requests with a schema.
    """

    limits: tuple[str, ...] = _LIMITS
    has_temperature: bool = True
    has_usage: bool = True
    structures: tuple[str, ...] = _STRUCTURES
    has_system: bool = True

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the request as an object of the chat API."""
        messages = request.messages if self.has_system else _folded(request.messages)
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": m.role, "content": valid_text(m.content)} for m in messages],
            "stream": True,
        }
        if self.limits:
            body[self.limits[0]] = request.max_tokens
        if self.has_temperature and request.temperature is not None:
            body["temperature"] = request.temperature
        if self.has_usage:
            body["stream_options"] = {"include_usage": True}
        if request.schema is not None and self.structures:
            body["response_format"] = _response_format(self.structures[0], request.schema_name, request.schema)
        return body

    def encoded(self, request: ChatRequest) -> bytes:
        """Return the request as the bytes that are sent."""
        return encoded(self.body(request))

    def barest(self) -> Parameters:
        """Return the way that any server takes: nothing that may be left out, everything in the user's message."""
        return replace(self, has_temperature=False, has_usage=False, structures=(), has_system=False)

    def without(self, other: Parameters) -> Parameters:
        """Return this way without the limits that another has found refused."""
        return replace(self, limits=other.limits)

    def after(self, refusal: object, request: ChatRequest) -> Parameters | None:
        """Return the next way to ask after an SDK error to a request, or None when it complains about something else."""
        status = getattr(refusal, "status_code", None)
        named = str(getattr(refusal, "param", None) or "")
        way = self
        for complaint in _complaints(refusal):
            way = way._after(status, named, f"{named} {complaint}", request) or way
        return None if way == self else way

    def _after(self, status: int | None, named: str, words: str, request: ChatRequest) -> Parameters | None:
        has_structure = request.schema is not None and bool(self.structures)
        if has_structure and status in (400, 404, 422, *_OWN_ERRORS) and _STRUCTURE_WORDS.search(words):
            return replace(self, structures=self.structures[1:])
        has_system = self.has_system and any(message.role == "system" for message in request.messages)
        if has_system and status in (400, 404, 422, *_OWN_ERRORS) and _SYSTEM_WORDS.search(words):
            return replace(self, has_system=False)
        if status not in (400, 422):
            return None
        if self.has_usage and re.search(r"stream_options|include_usage", words):
            return replace(self, has_usage=False)
        if self.has_temperature and "temperature" in words and not named.startswith("max_"):
            return replace(self, has_temperature=False)
        # A limit that is too large for the model is not a limit by the wrong name.
        if self.limits and self.limits[0] in words and not _TOO_LARGE.search(words):
            return replace(self, limits=self.limits[1:])
        return None


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return a body as the bytes that are sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _folded(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """Return the messages without a system message: what it said begins the first message of the user."""
    said = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    if not said:
        return tuple(others)
    first = next((i for i, message in enumerate(others) if message.role == "user"), None)
    if first is None:
        return (ChatMessage("user", said), *others)
    others[first] = ChatMessage("user", f"{said}\n\n{others[first].content}")
    return tuple(others)


def _response_format(structure: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if structure == "object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": dict(schema)}}


def _complaints(refusal: object) -> list[str]:
    """Return what a server complains about. Of FastAPI's it is the places and words: its `input` repeats the tickets, where any word may stand."""
    body = getattr(refusal, "body", None)
    details = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(details, list):
        return [str(getattr(refusal, "message", ""))]
    return [str((detail.get("loc"), detail.get("msg"))) for detail in details if isinstance(detail, dict)]


def first_parameters(base_url: str) -> Parameters:
    """Return how to ask first: OpenAI's newer models refuse `max_tokens`, most other servers know nothing else."""
    host = host_of(base_url)
    is_openai = host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))
    return Parameters(limits=tuple(reversed(_LIMITS)) if is_openai else _LIMITS)
