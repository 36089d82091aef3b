"""The keyring in every state: what the window and the command say, and that the window goes on meanwhile. Real daemons, real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import REPOSITORY, Desktop, Program
from tests.journeys.keyrings import PASSWORD, Keyring, copy_home, damage, opened_keyring

pytestmark = pytest.mark.journey
KEY = "canary0123456789abcdef0123456789"
HOST = "api.example.invalid"
LONGEST_STALL_MS = int(os.environ.get("TLDESK_LONGEST_STALL_MS", "1000"))
"""A call that waits for a keyring on the window's thread holds it for seconds. `make keyrings` asks for 100 ms."""
CANNOT_READ = "The key for mine cannot be read"
LOCKED = "The system's keyring is locked."
STATES = {
    # state: (of the test of the provider, of storing a key)
    "absent": (CANNOT_READ, "The system's keyring cannot be used: this system has none."),
    "locked": (CANNOT_READ, LOCKED),
    "wrong password": (CANNOT_READ, LOCKED),
    "killed": (CANNOT_READ, "The system's keyring"),
    "corrupt": (f"There is no key for mine ({HOST}).", ""),
}


def _command(
    desktop: Desktop, data_dir: Path, *arguments: str, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), *arguments]
    return subprocess.run(
        command,
        env=desktop.environment,
        cwd=REPOSITORY,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def filled_home(desktop: Desktop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home whose keyring holds a key, and a data folder that knows its provider."""
    home = tmp_path_factory.mktemp("filled")
    with opened_keyring(desktop, home, password=PASSWORD) as keyring:
        data_dir = home / "data"
        add = ("providers", "add", "mine", "--base-url", f"https://{HOST}/v1", "--model", "m", "--default", "--json")
        assert _command(keyring.desktop, data_dir, *add).returncode == 0
        stored = _command(keyring.desktop, data_dir, "keys", "set", "mine", "--stdin", "--json", text=KEY)
        assert json.loads(stored.stdout)["stored"] is True, stored.stderr
    return home


@contextmanager
def _in_state(desktop: Desktop, filled_home: Path, home: Path, state: str) -> Iterator[Keyring]:
    copy_home(filled_home, home)
    if state == "corrupt":
        damage(home)
    password = {"locked": None, "wrong password": "not it"}.get(state, PASSWORD)
    with opened_keyring(desktop, home, password=password, is_absent=state == "absent") as keyring:
        yield keyring


def _data(filled_home: Path, data_dir: Path) -> Path:
    (data_dir / "settings.json").write_bytes((filled_home / "data" / "settings.json").read_bytes())
    return data_dir


def _press(desktop: Desktop, place: list[int]) -> None:
    x, y, width, height = place
    desktop.xdotool("mousemove", str(x + width // 2), str(y + height // 2), "click", "1")


@pytest.mark.parametrize("state", STATES)
def test_the_command_says_what_is_wrong(
    desktop: Desktop, filled_home: Path, tmp_path: Path, data_dir: Path, state: str
) -> None:
    _data(filled_home, data_dir)
    of_test, of_storing = STATES[state]
    with _in_state(desktop, filled_home, tmp_path / "home", state) as keyring:
        if state == "killed":
            keyring.kill()
        tried = _command(keyring.desktop, data_dir, "providers", "test", "mine", "--json")
        assert (tried.returncode, tried.stderr) == (1, "")
        last = json.loads(tried.stdout)["steps"][-1]
        assert (last["name"], last["ok"]) == ("key", False)
        assert last["detail"].startswith(of_test)
        stored = _command(keyring.desktop, data_dir, "keys", "set", "mine", "--stdin", text=KEY)
        if of_storing:
            assert (stored.returncode, stored.stdout) == (4, "")
            assert stored.stderr.startswith(f"Error: {of_storing}")
            assert stored.stderr.count("\n") == 1
        else:
            # A keyring that could not be read is begun anew, and takes keys again.
            assert stored.returncode == 0, stored.stderr
        assert KEY not in tried.stdout + stored.stdout + stored.stderr


def test_the_window_says_what_is_wrong_and_goes_on(
    desktop: Desktop, filled_home: Path, start_program: Callable[..., Program], tmp_path: Path, data_dir: Path
) -> None:
    """One window, under which the keyring goes from one state to the next and back."""
    _data(filled_home, data_dir)
    home = copy_home(filled_home, tmp_path / "home")
    with opened_keyring(desktop, home, password=PASSWORD) as keyring:
        program = start_program(data_dir, on=keyring.desktop)
        program.wait(lambda s: s["page"] == "EmptyState" and s["provider"].startswith("mine"), "the window")
        desktop.xdotool("key", "ctrl+comma")
        program.wait(lambda s: "Test" in s["buttons"] and s["provider_name"] == "mine", "the provider")
        began = time.monotonic()
        _expect(desktop, program, "name", "")
        for password in (None, "not it"):
            keyring.start(password)
            _expect(desktop, program, "key", CANNOT_READ)
            keyring.start(PASSWORD)
            # Unlocked again, and the key goes as far as the host's name, which there is not.
            _expect(desktop, program, "name", "")
        _go_on_while_it_is_frozen(desktop, program, keyring)
        keyring.kill()
        damage(home)
        keyring.start(PASSWORD)
        _expect(desktop, program, "key", STATES["corrupt"][0])
        keyring.kill()
        _expect(desktop, program, "key", CANNOT_READ)
        _keep_for_this_session(desktop, program)
        assert _longest_stall(program, since=began) <= LONGEST_STALL_MS
        desktop.xdotool("key", "ctrl+q")
        assert program.process.wait(20) == 0
    assert [p for p in data_dir.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()] == []


def _expect(desktop: Desktop, program: Program, step: str, detail: str) -> None:
    """Test the provider, and expect its test to end at a step."""
    _press(desktop, program.wait(lambda s: "Test" in s["buttons"], "the button")["buttons"]["Test"])

    def is_there(state: dict[str, Any]) -> bool:
        name, ok, said = (state["steps"] or [["", True, ""]])[-1]
        return (name, ok) == (step, False) and said.startswith(detail)

    program.wait(is_there, f"the step {step} with “{detail}”")


def _go_on_while_it_is_frozen(desktop: Desktop, program: Program, keyring: Keyring) -> None:
    """Have a keyring that answers nobody: the window answers meanwhile."""
    keyring.freeze()
    _press(desktop, program.state()["buttons"]["Test"])
    desktop.xdotool("key", "Escape")
    program.wait(lambda s: s["page"] == "EmptyState", "another page while the keyring is asked")
    keyring.thaw()
    desktop.xdotool("key", "ctrl+comma")
    program.wait(lambda s: "Test" in s["buttons"] and s["provider_name"] == "mine", "the provider again")


def _keep_for_this_session(desktop: Desktop, program: Program) -> None:
    """Paste a key and save it: that the keyring does not take it is said, and this session alone is offered."""
    _press(desktop, program.state()["key_place"])
    desktop.xdotool("type", "--delay", "2", KEY)
    _press(desktop, program.wait(lambda s: "Save" in s["buttons"], "the button")["buttons"]["Save"])
    session_only = "Keep the key for this session only"
    said = program.wait(lambda s: session_only in s["buttons"], "the offer to keep it for this session")
    assert said["provider_error"].startswith("The system's keyring")
    _press(desktop, said["buttons"][session_only])
    program.wait(lambda s: session_only not in s["buttons"], "the key to be kept for this session")


def _longest_stall(program: Program, *, since: float) -> float:
    stalls: list[list[Any]] = program.state()["stalls"]
    return max((length for at, length in stalls if at >= since), default=0)
