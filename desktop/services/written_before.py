"""Written before: for many tickets at once, which of their summaries are there already.

A summary is named by what it depends on (see `questions.name_question`). Of the ticket that is its content hash alone, so that the names of a hundred
thousand are computed without reading a thread. Where the user starred tickets as examples, which of them go along depends on the words of the ticket:
then nothing is said here, and each ticket is looked up when it is its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from desktop.domain.queue import ItemState
from desktop.domain.runs import Summary
from desktop.services.outbound import Target
from desktop.services.summaries import SummaryService
from desktop.storage.ledger import LedgerStore
from desktop.storage.queue import Ended, Task
from desktop.storage.runs import RunStore, WrittenRun
from desktop.storage.tickets import TicketStore

LOOKED_UP_AT_ONCE = 500
Asked = tuple[str, str, str]
"""A recipe, a provider and a model, as they were asked for."""


class WrittenBefore:
    """Finds summaries that were written before."""

    def __init__(self, tickets: TicketStore, runs: RunStore, ledger: LedgerStore, summaries: SummaryService) -> None:
        self._tickets = tickets
        self._runs = runs
        self._ledger = ledger
        self._summaries = summaries

    async def find(self, tasks: Sequence[Task]) -> dict[int, Ended]:
        """Return by item which tasks need no request, and count what that saved.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        found: dict[int, Ended] = {}
        for asked, part in _grouped(tasks):
            written, target = await self._look_up([task.ticket_id for task in part], asked)
            hits = [(task.item_id, written[task.ticket_id]) for task in part if task.ticket_id in written]
            for item_id, run in hits:
                found[item_id] = Ended(item_id, ItemState.DONE, run_id=run.run_id, cost_microusd=0, is_cached=True)
            await self._count([run for _, run in hits], target, asked[0])
        return found

    async def read(self, tasks: Sequence[Task]) -> dict[int, Summary]:
        """Return by ticket the summaries themselves, those that can be read without their threads, and count what they saved.

        Raises:
            DeskError: as `find`.
        """
        found: dict[int, Summary] = {}
        for asked, part in _grouped(tasks):
            written, target = await self._look_up([task.ticket_id for task in part], asked)
            summaries = await self._runs.read_many([run.run_id for run in written.values()]) if written else {}
            hits = {id_: run for id_, run in written.items() if run.run_id in summaries}
            found |= {id_: replace(summaries[run.run_id], cached=True) for id_, run in hits.items()}
            await self._count(list(hits.values()), target, asked[0])
        return found

    async def existing(self, ticket_ids: Sequence[int]) -> list[int]:
        """Return the tickets that are there, in their order."""
        found: list[int] = []
        for start in range(0, len(ticket_ids), LOOKED_UP_AT_ONCE):
            part = ticket_ids[start : start + LOOKED_UP_AT_ONCE]
            hashes = await self._tickets.content_hashes(part)
            found += [ticket_id for ticket_id in part if ticket_id in hashes]
        return found

    async def uncached(self, ticket_ids: Sequence[int], *, recipe: str, provider: str, model: str) -> list[int] | None:
        """Return the tickets whose summaries are not there; None when that takes a look at each.

        Raises:
            DeskError: as `find`.
        """
        left: list[int] = []
        target = self._summaries.targets(recipe, provider, model)[0]
        name = await self._summaries.namer(recipe, target)
        if name is None:
            return None
        for start in range(0, len(ticket_ids), LOOKED_UP_AT_ONCE):
            part = ticket_ids[start : start + LOOKED_UP_AT_ONCE]
            written = await self._by_name(part, name)
            left += [ticket_id for ticket_id in part if ticket_id not in written]
        return left

    async def _look_up(self, ticket_ids: Sequence[int], asked: Asked) -> tuple[dict[int, WrittenRun], Target]:
        target = self._summaries.targets(*asked)[0]
        name = await self._summaries.namer(asked[0], target)
        return (await self._by_name(ticket_ids, name) if name is not None else {}), target

    async def _by_name(self, ticket_ids: Sequence[int], name: Callable[[str], str]) -> dict[int, WrittenRun]:
        hashes = await self._tickets.content_hashes(ticket_ids)
        names = {ticket_id: name(content_hash) for ticket_id, content_hash in hashes.items()}
        runs = await self._runs.written(list(names.values()))
        return {ticket_id: runs[name] for ticket_id, name in names.items() if name in runs}

    async def _count(self, runs: Sequence[WrittenRun], target: Target, recipe: str) -> None:
        if runs:
            saved = sum(run.cost_microusd or 0 for run in runs)
            await self._ledger.count_hits(
                provider=target.name, model=target.model, recipe=recipe, hits=len(runs), saved_microusd=saved
            )


def _grouped(tasks: Sequence[Task]) -> Iterator[tuple[Asked, list[Task]]]:
    """Yield tasks that are asked of the same, as many as are looked up at once."""

    def asked(task: Task) -> Asked:
        return task.recipe, task.provider, task.model

    for key, group in groupby(sorted((task for task in tasks if not task.refresh), key=asked), key=asked):
        part = list(group)
        for start in range(0, len(part), LOOKED_UP_AT_ONCE):
            yield key, part[start : start + LOOKED_UP_AT_ONCE]
