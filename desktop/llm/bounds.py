"""Bounds: how much of an answer is read before it makes sense, so that no provider can fill this machine's memory.

The SDK collects a line, an event and a refusal's body until they end. Here they end by themselves. What is counted is what comes out of the
decompression, so a small body that unpacks into a large one is bounded too.
"""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from desktop.llm.watch import Watch

if TYPE_CHECKING:
    import httpx2

MAX_EVENT_BYTES = 4_000_000
"""One event of a stream: room for the longest answer in a single piece, every character of it escaped."""
MAX_REFUSAL_BYTES = 256_000
REFUSAL_SECONDS = 5.0
"""The body of an error: what is quoted of it is a sentence, and its status has come already."""

_ENDS = (b"\n\n", b"\r\r", b"\n\r\n")
_TAIL = 2

Reader = Callable[..., AsyncGenerator[bytes, None]]


class TooLargeError(ValueError):
    """More came than can make sense."""


def bound(response: httpx2.Response, *, watch: Watch | None, most_bytes: int) -> None:
    """Have the reading of a response stop in time: a refusal is cut, each event of a stream and the whole of all else is held to a size.

    A stream has a `watch`, which is told when something comes.
    """
    read = response.aiter_bytes
    if response.status_code >= 300:
        bounded = _cut(read, response)
    elif watch is not None:
        bounded = _events(read, watch)
    else:
        bounded = _whole(read, most_bytes)
    # Both the SDK's streams and `aread` come by here, and nothing earlier is past the decompression.
    response.aiter_bytes = bounded  # type: ignore[method-assign]


def _events(read: Reader, watch: Watch) -> Reader:
    async def pieces(chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        size, tail, mark, has_begun = 0, b"", BOM_UTF8, False
        async with aclosing(read(chunk_size)) as parts:
            async for piece in parts:
                if mark:
                    piece, mark = _without_mark(piece, mark)
                # What keeps the line alive before the answer begins is no beginning.
                has_begun = has_begun or b"data" in piece
                if has_begun:
                    watch.heard()
                if piece.endswith(b"\n\n"):
                    size, tail = 0, b""
                    yield piece
                    continue
                seen = tail + piece
                end = max(map(seen.rfind, _ENDS))
                size = len(seen) - end if end >= 0 else size + len(piece)
                if size > MAX_EVENT_BYTES:
                    raise TooLargeError
                tail = seen[-_TAIL:]
                yield piece

    return pieces


def _without_mark(piece: bytes, mark: bytes) -> tuple[bytes, bytes]:
    """Take a byte order mark from the beginning of a stream, as the format wants it; return what of it may still come."""
    n = min(len(piece), len(mark))
    return (piece[n:], mark[n:]) if piece[:n] == mark[:n] else (piece, b"")


def _whole(read: Reader, most_bytes: int) -> Reader:
    async def pieces(chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        size = 0
        async with aclosing(read(chunk_size)) as parts:
            async for piece in parts:
                size += len(piece)
                if size > most_bytes:
                    raise TooLargeError
                yield piece

    return pieces


def _cut(read: Reader, response: httpx2.Response) -> Reader:
    """Read what comes soon and is short; whatever goes wrong in it, the status and its headers are what counts."""

    async def pieces(chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        size, until = 0, asyncio.get_running_loop().time() + REFUSAL_SECONDS
        async with aclosing(read(chunk_size)) as parts:
            while size < MAX_REFUSAL_BYTES and (piece := await _soon(parts, until)):
                size += len(piece)
                yield piece
        await response.aclose()

    return pieces


async def _soon(parts: AsyncGenerator[bytes, None], until: float) -> bytes:
    """Return the next piece, b'' when none comes in time or in good order."""
    try:
        async with asyncio.timeout_at(until):
            return await anext(parts, b"")
    except Exception:  # noqa: BLE001 - a refusal that breaks off is still that refusal
        return b""
