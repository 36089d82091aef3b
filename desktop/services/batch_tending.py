"""Batch tending: what is done for one batch at each look: how it stands, what came of it, and that the provider keeps nothing of it in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from desktop.domain.batches import OVER_STATES, BatchState, RemoteBatch
from desktop.domain.errors import DeskError
from desktop.domain.llm import ProviderFault
from desktop.services.batch_results import BatchResults, OnTaken
from desktop.services.batch_submitting import BatchSubmitting
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.storage.batches import BatchStore, StoredBatch

NOT_CLEARED = "its files are still at"


class BatchTending:
    """Looks after batches, one at a time. What is wrong with a provider becomes the batch's `reason`."""

    def __init__(
        self,
        store: BatchStore,
        *,
        submitting: BatchSubmitting,
        results: BatchResults,
        outbound: Outbound,
        target: Callable[[str, str, str], Target],
        resolve: Callable[[str, str], Awaitable[Endpoint]],
        on_tickets: OnTaken,
    ) -> None:
        """`target` says for a provider, a model and a recipe where requests would go; `on_tickets` is told whose answers were taken in."""
        self._store = store
        self._submitting = submitting
        self._results = results
        self._outbound = outbound
        self._target = target
        self._resolve = resolve
        self._on_tickets = on_tickets
        self._looked_once: set[int] = set()
        self._not_cleared: set[int] = set()

    async def look_at(self, stored: StoredBatch) -> None:
        """Do for one batch what can be done now."""
        batch = stored.batch
        if not batch.is_running:
            await self._clear(stored)
            return
        if batch.state is BatchState.PREPARING:
            await self._store.drop(batch.id)
            return
        try:
            endpoint = await self.endpoint(stored)
            stored = await self._catch_up(stored, endpoint)
            if stored.batch.state in OVER_STATES:
                await self._take_in(stored, endpoint)
        except DeskError as error:
            await self._store.stumbled(batch.id, error.message)

    async def _catch_up(self, stored: StoredBatch, endpoint: Endpoint) -> StoredBatch:
        """Return a batch as the provider has it now."""
        batch = stored.batch
        if batch.state in (BatchState.PREPARED, BatchState.UPLOADED):
            if not await self._submitting.take_up(stored, endpoint):
                why = "given up" if stored.is_cancelled else "TLDesk was closed"
                gone = RemoteBatch("", BatchState.FAILED, reason=f"{why} before it was begun")
                await self._store.polled(batch.id, gone)
        elif batch.state not in OVER_STATES or batch.id in self._looked_once:
            await self._store.polled(batch.id, await self._retrieve(stored, endpoint))
        stored = await self._store.get(batch.id)
        if stored.is_cancelled and stored.remote_id and stored.batch.state not in (*OVER_STATES, BatchState.CANCELLING):
            await self._store.polled(batch.id, await self._outbound.batching.cancel(endpoint, stored.remote_id))
            stored = await self._store.get(batch.id)
        return stored

    async def _retrieve(self, stored: StoredBatch, endpoint: Endpoint) -> RemoteBatch:
        try:
            return await self._outbound.batching.retrieve(endpoint, stored.remote_id)
        except ProviderFault as fault:
            if fault.status != 404:
                raise
        # An address that was changed knows nothing either: only a provider that lists its batches can say that it has not this one.
        listed = await self._outbound.batching.find(endpoint, stored.input_file_id)
        gone = f"{endpoint.host} knows this batch no longer"
        return listed or RemoteBatch(stored.remote_id, BatchState.FAILED, reason=gone)

    async def _take_in(self, stored: StoredBatch, endpoint: Endpoint) -> None:
        batch_id = stored.batch.id
        is_last = batch_id in self._looked_once
        said = await self._results.take_in(stored, endpoint, self._on_tickets, is_last=is_last)
        if said is None:
            self._looked_once.add(batch_id)
            return
        self._looked_once.discard(batch_id)
        await self._store.end(batch_id, said)
        await self._clear(await self._store.get(batch_id))

    async def _clear(self, stored: StoredBatch) -> None:
        """Have the provider delete a batch's files, once all was taken in."""
        batch_id = stored.batch.id
        if batch_id in self._not_cleared:
            return
        try:
            endpoint = await self.endpoint(stored)
            for file_id in stored.files:
                await self._outbound.batching.delete(endpoint, file_id)
        except DeskError as error:
            if isinstance(error, ProviderFault) and error.status >= 400 and not error.is_transient:
                self._not_cleared.add(batch_id)
            if not stored.batch.reason:
                await self._store.stumbled(batch_id, f"{NOT_CLEARED} {stored.batch.host}: {error.message}")
            return
        is_about_files = stored.batch.reason.startswith(NOT_CLEARED)
        await self._store.cleared(batch_id, reason="" if is_about_files else stored.batch.reason)

    async def endpoint(self, stored: StoredBatch) -> Endpoint:
        """Return the provider that has a batch.

        Raises:
            DeskError: `provider-…`; `batch-moved` when the provider of that name is another one now, which must not be told of it.
        """
        batch = stored.batch
        target = self._target(batch.provider, batch.model, batch.recipe)
        if target.host != batch.host:
            raise DeskError(
                "batch-moved",
                f"{batch.provider} is at {target.host} now, the batch is at {batch.host}.",
                remedy="Set the provider's address back, or give the batch up.",
            )
        return await self._resolve(batch.provider, batch.model)
