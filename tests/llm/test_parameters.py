"""A provider that refuses a parameter is asked another way, and next time that way at once, over a real socket."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, ProviderFault, StreamDelta
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.parameters import MAX_REQUESTS
from desktop.llm.scripted_server import JSON, Script, ScriptedServer, good_stream, refusal

SCHEMA = {"type": "object", "properties": {"gist": {"type": "string"}}, "required": ["gist"]}
PLAIN = ChatRequest("scripted", (ChatMessage("user", "My schema is wrong."),))
ASK = replace(PLAIN, schema=SCHEMA)
SYSTEM = replace(ASK, messages=(ChatMessage("system", "Summarize."), *PLAIN.messages))
GOOD = good_stream('{"gist": "ok"}')
STRICT = {"type": "json_schema", "json_schema": {"name": "summary", "strict": True, "schema": SCHEMA}}
OBJECT = {"type": "json_object"}


async def ask(server: ScriptedServer, *requests: ChatRequest) -> list[str]:
    """Send requests one after the other by one client and return the texts."""
    client = OpenAIClient(base_url=server.base_url, key="sk-test-0123456789")
    try:
        return [await read(client, request) for request in requests]
    finally:
        await client.aclose()


async def read(client: OpenAIClient, request: ChatRequest, *, requests: int = MAX_REQUESTS) -> str:
    """Send one request and return the text."""
    async with aclosing(client.stream(request, requests=requests)) as events:
        return "".join([event.text async for event in events if isinstance(event, StreamDelta)])


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


NO_LIMIT = refusal(400, "Use 'max_completion_tokens' instead.", param="max_tokens")
NO_TEMPERATURE = refusal(400, "'temperature' does not support 0", param="temperature")
NO_SCHEMA = refusal(400, "json_schema is not supported", param="response_format")
NO_SYSTEM = refusal(400, "Unsupported value: 'messages[0].role' does not support 'system' with this model.")
BAREST = {"model", "messages", "stream"}


async def test_two_refusals_are_answered_with_the_barest_form_and_only_what_was_named_is_remembered() -> None:
    with ScriptedServer(NO_LIMIT, NO_TEMPERATURE, GOOD) as server:
        await ask(server, SYSTEM, SYSTEM)
    assert [set(body) - BAREST for body in server.bodies] == [
        {"max_tokens", "temperature", "stream_options", "response_format"},
        {"max_completion_tokens", "temperature", "stream_options", "response_format"},
        {"max_completion_tokens"},
        {"max_completion_tokens", "stream_options", "response_format"},
    ]
    assert [body["messages"][0]["role"] for body in server.bodies] == ["system", "system", "user", "system"]


async def test_no_more_requests_than_the_bound_and_then_the_refusal_is_told() -> None:
    refusals = [refusal(400, f"unknown: {word}") for word in ("temperature", "stream_options", "max_tokens")]
    with ScriptedServer(*refusals, GOOD) as server:
        with pytest.raises(ProviderFault) as caught:
            await ask(server, ASK)
        assert len(server.bodies) == MAX_REQUESTS == 3
        assert (caught.value.code, caught.value.status) == ("provider-request", 400)
        assert not caught.value.is_transient


async def test_what_was_refused_is_remembered_even_when_the_action_failed() -> None:
    refusals = [refusal(400, f"unknown: {word}") for word in ("temperature", "stream_options", "max_tokens")]
    with ScriptedServer(*refusals, GOOD) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        with pytest.raises(ProviderFault):
            await read(client, ASK)
        assert await read(client, ASK) == '{"gist": "ok"}'
        await client.aclose()
    assert set(server.bodies[-1]) == BAREST | {"max_completion_tokens", "response_format"}


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_caller_that_has_fewer_requests_left_gets_no_more(requests: int) -> None:
    with ScriptedServer(NO_LIMIT, NO_TEMPERATURE, GOOD) as server:
        client = OpenAIClient(base_url=server.base_url, key="")
        with pytest.raises(ProviderFault):
            await read(client, ASK, requests=requests)
        await client.aclose()
        assert len(server.bodies) == requests


@pytest.mark.parametrize(
    "no",
    [
        NO_SYSTEM,
        refusal(400, "System role not supported"),
        refusal(500, "Jinja Exception: System role not supported"),
        refusal(400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        refusal(400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        refusal(422, "This model does not accept system messages."),
    ],
)
async def test_a_refused_system_message_begins_the_users_own_and_is_not_tried_again(no: Script) -> None:
    with ScriptedServer(no, GOOD) as server:
        await ask(server, SYSTEM, SYSTEM)
    folded = [{"role": "user", "content": "Summarize.\n\nMy schema is wrong."}]
    assert [body["messages"] for body in server.bodies[1:]] == [folded, folded]
    assert server.bodies[0]["messages"][0]["role"] == "system"


async def test_a_refusal_that_names_several_parameters_is_learned_at_once() -> None:
    details = [{"loc": ["body", name], "msg": "extra"} for name in ("stream_options", "response_format", "temperature")]
    with ScriptedServer(Script((json.dumps({"detail": details}).encode(),), 422, JSON), GOOD) as server:
        await ask(server, ASK)
    assert set(server.bodies[1]) == BAREST | {"max_tokens", "response_format"}
    assert formats(server) == [STRICT, OBJECT]


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
