"""A provider that refuses a parameter is asked another way, and next time that way at once, over a real socket."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.parameters import MAX_REQUESTS
from desktop.llm.scripted_server import JSON, Script, ScriptedServer, good_stream, refusal

SCHEMA = {"type": "object", "properties": {"gist": {"type": "string"}}, "required": ["gist"]}
PLAIN = ChatRequest("scripted", (ChatMessage("user", "My schema is wrong."),))
ASK = replace(PLAIN, schema=SCHEMA)
GOOD = good_stream('{"gist": "ok"}')
STRICT = {"type": "json_schema", "json_schema": {"name": "summary", "strict": True, "schema": SCHEMA}}
OBJECT = {"type": "json_object"}


async def ask(server: ScriptedServer, *requests: ChatRequest) -> list[str]:
    """Send requests one after the other by one client and return the texts."""
    client = OpenAIClient(base_url=server.base_url, key="sk-test-0123456789")
    texts = []
    try:
        for request in requests:
            async with aclosing(client.stream(request)) as events:
                texts.append("".join([event.text async for event in events if isinstance(event, StreamDelta)]))
    finally:
        await client.aclose()
    return texts


def formats(server: ScriptedServer) -> list[Any]:
    """Return how each request asked for JSON, None for one that did not."""
    return [body.get("response_format") for body in server.bodies]


async def test_a_schema_is_sent_under_its_name() -> None:
    with ScriptedServer(GOOD) as server:
        assert await ask(server, ASK, replace(ASK, schema_name="opinion"), PLAIN) == ['{"gist": "ok"}'] * 3
    named = {"type": "json_schema", "json_schema": {"name": "opinion", "strict": True, "schema": SCHEMA}}
    assert formats(server) == [STRICT, named, None]


@pytest.mark.parametrize(
    "no",
    [
        refusal(400, "Invalid parameter", param="response_format"),
        refusal(400, "'response_format.type' must be 'text'"),
        refusal(404, "No endpoints found that support structured outputs"),
        refusal(501, "json_schema is not implemented"),
        refusal(500, "failed to parse grammar"),
        refusal(422, "This model has no JSON schema"),
        Script((json.dumps({"detail": [{"loc": ["body", "response_format"], "msg": "no"}]}).encode(),), 422, JSON),
    ],
)
async def test_a_refused_schema_becomes_any_json_then_nothing_and_is_not_tried_again(no: Script) -> None:
    with ScriptedServer(no, no, GOOD) as server:
        assert await ask(server, ASK, ASK) == ['{"gist": "ok"}'] * 2
    assert formats(server) == [STRICT, OBJECT, None, None]


async def test_any_json_is_remembered_where_it_is_taken_and_only_for_that_model() -> None:
    with ScriptedServer(refusal(400, "json_schema is not supported"), GOOD) as server:
        await ask(server, ASK, ASK, replace(ASK, model="other"))
    assert formats(server) == [STRICT, OBJECT, OBJECT, STRICT]


async def test_everything_that_a_model_may_refuse_is_asked_another_way_within_the_bound() -> None:
    refusals = (
        refusal(400, "Use 'max_completion_tokens' instead.", param="max_tokens"),
        refusal(400, "'temperature' does not support 0", param="temperature"),
        refusal(400, "json_schema is not supported", param="response_format"),
        refusal(400, "json_object is not supported", param="response_format"),
    )
    with ScriptedServer(*refusals, GOOD) as server:
        await ask(server, ASK, ASK)
    assert len(server.bodies) == MAX_REQUESTS + 1
    assert server.bodies[-1] == server.bodies[-2]
    assert server.bodies[-1].keys() == {"model", "messages", "stream", "stream_options", "max_completion_tokens"}


async def test_no_more_requests_than_the_bound_and_then_the_refusal_is_told() -> None:
    refusals = [refusal(400, f"unknown: {word}") for word in ("max_tokens", "temperature", "stream_options")]
    no = refusal(400, "response_format is not supported")
    with ScriptedServer(*refusals, no) as server, pytest.raises(DeskError) as caught:
        await ask(server, ASK)
    assert len(server.bodies) == MAX_REQUESTS
    assert caught.value.code == "provider-request"


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_a_request_without_a_schema_is_not_asked_again_over_that_word(status: int) -> None:
    with ScriptedServer(refusal(status, "the schema of messages is invalid"), GOOD) as server:
        with pytest.raises(DeskError):
            await ask(server, PLAIN)
        assert len(server.bodies) == 1


async def test_another_complaint_does_not_take_the_schema_away() -> None:
    with ScriptedServer(refusal(400, "the context is too long"), GOOD) as server:
        with pytest.raises(DeskError):
            await ask(server, ASK)
        await ask(server, ASK)
    assert formats(server) == [STRICT, STRICT]


async def test_words_of_a_ticket_that_a_server_repeats_are_no_complaint() -> None:
    detail = {"loc": ["body", "temperature"], "msg": "extra", "input": {"messages": "My schema is wrong."}}
    with ScriptedServer(Script((json.dumps({"detail": [detail]}).encode(),), 422, JSON), GOOD) as server:
        await ask(server, ASK)
    assert formats(server) == [STRICT, STRICT]
    assert ["temperature" in body for body in server.bodies] == [True, False]
