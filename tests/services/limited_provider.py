"""A provider on a real socket that takes so many requests a minute, in a process of its own, and keeps a journal of what it served.

Every request is answered with the same summary after `latency` seconds, or refused (429) at once. The journal has a line of JSON for each, on the
disk before the answer begins and once more when it is over: whoever kills the client can compare what it knows with what was served.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from desktop.llm.scripted_server import DONE, chunk, usage_chunk
from tests.services.limiters import FixedWindow, Limiter, SlidingWindow, TokenBucket

ANSWER = "Gist: It was reported and is being looked at. [m1.1]\nProblem: Something does not work. [m1.1]\n"
INPUT_TOKENS, OUTPUT_TOKENS = 400, 30


@dataclass(frozen=True, slots=True)
class Served:
    """What one request came to: `refused`, `begun`, or `served` to its end; `sha256` is that of its body."""

    state: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LimitedProvider:
    """One that runs."""

    base_url: str
    journal: Path

    def requests(self) -> list[Served]:
        """Return what came, once each, in the state that it reached last."""
        found: dict[int, Served] = {}
        for line in self.journal.read_text(encoding="utf-8").splitlines():
            number, state, sha256 = json.loads(line)
            found[number] = Served(state, sha256)
        return list(found.values())


@contextmanager
def limited_provider(
    journal: Path, *, a_minute: int, kind: str = "window", latency: float = 0.1, headers: bool = False
) -> Iterator[LimitedProvider]:
    """Have one run for the length of a block."""
    options = ["--a-minute", str(a_minute), "--kind", kind, "--latency", str(latency), "--journal", str(journal)]
    command = [sys.executable, "-m", "tests.services.limited_provider", *options, *(["--headers"] if headers else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield LimitedProvider(process.stdout.readline().strip(), journal)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


class _Server:
    def __init__(self, limiter: Limiter, latency: float, journal: IO[str], *, has_headers: bool) -> None:
        self._limiter = limiter
        self._latency = latency
        self._journal = journal
        self._has_headers = has_headers
        self._number = 0

    def _note(self, number: int, state: str, sha256: str) -> None:
        self._journal.write(json.dumps([number, state, sha256]) + "\n")
        self._journal.flush()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                if head.startswith(b"GET"):
                    await self._send(writer, b'{"object":"list","data":[{"id":"m","object":"model"}]}')
                else:
                    await self._answer(writer, hashlib.sha256(body).hexdigest())
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, sha256: str) -> None:
        self._number += 1
        number, now = self._number, time.monotonic() + 1_000.0
        if not self._limiter.take(now):
            self._note(number, "refused", sha256)
            wait = f"retry-after: {self._limiter.retry_after(now):.3f}\r\n".encode()
            await self._send(writer, b'{"error":{"message":"too many requests"}}', b"429 Too Many Requests", wait)
            return
        self._note(number, "begun", sha256)
        limits = self._limiter.limits(now)
        said = (
            f"x-ratelimit-limit-requests: {limits.limit_requests}\r\nx-ratelimit-remaining-requests: {limits.remaining_requests}\r\n"
            f"x-ratelimit-reset-requests: {limits.reset_requests_seconds:.3f}s\r\n"
            if self._has_headers
            else ""
        )
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n{said}\r\n"
        writer.write(head.encode())
        await asyncio.sleep(self._latency)
        lines = ANSWER.splitlines(keepends=True)
        for piece in (*map(chunk, lines), chunk(finish="stop"), usage_chunk(INPUT_TOKENS, OUTPUT_TOKENS), DONE):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        # Before the last byte: what the client has seen the end of, the journal has too.
        self._note(number, "served", sha256)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _send(
        self, writer: asyncio.StreamWriter, body: bytes, status: bytes = b"200 OK", more: bytes = b""
    ) -> None:
        writer.write(b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n%s" % (status, more))
        writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()


async def main(options: Any) -> None:
    """Serve until standard input is closed."""
    limit = options.a_minute
    kinds: dict[str, Limiter] = {
        "window": FixedWindow(limit, offset=20.0),
        "sliding": SlidingWindow(limit),
        "bucket": TokenBucket(limit, max(1.0, limit / 60)),
    }
    with options.journal.open("a", encoding="utf-8") as journal:
        limited = _Server(kinds[options.kind], options.latency, journal, has_headers=options.headers)
        await asyncio.start_server(limited.serve, "127.0.0.1", 0)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--a-minute", type=int, required=True)
    parser.add_argument("--kind", choices=("window", "sliding", "bucket"), default="window")
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--headers", action="store_true")
    parser.add_argument("--journal", type=Path, required=True)
    asyncio.run(main(parser.parse_args()))
