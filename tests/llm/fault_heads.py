"""The kinds of `fault_kinds` that happen before a stream begins: statuses, heads, redirects, handshakes and names."""

from __future__ import annotations

import functools
import ssl
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.llm.fault_kinds import (
    BROKEN,
    CONNECTION,
    KINDS,
    MEGABYTE,
    REQUEST,
    Case,
    complete,
    events,
    fault,
    kind,
    sends_raw,
)
from tests.llm.fault_server import CHUNKED, DONE, HEAD, UNTIL_CLOSE, FaultServer, Wire, stop, tls_server_hello_from

KEY = "sk-canary-0123456789abcdef"
WHOLE = b"".join((*events(), stop(), DONE))
PAGE = b"<html><head><title>Log in</title></head><body>Please log in to the hotel's network.</body></html>"

STATUSES = {
    401: ("provider-key", False),
    403: ("provider-key", False),
    404: (REQUEST, False),
    408: ("provider-timeout", False),
    409: (REQUEST, False),
    422: (REQUEST, False),
    429: ("provider-quota", True),
    500: (BROKEN, True),
    503: (BROKEN, True),
}
RETRY_AFTER = {
    0: (b"Retry-After: 7\r\n", 7.0),
    2: (b"Date: Wed, 25 Nov 2026 10:00:00 GMT\r\nRetry-After: Wed, 25 Nov 2026 10:00:09 GMT\r\n", 9.0),
    5: (b"retry-after-ms: 1500\r\nRetry-After: 2\r\n", 1.5),
}


def _status(status: int, *, says_when: bool) -> None:
    def make(n: int) -> Case:
        code, is_transient = STATUSES[status]
        header, seconds = RETRY_AFTER[n] if says_when else (b"", None)
        body = b'{"error": {"message": "Not now.", "type": "error", "code": null, "param": null}}'
        head = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\n%s" % (status, header)
        came = {0: b"", 2: body[:30], 5: body}[n]
        expected = fault(code, status=status, is_transient=is_transient, retry_after=seconds)
        return Case(sends_raw(head + b"Content-Length: %d\r\n\r\n" % (len(body) if n else 0), came), expected)

    KINDS[f"status {status}{' with Retry-After' if says_when else ''}"] = make


for _each in STATUSES:
    _status(_each, says_when=False)
    _status(_each, says_when=True)


@kind
def a_refusal_that_never_ends(n: int) -> Case:
    """Nothing more of its body, a trickle of it, and megabytes of it."""

    async def play(wire: Wire) -> None:
        await wire.send_raw(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\n\r\n")
        if n == 0:
            await wire.hang()
        if n == 2:
            await KINDS["trickle"](0).play(wire)
        await wire.send_raw(b"x" * 30 * MEGABYTE)

    return Case(play, fault(BROKEN, status=503, is_transient=True, retry_after=7.0), seconds=0.3)


@kind
def slow_headers(n: int) -> Case:
    came = {0: b"", 2: b"HTTP/1.1 20", 5: HEAD}[n]

    async def play(wire: Wire) -> None:
        await wire.send_raw(came)
        await wire.hang()

    return Case(play, fault("provider-timeout", status=0, is_transient=True), seconds=0.3)


@kind
def no_http_at_all(n: int) -> Case:
    said = {
        0: b"SSH-2.0-OpenSSH_9.6\r\n",
        2: b"HTTP/1.1 2",
        5: HEAD + b"X-Long: " + b"x" * MEGABYTE + b"\r\n\r\n",
    }
    return Case(sends_raw(said[n]), fault(CONNECTION, status=0, is_transient=True))


@kind
def hanging_up_at_once(n: int) -> Case:
    """In good order after the request, rudely after it, and rudely before it was read."""

    async def play(wire: Wire) -> None:
        if n:
            wire.reset()

    expected = fault(CONNECTION, status=0, is_transient=True)
    return Case(play, expected, reads_request=n < 5)


@kind
def a_redirect_to_another_host(n: int) -> Case:
    """The other host is the same server by another name: a second connection would be seen."""
    heads = {0: b"301 Moved", 2: b"307 Temporary", 5: b"308 Permanent"}

    async def play(wire: Wire) -> None:
        port = wire.connection.getsockname()[1]
        length = b"Content-Length: %d\r\n\r\n" % (len(WHOLE) if n else 0)
        location = b"Location: http://localhost:%d/v1/chat/completions\r\n" % port
        await wire.send_raw(b"HTTP/1.1 " + heads[n] + b"\r\n" + location + length + WHOLE[: {0: 0, 2: 50, 5: None}[n]])

    def check(server: FaultServer) -> None:
        assert server.connections == 1, "the client went where it was sent"

    return Case(play, fault(REQUEST, status={0: 301, 2: 307, 5: 308}[n]), check=check)


@kind
def early_hints(n: int) -> Case:
    hints = {
        0: b"HTTP/1.1 100 Continue\r\n\r\n",
        2: b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
        5: b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    }
    return Case(sends_raw(hints[n], UNTIL_CLOSE, WHOLE), complete())


@kind
def status_204(n: int) -> Case:
    answers = {
        0: b"HTTP/1.1 204 No Content\r\n\r\n",
        2: b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        5: b"HTTP/1.1 204 No Content\r\nContent-Type: text/event-stream\r\n\r\n" + WHOLE,
    }
    return Case(sends_raw(answers[n]), fault(BROKEN, status=204))


@kind
def an_html_page(n: int) -> Case:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    answers = {
        0: head + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE,
        2: head + b"Connection: close\r\n\r\n" + PAGE[:30],
        5: head + b"Connection: close\r\n\r\n" + PAGE + b"x" * 30 * MEGABYTE,
    }
    return Case(sends_raw(answers[n]), fault(BROKEN))


@kind
def an_answer_that_is_no_stream(n: int) -> Case:
    whole = b'{"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}'
    body = {0: b"{}", 2: whole[:30], 5: whole}[n]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return Case(sends_raw(head + body), fault(BROKEN))


@kind
def a_name_that_nobody_has(n: int) -> Case:
    """`.invalid` is reserved for that (RFC 6761): resolvers answer it themselves. The long label is refused before anybody is asked."""
    hosts = {0: "nowhere.invalid", 2: "nowhere.invalid:8443", 5: "a" * 64 + ".invalid"}
    expected = fault("provider-name", status=0)
    return Case(sends_raw(b""), expected, base_url=f"https://{hosts[n]}/v1", check=_nobody_came)


@kind
def tls_that_fails(n: int) -> Case:
    """The server speaks no TLS; it hangs up within the handshake; its certificate is its own."""
    plain = sends_raw(CHUNKED + WHOLE)
    half = sends_raw(b"\x16\x03\x03\x00\x7a\x02\x00\x00")
    play = {0: plain, 2: half, 5: tls_server_hello_from(_own_certificate())}[n]
    expected = {
        0: fault("provider-certificate", status=0),
        2: fault(CONNECTION, status=0, is_transient=True),
        5: fault("provider-certificate", status=0),
    }[n]
    case = Case(play, expected, base_url="https://127.0.0.1:{port}/v1", reads_request=False, check=_no_key)
    return replace(case, seconds=2.0)


def _nobody_came(server: FaultServer) -> None:
    assert server.connections == 0


def _no_key(server: FaultServer) -> None:
    for wire in server.wires:
        assert KEY.encode() not in wire.head + wire.body


@functools.cache
def _own_certificate() -> ssl.SSLContext:
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1"]
        subprocess.run([*command, *names], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
    return context
