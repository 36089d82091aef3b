"""Jobs: an old answer never overwrites a newer one, and no failure is swallowed."""

from __future__ import annotations

import asyncio

from pytestqt.qtbot import QtBot

from desktop.domain.errors import DeskError
from desktop.gui.jobs import JobScope


async def test_a_new_job_waits_until_the_old_one_has_ended(qtbot: QtBot) -> None:
    said: list[str] = []
    scope = JobScope(lambda error: said.append(str(error)))
    done = asyncio.Event()

    async def old() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append("old ended")

    async def new() -> None:
        said.append("new began")
        done.set()

    scope.restart(old())
    await asyncio.sleep(0)
    scope.restart(new())
    await asyncio.wait_for(done.wait(), 5)
    assert said == ["old ended", "new began"]
    await scope.close()


async def test_an_error_the_user_can_fix_is_reported_to_the_pane(qtbot: QtBot) -> None:
    said: asyncio.Queue[DeskError] = asyncio.Queue()
    scope = JobScope(said.put_nowait)

    async def fail() -> None:
        raise DeskError("x", "It broke.", remedy="Mend it.")

    scope.start(fail())
    assert str(await asyncio.wait_for(said.get(), 5)) == "It broke. Mend it."
    await scope.close()


async def test_a_bug_reaches_the_crash_path(qtbot: QtBot) -> None:
    seen: asyncio.Queue[object] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.put_nowait(context.get("exception")))
    scope = JobScope(lambda _: None)

    async def bug() -> None:
        raise ZeroDivisionError

    scope.start(bug())
    assert isinstance(await asyncio.wait_for(seen.get(), 5), ZeroDivisionError)
    await scope.close()


async def test_a_closed_scope_takes_no_more_jobs(qtbot: QtBot) -> None:
    scope = JobScope(lambda _: None)
    ran: list[int] = []

    async def job() -> None:
        ran.append(1)

    await scope.close()
    scope.start(job())
    await asyncio.sleep(0)
    assert ran == []
    assert not scope.is_busy


async def test_a_job_cancelled_before_its_first_turn_is_closed(qtbot: QtBot) -> None:
    scope = JobScope(lambda _: None)
    ran: list[str] = []

    async def job() -> None:
        ran.append("ran")

    scope.start(job())
    scope.restart(job())
    scope.cancel()
    await scope.close()
    assert ran == []
