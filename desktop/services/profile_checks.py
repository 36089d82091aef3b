"""Profile checks: what of a provider's profile can be found wrong without asking anyone, each in one sentence.

A profile is checked when it is saved and comes back as it is stored: its addresses in one form, and nothing kept that its kind has no use for.
Nothing is sent here, and no key is looked at. Whether a certificate is trusted, and whether a proxy is there, is for the provider test to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, REDACTION_CHOICES, Network, Preset, ProviderProfile

MOST_SILENCE_SECONDS = 3_600
MOST_DEADLINE_SECONDS = 86_400
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


class Addresses(Protocol):
    """What is known about base URLs; `container` gives it, so that this module need not know the `llm` layer."""

    def normalize_base_url(self, text: str) -> str: ...
    def is_loopback(self, url: str) -> bool: ...
    def host_of(self, url: str) -> str: ...


class Ways(Protocol):
    """What is known about proxies and certificates; `container` gives it, too."""

    def normalize_proxy(self, text: str) -> str: ...
    def check_files(self, network: Network) -> None: ...


def check_profile(
    profile: ProviderProfile,
    *,
    presets: tuple[Preset, ...],
    addresses: Addresses,
    ways: Ways,
    others: Mapping[str, ProviderProfile],
) -> ProviderProfile:
    """Return a profile as it is stored. `others` are all profiles there are, by name, its own earlier one among them.

    Raises:
        DeskError: `provider-name-bad`, `provider-kind`, `provider-built-in`, `base-url`, `model-file`, `provider-fallback`, `provider-redaction`,
            `provider-seconds`, `proxy`, `ca-file`, `client-certificate`.
    """
    _check_name_and_kind(profile, presets)
    _check_fallback(profile, others)
    profile = replace(
        profile,
        silence_seconds=_seconds(profile.silence_seconds, "The longest silence", MOST_SILENCE_SECONDS),
        deadline_seconds=_seconds(profile.deadline_seconds, "The deadline of an answer", MOST_DEADLINE_SECONDS),
    )
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
        proxy=ways.normalize_proxy(profile.proxy),
        model_path="",
        ca_file=_whole_path(profile.ca_file),
        client_certificate=_whole_path(profile.client_certificate),
        client_key=_whole_path(profile.client_key),
    )
    ways.check_files(network_of(profile))
    return profile


def _seconds(text: str, what: str, most: int) -> str:
    """Return a number of seconds as it is stored; '' stays ''."""
    text = text.strip()
    if not text:
        return ""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise DeskError(
            "provider-seconds", f"{what} cannot be “{text}”.", remedy=f"Use a whole number of seconds, 1 to {most:,}."
        )
    return str(int(text))


def network_of(profile: ProviderProfile) -> Network:
    """Return how a provider is reached."""
    return Network(profile.proxy, profile.ca_file, profile.client_certificate, profile.client_key)


def _whole_path(text: str) -> str:
    """Return a path that means the same file wherever the program is started from; '' stays ''."""
    text = text.strip()
    try:
        return str(Path(text).expanduser().absolute()) if text else ""
    except RuntimeError:  # a ~ that names nobody
        return text


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
