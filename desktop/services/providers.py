"""Providers: the profiles that the user set up, and their keys. Profiles lie in the settings, keys in the keyring.

The built-in model is a profile that always exists. This module decides nothing about how a provider is reached: `container` resolves a
profile to an endpoint, `outbound` talks to it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from desktop.config.secrets import KeyStore
from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, KeyState, Preset, ProviderProfile, ProviderStatus, TestStep
from desktop.services.outbound import Endpoint, Outbound
from desktop.services.profile_checks import Addresses, Ways, check_profile
from desktop.services.recipes import RecipeBook
from desktop.services.task_models import Route, TaskModels


class ProviderService:
    """Everything the window and the command do with providers and keys."""

    def __init__(
        self,
        *,
        settings: Settings,
        keys: KeyStore,
        outbound: Outbound,
        presets: tuple[Preset, ...],
        addresses: Addresses,
        ways: Ways,
        resolve: Callable[[str, str], Awaitable[Endpoint]],
        recipes: RecipeBook,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._outbound = outbound
        self._addresses = addresses
        self._ways = ways
        self._resolve = resolve
        self.presets = presets
        self.tasks = TaskModels(settings, recipes, profile=self.profile)

    def profiles(self) -> tuple[ProviderProfile, ...]:
        """Return all profiles, the built-in one first."""
        stored = []
        built_in = ProviderProfile(BUILT_IN, BUILT_IN, "")
        for values in self._settings.get("providers"):
            try:
                profile = ProviderProfile(**{key: str(value) for key, value in values.items()})
            except (TypeError, AttributeError):
                continue  # written by a newer version, or by hand: it is kept in the file and not shown
            if profile.name == BUILT_IN:
                built_in = profile
            else:
                stored.append(profile)
        return (built_in, *stored)

    def profile(self, name: str = "") -> ProviderProfile:
        """Return one profile, the default one without a name.

        Raises:
            DeskError: `provider-missing`.
        """
        wanted = name or self.default_name()
        for profile in self.profiles():
            if profile.name == wanted:
                return profile
        known = ", ".join(p.name for p in self.profiles())
        raise DeskError(
            "provider-missing",
            f"There is no provider named “{wanted}”.",
            remedy=f"Use one of: {known}; or add it first.",
        )

    def default_name(self) -> str:
        """Return the name of the default provider."""
        wanted = str(self._settings.get("default_provider"))
        return wanted if any(p.name == wanted for p in self.profiles()) else BUILT_IN

    def route(self, task: str, provider: str = "", model: str = "") -> Route:
        """Return whom to ask for a task, in this order; see `TaskModels.route`.

        Raises:
            DeskError: `provider-missing`.
        """
        return self.tasks.route(task, provider, model)

    def is_local(self, profile: ProviderProfile) -> bool:
        """Tell whether a provider runs on this machine."""
        return profile.kind == BUILT_IN or self._addresses.is_loopback(profile.base_url)

    def is_redacted(self, profile: ProviderProfile) -> bool:
        """Tell whether values are taken out of what is sent to a provider: as the profile says, else unless it runs on this machine."""
        return profile.redaction == "on" or (profile.redaction != "off" and not self.is_local(profile))

    @property
    def is_local_only(self) -> bool:
        """Tell whether the program is locked to this machine."""
        return bool(self._settings.get("local_only"))

    def set_local_only(self, *, is_on: bool) -> None:
        """Lock the program to this machine, or unlock it.

        Raises:
            DeskError: `settings-unwritable`; it holds for this session all the same.
        """
        self._settings.set("local_only", is_on)

    def locked_reason(self, profile: ProviderProfile) -> str:
        """Say in words why nothing may be sent to a provider; '' when something may."""
        if not self.is_local_only or self.is_local(profile):
            return ""
        return f"Local only is on: nothing is sent to {self.host(profile)}."

    def host(self, profile: ProviderProfile) -> str:
        """Return the host that a profile's key and tickets go to; 'this machine' for the built-in model."""
        return "this machine" if profile.kind == BUILT_IN else self._addresses.host_of(profile.base_url)

    async def list(self) -> tuple[ProviderStatus, ...]:
        """Return all profiles with the state of their keys."""
        default = self.default_name()
        return tuple(
            [
                ProviderStatus(
                    p,
                    is_default=p.name == default,
                    key=await self.key_state(p),
                    is_local=self.is_local(p),
                    is_redacted=self.is_redacted(p),
                    locked_reason=self.locked_reason(p),
                )
                for p in self.profiles()
            ]
        )

    async def key_state(self, profile: ProviderProfile) -> KeyState:
        """Say where a profile's key is; never what it is."""
        if profile.kind == BUILT_IN:
            return KeyState.NONE
        self._keys.look_again()
        _, state = await self._keys.get(profile.name, host=self.host(profile))
        return state

    def save(self, profile: ProviderProfile, *, make_default: bool = False) -> ProviderProfile:
        """Add or change a profile and return it as stored. A changed host leaves the old host's key behind, so it cannot travel.

        Raises:
            DeskError: as `check_profile`; `settings-unwritable`.
        """
        others = {each.name: each for each in self.profiles()}
        profile = check_profile(
            profile, presets=self.presets, addresses=self._addresses, ways=self._ways, others=others
        )
        self._settings.set("providers", [*self._stored_without(profile.name), asdict(profile)])
        if make_default:
            self._settings.set("default_provider", profile.name)
        return profile

    def set_default(self, name: str) -> None:
        """Make a provider the default.

        Raises:
            DeskError: `provider-missing`.
        """
        self._settings.set("default_provider", self.profile(name).name)

    async def remove(self, name: str) -> ProviderProfile:
        """Remove a profile and its key, and return it so that it can be put back.

        Raises:
            DeskError: `provider-missing`, `provider-built-in`.
        """
        profile = self.profile(name)
        if profile.name == BUILT_IN:
            raise DeskError(
                "provider-built-in",
                "The built-in model cannot be removed.",
                remedy="Make another provider the default instead.",
            )
        await self._keys.remove(profile.name, host=self.host(profile))
        self._settings.set("providers", [*self._stored_without(profile.name)])
        if self._settings.get("default_provider") == profile.name:
            self._settings.set("default_provider", BUILT_IN)
        return profile

    def _stored_without(self, name: str) -> tuple[Any, ...]:
        """Return what is stored but one profile; what is not understood here stays."""
        stored = self._settings.get("providers")
        return tuple(v for v in stored if not (isinstance(v, dict) and v.get("name") == name))

    async def set_key(self, name: str, key: str, *, allow_session: bool = False) -> KeyState:
        """Store a provider's key for its host.

        Raises:
            DeskError: `provider-missing`, `key-not-needed`, `key-empty`, `keyring-unavailable`, `keyring-locked`.
        """
        profile = self.profile_with_key(name)
        return await self._keys.set(profile.name, key, host=self.host(profile), allow_session=allow_session)

    def profile_with_key(self, name: str) -> ProviderProfile:
        """Return the profile of a provider that may have a key.

        Raises:
            DeskError: `provider-missing`, `key-not-needed`.
        """
        profile = self.profile(name)
        if profile.kind == BUILT_IN:
            raise DeskError(
                "key-not-needed",
                "The built-in model needs no key.",
                remedy="Name the provider that the key belongs to.",
            )
        return profile

    async def remove_key(self, name: str) -> bool:
        """Forget a provider's key; tell whether there was one."""
        profile = self.profile(name)
        return await self._keys.remove(profile.name, host=self.host(profile))

    async def models(self, name: str) -> tuple[str, ...]:
        """Fetch the list of models from a provider.

        Raises:
            DeskError: `provider-missing` or one of `domain.llm.FAULTS`.
        """
        return await self._outbound.list_models(await self._resolve(name, ""))

    async def test(self, name: str, *, model: str = "") -> AsyncGenerator[TestStep, None]:
        """Try a provider step by step, in the order of `TEST_STEPS`; ends after the first step that failed."""
        self._keys.look_again()
        try:
            endpoint = await self._resolve(name, model)
            async with aclosing(self._outbound.test(endpoint)) as steps:
                async for step in steps:
                    yield step
        except DeskError as error:
            yield TestStep(_step_of(error.code), ok=False, detail=error.message, remedy=error.remedy)


def _step_of(code: str) -> str:
    """Return the step that an error before the first request belongs to."""
    if code in ("provider-no-key", "provider-key"):
        return "key"
    if code in ("ca-file", "client-certificate"):
        return "certificate"
    if code == "proxy":
        return "connection"
    return "model" if code.startswith("engine-") else "name"
