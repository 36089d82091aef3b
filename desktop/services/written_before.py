"""Written before: for many tickets at once, which of their summaries are there already.

A summary is named by what it depends on (see `questions.name_question`). Of the ticket that is its content hash alone, so that the names of a hundred
thousand are computed without reading a thread. Where the user starred tickets as examples, which of them go along depends on the words of the ticket:
then nothing is said here, and each ticket is looked up when it is its turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from desktop.domain.queue import ItemState
from desktop.domain.runs import Summary
from desktop.services.summaries import SummaryService
from desktop.storage.ledger import LedgerStore
from desktop.storage.queue import Ended, Task
from desktop.storage.written import Written, WrittenStore


class WrittenBefore:
    """Finds summaries that were written before."""

    def __init__(self, store: WrittenStore, ledger: LedgerStore, summaries: SummaryService) -> None:
        self._store = store
        self._ledger = ledger
        self._summaries = summaries

    async def find(self, tasks: Sequence[Task]) -> dict[int, Ended]:
        """Return by item which tasks need no request, and count what that saved."""
        found: dict[int, Ended] = {}
        for written in await self._look_up(tasks):
            item_id = written.item_id
            found[item_id] = Ended(item_id, ItemState.DONE, run_id=written.run_id, cost_microusd=0, is_cached=True)
        return found

    async def read(self, tasks: Sequence[Task]) -> dict[int, Summary]:
        """Return by item the summaries themselves."""
        raise NotImplementedError

    async def count(self, ticket_ids: Sequence[int], *, provider: str, model: str, recipe: str) -> int | None:
        """Count the tickets whose summaries are there; None when that takes a look at each."""
        raise NotImplementedError

    async def _look_up(self, tasks: Sequence[Task]) -> list[Written]:
        return []
