"""What can go wrong with a stream, or looks as if it did: each kind before the first token, in the middle and at the end, with what must come of it.

`KINDS` maps a name to a function of the position. Where a fault has no place inside a stream (a status, a redirect, a handshake) the positions are
those of its own: nothing of it came, half of it, all of it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from desktop.domain.runs import RunState, Usage
from tests.llm.fault_server import CHUNKED, DONE, HEAD, UNTIL_CLOSE, FaultServer, Play, Wire, choice, event, piece, stop

PIECES = ("Gist: Karte ", "zweimal belastet — ", "49 € 🙂", "\nNext step: ", "erstatten.")
TEXT = "".join(PIECES)
POSITIONS = {"first": 0, "middle": 2, "end": len(PIECES)}
MEGABYTE = 1_000_000
CLOSED = "closed the stream before it said it was done"
CONNECTION, BROKEN, REQUEST = "provider-connection", "provider-broken", "provider-request"


@dataclass(frozen=True, slots=True)
class Expected:
    """How it must end. With a `state`: by a `StreamEnd` after exactly this text. Without: by a `ProviderFault`."""

    text: str = ""
    state: RunState | None = None
    reason: str = ""
    usage: Usage | None = None
    code: str = ""
    status: int = 200
    is_transient: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at one position. `base_url` is a template of the port; `seconds` and `deadline` are the client's patience."""

    play: Play
    expected: Expected
    seconds: float = 5.0
    deadline: float = 15.0
    base_url: str = "http://127.0.0.1:{port}/v1"
    reads_request: bool = True
    most_sent: int = 16 * MEGABYTE
    check: Callable[[FaultServer], None] = lambda server: None


Kind = Callable[[int], Case]
KINDS: dict[str, Kind] = {}
Do = Callable[[Wire], Awaitable[None]]


def kind(make: Kind) -> Kind:
    """Enter a kind under the name of its function."""
    KINDS[make.__name__.replace("_", " ").strip()] = make
    return make


def complete(text: str = TEXT, usage: Usage | None = None) -> Expected:
    return Expected(text, RunState.COMPLETE, usage=usage)


def incomplete(text: str, reason: str) -> Expected:
    return Expected(text, RunState.INCOMPLETE, reason)


def fault(code: str, *, status: int = 200, is_transient: bool = False, retry_after: float | None = None) -> Expected:
    return Expected(code=code, status=status, is_transient=is_transient, retry_after=retry_after)


def begun(n: int) -> str:
    return "".join(PIECES[:n])


def events(pieces: tuple[str, ...] = PIECES) -> list[bytes]:
    return [piece(text) for text in pieces]


def sends(*parts: bytes) -> Play:
    """Return a script that sends these parts in one chunked answer and ends it."""

    async def play(wire: Wire) -> None:
        await wire.chunked()
        for part in parts:
            await wire.send(part)
        await wire.finish()

    return play


def sends_raw(*parts: bytes) -> Play:
    """Return a script that sends these bytes as they are, head and all, and hangs up."""

    async def play(wire: Wire) -> None:
        for part in parts:
            await wire.send_raw(part)

    return play


def after_text(n: int, do: Do) -> Play:
    """Return a script that sends the first pieces and then does something."""

    async def play(wire: Wire) -> None:
        await wire.chunked()
        for part in events(PIECES[:n]):
            await wire.send(part)
        await do(wire)

    return play


def breaks(n: int, do: Do, *, code: str, reason: str, is_transient: bool = False) -> Case:
    """Return a case in which something goes wrong after the first pieces: a fault when there were none."""
    expected = incomplete(begun(n), reason) if n else fault(code, is_transient=is_transient)
    return Case(after_text(n, do), expected)


def says(n: int, raw: bytes, *, code: str = BROKEN, reason: str, is_transient: bool = False) -> Case:
    """Return a case in which the stream says something wrong after the first pieces."""

    async def do(wire: Wire) -> None:
        await wire.send(raw)
        await wire.finish()

    return breaks(n, do, code=code, reason=reason, is_transient=is_transient)


def harmless(n: int, raw: bytes, *, usage: Usage | None = None) -> Case:
    """Return a case in which what stands between the pieces changes nothing."""
    parts = events()
    return Case(sends(*parts[:n], raw, *parts[n:], stop(), DONE), complete(usage=usage))


# How a stream ends


@kind
def no_finish_reason(n: int) -> Case:
    return says(n, DONE, reason=CLOSED)


@kind
def no_done(n: int) -> Case:
    expected = complete(begun(n)) if n else incomplete("", "without writing anything")
    return Case(sends(*events(PIECES[:n]), stop()), expected)


@kind
def empty_200(n: int) -> Case:
    lengths = {0: HEAD + b"Content-Length: 0\r\n\r\n", 2: CHUNKED + b"0\r\n\r\n", 5: UNTIL_CLOSE}
    return Case(sends_raw(lengths[n]), fault(BROKEN))


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
    return says(n, b'data: {"choices": [{"del\n\n', reason="data that is not valid")


@kind
def words_for_json(n: int) -> Case:
    return says(n, b"data: Internal Server Error\n\n", reason="data that is not valid")


@kind
def json_too_deep(n: int) -> Case:
    return says(n, b"data: " + b"[" * 200_000 + b"\n\n", reason="data that")


@kind
def invalid_utf8(n: int) -> Case:
    return says(n, b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n', reason="text that is not valid")


@kind
def half_a_character_at_the_end(n: int) -> Case:
    return says(n, piece("🙂").partition(b"\xf0\x9f")[0] + b"\xf0\x9f", reason="the provider")


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
    return says(n, pings, reason=CLOSED)


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


# How the bytes come


@kind
def reset(n: int) -> Case:
    async def do(wire: Wire) -> None:
        # A reset throws away what the client has not read yet; that is not what is tested.
        await asyncio.sleep(0.05)
        wire.reset()

    return breaks(n, do, code=CONNECTION, reason="broke off", is_transient=True)


@kind
def fin_in_mid_chunk(n: int) -> Case:
    async def do(wire: Wire) -> None:
        await wire.send_raw(b"400\r\n" + piece("never")[:-9])

    return breaks(n, do, code=CONNECTION, reason="broke off", is_transient=True)


@kind
def fin_in_mid_line(n: int) -> Case:
    expected = incomplete(begun(n), CLOSED) if n else fault(BROKEN)
    return Case(sends_raw(UNTIL_CLOSE, *events(PIECES[:n]), piece("never")[:-9]), expected)


@kind
def a_chunk_size_that_is_none(n: int) -> Case:
    async def do(wire: Wire) -> None:
        await wire.send_raw(b"zz\r\n" + piece("never"))

    return breaks(n, do, code=CONNECTION, reason="broke off", is_transient=True)


@kind
def stall(n: int) -> Case:
    case = breaks(n, Wire.hang, code="provider-timeout", reason="nothing more came in time", is_transient=True)
    return replace(case, seconds=0.3)


def _trickles(n: int, raw: bytes) -> Case:
    async def do(wire: Wire) -> None:
        while True:
            for i in range(len(raw)):
                await wire.send(raw[i : i + 1])
                await asyncio.sleep(0.02)

    case = breaks(n, do, code="provider-timeout", reason="took longer than 0.5 seconds")
    return replace(case, deadline=0.5)


@kind
def trickle(n: int) -> Case:
    return _trickles(n, b"data: " + b"x" * 10_000)


@kind
def trickle_of_comments(n: int) -> Case:
    return _trickles(n, b": ping\n\n")


@kind
def a_line_of_30_mb(n: int) -> Case:
    return says(n, piece("x" * 30 * MEGABYTE), reason="far more in one piece")


@kind
def an_event_of_30_mb_in_short_lines(n: int) -> Case:
    return says(n, b"data: x\n" * (30 * MEGABYTE // 8), reason="far more in one piece")


@kind
def a_gzip_that_unpacks_to_30_mb(n: int) -> Case:
    raw = b"".join(events(PIECES[:n])) + b"data: " + b"x" * 30 * MEGABYTE
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    expected = incomplete(begun(n), "far more in one piece") if n else fault(BROKEN)
    return Case(
        sends_raw(head, *_gzip_pieces(b"".join(events(PIECES[:n])), raw[len(b"".join(events(PIECES[:n]))) :])), expected
    )


def _gzip_pieces(*parts: bytes) -> list[bytes]:
    packer = zlib.compressobj(wbits=31)
    return [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in parts] + [packer.flush()]


@kind
def gzip_ok(n: int) -> Case:
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    parts = [*events(), stop(), DONE]
    packed = _gzip_pieces(b"".join(parts[:n]), b"".join(parts[n:])) if n else [gzip.compress(b"".join(parts))]
    return Case(sends_raw(head, *packed), complete())


@kind
def gzip_cut(n: int) -> Case:
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    packed = _gzip_pieces(b"".join(events(PIECES[:n])), piece("never"))
    return Case(sends_raw(head, packed[0], packed[1][:5]), incomplete(begun(n), CLOSED) if n else fault(BROKEN))


@kind
def gzip_that_is_none(n: int) -> Case:
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    packed = _gzip_pieces(b"".join(events(PIECES[:n])))
    expected = incomplete(begun(n), "text that is not valid") if n else fault(BROKEN)
    return Case(sends_raw(head, *packed[: 1 if n else 0], b"\xff" * 50), expected)


@kind
def a_wrong_content_type(n: int) -> Case:
    kinds = {0: b"Content-Type: application/json\r\n", 2: b"Content-Type: text/plain; charset=latin-1\r\n", 5: b""}
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + kinds[n] + b"\r\n"
    return Case(sends_raw(head, *events(), stop(), DONE), complete())


@kind
def a_body_longer_than_its_length(n: int) -> Case:
    raw = b"".join(events(PIECES[:n]))
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(raw)
    return Case(sends_raw(head, raw + piece("never") + DONE), incomplete(begun(n), CLOSED) if n else fault(BROKEN))


@kind
def a_body_shorter_than_its_length(n: int) -> Case:
    raw = b"".join(events(PIECES[:n]))
    expected = incomplete(begun(n), "broke off") if n else fault(CONNECTION, is_transient=True)
    return Case(sends_raw(HEAD + b"Content-Length: %d\r\n\r\n" % (len(raw) + 9), raw), expected)


@kind
def http_1_0_without_length(n: int) -> Case:
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    if n == len(PIECES):
        return Case(sends_raw(head, *events(), stop(), DONE), complete())
    return Case(sends_raw(head, *events(PIECES[:n])), incomplete(begun(n), CLOSED) if n else fault(BROKEN))
