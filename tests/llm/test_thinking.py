"""What a reasoning model thinks streams apart from its answer, cleaned as the answer is, and cannot go on for ever."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, Opened, StreamDelta, StreamEnd
from desktop.domain.runs import RunState
from desktop.llm.answer import MAX_CHARACTERS
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, words

ASK = ChatRequest("scripted", (ChatMessage("user", "My invoice is wrong."),))
STOP = chunk(finish="stop")


async def read(*parts: bytes, is_endless: bool = False) -> tuple[list[StreamDelta], StreamEnd]:
    """Return the deltas and the end of one stream."""
    with ScriptedServer(Script(parts, is_endless=is_endless)) as server:
        client = OpenAIClient(base_url=server.base_url, key="sk-test-0123456789", deadline_seconds=20.0)
        try:
            async with aclosing(client.stream(ASK)) as events:
                assert isinstance(await anext(events), Opened)
                seen = [event async for event in events]
        finally:
            await client.aclose()
    deltas, end = [e for e in seen[:-1] if isinstance(e, StreamDelta)], seen[-1]
    assert isinstance(end, StreamEnd)
    assert len(deltas) == len(seen) - 1
    assert all(delta.text or delta.thinking for delta in deltas), "nothing comes for nothing"
    return deltas, end


def joined(deltas: list[StreamDelta]) -> tuple[str, str]:
    return "".join(d.text for d in deltas), "".join(d.thinking for d in deltas)


async def test_thinking_between_torn_tags_comes_out_as_it_streams() -> None:
    pieces = ("<th", "ink>Let me see", " if </thi", "s is", " it</th", "ink>\n\n", "Gist", ": Done")
    deltas, end = await read(*map(chunk, pieces), STOP, DONE)
    assert joined(deltas) == ("Gist: Done", "Let me see if </this is it")
    assert deltas[0] == StreamDelta("", "Let me see")
    assert end.state is RunState.COMPLETE


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_thinking_in_a_field_of_its_own_comes_out_as_it_streams(name: str) -> None:
    deltas, _ = await read(chunk(**{name: "Let me "}), chunk(**{name: "see"}), *words("Gist: Done"), STOP, DONE)
    assert deltas[:2] == [StreamDelta("", "Let me "), StreamDelta("", "see")]
    assert joined(deltas) == ("Gist: Done", "Let me see")


async def test_a_gateway_that_sends_thinking_under_both_names_is_read_once() -> None:
    deltas, _ = await read(chunk("", reasoning_content="Hm", reasoning="Hm"), chunk("Done"), STOP, DONE)
    assert joined(deltas) == ("Done", "Hm")


async def test_a_piece_may_end_the_thinking_and_begin_the_text() -> None:
    deltas, _ = await read(chunk("<think>Hm</think>Do"), chunk("ne"), STOP, DONE)
    assert deltas == [StreamDelta("Do", "Hm"), StreamDelta("ne")]


async def test_tags_later_in_the_text_are_text() -> None:
    deltas, _ = await read(chunk("Write <think>"), chunk("so</think>"), STOP, DONE)
    assert joined(deltas) == ("Write <think>so</think>", "")


@pytest.mark.parametrize("tag", ["<think>", ""])
async def test_thinking_is_cleaned_as_text_is(tag: str) -> None:
    pieces = (f"{tag}ok\u202e\x00 \ud83d", "\ude00 and \ud83d")
    parts = map(chunk, pieces) if tag else (chunk(reasoning=piece) for piece in pieces)
    deltas, _ = await read(*parts, STOP, DONE)
    assert joined(deltas) == ("", "ok 😀 and \ufffd")


async def test_thinking_that_is_cut_off_is_kept_to_its_last_letter() -> None:
    deltas, end = await read(chunk("<think>Is it </thi"))
    assert joined(deltas) == ("", "Is it </thi")
    assert end.state is RunState.INCOMPLETE


async def test_a_stream_that_only_thought_wrote_nothing() -> None:
    deltas, end = await read(chunk(reasoning_content="I wonder"), STOP, DONE)
    assert joined(deltas) == ("", "I wonder")
    assert (end.state, end.reason) == (RunState.INCOMPLETE, "the model ended its answer without writing anything")


@pytest.mark.parametrize(
    "part",
    [chunk("<think>" + "hm " * 20_000), chunk(reasoning_content="hm " * 20_000), chunk(reasoning="hm " * 20_000)],
)
async def test_endless_thinking_is_cut(part: bytes) -> None:
    deltas, end = await read(part, is_endless=True)
    text, thinking = joined(deltas)
    assert text == ""
    assert MAX_CHARACTERS - 100_000 < len(thinking) < MAX_CHARACTERS + 100_000
    assert (end.state, "far longer" in end.reason) == (RunState.INCOMPLETE, True)


@pytest.mark.parametrize("unseen", [" ", "\u200b", "<think>\u200b"])
async def test_endless_nothing_is_cut_too(unseen: str) -> None:
    _, end = await read(chunk(unseen + unseen[-1] * 60_000), is_endless=True)
    assert (end.state, "far longer" in end.reason) == (RunState.INCOMPLETE, True)


async def test_an_answer_of_nothing_that_can_be_seen_is_no_answer() -> None:
    with pytest.raises(DeskError) as caught:
        await read()
    assert caught.value.code == "provider-broken"
    _, end = await read(chunk("\u200b"), STOP, DONE)
    assert "without writing anything" in end.reason
