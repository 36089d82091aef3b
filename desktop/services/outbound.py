"""Outbound: the one gate through which everything passes that goes to a model.

What is about to leave is entered in the ledger before it goes (host, purpose, size, hash of the exact messages) and settled with its end
afterwards; an entry that was never settled reads *outcome unknown*. Nothing else in the services imports `llm`. What is sent to a model on this
machine is entered too: the ledger says what was asked, not only what left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatRequest, Opened, StreamEnd, StreamEvent
from desktop.domain.providers import TestStep
from desktop.domain.runs import RunState, Usage
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.prices import PriceTable
from desktop.llm.tokens import count_tokens, estimate_tokens
from desktop.storage.ledger import LedgerStore


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request would go: the provider's name, model and host as shown, and how many tokens the model takes. It holds no key."""

    name: str
    model: str
    base_url: str
    host: str
    is_local: bool
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Endpoint(Target):
    """A provider ready to be asked: a target with the client that holds the key."""

    client: OpenAIClient


class Outbound:
    """The gate. One for the whole program."""

    def __init__(self, ledger: LedgerStore, prices: PriceTable) -> None:
        self._ledger = ledger
        self._prices = prices

    async def stream(
        self, endpoint: Endpoint, request: ChatRequest, *, purpose: str
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a request and yield what comes back; ends with one `StreamEnd`. Closing the generator closes the connection.

        Raises:
            DeskError: one of `domain.llm.FAULTS`, when no text came.
        """
        body = json.dumps([[m.role, m.content] for m in request.messages], ensure_ascii=False)
        entry = await self._enter(endpoint, purpose, body)
        state, cost = RunState.CANCELLED, None
        try:
            async with aclosing(endpoint.client.stream(request)) as events:
                async for event in events:
                    if isinstance(event, Opened):
                        continue
                    if isinstance(event, StreamEnd):
                        state, cost = event.state, self.cost_microusd(endpoint, event.usage)
                    yield event
        except DeskError:
            state = RunState.FAILED
            raise
        finally:
            await self._ledger.settled(entry, state, cost)

    async def list_models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the ids of the models that the provider offers, sorted.

        Raises:
            DeskError: one of `domain.llm.FAULTS`.
        """
        entry, state = await self._enter(endpoint, "models", ""), RunState.FAILED
        try:
            models = tuple(sorted(await endpoint.client.list_models()))
            state = RunState.COMPLETE
        finally:
            await self._ledger.settled(entry, state, None)
        return models

    async def test(self, endpoint: Endpoint) -> AsyncGenerator[TestStep, None]:
        """Try a provider step by step; the last step yielded is the first that failed, if one did."""
        entry, state = await self._enter(endpoint, "test", ""), RunState.CANCELLED
        try:
            async with aclosing(endpoint.client.test(endpoint.model)) as steps:
                async for step in steps:
                    state = RunState.COMPLETE if step.ok else RunState.FAILED
                    yield step
        finally:
            await self._ledger.settled(entry, state, None)

    async def _enter(self, endpoint: Endpoint, purpose: str, body: str) -> int:
        raw = body.encode("utf-8", "surrogatepass")
        return await self._ledger.sent(
            host=endpoint.host, purpose=purpose, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest()
        )

    def cost_microusd(self, target: Target, usage: Usage) -> int | None:
        """Return what a call costs in micro-dollars; 0 on this machine, None when no price is known."""
        return 0 if target.is_local else self._prices.cost_microusd(host=target.host, model=target.model, usage=usage)

    def estimate_tokens(self, text: str) -> int:
        """Estimate how many tokens a text has, without a tokenizer."""
        return estimate_tokens(text)

    def count_tokens(self, text: str, model: str) -> int:
        """Count the tokens of a text as a model does where its tokenizer is known, else estimate them."""
        counted = count_tokens(text, model)
        return estimate_tokens(text) if counted is None else counted
