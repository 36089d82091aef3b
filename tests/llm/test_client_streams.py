"""Streams through the real SDK from a real socket: text that came is kept, and complete means that the end was seen."""

from __future__ import annotations

import time
from contextlib import aclosing

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, Opened, StreamDelta, StreamEnd
from desktop.domain.runs import RunState, Usage
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import (
    DONE,
    JSON,
    Script,
    ScriptedServer,
    chunk,
    event,
    good_stream,
    usage_chunk,
    words,
)

KEY = "sk-test-0123456789abcdef"
ASK = ChatRequest("scripted", (ChatMessage("system", "Summarize."), ChatMessage("user", "My invoice is wrong.")))
STOP = chunk(finish="stop")


async def read(server: ScriptedServer, *, seconds: float = 5.0, deadline: float = 10.0) -> tuple[str, StreamEnd]:
    client = OpenAIClient(base_url=server.base_url, key=KEY, timeout_seconds=seconds, deadline_seconds=deadline)
    text, end = "", None
    try:
        async with aclosing(client.stream(ASK)) as events:
            assert await anext(events) == Opened(200)
            async for event_ in events:
                assert end is None, "nothing comes after the end"
                if isinstance(event_, StreamDelta):
                    text += event_.text
                else:
                    assert isinstance(event_, StreamEnd)
                    end = event_
    finally:
        await client.aclose()
    assert end is not None
    return text, end


async def test_a_good_stream_arrives_whole_with_its_usage() -> None:
    text = "Gist: Charged twice. [m1.1]\nNext step: Refund — 49 € 🙂"
    with ScriptedServer(good_stream(text, input_tokens=33)) as server:
        got, end = await read(server)
    assert got == text
    assert end == StreamEnd(RunState.COMPLETE, "", Usage(33, len(words(text)), 0))
    body = server.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": "Summarize."},
        {"role": "user", "content": "My invoice is wrong."},
    ]
    assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == ("scripted", 700, 0.0, True)
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script((*words("Half an answer"), DONE)), "the provider closed the stream before it said it was done"),
        (Script(words("Half an answer")), "the provider closed the stream before it said it was done"),
        (Script((*words("Half an answer"), chunk(finish="length"), DONE)), "stopped at the length limit"),
        (
            Script((*words("Half an answer"), chunk(finish="content_filter"), DONE)),
            "the provider's content filter stopped it",
        ),
        (Script(words("Half an answer"), then="drop"), "the connection broke off"),
        (Script(words("Half an answer"), then="reset"), "the connection broke off"),
        (
            Script((*words("Half an answer"), b'data: {"choices": [{"del\n\n')),
            "the provider sent data that is not valid",
        ),
        (Script((*words("Half an answer"), b"data: \xff\xfe\xfd\n\n")), "the provider sent text that is not valid"),
        (
            Script((*words("Half an answer"), event({"error": {"message": "upstream died", "code": 502}}))),
            "127.0.0.1 has a problem of its own (error 502): “upstream died”",
        ),
    ],
)
async def test_what_came_before_a_fault_is_kept_and_called_incomplete(script: Script, reason: str) -> None:
    with ScriptedServer(script) as server:
        text, end = await read(server)
    assert text == "Half an answer"
    assert end.state is RunState.INCOMPLETE
    assert end.reason == reason
    assert KEY not in repr(end)


@pytest.mark.parametrize(
    "script",
    [
        Script(()),
        Script((DONE,)),
        Script(
            (b"<html><body>Please log in to the hotel's network</body></html>",),
            headers=(("Content-Type", "text/html"),),
        ),
        Script((b'{"choices": []}',), headers=JSON),
        Script((b'data: {"choices": [{"del\n\n',)),
        Script((b"data: \xff\xfe\xfd\n\n",)),
        Script((event([]), event(42), event({"choices": None}), DONE)),
        Script((event({"choices": [{"delta": {"content": 7}}]})[:-10], b"\n\n")),
        Script((b"data: " + b"[" * 100_000 + b"\n\n",)),
        Script((event({"error": {"message": "no worker"}}),)),
    ],
)
async def test_an_answer_that_is_none_is_a_fault_of_the_provider(script: Script) -> None:
    with ScriptedServer(script) as server, pytest.raises(DeskError) as caught:
        await read(server)
    assert caught.value.code == "provider-broken"
    assert "127.0.0.1" in caught.value.message
    assert caught.value.remedy
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_connection_that_drops_before_any_text_is_a_fault_of_the_connection() -> None:
    with ScriptedServer(Script((b": ping\n\n",), then="drop")) as server, pytest.raises(DeskError) as caught:
        await read(server)
    assert caught.value.code == "provider-connection"


async def test_nothing_that_happens_after_the_terminal_event_takes_the_answer_back() -> None:
    with ScriptedServer(Script((*words("All of it"), STOP), then="drop")) as server:
        assert await read(server) == ("All of it", StreamEnd(RunState.COMPLETE))


async def test_silence_after_some_text_is_incomplete() -> None:
    with ScriptedServer(Script(words("Half"), then="hang")) as server:
        text, end = await read(server, seconds=0.3)
    assert (text, end.state, end.reason) == ("Half", RunState.INCOMPLETE, "nothing more came in time")


async def test_silence_from_the_beginning_is_a_timeout() -> None:
    with ScriptedServer(Script(is_mute=True, then="hang")) as server, pytest.raises(DeskError) as caught:
        await read(server, seconds=0.3)
    assert caught.value.code == "provider-timeout"


async def test_a_trickle_ends_at_the_deadline() -> None:
    script = Script((chunk("drip "),), pause_seconds=0.05, is_endless=True)
    with ScriptedServer(script) as server:
        text, end = await read(server, deadline=0.6)
        assert server.client_hung_up.wait(5)
    assert text.startswith("drip drip")
    assert end == StreamEnd(RunState.INCOMPLETE, "took longer than 0.6 seconds")


async def test_a_trickle_without_text_ends_at_the_deadline_too() -> None:
    with (
        ScriptedServer(Script((b": ping\n\n",), pause_seconds=0.05, is_endless=True)) as server,
        pytest.raises(DeskError) as caught,
    ):
        await read(server, deadline=0.4)
    assert caught.value.code == "provider-timeout"
    assert "longer than 0.4 seconds" in caught.value.message


async def test_an_answer_without_end_is_cut() -> None:
    with ScriptedServer(Script((chunk("x" * 60_000),), is_endless=True)) as server:
        text, end = await read(server)
    assert len(text) < 1_000_000
    assert end.state is RunState.INCOMPLETE
    assert "far longer" in end.reason


async def test_thinking_is_not_text() -> None:
    pieces = ("<th", "ink>Let me see", " if </thi", "s is", " it</th", "ink>\n\n", "Gist", ": Done")
    script = Script((*(chunk(p) for p in pieces), STOP, DONE))
    with ScriptedServer(script) as server:
        assert (await read(server))[0] == "Gist: Done"
    reasoning = Script((chunk(reasoning_content="Let me see"), *words("Gist: Done"), STOP, DONE))
    with ScriptedServer(reasoning) as server:
        assert (await read(server))[0] == "Gist: Done"


async def test_only_thinking_is_no_complete_answer() -> None:
    with ScriptedServer(Script((chunk("<think>I wonder</think>"), STOP, DONE))) as server:
        text, end = await read(server)
    assert (text, end.state) == ("", RunState.INCOMPLETE)
    assert "without writing anything" in end.reason


async def test_an_emoji_torn_in_two_arrives_whole() -> None:
    with ScriptedServer(Script((chunk("ok \ud83d"), chunk("\ude00 and \ud83d"), STOP, DONE))) as server:
        assert (await read(server))[0] == "ok 😀 and \ufffd"


async def test_a_ticket_with_half_an_emoji_can_be_sent() -> None:
    with ScriptedServer(good_stream("ok")) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)
        async with aclosing(client.stream(ChatRequest("m", (ChatMessage("user", "cut \ud83d"),)))) as events:
            assert [e async for e in events][-1] == StreamEnd(RunState.COMPLETE, "", Usage(20, 1, 0))
        await client.aclose()
    assert server.bodies[0]["messages"][0]["content"] == "cut \ufffd"


async def test_usage_is_taken_from_the_piece_that_carries_it() -> None:
    with ScriptedServer(Script((chunk("ok"), STOP, usage_chunk(1000, 20, cached=512), DONE))) as server:
        assert (await read(server))[1].usage == Usage(1000, 20, 512)


async def test_closing_the_stream_closes_the_connection_at_once() -> None:
    with ScriptedServer(Script(words("one two three"), then="hang")) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)
        events = client.stream(ASK)
        assert isinstance(await anext(events), Opened)
        assert isinstance(await anext(events), StreamDelta)
        closed = time.monotonic()
        await events.aclose()
        assert server.client_hung_up.wait(5), "the connection was still open"
        assert server.hung_up_at - closed < 0.5
        await client.aclose()


async def test_two_streams_of_one_client_do_not_mix() -> None:
    import asyncio

    with ScriptedServer(
        good_stream("first one here", pause_seconds=0.01), good_stream("second", pause_seconds=0.01)
    ) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)

        async def text() -> str:
            async with aclosing(client.stream(ASK)) as events:
                return "".join([e.text async for e in events if isinstance(e, StreamDelta)])

        assert sorted(await asyncio.gather(text(), text())) == ["first one here", "second"]
        await client.aclose()


async def test_a_cancelled_reader_closes_the_connection() -> None:
    import asyncio

    with ScriptedServer(Script(words("one"), then="hang")) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)
        seen = asyncio.Event()

        async def consume() -> None:
            async with aclosing(client.stream(ASK)) as events:
                async for _ in events:
                    seen.set()

        task = asyncio.create_task(consume())
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.client_hung_up.wait(5)
        await client.aclose()
