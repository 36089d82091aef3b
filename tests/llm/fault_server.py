"""A fault server: raw sockets on loopback that answer with exactly the bytes of a script, right or wrong, and note what the client did.

It knows nothing of the program and of HTTP only what it takes to read a request. A script gets a `Wire` and does with it what it likes; when it
ends, the connection is closed in good order. Everything runs on the test's own event loop, so nothing outlives a test.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = HEAD + b"Connection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(value: object) -> bytes:
    """Return one event with a JSON value, its letters as they are."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def choice(delta: object, *, finish: str | None = None, index: int = 0) -> dict[str, object]:
    return {"index": index, "delta": delta, "finish_reason": finish}


def piece(text: object, *, finish: str | None = None) -> bytes:
    """Return a chunk with some text of the answer."""
    return event({"object": "chat.completion.chunk", "choices": [choice({"content": text}, finish=finish)]})


def stop(reason: str = "stop") -> bytes:
    """Return the chunk that says how the answer ended."""
    return event({"object": "chat.completion.chunk", "choices": [choice({}, finish=reason)]})


@dataclass(slots=True)
class Wire:
    """One connection with one request on it."""

    connection: socket.socket
    head: bytes
    body: bytes
    sent: int = 0
    is_chunked: bool = False
    keeps_alive: bool = False

    async def send(self, raw: bytes) -> None:
        """Send bytes as they are; what they are told as data of a chunked answer is framed."""
        if self.is_chunked:
            raw = b"%x\r\n%s\r\n" % (len(raw), raw) if raw else b"0\r\n\r\n"
        await self.send_raw(raw)

    async def send_raw(self, raw: bytes) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, len(raw), 65_536):
            await loop.sock_sendall(self.connection, raw[start : start + 65_536])
            self.sent += len(raw[start : start + 65_536])
        await asyncio.sleep(0)

    async def chunked(self) -> None:
        """Begin a chunked answer."""
        await self.send_raw(CHUNKED)
        self.is_chunked = True

    async def finish(self) -> None:
        """End a chunked answer in good order and wait for the next request."""
        await self.send(b"")
        self.keeps_alive = True

    async def hang(self) -> None:
        """Say nothing more until the client hangs up."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while await loop.sock_recv(self.connection, 4096):
                pass

    def reset(self) -> None:
        """Hang up rudely: closing with a linger of zero sends a reset in place of a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Play = Callable[[Wire], Awaitable[None]]


@dataclass(slots=True)
class FaultServer:
    """What a server was asked, and how many connections to it are open."""

    port: int
    wires: list[Wire] = field(default_factory=list)
    connections: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def left_alone(self) -> None:
        """Wait until the client has closed every connection."""
        if self.open:
            await asyncio.wait(self.open, timeout=3.0)
        assert not self.open, "the client left a connection open"


@asynccontextmanager
async def serving(play: Play, *, reads_request: bool = True) -> AsyncIterator[FaultServer]:
    """Play a script for every request; without `reads_request`, for every connection as it comes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server = FaultServer(int(listener.getsockname()[1]))
    accepting = asyncio.create_task(_accept(listener, server, play, reads_request=reads_request))
    try:
        yield server
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, *server.open, return_exceptions=True)
        listener.close()


async def _accept(listener: socket.socket, server: FaultServer, play: Play, *, reads_request: bool) -> None:
    loop = asyncio.get_running_loop()
    while True:
        connection, _ = await loop.sock_accept(listener)
        connection.setblocking(False)
        server.connections += 1
        task = asyncio.create_task(_serve(connection, server, play, reads_request=reads_request))
        server.open.add(task)
        task.add_done_callback(server.open.discard)


async def _serve(connection: socket.socket, server: FaultServer, play: Play, *, reads_request: bool) -> None:
    with connection:
        try:
            while True:
                wire = await _read_request(connection) if reads_request else Wire(connection, b"", b"")
                if wire is None:
                    return
                server.wires.append(wire)
                await play(wire)
                if not wire.keeps_alive:
                    break
            if connection.fileno() >= 0:
                connection.shutdown(socket.SHUT_WR)
                await wire.hang()
        except OSError:
            # The client hung up, which is its good right.
            return


async def _read_request(connection: socket.socket) -> Wire | None:
    loop = asyncio.get_running_loop()
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = await loop.sock_recv(connection, 65_536)
        if not more:
            return None
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += await loop.sock_recv(connection, 65_536)
    return Wire(connection, head, body)


def tls_server_hello_from(context: ssl.SSLContext) -> Play:
    """Return a script that speaks TLS with a certificate of its own, and plays nothing behind it."""

    async def play(wire: Wire) -> None:
        coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(coming, going, server_side=True)
        loop = asyncio.get_running_loop()
        while True:
            with suppress(ssl.SSLWantReadError):
                tls.do_handshake()
            await wire.send_raw(going.read())
            more = await loop.sock_recv(wire.connection, 65_536)
            if not more:
                return
            wire.body += more
            coming.write(more)

    return play
