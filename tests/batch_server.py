"""A batch server: a provider with files, batches and chat completions on 127.0.0.1, that plays api.openai.com behind a proxy of its own.

It is the proxy and the provider in one: a client connects to it, asks for a tunnel to the provider's host, and finds it at the other end too, with a
certificate of an authority that was made for the test. So host, price, key, TLS and redaction are those of the real thing, and nothing leaves the
machine. It journals every request with its bytes, counts the tokens that it would bill, and does wrong whatever a test asks it to.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from desktop.llm.scripted_server import DONE, chunk, usage_chunk

HOST = "api.openai.com"
KEY = "sk-canary-5f1c9a7e3b2d4860"
MODEL = "gpt-4o-mini"
GOOD = "Gist: The customer wrote. [m1.1]\nProblem: It is told in the first message. [m1.1]\n"
INPUT_TOKENS, OUTPUT_TOKENS = 1_000, 100
"""What every answer is billed as."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of one request: an answer, or an error with its HTTP status."""

    text: str = GOOD
    finish: str = "stop"
    status: int = 200
    message: str = ""


@dataclass(frozen=True, slots=True)
class Journaled:
    """One HTTP request that came through."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Batch:
    id: str
    input_file_id: str
    metadata: dict[str, Any]
    states: list[str]
    state: str = "validating"
    output: str | None = None
    errors: str | None = None
    completed: int = 0
    failed: int = 0
    total: int = 0
    problem: str = ""


@dataclass(slots=True)
class Plan:
    """How the server behaves. All of it may be changed between two requests.

    `states` are what the polls of a batch are told, the last one for ever. `done` of the requests, from the first, have an answer when it is over
    early. `reshape` has the last word on the lines of the results. `faults` are statuses that the next requests of a method and path get.
    """

    reply: Callable[[str, dict[str, Any]], Reply] = lambda custom_id, body: Reply()
    states: Sequence[str] = ("in_progress", "finalizing", "completed")
    done: int | None = None
    reshape: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
    faults: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    problem: str = "The file is not what it should be."


class BatchServer:
    """The server, running between `with` and the end of its block."""

    def __init__(self, certificate: Path) -> None:
        self.plan = Plan()
        self.journal: list[Journaled] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.uploads: list[bytes] = []
        self.deleted: list[str] = []
        self.batches: dict[str, _Batch] = {}
        self.billed_batch = 0
        self.billed_live = 0
        self.on_request: Callable[[str, str], None] = lambda method, path: None
        self.lock = threading.RLock()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="batch-server")
        self.proxy = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.close_all()
        self._server.server_close()
        self._thread.join()

    @property
    def requests_of_uploads(self) -> list[dict[str, Any]]:
        """Return all lines of all files that were uploaded."""
        return [json.loads(line) for upload in self.uploads for line in upload.splitlines()]

    @property
    def cost_microusd(self) -> float:
        """Return what it would bill for gpt-4o-mini: 0.15 and 0.60 dollars a million tokens, half of it in batches."""
        an_answer = INPUT_TOKENS * 0.15 + OUTPUT_TOKENS * 0.60
        return self.billed_batch * an_answer * 0.5 + self.billed_live * an_answer

    def calls(self, method: str, pattern: str) -> list[Journaled]:
        """Return the requests of a method whose path matches."""
        return [j for j in self.journal if j.method == method and re.fullmatch(pattern, j.path)]

    # What it does

    def answer(self, request: Journaled) -> tuple[int, bytes, str]:
        """Return status, body and content type."""
        path = urlsplit(request.path).path
        for (method, prefix), statuses in self.plan.faults.items():
            if method == request.method and request.path.startswith(prefix) and statuses:
                status = statuses.pop(0)
                return _json({"error": {"message": "no", "type": "x", "code": None}}, status)
        if path == "/v1/chat/completions":
            return self._complete(json.loads(request.body))
        if path.startswith("/v1/files"):
            return self._files(request, path.removeprefix("/v1/files").strip("/"))
        return self._batches(request, path.removeprefix("/v1/batches").strip("/"))

    def _complete(self, body: dict[str, Any]) -> tuple[int, bytes, str]:
        reply = self.plan.reply("live", body)
        if reply.status != 200:
            return _json({"error": {"message": reply.message, "type": "x", "code": None}}, reply.status)
        self.billed_live += 1
        parts = (chunk(reply.text), chunk(finish=reply.finish), usage_chunk(INPUT_TOKENS, OUTPUT_TOKENS), DONE)
        return 200, b"".join(parts), "text/event-stream"

    def _files(self, request: Journaled, rest: str) -> tuple[int, bytes, str]:
        if request.method == "POST":
            name, content = _read_upload(request)
            file_id = f"file-in-{len(self.uploads) + 1}"
            self.files[file_id] = (name, content)
            self.uploads.append(content)
            return _json(self._file(file_id))
        if not rest:
            return _json({"object": "list", "data": [self._file(id_) for id_ in self.files], "has_more": False})
        file_id = rest.split("/")[0]
        if file_id not in self.files:
            return _json({"error": {"message": "No such File object", "type": "x", "code": None}}, 404)
        if request.method == "DELETE":
            del self.files[file_id]
            self.deleted.append(file_id)
            return _json({"id": file_id, "object": "file", "deleted": True})
        return 200, self.files[file_id][1], "application/octet-stream"

    def _file(self, file_id: str) -> dict[str, Any]:
        name, content = self.files[file_id]
        purpose = "batch" if file_id.startswith("file-in") else "batch_output"
        return {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": 1,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }

    def _batches(self, request: Journaled, rest: str) -> tuple[int, bytes, str]:
        if request.method == "POST" and not rest:
            asked = json.loads(request.body)
            assert (asked["completion_window"], asked["endpoint"]) == ("24h", "/v1/chat/completions")
            batch = _Batch(
                f"batch_{len(self.batches) + 1}", asked["input_file_id"], asked["metadata"], list(self.plan.states)
            )
            batch.total = len(self.files[batch.input_file_id][1].splitlines())
            self.batches[batch.id] = batch
            return _json(self._batch(batch))
        if not rest:
            newest = [self._batch(batch) for batch in reversed(self.batches.values())]
            return _json({"object": "list", "data": newest, "has_more": False})
        found = self.batches.get(rest.split("/")[0])
        if found is None:
            return _json({"error": {"message": "No such batch", "type": "x", "code": None}}, 404)
        if rest.endswith("/cancel"):
            found.state, found.states = "cancelling", ["cancelled"]
            return _json(self._batch(found))
        self._go_on(found)
        return _json(self._batch(found))

    def _go_on(self, batch: _Batch) -> None:
        if batch.state in ("completed", "failed", "expired", "cancelled"):
            return
        batch.state = batch.states.pop(0) if len(batch.states) > 1 else batch.states[0]
        if batch.state == "failed":
            batch.problem = self.plan.problem
        elif batch.state in ("completed", "expired", "cancelled"):
            self._work_off(batch)

    def _work_off(self, batch: _Batch) -> None:
        """Answer the requests of a batch, as many as it got to."""
        outputs, errors = [], []
        most = batch.total if batch.state == "completed" or self.plan.done is None else self.plan.done
        if batch.state != "completed" and self.plan.done is None:
            most = 0
        for place, line in enumerate(self.files[batch.input_file_id][1].splitlines()):
            asked = json.loads(line)
            custom_id = asked["custom_id"]
            if place >= most:
                error = {"code": f"batch_{batch.state}", "message": "This request could not be executed."}
                errors.append({"id": f"r{place}", "custom_id": custom_id, "response": None, "error": error})
                continue
            reply = self.plan.reply(custom_id, asked["body"])
            if reply.status == 200:
                outputs.append(_answered(place, custom_id, reply))
                self.billed_batch += 1
            else:
                errors.append(_refused(place, custom_id, reply))
        batch.completed, batch.failed = len(outputs), len(errors)
        batch.output = self._keep(f"file-out-{batch.id}", self.plan.reshape(_lines(outputs)))
        batch.errors = self._keep(f"file-err-{batch.id}", _lines(errors))

    def _keep(self, file_id: str, lines: list[bytes]) -> str | None:
        if not lines:
            return None
        self.files[file_id] = (f"{file_id}.jsonl", b"".join(lines))
        return file_id

    def _batch(self, batch: _Batch) -> dict[str, Any]:
        errors = {"object": "list", "data": [{"code": "x", "message": batch.problem, "line": None, "param": None}]}
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "created_at": 1,
            "input_file_id": batch.input_file_id,
            "status": batch.state,
            "output_file_id": batch.output,
            "error_file_id": batch.errors,
            "metadata": batch.metadata,
            "errors": errors if batch.problem else None,
            "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = False

    def __init__(self, owner: BatchServer) -> None:
        self.owner = owner
        self.connections: set[Any] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def close_all(self) -> None:
        """End the connections that clients keep warm."""
        with self.owner.lock:
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(2)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        super().setup()
        with self.server.owner.lock:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.owner.lock:
            self.server.connections.discard(self.connection)
        super().finish()
        # The server itself closes the socket that it accepted, which the tunnel took over.
        self.connection.close()

    def do_CONNECT(self) -> None:
        """Be the tunnel, and the provider at its end."""
        assert self.path == f"{HOST}:443"
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        with self.server.owner.lock:
            self.server.connections.discard(self.connection)
        self.connection = self.server.owner.tls.wrap_socket(self.connection, server_side=True)
        self.request = self.connection
        with self.server.owner.lock:
            self.server.connections.add(self.connection)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    do_POST = do_GET  # noqa: N815 - the names that http.server looks for
    do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        body = self._read_body()
        owner = self.server.owner
        request = Journaled(self.command, self.path, dict(self.headers), body)
        owner.on_request(self.command, self.path)
        with owner.lock:
            owner.journal.append(request)
            assert self.headers["Authorization"] == f"Bearer {KEY}"
            status, content, kind = owner.answer(request)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


def _json(values: object, status: int = 200) -> tuple[int, bytes, str]:
    return status, json.dumps(values).encode(), "application/json"


def _lines(values: Sequence[object]) -> list[bytes]:
    return [json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values]


def _answered(place: int, custom_id: str, reply: Reply) -> dict[str, Any]:
    usage = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    choice = {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": reply.finish}
    completion = {"id": "c", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice]}
    response = {"status_code": 200, "request_id": f"q{place}", "body": {**completion, "usage": usage}}
    return {"id": f"r{place}", "custom_id": custom_id, "response": response, "error": None}


def _refused(place: int, custom_id: str, reply: Reply) -> dict[str, Any]:
    body = {"error": {"message": reply.message, "type": "x", "param": None, "code": None}}
    response = {"status_code": reply.status, "request_id": f"q{place}", "body": body}
    return {"id": f"r{place}", "custom_id": custom_id, "response": response, "error": None}


def _read_upload(request: Journaled) -> tuple[str, bytes]:
    """Return the name and the content of the file in a multipart body."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = {
        str(part.get_param("name", header="content-disposition")): part
        for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts()
    }
    assert _payload(parts["purpose"]).strip() == b"batch"
    return str(parts["file"].get_filename()), _payload(parts["file"])


def _payload(part: Any) -> bytes:
    return bytes(part.get_payload(decode=True))


def make_certificate(folder: Path) -> Path:
    """Make a certificate for the provider's host, with its key in the same file."""
    cert, key = folder / "provider.crt", folder / "provider.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-days", "7", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "provider.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    return both


@contextmanager
def playing_openai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    """Run a server, and have this process take it for api.openai.com, with a key from the environment."""
    certificate = make_certificate(tmp_path)
    with BatchServer(certificate) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.proxy)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "provider.crt"))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield server
