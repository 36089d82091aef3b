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

_PROXY = re.compile(r"https?://[\w.\[\]:-]+/?", re.IGNORECASE)
_PROXY_EXAMPLE = "Enter an address such as http://proxy.example:3128, “none” for a direct connection, or nothing for the system's own."
_PEM_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def proxy_for(base_url: str, network: Network = Network()) -> str | None:
    """Return the URL of the proxy for a provider, None for a direct connection. It may hold a password: never show it, see `proxy_host`.

    Raises:
        DeskError: `proxy`, when it is no address, holds a password that would be stored unprotected, or is of a kind that cannot be used.
    """
    own = network.proxy.strip()
    if own and own.lower() != DIRECT:
        own = _own_proxy(own)
    if is_loopback(base_url) or own.lower() == DIRECT:
        return None
    return own or _system_proxy(base_url)


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


def _own_proxy(text: str) -> str:
    text = text if "://" in text else f"http://{text}"
    if "@" in text:
        raise DeskError(
            "proxy",
            "The proxy's address holds a user name or password, which would be stored unprotected.",
            remedy="Leave out everything up to the @, or set the proxy in the system's settings.",
        )
    try:
        is_address = bool(_PROXY.fullmatch(text) and urlsplit(text).hostname and urlsplit(text).port != 0)
    except ValueError:
        is_address = False
    if not is_address:
        raise DeskError("proxy", "The proxy is not an address that can be used.", remedy=_PROXY_EXAMPLE)
    return text


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
        raw = _read(network.ca_file, "ca-file", "CA file")
        try:
            context.load_verify_locations(cadata=_certificates(raw))
        except (ssl.SSLError, ValueError):
            raise _not_pem(network.ca_file, "ca-file", "CA file", "certificate") from None
    if network.client_key and not network.client_certificate:
        raise DeskError(
            "client-certificate",
            "There is a key for a client certificate and no certificate.",
            remedy="Choose the client certificate in the provider's settings, or remove the key.",
        )
    if network.client_certificate:
        _add_client_certificate(context, network)


def _add_client_certificate(context: ssl.SSLContext, network: Network) -> None:
    certificate, key = network.client_certificate, network.client_key
    if _PEM_CERTIFICATE not in _read(certificate, "client-certificate", "client certificate"):
        raise _not_pem(certificate, "client-certificate", "client certificate", "certificate")
    if key:
        _read(key, "client-certificate", "key of the client certificate")
    try:
        # A key with a password would have OpenSSL ask for it in the terminal.
        context.load_cert_chain(certificate, key or None, password=_no_password)
    except (OSError, ValueError, _EncryptedError) as error:
        remedy = "Choose a certificate and its own key, both as PEM files."
        if isinstance(error, _EncryptedError):
            words = f"The key in {key or certificate} is protected by a password, which cannot be used."
            remedy = "Save the key without a password, readable by you alone."
        elif key:
            words = f"The client certificate {certificate} and the key {key} do not belong together, or are not PEM."
        else:
            words = f"The client certificate {certificate} has no key of its own in the same file."
        raise DeskError("client-certificate", words, remedy=remedy) from None


class _EncryptedError(Exception):
    """OpenSSL asks for a password."""


def _no_password() -> str:
    raise _EncryptedError


def _certificates(raw: bytes) -> str:
    return raw.decode("ascii", "ignore")


def _read(path: str, code: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or "not a path"
        raise DeskError(
            code, f"The {what} {path} cannot be read: {why}.", remedy="Choose another file in the provider's settings."
        ) from None


def _not_pem(path: str, code: str, what: str, content: str) -> DeskError:
    return DeskError(
        code, f"The {what} {path} holds no {content} in PEM form.", remedy="Choose a file that begins with -----BEGIN."
    )
