"""The queue: what waits is asked about as fast as the provider bears, survives a restart, and is paused, moved and taken out as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from desktop.domain.queue import ItemState, QueueStatus
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from tests.services.conftest import opened_desk

ANSWER = "Gist: It was solved. [m1.1]\nProblem: Something did not work. [m1.1]\n"


async def ids_of(desk: Desk, number: int = 0) -> list[int]:
    ids = (await desk.tickets.ids(TicketQuery())).tolist()
    return ids[:number] if number else ids


async def status_when(desk: Desk, is_so: Callable[[QueueStatus], bool]) -> QueueStatus:
    """Wait until the queue is at something, and return it as it is then."""
    reached: asyncio.Future[QueueStatus] = asyncio.get_running_loop().create_future()

    def look(status: QueueStatus) -> None:
        if is_so(status) and not reached.done():
            reached.set_result(status)

    remove = desk.queue.listen(look)
    look(await desk.queue.status())
    try:
        async with asyncio.timeout(20):
            return await reached
    finally:
        remove()


async def test_what_is_put_in_is_summarized(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 6)
            changed: set[int] = set()
            desk.queue.listen_items(changed.update)
            assert await desk.queue.add(ids) == 6
            status = await status_when(desk, lambda status: status.is_idle)
            assert (status.done, status.failed, status.tokens > 0, status.spent_microusd) == (6, 0, True, 0)
            assert len(server.bodies) == 6
            items = await desk.queue.items()
            assert {item.ticket_id for item in items} == set(ids) == changed
            assert all(item.state is ItemState.DONE and not item.is_cached for item in items)
            assert set((await desk.queue.states(ids)).values()) == {ItemState.DONE}


async def test_a_key_that_is_refused_stops_the_queue_and_fails_no_ticket(data_dir: Path) -> None:
    with ScriptedServer(refusal(401, "no")) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk))
            status = await status_when(desk, lambda status: status.is_paused and not status.running)
            assert (status.failed, status.done) == (0, 0)
            assert "key" in status.pause_reason
            assert len(server.bodies) < 10
            server.play(good_stream(ANSWER))
            await desk.queue.resume()
            status = await status_when(desk, lambda status: status.is_idle)
            assert (status.done, status.failed) == (status.total, 0)
