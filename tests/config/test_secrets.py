"""Keys: in the keyring or this session only, and only for the host they were entered for. The real keyring is tried in the journeys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop.config.secrets import KeyStore
from desktop.domain.errors import DeskError
from desktop.domain.providers import KeyState

KEY = "sk-test-0123456789abcdef"


async def test_without_a_keyring_a_key_is_refused_until_the_user_agrees_to_this_session_only() -> None:
    keys = KeyStore()
    with pytest.raises(DeskError) as refused:
        await keys.set("work", KEY, host="api.example")
    assert refused.value.code == "keyring-unavailable"
    assert KEY not in str(refused.value)
    assert await keys.set("work", KEY, host="api.example", allow_session=True) is KeyState.SESSION
    assert await keys.get("work", host="api.example") == (KEY, KeyState.SESSION)


async def test_a_key_is_never_given_for_another_host() -> None:
    keys = KeyStore()
    await keys.set("work", KEY, host="api.example", allow_session=True)
    assert (await keys.get("work", host="evil.example"))[0] == ""


async def test_the_environment_key_counts_for_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    keys = KeyStore()
    assert await keys.get("openai", host="api.openai.com") == (KEY, KeyState.ENVIRONMENT)
    assert (await keys.get("other", host="api.example"))[0] == ""


@pytest.mark.parametrize("text", ["", "   ", "two words", "line\nbreak"])
async def test_what_is_no_key_is_not_stored(text: str) -> None:
    with pytest.raises(DeskError, match="not a key"):
        await KeyStore().set("work", text, host="api.example", allow_session=True)


async def test_a_removed_key_is_gone() -> None:
    keys = KeyStore()
    await keys.set("work", KEY, host="api.example", allow_session=True)
    assert await keys.remove("work", host="api.example")
    assert not await keys.remove("work", host="api.example")
    assert (await keys.get("work", host="api.example"))[0] == ""


async def test_waiting_for_a_keyring_can_be_cancelled() -> None:
    task = asyncio.create_task(KeyStore().get("work", host="api.example"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_keyring_that_is_a_plain_file_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`keyrings.alt` installs one like this; it is written out here because it must not be installed."""
    import keyring
    from keyring.backend import KeyringBackend

    class PlainFile(KeyringBackend):
        priority = 9.0

        def get_password(self, service: str, username: str) -> str | None:
            return None

        def set_password(self, service: str, username: str, password: str) -> None:
            (tmp_path / "keys.cfg").write_text(password, encoding="utf-8")

    before = keyring.get_keyring()
    keyring.set_keyring(PlainFile())  # type: ignore[no-untyped-call]
    try:
        with pytest.raises(DeskError) as refused:
            await KeyStore().set("work", KEY, host="api.example")
    finally:
        keyring.set_keyring(before)
    assert refused.value.code == "keyring-unavailable"
    assert not (tmp_path / "keys.cfg").exists()
