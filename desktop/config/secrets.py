"""Secrets: API keys, in the operating system's keyring or, after consent, for this session only. Never on disk, never in a log.

A key is stored under the provider's name *and* its host: a provider pointed at another host has no key until the user gives one, so a key can
never travel to a host it was not entered for. Keyring calls may block on a password prompt, so they run in threads of their own and are
given up after a while (the thread then ends with the prompt).
"""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from desktop.config.masking import keep_out
from desktop.domain.errors import DeskError
from desktop.domain.providers import KeyState

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "TLDesk"
ENVIRONMENT_VARIABLE = "OPENAI_API_KEY"
ENVIRONMENT_HOST = "api.openai.com"
TIMEOUT_SECONDS = 60.0
ASKED_AGAIN_SECONDS = 2.0
"""The keyring is asked for a key at most so often: a queue needs the same one for every ticket."""
TRUSTED_BACKENDS = frozenset(
    f"keyring.backends.{name}" for name in ("SecretService", "libsecret", "kwallet", "macOS", "Windows")
)

T = TypeVar("T")


class KeyStore:
    """The keys of all providers. A key is only ever returned by `get`."""

    def __init__(self) -> None:
        self._session: dict[str, str] = {}
        self._asked: dict[str, tuple[float, str]] = {}

    def look_again(self) -> None:
        """Ask the keyring anew for the next key: somebody wants to know how it stands now."""
        self._asked.clear()

    async def get(self, name: str, *, host: str) -> tuple[str, KeyState]:
        """Return the key and where it came from; ('', NONE or UNAVAILABLE) when there is none.

        The environment's `OPENAI_API_KEY` counts for api.openai.com and for no other host.
        """
        user = _user(name, host)
        if user in self._session:
            return self._session[user], KeyState.SESSION
        state = KeyState.NONE
        asked_at, stored = self._asked.get(user, (-math.inf, ""))
        if time.monotonic() - asked_at >= ASKED_AGAIN_SECONDS:
            try:
                stored = await _in_thread(lambda: _keyring_get(user))
                self._asked[user] = (time.monotonic(), stored)
            except DeskError:
                stored, state = "", KeyState.UNAVAILABLE
        if stored:
            return stored, KeyState.STORED
        environment = os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
        keep_out(environment)
        if environment and host == ENVIRONMENT_HOST:
            return environment, KeyState.ENVIRONMENT
        return "", state

    async def set(self, name: str, key: str, *, host: str, allow_session: bool = False) -> KeyState:
        """Store a key in the keyring; without a keyring keep it for this session when `allow_session`.

        Raises:
            DeskError: `key-empty`; `keyring-unavailable`, `keyring-locked` or `keyring-failed` when there is no keyring and `allow_session`
                is false.
        """
        key = key.strip()
        if not key or any(c.isspace() or not c.isprintable() for c in key):
            raise DeskError(
                "key-empty",
                "That is not a key: it is empty or holds spaces or line breaks.",
                remedy="Paste the key again, alone.",
            )
        user = _user(name, host)
        self._asked.pop(user, None)
        keep_out(key)
        try:
            await _in_thread(lambda: _keyring_set(user, key))
        except DeskError:
            if not allow_session:
                raise
            self._session[user] = key
            return KeyState.SESSION
        self._session.pop(user, None)
        return KeyState.STORED

    async def remove(self, name: str, *, host: str) -> bool:
        """Forget a key; tell whether there was one.

        Raises:
            DeskError: `keyring-locked` or `keyring-failed`, when the keyring may hold the key and does not open.
        """
        user = _user(name, host)
        self._asked.pop(user, None)
        had_session = self._session.pop(user, None) is not None
        try:
            return await _in_thread(lambda: _keyring_remove(user)) or had_session
        except DeskError as error:
            if error.code == "keyring-unavailable":
                return had_session
            raise

    async def describe(self) -> str:
        """Say in words which keyring is used.

        Raises:
            DeskError: `keyring-unavailable` or `keyring-locked`.
        """
        return await _in_thread(_keyring_name)


def _user(name: str, host: str) -> str:
    return f"{name}@{host}"


def _backend() -> KeyringBackend:
    """Return the system's own keyring.

    The keyring library takes whatever is installed, plain files too (`keyrings.alt`): only those that the system itself guards are used here.
    """
    import keyring
    from keyring.backends.chainer import ChainerBackend

    found = keyring.get_keyring()
    candidates = list(found.backends) if isinstance(found, ChainerBackend) else [found]
    for backend in candidates:
        if type(backend).__module__ in TRUSTED_BACKENDS:
            return backend
    if type(found).__module__ in ("keyring.backends.fail", "keyring.backends.null") or not candidates:
        raise _unavailable("this system has none")
    raise _unavailable(f"{found.name} is not the system's own and may keep keys in a plain file")


def _keyring_name() -> str:
    backend = _backend()
    backend.get_password(SERVICE, "tldesk-check")
    return str(backend.name)


def _keyring_get(user: str) -> str:
    key = _backend().get_password(SERVICE, user) or ""
    keep_out(key)
    return key


def _keyring_set(user: str, key: str) -> None:
    backend = _backend()
    backend.set_password(SERVICE, user, key)
    if backend.get_password(SERVICE, user) != key:
        raise _unavailable("it did not give the key back")


def _keyring_remove(user: str) -> bool:
    backend = _backend()
    if not backend.get_password(SERVICE, user):
        return False
    backend.delete_password(SERVICE, user)
    return True


def _unavailable(reason: str) -> DeskError:
    return DeskError(
        "keyring-unavailable",
        f"The system's keyring cannot be used: {reason}.",
        remedy="Start or unlock the keyring, or keep the key for this session only.",
    )


async def _in_thread(function: Callable[[], T]) -> T:
    """Run a keyring call in a daemon thread: one that hangs on a prompt must hold up neither the window nor the program's end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: DeskError | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def call() -> None:
        result: T | None = None
        error: DeskError | None = None
        try:
            result = function()
        except DeskError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - backends raise errors of their own libraries; none may leave with a key in it
            error = _translate(raised)
        # A closed loop means that the program is ending and nobody waits any more.
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=call, name="keyring", daemon=True).start()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await future
    except TimeoutError:
        raise DeskError(
            "keyring-locked",
            f"The system's keyring did not answer within {TIMEOUT_SECONDS:.0f} seconds.",
            remedy="Unlock it and try again, or keep the key for this session only.",
        ) from None


def _translate(error: Exception) -> DeskError:
    kind = type(error).__name__
    if kind == "KeyringLocked":
        return DeskError("keyring-locked", "The system's keyring is locked.", remedy="Unlock it and try again.")
    if kind == "NoKeyringError":
        return _unavailable("this system has none")
    return DeskError(
        "keyring-failed",
        f"The system's keyring failed ({kind}).",
        remedy="Start or unlock the keyring and try again, or keep the key for this session only.",
    )
