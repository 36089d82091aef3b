"""What leaves: the preview, what the ledger is told and what a server reads from its socket are the same bytes, for every request of a call."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, Opened, RateLimits, StreamEnd
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import EVENT_STREAM, Script, ScriptedServer, good_stream, refusal

ASK = ChatRequest(
    "some/model",
    (ChatMessage("system", 'Fasse zusammen: „kurz“\n\t"ok" \\'), ChatMessage("user", "Rechnung 49 € 🙂 \ud83d  \x00 ")),
)
SCHEMA = {"type": "object", "properties": {"größe": {"type": "number", "minimum": 0.5}}, "required": []}
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + b"".join(
    good_stream("ok").parts
)


@contextmanager
def listening(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Note the raw body of each request, one a connection, and answer it."""
    bodies: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as reader:
                length = 0
                while (line := reader.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                bodies.append(reader.read(length))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", bodies
        finally:
            thread.join()


def refused(words: str) -> bytes:
    body = b'{"error": {"message": "%s"}}' % words.encode()
    return b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    "request_", [ASK, replace(ASK, schema=SCHEMA, temperature=None), replace(ASK, temperature=0.7)]
)
async def test_the_preview_is_what_the_server_reads(request_: ChatRequest) -> None:
    told: list[bytes] = []

    async def note(body: bytes) -> None:
        told.append(body)

    no = [refused("unknown: stream_options"), refused("'temperature' or response_format is unknown")]
    with listening(*no[: 1 if request_.temperature is None else 2], GOOD, GOOD) as (base_url, bodies):
        client = OpenAIClient(base_url=base_url, key="")
        first = client.body(request_)
        async with aclosing(client.stream(request_, on_send=note)) as events:
            assert isinstance([event async for event in events][-1], StreamEnd)
        then = client.body(request_)
        async with aclosing(client.stream(request_, on_send=note)) as events:
            assert isinstance([event async for event in events][-1], StreamEnd)
        await client.aclose()
    assert (bodies[0], bodies[-1]) == (first, then)
    assert told == bodies
    assert first != then


async def test_what_the_ledger_refuses_never_leaves_and_is_no_fault_of_the_provider() -> None:
    async def refuse(body: bytes) -> None:
        raise DeskError("disk-full", "The ledger cannot be written.")

    with ScriptedServer(good_stream("ok")) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        for action in (anext(client.stream(ASK, on_send=refuse)), client.embed(["a"], model="m", on_send=refuse)):
            with pytest.raises(DeskError) as caught:
                await action
            assert caught.value.code == "disk-full"
        assert server.requests == []
        await client.aclose()


async def test_two_calls_at_once_are_told_their_own_bytes() -> None:
    import asyncio

    told: dict[str, list[bytes]] = {"a": [], "b": []}

    async def call(client: OpenAIClient, name: str) -> bytes:
        async def note(body: bytes) -> None:
            told[name].append(body)
            await asyncio.sleep(0)

        request = ChatRequest(name, (ChatMessage("user", name),))
        async with aclosing(client.stream(request, on_send=note)) as events:
            _ = [event async for event in events]
        return client.body(request)

    with ScriptedServer(good_stream("one two three", pause_seconds=0.01)) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        a, b = await asyncio.gather(call(client, "a"), call(client, "b"))
        await client.aclose()
    assert told == {"a": [a], "b": [b]}


async def test_the_stream_opens_with_the_status_and_the_limits() -> None:
    headers = (
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-reset-requests", "120ms"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "29000"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    )
    with ScriptedServer(replace(good_stream("ok"), headers=(*EVENT_STREAM, *headers))) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        async with aclosing(client.stream(ASK)) as events:
            assert await anext(events) == Opened(200, RateLimits(500, 499, 0.12, 30000, 29000, 360.0))
        await client.aclose()


async def test_models_and_tests_are_told_too() -> None:
    told: list[bytes] = []

    async def note(body: bytes) -> None:
        told.append(body)

    with ScriptedServer(good_stream("ready"), refusal(500), Script()) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        await client.list_models(on_send=note)
        assert told == [b""]
        async with aclosing(client.test("scripted", on_send=note)) as steps:
            assert all([step.ok async for step in steps])
        await client.aclose()
    assert len(told) == len(server.requests) == 3
