"""Batches through the openai SDK: a file of requests goes up, the provider works it off within a day, a file of answers comes down.

What comes down is read line by line, as what it is: the word of a stranger. A line that is none of ours or no JSON at all is passed over, and an
answer ends by the same rules as a stream. Deliberately not here: when to ask again, and what to do with an answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from desktop.domain.batches import BatchAnswer, BatchState, RemoteBatch
from desktop.domain.llm import ChatRequest, ProviderFault
from desktop.domain.text import visible_text
from desktop.llm.answer import Answer
from desktop.llm.calls import OnSend
from desktop.llm.faults import Exchange, explain
from desktop.llm.openai_client import OpenAIClient

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
"""What the API takes in one file (developers.openai.com, guide *Batch*): so many requests, and so many bytes."""
ENDPOINT: Final = "/v1/chat/completions"

_ASK_SECONDS = 60.0
_FILE_SECONDS = 3_600.0
_MOST_LINE_BYTES = 4_000_000
_MOST_RESULT_BYTES = 4_000_000_000
_QUOTE_CHARACTERS = 200
_ONLY_OF_STREAMS = ("stream", "stream_options")


class BatchClient:
    """The files and batches of one provider."""

    def __init__(self, client: OpenAIClient, *, on_send: OnSend | None = None) -> None:
        """`on_send` is awaited with the body of each HTTP request before it goes, but for that of a file, which is never held whole."""
        self._client = client
        self._on_send = on_send

    def line(self, custom_id: str, request: ChatRequest) -> bytes:
        """Return a request as one line of the file that is handed over: what would be sent live, but for the streaming."""
        return write_line(custom_id, request_body(self._client.body(request)))

    async def upload(self, name: str, file: IO[bytes]) -> str:
        """Send a file of requests and return the id that the provider gave it.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        sent = (name, file, "application/jsonl")
        found = await self._client.call(lambda sdk: sdk.files.create(file=sent, purpose="batch"), seconds=_FILE_SECONDS)
        return self._named(found)

    async def create(self, input_file_id: str, name: str) -> RemoteBatch:
        """Begin a batch; `name` is noted with it, so that it can be found again.

        Raises:
            ProviderFault: as `upload`.
        """
        created = await self._ask(
            lambda sdk: sdk.batches.create(
                completion_window="24h", endpoint=ENDPOINT, input_file_id=input_file_id, metadata={"tldesk": name}
            )
        )
        self._named(created)
        return _remote(created)

    async def retrieve(self, remote_id: str) -> RemoteBatch:
        """Return how a batch stands.

        Raises:
            ProviderFault: as `upload`; with status 404 when there is no such batch.
        """
        found = await self._ask(lambda sdk: sdk.batches.retrieve(remote_id))
        self._named(found)
        return _remote(found)

    async def cancel(self, remote_id: str) -> RemoteBatch:
        """Have a batch stopped.

        Raises:
            ProviderFault: as `upload`.
        """
        found = await self._ask(lambda sdk: sdk.batches.cancel(remote_id))
        self._named(found)
        return _remote(found)

    async def find(self, input_file_id: str) -> RemoteBatch | None:
        """Return the batch that was begun from a file, None when none was: whoever was killed after asking for one did not learn its id.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(lambda sdk: _first_of(sdk, input_file_id))

    async def find_file(self, name: str) -> str:
        """Return the id of an uploaded file of ours, '' when there is none.

        Raises:
            ProviderFault: as `upload`.
        """
        return await self._ask(lambda sdk: _file_named(sdk, name))

    async def delete(self, file_id: str) -> None:
        """Have a file deleted; one that is not there any more is as good.

        Raises:
            ProviderFault: as `upload`.
        """
        try:
            await self._ask(lambda sdk: sdk.files.delete(file_id))
        except ProviderFault as fault:
            if fault.status != 404:
                raise

    async def answers(self, file_id: str) -> AsyncGenerator[BatchAnswer, None]:
        """Yield what the lines of a result file say, those that cannot be read left out.

        Raises:
            ProviderFault: as `upload`; with status 404 when the file is gone.
        """
        async with aclosing(self._pieces(file_id)) as pieces:
            async for line in split_lines(pieces):
                if (answer := read_line(line, host=self._client.host)) is not None:
                    yield answer

    async def _pieces(self, file_id: str) -> AsyncGenerator[bytes, None]:
        opened = await self._client.call(
            lambda sdk: _open(sdk, file_id), on_send=self._on_send, seconds=_FILE_SECONDS, most_bytes=_MOST_RESULT_BYTES
        )
        until = time.monotonic() + _FILE_SECONDS
        try:
            while True:
                left = max(0.001, until - time.monotonic())
                piece = await self._client.call(lambda _: _next(opened.pieces), seconds=left)
                if piece is None:
                    return
                yield piece
        finally:
            await opened.close()

    async def _ask(self, ask: Callable[[AsyncOpenAI], Awaitable[T]]) -> T:
        return await self._client.call(ask, on_send=self._on_send, seconds=_ASK_SECONDS)

    def _named(self, found: object) -> str:
        """Return the id of what came; whatever has none is no answer of this API."""
        id_ = getattr(found, "id", None)
        if not isinstance(id_, str) or not id_:
            raise ProviderFault(
                "provider-broken",
                f"{self._client.host} did not answer as a provider with batches does.",
                remedy="Summarize without --batch, or choose another provider.",
            )
        return id_


def request_body(sent: bytes) -> dict[str, Any]:
    """Return a request's body as a batch has it, from the bytes that would be sent live."""
    body: dict[str, Any] = json.loads(sent)
    return {name: value for name, value in body.items() if name not in _ONLY_OF_STREAMS}


def write_line(custom_id: str, body: dict[str, Any]) -> bytes:
    """Return one request as a line of the file that is handed over."""
    line = {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


async def split_lines(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the lines of what comes in pieces. A line longer than any answer can be is passed over, and never held whole."""
    held, is_too_long = bytearray(), False
    async for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            if not is_too_long:
                yield bytes(held + part)
            held, is_too_long = bytearray(), False
        held += rest
        if len(held) > _MOST_LINE_BYTES:
            held, is_too_long = bytearray(), True
    if held:
        yield bytes(held)


def read_line(line: bytes, *, host: str) -> BatchAnswer | None:
    """Return what a line of results says, None when it says nothing that can be read."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    custom_id = values.get("custom_id") if isinstance(values, dict) else None
    if not isinstance(custom_id, str) or not custom_id:
        return None
    raw = line.decode("utf-8", "replace").strip()
    response = values.get("response")
    status = response.get("status_code") if isinstance(response, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    if status == 200 and isinstance(body, dict) and isinstance(body.get("choices"), list) and body["choices"]:
        return _answered(custom_id, body, raw)
    code = status if isinstance(status, int) and status != 200 else 0
    return BatchAnswer(custom_id, fault=_fault_of(values.get("error"), body, code, host), raw=raw)


def _answered(custom_id: str, body: dict[str, Any], raw: str) -> BatchAnswer:
    """Read a whole answer as a stream of one piece, so that text, thinking and end are told apart by the same rules."""
    first = _dict(body["choices"][0])
    message, usage = _dict(first.get("message")), _dict(body.get("usage"))
    details = usage.get("prompt_tokens_details")
    counts = SimpleNamespace(**{**usage, "prompt_tokens_details": SimpleNamespace(**_dict(details))}) if usage else None
    choice = SimpleNamespace(finish_reason=first.get("finish_reason"), delta=SimpleNamespace(**message))
    answer = Answer()
    deltas = (answer.take(SimpleNamespace(usage=counts, choices=[choice])), answer.rest())
    text, thinking = "".join(d.text for d in deltas), "".join(d.thinking for d in deltas)
    return BatchAnswer(custom_id, text, thinking, answer.end(), raw=raw)


class _Refused(Exception):  # noqa: N818 - not raised: it stands for the SDK's error to a request of its own
    """What a line says of a request that was refused."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__("")
        self.status_code = status
        self.body = error
        self.code = error.get("code")
        self.type = error.get("type")
        self.message = error.get("message")


def _fault_of(error: object, body: object, status: int, host: str) -> ProviderFault:
    """Say in words why a request got no answer. A provider's own words are left out: they may repeat the ticket."""
    code = str(_dict(error).get("code") or "")
    if code in ("batch_expired", "batch_cancelled"):
        why = "ran out of time" if code == "batch_expired" else "was stopped"
        return ProviderFault("provider-broken", f"The batch at {host} {why} before this ticket's turn came.")
    if status:
        found = explain(_Refused(status, _dict(_dict(body).get("error"))), Exchange(host, "", sent=str(body))).error()
        return ProviderFault(found.code, found.message, remedy=found.remedy, status=status)
    return ProviderFault("provider-broken", f"{host} sent no answer for this ticket in the batch.")


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) and all(isinstance(name, str) for name in value) else {}


def _remote(found: object) -> RemoteBatch:
    """Read what the SDK made of a batch: any of its fields may be missing or of another kind."""
    counts = getattr(found, "request_counts", None)
    state = getattr(found, "status", None)
    return RemoteBatch(
        id=_text(found, "id"),
        # A state that this program does not know is one more on the way.
        state=BatchState(state) if state in _STATES else BatchState.IN_PROGRESS,
        input_file_id=_text(found, "input_file_id"),
        output_file_id=_text(found, "output_file_id"),
        error_file_id=_text(found, "error_file_id"),
        requests=_number(counts, "total"),
        completed=_number(counts, "completed"),
        failed=_number(counts, "failed"),
        reason=_reason(getattr(found, "errors", None)),
    )


_STATES = frozenset(BatchState) - {BatchState.PREPARING, BatchState.PREPARED, BatchState.UPLOADED}


def _reason(errors: object) -> str:
    """Return what a provider says is wrong with a batch as a whole: the first of it, short, as one line."""
    data = getattr(errors, "data", None)
    messages = [_text(error, "message") for error in data] if isinstance(data, list) else []
    return visible_text(" ".join(next((m for m in messages if m), "").split()))[:_QUOTE_CHARACTERS]


def _text(holder: object, name: str) -> str:
    value = getattr(holder, name, None)
    return value if isinstance(value, str) else ""


def _number(holder: object, name: str) -> int:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) and value >= 0 else 0


async def _first_of(sdk: AsyncOpenAI, input_file_id: str) -> RemoteBatch | None:
    page = await sdk.batches.list(limit=100)
    return next((_remote(b) for b in _listed(page) if getattr(b, "input_file_id", None) == input_file_id), None)


async def _file_named(sdk: AsyncOpenAI, name: str) -> str:
    page = await sdk.files.list(purpose="batch", limit=1_000)
    return next((_text(f, "id") for f in _listed(page) if getattr(f, "filename", None) == name), "")


def _listed(page: object) -> list[Any]:
    data = getattr(page, "data", None)
    return data if isinstance(data, list) else []


class _Opened:
    """A file that is coming down."""

    def __init__(self, context: Any, content: Any) -> None:
        self._context = context
        self.pieces = content.iter_bytes()

    async def close(self) -> None:
        with suppress(Exception):
            await self.pieces.aclose()
        with suppress(Exception):
            await self._context.__aexit__(None, None, None)


async def _open(sdk: AsyncOpenAI, file_id: str) -> _Opened:
    context = sdk.files.with_streaming_response.content(file_id)
    return _Opened(context, await context.__aenter__())


async def _next(pieces: Any) -> bytes | None:
    try:
        piece = await anext(pieces)
    except StopAsyncIteration:
        return None
    return piece if isinstance(piece, bytes) else b""
