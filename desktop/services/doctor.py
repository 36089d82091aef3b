"""Doctor: does this installation work? Each check says what it found and, where it failed, what to do. It changes nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from desktop import __version__
from desktop.config.paths import Paths
from desktop.config.secrets import KeyStore
from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, KeyState
from desktop.services.outbound import Endpoint
from desktop.services.providers import ProviderService
from desktop.services.wording import count
from desktop.storage.tickets import TicketStore

_LEAST_FREE_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One check and what it found."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class Doctor:
    """Runs all checks; one that breaks is a failed check, never a broken run."""

    def __init__(
        self,
        *,
        paths: Paths,
        settings: Settings,
        keys: KeyStore,
        providers: ProviderService,
        tickets: TicketStore,
        open_database: Callable[[], Awaitable[None]],
        resolve: Callable[[str, str], Awaitable[Endpoint]],
    ) -> None:
        self._paths = paths
        self._keys = keys
        self._providers = providers
        self._tickets = tickets
        self._settings = settings
        self._open_database = open_database
        self._resolve = resolve

    async def examine(self) -> tuple[Check, ...]:
        """Run every check, in order; the database is opened by its own."""
        return (
            Check("program", True, f"TLDesk {__version__}, Python {platform.python_version()}, {platform.system()}"),
            await self._try("data folder", self._data_folder),
            await self._try("settings", self._settings_file),
            await self._try("database", self._database),
            await self._try("program files", self._program_files),
            await self._try("keyring", self._keyring),
            await self._try("built-in model", self._built_in),
            await self._try("default provider", self._default_provider),
            await self._try("window", self._window),
        )

    async def _try(self, name: str, check: Callable[[], Awaitable[str]]) -> Check:
        try:
            return Check(name, True, await check())
        except DeskError as error:
            return Check(name, False, error.message, error.remedy)
        except Exception as error:  # noqa: BLE001 - a check that breaks has found something too
            return Check(name, False, f"The check itself failed with {type(error).__name__}.", "Please report it.")

    async def _data_folder(self) -> str:
        folder = self._paths.data_dir
        free = await asyncio.to_thread(lambda: shutil.disk_usage(folder).free)
        if free < _LEAST_FREE_BYTES:
            raise DeskError(
                "disk",
                f"{folder} has only {free // 1_000_000} MB free.",
                remedy="Free some space, or use another --data-dir.",
            )
        return f"{folder}, {free / 1e9:.0f} GB free"

    async def _settings_file(self) -> str:
        if self._settings.warning:
            raise DeskError("settings-broken", self._settings.warning, remedy="Mend the file, or set things up again.")
        return "read" if self._paths.settings.exists() else "none yet, so the defaults are used"

    async def _database(self) -> str:
        await self._open_database()
        counts = await self._tickets.counts()
        return f"{self._paths.database.name} holds {count(counts.total, 'ticket')}"

    async def _program_files(self) -> str:
        for path in (self._paths.systems, self._paths.sample, self._paths.prompts / "summarize.md"):
            if not path.exists():
                raise DeskError(
                    "program-files", f"A file of the program is missing: {path}.", remedy="Install TLDesk again."
                )
        return f"{len(list(self._paths.systems.glob('*.toml')))} ticket systems, recipes in {self._paths.prompts}"

    async def _keyring(self) -> str:
        try:
            return f"keys are kept in {await self._keys.describe()}"
        except DeskError as error:
            if all(self._providers.is_local(profile) for profile in self._providers.profiles()):
                return f"{error.message} None is needed: every provider here is on this machine."
            raise

    async def _built_in(self) -> str:
        endpoint = await self._resolve(BUILT_IN, "")
        return f"{endpoint.model} is loaded and ready"

    async def _default_provider(self) -> str:
        profile = self._providers.profile()
        if reason := self._providers.locked_reason(profile):
            raise DeskError(
                "local-only",
                reason,
                remedy="Make a provider on this machine the default, or run: tldesk providers local-only off",
            )
        if profile.kind != BUILT_IN and not self._providers.is_local(profile):
            state = await self._providers.key_state(profile)
            if state in (KeyState.NONE, KeyState.UNAVAILABLE):
                raise DeskError(
                    "provider-no-key", f"{profile.name} has no key.", remedy=f"Run: tldesk keys set {profile.name}"
                )
        return f"{profile.name} ({self._providers.host(profile)}){f', {profile.model}' if profile.model else ''}"

    async def _window(self) -> str:
        if importlib.util.find_spec("PySide6") is None:
            raise DeskError(
                "window", "PySide6 is not installed, so the window cannot open.", remedy="Install TLDesk again."
            )
        return f"PySide6 is installed ({sys.platform})"
