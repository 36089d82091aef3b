"""Network: what stands between this machine and a provider: a proxy, and whose certificates are trusted.

One owner decides, so that the test and the request agree. The system's proxy settings are followed unless the provider has its own (environment
variables, on Windows and macOS the system's too), never for this machine itself: the standard variables apply even to 127.0.0.1, and a key for a
local model has no business at a proxy. Certificates are judged by the system's trust store, by SSL_CERT_FILE in its place, and by the provider's CA
file beside it. There is deliberately no way to have a certificate go unchecked.
"""

from __future__ import annotations

import re
import ssl
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desktop.domain.errors import DeskError
from desktop.domain.providers import Network
from desktop.llm.presets import host_of, is_loopback

if TYPE_CHECKING:
    import httpx2

DIRECT = "none"

_PROXY_EXAMPLE = "Enter an address such as http://proxy.example:3128, “none” for a direct connection, or nothing for the system's own."
# A bundle of every authority there is has about 250 kB; whatever is far larger is no certificate, and may have no end.
_MOST_PEM_BYTES = 4_000_000
_CERTIFICATE, _PRIVATE_KEY = "CERTIFICATE", "PRIVATE KEY"


def proxy_for(base_url: str, network: Network = Network()) -> str | None:
    """Return the URL of the proxy for a provider, None for a direct connection. It may hold a password: never show it, see `proxy_host`.

    Raises:
        DeskError: `proxy`, when it is no address, holds a password that would be stored unprotected, or is of a kind that cannot be used.
    """
    own = normalize_proxy(network.proxy)
    if is_loopback(base_url) or own == DIRECT:
        return None
    return own or _system_proxy(base_url)


def normalize_proxy(text: str) -> str:
    """Turn what was entered for a proxy into '' (the system's), `none`, or an address with a scheme and without a slash at its end.

    Raises:
        DeskError: `proxy`; the message never repeats the text, because a password may stand in it.
    """
    text = text.strip()
    if not text or text.lower() == DIRECT:
        return text.lower()
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise _bad_proxy("The proxy's address holds a space or another character that no address has.")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, scheme = parts.port, parts.scheme.lower()
    except ValueError:
        raise _bad_proxy("The proxy's address cannot be read.") from None
    if parts.username is not None or parts.password is not None:
        raise _bad_proxy(
            "The proxy's address holds a user name or password, which would be stored unprotected.",
            remedy="Leave out everything up to the @; a proxy that asks for a password can be set in the system's own settings.",
        )
    if scheme.startswith("socks"):
        raise _bad_proxy("A SOCKS proxy cannot be used.", remedy="Enter the address of an HTTP proxy.")
    if scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad_proxy("The proxy's address must name a host, after http:// or https://.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad_proxy("The proxy's address goes on after the host and port.")
    return f"{scheme}://{parts.netloc.lower()}"


def proxy_host(proxy: str) -> str:
    """Return what of a proxy's URL may be shown."""
    return host_of(proxy) or "the proxy"


def proxy_with_trust(proxy: str, network: Network) -> httpx2.Proxy:
    """Return a proxy as the HTTP client takes it. One that speaks TLS is judged as providers are, and is not shown the client certificate."""
    import httpx2

    if not proxy.lower().startswith("https:"):
        return httpx2.Proxy(proxy)
    return httpx2.Proxy(proxy, ssl_context=trusted_certificates(Network(ca_file=network.ca_file)))


def check_files(network: Network) -> None:
    """See that the files of a provider can be used, before anything is sent.

    Raises:
        DeskError: `ca-file`, `client-certificate`.
    """
    if network.ca_file or network.client_certificate or network.client_key:
        _add_files(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), network)


def trusted_certificates(network: Network) -> ssl.SSLContext:
    """Return what certificates are judged by. It is slow: call it in a worker thread.

    Raises:
        DeskError: `ca-file`, `client-certificate`.
    """
    import httpx2

    try:
        # On Windows and macOS this is `truststore`. Elsewhere it reads the same files once, where truststore reads them at every handshake.
        context = httpx2.create_ssl_context()
    except OSError:
        raise DeskError(
            "ca-file",
            "The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.",
            remedy="Correct the variable, or remove it and start TLDesk again.",
        ) from None
    _add_files(context, network)
    return context


def _system_proxy(base_url: str) -> str | None:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(urlsplit(base_url).scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host_of(base_url)):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.lower().startswith(("http://", "https://")):
        kind = proxy.partition("://")[0]
        raise DeskError(
            "proxy",
            f"The system's proxy {proxy_host(proxy)} is of the kind {kind}, which cannot be used.",
            remedy="Enter an http:// proxy in the provider's settings, or “none” for a direct connection.",
        )
    return proxy


def _add_files(context: ssl.SSLContext, network: Network) -> None:
    if network.ca_file:
        text = _read_pem(network.ca_file, "CA file", _CERTIFICATE)
        try:
            context.load_verify_locations(cadata=text.encode("ascii", "ignore").decode("ascii"))
        except (ssl.SSLError, ValueError):
            raise _bad_file("CA file", network.ca_file, "holds a certificate that cannot be read") from None
    if network.client_key and not network.client_certificate:
        raise DeskError(
            "client-certificate",
            "There is a client key without its certificate.",
            remedy="Choose the client certificate too, or leave out the key.",
        )
    if network.client_certificate:
        _add_client_certificate(context, network)


def _add_client_certificate(context: ssl.SSLContext, network: Network) -> None:
    certificate, key = network.client_certificate, network.client_key
    text = _read_pem(certificate, "client certificate", _CERTIFICATE)
    if key:
        _read_pem(key, "client key", _PRIVATE_KEY)
    elif f"{_PRIVATE_KEY}-----" not in text:
        raise DeskError(
            "client-certificate",
            f"The client certificate {certificate} holds no private key.",
            remedy="Choose the file with its key as the client key.",
        )
    what, path = ("client key", key) if key else ("client certificate", certificate)
    try:
        # A key with a password would have OpenSSL ask for it in the terminal.
        context.load_cert_chain(certificate, key or None, password=_no_password)
    except _EncryptedError:
        reason = "is locked with a password, which could not be asked for"
        raise _bad_file(what, path, reason, remedy="Choose one without a password that only you can read.") from None
    except (OSError, ValueError) as error:
        is_other = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
        reason = "does not belong to the client certificate" if is_other else "cannot be read as a certificate and key"
        raise _bad_file(what, path, reason) from None


class _EncryptedError(Exception):
    """OpenSSL asks for a password."""


def _no_password() -> str:
    raise _EncryptedError


def _read_pem(path: str, what: str, part: str) -> str:
    """Return the text of a PEM file that holds such a part."""
    file = Path(path)
    try:
        # A pipe or a device has no end.
        if not file.is_file():
            raise _bad_file(what, path, "is not there")
        if file.stat().st_size > _MOST_PEM_BYTES:
            raise _bad_file(what, path, "is far too large for one")
        text = file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or "it is not a path"
        raise _bad_file(what, path, f"cannot be read: {why}") from None
    if f"{part}-----" not in text:
        raise _bad_file(what, path, f"is no PEM file: it holds no line of the kind “-----BEGIN {part}-----”")
    return text


def _bad_file(what: str, path: str, reason: str, *, remedy: str = "Choose another file, or none.") -> DeskError:
    code = "ca-file" if what == "CA file" else "client-certificate"
    return DeskError(code, f"The {what} {path} {reason}.", remedy=remedy)


def _bad_proxy(message: str, *, remedy: str = _PROXY_EXAMPLE) -> DeskError:
    return DeskError("proxy", message, remedy=remedy)
