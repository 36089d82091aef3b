"""The pace of a model: whatever way its provider counts, all requests are through in the limit's own time, and few are refused.

The providers are made up, and so is their clock; what they do is what is written in `limiters`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from desktop.services.outbound.pace import ASKED_TO_WAIT, LIMIT_REACHED, Pace
from tests.services.limiters import FixedWindow, Limiter, Provider, SlidingWindow, TokenBucket, run_jumping

REQUESTS = 2_000


async def ask_all(provider: Provider, pace: Pace, requests: int = REQUESTS) -> float:
    """Ask for so many answers, as many at once as the pace lets and two more; return how long it took."""
    loop = asyncio.get_running_loop()
    began, left, active = loop.time(), requests, set[asyncio.Task[None]]()

    async def ask() -> None:
        is_answered = False
        while not is_answered:
            async with pace.turn() as turn:
                is_answered = await provider.ask(turn)

    while left or active:
        while left and len(active) < pace.parallel + 2:
            left -= 1
            active.add(asyncio.create_task(ask()))
        done, active = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    return loop.time() - began


KINDS: dict[str, Callable[[int], Limiter]] = {
    "window": lambda limit: FixedWindow(limit),
    "window-in-the-middle": lambda limit: FixedWindow(limit, offset=35),
    "sliding": lambda limit: SlidingWindow(limit),
    "full-bucket": lambda limit: TokenBucket(limit, limit),
    "small-bucket": lambda limit: TokenBucket(limit, max(1.0, limit / 60)),
    "bucket-of-ten-seconds": lambda limit: TokenBucket(limit, max(1.0, limit / 6)),
}


@pytest.mark.parametrize("is_local", [False, True], ids=["elsewhere", "here"])
@pytest.mark.parametrize(("limit", "latency"), [(60, 0.5), (600, 0.05), (600, 3.0), (1_200, 0.5), (6_000, 0.3)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_is_through_in_the_limits_own_time(kind: str, limit: int, latency: float, is_local: bool) -> None:
    random.seed(3)
    provider = Provider(KINDS[kind](limit), latency)
    seconds = run_jumping(ask_all(provider, Pace(is_local=is_local)))
    own = max(REQUESTS / limit * 60, REQUESTS * latency / 128)
    # What a model here bears is found out step by step, a few answers each.
    assert seconds <= own * 1.10 + latency * (8 if is_local else 2)
    assert provider.refused <= REQUESTS * 0.02


@pytest.mark.parametrize("kind", ["window", "window-in-the-middle", "sliding", "full-bucket"])
def test_what_may_come_at_once_does_come_at_once(kind: str) -> None:
    """Even steps would take two minutes; the provider takes all of a minute's requests in its first seconds."""
    provider = Provider(KINDS[kind](1_000), 0.2)
    seconds = run_jumping(ask_all(provider, Pace()))
    assert seconds <= provider.limiter.least_seconds(REQUESTS) + 20


@pytest.mark.parametrize("kind", ["window", "full-bucket", "small-bucket"])
def test_where_headers_tell_what_is_left_next_to_nothing_is_refused(kind: str) -> None:
    provider = Provider(KINDS[kind](600), 0.3, has_headers=True, has_retry_after=False)
    seconds = run_jumping(ask_all(provider, Pace()))
    assert seconds <= REQUESTS / 600 * 60 * 1.10
    assert provider.refused <= REQUESTS * 0.005


@pytest.mark.parametrize(("has_retry_after", "rounds_up"), [(False, False), (True, True)])
@pytest.mark.parametrize("kind", ["window", "window-in-the-middle", "sliding", "full-bucket"])
def test_a_provider_that_does_not_say_how_long_to_wait(kind: str, has_retry_after: bool, rounds_up: bool) -> None:
    random.seed(3)
    provider = Provider(KINDS[kind](600), 0.3, has_retry_after=has_retry_after, rounds_up=rounds_up)
    seconds = run_jumping(ask_all(provider, Pace()))
    assert seconds <= REQUESTS / 600 * 60 * 1.10
    assert provider.refused <= REQUESTS * 0.02


class _OneAfterTheOther:
    """A model on this machine that writes one answer at a time, however many are asked for."""

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)

    async def ask(self, pace: Pace) -> None:
        async with pace.turn() as turn, self._slots:
            await asyncio.sleep(random.uniform(0.8, 1.2))
            turn.accepted()


@pytest.mark.parametrize(("at_once", "least", "most"), [(1, 1, 2), (8, 6, 16)])
def test_a_model_here_is_asked_for_as_many_at_once_as_it_bears(at_once: int, least: int, most: int) -> None:
    random.seed(3)
    seen: list[int] = []

    async def work() -> None:
        pace, model = Pace(is_local=True), _OneAfterTheOther(at_once)
        left, active = 300, set[asyncio.Task[None]]()
        while left or active:
            while left and len(active) < pace.parallel + 2:
                left -= 1
                active.add(asyncio.create_task(model.ask(pace)))
            _, active = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
            seen.append(pace.parallel)

    run_jumping(work())
    usual = sorted(seen)[len(seen) // 2]
    assert least <= usual <= most


def test_who_is_waited_for_goes_first_and_needs_no_place() -> None:
    async def work() -> list[str]:
        pace, order = Pace(is_local=True), list[str]()
        is_over = asyncio.Event()

        async def ask(name: str, *, is_urgent: bool) -> None:
            async with pace.turn(is_urgent=is_urgent):
                order.append(name)
                await is_over.wait()

        tasks = [asyncio.create_task(ask(f"other {n}", is_urgent=False)) for n in range(3)]
        await asyncio.sleep(1)
        tasks.append(asyncio.create_task(ask("urgent", is_urgent=True)))
        await asyncio.sleep(1)
        is_over.set()
        await asyncio.gather(*tasks)
        return order

    assert run_jumping(work()) == ["other 0", "urgent", "other 1", "other 2"]


def test_in_a_pause_nothing_goes_and_it_is_said_for_how_long() -> None:
    async def work() -> tuple[float, list[tuple[int, str]]]:
        pace, told, loop = Pace(), list[tuple[int, str]](), asyncio.get_running_loop()
        async with pace.turn() as turn:
            turn.refused(30.0)
        began = loop.time()
        async with pace.turn(is_urgent=True, on_wait=lambda s, why: told.append((round(s), why))) as turn:
            waited = loop.time() - began
            turn.accepted()
        return waited, told

    waited, told = run_jumping(work())
    assert round(waited) == 30
    assert told == [(30, ASKED_TO_WAIT)]


def test_nothing_is_sent_that_the_headers_say_would_be_refused() -> None:
    async def work() -> tuple[int, list[str]]:
        provider, pace, told = Provider(FixedWindow(20), 0.1, has_headers=True), Pace(), list[str]()
        for _ in range(30):
            async with pace.turn(on_wait=lambda _, why: told.append(why)) as turn:
                await provider.ask(turn)
        return provider.refused, told

    assert run_jumping(work()) == (0, [LIMIT_REACHED])


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    async def work() -> int:
        pace = Pace(is_local=True)
        async with pace.turn():
            waiting = [asyncio.create_task(_enter(pace)) for _ in range(3)]
            await asyncio.sleep(1)
            waiting[0].cancel()
            waiting[2].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        # All places are free again.
        async with asyncio.timeout(1), pace.turn():
            return sum(task.cancelled() for task in waiting)

    assert run_jumping(work()) == 2


async def _enter(pace: Pace) -> None:
    async with pace.turn() as turn:
        turn.accepted()


def test_a_provider_that_breaks_is_asked_for_half_as_much() -> None:
    async def work() -> tuple[int, int]:
        pace = Pace()
        await ask_all(Provider(FixedWindow(100_000), 0.5), pace, 200)
        before = pace.parallel
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(_break(pace))
        return before, pace.parallel

    before, after = run_jumping(work())
    assert before >= 16
    assert after == before // 2


async def _break(pace: Pace) -> None:
    async with pace.turn() as turn:
        await asyncio.sleep(1)
        turn.broke()
