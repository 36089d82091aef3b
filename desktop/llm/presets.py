"""Presets and addresses: the kinds of provider that people know by name, and what makes a base URL safe to send a key to.

A base URL is kept as the SDK wants it: with a scheme, ending before `/chat/completions`, without a slash at the end. Nothing here opens a
connection, and nothing here guesses a path: a server may well live at its root.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, Preset

PRESETS: tuple[Preset, ...] = (
    Preset(
        BUILT_IN,
        "Built-in model",
        "",
        is_local=True,
        note="A tiny model on this machine, for trying things out; or a GGUF file of yours.",
    ),
    Preset("openai", "OpenAI", "https://api.openai.com/v1"),
    Preset(
        "azure",
        "Azure OpenAI",
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        note="Put your resource's name into the address; the model is the name of your deployment.",
    ),
    Preset("ollama", "Ollama", "http://localhost:11434/v1", is_local=True),
    Preset(
        "lm-studio",
        "LM Studio",
        "http://localhost:1234/v1",
        is_local=True,
        note="Start its server first, on the Developer page.",
    ),
    Preset("vllm", "vLLM", "http://localhost:8000/v1", is_local=True),
    Preset("llama-cpp", "llama.cpp", "http://localhost:8080/v1", is_local=True),
    Preset(
        "litellm",
        "LiteLLM",
        "http://localhost:4000/v1",
        is_local=True,
        note="A gateway: what it passes on leaves this machine all the same, so switch redaction on for it.",
    ),
    Preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1"),
    Preset(
        "custom",
        "Other (OpenAI-compatible)",
        "",
        note="Any server that speaks the OpenAI chat API; its address usually ends in /v1.",
    ),
)

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+")
_ENDPOINTS = ("/chat/completions", "/completions", "/models")
_EXAMPLE = "Enter an address such as https://api.openai.com/v1 or http://localhost:11434/v1."


def normalize_base_url(text: str) -> str:
    """Turn what a person typed or pasted into a base URL.

    A missing scheme becomes https, or http on this machine; a pasted `/chat/completions` or `/models` and slashes at the end go.

    Raises:
        DeskError: `base-url`; the message never repeats the text, because a key may have been pasted into it.
    """
    text = text.strip()
    if not text:
        raise _refusal("There is no base URL.")
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise _refusal("The base URL holds a space or another character that no address has.")
    scheme = _SCHEME.match(text)
    if scheme is None:
        text = f"{'http' if is_loopback(f'http://{text}') else 'https'}://{text}"
    elif scheme[1].lower() not in ("http", "https"):
        raise _refusal("The base URL must begin with https:// (or http:// on this machine).")
    parts = _split(text)
    _refuse_unsafe(parts)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{_without_endpoint(parts.path)}"


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine itself, judged by what it says, not by a name server."""
    host = host_of(url).rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, without port; '' when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refusal("The base URL is not an address that can be read.") from None
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        raise _refusal("The base URL names no host.")
    return parts


def _refuse_unsafe(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise _refusal(
            f"The base URL for {host} holds a user name or password, which would be stored unprotected.",
            remedy="Leave out everything up to the @, and enter the key in its own field.",
        )
    if parts.query or parts.fragment:
        raise _refusal(
            f"The base URL for {host} holds a “?” or “#” part, which cannot be used.",
            remedy="Leave it out, and enter a key in its own field.",
        )
    if "your-resource" in host:
        raise _refusal(
            "The base URL still says YOUR-RESOURCE.", remedy="Put the name of your Azure resource in its place."
        )
    if parts.scheme.lower() == "http" and not is_loopback(parts.geturl()):
        raise _refusal(
            f"With http:// the key and the tickets would travel unencrypted to {host}.",
            remedy="Use https://; plain http:// is only for this machine.",
        )


def _without_endpoint(path: str) -> str:
    path = path.rstrip("/")
    for endpoint in _ENDPOINTS:
        if path.lower().endswith(endpoint):
            return path[: -len(endpoint)].rstrip("/")
    return path


def _refusal(message: str, *, remedy: str = _EXAMPLE) -> DeskError:
    return DeskError("base-url", message, remedy=remedy)
