"""Vectors of texts from a real socket: in the order of the texts, all of one length, or a fault that says what was wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desktop.domain.llm import Embeddings, ProviderFault
from desktop.domain.runs import Usage
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import JSON, Script, ScriptedServer, refusal

KEY = "sk-canary-0123456789"


def answer(*items: dict[str, Any], usage: object = None) -> Script:
    body = {"object": "list", "model": "e", "data": list(items), "usage": usage}
    return Script((json.dumps(body).encode(),), headers=JSON)


def vector(index: int | None, *numbers: object) -> dict[str, Any]:
    return {"object": "embedding", "embedding": list(numbers), **({} if index is None else {"index": index})}


async def embed(server: ScriptedServer, *texts: str) -> Embeddings:
    client = OpenAIClient(base_url=server.base_url, key=KEY)
    try:
        return await client.embed(texts, model="e")
    finally:
        await client.aclose()


async def test_vectors_come_in_the_order_of_the_texts_with_what_they_took() -> None:
    told: list[bytes] = []

    async def note(body: bytes) -> None:
        told.append(body)

    script = answer(vector(1, 3, 4.5), vector(0, 1, 2), usage={"prompt_tokens": 7, "total_tokens": 7})
    with ScriptedServer(script) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)
        found = await client.embed(["a", "b \ud83d"], model="e", on_send=note)
        await client.aclose()
    assert found == Embeddings(((1.0, 2.0), (3.0, 4.5)), Usage(input_tokens=7))
    assert server.bodies == [{"input": ["a", "b �"], "model": "e", "encoding_format": "float"}]
    assert [json.loads(body) for body in told] == server.bodies


async def test_no_texts_ask_nothing() -> None:
    with ScriptedServer(refusal(500)) as server:
        assert await embed(server) == Embeddings(())
        assert server.requests == []


@pytest.mark.parametrize("indexes", [(None, None), (0, 0)])
async def test_vectors_without_numbers_of_their_own_keep_the_order_of_the_answer(
    indexes: tuple[int | None, int | None],
) -> None:
    with ScriptedServer(answer(vector(indexes[0], 1), vector(indexes[1], 2))) as server:
        assert (await embed(server, "a", "b")).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (answer(vector(0, 1)), "1 vectors for 2 texts"),
        (answer(vector(0, 1), vector(1, 1), vector(2, 1)), "3 vectors for 2 texts"),
        (answer(vector(0, 1), vector(1, 1, 2)), "different lengths"),
        (answer(vector(0), vector(1)), "different lengths"),
        (answer(vector(0, 1), vector(7, 1)), "belong to no text"),
        (answer(vector(1, 1), vector(1, 1)), "belong to no text"),
        (answer(vector(0, 1), vector(1, "x")), "not made of numbers"),
        (answer(vector(0, 1), vector(1, float("nan"))), "did not answer with vectors"),
        (answer({"index": 0, "embedding": "AACAPw=="}, vector(1, 1)), "not made of numbers"),
        (Script((b"{}",), headers=JSON), "did not answer with vectors"),
        (Script((b'{"data": {}}',), headers=JSON), "did not answer with vectors"),
        (Script((b"<html>Log in</html>",), headers=(("Content-Type", "text/html"),)), "did not answer with vectors"),
        (Script((), headers=JSON), "127.0.0.1"),
        (Script((b'{"data": [',), headers=JSON), "127.0.0.1"),
        (Script((b'{"data": [{"embedding": [1, 2',), headers=JSON, then="reset"), "127.0.0.1"),
    ],
)
async def test_an_answer_that_is_none_is_a_fault(script: Script, words: str) -> None:
    with ScriptedServer(script) as server, pytest.raises(ProviderFault) as caught:
        await embed(server, "a", "b")
    assert caught.value.code in ("provider-broken", "provider-connection")
    assert words in caught.value.message
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_an_answer_without_bounds_is_not_taken_in() -> None:
    with ScriptedServer(Script((b" " * 60_000,), headers=JSON, is_endless=True)) as server:
        client = OpenAIClient(base_url=server.base_url, key=KEY)
        with pytest.raises(ProviderFault) as caught:
            await client.call(
                lambda sdk: sdk.embeddings.create(input="a", model="e", encoding_format="float"), most_bytes=1_000_000
            )
        await client.aclose()
        assert server.client_hung_up.wait(5)
    assert "far more in one piece" in caught.value.message


@pytest.mark.parametrize(("status", "is_transient"), [(429, True), (503, True), (401, False), (400, False)])
async def test_a_refusal_says_whether_to_try_again(status: int, is_transient: bool) -> None:
    with (
        ScriptedServer(refusal(status, "no", headers=(("Retry-After", "3"),))) as server,
        pytest.raises(ProviderFault) as caught,
    ):
        await embed(server, "a")
    assert (caught.value.status, caught.value.is_transient, caught.value.retry_after_seconds) == (
        status,
        is_transient,
        3,
    )
    assert len(server.requests) == 1
