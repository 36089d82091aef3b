"""The gate: everything that goes to a model passes here, in this order.

Locked to this machine? → what identifies people is taken out → the provider's pace → entered in the ledger (host, purpose, size, hash of the exact
bytes) before the first byte goes → sent → tried again where that makes sense → put back what was taken out → the outcome. An entry whose outcome was
never written reads *outcome unknown*. Nothing else in the services imports `llm`. What is sent to a model on this machine is entered too: the
ledger says what was asked, not only what left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from desktop.domain.errors import DeskError
from desktop.domain.llm import (
    ChatRequest,
    Embeddings,
    Opened,
    ProviderFault,
    StreamDelta,
    StreamEnd,
    StreamEvent,
    Waiting,
)
from desktop.domain.outgoing import Outcome
from desktop.domain.providers import TestStep
from desktop.domain.runs import RunState, Usage
from desktop.domain.tickets import Thread
from desktop.llm.prices import PriceTable
from desktop.llm.tokens import count_tokens, estimate_tokens
from desktop.services.outbound.admission import wait_for_turn
from desktop.services.outbound.batching import Batching
from desktop.services.outbound.deadline import Deadline
from desktop.services.outbound.entry import ANSWERED_FREE, CANCELLED, Entry, failed_outcome
from desktop.services.outbound.pace import Pace, Turn
from desktop.services.outbound.resting import Resting
from desktop.services.outbound.restoring import Restoring
from desktop.services.outbound.retrying import describe_wait, wait_before_retry
from desktop.services.outbound.sending import Sending
from desktop.services.outbound.targets import Endpoint, Target
from desktop.storage.ledger import LedgerStore

if TYPE_CHECKING:
    from desktop.services.redaction import Redactor

MODELS, TEST = "models", "test"


class Outbound:
    """The gate. One for the whole program."""

    def __init__(self, ledger: LedgerStore, prices: PriceTable, *, is_locked: Callable[[], bool]) -> None:
        """`is_locked` tells whether the program is locked to this machine now."""
        self._ledger = ledger
        self._prices = prices
        self._is_locked = is_locked
        self._resting = Resting()
        self._paces: dict[tuple[str, str], Pace] = {}
        self.batching = Batching(ledger, prices, refuse_when_locked=self.refuse_when_locked)

    async def stream(
        self, endpoint: Endpoint, request: ChatRequest, sending: Sending
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a request and yield what comes back, and what is waited for; ends with one `StreamEnd`. Closing it closes the connection.

        Nothing is tried again once an answer began.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`, when no text came.
        """
        self.refuse_when_locked(endpoint)
        self._refuse_when_resting(endpoint, sending)
        if sending.redactor is not None:
            # In a worker thread: a long ticket takes a tenth of a second.
            request = await asyncio.to_thread(self.redacted, request, sending)
        attempt, deadline = 0, Deadline(endpoint.client.deadline_seconds)
        while True:
            attempt += 1
            entry = Entry(self._ledger, endpoint, sending, first_attempt=attempt)
            try:
                async with aclosing(self._attempt(endpoint, request, sending, entry, deadline)) as events:
                    async for event in events:
                        yield event
                return
            except ProviderFault as fault:
                if entry.attempt < attempt:
                    # Nothing was sent: that says nothing of the provider, and is not tried again.
                    raise
                self._resting.failed(endpoint.base_url, fault.code)
                attempt = entry.attempt
                seconds = wait_before_retry(fault, attempt) if sending.retries.usable else None
                if seconds is None or deadline.is_before(seconds) or self._is_resting(endpoint, sending):
                    raise
                sending.retries.left -= 1
                waiting = Waiting(seconds, describe_wait(fault, endpoint.host))
            yield waiting
            await asyncio.sleep(waiting.seconds)
            # The lock may have been set meanwhile.
            self.refuse_when_locked(endpoint)

    async def _attempt(
        self, endpoint: Endpoint, request: ChatRequest, sending: Sending, entry: Entry, deadline: Deadline
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send it once, when its turn comes; where a provider refuses a parameter, once more without it."""
        pace = self.pace(endpoint)
        async with aclosing(wait_for_turn(pace, is_urgent=sending.is_urgent)) as admission:
            async for admitted in admission:
                if isinstance(admitted, Waiting):
                    deadline.refuse_wait(admitted, endpoint.host, is_urgent=sending.is_urgent)
                    yield admitted
                    continue
                async with aclosing(
                    self._send(endpoint, request, sending, entry, admitted, deadline.begin())
                ) as events:
                    async for event in events:
                        yield event
                return

    async def _send(
        self, endpoint: Endpoint, request: ChatRequest, sending: Sending, entry: Entry, turn: Turn, deadline: float
    ) -> AsyncGenerator[StreamEvent, None]:
        restoring = Restoring(sending.redactor, has_object=request.schema is not None)
        requests = 1 + sending.retries.usable
        sent_before = entry.attempt
        outcome = CANCELLED
        try:
            stream = endpoint.client.stream(request, on_send=entry.sent, requests=requests, deadline=deadline)
            async with aclosing(stream) as events:
                async for event in events:
                    match event:
                        case Opened():
                            self._resting.answered(endpoint.base_url)
                            turn.accepted(event.limits)
                            entry.opened(event.status)
                        case StreamDelta():
                            entry.first_token()
                            if (delta := restoring.take(event)) is not None:
                                yield delta
                        case StreamEnd():
                            cost = self.cost_microusd(endpoint, event.usage)
                            outcome = Outcome(
                                0, event.state, message=event.reason, usage=event.usage, cost_microusd=cost
                            )
                            if (delta := restoring.rest()) is not None:
                                yield delta
                            yield event
        except DeskError as error:
            outcome = failed_outcome(error)
            _report(error, turn)
            raise
        finally:
            # Every request after the first was one that a refused parameter took.
            sending.retries.left -= max(0, entry.attempt - sent_before - 1)
            await entry.ended(replace(outcome, answer=restoring.raw))

    async def embed(self, endpoint: Endpoint, texts: Sequence[str], sending: Sending) -> Embeddings:
        """Return the vectors of texts, what identifies people taken out before.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        self.refuse_when_locked(endpoint)
        if sending.redactor is not None:
            texts = [sending.redactor.redact(text) for text in texts]
        entry = Entry(self._ledger, endpoint, sending)
        embedding = endpoint.client.embed(texts, model=endpoint.model, on_send=entry.sent)
        return await entry.account_for(embedding, partial(self._embedded, endpoint))

    def _embedded(self, endpoint: Endpoint, found: Embeddings) -> Outcome:
        # Vectors are no tokens that come out: where only those that went in are told, the rest is none.
        usage = replace(found.usage, output_tokens=found.usage.output_tokens or 0)
        return Outcome(0, RunState.COMPLETE, usage=usage, cost_microusd=self.cost_microusd(endpoint, usage), status=200)

    async def list_models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the ids of the models that the provider offers, sorted.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        self.refuse_when_locked(endpoint)
        entry = Entry(self._ledger, endpoint, Sending(MODELS))
        listing = endpoint.client.list_models(on_send=entry.sent)
        return tuple(sorted(await entry.account_for(listing, lambda _: Outcome(0, RunState.COMPLETE, status=200))))

    async def test(self, endpoint: Endpoint) -> AsyncGenerator[TestStep, None]:
        """Try a provider step by step; the last step yielded is the first that failed, if one did.

        Raises:
            ProviderFault: `local-only`.
        """
        self.refuse_when_locked(endpoint)
        entry, outcome = Entry(self._ledger, endpoint, Sending(TEST), earlier=ANSWERED_FREE), CANCELLED
        ends: list[StreamEnd] = []
        try:
            tested = endpoint.client.test(endpoint.model, on_send=entry.sent, on_end=ends.append)
            async with aclosing(tested) as steps:
                async for step in steps:
                    outcome = Outcome(0, RunState.COMPLETE if step.ok else RunState.FAILED, message=step.detail)
                    yield step
            if ends:
                usage = ends[-1].usage
                cost = self.cost_microusd(endpoint, usage)
                outcome = replace(outcome, status=200, usage=usage, cost_microusd=cost)
        finally:
            await entry.ended(outcome)

    # What would be sent, how fast, and what it costs

    def pace(self, target: Target) -> Pace:
        """Return the pace of a model at its host."""
        name = (target.base_url, target.model)
        if name not in self._paces:
            self._paces[name] = Pace(is_local=target.is_local)
        return self._paces[name]

    def redactor(self, target: Target, thread: Thread, people: Sequence[str] = ()) -> Redactor | None:
        """Return what takes people out of all that goes to a target about a ticket, None where everything may go. Call it in a worker thread.

        `people` are those of other tickets that are sent along.
        """
        if not target.redacts:
            return None
        # A tenth of a second of word lists and patterns, which no start of the program should wait for.
        from desktop.services.redaction import redactor_for

        return redactor_for(thread, people)

    def redacted(self, request: ChatRequest, sending: Sending) -> ChatRequest:
        """Return a request as it goes: without what identifies people, where the sending has a redactor."""
        if sending.redactor is None:
            return request
        redact = sending.redactor.redact
        # The first message holds instructions of ours and nothing of a ticket; what stands there must stay as it is.
        messages = (m if m.role == "system" else replace(m, content=redact(m.content)) for m in request.messages)
        return replace(request, messages=tuple(messages))

    def body(self, endpoint: Endpoint, request: ChatRequest) -> bytes:
        """Return the exact bytes that a request, redacted before, would be sent as now."""
        return endpoint.client.body(request)

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

    # What stands in the way

    def refuse_when_locked(self, target: Target) -> None:
        """Refuse what would leave this machine while the program is locked to it.

        Raises:
            ProviderFault: `local-only`.
        """
        if self._is_locked() and not target.is_local:
            raise ProviderFault(
                "local-only",
                f"TLDesk is locked to this machine, so nothing was sent to {target.host}.",
                remedy="Choose a model on this machine, or lift the lock in the provider's settings.",
            )

    def _refuse_when_resting(self, endpoint: Endpoint, sending: Sending) -> None:
        if self._is_resting(endpoint, sending):
            seconds = max(1, round(self._resting.seconds_left(endpoint.base_url)))
            raise ProviderFault(
                "provider-rested",
                f"{endpoint.host} failed several times in a row and is left alone for {seconds} seconds.",
                remedy="Wait a moment, or use another provider.",
                is_transient=True,
                retry_after_seconds=seconds,
            )

    def _is_resting(self, endpoint: Endpoint, sending: Sending) -> bool:
        """Tell whether a provider is not to be asked now. A person who asks for it by hand, and has no other, may try."""
        has_other = sending.retries.spare > 0
        return (has_other or not sending.is_urgent) and self._resting.seconds_left(endpoint.base_url) > 0


def _report(error: DeskError, turn: Turn) -> None:
    """Tell the pace what became of a request that failed."""
    if not isinstance(error, ProviderFault) or not error.is_transient:
        return
    if error.status == 429:
        turn.refused(error.retry_after_seconds)
    else:
        turn.broke(error.retry_after_seconds)
