"""What does the provider layer cost beside the bare SDK? Both read the same streams from the same server in the same run.

A provider in a process of its own answers as fast as it can. Its streams are read by the bare openai SDK (`create(stream=True)`, joining the deltas),
by the program's client, and through the whole gate as summaries do: redaction of the ticket, ledger on disk, put back while streaming. Compared are
the time from the call to the first text, over `--calls` short answers (60), and the CPU time of this process for each 1,000 chunks, over `--rounds`
(5) streams of `--chunks` chunks (8,000). The three take turns, and medians are compared. Most of what the gate adds before the first text is that the
ledger is on the disk before anything leaves; how long this disk takes for a bare 4 kB is measured beside. Not measured: a network, a model, and the
window.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import openai
from measured import REPOSITORY, Figure, arguments, report

from desktop.config.paths import find_paths
from desktop.domain.imports import Finished
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta, StreamEvent
from desktop.domain.providers import ProviderProfile
from desktop.domain.tickets import Thread
from desktop.llm.openai_client import OpenAIClient
from desktop.services.container import Desk, open_desk
from desktop.services.outbound import Endpoint, Sending
from desktop.services.redaction import redactor_for

SERVER = """
import sys
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, usage_chunk
pieces = ("As ", "<PERSON_1> ", "said, ", "the ", "export ", "failed ", "again ", "[m1.2]. ")
def answer(chunks):
    return Script((*(chunk(pieces[i % len(pieces)]) for i in range(chunks)), chunk(finish="stop"), usage_chunk(900, chunks), DONE))
with ScriptedServer(answer(8)) as short, ScriptedServer(answer(int(sys.argv[1]))) as long:
    print(short.base_url, long.base_url, flush=True)
    sys.stdin.read()
"""
TICKET = "support-tickets:DSK-4136"
PAUSE_SECONDS = 0.1
"""Between two short answers, for all three: the gate keeps many requests in a row apart, which is not what a person who asks for one waits for."""

Reader = Callable[[], AsyncGenerator[str, None]]


def request_of(thread: Thread) -> ChatRequest:
    """Return what is asked about a ticket."""
    said = "\n\n".join(f"[m{i}] {message.author}: {message.text}" for i, message in enumerate(thread.messages, 1))
    messages = (ChatMessage("system", "Summarize the ticket."), ChatMessage("user", said))
    return ChatRequest("scripted", messages, max_tokens=10_000)


async def texts(events: AsyncGenerator[StreamEvent, None]) -> AsyncGenerator[str, None]:
    """Yield the text of a stream of the program's."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, StreamDelta):
                yield event.text


def bare(sdk: openai.AsyncOpenAI, request: ChatRequest) -> Reader:
    """Read by the SDK and nothing else."""

    messages: Any = [{"role": m.role, "content": m.content} for m in request.messages]

    async def read() -> AsyncGenerator[str, None]:
        stream = await sdk.chat.completions.create(
            model=request.model,
            messages=messages,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return read


def gated(desk: Desk, endpoint: Endpoint, thread: Thread) -> Reader:
    """Read through the gate, as a summary does: with a redactor of the ticket's own."""

    redactor = redactor_for(thread)

    def read() -> AsyncGenerator[str, None]:
        return texts(desk._outbound.stream(endpoint, request_of(thread), Sending("summarize", redactor=redactor)))

    return read


async def first_text_ms(read: Reader) -> float:
    """Return how long the first text of an answer took; the rest is read too."""
    await asyncio.sleep(PAUSE_SECONDS)
    began, first = time.perf_counter(), 0.0
    async for _ in read():
        first = first or (time.perf_counter() - began) * 1000
    return first


async def cpu_ms(read: Reader, chunks: int) -> float:
    """Return the CPU time of reading a stream, for each 1,000 of its chunks."""
    gc.collect()
    began, size = time.process_time(), 0
    async for text in read():
        size += len(text)
    if size < chunks:
        raise SystemExit(f"only {size} characters came: what was measured is not the stream")
    return (time.process_time() - began) * 1000 / (chunks / 1000)


@contextmanager
def serving(chunks: int) -> Iterator[tuple[str, str]]:
    """Answer in another process, so that its cost is in no figure; yield the addresses of short and of long answers."""
    command = [sys.executable, "-c", SERVER, str(chunks)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        assert server.stdout is not None
        try:
            short, long = server.stdout.readline().split()
            yield short, long
        finally:
            server.terminate()


async def readers_of(desk: Desk, base_url: str, name: str, thread: Thread) -> dict[str, Reader]:
    """Return the three that are compared, warmed up on this address."""
    desk.providers.save(ProviderProfile(name, "custom", base_url, model="scripted", redaction="on"))
    endpoint, request = await desk.resolve(name), request_of(thread)
    client = OpenAIClient(base_url=base_url, key="")
    sdk = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    readers: dict[str, Reader] = {
        "bare": bare(sdk, request),
        "client": lambda: texts(client.stream(request)),
        "gate": gated(desk, endpoint, thread),
    }
    for read in readers.values():
        await first_text_ms(read)
    return readers


async def measure(folder: Path, *, chunks: int, calls: int, rounds: int) -> list[Figure]:
    """Return all figures."""
    first: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    with serving(chunks) as (short, long):
        desk = await open_desk(find_paths(folder / "data"))
        thread = await a_thread(desk)
        short_readers = await readers_of(desk, short, "short", thread)
        long_readers = await readers_of(desk, long, "long", thread)
        for _ in range(calls):
            for name, read in short_readers.items():
                first.setdefault(name, []).append(await first_text_ms(read))
        for _ in range(rounds):
            for name, read in long_readers.items():
                cpu.setdefault(name, []).append(await cpu_ms(read, chunks))
        await desk.close()
    return [*_first_figures(first, disk_ms(folder, calls)), *_cpu_figures(cpu)]


def disk_ms(folder: Path, times: int) -> float:
    """Return how long this disk takes until 4 kB are really on it."""
    taken = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def _first_figures(first: dict[str, list[float]], disk: float) -> list[Figure]:
    bare_ms = statistics.median(first["bare"])
    figures = []
    for name in ("client", "gate"):
        ms = statistics.median(first[name])
        figures.append(Figure(f"first text, {name}", "ms", ms, "bare SDK", bare_ms))
        figures.append(Figure(f"first text, {name}, beyond the bare SDK", "ms", ms - bare_ms, "the aim", 5.0, most=1.0))
    gate_ms = statistics.median(first["gate"]) - statistics.median(first["client"])
    return [*figures, Figure("first text, what the gate adds", "ms", gate_ms, "4 kB on this disk", disk)]


def _cpu_figures(cpu: dict[str, list[float]]) -> list[Figure]:
    bare_ms = statistics.median(cpu["bare"])
    return [
        Figure(f"CPU per 1,000 chunks, {name}", "ms", statistics.median(cpu[name]), "bare SDK", bare_ms, most=1.3)
        for name in ("client", "gate")
    ]


async def a_thread(desk: Desk) -> Thread:
    """Return a ticket of the sample, five messages with what identifies people in it."""
    recognized = await desk.imports.recognize(desk.paths.sample)
    assert [event async for event in desk.imports.run(recognized) if isinstance(event, Finished)]
    thread = await desk.tickets.thread(await desk.tickets.find(TICKET))
    assert thread is not None
    return thread


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--chunks", type=int, default=8_000, help="chunks of a long answer (8000)")
    parser.add_argument("--calls", type=int, default=60, help="short answers (60)")
    parser.add_argument("--rounds", type=int, default=5, help="long answers (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), chunks=options.chunks, calls=options.calls, rounds=options.rounds))
    report(figures, as_json=options.json)


if __name__ == "__main__":
    main()
