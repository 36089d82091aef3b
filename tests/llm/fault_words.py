"""The kinds of `fault_kinds` that are in what a stream says, and in how it ends."""

from __future__ import annotations

import asyncio
import json

from desktop.domain.runs import Usage
from tests.llm.fault_kinds import (
    BROKEN,
    CLOSED,
    KINDS,
    PIECES,
    TEXT,
    Case,
    begun,
    complete,
    events,
    fault,
    harmless,
    incomplete,
    kind,
    says,
    sends,
    sends_raw,
)
from tests.llm.fault_server import CHUNKED, DONE, HEAD, UNTIL_CLOSE, Wire, choice, event, piece, stop


@kind
def no_finish_reason(n: int) -> Case:
    return says(n, DONE, reason=CLOSED, is_transient=True)


@kind
def no_done(n: int) -> Case:
    expected = complete(begun(n)) if n else incomplete("", "without writing anything")
    return Case(sends(*events(PIECES[:n]), stop()), expected)


@kind
def a_first_chunk_and_no_more(n: int) -> Case:
    role = event({"choices": [choice({"role": "assistant", "content": ""})]})
    expected = incomplete(begun(n), CLOSED) if n else fault(BROKEN, is_transient=True)
    return Case(sends(role, *events(PIECES[:n]), *[DONE] * (n == len(PIECES))), expected)


@kind
def empty_200(n: int) -> Case:
    lengths = {0: HEAD + b"Content-Length: 0\r\n\r\n", 2: CHUNKED + b"0\r\n\r\n", 5: UNTIL_CLOSE}
    return Case(sends_raw(lengths[n]), fault(BROKEN, is_transient=True))


@kind
def length(n: int) -> Case:
    return Case(sends(*events(PIECES[:n]), stop("length"), DONE), incomplete(begun(n), "length limit"))


@kind
def content_filter(n: int) -> Case:
    return Case(sends(*events(PIECES[:n]), stop("content_filter"), DONE), incomplete(begun(n), "content filter"))


@kind
def a_finish_reason_nobody_knows(n: int) -> Case:
    return Case(sends(*events(PIECES[:n]), stop("model_length"), DONE), incomplete(begun(n), "reason of its own"))


@kind
def a_tool_call_nobody_asked_for(n: int) -> Case:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "refund", "arguments": "{}"}}
    parts = [
        *events(PIECES[:n]),
        event({"choices": [choice({"role": "assistant", "content": None, "tool_calls": [call]})]}),
    ]
    if n == len(PIECES):
        return Case(sends(*parts, stop(), DONE), complete())
    return Case(sends(*parts, stop("tool_calls"), DONE), incomplete(begun(n), "asked for a tool"))


@kind
def text_after_done(n: int) -> Case:
    return Case(sends(*events(PIECES[:n]), stop(), DONE, piece("never")), no_done(n).expected)


@kind
def thinking_that_breaks_off(n: int) -> Case:
    def thought(text: str) -> bytes:
        return event({"choices": [choice({"reasoning_content": text})]})

    async def play(wire: Wire) -> None:
        await wire.chunked()
        for part in (thought("Hm "), thought("…"), *events(PIECES[:n])):
            await wire.send(part)
        await asyncio.sleep(0.05)
        wire.reset()

    return Case(play, incomplete(begun(n), "broke off"))


# What a stream says


@kind
def malformed_json(n: int) -> Case:
    return says(n, b'data: {"choices": [{"del\n\n', reason="data that is not valid", is_transient=True)


@kind
def words_for_json(n: int) -> Case:
    return says(n, b"data: Internal Server Error\n\n", reason="data that is not valid", is_transient=True)


@kind
def json_too_deep(n: int) -> Case:
    return says(n, b"data: " + b"[" * 200_000 + b"\n\n", reason="data that")


@kind
def invalid_utf8(n: int) -> Case:
    return says(
        n,
        b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',
        reason="text that is not valid",
        is_transient=True,
    )


@kind
def half_a_character_at_the_end(n: int) -> Case:
    return says(n, piece("🙂").partition(b"\xf0\x9f")[0] + b"\xf0\x9f", reason="the provider", is_transient=True)


@kind
def split_utf8(n: int) -> Case:
    raw = b"".join(events()) + stop() + DONE
    cuts = {0: 1, 2: 2, 5: 3}[n]
    at = raw.index("🙂".encode()) + cuts
    return Case(sends(raw[:at], raw[at:]), complete())


@kind
def every_byte_alone(n: int) -> Case:
    raw = b"".join(events(PIECES[: n + 1])) + stop() + DONE
    return Case(sends(*(raw[i : i + 1] for i in range(len(raw)))), complete(begun(n + 1)))


@kind
def an_error_event(n: int) -> Case:
    raw = event({"error": {"message": "no worker", "type": "server_error"}})
    return says(n, raw, reason="reported an error", is_transient=True)


@kind
def an_error_event_by_name(n: int) -> Case:
    raw = b"event: error\n" + event({"error": {"message": "no worker"}})
    return says(n, raw, reason="reported an error", is_transient=True)


@kind
def an_error_that_is_a_word(n: int) -> Case:
    return says(n, event({"error": "overloaded"}), reason="reported an error", is_transient=True)


def _error_event(status: int, code: str, *, is_transient: bool) -> None:
    def make(n: int) -> Case:
        raw = event({"error": {"message": "sorry", "code": status}})
        return says(n, raw, code=code, reason="127.0.0.1", is_transient=is_transient)

    KINDS[f"an error event of {status}"] = make


for _status, _code, _is_transient in (
    (401, "provider-key", False),
    (429, "provider-quota", True),
    (500, BROKEN, True),
    (503, BROKEN, True),
):
    _error_event(_status, _code, is_transient=_is_transient)


@kind
def crlf_and_comments(n: int) -> Case:
    parts = [part.replace(b"\n", b"\r\n") for part in (*events(), stop(), DONE)]
    return Case(sends(*parts[:n], b": ping\r\n\r\n:\r\n", *parts[n:]), complete())


@kind
def cr_alone(n: int) -> Case:
    parts = [part.replace(b"\n", b"\r") for part in (*events(), stop(), DONE)]
    return Case(sends(*parts[:n], b": ping\r\r", *parts[n:]), complete())


@kind
def no_space_after_data(n: int) -> Case:
    parts = [part.replace(b"data: ", b"data:") for part in events()]
    return Case(sends(*events()[:n], *parts[n:], stop().replace(b"data: ", b"data:"), b"data:[DONE]\n\n"), complete())


@kind
def an_event_in_many_lines(n: int) -> Case:
    lines = json.dumps({"choices": [choice({"content": "extra"})]}, indent=1).encode().replace(b"\n", b"\ndata: ")
    parts = events()
    whole = begun(n) + "extra" + TEXT[len(begun(n)) :]
    return Case(sends(*parts[:n], b"data: " + lines + b"\n\n", *parts[n:], stop(), DONE), complete(whole))


@kind
def a_byte_order_mark(n: int) -> Case:
    raw, mark = b"".join(events()) + stop() + DONE, "\ufeff".encode()
    where = {
        0: sends(mark + raw),
        2: sends(mark[:1], mark[1:] + raw),
        5: sends(*events(), piece("\ufeff"), stop(), DONE),
    }
    return Case(where[n], complete())


@kind
def keep_alive_comments_only(n: int) -> Case:
    pings = b": OPENROUTER PROCESSING\n\n" * 20
    if n == len(PIECES):
        return harmless(n, pings)
    return says(n, pings, reason=CLOSED, is_transient=True)


@kind
def events_nobody_knows(n: int) -> Case:
    strange = (
        b'event: ping\ndata: {"type": "ping"}\n\n',
        b"event: ping\ndata: still here\n\n",
        b"event: heartbeat\ndata:\n\n",
    )
    return harmless(n, b"".join(strange) + b"retry: 100\nid: 7\n\n" + b"data:\n\n" + b"unknown: field\n\n")


@kind
def two_choices(n: int) -> Case:
    other = event({"choices": [choice({"content": "other "}, index=1, finish="length")]})
    both = event({"choices": [choice({"content": PIECES[0]}), choice({"content": "other "}, index=1)]})
    parts = [both, *events(PIECES[1:])] if n == 0 else events()
    return Case(sends(*parts[: n or 1], other, *parts[n or 1 :], stop(), DONE), complete())


@kind
def null_content(n: int) -> Case:
    empty: tuple[object, ...] = ({"role": "assistant", "content": None}, {}, None, {"content": ""}, {"content": 7})
    return harmless(n, b"".join(event({"choices": [choice(delta)]}) for delta in empty))


@kind
def content_in_parts(n: int) -> Case:
    parts = events()
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    for at in range(n, len(PIECES)):
        parts[at] = piece([{"type": "text", "text": PIECES[at]}])
    return Case(sends(piece(thinking), *parts, stop(), DONE), complete())


@kind
def usage_before_the_text(n: int) -> Case:
    usage = {"prompt_tokens": 30, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 10}}
    return harmless(n, event({"choices": [], "usage": usage}), usage=Usage(30, 5, 10))


@kind
def a_duplicated_chunk(n: int) -> Case:
    parts = [*events(), stop(), DONE]
    twice = begun(n) + (PIECES[n] if n < len(PIECES) else "") + TEXT[len(begun(n)) :]
    return Case(sends(*parts[:n], parts[n], *parts[n:]), complete(twice))


@kind
def a_very_long_text_in_one_piece(n: int) -> Case:
    parts, long = events(), "€" * 100_000
    whole = begun(n) + long + TEXT[len(begun(n)) :]
    return Case(sends(*parts[:n], piece(long), *parts[n:], stop(), DONE), complete(whole))
