"""The kinds of `fault_kinds` that are in how the bytes of a stream come: cut, stalled, packed, and far too many."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import replace

from tests.llm.fault_kinds import (
    BROKEN,
    CLOSED,
    CONNECTION,
    MEGABYTE,
    PIECES,
    Case,
    begun,
    breaks,
    complete,
    events,
    fault,
    incomplete,
    kind,
    says,
    sends_raw,
)
from tests.llm.fault_server import DONE, HEAD, UNTIL_CLOSE, Wire, piece, stop


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
    expected = incomplete(begun(n), CLOSED) if n else fault(BROKEN, is_transient=True)
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
    return Case(
        sends_raw(head, packed[0], packed[1][:5]),
        incomplete(begun(n), CLOSED) if n else fault(BROKEN, is_transient=True),
    )


@kind
def gzip_that_is_none(n: int) -> Case:
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    packed = _gzip_pieces(b"".join(events(PIECES[:n])))
    expected = incomplete(begun(n), "text that is not valid") if n else fault(BROKEN, is_transient=True)
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
    return Case(
        sends_raw(head, raw + piece("never") + DONE),
        incomplete(begun(n), CLOSED) if n else fault(BROKEN, is_transient=True),
    )


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
    return Case(
        sends_raw(head, *events(PIECES[:n])), incomplete(begun(n), CLOSED) if n else fault(BROKEN, is_transient=True)
    )
