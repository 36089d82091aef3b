"""A full session with a canary key: everything that fails quotes the key back, and all that the program leaves behind is looked through for it.

The program is whatever is given: this checkout, or a bundle. The server is on loopback; the keyring is a real one.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from desktop.llm.scripted_server import (
    EVENT_STREAM,
    JSON,
    Script,
    ScriptedServer,
    chunk,
    event,
    good_stream,
    refusal,
    words,
)
from tests.journeys.conftest import REPOSITORY, Desktop, wait_for
from tests.leaks.canary import core_limit, hits_in_files, hits_in_processes

SAMPLE = REPOSITORY / "resources" / "samples" / "support-tickets.csv"
ANSWER = "Gist: The card was charged twice. [m1.1]\nProblem: The card ending 3307 shows $59.00 twice. [m1.1]\n"
_CRASH = """
import sys
from desktop.llm.openai_client import OpenAIClient
async def fail(self, *arguments, **options):
    own_copy = self._key
    raise RuntimeError(f"refused {own_copy}")
    yield
OpenAIClient.stream = fail
from desktop.__main__ import main
sys.argv[0] = "tldesk"
sys.exit(main())
"""
"""A bug of ours, in a command that is run with --debug."""


def faults(key: str) -> tuple[Script, ...]:
    """Return answers that fail, each in its own way, and quote the key where they can."""
    cut = words("Gist: The card was")
    return (
        refusal(401, f"Incorrect API key provided: {key}.", code="invalid_api_key"),
        Script(
            (f"<html>Forbidden: Bearer {key}</html>".encode(),),
            status=403,
            headers=(("Content-Type", "text/html"), ("X-Key", key)),
        ),
        Script(
            (*cut, event({"error": {"message": f"The key {key} is over its quota", "code": key}})), headers=EVENT_STREAM
        ),
        Script((*cut, f'data: {{"choices": "{key}'.encode()), headers=EVENT_STREAM),
        Script(cut, then="reset"),
        Script(cut, then="drop"),
        Script((), status=302, headers=(("Location", f"http://localhost:1/?key={key}"),)),
        Script((f'{{"detail": "{key}"}}'.encode(),), status=422, headers=JSON),
        Script((chunk(finish="length"),)),
        good_stream(ANSWER),
    )


@dataclass
class Session:
    """One session. `program` starts TLDesk; `said` is all that its commands printed."""

    program: Sequence[str]
    desktop: Desktop
    folder: Path
    key: str
    said: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        """Return what the program sees: a place of its own for temporary files, and every library told to say all it does."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        loud = {"OPENAI_LOG": "debug", "PYTHONASYNCIODEBUG": "1"}
        return {**self.desktop.environment, **loud, "TMPDIR": str(temporary), "PYTHONPATH": str(REPOSITORY)}

    def run(self, *arguments: str, text: str | None = None, program: Sequence[str] = ()) -> int:
        """Run one command to its end, keep what it printed, and look at its processes while it runs."""
        command = [*(program or self.program), "--data-dir", str(self.data_dir), *arguments]
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen += hits_in_processes(self.key, process.pid)
        out, err = process.communicate(text, timeout=180)
        self.said += [out, err]
        return process.returncode

    def use_commands(self, server: ScriptedServer) -> None:
        """Do everything that the command can do with a key, most of which fails."""
        assert self.run("import", str(SAMPLE)) == 0
        for name, url in (("wrong", "http://127.0.0.1:1/v1"), ("mine", server.base_url)):
            assert self.run("providers", "add", name, "--base-url", url, "--model", "scripted", "--default") == 0
            assert self.run("keys", "set", name, "--stdin", text=self.key) == 0, self.said[-1]
        self.run("providers", "test", "wrong", "--json")
        before = len(server.requests)
        for ticket in ("DSK-4101", "DSK-4136", "DSK-4102"):
            self.run("summarize", ticket, "--json" if ticket == "DSK-4136" else "--jsonl", "--debug")
        self.run("summarize", "--all", "--jsonl", "--concurrency", "1")
        assert len(server.requests) > before
        assert {r.headers.get("Authorization") for r in server.requests} == {f"Bearer {self.key}"}, (
            "else nothing is proved"
        )
        if self.program[0] == sys.executable:
            self.run("summarize", "DSK-4136", "--refresh", "--debug", program=(sys.executable, "-c", _CRASH))
            assert "in fail" in self.said[-1], self.said[-1]
        out = self.folder / "out"
        out.mkdir()
        for kind in ("csv", "html"):
            assert self.run("export", "--format", kind, "--out", str(out / f"tickets.{kind}")) == 0
        for command in (("ledger", "--json"), ("stats", "--json"), ("preview", "DSK-4136")):
            self.run(*command)

    def look_at_window(self, process: int) -> None:
        """Look at a running window's processes and at what it writes while it runs, its log of the database included."""
        self.seen += hits_in_processes(self.key, process)
        if (limit := core_limit(process)) != "0":
            self.seen.append(f"a core file of {limit} bytes is allowed")
        self.seen += hits_in_files(self.key, [self.data_dir, self.folder / "tmp"])

    def end_badly(self, process: subprocess.Popen[bytes]) -> None:
        """End a window by a fault of memory, which is what core files are written for."""
        process.send_signal(signal.SIGSEGV)
        process.wait(30)
        cores = [path for folder in (self.folder, REPOSITORY) for path in folder.glob("core*") if path.is_file()]
        self.seen += [f"{path} is a core file" for path in cores]

    def hits(self) -> list[str]:
        """Return every place where the key was found."""
        (self.folder / "said.txt").write_text("\n".join(self.said), encoding="utf-8")
        return [*self.seen, *hits_in_files(self.key, [self.folder])]


def wait_for_requests(server: ScriptedServer, more: int, what: str) -> None:
    """Wait until the server was asked so many times more."""
    wanted = len(server.requests) + more
    wait_for(lambda: len(server.requests) >= wanted, what)
