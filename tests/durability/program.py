"""The program as a process of its own, and the ways to disturb it: a signal or an error at one exact system call, or a kill after a while.

`strace --inject` stops a thread as it enters the chosen call: SIGKILL there means that this call and all later ones never happened.
It counts the calls of each thread for itself ("per syscall and per tracee", says its manual), so call number K means: of the first thread
that makes its Kth. All threads and child processes are followed, and no count goes beyond what the busiest thread makes in an undisturbed
run, so that each point is reached. With `--seccomp-bpf`, which makes tracing cheaper, strace 6.1 injects errors but delivers no signal,
so that is used for errors only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CALLS = ("pwrite64", "fdatasync", "ftruncate", "unlink")
"""What SQLite does to files on Linux."""
PATIENCE_S = 180.0
"""No import of these tests takes longer, be the machine ever so busy."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at call number `number` of `call`: SIGKILL, or that error ('' for the signal); `lasts` means at every later one too."""

    call: str
    number: int
    error: str = ""
    lasts: bool = False

    def __str__(self) -> str:
        what = f"{self.error}{' from then on' if self.lasts else ''}" if self.error else "kill"
        return f"{what} at {self.call} {self.number}"

    @property
    def command(self) -> list[str]:
        """Return the words that stand before the program's own."""
        effect = f"error={self.error}" if self.error else "signal=SIGKILL"
        return [
            *("strace", "-f", "-qq", "-o", os.devnull, *(["--seccomp-bpf"] if self.error else [])),
            *("-e", f"trace={self.call}"),
            *("-e", f"inject={self.call}:{effect}:when={self.number}{'+' if self.lasts else ''}"),
        ]


@dataclass(frozen=True, slots=True)
class Ran:
    """How one run ended. `code` is negative or above 128 for a kill, None when it hung and was ended."""

    code: int | None
    out: str
    err: str

    @property
    def was_killed(self) -> bool:
        return self.code in (-signal.SIGKILL, 128 + signal.SIGKILL)

    @property
    def json(self) -> Any:
        """Return standard output as the one JSON document that it must be; None when it is not."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None


def why_not_here() -> str:
    """Say in words why these tests cannot be run on this machine, '' when they can."""
    if sys.platform != "linux":
        return "a kill at an exact system call needs strace, which is for Linux only"
    if shutil.which("strace") is None:
        return "strace is not installed; `make test` installs it on Debian, or says how"
    tried = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True, check=False
    )
    return f"strace may trace nothing here ({tried.stderr.strip()})" if tried.returncode else ""


def tldesk(data_dir: Path, *arguments: str, before: Sequence[str] = ()) -> Ran:
    """Run a command of the program to its end, `before` being the words that start it under something else."""
    return _run([*before, sys.executable, "-m", "desktop", *arguments, "--data-dir", str(data_dir)])


def observed_import(
    data_dir: Path, acknowledged: Path, *arguments: str, fault: Fault | None = None, kill_after_s: float | None = None
) -> Ran:
    """Run `tldesk import` with what it reports written to `acknowledged`, and kill it at a call or after a while."""
    program = [sys.executable, str(HERE / "observed_import.py"), str(acknowledged)]
    command = [*(fault.command if fault else []), *program, "import", *arguments, "--data-dir", str(data_dir)]
    return _run(command, kill_after_s=kill_after_s)


def count_calls(data_dir: Path, *arguments: str) -> dict[str, int]:
    """Run `tldesk import` undisturbed and count the calls of its busiest thread, for each kind of call."""
    with tempfile.NamedTemporaryFile("r", prefix="tldesk-trace-", encoding="utf-8", errors="replace") as trace:
        before = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", trace.name, "-e", f"trace={','.join(CALLS)}"]
        ran = tldesk(data_dir, "import", *arguments, before=before)
        assert ran.code == 0, f"The undisturbed import failed: {ran.err}"
        found: Counter[tuple[str, str]] = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read(), re.MULTILINE))
    return {call: max((n for (_, name), n in found.items() if name == call), default=0) for call in CALLS}


def _run(command: Sequence[str], *, kill_after_s: float | None = None) -> Ran:
    # Files and not pipes: a child process that outlives a killed program would keep a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command, stdout=out, stderr=err, cwd=REPOSITORY, env=_environment(), start_new_session=True
        )
        code: int | None = None
        try:
            code = process.wait(PATIENCE_S if kill_after_s is None else kill_after_s)
        except subprocess.TimeoutExpired:
            if kill_after_s is not None:
                process.kill()
                code = process.wait()
        finally:
            _end_group(process)
        out.seek(0)
        err.seek(0)
        return Ran(code, out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace"))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what the program left running, and itself when it hangs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> dict[str, str]:
    """Return an environment in which the program sees no keyring."""
    return {
        **os.environ,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONUTF8": "1",
    }
