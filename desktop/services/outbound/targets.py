"""Targets: where a request would go, and endpoints: targets that can be asked."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.llm.openai_client import OpenAIClient


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request would go: the provider's name, model and host as shown, and how many tokens the model takes. It holds no key.

    `redacts` tells whether what identifies people stays on this machine.
    """

    name: str
    model: str
    base_url: str
    host: str
    is_local: bool
    context_tokens: int
    redacts: bool


@dataclass(frozen=True, slots=True)
class Endpoint(Target):
    """A provider ready to be asked: a target with the client that holds the key."""

    client: OpenAIClient
