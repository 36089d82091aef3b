"""Batch results: a provider's files of answers, taken in line by line.

The order of lines means nothing; of several for one ticket the first answer counts; what is none of ours is passed over. Every answer becomes a
summary by the rules of a live one. What got no answer is asked live, unless the user gave the batch up or the provider refused it as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from desktop.domain.batches import BatchAnswer, BatchState, RequestState
from desktop.domain.errors import DeskError
from desktop.domain.llm import ProviderFault
from desktop.services.batch_requests import as_it_was, read_answer, read_asked, run_of
from desktop.services.outbound import Endpoint, Outbound
from desktop.services.outbound.batching import outcome_of, restored
from desktop.services.prepared import PreparedTickets
from desktop.storage.batches import BatchStore, Missed, StoredBatch, StoredRequest, Taken

T = TypeVar("T")

TAKEN_AT_ONCE = 50
CANCELLED = "the batch was cancelled before this ticket's turn came"
NO_ANSWER = "the batch's results hold no answer for this ticket"
OnTaken = Callable[[tuple[int, ...]], None]


class BatchResults:
    """Takes in what comes of batches."""

    def __init__(self, store: BatchStore, *, prepared: PreparedTickets, outbound: Outbound, workers: Executor) -> None:
        self._store = store
        self._prepared = prepared
        self._outbound = outbound
        self._workers = workers

    async def take_in(self, stored: StoredBatch, endpoint: Endpoint, on_taken: OnTaken, *, is_last: bool) -> str | None:
        """Take in all answers of a batch that is over; return what is to be said of it in words ('' for nothing), None to look once more later.

        When it `is_last` whatever is still missing counts as not there.

        Raises:
            ProviderFault: when the files cannot be fetched now.
        """
        faults: dict[str, BatchAnswer] = {}
        gone = False
        for file_id in filter(None, (stored.output_file_id, stored.error_file_id)):
            try:
                await self._take_file(stored, endpoint, file_id, faults, on_taken)
            except ProviderFault as fault:
                if fault.status != 404:
                    raise
                gone = True
        batch = (await self._store.get(stored.batch.id)).batch
        if not gone and not is_last and batch.taken < batch.completed and batch.state is not BatchState.FAILED:
            # It may have broken off on its way here: whoever looks again finds what was taken in already.
            return None
        await self.settle(stored, faults, on_taken)
        if gone:
            return f"the results were no longer at {endpoint.host}"
        return batch.reason if batch.state is BatchState.FAILED else ""

    async def settle(self, stored: StoredBatch, faults: dict[str, BatchAnswer], on_taken: OnTaken) -> None:
        """Settle the requests that got no answer."""
        is_refused = stored.batch.state is BatchState.FAILED
        state = RequestState.DROPPED if stored.is_cancelled or is_refused else RequestState.RETRY
        left = await self._store.waiting(stored.batch.id)
        reason = CANCELLED if stored.is_cancelled else stored.batch.reason if is_refused else NO_ANSWER
        missed = [_missed(request, faults.get(request.custom_id), reason) for request in left]
        for place in range(0, len(missed), TAKEN_AT_ONCE):
            on_taken(await self._store.miss(stored.batch.id, missed[place : place + TAKEN_AT_ONCE], state))

    async def _take_file(
        self, stored: StoredBatch, endpoint: Endpoint, file_id: str, faults: dict[str, BatchAnswer], on_taken: OnTaken
    ) -> None:
        group: dict[str, BatchAnswer] = {}
        async with aclosing(self._outbound.batching.answers(endpoint, file_id)) as answers:
            async for answer in answers:
                if answer.end is None:
                    faults.setdefault(answer.custom_id, answer)
                    continue
                group.setdefault(answer.custom_id, answer)
                if len(group) >= TAKEN_AT_ONCE:
                    await self._take(stored, endpoint, group, on_taken)
                    group = {}
        await self._take(stored, endpoint, group, on_taken)

    async def _take(
        self, stored: StoredBatch, endpoint: Endpoint, group: dict[str, BatchAnswer], on_taken: OnTaken
    ) -> None:
        requests = await self._store.waiting(stored.batch.id, list(group))
        taken = [found for r in requests if (found := await self._read(r, group[r.custom_id], endpoint)) is not None]
        if ids := await self._store.take_in(stored.batch.id, taken):
            on_taken(ids)

    async def _read(self, request: StoredRequest, answer: BatchAnswer, endpoint: Endpoint) -> Taken | None:
        """Return what an answer brings; None when its ticket has gone."""
        asked = read_asked(request.asked)
        try:
            current = await self._prepared.get(request.ticket_id)
        except DeskError:
            return None
        prepared = await self._on_worker(partial(as_it_was, asked, current))
        assert answer.end is not None
        cost = self._outbound.batching.cost_microusd(endpoint, answer.end.usage)
        plain = restored(answer, request.placeholders)
        work = partial(read_answer, plain, asked, prepared, endpoint, cost_microusd=cost)
        return Taken(
            request.custom_id,
            run=run_of(asked, request.ticket_id, endpoint, cache_key=request.cache_key),
            summary=await self._on_worker(work),
            sentences=prepared.sentences,
            outcome=outcome_of(answer, request.ledger_id, cost),
            releases_pin=asked.question.releases_pin,
            estimated_tokens=asked.estimated_tokens,
        )

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _missed(request: StoredRequest, answer: BatchAnswer | None, reason: str) -> Missed:
    if answer is None or answer.fault is None:
        return Missed(request.custom_id, reason)
    return Missed(request.custom_id, answer.fault.message, outcome_of(answer, request.ledger_id, None))
