"""What can go wrong with a stream, or looks as if it did: each kind before the first token, in the middle and at the end, with what must come of it.

The kinds themselves are in `fault_words`, `fault_bytes` and `fault_heads`.

`KINDS` maps a name to a function of the position. Where a fault has no place inside a stream (a status, a redirect, a handshake) the positions are
those of its own: nothing of it came, half of it, all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from desktop.domain.runs import RunState, Usage
from tests.llm.fault_server import DONE, FaultServer, Play, Wire, piece, stop

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
