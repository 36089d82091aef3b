"""Providers: who writes the summaries, as the user set them up. A profile never holds a key: keys live in the keyring, by profile name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BUILT_IN = "built-in"
"""The name and the kind of the provider that always exists."""

NO_PROXY = "none"
"""The proxy of a profile that is reached directly, whatever the system says."""

REDACTION_CHOICES = ("", "on", "off")
"""Whether values are taken out before sending; '' for what fits the host: on, unless it is this machine."""


class KeyState(StrEnum):
    """Where a provider's key is, never what it is."""

    STORED = "stored"
    SESSION = "session"
    ENVIRONMENT = "environment"
    NONE = "none"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of provider that people know by name: what to fill in for them and what to ask."""

    kind: str
    title: str
    base_url: str
    note: str = ""
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """One provider.

    `kind` is a preset's; `base_url` ends before `/chat/completions`; `model` may be '' until chosen; `model_path` only for built-in.

    `fallback` names the provider that is asked when this one does not answer, '' for none. `redaction` is one of `REDACTION_CHOICES`. `proxy` is ''
    for the system's, `none` for a direct connection, or an address without a password. `ca_file` is a PEM file that is trusted beside the system's
    store; `client_certificate` a PEM file that is shown to the server, `client_key` its key where that lies apart. `silence_seconds` is how long it
    may say nothing, `deadline_seconds` how long a whole answer may take, tries and waits included; whole numbers, '' for what fits.
    """

    name: str
    kind: str
    base_url: str
    model: str = ""
    model_path: str = ""
    fallback: str = ""
    redaction: str = ""
    proxy: str = ""
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    silence_seconds: str = ""
    deadline_seconds: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """How a provider is reached, as in its profile: through which proxy, what is trusted beside the system's store, and what is shown to the server.

    There is no way to have a certificate go unchecked.
    """

    proxy: str = ""
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A profile with what a list shows beside it.

    `is_redacted` tells whether values are taken out of what is sent there. `locked_reason` says in words why nothing may be sent there now, '' when
    something may.
    """

    profile: ProviderProfile
    is_default: bool
    key: KeyState
    is_local: bool
    is_redacted: bool = False
    locked_reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskModel:
    """Who does a task: a provider and its model. A provider of '' is the default one, a model of '' the provider's own."""

    task: str
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a model costs at a host: US dollars a million tokens, None where it is unknown; 0 on this machine."""

    host: str
    model: str
    input: float | None = None
    cached_input: float | None = None
    output: float | None = None
    is_local: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether what a call costs can be told."""
        return self.input is not None and self.output is not None


@dataclass(frozen=True, slots=True)
class TestStep:
    """One step of a provider test, in this order: name, connection, certificate, key, model, quota. `detail` is one sentence."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    name: str
    ok: bool
    detail: str
    remedy: str = ""


TEST_STEPS = ("name", "connection", "certificate", "key", "model", "quota")
"""The host resolves; it accepts a connection; TLS is trusted; the key is accepted; the model is there and answers; the quota is not used up."""
