"""Parameters: what of a request a provider accepts, learned from its refusals.

Servers that speak the same API differ in four parameters: the name of the length limit, the temperature, whether usage can be asked for, and
whether an answer can be held to a JSON schema, or to JSON at all.
A refusal that names one of them is answered with the next way to say it; nothing else is ever retried here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from desktop.domain.llm import ChatRequest
from desktop.domain.text import valid_text
from desktop.llm.presets import host_of

MAX_REQUESTS = 5
"""Requests of one action, the refused ones included. As many as an early reasoning model behind a gateway takes: it refuses the limit's name, the
temperature and JSON in both ways, once in the life of a client."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_STRUCTURES = ("schema", "object")
_STRUCTURE_WORDS = re.compile(
    r"response_format|response format|json_schema|json_object|json mode|structured|schema|grammar", re.IGNORECASE
)
_TOO_LARGE = re.compile(r"context|too large|too long|at most|less than|exceed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One way to ask. `limits` are the names of the length limit still to be tried, the first is used; empty sends none.

    `structures` are the ways to ask for JSON still to be tried, in the same manner; they concern only requests with a schema.
    """

    limits: tuple[str, ...] = _LIMITS
    has_temperature: bool = True
    has_usage: bool = True
    structures: tuple[str, ...] = _STRUCTURES

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the request as the SDK's `chat.completions.create` takes it."""
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": m.role, "content": valid_text(m.content)} for m in request.messages],
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

    def after(self, refusal: object, request: ChatRequest) -> Parameters | None:
        """Return the next way to ask after an SDK error to a request, or None when it complains about something else."""
        status = getattr(refusal, "status_code", None)
        named = str(getattr(refusal, "param", None) or "")
        words = f"{named} {_complaint(refusal)}"
        # Some servers answer a structure they do not know with an error of their own making.
        has_structure = request.schema is not None and bool(self.structures)
        if has_structure and status in (400, 404, 422, 500, 501) and _STRUCTURE_WORDS.search(words):
            return replace(self, structures=self.structures[1:])
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


def _response_format(structure: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if structure == "object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": dict(schema)}}


def _complaint(refusal: object) -> str:
    """Return what a server complains about. Of FastAPI's it is the places and words: its `input` repeats the tickets, where any word may stand."""
    body = getattr(refusal, "body", None)
    details = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(details, list):
        return str(getattr(refusal, "message", ""))
    return str([(detail.get("loc"), detail.get("msg")) for detail in details if isinstance(detail, dict)])


def first_parameters(base_url: str) -> Parameters:
    """Return how to ask first: OpenAI's newer models refuse `max_tokens`, most other servers know nothing else."""
    host = host_of(base_url)
    is_openai = host == "api.openai.com" or host.endswith((".api.openai.com", ".openai.azure.com"))
    return Parameters(limits=tuple(reversed(_LIMITS)) if is_openai else _LIMITS)
