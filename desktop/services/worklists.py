"""Work lists: tickets that one command was given, worked off by the queue's engine without touching the queue.

Nothing of a list is written down but its summaries: a command that is given the same list again finds those, and asks for the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from desktop.domain.queue import ItemState
from desktop.domain.runs import RunState, Summary
from desktop.services.budget import Amount, Budget, Caps
from desktop.services.queue_work import Places, QueueWork, Stop, Watcher, places_for
from desktop.services.summaries import SummaryService
from desktop.services.verdicts import Patience
from desktop.services.written_before import WrittenBefore
from desktop.storage.queue import Ended, QueueStore, Task

Show = Callable[[Sequence[Summary]], Awaitable[None]]
GIVEN_UP_AT_ONCE = 500
NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is to be done with. `most_parallel` 0: as many at once as the provider bears."""

    provider: str = ""
    model: str = ""
    recipe: str = "summarize"
    refresh: bool = False
    caps: Caps = NO_CAPS
    most_parallel: int = 0


@dataclass(slots=True)
class ListSource:
    """A list in memory, as the engine takes it."""

    left: dict[int, Task]
    _begun: dict[int, Task] = field(default_factory=dict)

    async def waiting(self, limit: int, *, leave_out: Iterable[int] = ()) -> list[Task]:
        """Return what comes next."""
        left_out = set(leave_out)
        return list(islice((task for item_id, task in self.left.items() if item_id not in left_out), limit))

    async def begin(self, item_ids: Sequence[int]) -> list[Task]:
        """Take items that are left."""
        begun = [self.left.pop(item_id) for item_id in item_ids if item_id in self.left]
        begun = [replace(task, attempts=task.attempts + 1) for task in begun]
        self._begun |= {task.item_id: task for task in begun}
        return begun

    async def end(self, ended: Sequence[Ended]) -> None:
        """Note how items ended, or that they are left again."""
        for each in ended:
            self.left.pop(each.item_id, None)
            task = self._begun.pop(each.item_id, None)
            if each.state is ItemState.WAITING and task is not None:
                self.left[each.item_id] = task if each.is_attempt else replace(task, attempts=task.attempts - 1)


class WorkLists:
    """Works lists off (desk.worklists)."""

    def __init__(
        self,
        store: QueueStore,
        *,
        summaries: SummaryService,
        written: WrittenBefore,
        parallel: Places,
    ) -> None:
        """`parallel` says for a task, a provider and a model how many may be asked about at once now."""
        self._store = store
        self._summaries = summaries
        self._written = written
        self._parallel = parallel

    async def work(self, ids: Sequence[int], order: Order, show: Show) -> Stop | None:
        """Have tickets summarized; `show` gets every summary once, in the order in which they end, those that were not begun too.

        Return why it stopped before all were begun, None when it did not. Cancelling it keeps what is done.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        target = self._summaries.targets(order.recipe, order.provider, order.model)[0]
        await self._summaries.namer(order.recipe, target)
        tasks = (Task(id_, id_, order.recipe, order.provider, order.model, order.refresh, 0) for id_ in ids)
        source = ListSource({task.item_id: task for task in tasks})

        async def find_written(tasks: Sequence[Task]) -> dict[int, Ended]:
            found = await self._written.read(tasks)
            if found:
                await show(tuple(found.values()))
            return {id_: Ended(id_, ItemState.DONE, run_id=s.run_id, is_cached=True) for id_, s in found.items()}

        async def summarized(task: Task, summary: Summary) -> None:
            await show((summary,))

        work = QueueWork(
            source,
            self._summaries,
            parallel=lambda task: places_for(task, self._parallel, order.most_parallel),
            budget=await self._budget(order.caps),
            find_written=find_written,
            # Another TLDesk may spend at the same time.
            spent_today=self._store.spent_today,
            watcher=Watcher(summarized=summarized),
            patience=Patience(attempts=1 if len(ids) == 1 else 2, rests=1, is_final=True),
        )
        await work.run()
        if work.stopped is not None:
            given_up = Summary(
                0, RunState.FAILED, work.stopped.reason, error=work.stopped.error, remedy=work.stopped.remedy
            )
            given_up = replace(given_up, provider=target.name, model=target.model, recipe=order.recipe)
            await _give_up(source.left, given_up, show)
        return work.stopped

    async def _budget(self, caps: Caps) -> Budget:
        has_day = caps.cost_day is not None or caps.tokens_day is not None
        return Budget(caps, day=Amount(*await self._store.spent_today()) if has_day else Amount())


async def _give_up(ids: Iterable[int], given_up: Summary, show: Show) -> None:
    """Say of every ticket that was not begun why it was not."""
    left = list(ids)
    for start in range(0, len(left), GIVEN_UP_AT_ONCE):
        await show([replace(given_up, ticket_id=ticket_id) for ticket_id in left[start : start + GIVEN_UP_AT_ONCE]])
