"""Hostile text on the screen, in copies and in exports: it is text there, and nothing happens.

Strings that were written to misuse a model, with a model that obeys them, and two hundred documents that ask to load, open or run something. Both are
shown in the real window of a process of its own. Python's own requests are watched everywhere. What Qt does is only seen on Linux, with strace, and
only there the process has a network of its own with nothing in it (`unshare -n`), where the machine allows that.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.documents import Traps, make_documents
from tests.hostile.shown import BEGIN, END
from tests.hostile.strings import obeyed, read_strings

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 90
_OPENED = re.compile(r'\bopen(?:at)?\((?:[^,"]*, )?"((?:[^"\\]|\\.)*)"')
_CONNECTED = re.compile(r"\bconnect\(\d+, \{(.*?)\}")
# What a program on Qt reads again and again of its own: the system's fonts, its own state, Python's modules.
_OWN = (
    "/proc/",
    "/sys/",
    "/usr/share/",
    "/etc/fonts",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/usr/lib",
    "/lib",
    "/etc/ld.so",
)


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    """Give a secret, a FIFO without a writer, and a server that must have no visitor."""
    secret = tmp_path / "secrets" / "secret.png"
    secret.parent.mkdir()
    secret.write_bytes(b"secret")
    fifo = secret.with_name("fifo.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(fifo)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield Traps(secret, fifo, f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(BlockingIOError):
            server.accept()


def _prefix(trace: Path) -> list[str]:
    """Return the words that start a program where it is watched, as far as this machine can."""
    if sys.platform != "linux":
        return []
    words: list[str] = []
    for tried in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if (
            shutil.which(tried[0])
            and subprocess.run([*tried, "true"], capture_output=True, check=False).returncode == 0
        ):
            words = tried
            break
    strace = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "4096",
        "-o",
        str(trace),
        "-e",
        "trace=open,openat,connect,execve,access,faccessat,faccessat2",
    ]
    quick = [*strace[:3], "--seccomp-bpf", *strace[3:]]
    if (
        shutil.which("strace")
        and subprocess.run([*words, *quick, "true"], capture_output=True, check=False).returncode == 0
    ):
        words += quick
    return words


def _show(folder: Path, cases: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """Show cases in a process of its own; return what it saw, and what was seen of it from outside between its two marks, '' for nothing."""
    folder.mkdir()
    (folder / "data").mkdir(mode=0o700)
    file, trace = folder / "cases.json", folder / "trace.txt"
    file.write_text(json.dumps({"folder": str(folder), "cases": cases}), encoding="utf-8")
    command = [*_prefix(trace), sys.executable, str(REPOSITORY / "tests" / "hostile" / "shown.py"), str(file)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY, env=environment, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
            raise AssertionError(
                f"The window hangs: {process.communicate()[1].decode('utf-8', 'replace')[-2000:]}"
            ) from None
    assert process.returncode == 0, err.decode("utf-8", "replace")[-4000:]
    seen = json.loads(out)
    traced = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    if traced:
        assert BEGIN in traced
        assert END in traced
        traced = traced[traced.index(BEGIN) : traced.index(END)]
    return seen, traced


def _assert_nothing_happened(folder: Path, seen: dict[str, Any], traced: str) -> None:
    assert seen["strange"] == []
    assert seen["opened"] == []
    host, _, port = seen["server"].partition(":")
    own = tuple(map(str, (folder, REPOSITORY, sys.prefix, sys.base_prefix, sysconfig.get_paths()["stdlib"])))
    for asked in seen["asked"]:
        kind, _, what = asked.partition(" ")
        is_own_file = kind == "open" and (what.startswith((*own, *_OWN)) or what.isdecimal())
        is_provider = kind == "socket.connect" and what == str((host, int(port)))
        assert is_own_file or is_provider, asked
    for path in _OPENED.findall(traced):
        assert path.startswith((*own, *_OWN)), path
        assert "secret" not in path
        assert "fifo" not in path
    for address in _CONNECTED.findall(traced):
        assert f"htons({port})" in address, address
    assert "execve(" not in traced


def _case(number: int, name: str, body: str, answer: str, *, shown: list[str]) -> dict[str, Any]:
    return {
        "id": f"H-{number}",
        "name": name,
        "subject": body,
        "author": body,
        "body": body,
        "answer": answer,
        "shown": shown,
    }


def test_a_model_that_obeys_the_strings_in_tickets_brings_nothing_but_text(
    tmp_path: Path, traps: Traps, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strings, note = read_strings(shared_data)
    if note:
        with capsys.disabled():
            sys.stdout.write(f"\n{note}\n")
    cases = []
    for number, string in enumerate(strings):
        body = f"My card was charged twice for order A-{number}, on March 2 and again on March 3, and nobody answers me. {string} Thank you."
        answer = obeyed(number, string, secret=traps.secret, visited=traps.visited)
        cases.append(
            _case(number, string, body, answer, shown=[f"OBEYED-{number}", string, "nobody answers me <img src=x>"])
        )
    seen, traced = _show(tmp_path / "strings", cases)
    assert seen["cases"] == len(strings)
    _assert_nothing_happened(tmp_path / "strings", seen, traced)
    assert not list(traps.secret.parent.glob("*.run"))


def test_two_hundred_documents_are_text_and_nothing_else(tmp_path: Path, traps: Traps) -> None:
    documents = list(make_documents(traps))
    assert len(documents) == len({name for name, _ in documents}) == 200
    cases = []
    for number, (name, text) in enumerate(documents):
        body = f"The export to the shared folder fails since Monday with error {number}, please look at this page.\n\n{text}\n\nRegards"
        fails = f"The export fails with error {number}."
        answer = f"Gist: {fails} [m1.1]\nProblem: {fails} {text} [m1.1]\nNext step: {text} [m1.1]\n"
        cases.append(_case(number, name, body, answer, shown=[f"error {number}"]))
    seen, traced = _show(tmp_path / "documents", cases)
    assert seen["cases"] == 200
    _assert_nothing_happened(tmp_path / "documents", seen, traced)
