"""What is read of a batch's results: any line is an answer, a fault or nothing, and never an exception."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.batches import BatchAnswer
from desktop.domain.runs import RunState
from desktop.llm import batch
from desktop.llm.batch import read_line, split_lines

HOST = "provider.example"
ANSWER = {
    "custom_id": "a",
    "response": {
        "status_code": 200,
        "body": {
            "choices": [{"message": {"content": "Gist: x. [m1.1]"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
        },
    },
    "error": None,
}


def read(**changes: Any) -> BatchAnswer | None:
    return read_line(json.dumps({**ANSWER, **changes}).encode(), host=HOST)


def test_a_whole_answer_is_read_with_its_end_and_its_usage() -> None:
    found = read()
    assert found is not None
    assert found.end is not None
    assert (found.text, found.end.state, found.end.reason) == ("Gist: x. [m1.1]", RunState.COMPLETE, "")
    usage = found.end.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens) == (5, 2, 1)


@pytest.mark.parametrize(
    ("message", "finish", "state", "text", "thinking"),
    [
        ({"content": "x"}, "length", RunState.INCOMPLETE, "x", ""),
        ({"content": "x"}, "content_filter", RunState.INCOMPLETE, "x", ""),
        ({"content": "x"}, None, RunState.INCOMPLETE, "x", ""),
        ({"content": None, "refusal": "no"}, "stop", RunState.INCOMPLETE, "", ""),
        ({"content": "<think>hm</think>x"}, "stop", RunState.COMPLETE, "x", "hm"),
        ({"content": "x", "reasoning_content": "hm"}, "stop", RunState.COMPLETE, "x", "hm"),
        ("no message", "stop", RunState.INCOMPLETE, "", ""),
    ],
)
def test_an_answer_ends_as_it_would_live(
    message: object, finish: object, state: RunState, text: str, thinking: str
) -> None:
    body = {"choices": [{"message": message, "finish_reason": finish}]}
    found = read(response={"status_code": 200, "body": body})
    assert found is not None
    assert found.end is not None
    assert (found.end.state, found.text, found.thinking) == (state, text, thinking)


@pytest.mark.parametrize(
    ("response", "error", "code", "words"),
    [
        ({"status_code": 429, "body": {"error": {"message": "slow"}}}, None, "provider-quota", "asked too often"),
        ({"status_code": 500, "body": "oops"}, None, "provider-broken", "error 500"),
        ({"status_code": 200, "body": {"choices": []}}, None, "provider-broken", "sent no answer"),
        (None, {"code": "batch_expired", "message": "x"}, "provider-broken", "ran out of time"),
        (None, {"code": "batch_cancelled", "message": "x"}, "provider-broken", "was stopped"),
        (None, None, "provider-broken", "sent no answer"),
    ],
)
def test_what_is_no_answer_is_a_fault_in_words(response: object, error: object, code: str, words: str) -> None:
    found = read(response=response, error=error)
    assert found is not None
    assert found.fault is not None
    assert (found.end, found.fault.code) == (None, code)
    assert words in found.fault.message


def test_a_provider_does_not_get_to_repeat_the_ticket_in_its_error() -> None:
    body = {"error": {"message": "Cannot read: Ada Lovelace wrote from her house at the lake"}}
    found = read(response={"status_code": 400, "body": body})
    assert found is not None
    assert found.fault is not None
    assert "Lovelace" not in found.fault.message


_NAMES = (
    *("custom_id", "response", "error", "status_code", "body", "choices", "message", "content", "finish_reason"),
    *("usage", "prompt_tokens", "prompt_tokens_details", "code", "type", "reasoning"),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(_NAMES), JSON_VALUES, max_size=4), JSON_VALUES)
def test_no_json_of_any_form_is_more_than_nothing_a_fault_or_an_answer(values: dict[str, Any], other: object) -> None:
    body = {"choices": [other], "usage": other}
    for line in (values, other, {**ANSWER, **values}, {**ANSWER, "response": {"status_code": 200, "body": body}}):
        found = read_line(json.dumps(line).encode(), host=HOST)
        assert found is None or (found.end is None) != (found.fault is None)


@given(st.binary(max_size=80))
def test_no_bytes_are(line: bytes) -> None:
    assert read_line(line, host=HOST) is None


def test_brackets_without_end_are_not() -> None:
    assert read_line(b'{"custom_id": ' + b"[" * 100_000, host=HOST) is None


@given(st.lists(st.binary(max_size=20), max_size=8), st.integers(1, 9))
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], size: int) -> None:
    whole = b"\n".join(lines)
    *ended, rest = whole.split(b"\n")
    assert asyncio.run(_split(whole, size)) == ([*ended, rest] if rest else ended)


def test_a_line_without_an_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_MOST_LINE_BYTES", 50)
    assert asyncio.run(_split(b"first\n" + b"x" * 500 + b"\nlast\n", 7)) == [b"first", b"last"]


async def _split(whole: bytes, size: int) -> list[bytes]:
    async def pieces() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    return [line async for line in split_lines(pieces())]
