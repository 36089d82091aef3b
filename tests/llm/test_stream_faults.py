"""Every fault of a stream at every position ends in exactly one clear state, soon, with the text byte for byte and nothing left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from desktop.domain.llm import FAULTS, ChatMessage, ChatRequest, Opened, ProviderFault, StreamDelta, StreamEnd
from desktop.llm import bounds
from desktop.llm.openai_client import OpenAIClient
from tests.llm import fault_bytes, fault_words  # noqa: F401 - they enter their kinds
from tests.llm.fault_heads import KEY
from tests.llm.fault_kinds import KINDS, POSITIONS, TEXT, Case
from tests.llm.fault_server import Wire, serving

ASK = ChatRequest("m", (ChatMessage("user", "Why was my card charged twice? Order 4711, please."),))
GRACE_SECONDS = 2.0


@pytest.fixture(scope="module", autouse=True)
def _sdk_is_there() -> None:
    """Importing the SDK takes longer than some of these deadlines."""
    import openai.types.chat  # noqa: F401


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("name", KINDS)
async def test_a_fault_ends_in_one_clear_state(
    name: str, position: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounds, "REFUSAL_SECONDS", 0.3)
    case = KINDS[name](POSITIONS[position])
    with caplog.at_level(logging.WARNING):
        async with quiet_loop(), serving(case.play, reads_request=case.reads_request) as server:
            async with asyncio.timeout(case.deadline + GRACE_SECONDS):
                text, end = await read(case, case.base_url.format(port=server.port))
            await server.left_alone()
            case.check(server)
            assert all(wire.sent < case.most_sent for wire in server.wires), "far more was read than could make sense"
    judge(case, text, end)
    assert not caplog.records


async def read(case: Case, base_url: str) -> tuple[str, StreamEnd | ProviderFault]:
    """Return the text and how it ended; see that nothing comes after the end, and nothing before the beginning."""
    client = OpenAIClient(base_url=base_url, key=KEY, timeout_seconds=case.seconds, deadline_seconds=case.deadline)
    text, ends = "", list[StreamEnd]()
    try:
        async with aclosing(client.stream(ASK)) as events:
            assert isinstance(await anext(events), Opened)
            async for event in events:
                assert not ends, "nothing comes after the end"
                if isinstance(event, StreamDelta):
                    text += event.text
                else:
                    assert isinstance(event, StreamEnd)
                    ends.append(event)
    except ProviderFault as fault:
        assert not ends, "one end is enough"
        return text, fault
    finally:
        assert not strays(), "a generator of the SDK was left to end by itself"
        await client.aclose()
    assert ends, "no end was told"
    return text, ends[0]


def strays() -> list[str]:
    """Return what the loop still has to end of generators that nobody read to the end."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return [repr(coroutine) for coroutine in coroutines if type(coroutine).__name__.startswith("async_generator")]


def judge(case: Case, text: str, end: StreamEnd | ProviderFault) -> None:
    """Compare an end with the one that is expected."""
    expected = case.expected
    assert text == expected.text
    if isinstance(end, StreamEnd):
        assert end.state is expected.state, end
        assert expected.reason in end.reason
        assert bool(end.reason) == bool(expected.reason)
        assert expected.usage is None or end.usage == expected.usage
        return
    assert expected.state is None, f"a fault: {end}"
    assert end.code in FAULTS
    assert (end.code, end.status, end.is_transient) == (expected.code, expected.status, expected.is_transient)
    assert end.retry_after_seconds == expected.retry_after
    assert end.message.endswith(".")
    assert end.remedy.endswith(".")
    assert end.__cause__ is end.__context__ is None, "the SDK's exception holds the key"
    assert KEY not in f"{end!r}{end}"


@asynccontextmanager
async def quiet_loop() -> AsyncIterator[None]:
    """See that the loop has nothing to complain about and that no task is left of what ran inside."""
    loop, complaints = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
    before = asyncio.all_tasks()
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    assert not complaints
    assert asyncio.all_tasks() <= before


async def test_as_many_streams_as_a_queue_has_go_at_once() -> None:
    most, came, all_came = 64, 0, asyncio.Event()

    async def play(wire: Wire) -> None:
        nonlocal came
        came += 1
        if came == most:
            all_came.set()
        await all_came.wait()
        await KINDS["gzip ok"](0).play(wire)

    async with serving(play) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY, timeout_seconds=10)

        async def text() -> str:
            async with aclosing(client.stream(ASK)) as events:
                return "".join([event.text async for event in events if isinstance(event, StreamDelta)])

        assert await asyncio.gather(*(text() for _ in range(most))) == [TEXT] * most
        await client.aclose()


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 30
