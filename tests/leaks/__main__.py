"""The session with a canary key, with a bundle in place of this checkout: `python -m tests.leaks dist/tldesk/tldesk`. See `make leaks-bundle`.

The bundle has no observer, so the window is led by keys, and what it does is seen by what the server is asked.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from desktop.llm.scripted_server import ScriptedServer
from tests.journeys.conftest import Desktop, opened_desktop, wait_for
from tests.journeys.keyrings import PASSWORD, opened_keyring
from tests.leaks.canary import make_canary
from tests.leaks.session import Session, faults

FAULTS_IN_WINDOW = 4


def main(program: Path) -> int:
    """Run the session and print every place where the key was found; 0 when there is none."""
    with tempfile.TemporaryDirectory(prefix="tldesk-leaks-") as name:
        folder, key = Path(name, "session"), make_canary()
        (folder / "data").mkdir(parents=True, mode=0o700)
        with (
            opened_desktop(Path(name, "desktop")) as desktop,
            opened_keyring(desktop, Path(name, "home"), password=PASSWORD) as keyring,
            ScriptedServer(*faults(key)) as server,
        ):
            session = Session((str(program),), keyring.desktop, folder, key)
            session.use_commands(server)
            _use_window(session, server)
        hits = session.hits()
    for hit in hits:
        print(hit)
    print(
        f"{len(server.requests)} requests, {len(session.said) // 2} commands: the key was found in {len(hits)} places."
    )
    return 1 if hits else 0


def _use_window(session: Session, server: ScriptedServer) -> None:
    process = subprocess.Popen([*session.program, "--data-dir", str(session.data_dir)], env=session.environment)
    desktop: Desktop = session.desktop
    wait_for(lambda: _has_window(desktop), "the window")
    for _ in range(FAULTS_IN_WINDOW):
        asked = len(server.requests)

        def is_asked(before: int = asked) -> bool:
            # Pressed again until somebody is there to hear it.
            desktop.xdotool("key", "F5")
            return len(server.requests) > before

        wait_for(is_asked, "a summary to be asked for")
        desktop.xdotool("key", "Down")
    session.look_at_window(process.pid)
    session.end_badly(process)


def _has_window(desktop: Desktop) -> bool:
    search = ["xdotool", "search", "--onlyvisible", "--name", "TLDesk"]
    return subprocess.run(search, env=desktop.environment, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
