"""A collector for tests: a real HTTP server on loopback that takes OTLP/HTTP and decodes what it was sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass
class Collector:
    """Answers `statuses` one after the other, the last again and again. `bodies` are the requests, `spans` what was taken."""

    statuses: list[int] = field(default_factory=lambda: [200])
    location: str = ""
    rejected: int = 0
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector._take(self.path, dict(self.headers), body)
                answer = ExportTraceServiceResponse(
                    partial_success=ExportTracePartialSuccess(rejected_spans=collector.rejected)
                ).SerializeToString()
                self.send_response(status)
                if collector.location:
                    self.send_header("Location", collector.location)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.paths.append(path)
        self.headers.append(headers)
        self.bodies.append(body)
        if status == 200:
            self.spans += _spans(body)
        return status


def _spans(body: bytes) -> list[dict[str, Any]]:
    """Return spans as plain values: the attributes by name, beside what a span has of its own."""
    found = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {
                    a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value") for a in span.attributes
                }
                found.append(
                    {
                        **attributes,
                        "name": span.name,
                        "kind": span.kind,
                        "status": span.status.code,
                        "trace": span.trace_id.hex(),
                        "span": span.span_id.hex(),
                        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                        "service": service.get("service.name"),
                    }
                )
    return found
