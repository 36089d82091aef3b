"""What a journey needs of a real desktop: a display with a window manager, a session bus with a keyring, a hand, a clipboard.

Everything runs in processes of its own and is ended by its id. Nothing is faked: the keyring is gnome-keyring's Secret Service, the drag comes from
another program, the clipboard is read by another program.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SCREEN = "1440x900x24"
PATIENCE_S = 60.0
TOOLS = ("Xvfb", "openbox", "xdotool", "xclip", "dbus-daemon", "gnome-keyring-daemon", "secret-tool")


def wait_for(condition: Callable[[], Any], what: str, *, seconds: float = PATIENCE_S) -> Any:
    """Return the condition's first true value; fail with `what` when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        # Another process is waited for: it gives no event to wait on, so its state is asked for 20 times a second.
        select_nothing(0.05)
    pytest.fail(f"Waited {seconds:.0f} s in vain for: {what}", pytrace=False)


def select_nothing(seconds: float) -> None:
    """Let other processes run for a moment."""
    import threading

    threading.Event().wait(seconds)


@dataclass
class Desktop:
    """A display and a session of its own. `environment` is what a program of this session sees."""

    environment: dict[str, str]

    def run(self, *command: str, timeout: float = 30, text: str | None = None) -> str:
        """Run a tool to its end and return what it printed."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, input=text, check=True
        )
        return done.stdout

    def xdotool(self, *words: str) -> str:
        """Use the hand: keys and mouse."""
        return self.run("xdotool", *words)

    def clipboard(self, target: str) -> str:
        """Read the clipboard as another program would."""
        return self.run("xclip", "-selection", "clipboard", "-o", "-t", target)

    def screenshot(self, path: Path) -> None:
        """Take a picture of the whole display."""
        self.run("import", "-window", "root", str(path))


@dataclass
class Program:
    """TLDesk, running. `states` are what its observer wrote: one record each time something on the screen changed."""

    process: subprocess.Popen[bytes]
    log: Path
    states: list[dict[str, Any]] = field(default_factory=list)
    _read: int = 0

    def state(self) -> dict[str, Any]:
        """Return what the window shows now, {} before it shows anything."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self.states.append(json.loads(line))
        assert self.process.poll() is None, f"The program ended with {self.process.returncode}"
        return self.states[-1] if self.states else {}

    def wait(
        self, condition: Callable[[dict[str, Any]], Any], what: str, *, seconds: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Wait until the window shows something."""

        def seen() -> dict[str, Any] | None:
            state = self.state()
            return state if state and condition(state) else None

        found: dict[str, Any] = wait_for(seen, f"{what}; last seen: {json.dumps(self.state())[:1500]}", seconds=seconds)
        return found


@pytest.fixture(scope="session")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Start a display, a window manager, a session bus and an unlocked keyring in a fresh home."""
    with opened_desktop(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@contextmanager
def opened_desktop(home: Path) -> Iterator[Desktop]:
    """Open a desktop for a user with this home."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    assert not missing, f"The journeys need {', '.join(missing)}: run `make test`, which installs them or says how."
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "NO_AT_BRIDGE": "1"}
    for name in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        environment.pop(name, None)
    home.chmod(0o700)
    started: list[subprocess.Popen[Any]] = []
    try:
        environment["DISPLAY"] = f":{_start_display(started)}"
        environment["DBUS_SESSION_BUS_ADDRESS"] = _start_bus(started, environment)
        started.append(subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL))
        _start_keyring(started, environment)
        yield Desktop(environment)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            process.wait(10)
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()


def _start_display(started: list[subprocess.Popen[Any]]) -> str:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    started.append(subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL))
    os.close(write)
    with os.fdopen(read) as pipe:
        return pipe.readline().strip()


def _start_bus(started: list[subprocess.Popen[Any]], environment: dict[str, str]) -> str:
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    bus = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    started.append(bus)
    assert bus.stdout is not None
    return bus.stdout.readline().strip()


def _start_keyring(started: list[subprocess.Popen[Any]], environment: dict[str, str]) -> None:
    command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
    keyring = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    started.append(keyring)
    assert keyring.stdin is not None
    keyring.stdin.write(b"\n")
    keyring.stdin.close()

    def answers() -> bool:
        search = ["secret-tool", "search", "--all", "service", "nobody"]
        return subprocess.run(search, env=environment, capture_output=True, check=False).returncode == 0

    wait_for(answers, "the Secret Service to answer")


@pytest.fixture
def start_program(desktop: Desktop, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start the real program with an observer beside it; ended after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(data_dir: Path, *arguments: str, on: Desktop | None = None, **extra: str) -> Program:
        log = tmp_path / f"observed-{len(running)}.jsonl"
        log.touch()
        command = [sys.executable, str(HERE / "observed_program.py"), str(log), "--data-dir", str(data_dir), *arguments]
        process = subprocess.Popen(command, env={**(on or desktop).environment, **extra}, cwd=REPOSITORY)
        running.append(process)
        return Program(process, log)

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


@pytest.fixture
def tldesk(desktop: Desktop) -> Callable[..., Any]:
    """Run the real command on a data folder and return its JSON."""

    def run(data_dir: Path, *arguments: str, text: str | None = None) -> Any:
        command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), *arguments]
        return json.loads(desktop.run(*command, timeout=120, text=text))

    return run
