"""Faults: what went wrong with a provider, in words that name the host, the cause and the way out.

The SDK says "Connection error." for a name that does not resolve, a closed port and an untrusted certificate alike; the cause stands further down
its chain of exceptions, and is looked for there. A provider's own words are quoted only when they are short and repeat neither the key nor
anything of what was sent to it: error messages are shown, logged and stored.
"""

from __future__ import annotations

import math
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from desktop.domain.llm import ProviderFault
from desktop.llm.bounds import TooLargeError
from desktop.llm.limits import LONGEST_WAIT_SECONDS, retry_after
from desktop.llm.watch import SilentError

_REFUSED = "Try another model, or see what the provider's own pages say of it."
CHECK_URL = "Check the base URL in the provider's settings; it usually ends in /v1."
CHECK_MODEL = "Choose another model in the provider's settings."
_CHECK_KEY = "Check the key in the provider's settings."
_TRY_LATER = "Try again in a moment."

_QUOTE_CHARACTERS = 200
_ECHO_CHARACTERS = 16
_SHORT_KEY = 8
_LOOKS_LIKE_KEY = re.compile(r"\b(sk|pk|key|api|bearer)[-_ ][A-Za-z0-9_*.\-]{6,}", re.IGNORECASE)
_NO_CREDIT = re.compile(
    r"insufficient_quota|insufficient.{0,20}(credit|balance|fund)|billing|payment|exceeded your current quota", re.I
)
_NO_MODEL = re.compile(
    r"model_not_found|DeploymentNotFound|model.{0,120}(not found|not exist|not a valid|unknown|not available|not supported)"
    r"|(invalid|unknown|no such) model|not a valid model|deployment.{0,80}not exist",
    re.IGNORECASE | re.DOTALL,
)


_OUR_FAULT = re.compile(r"invalid|auth|permission|not_found|not_supported|unsupported|context", re.IGNORECASE)
"""What an error inside a stream is about when asking the same again makes no sense; everything else is the provider's own trouble."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: as an error when nothing came, as the `reason` of an incomplete answer when text had come.

    `status`, `is_transient` and `retry_after_seconds` are those of a `ProviderFault`.
    """

    code: str
    message: str
    remedy: str
    reason: str
    status: int = 0
    is_transient: bool = False
    retry_after_seconds: float | None = None

    def error(self) -> ProviderFault:
        """Return it as an error for the user."""
        return ProviderFault(
            self.code,
            self.message,
            remedy=self.remedy,
            status=self.status,
            is_transient=self.is_transient,
            retry_after_seconds=self.retry_after_seconds,
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    """Who was asked and what must not be repeated: the key and the text that was sent."""

    host: str
    key: str
    sent: str = ""
    proxy: str = ""
    model: str = ""

    def __repr__(self) -> str:
        return f"Exchange({self.host})"

    def quote(self, words: object) -> str:
        """Return a provider's words as `: “…”`, or '' when they cannot be repeated."""
        text = " ".join(str(words).split()) if isinstance(words, str) else ""
        text = re.sub(r"^Error code: \d+( - )?", "", text)
        if not text or len(text) > _QUOTE_CHARACTERS or not text.isprintable() or self._echoes(text):
            return ""
        return f": “{_LOOKS_LIKE_KEY.sub('[key]', text)}”"

    def _echoes(self, text: str) -> bool:
        if self.key and (len(self.key) < _SHORT_KEY or self.key in text):
            return True
        last = max(len(text) - _ECHO_CHARACTERS, 0)
        return bool(self.sent) and any(text[i : i + _ECHO_CHARACTERS] in self.sent for i in range(last + 1))


def explain(error: BaseException, exchange: Exchange) -> Fault:
    """Turn whatever the SDK raised into a fault; it never fails, and never repeats a key."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        headers = getattr(getattr(error, "response", None), "headers", {})
        return replace(_status_fault(status, error, exchange), status=status, retry_after_seconds=retry_after(headers))
    if getattr(error, "body", None) is not None:
        return _reported_fault(error, exchange)
    return _transport_fault(error, exchange)


def deadline_fault(exchange: Exchange, seconds: float) -> Fault:
    """The whole answer took too long, however steadily it trickled."""
    return Fault(
        "provider-timeout",
        f"{exchange.host} took longer than {seconds:g} seconds.",
        "Try again, or choose a faster model.",
        f"took longer than {seconds:g} seconds",
    )


def closed_fault(exchange: Exchange) -> Fault:
    """The stream ended in good order before the answer began."""
    return Fault(
        "provider-broken",
        f"{exchange.host} closed the stream before it began to answer.",
        _TRY_LATER,
        "the provider closed the stream before it said it was done",
        is_transient=True,
    )


def empty_fault(exchange: Exchange, *, is_stream: bool) -> Fault:
    """A 200 without one usable chunk: a login page, a gateway's notice, nothing at all. Only an empty stream may have more to say next time."""
    return Fault(
        "provider-broken",
        f"{exchange.host} answered, but not as a model does.",
        CHECK_URL,
        "the answer could not be read",
        is_transient=is_stream,
    )


def _status_fault(status: int, error: BaseException, exchange: Exchange) -> Fault:
    host = exchange.host
    words = f"{getattr(error, 'code', '')} {getattr(error, 'type', '')} {_message_of(error)}"
    quote = exchange.quote(_message_of(error))
    if 300 <= status < 400:
        return _redirect_fault(error, exchange)
    if status == 401:
        return _fault("provider-key", f"{host} did not accept the key.", _CHECK_KEY)
    if status == 402 or (status in (403, 429) and _NO_CREDIT.search(words)):
        return _fault(
            "provider-quota", f"The account at {host} has no credit left.", "Add credit there, or use another provider."
        )
    if status == 403:
        return _fault("provider-key", f"{host} does not allow this key to do that{quote}.", _CHECK_KEY)
    if status == 429:
        words = f"{host} is asked too often at the moment."
        return _fault("provider-quota", words, _wait(error), is_transient=True)
    if status in (400, 404, 422) and _NO_MODEL.search(words):
        named = f"a model named “{exchange.model}”" if exchange.model else "that model"
        return _fault(
            "provider-model",
            f"{host} does not offer {named} to this key.",
            CHECK_MODEL,
        )
    if status in (404, 405):
        return _fault("provider-request", f"{host} knows no such address (error {status}).", CHECK_URL)
    if status == 408:
        return _fault("provider-timeout", f"{host} gave up waiting.", _TRY_LATER)
    if status == 413 or re.search(r"context.{0,20}(length|window|size)|maximum context", words):
        return _fault(
            "provider-request",
            f"The ticket is too long for this model at {host}.",
            "Choose a model with a larger context.",
        )
    if status >= 500:
        words = f"{host} has a problem of its own (error {status}){quote}."
        return _fault("provider-broken", words, _TRY_LATER, is_transient=True)
    return _fault("provider-request", f"{host} refused the request (error {status}){quote}.", _REFUSED)


def _redirect_fault(error: BaseException, exchange: Exchange) -> Fault:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        target = urlsplit(str(headers.get("location", ""))).hostname or ""
    except ValueError:
        target = ""
    # Only what a host name is made of: the rest of a Location could hold anything.
    target = target if re.fullmatch(r"[\w.:-]{1,80}", target) and exchange.quote(target) else ""
    where = f"to {target}" if target and target != exchange.host else "to another address"
    return _fault("provider-request", f"{exchange.host} redirects {where}; the key was not sent there.", CHECK_URL)


def _reported_fault(error: BaseException, exchange: Exchange) -> Fault:
    """An error object inside a stream that began with 200."""
    code = str(getattr(error, "code", "") or "")
    if code.isdigit() and 400 <= int(code) < 600:
        return _status_fault(int(code), error, exchange)
    words = f"{code} {getattr(error, 'type', '')} {_message_of(error)}"
    if _NO_CREDIT.search(words) or "rate_limit" in words:
        return _status_fault(429, error, exchange)
    return _fault(
        "provider-broken",
        f"{exchange.host} reported an error{exchange.quote(_message_of(error))}.",
        _TRY_LATER,
        is_transient=not _OUR_FAULT.search(words),
    )


def _transport_fault(error: BaseException, exchange: Exchange) -> Fault:
    host, chain = exchange.host, list(_chain(error))
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    if "ProxyError" in kinds or (exchange.proxy and _has(chain, socket.gaierror, ConnectionError)):
        return _fault(
            "provider-connection",
            f"The proxy {exchange.proxy} did not connect to {host}.",
            "Check the proxy in the provider's settings, or the system's proxy settings.",
        )
    if _has(chain, socket.gaierror):
        return _fault(
            "provider-name", f"The host {host} was not found.", "Check the base URL and the network connection."
        )
    if _has(chain, ssl.SSLCertVerificationError):
        return certificate_fault(next(e for e in chain if isinstance(e, ssl.SSLCertVerificationError)), host)
    if _has(chain, ssl.SSLError) and not _has(chain, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return _fault("provider-certificate", f"{host} did not answer with TLS.", "Check the address and the port.")
    if _has(chain, ConnectionRefusedError):
        return _fault(
            "provider-connection", f"{host} refused the connection.", "Check the port, and that the server is running."
        )
    if (
        _has(chain, SilentError)
        or "TimeoutException" in kinds
        or "APITimeoutError" in kinds
        or _has(chain, TimeoutError)
    ):
        return _fault(
            "provider-timeout",
            f"{host} did not answer in time.",
            _TRY_LATER,
            reason="nothing more came in time",
            is_transient=True,
        )
    if _has(chain, TooLargeError):
        return _unreadable(exchange, "far more in one piece than an answer has")
    if _has(chain, UnicodeError) or "DecodingError" in kinds:
        return _unreadable(exchange, "text that is not valid", is_transient=True)
    if _has(chain, ValueError) and "APIConnectionError" not in kinds:
        return _unreadable(exchange, "data that is not valid", is_transient=True)
    if "APIConnectionError" in kinds or kinds & {"TransportError", "EndOfStream"} or _has(chain, OSError):
        return _fault(
            "provider-connection",
            f"The connection to {host} was closed before an answer came.",
            _TRY_LATER,
            reason="the connection broke off",
            is_transient=True,
        )
    return _unreadable(exchange, "data that makes no sense")


def certificate_fault(error: ssl.SSLCertVerificationError, host: str) -> Fault:
    """Say why a certificate is not trusted. The key is never sent over such a connection."""
    why = error.verify_message if re.fullmatch(r"[\w ,.'\-()]{1,120}", error.verify_message or "") else "not trusted"
    return _fault(
        "provider-certificate",
        f"The certificate of {host} is not trusted ({why}), so the key was not sent.",
        "If a company's proxy is between, name its certificate as the CA file in the provider's settings, or have it installed on this machine.",
    )


def _unreadable(exchange: Exchange, what: str, *, is_transient: bool = False) -> Fault:
    words, reason = f"{exchange.host} sent {what}.", f"the provider sent {what}"
    return _fault("provider-broken", words, _TRY_LATER, reason=reason, is_transient=is_transient)


def _fault(code: str, message: str, remedy: str, *, reason: str = "", is_transient: bool = False) -> Fault:
    return Fault(code, message, remedy, reason or message.rstrip("."), is_transient=is_transient)


def _message_of(error: BaseException) -> str:
    body: Any = getattr(error, "body", None)
    inner = body.get("message") if isinstance(body, dict) else None
    return inner if isinstance(inner, str) else str(getattr(error, "message", "") or "")


def _wait(error: BaseException) -> str:
    seconds = retry_after(getattr(getattr(error, "response", None), "headers", {})) or 0.0
    if seconds >= LONGEST_WAIT_SECONDS:
        return "Try again tomorrow."
    whole = math.ceil(seconds)
    return f"Try again in {whole} second{'' if whole == 1 else 's'}." if whole else _TRY_LATER


def _has(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that caused it, those inside of groups too: one for each address that was tried."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions
