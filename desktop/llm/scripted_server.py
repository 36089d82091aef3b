"""A scripted server: a provider on loopback that plays a script, for the self-check of a bundle and for tests.

It is a real HTTP server on a real socket, because the SDK's traffic cannot be seen anywhere else. Every POST plays the next script, the last one
again and again; `GET /v1/models` lists one model. It notes what it was asked and when the client hung up. It is no stand-in for a model, and
listens on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

EVENT_STREAM = (("Content-Type", "text/event-stream"),)
JSON = (("Content-Type", "application/json"),)
_PATIENCE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: status, headers, the parts of its body with a pause after each, and what then.

    `then` is `close` (end in good order), `drop` (hang up in mid-body), `reset` (the same, rudely) or `hang` (say nothing more until the client
    hangs up). `parts` repeat for ever when `is_endless`. `is_mute` sends not even a status.
    """

    parts: tuple[bytes, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = EVENT_STREAM
    pause_seconds: float = 0.0
    then: str = "close"
    is_endless: bool = False
    is_mute: bool = False


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What the client asked. `body` is the JSON it sent, {} when there was none, `raw` its bytes."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""


def event(data: object) -> bytes:
    """Return one server-sent event that carries `data` as JSON."""
    return b"data: " + json.dumps(data).encode("ascii") + b"\n\n"


def chunk(text: str | None = None, *, finish: str | None = None, **delta: object) -> bytes:
    """Return one piece of a chat completion: new text, or how it finished, or any other field of `delta`."""
    content = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": {**content, **delta}, "finish_reason": finish}
    return event(_completion([choice]))


def usage_chunk(input_tokens: int, output_tokens: int, *, cached: int = 0) -> bytes:
    """Return the piece that carries the usage, as it comes after the last text."""
    usage = {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return event({**_completion([]), "usage": usage})


DONE = b"data: [DONE]\n\n"


def words(text: str) -> tuple[bytes, ...]:
    """Return a text as the pieces that a model would send, a word each."""
    return tuple(chunk(piece) for piece in _pieces(text))


def good_stream(text: str, *, pause_seconds: float = 0.0, input_tokens: int = 20) -> Script:
    """Play a complete answer, word by word, with usage and `[DONE]`."""
    pieces = words(text)
    ending = (chunk(finish="stop"), usage_chunk(input_tokens, len(pieces)), DONE)
    return Script((*pieces, *ending), pause_seconds=pause_seconds)


def refusal(status: int, message: str = "", *, headers: tuple[tuple[str, str], ...] = (), **error: object) -> Script:
    """Play an error answer as OpenAI words it; `error` may hold `code`, `param` and `type`."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **error}}
    return Script((json.dumps(body).encode(),), status=status, headers=(*JSON, *headers))


class ScriptedServer:
    """The server, running between `with` and the end of its block. Its threads end with it."""

    def __init__(self, *scripts: Script, models: Script | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Play `scripts` in turn, the last one for ever; `models` answers `GET /v1/models`; with `tls` it speaks https."""
        self.requests: list[RecordedRequest] = []
        self.client_hung_up = threading.Event()
        self.hung_up_at = 0.0
        self._scripts = list(scripts) or [Script()]
        self._models = models or _model_list()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._server = _Server(self)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_PATIENCE_SECONDS,), name="scripted-server"
        )
        self.port = int(self._server.server_address[1])
        self.base_url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"

    def play(self, *scripts: Script) -> None:
        """From now on play these, the last one for ever."""
        with self._lock:
            self._scripts[:] = scripts

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        with self._lock:
            for connection in self._connections:
                _shut(connection)
        self._server.server_close()
        self._thread.join()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Return the JSON of every POST so far."""
        return [request.body for request in self.requests if request.method == "POST"]

    def _script_for(self, request: RecordedRequest) -> Script:
        with self._lock:
            self.requests.append(request)
            if request.method == "GET":
                return self._models
            return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def _wait(self, connection: socket.socket, seconds: float) -> bool:
        """Wait, unless the client hangs up or the server stops first; tell whether the client is still there."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set():
            left = until - time.monotonic()
            if select.select([connection], [], [], max(min(left, _PATIENCE_SECONDS), 0.0))[0]:
                if not _is_gone(connection):
                    return True
                self._note_hang_up()
                return False
            if left <= 0:
                return True
        return False

    def _note_hang_up(self) -> None:
        if not self.client_hung_up.is_set():
            self.hung_up_at = time.monotonic()
            self.client_hung_up.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = False

    def __init__(self, owner: ScriptedServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is part of many a script."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # As every provider's: else the first piece waits 40 ms for the client's system to acknowledge the head.
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.owner._lock:
            self.server.owner._connections.add(self.connection)

    def finish(self) -> None:
        with self.server.owner._lock:
            self.server.owner._connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a request for the list of models."""
        self._play(RecordedRequest("GET", self.path, dict(self.headers)))

    def do_POST(self) -> None:
        """Answer a request for a completion."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._play(RecordedRequest("POST", self.path, dict(self.headers), json.loads(raw or b"{}"), raw))

    def do_CONNECT(self) -> None:
        """Note that this server was taken for a proxy, and decline."""
        self.server.owner.requests.append(RecordedRequest("CONNECT", self.path, dict(self.headers)))
        self.send_error(502)

    def _play(self, request: RecordedRequest) -> None:
        script = self.server.owner._script_for(request)
        self.close_connection = script.then != "close"
        try:
            self._send(script)
        except OSError:
            self.server.owner._note_hang_up()
            self.close_connection = True

    def _send(self, script: Script) -> None:
        if not script.is_mute:
            self.send_response(script.status)
            for name, value in (*script.headers, ("Transfer-Encoding", "chunked")):
                self.send_header(name, value)
            self.end_headers()
        if self._send_parts(script):
            self._end(script)

    def _send_parts(self, script: Script) -> bool:
        while True:
            for part in script.parts:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                if not self.server.owner._wait(self.connection, script.pause_seconds):
                    self.close_connection = True
                    return False
            if not script.is_endless:
                return True

    def _end(self, script: Script) -> None:
        if script.then == "hang":
            self.server.owner._wait(self.connection, float("inf"))
        elif script.then == "reset":
            # Closing with a linger of zero sends a reset in place of a farewell.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            )
            self.connection.close()
        elif script.then == "close":
            self.wfile.write(b"0\r\n\r\n")


def _completion(choices: list[dict[str, object]]) -> dict[str, object]:
    return {"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": choices}


def _model_list() -> Script:
    models = [{"id": "scripted", "object": "model", "created": 0, "owned_by": "nobody"}]
    return Script((json.dumps({"object": "list", "data": models}).encode(),), headers=JSON)


def _pieces(text: str) -> list[str]:
    return [piece for piece in text.replace(" ", " \0").replace("\n", "\n\0").split("\0") if piece]


def _is_gone(connection: socket.socket) -> bool:
    if isinstance(connection, ssl.SSLSocket):
        return True
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
