"""Keyrings in every state they can be in, each a session bus of its own with a real Secret Service, or with none.

The bus starts nothing by itself: a daemon that was killed stays away. The keyring has a password, so what it keeps is encrypted on the disk.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.conftest import Desktop, wait_for

PASSWORD = "correct horse"
_SERVICE = b"org.freedesktop.secrets"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
_LISTS = (
    "dbus-send",
    "--session",
    "--print-reply",
    "--dest=org.freedesktop.DBus",
    "/",
    "org.freedesktop.DBus.ListNames",
)


@dataclass
class Keyring:
    """A session with a keyring in some state."""

    desktop: Desktop
    daemon: subprocess.Popen[bytes] | None

    def start(self, password: str | None) -> None:
        """Start a daemon in place of the one before, unlocked with a password, right or wrong, or not at all."""
        if self.daemon is not None and self.daemon.poll() is None:
            self.kill()
        wait_for(lambda: _SERVICE not in _names(self.desktop.environment), "the daemon before to be gone")
        self.daemon = _start_daemon(self.desktop.environment, password)
        wait_for(lambda: _SERVICE in _names(self.desktop.environment), "the Secret Service")

    def kill(self) -> None:
        """Kill the daemon, as a crash of it would."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait(10)

    def freeze(self) -> None:
        """Have the daemon answer nothing until `thaw`."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have the daemon go on."""
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGCONT)


@contextmanager
def opened_keyring(
    desktop: Desktop, home: Path, *, password: str | None = None, is_absent: bool = False
) -> Iterator[Keyring]:
    """Open a session on the desktop's display whose keyring is unlocked with a password, right or wrong; without one it stays locked."""
    home.mkdir(exist_ok=True)
    home.chmod(0o700)
    environment = {**desktop.environment, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    bus, environment["DBUS_SESSION_BUS_ADDRESS"] = _start_bus(home, environment)
    keyring = Keyring(Desktop(environment), None)
    try:
        if not is_absent:
            keyring.start(password)
        yield keyring
    finally:
        if keyring.daemon is not None and keyring.daemon.poll() is None:
            keyring.kill()
        bus.terminate()
        bus.wait(10)


def keyring_file(home: Path) -> Path:
    """Return the file in which a home's keyring is kept."""
    return home / ".local" / "share" / "keyrings" / "login.keyring"


def damage(home: Path) -> None:
    """Write nonsense over a keyring, as a failing disk would."""
    path = keyring_file(home)
    path.write_bytes(os.urandom(path.stat().st_size))


def copy_home(of: Path, to: Path) -> Path:
    """Copy a home with the keyring in it."""
    keyring_file(to).parent.mkdir(parents=True)
    for path in keyring_file(of).parent.iterdir():
        shutil.copy2(path, keyring_file(to).parent)
    return to


def _start_bus(home: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    config = home / "bus.conf"
    config.write_text(_BUS, encoding="utf-8")
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    bus = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    assert bus.stdout is not None
    with bus.stdout as told:
        return bus, told.readline().strip()


def _start_daemon(environment: dict[str, str], password: str | None) -> subprocess.Popen[bytes]:
    command = [
        "gnome-keyring-daemon",
        "--foreground",
        *(["--unlock"] if password is not None else []),
        "--components=secrets",
    ]
    daemon = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert daemon.stdin is not None
    with daemon.stdin as told:
        told.write((password or "").encode())
    return daemon


def _names(environment: dict[str, str]) -> bytes:
    return subprocess.run(_LISTS, env=environment, capture_output=True, check=False).stdout
