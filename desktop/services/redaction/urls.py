"""Secrets inside URLs: what lets whoever has the link in. The rest of the link stays, a model may need to know where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop.services.redaction.spans import Span

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s<>\"'`”“，。）]{4,2000}")
_USER = re.compile(r"://([^/@?#\s]{1,200}:[^/@?#\s]{1,200}|[^/@?#\s:]{16,200})@")
_PARAMETER = re.compile(r"[?&#;]([A-Za-z0-9_.\-\[\]]{1,40})=([^&#;\s]{3,1000})")
_SECRET_PARAMETER = re.compile(
    r"^(?:key|sig|code|auth|sid|session|hash|jwt|otp|ticket|invite|nonce|hmac|pwd|pw|pass|access|apikey|k|t|uuid|secret)$"
    r"|token|secret|passw|signature|api[-_.]?key|credential|authorization|session[-_]?id|access[-_]?key|auth[-_]?key|(?:reset|invite"
    r"|magic|confirm\w*|verif\w*|activation)[-_]?(?:code|key|hash|id)?$",
    re.IGNORECASE,
)
_SECRET_PATH = re.compile(
    r"/(?:reset|password[-_]?reset|reset[-_]?password|set[-_]?password|forgot|magic|magic[-_]?link|verify|verification|confirm"
    r"|confirmation|activate|activation|invite|invitation|login"
    r"|signin|auth|unsubscribe|recover|recovery|token|share|hooks?|webhooks?|services|passwort|mot-de-passe"
    r"|bestaetigen)(?:/[a-z\-]{2,16})?/((?=[^/?#\s]*[0-9])[A-Za-z0-9_\-.~=]{10,}"
    r"(?:/[A-Za-z0-9_\-]{16,})?|[A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[A-Za-z0-9]{16,})",
    re.IGNORECASE,
)


def find_url_secrets(text: str) -> Iterator[Span]:
    """Yield what in URLs lets whoever has it in: user and password, tokens and signatures, the end of a reset link."""
    if "://" not in text:
        return
    for found in _URL.finditer(text):
        url, start = found[0].rstrip(".,;:!?)]}*"), found.start()
        user = _USER.search(url)
        if user:
            yield Span(start + user.start(1), start + user.end(1), "url")
        for parameter in _PARAMETER.finditer(url):
            if _SECRET_PARAMETER.search(parameter[1]):
                yield Span(start + parameter.start(2), start + parameter.end(2), "url")
        for path in _SECRET_PATH.finditer(url):
            yield Span(start + path.start(1), start + path.end(1), "url")
