"""Probe: which step of reaching a provider fails? Name, connection, certificate, key, model, quota: each in words, with what to do.

The first three are tried at the socket, where their causes can be told apart; the others need the provider's answer, and cost it one list of
models and one answer of a few tokens. Behind a proxy the first three happen at the proxy, so the first request decides them. No key is sent
before the certificate was trusted.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Protocol
from urllib.parse import urlsplit

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, Opened, StreamDelta, StreamEnd, StreamEvent
from desktop.domain.providers import TestStep
from desktop.domain.runs import RunState
from desktop.llm.answer import EMPTY, LENGTH
from desktop.llm.faults import Exchange, explain
from desktop.llm.presets import host_of

OnSend = Callable[[bytes], Awaitable[None]]
OnEnd = Callable[[StreamEnd], None]

STEP_SECONDS = 10.0
ANSWER_SECONDS = 20.0
_STEP_OF = {
    "provider-name": "name",
    "provider-connection": "connection",
    "provider-timeout": "connection",
    "provider-certificate": "certificate",
    "provider-key": "key",
    "provider-quota": "quota",
}
_SOCKET_STEPS = ("name", "connection", "certificate")
_MODELS_NAMED = 5


class Probed(Protocol):
    """What is needed of a client."""

    def stream(self, request: ChatRequest, *, on_send: OnSend | None) -> AsyncGenerator[StreamEvent, None]: ...
    async def list_models(self, *, on_send: OnSend | None) -> tuple[str, ...]: ...


async def probe(
    client: Probed,
    base_url: str,
    *,
    model: str,
    proxy: str,
    has_key: bool,
    trust: Callable[[], ssl.SSLContext],
    on_send: OnSend | None,
    on_end: OnEnd | None = None,
) -> AsyncGenerator[TestStep, None]:
    """Yield the steps of a test; ends after the first that failed.

    `proxy` is the proxy's host, '' for a direct connection; `trust` builds what certificates are judged by, in a worker thread; `on_send` is told
    the body of each request before it leaves, `on_end` how the one answer ended that is asked for.
    """
    if not proxy:
        async with aclosing(_try_socket(base_url, trust)) as steps:
            async for step in steps:
                yield step
                if not step.ok:
                    return
    host = host_of(base_url)
    models, refused = await _models(client, host, on_send)
    failed = _STEP_OF.get(refused.code, "") if refused is not None else ""
    if proxy:
        for name in _SOCKET_STEPS:
            if refused is not None and failed == name:
                yield _failed(name, refused)
                return
            yield TestStep(name, ok=True, detail=f"Left to the proxy {proxy}.")
    # A list that is missing proves nothing: not every server has one. No answer at all, or a refused key, does.
    if refused is not None and failed in (*_SOCKET_STEPS, "key"):
        yield _failed("key", refused)
        return
    async with aclosing(
        _try_model(client, host, model=model, models=models, has_key=has_key, on_send=on_send, on_end=on_end)
    ) as steps:
        async for step in steps:
            yield step


async def _try_model(
    client: Probed,
    host: str,
    *,
    model: str,
    models: tuple[str, ...],
    has_key: bool,
    on_send: OnSend | None,
    on_end: OnEnd | None,
) -> AsyncGenerator[TestStep, None]:
    accepted = TestStep("key", ok=True, detail=f"{host} accepts the key." if has_key else f"{host} asks for no key.")
    if not model:
        yield accepted
        yield TestStep("model", ok=False, detail="No model is chosen.", remedy=_choose(models))
        return
    refused = await _ask(client, host, model=model, on_send=on_send, on_end=on_end)
    failed = None if refused is None else _STEP_OF.get(refused.code, "model")
    if refused is not None and failed == "key":
        yield _failed("key", refused)
        return
    yield accepted
    if refused is not None and failed != "quota":
        remedy = _choose(models) if refused.code == "provider-model" and models else refused.remedy
        yield TestStep("model", ok=False, detail=refused.message, remedy=remedy)
        return
    if refused is not None:
        known = f"{model} is offered." if model in models else f"{model} was not tried: the quota came first."
        yield TestStep("model", ok=True, detail=known)
        yield _failed("quota", refused)
        return
    yield TestStep("model", ok=True, detail=f"{model} answers.")
    yield TestStep("quota", ok=True, detail="The quota is not used up.")


async def _models(client: Probed, host: str, on_send: OnSend | None) -> tuple[tuple[str, ...], DeskError | None]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await client.list_models(on_send=on_send), None
    except DeskError as error:
        return (), error
    except TimeoutError:
        words = f"{host} accepts connections and does not answer."
        return (), DeskError("provider-timeout", words, remedy="Check the port, and that the server is ready.")


async def _ask(
    client: Probed, host: str, *, model: str, on_send: OnSend | None, on_end: OnEnd | None
) -> DeskError | None:
    """Have the model write a word; return what stood in the way."""
    request = ChatRequest(model, (ChatMessage("user", "Answer with one word: ready"),), max_tokens=16, temperature=None)
    end = None
    try:
        async with aclosing(client.stream(request, on_send=on_send)) as events:
            async for event in events:
                if isinstance(event, (Opened, StreamDelta)):
                    continue
                end = event
    except DeskError as error:
        return error
    if isinstance(end, StreamEnd) and on_end is not None:
        on_end(end)
    # A word cut off by the limit is an answer; so is silence, from a model that spent the few tokens on thinking.
    if isinstance(end, StreamEnd) and (end.state is RunState.COMPLETE or end.reason in (LENGTH, EMPTY)):
        return None
    reason = end.reason if end else "no end was seen"
    return DeskError("provider-broken", f"{host} began to answer, but: {reason}.", remedy="Try again in a moment.")


async def _try_socket(base_url: str, trust: Callable[[], ssl.SSLContext]) -> AsyncGenerator[TestStep, None]:
    parts = urlsplit(base_url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    refused = await _refusal(_resolve(host, port), host)
    if refused is not None:
        yield _failed("name", refused)
        return
    yield TestStep("name", ok=True, detail=f"{host} is known.")
    refused = await _refusal(_connect(host, port, None), host)
    if refused is not None:
        yield _failed("connection", refused)
        return
    yield TestStep("connection", ok=True, detail=f"{host} accepts connections on port {port}.")
    if not is_tls:
        yield TestStep("certificate", ok=True, detail="Not needed on this machine.")
        return
    refused = await _refusal(_connect(host, port, await asyncio.to_thread(trust)), host)
    if refused is not None:
        yield _failed("certificate", refused)
        return
    yield TestStep("certificate", ok=True, detail=f"The certificate of {host} is trusted.")


async def _resolve(host: str, port: int) -> None:
    await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _connect(host: str, port: int, trust: ssl.SSLContext | None) -> None:
    _, writer = await asyncio.open_connection(host, port, ssl=trust)
    # Nothing was said on it, so there is nothing to say goodbye to: a TLS farewell could wait half a minute for its answer.
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _refusal(trying: Awaitable[None], host: str) -> DeskError | None:
    try:
        async with asyncio.timeout(STEP_SECONDS):
            await trying
    except (OSError, ValueError) as error:
        fault = explain(error, Exchange(host, ""))
        return fault.error()
    return None


def _failed(name: str, error: DeskError) -> TestStep:
    return TestStep(name, ok=False, detail=error.message, remedy=error.remedy)


def _choose(models: tuple[str, ...]) -> str:
    if not models:
        return "Choose a model in the provider's settings."
    more = f" and {len(models) - _MODELS_NAMED} more" if len(models) > _MODELS_NAMED else ""
    return f"Choose one of: {', '.join(models[:_MODELS_NAMED])}{more}."
