"""The openai SDK, and nothing else of the program that touches it: one client for one base URL and key.

It adds what the SDK leaves out. A stream is complete only when its terminal event was seen; four faults that pass the SDK silently are told;
a trickle ends at a deadline; every error becomes a `DeskError` that names the host and never the key. The SDK is imported on first use, in a worker
thread (1.7–3.4 s cold). Deliberately not here: retries after a failure (the caller's choice; refused parameters are asked another way, see
`parameters`), and anything of the environment that would send the key or the tickets elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from desktop import __version__
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatRequest, StreamEvent
from desktop.domain.providers import TestStep
from desktop.llm.answer import TOO_LONG, Answer
from desktop.llm.faults import CHECK_URL, Exchange, Fault, deadline_fault, empty_fault, explain
from desktop.llm.parameters import MAX_REQUESTS, Parameters, first_parameters
from desktop.llm.presets import host_of, is_loopback, normalize_base_url
from desktop.llm.probe import probe
from desktop.llm.proxies import proxy_for, proxy_host

if TYPE_CHECKING:
    import ssl

    import httpx2
    from openai import AsyncOpenAI

T = TypeVar("T")

REMOTE_PATIENCE_SECONDS = 60.0
# A model on this machine may be loaded first, and reads a long thread slowly.
LOCAL_PATIENCE_SECONDS = 300.0
CONNECT_SECONDS = 10.0
# WORKAROUND for the SDK's `AsyncStream`, which leaves its inner generators suspended after a fault; to go when it closes them itself.
_TURNS_TO_END = 16

# All that a provider needs to be told. What the SDK adds of its own (this machine's system, OPENAI_CUSTOM_HEADERS, cookies) stays here.
_HEADERS = frozenset(
    ("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "transfer-encoding")
)


class OpenAIClient:
    """A provider at a base URL. Use it from one event loop; it may serve several requests at once."""

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        timeout_seconds: float | None = None,
        deadline_seconds: float = 600.0,
        trust_environment: bool = True,
    ) -> None:
        """Check the address and the key; nothing is imported or opened yet.

        `timeout_seconds` bounds the silence between two pieces (default: 60, on this machine 300), `deadline_seconds` the whole answer. A key may
        be '' on this machine only.

        Raises:
            DeskError: `base-url`, `provider-key`.
        """
        self._base_url = normalize_base_url(base_url)
        self._is_local = is_loopback(self._base_url)
        self.host = host_of(self._base_url)
        self._key = key.strip()
        self._timeout_seconds = timeout_seconds or (
            LOCAL_PATIENCE_SECONDS if self._is_local else REMOTE_PATIENCE_SECONDS
        )
        self._deadline_seconds = deadline_seconds
        self._proxy = proxy_for(self._base_url) if trust_environment else None
        self._trust_environment = trust_environment and not self._is_local
        self._learned: dict[str, Parameters] = {}
        self._sdk: AsyncOpenAI | None = None
        self._building = asyncio.Lock()
        self._refuse_bad_key()

    def __repr__(self) -> str:
        return f"OpenAIClient({self.host})"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Send a request and yield its text as it comes, and what is thought before it, then one `StreamEnd`.

        Closing the generator closes the connection at once.

        Raises:
            DeskError: one of `domain.llm.FAULTS`, when no text came.
        """
        exchange = self._exchange(request)
        deadline = asyncio.get_running_loop().time() + self._deadline_seconds
        chunks = await self._open(request, exchange, deadline)
        answer, fault = Answer(), None
        try:
            while not answer.is_too_long:
                chunk = await self._try(_next(chunks), exchange, deadline)
                if isinstance(chunk, Fault) or chunk is None:
                    fault = chunk
                    break
                delta = answer.take(chunk)
                if delta.text or delta.thinking:
                    yield delta
            delta = answer.rest()
            if delta.text or delta.thinking:
                yield delta
        finally:
            await _close(chunks)
        yield _end_of(answer, fault, exchange)

    async def list_models(self) -> tuple[str, ...]:
        """Return the ids of the models that the provider offers, in its own order.

        Raises:
            DeskError: one of `domain.llm.FAULTS`.
        """
        exchange = self._exchange()
        sdk = await self._ready()
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        page = await self._try(_once(sdk.models.list()), exchange, deadline, self._timeout_seconds)
        if isinstance(page, Fault):
            raise page.error()
        models = getattr(page, "data", None)
        if not isinstance(models, list):
            raise DeskError("provider-broken", f"{self.host} did not answer with a list of models.", remedy=CHECK_URL)
        ids = (getattr(model, "id", None) for model in models)
        return tuple(id_ for id_ in ids if isinstance(id_, str))

    async def test(self, model: str) -> AsyncGenerator[TestStep, None]:
        """Try the provider step by step, in the order of `TEST_STEPS`; the last step yielded is the first that failed, if one did."""
        proxy = proxy_host(self._proxy) if self._proxy else ""
        steps = probe(
            self, self._base_url, model=model, proxy=proxy, has_key=bool(self._key), trust=self._trusted_certificates
        )
        async with aclosing(steps):
            async for step in steps:
                yield step

    async def aclose(self) -> None:
        """Close all connections; streams that still run end as broken off."""
        async with self._building:
            sdk, self._sdk = self._sdk, None
        if sdk is not None:
            await sdk.close()

    async def _open(self, request: ChatRequest, exchange: Exchange, deadline: float) -> Any:
        """Begin a stream, asking another way when a parameter is refused: at most `MAX_REQUESTS` requests. What was accepted is remembered."""
        sdk = await self._ready()
        parameters = self._learned.get(request.model, first_parameters(self._base_url))
        for remaining in reversed(range(MAX_REQUESTS)):
            refusals: list[Exception] = []
            opening = sdk.chat.completions.create(**parameters.body(request))
            stream = await self._try(opening, exchange, deadline, noted=refusals)
            if not isinstance(stream, Fault):
                self._learned[request.model] = parameters
                return stream
            other = parameters.after(refusals[0], request) if refusals and remaining else None
            if other is None:
                break
            parameters = other
        raise stream.error()

    async def _try(
        self,
        waiting: Awaitable[T],
        exchange: Exchange,
        deadline: float,
        seconds: float | None = None,
        noted: list[Exception] | None = None,
    ) -> T | Fault:
        """Await one thing of the SDK. A fault is returned, not raised, so that it is not chained to an exception that holds the key."""
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting
        except TimeoutError:
            return deadline_fault(exchange, seconds or self._deadline_seconds)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises at what a provider sent is the provider's fault
            if noted is not None:
                noted.append(error)
            return explain(error, exchange)

    async def _ready(self) -> AsyncOpenAI:
        async with self._building:
            if self._sdk is None:
                self._sdk = await asyncio.to_thread(self._build)
            return self._sdk

    def _build(self) -> AsyncOpenAI:
        """Import and build everything that is slow, in a worker thread; the SDK's lazy parts too."""
        import anyio._backends._asyncio  # noqa: F401 - else imported on first use, in the event loop
        import httpx2
        import openai

        for name in ("openai", "httpx2", "httpcore2"):
            # OPENAI_LOG=debug would otherwise write about requests to wherever the program logs.
            logging.getLogger(name).setLevel(logging.WARNING)
        sdk = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._base_url,
            max_retries=0,
            http_client=httpx2.AsyncClient(
                verify=self._trusted_certificates(),
                proxy=self._proxy,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(self._timeout_seconds, connect=min(CONNECT_SECONDS, self._timeout_seconds)),
                limits=httpx2.Limits(max_connections=20, max_keepalive_connections=4, keepalive_expiry=20),
                event_hooks={"request": [self._dress]},
            ),
        )
        _ = sdk.chat.completions, sdk.models
        return sdk

    def _trusted_certificates(self) -> ssl.SSLContext:
        import httpx2

        return httpx2.create_ssl_context(trust_env=self._trust_environment)

    async def _dress(self, request: httpx2.Request) -> None:
        """Have the last word on the headers of a request, whatever the environment put in."""
        for name in set(request.headers) - _HEADERS:
            del request.headers[name]
        request.headers["User-Agent"] = f"TLDesk/{__version__}"
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"

    def _exchange(self, request: ChatRequest | None = None) -> Exchange:
        sent = "\n".join(message.content for message in request.messages) if request else ""
        proxy = proxy_host(self._proxy) if self._proxy else ""
        return Exchange(self.host, self._key, sent=sent, proxy=proxy, model=request.model if request else "")

    def _refuse_bad_key(self) -> None:
        if not self._key and not self._is_local:
            raise DeskError(
                "provider-key", f"There is no key for {self.host}.", remedy="Enter it in the provider's settings."
            )
        if not self._key.isascii() or not self._key.isprintable() or " " in self._key:
            raise DeskError(
                "provider-key",
                f"The key for {self.host} holds a character that no key has.",
                remedy="Copy it again and enter it in the provider's settings.",
            )


async def _next(chunks: Any) -> Any | None:
    """Return the next chunk, None at the end of the stream."""
    try:
        return await anext(chunks)
    except StopAsyncIteration:
        return None


async def _once(page: Awaitable[T]) -> T:
    return await page


async def _close(chunks: Any) -> None:
    """Close a stream's connection, then read on until the SDK says no.

    Its nested generators end only by being read to the end. After a fault they cannot be: each becomes a task of the loop when it is
    collected, the outer one first, and is given its turns here, so that no task outlives the answer.
    """
    with suppress(Exception):
        await chunks.close()
        while await _next(chunks) is not None:
            pass
    for _ in range(_TURNS_TO_END):
        await asyncio.sleep(0)


def _end_of(answer: Answer, fault: Fault | None, exchange: Exchange) -> StreamEvent:
    if answer.finish_reason or answer.characters or answer.thought or answer.is_too_long:
        too_long = TOO_LONG if answer.is_too_long else ""
        return answer.end(broken_off=fault.reason if fault else too_long)
    if fault is None and answer.chunks:
        return answer.end()
    raise (fault or empty_fault(exchange)).error()
