"""Proxies: which one, if any, stands between this machine and a provider. One owner decides, so that the test and the request agree.

The system's own settings are followed (environment variables, on Windows and macOS the system's too), except for this machine itself: the
standard variables apply even to 127.0.0.1, and a key for a local model has no business at a proxy.
"""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

from desktop.llm.presets import host_of, is_loopback


def proxy_for(base_url: str) -> str | None:
    """Return the URL of the proxy for a provider, None for a direct connection. It may hold a password: never show it, see `proxy_host`."""
    if is_loopback(base_url):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(urlsplit(base_url).scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host_of(base_url)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_host(proxy: str) -> str:
    """Return what of a proxy's URL may be shown."""
    return host_of(proxy) or "the proxy"
