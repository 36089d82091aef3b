"""Batching: what the gate lets through of batches. A file of requests goes up, its answers come down; each request that it takes is in the ledger.

The file is one entry (*batch*), each ticket's request in it is another (*batch-item*), entered before the file goes and ended when its answer is
taken in, at the price of batches. Beginning a batch, asking how it stands, fetching its answers, stopping it and deleting its files are entries too,
and cost nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import IO, TypeVar

from desktop.domain.batches import BatchAnswer, BatchSupport, RemoteBatch
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatRequest, ProviderFault
from desktop.domain.outgoing import Outcome, Redaction, Sent
from desktop.domain.runs import RunState, Usage
from desktop.llm.batch import MOST_BYTES, MOST_REQUESTS, BatchClient
from desktop.llm.prices import PriceTable
from desktop.services.outbound.entry import ANSWERED_FREE, CANCELLED, Entry, count_redactions, failed_outcome
from desktop.services.outbound.restoring import begins_as_object
from desktop.services.outbound.retrying import wait_before_retry
from desktop.services.outbound.sending import MOST_REQUESTS as MOST_ATTEMPTS
from desktop.services.outbound.sending import Sending
from desktop.services.outbound.targets import Endpoint, Target
from desktop.storage.ledger import LedgerStore

T = TypeVar("T")

FILE, ITEM = "batch", "batch-item"
START, POLL, FETCH, CANCEL, CLEAR = "batch-start", "batch-poll", "batch-fetch", "batch-cancel", "batch-clear"
"""Purposes in the ledger."""
MOST_REQUESTS_A_FILE, MOST_BYTES_A_FILE = MOST_REQUESTS, MOST_BYTES
_BLOCK_BYTES = 1_000_000


class Batching:
    """The part of the gate that batches pass."""

    def __init__(
        self, ledger: LedgerStore, prices: PriceTable, *, refuse_when_locked: Callable[[Endpoint], None]
    ) -> None:
        self._ledger = ledger
        self._prices = prices
        self._refuse_when_locked = refuse_when_locked

    def support(self, target: Target) -> BatchSupport:
        """Say whether a provider takes batches, and for what share of the price."""
        share = self._prices.batch_share(target.host)
        return BatchSupport(share is not None, 1.0 if share is None else share)

    def offers_batch(self, target: Target) -> bool:
        """Tell whether a provider takes batches."""
        return self.support(target).is_offered

    def cost_microusd(self, target: Target, usage: Usage) -> int | None:
        """Return what a call costs as a part of a batch in micro-dollars; 0 on this machine, None when no price is known."""
        if target.is_local:
            return 0
        return self._prices.batch_cost_microusd(host=target.host, model=target.model, usage=usage)

    def knows(self, endpoint: Endpoint) -> bool:
        """Tell whether it is known how a model wants to be asked: a batch that asks it wrongly fails as a whole."""
        return endpoint.client.knows(endpoint.model)

    def line(self, endpoint: Endpoint, custom_id: str, request: ChatRequest) -> bytes:
        """Return the line of a file that asks for what a request, redacted before, asks for."""
        return BatchClient(endpoint.client).line(custom_id, request)

    def entry(
        self, endpoint: Endpoint, line: bytes, redactions: Sequence[Redaction], *, recipe: str, ticket_id: int
    ) -> Sent:
        """Return what the ledger is told of one line."""
        return Sent(
            host=endpoint.host,
            provider=endpoint.name,
            model=endpoint.model,
            purpose=ITEM,
            body=line,
            sha256=hashlib.sha256(line).hexdigest(),
            recipe=recipe,
            redactions=count_redactions(line, redactions),
            ticket_id=ticket_id,
        )

    async def upload(
        self, endpoint: Endpoint, name: str, file: IO[bytes], *, recipe: str, redactions: Mapping[str, int]
    ) -> str:
        """Send a file and return the id that the provider gave it; what is likely to pass is tried again.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        self._refuse_when_locked(endpoint)
        size, sha256 = await asyncio.to_thread(_measure, file)
        sent = Sent(endpoint.host, endpoint.name, endpoint.model, FILE, b"", sha256, recipe, redactions)
        attempt = 0
        while True:
            attempt += 1
            file.seek(0)
            entry_id = await self._ledger.sent(replace(sent, attempt=attempt), size=size)
            outcome = Outcome(entry_id, RunState.CANCELLED)
            try:
                file_id = await BatchClient(endpoint.client).upload(name, file)
                outcome = replace(outcome, state=RunState.COMPLETE, status=200, cost_microusd=0)
                return file_id
            except ProviderFault as fault:
                outcome = replace(failed_outcome(fault), entry_id=entry_id)
                seconds = wait_before_retry(fault, attempt) if attempt < MOST_ATTEMPTS else None
                if seconds is None:
                    raise
            finally:
                await self._ledger.ended([outcome])
            await asyncio.sleep(seconds)
            # The lock may have been set meanwhile.
            self._refuse_when_locked(endpoint)

    async def create(self, endpoint: Endpoint, input_file_id: str, name: str) -> RemoteBatch:
        """Begin a batch with a file that is there.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(endpoint, START, lambda client: client.create(input_file_id, name))

    async def retrieve(self, endpoint: Endpoint, remote_id: str) -> RemoteBatch:
        """Return how a batch stands.

        Raises:
            ProviderFault: as `upload`; with status 404 when the provider does not know it.
        """
        return await self._ask(endpoint, POLL, lambda client: client.retrieve(remote_id))

    async def find(self, endpoint: Endpoint, input_file_id: str) -> RemoteBatch | None:
        """Return the batch that was begun with a file, None when none was.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(endpoint, POLL, lambda client: client.find(input_file_id))

    async def find_file(self, endpoint: Endpoint, name: str) -> str:
        """Return the id of an uploaded file of ours, '' when there is none.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(endpoint, POLL, lambda client: client.find_file(name))

    async def cancel(self, endpoint: Endpoint, remote_id: str) -> RemoteBatch:
        """Have a batch stopped.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(endpoint, CANCEL, lambda client: client.cancel(remote_id))

    async def delete(self, endpoint: Endpoint, file_id: str) -> None:
        """Have a file deleted; one that is gone is as good.

        Raises:
            ProviderFault: as `upload`.
        """
        await self._ask(endpoint, CLEAR, lambda client: client.delete(file_id))

    async def answers(self, endpoint: Endpoint, file_id: str) -> AsyncGenerator[BatchAnswer, None]:
        """Yield what the lines of a result file say, as they came: see `restored`.

        Raises:
            ProviderFault: as `upload`; with status 404 when the file is gone.
        """
        self._refuse_when_locked(endpoint)
        entry, outcome = Entry(self._ledger, endpoint, Sending(FETCH)), CANCELLED
        try:
            async with aclosing(BatchClient(endpoint.client, on_send=entry.sent).answers(file_id)) as answers:
                async for answer in answers:
                    yield answer
            outcome = ANSWERED_FREE
        except DeskError as error:
            outcome = failed_outcome(error)
            raise
        finally:
            await entry.ended(outcome)

    async def _ask(self, endpoint: Endpoint, purpose: str, ask: Callable[[BatchClient], Awaitable[T]]) -> T:
        self._refuse_when_locked(endpoint)
        entry = Entry(self._ledger, endpoint, Sending(purpose))
        return await entry.account_for(ask(BatchClient(endpoint.client, on_send=entry.sent)), lambda _: ANSWERED_FREE)


def restored(answer: BatchAnswer, placeholders: Mapping[str, str]) -> BatchAnswer:
    """Return an answer with the real values in place of the placeholders that went out."""
    # As the gate's redactor: late, for no start of the program should wait for it.
    from desktop.services.redaction.placeholders import put_back

    text = put_back(answer.text, placeholders, is_json=begins_as_object(answer.text))
    return replace(answer, text=text, thinking=put_back(answer.thinking, placeholders))


def outcome_of(answer: BatchAnswer, entry_id: int, cost_microusd: int | None) -> Outcome:
    """Return how the request ended that an answer belongs to; the answer as it came is kept for its trace."""
    if answer.end is None:
        fault = answer.fault or ProviderFault("provider-broken", "")
        return replace(failed_outcome(fault), entry_id=entry_id, answer=answer.raw)
    return Outcome(
        entry_id,
        answer.end.state,
        status=200,
        message=answer.end.reason,
        usage=answer.end.usage,
        cost_microusd=cost_microusd,
        answer=answer.raw,
    )


def add_counts(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add up what was redacted in several requests, by kind."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _measure(file: IO[bytes]) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()
