"""Batch submitting: tickets become the lines of a file, the file goes to the provider, and a batch is begun with it.

Whatever happens in between can be taken up again: a batch is written down before anything of it leaves, its file has a name of its own, and the
provider is asked what it has before anything is done a second time.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, TypeVar

from desktop.domain.batches import BatchState, RemoteBatch, RequestState
from desktop.domain.errors import DeskError
from desktop.domain.llm import ProviderFault
from desktop.domain.outgoing import Redaction
from desktop.domain.runs import Usage
from desktop.services.asking import add_usages
from desktop.services.batch_requests import Planned, plan_request
from desktop.services.outbound import Endpoint, Outbound
from desktop.services.outbound.batching import MOST_BYTES_A_FILE, MOST_REQUESTS_A_FILE, add_counts
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import Question, name_question
from desktop.services.recipes import Recipe
from desktop.services.summaries import SummaryService
from desktop.services.summary_writing import name_text
from desktop.storage.batches import BatchStore, NewBatch, NewRequest, StoredBatch
from desktop.storage.runs import RunStore

T = TypeVar("T")
OnProgress = Callable[[int, int], None]
OnBegun = Callable[[int], Awaitable[None]]

ENTERED_AT_ONCE = 200
HELD_BYTES = 4_000_000
"""What is held in memory of a file before it goes to a temporary file, which has no name and no other readers."""


@dataclass(slots=True)
class Sorted:
    """What became of tickets before any left: those in batches that run, those with a summary, those to be asked live."""

    running: list[int] = field(default_factory=list)
    cached: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a request stands in its file, and what of it was redacted."""

    request: NewRequest
    start: int
    size: int
    redactions: tuple[Redaction, ...]


class _File:
    """A file that is being filled. It disappears with its handle."""

    def __init__(self) -> None:
        self.name = f"tldesk-{secrets.token_hex(8)}.jsonl"
        self.lines: list[_Line] = []
        self.twins: list[NewRequest] = []
        self.size = 0
        self.most = Usage(0, 0)
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(HELD_BYTES)  # noqa: SIM115 - closed by whoever fills it

    def has_room(self, size: int) -> bool:
        return len(self.lines) < MOST_REQUESTS_A_FILE and self.size + size <= MOST_BYTES_A_FILE

    def add(self, request: NewRequest, line: bytes, redactions: tuple[Redaction, ...], most: Usage) -> None:
        self.file.write(line)
        self.most = add_usages((self.most, most))
        self.lines.append(_Line(request, self.size, len(line), redactions))
        self.size += len(line)

    def read(self, line: _Line) -> bytes:
        self.file.seek(line.start)
        return self.file.read(line.size)


class BatchSubmitting:
    """Hands tickets over."""

    def __init__(
        self,
        store: BatchStore,
        *,
        summaries: SummaryService,
        runs: RunStore,
        outbound: Outbound,
        secret: bytes,
        workers: Executor,
    ) -> None:
        self._store = store
        self._summaries = summaries
        self._runs = runs
        self._outbound = outbound
        self._secret = secret
        self._workers = workers

    async def submit(
        self,
        ids: Sequence[int],
        endpoint: Endpoint,
        recipe: Recipe,
        *,
        refresh: bool,
        on_progress: OnProgress | None,
        on_batch: OnBegun,
    ) -> Sorted:
        """Hand tickets over in as many batches as it takes; `on_batch` is told the id of each as it was begun.

        Raises:
            ProviderFault: when a file cannot be sent. What was begun before it goes on.
        """
        found, file, sent = Sorted(), _File(), dict[str, str]()
        try:
            for place, ticket_id in enumerate(ids):
                planned = await self._plan(ticket_id, endpoint, recipe, found, refresh=refresh)
                if planned is not None:
                    file = await self._add(planned, ticket_id, endpoint, file, sent, on_batch)
                if on_progress is not None:
                    on_progress(place + 1, len(ids))
            if file.lines:
                await on_batch(await self._send(file, endpoint, recipe.name))
        finally:
            file.file.close()
        return found

    async def _plan(
        self, ticket_id: int, endpoint: Endpoint, recipe: Recipe, found: Sorted, *, refresh: bool
    ) -> tuple[Planned, str] | None:
        """Return a ticket's request and the name of its question; None when it is not handed over, which is noted in `found`."""
        try:
            asked = await self._summaries.question(ticket_id, recipe, endpoint)
        except DeskError:
            return None  # it has gone since the list was made
        if asked is None:
            found.live.append(ticket_id)
            return None
        prepared, question = asked
        key = name_question(prepared.thread, question, endpoint)
        batch_id, state = (await self._store.handed_over([key])).get(key, (0, RequestState.DROPPED))
        text_key = await self._on_worker(partial(name_text, prepared, question, endpoint))
        if batch_id and state in (RequestState.WAITING, RequestState.DONE):
            found.running.append(ticket_id)
        elif not refresh and await self._is_written(key, text_key):
            found.cached.append(ticket_id)
        elif state is RequestState.RETRY:
            found.live.append(ticket_id)
        elif (planned := await self._request(prepared, question, endpoint, text_key, refresh=refresh)) is not None:
            return planned, key
        else:
            found.live.append(ticket_id)
        return None

    async def _is_written(self, key: str, text_key: str) -> bool:
        return await self._runs.cached(key) is not None or await self._runs.cached_text(text_key) is not None

    async def _request(
        self, prepared: PreparedTicket, question: Question, endpoint: Endpoint, text_key: str, *, refresh: bool
    ) -> Planned | None:
        question = await self._summaries.only_what_is_new(prepared, replace(question, releases_pin=refresh))
        work = partial(
            plan_request,
            question,
            prepared,
            endpoint,
            text_key=text_key,
            secret=self._secret,
            outbound=self._outbound,
        )
        return await self._on_worker(work)

    async def _add(
        self,
        planned: tuple[Planned, str],
        ticket_id: int,
        endpoint: Endpoint,
        file: _File,
        sent: dict[str, str],
        on_batch: OnBegun,
    ) -> _File:
        """Put a request into the file, or into a new one when that is full, which is sent then. `sent` are the texts that are asked about."""
        plan, key = planned
        text_key = str(plan.asked["text_key"])
        if text_key in sent and sent[text_key] == file.name:
            file.twins.append(NewRequest(f"twin-{ticket_id}", ticket_id, key, {}, plan.asked, is_twin=True))
            return file
        custom_id = f"ticket-{ticket_id}"
        line = self._outbound.batching.line(endpoint, custom_id, plan.request)
        if not file.has_room(len(line)):
            with file.file:
                await on_batch(await self._send(file, endpoint, str(plan.asked["recipe"])))
            file = _File()
        sent[text_key] = file.name
        file.add(NewRequest(custom_id, ticket_id, key, plan.values, plan.asked), line, plan.redactions, plan.most)
        return file

    async def _send(self, file: _File, endpoint: Endpoint, recipe: str) -> int:
        """Write a batch down, enter its requests in the ledger, send its file and begin it; return its id."""
        requests = [*(line.request for line in file.lines), *file.twins]
        new = NewBatch(
            endpoint.name,
            endpoint.model,
            endpoint.host,
            recipe,
            file.name,
            requests,
            most_cost_microusd=self._outbound.batching.cost_microusd(endpoint, file.most),
            most_tokens=(file.most.input_tokens or 0) + (file.most.output_tokens or 0),
        )
        batch_id = await self._store.add(new)
        is_prepared = False
        try:
            redactions = await self._enter(batch_id, file, endpoint, recipe)
            await self._store.prepared(batch_id)
            is_prepared = True
            batching = self._outbound.batching
            file_id = await batching.upload(endpoint, file.name, file.file, recipe=recipe, redactions=redactions)
            await self._store.uploaded(batch_id, file_id)
            await self.begin(await self._store.get(batch_id), endpoint)
        except DeskError as error:
            # Nobody works on it: the tickets are free again at once.
            await self._store.refuse(batch_id, error.code, error.message)
            await self._clear_orphan(endpoint, file.name)
            raise
        except BaseException:
            # Given up while it was being handed over. What may have arrived is looked for and cleared, never begun.
            given_up = self._store.cancelled(batch_id) if is_prepared else self._store.drop(batch_id)
            await asyncio.shield(given_up)
            raise
        return batch_id

    async def _enter(self, batch_id: int, file: _File, endpoint: Endpoint, recipe: str) -> dict[str, int]:
        """Enter all requests of a file in the ledger, and return what was redacted in them."""
        counts: list[dict[str, int]] = []
        for place in range(0, len(file.lines), ENTERED_AT_ONCE):
            sents = [
                (
                    line.request.custom_id,
                    self._outbound.batching.entry(
                        endpoint,
                        file.read(line),
                        line.redactions,
                        recipe=recipe,
                        ticket_id=line.request.ticket_id,
                    ),
                )
                for line in file.lines[place : place + ENTERED_AT_ONCE]
            ]
            counts += [dict(sent.redactions) for _, sent in sents]
            await self._store.enter(batch_id, sents)
        return add_counts(counts)

    async def _clear_orphan(self, endpoint: Endpoint, name: str) -> None:
        """Have a file deleted whose sending failed: it may have arrived all the same."""
        with suppress(DeskError):
            if file_id := await self._outbound.batching.find_file(endpoint, name):
                await self._outbound.batching.delete(endpoint, file_id)

    async def begin(self, stored: StoredBatch, endpoint: Endpoint) -> None:
        """Begin a batch whose file is at the provider. What cannot be begun now is tried again at the next poll; what is refused has failed."""
        batch = stored.batch
        try:
            remote = await self._outbound.batching.create(endpoint, stored.input_file_id, stored.name)
        except ProviderFault as fault:
            if fault.is_transient or fault.status < 400:
                await self._store.stumbled(batch.id, fault.message)
                return
            remote = RemoteBatch("", BatchState.FAILED, reason=fault.message)
        await self._store.polled(batch.id, remote)

    async def take_up(self, stored: StoredBatch, endpoint: Endpoint) -> bool:
        """Go on with a batch that was being handed over when the program ended; tell whether the provider has it.

        Raises:
            ProviderFault: when it cannot be asked now.
        """
        batching = self._outbound.batching
        if not stored.input_file_id:
            file_id = await batching.find_file(endpoint, stored.name)
            if not file_id:
                return False
            await self._store.uploaded(stored.batch.id, file_id)
            stored = await self._store.get(stored.batch.id)
        remote = await batching.find(endpoint, stored.input_file_id)
        if remote is None and stored.is_cancelled:
            return False
        if remote is None:
            await self.begin(stored, endpoint)
        else:
            await self._store.polled(stored.batch.id, remote)
        return True

    async def _on_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)
