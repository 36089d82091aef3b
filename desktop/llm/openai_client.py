"""The openai SDK, and nothing else of the program that touches it: one client for one base URL and key.

It adds what the SDK leaves out. A stream is complete only when its terminal event was seen; four faults that pass the SDK silently are told;
a trickle ends at a deadline; what is read is bounded; every error becomes a `ProviderFault` that names the host and never the key. The bytes of a
request are made here and not by the SDK, so that what is shown beforehand, what is entered in the ledger and what is sent are one. The SDK is
imported on first use, in a worker thread (1.7–3.4 s cold). Deliberately not here: retries after a failure (the caller's choice; refused parameters
are asked another way, see `parameters`), and anything of the environment that would send the key or the tickets elsewhere.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from desktop import __version__
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatRequest, Embeddings, Opened, ProviderFault, StreamEvent
from desktop.domain.providers import Network, TestStep
from desktop.domain.text import valid_text
from desktop.llm.answer import Answer, is_foreign
from desktop.llm.calls import (
    MAX_ANSWER_BYTES,
    OnSend,
    Sending,
    awaited,
    bound_response,
    close,
    current,
    end_of,
    settle,
    tell,
)
from desktop.llm.embedding import read_embeddings
from desktop.llm.faults import CHECK_MODEL, CHECK_URL, Exchange, Fault, deadline_fault, explain
from desktop.llm.limits import rate_limits
from desktop.llm.network import check_files, proxy_for, proxy_host, proxy_with_trust, trusted_certificates
from desktop.llm.parameters import MAX_REQUESTS, Parameters, encoded, first_parameters
from desktop.llm.presets import host_of, is_loopback, normalize_base_url
from desktop.llm.probe import OnEnd, probe
from desktop.llm.watch import Watch

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI, AsyncStream
    from openai._streaming import ServerSentEvent
    from openai._types import RequestOptions

T = TypeVar("T")

REMOTE_PATIENCE_SECONDS = 60.0
# A model on this machine may be loaded first, and reads a long thread slowly.
LOCAL_PATIENCE_SECONDS = 300.0
CONNECT_SECONDS = 10.0
LOCAL_QUIET_SECONDS = 25.0
"""Once a model on this machine began to write, it does not pause for long. One far away may think in silence after its first word."""
MAX_CONNECTIONS = 100
"""More than a queue ever has under way at one provider, so that none waits for another's line."""

_END = object()
_AS_JSON: RequestOptions = {"headers": {"Content-Type": "application/json"}}

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
        network: Network = Network(),
    ) -> None:
        """Check the address, the key and the files of the network; nothing is imported or opened yet.

        `timeout_seconds` bounds the silence between two pieces (default: 60, on this machine 300), `deadline_seconds` the whole answer. A key may
        be '' on this machine only.

        Raises:
            DeskError: `base-url`, `provider-key`, `proxy`, `ca-file`, `client-certificate`.
        """
        self._base_url = normalize_base_url(base_url)
        self._is_local = is_loopback(self._base_url)
        self.host = host_of(self._base_url)
        self._key = key.strip()
        self._timeout_seconds = timeout_seconds or (
            LOCAL_PATIENCE_SECONDS if self._is_local else REMOTE_PATIENCE_SECONDS
        )
        # What the user set holds; without, a model on this machine is not borne with as long once it began.
        self._quiet_seconds = timeout_seconds or (LOCAL_QUIET_SECONDS if self._is_local else self._timeout_seconds)
        self.deadline_seconds = deadline_seconds
        self._network = network
        check_files(network)
        self._proxy = proxy_for(self._base_url, network) if trust_environment else None
        self._learned: dict[str, Parameters] = {}
        self._answered: set[str] = set()
        self._sdk: AsyncOpenAI | None = None
        self._building = asyncio.Lock()
        self._refuse_bad_key()

    def __repr__(self) -> str:
        return f"OpenAIClient({self.host})"

    def knows(self, model: str) -> bool:
        """Tell whether a model has answered this client: then it is known how it wants to be asked."""
        return model in self._answered

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact body that would be sent for a request now, after all that was learned of its model."""
        return self._parameters(request.model).encoded(request)

    async def stream(
        self,
        request: ChatRequest,
        *,
        on_send: OnSend | None = None,
        requests: int = MAX_REQUESTS,
        deadline: float | None = None,
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a request; yield `Opened`, then its text as it comes and what is thought before it, then one `StreamEnd`.

        `on_send` is awaited once for each HTTP request, those that are refused for a parameter too; `requests` bounds them.
        `deadline` (the event loop's time) is when the answer must be whole, where it began to be asked for earlier.
        Closing the generator closes the connection at once.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`, when no text came.
        """
        exchange = self._exchange(request)
        deadline = deadline or asyncio.get_running_loop().time() + self.deadline_seconds
        watch = Watch(deadline, quiet_seconds=self._quiet_seconds)
        answer, fault, chunks = Answer(), None, None
        try:
            chunks = await self._open(request, exchange, deadline, Sending(on_send, watch), requests)
            self._answered.add(request.model)
            yield Opened(chunks.response.status_code, rate_limits(chunks.response.headers))
            while not answer.is_too_long:
                try:
                    with watch:
                        chunk = await anext(chunks, _END)
                except TimeoutError:
                    fault = deadline_fault(exchange, self.deadline_seconds)
                    break
                except Exception as error:  # noqa: BLE001 - as in `_try`; raised later, not chained to what holds the key
                    fault = explain(error, exchange)
                    break
                if chunk is _END:
                    break
                delta = answer.take(chunk)
                if delta.text or delta.thinking:
                    yield delta
            delta = answer.rest()
            if delta.text or delta.thinking:
                yield delta
        finally:
            watch.close()
            if chunks is not None:
                await close(chunks)
        yield end_of(answer, fault, exchange, chunks.response)

    async def embed(self, texts: Sequence[str], *, model: str, on_send: OnSend | None = None) -> Embeddings:
        """Return the vectors of texts, in their order.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        if not texts:
            return Embeddings(())
        valid = [valid_text(text) for text in texts]
        raw = encoded({"input": valid, "model": model, "encoding_format": "float"})
        answer = await self.call(
            lambda sdk: _embed(sdk, raw),
            on_send=on_send,
            seconds=self.deadline_seconds,
            exchange=self._exchange(model=model, sent="\n".join(valid)),
        )
        vectors = await asyncio.to_thread(read_embeddings, answer, count=len(valid))
        if isinstance(vectors, str):
            raise ProviderFault("provider-broken", f"{self.host} {vectors}.", remedy=CHECK_MODEL, status=200)
        return vectors

    async def call(
        self,
        action: Callable[[AsyncOpenAI], Awaitable[T]],
        *,
        on_send: OnSend | None = None,
        seconds: float | None = None,
        exchange: Exchange | None = None,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> T:
        """Have one thing done by the SDK, with the deadline (default: the silence that is borne), the bounds and the words of this client.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        sdk, seconds = await self._ready(), seconds or self._timeout_seconds
        deadline = asyncio.get_running_loop().time() + seconds
        sending = Sending(on_send, most_bytes=most_bytes)
        done = await self._try(awaited(action(sdk)), exchange or self._exchange(), deadline, seconds, sending=sending)
        if isinstance(done, Fault):
            await settle()
            raise done.error()
        return done

    async def list_models(self, *, on_send: OnSend | None = None) -> tuple[str, ...]:
        """Return the ids of the models that the provider offers, in its own order.

        Raises:
            ProviderFault: one of `domain.llm.FAULTS`.
        """
        page: Any = await self.call(lambda sdk: awaited(sdk.models.list()), on_send=on_send)
        models = getattr(page, "data", None)
        if not isinstance(models, list):
            words = f"{self.host} did not answer with a list of models."
            raise ProviderFault("provider-broken", words, remedy=CHECK_URL, status=200)
        ids = (getattr(model, "id", None) for model in models)
        return tuple(id_ for id_ in ids if isinstance(id_, str))

    async def test(
        self, model: str, *, on_send: OnSend | None = None, on_end: OnEnd | None = None
    ) -> AsyncGenerator[TestStep, None]:
        """Try the provider step by step, in the order of `TEST_STEPS`; the last step yielded is the first that failed, if one did.

        `on_end` is told how the one answer ended that was asked for.
        """
        proxy = proxy_host(self._proxy) if self._proxy else ""
        steps = probe(
            self,
            self._base_url,
            model=model,
            proxy=proxy,
            has_key=bool(self._key),
            trust=lambda: trusted_certificates(self._network),
            on_send=on_send,
            on_end=on_end,
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

    async def _open(
        self, request: ChatRequest, exchange: Exchange, deadline: float, sending: Sending, requests: int
    ) -> Any:
        """Begin a stream, asking another way when a parameter is refused. What was refused is remembered."""
        sdk = await self._ready()
        most = min(max(requests, 1), MAX_REQUESTS)
        for sent in range(1, most + 1):
            known = self._parameters(request.model)
            way = known.barest() if sent == MAX_REQUESTS else known
            refusals: list[Exception] = []
            opening = _begin(sdk, way.encoded(request))
            stream = await self._try(opening, exchange, deadline, sending=sending, noted=refusals)
            if not isinstance(stream, Fault):
                return stream
            other = way.after(refusals.pop(), request) if refusals else None
            await settle()
            if other is None:
                break
            self._learned[request.model] = known.without(other) if sent == MAX_REQUESTS else other
        raise stream.error()

    async def _try(
        self,
        waiting: Awaitable[T],
        exchange: Exchange,
        deadline: float,
        seconds: float | None = None,
        *,
        sending: Sending | None = None,
        noted: list[Exception] | None = None,
    ) -> T | Fault:
        """Await one thing of the SDK. A fault is returned, not raised, so that it is not chained to an exception that holds the key."""
        token = current.set(sending) if sending is not None else None
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting
        except TimeoutError:
            return deadline_fault(exchange, seconds or self.deadline_seconds)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises at what a provider sent is the provider's fault
            if noted is not None:
                noted.append(error)
            fault = explain(error, exchange)
        finally:
            if token is not None:
                current.reset(token)
        if sending is not None and sending.failure is not None:
            raise sending.failure
        return fault

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
        trust = trusted_certificates(self._network)
        sdk = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._base_url,
            max_retries=0,
            http_client=httpx2.AsyncClient(
                verify=trust,
                proxy=proxy_with_trust(self._proxy, self._network) if self._proxy else None,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(self._timeout_seconds, connect=min(CONNECT_SECONDS, self._timeout_seconds)),
                limits=httpx2.Limits(
                    max_connections=MAX_CONNECTIONS, max_keepalive_connections=32, keepalive_expiry=20
                ),
                event_hooks={"request": [self._dress], "response": [bound_response]},
            ),
        )
        _ = sdk.chat.completions, sdk.models
        return sdk

    async def _dress(self, request: httpx2.Request) -> None:
        """Have the last word on the headers of a request, whatever the environment put in, and tell what leaves."""
        for name in set(request.headers) - _HEADERS:
            del request.headers[name]
        request.headers["User-Agent"] = f"TLDesk/{__version__}"
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        await tell(request)

    def _parameters(self, model: str) -> Parameters:
        return self._learned.get(model) or first_parameters(self._base_url)

    def _exchange(self, request: ChatRequest | None = None, *, model: str = "", sent: str = "") -> Exchange:
        if request is not None:
            model, sent = request.model, "\n".join(message.content for message in request.messages)
        return Exchange(
            self.host, self._key, sent=sent, proxy=proxy_host(self._proxy) if self._proxy else "", model=model
        )

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


async def _begin(sdk: AsyncOpenAI, raw: bytes) -> Any:
    """Ask for a chat completion as a stream, by the SDK's own way for bodies that are bytes already.

    Chunks come as JSON. Making the SDK's models of them takes two thirds of the whole reading, and checks nothing: what is no chunk passes too.
    """
    return await sdk.post(
        "/chat/completions", cast_to=object, content=raw, options=_AS_JSON, stream=True, stream_cls=_chunk_stream()
    )


async def _embed(sdk: AsyncOpenAI, raw: bytes) -> bytes:
    """Ask for embeddings and return the answer as it came: the SDK's models of 64 vectors take a third of a second."""
    import httpx2

    response = await sdk.post("/embeddings", cast_to=httpx2.Response, content=raw, options=_AS_JSON)
    return response.content


@functools.cache
def _chunk_stream() -> type[AsyncStream[object]]:
    """Return the SDK's stream of chunks, less what is none: it would take a keep-alive event without data for broken JSON."""
    from openai import AsyncStream

    class ChunkStream(AsyncStream[object]):
        async def _iter_events(self) -> AsyncGenerator[ServerSentEvent, None]:
            # In place of the SDK's own, which does the same and words errors anew: a generator more costs a tenth of the reading.
            async for event in self._decoder.aiter_bytes(self.response.aiter_bytes()):
                if event.data and not (event.event and is_foreign(event.event, event.data)):
                    yield event

    return ChunkStream
