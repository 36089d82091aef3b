"""OTLP: what is told of a request to a collector of the user's own, as a span of OpenTelemetry's conventions for generative AI, over OTLP/HTTP.

A span holds who was asked, for what, how long it took, how many tokens it had and how it ended: never a prompt, an answer, or a provider's own words
about an error, which may repeat either. The collector's address is the one the user gave and no other: no redirect is followed, no proxy is asked,
and nothing of the environment (`OTEL_…`) is read for it; that is why the SDK makes the bytes and its exporter does not send them. The libraries are
imported with the first span, in a worker's thread.

Conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import calendar
import contextlib
import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from desktop.domain.errors import DeskError
from desktop.domain.outgoing import LedgerEntry
from desktop.domain.runs import RunState

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

TIMEOUT_SECONDS = 5.0
MOST_ANSWER_BYTES = 65_536
TRACES_PATH = "/v1/traces"
_EXAMPLE = "Give an address such as https://collector.example.com:4318."
_HOST = re.compile(r"[A-Za-z0-9.:_-]+")
# By the host as the ledger has it; what is not here is called as the user calls it.
_KNOWN_PROVIDERS = (
    ("api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.perplexity.ai", "perplexity"),
    ("api.x.ai", "x_ai"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
)
_OPERATIONS = {"embed": "embeddings", "embeddings": "embeddings"}


def full_address(text: str, *, is_loopback: Callable[[str], bool]) -> str:
    """Return where spans are posted to for an address that the user gave; '' for none.

    Raises:
        DeskError: `otlp-address`; the message never repeats a name or password that stands in the address.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad_address("The collector's address cannot be read.") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or port == 0:
        raise _bad_address("The collector's address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise _bad_address(f"The address of {host} holds a user name or password, which would be stored unprotected.")
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise _bad_address(f"The address of {host} holds a part that cannot be used: “?”, “#” or a space.")
    if parts.scheme == "http" and not is_loopback(text):
        raise DeskError(
            "otlp-address",
            f"With http:// the spans would travel unencrypted to {host}.",
            remedy="Use https://; plain http:// is only for this machine.",
        )
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(TRACES_PATH) else path + TRACES_PATH).geturl()


def encode(entries: Sequence[LedgerEntry], *, secret: bytes, version: str) -> bytes:
    """Return the body of one OTLP request: a span each entry. The ids follow from `secret` and the entries: what is sent again is the same span."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    body: bytes = encode_spans([_span(entry, secret, version) for entry in entries]).SerializeToString()
    return body


def post(address: str, body: bytes, *, connection: http.client.HTTPConnection) -> None:
    """Post spans to a collector; blocks, for `TIMEOUT_SECONDS` a step at most.

    Raises:
        DeskError: `otlp-unreachable`, `otlp-refused`.
    """
    parts = urlsplit(address)
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": "tldesk"}
    try:
        connection.request("POST", parts.path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read(MOST_ANSWER_BYTES)
    except ssl.SSLError as error:
        raise _unreachable(
            parts, f"its certificate is not trusted ({getattr(error, 'reason', None) or 'TLS'})"
        ) from None
    except TimeoutError:
        raise _unreachable(parts, f"it did not answer within {TIMEOUT_SECONDS:.0f} s") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _unreachable(parts, reason[:1].lower() + reason[1:]) from None
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise _refused(parts, answer.status)
    if rejected := _rejected(text):
        raise DeskError(
            "otlp-partial",
            f"The collector at {parts.hostname} took the spans and rejected {rejected:,} of them.",
            remedy="See its own log for the reason; they are not sent again.",
        )


def connect(address: str) -> http.client.HTTPConnection:
    """Return a connection to a collector, not opened yet; whoever holds it can close it from another thread."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=context)


def abort(connection: http.client.HTTPConnection) -> None:
    """End what another thread does with a connection, wherever it waits."""
    with contextlib.suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _span(entry: LedgerEntry, secret: bytes, version: str) -> ReadableSpan:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    # The requests of one run share a trace.
    whole = f"run {entry.run_id}" if entry.run_id else f"request {entry.id} {entry.at}"
    context = SpanContext(
        trace_id=_id(secret, whole, 16),
        span_id=_id(secret, f"span {entry.id} {entry.at}", 8),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    operation = _OPERATIONS.get(entry.purpose, "chat")
    began = calendar.timegm(time.strptime(entry.at[:19], "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000
    is_error = entry.state in (RunState.FAILED, RunState.INCOMPLETE)
    return ReadableSpan(
        name=f"{operation} {entry.model}".strip(),
        context=context,
        kind=SpanKind.CLIENT,
        resource=Resource({"service.name": "tldesk", "service.version": version}),
        instrumentation_scope=InstrumentationScope("tldesk", version),
        attributes=_attributes(entry, operation),
        status=Status(StatusCode.ERROR if is_error else StatusCode.UNSET),
        start_time=began,
        end_time=began + round(entry.seconds * 1_000_000_000),
    )


def _attributes(entry: LedgerEntry, operation: str) -> dict[str, Any]:
    host, _, port = entry.host.rpartition(":") if re.search(r"[^:]:\d+$", entry.host) else (entry.host, "", "")
    provider = next((name for end, name in _KNOWN_PROVIDERS if host == end or host.endswith(end)), entry.provider)
    is_error = entry.state in (RunState.FAILED, RunState.INCOMPLETE)
    found = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider or "unknown",
        # What it was called until version 1.36 of the conventions; collectors still look for it.
        "gen_ai.system": provider or "unknown",
        "gen_ai.request.model": entry.model,
        "gen_ai.usage.input_tokens": entry.usage.input_tokens,
        "gen_ai.usage.output_tokens": entry.usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": entry.usage.cached_input_tokens,
        "server.address": host,
        "server.port": int(port) if port else None,
        "http.response.status_code": entry.status or None,
        "error.type": (entry.error or str(entry.state)) if is_error else None,
        "tldesk.state": str(entry.state),
        "tldesk.purpose": entry.purpose,
        "tldesk.recipe": entry.recipe or None,
        "tldesk.attempt": entry.attempt,
        "tldesk.first_token_seconds": entry.first_token_seconds,
        "tldesk.cost_usd": None if entry.cost_microusd is None else entry.cost_microusd / 1e6,
    }
    return {name: value for name, value in found.items() if value is not None}


def _id(secret: bytes, text: str, size: int) -> int:
    return int.from_bytes(hmac.digest(secret, text.encode(), hashlib.sha256)[:size], "big") or 1


def _rejected(answer: bytes) -> int:
    """Return how many spans a collector says it rejected of those it took; 0 where it says nothing that can be read."""
    if answer[:1] == b"{":
        with contextlib.suppress(ValueError, AttributeError, TypeError):
            return int(json.loads(answer).get("partialSuccess", {}).get("rejectedSpans", 0))
        return 0
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    with contextlib.suppress(DecodeError):
        return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
    return 0


def _unreachable(parts: SplitResult, reason: str) -> DeskError:
    return DeskError(
        "otlp-unreachable",
        f"The collector at {parts.hostname} was not reached: {reason}.",
        remedy="Check its address, and that it runs; what is not sent yet is sent later.",
    )


def _refused(parts: SplitResult, status: int) -> DeskError:
    if 300 <= status < 400:
        return DeskError(
            "otlp-refused",
            f"The collector at {parts.hostname} redirects elsewhere ({status}), which is not followed.",
            remedy="Give the address that it redirects to, if you trust it.",
        )
    hint = {
        401: "It wants credentials, which TLDesk does not send: use a collector that takes spans without.",
        403: "It wants credentials, which TLDesk does not send: use a collector that takes spans without.",
        404: "Check the path of its address: OTLP/HTTP takes traces at /v1/traces.",
        405: "Check its address: it does not look like an OTLP/HTTP collector.",
    }
    return DeskError(
        "otlp-refused",
        f"The collector at {parts.hostname} did not take the spans (status {status}).",
        remedy=hint.get(status, "See its own log for the reason; what is not sent yet is sent later."),
    )


def _bad_address(message: str) -> DeskError:
    return DeskError("otlp-address", message, remedy=_EXAMPLE)
