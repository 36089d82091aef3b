"""What the tests of services share: a desk over a fresh folder, with the sample tickets in it, and a provider that plays a script."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.config.paths import find_paths
from desktop.domain.imports import Finished as ImportFinished
from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import Finished, Summary, SummaryEvent
from desktop.llm.scripted_server import ScriptedServer
from desktop.services.container import Desk, open_desk

if TYPE_CHECKING:
    # Not at run time: programs that are no tests import from here as well.
    import pytest

SCRIPTED = "scripted"
SHIPPED_RECIPES = frozenset(
    ("summarize", "gist", "handover", "escalation", "customer-facing", "closing", "incremental", "merge")
)
TICKET = "support-tickets:DSK-4136"
"""A sample ticket of five messages; [m5.1] says that a refund of $59.00 was issued on November 20, reference RF-70352."""


@asynccontextmanager
async def opened_desk(
    data_dir: Path, server: ScriptedServer | None = None, *, with_sample: bool = True
) -> AsyncIterator[Desk]:
    """Open a desk with the sample tickets, and a provider at `server`."""
    desk = await open_desk(find_paths(data_dir))
    try:
        if with_sample:
            await import_path(desk, desk.paths.sample)
        if server is not None:
            desk.providers.save(
                ProviderProfile(SCRIPTED, "custom", server.base_url, model="scripted"), make_default=True
            )
        yield desk
    finally:
        await desk.close()


async def import_path(desk: Desk, path: Path) -> ImportFinished:
    """Import one file and return what became of it."""
    recognized = await desk.imports.recognize(path)
    async with aclosing(desk.imports.run(recognized)) as events:
        return [event async for event in events if isinstance(event, ImportFinished)][-1]


async def summarize(desk: Desk, reference: str = TICKET, **options: object) -> tuple[Summary, list[SummaryEvent]]:
    """Summarize one ticket; return the summary and all events in their order."""
    ticket_id = await desk.tickets.find(reference)
    async with aclosing(desk.summaries.stream(ticket_id, **options)) as events:  # type: ignore[arg-type]
        seen = [event async for event in events]
    assert isinstance(seen[-1], Finished)
    return seen[-1].summary, seen


def interrupt(
    monkeypatch: pytest.MonkeyPatch,
    store: type,
    step: str,
    act: Callable[[], object],
    *,
    is_over: bool = False,
    turn: int = 1,
) -> None:
    """Have something done in the middle: when a store takes a step for the so-manieth time, as it begins or as soon as it is over."""
    take_step, turns = getattr(store, step), itertools.count(1)

    async def take_step_and_act(*arguments: Any, **options: Any) -> Any:
        is_turn = next(turns) == turn
        if is_turn and not is_over:
            act()
        outcome = await take_step(*arguments, **options)
        if is_turn and is_over:
            act()
        return outcome

    monkeypatch.setattr(store, step, take_step_and_act)
