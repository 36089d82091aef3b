"""Profile checks: what of a provider's profile can be found wrong without asking anyone, each in one sentence.

A profile is checked when it is saved and comes back as it is stored: its addresses in one form, and nothing kept that its kind has no use for.
Nothing is sent here, and no key is looked at. Whether a certificate is trusted, and whether a proxy is there, is for the provider test to say.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, NO_PROXY, REDACTION_CHOICES, Preset, ProviderProfile

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_PROXY_EXAMPLE = "Enter an address such as http://proxy.example.com:8080, “none” for a direct connection, or nothing for the system's."
# A bundle of every authority there is has about 250 kB; whatever is far larger is no certificate, and may have no end.
_MOST_PEM_BYTES = 4_000_000
_CERTIFICATE, _PRIVATE_KEY = "CERTIFICATE", "PRIVATE KEY"


class Addresses(Protocol):
    """What is known about base URLs; `container` gives it, so that this module need not know the `llm` layer."""

    def normalize_base_url(self, text: str) -> str: ...
    def is_loopback(self, url: str) -> bool: ...
    def host_of(self, url: str) -> str: ...


def check_profile(
    profile: ProviderProfile,
    *,
    presets: tuple[Preset, ...],
    addresses: Addresses,
    others: Mapping[str, ProviderProfile],
) -> ProviderProfile:
    """Return a profile as it is stored. `others` are all profiles there are, by name, its own earlier one among them.

    Raises:
        DeskError: `provider-name-bad`, `provider-kind`, `provider-built-in`, `base-url`, `model-file`, `provider-fallback`, `provider-redaction`,
            `provider-proxy`, `provider-file`.
    """
    _check_name_and_kind(profile, presets)
    _check_fallback(profile, others)
    if profile.redaction not in REDACTION_CHOICES:
        raise DeskError(
            "provider-redaction",
            f"Redaction cannot be “{profile.redaction}”.",
            remedy="Use “on”, “off”, or nothing for what fits the host: on, unless it is this machine.",
        )
    if profile.kind == BUILT_IN:
        if profile.model_path and not Path(profile.model_path).is_file():
            raise DeskError("model-file", f"There is no model file {profile.model_path}.", remedy="Choose a GGUF file.")
        return replace(profile, base_url="", proxy="", ca_file="", client_certificate="", client_key="")
    base_url = addresses.normalize_base_url(profile.base_url)
    profile = replace(
        profile,
        base_url=base_url,
        proxy=normalize_proxy(profile.proxy),
        model_path="",
        ca_file=_whole_path(profile.ca_file),
        client_certificate=_whole_path(profile.client_certificate),
        client_key=_whole_path(profile.client_key),
    )
    _check_files(profile)
    return profile


def normalize_proxy(text: str) -> str:
    """Turn what was entered for a proxy into '' (the system's), `none`, or an address with a scheme and without a slash at its end.

    Raises:
        DeskError: `provider-proxy`; the message never repeats the text, because a password may stand in it.
    """
    text = text.strip()
    if not text or text.lower() == NO_PROXY:
        return text.lower()
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise _bad_proxy("The proxy's address holds a space or another character that no address has.")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, scheme = parts.port, parts.scheme.lower()
    except ValueError:
        raise _bad_proxy("The proxy's address cannot be read.") from None
    _refuse_password(parts)
    if scheme.startswith("socks"):
        raise _bad_proxy("A SOCKS proxy cannot be used.", remedy="Enter the address of an HTTP proxy.")
    if scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad_proxy("The proxy's address must name a host, after http:// or https://.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad_proxy("The proxy's address goes on after the host and port.")
    return f"{scheme}://{parts.netloc.lower()}"


def _whole_path(text: str) -> str:
    """Return a path that means the same file wherever the program is started from; '' stays ''."""
    text = text.strip()
    try:
        return str(Path(text).expanduser().absolute()) if text else ""
    except RuntimeError:  # a ~ that names nobody
        return text


def _refuse_password(parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise _bad_proxy(
            "The proxy's address holds a user name or password, which would be stored unprotected.",
            remedy="Leave out everything up to the @; a proxy that asks for a password can be set in the system's own settings.",
        )


def _check_name_and_kind(profile: ProviderProfile, presets: tuple[Preset, ...]) -> None:
    if not _NAME.fullmatch(profile.name):
        raise DeskError(
            "provider-name-bad",
            f"“{profile.name}” cannot be a provider's name.",
            remedy="Use 1 to 40 letters, digits, spaces, dots, dashes or underscores.",
        )
    known = [preset.kind for preset in presets]
    if profile.kind not in known:
        raise DeskError(
            "provider-kind",
            f"There is no kind of provider named “{profile.kind}”.",
            remedy=f"Use one of: {', '.join(known)}.",
        )
    if (profile.kind == BUILT_IN) != (profile.name == BUILT_IN):
        raise DeskError(
            "provider-built-in",
            "There is one built-in model, named “built-in”.",
            remedy="Use another name or another kind.",
        )


def _check_fallback(profile: ProviderProfile, others: Mapping[str, ProviderProfile]) -> None:
    """Refuse a stand-in that is not there, or that comes back to the profile. One that has gone since it was chosen is let be."""
    earlier, name = others.get(profile.name), profile.fallback
    if not name or (earlier is not None and earlier.fallback == name and name not in others):
        return
    if name != profile.name and name not in others:
        raise DeskError(
            "provider-fallback",
            f"There is no provider named “{name}” to stand in for “{profile.name}”.",
            remedy=f"Use one of: {', '.join(n for n in others if n != profile.name)}.",
        )
    seen: list[str] = []
    while name and name != profile.name and name not in seen:
        seen.append(name)
        name = others[name].fallback if name in others else ""
    if name == profile.name:
        way = "it is the same one" if not seen else f"“{profile.name}” stands in for “{seen[-1]}” already"
        raise DeskError(
            "provider-fallback",
            f"“{profile.fallback}” cannot stand in for “{profile.name}”: {way}.",
            remedy="Choose another one, or none.",
        )


def _check_files(profile: ProviderProfile) -> None:
    """Refuse files that are not there or not what they should be: read as they will be read when the provider is asked."""
    if profile.ca_file:
        _read_pem(profile.ca_file, "CA file", _CERTIFICATE)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(profile.ca_file)
        except (ssl.SSLError, OSError):
            raise _bad_file("CA file", profile.ca_file, "holds a certificate that cannot be read") from None
    if profile.client_key and not profile.client_certificate:
        raise DeskError(
            "provider-file",
            "There is a client key without its certificate.",
            remedy="Choose the client certificate too, or leave out the key.",
        )
    if profile.client_certificate:
        _check_client_certificate(profile)


def _check_client_certificate(profile: ProviderProfile) -> None:
    text = _read_pem(profile.client_certificate, "client certificate", _CERTIFICATE)
    if profile.client_key:
        text = _read_pem(profile.client_key, "client key", _PRIVATE_KEY)
    elif f"{_PRIVATE_KEY}-----" not in text:
        raise DeskError(
            "provider-file",
            f"The client certificate {profile.client_certificate} holds no private key.",
            remedy="Choose the file with its key as the client key.",
        )
    what, path = (
        ("client key", profile.client_key) if profile.client_key else ("client certificate", profile.client_certificate)
    )
    if "ENCRYPTED" in text:
        raise _bad_file(
            what,
            path,
            "is locked with a password, which could not be asked for",
            "Choose one without a password that only you can read.",
        )
    try:
        # A password is never asked for on a terminal, whatever the file turns out to be.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            profile.client_certificate, profile.client_key or None, password=lambda: ""
        )
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _bad_file(what, path, "does not belong to the client certificate") from None
        raise _bad_file(what, path, "cannot be read as a certificate and key") from None
    except (OSError, ValueError):
        raise _bad_file(what, path, "cannot be read as a certificate and key") from None


def _read_pem(path: str, what: str, part: str) -> str:
    """Return the text of a PEM file that holds such a part."""
    file = Path(path)
    try:
        if not file.is_file():
            raise _bad_file(what, path, "is not there")
        if file.stat().st_size > _MOST_PEM_BYTES:
            raise _bad_file(what, path, "is far too large for one")
        text = file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else ""
        raise _bad_file(what, path, f"cannot be read: {reason or error}") from None
    if f"{part}-----" not in text:
        raise _bad_file(what, path, f"is no PEM file: it holds no line of the kind “-----BEGIN {part}-----”")
    return text


def _bad_file(what: str, path: str, reason: str, remedy: str = "") -> DeskError:
    return DeskError("provider-file", f"The {what} {path} {reason}.", remedy=remedy or "Choose another file, or none.")


def _bad_proxy(message: str, *, remedy: str = _PROXY_EXAMPLE) -> DeskError:
    return DeskError("provider-proxy", message, remedy=remedy)
