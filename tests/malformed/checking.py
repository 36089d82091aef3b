"""Checking: starts the child that examines files, waits no longer than a person would, and hands back what was told of each.

A step that takes too long ends the child, which counts against the file; a new child goes on with the next one. The same for a child that dies.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).parents[2]
MOST_SECONDS = 10.0
"""For each step (unpacking and recognizing, a dry run, the import, the same once more, taking it back)."""
MOST_SECONDS_IN_ALL = 30.0
"""For all steps together: an archive of very many files is no way round the limit."""
MOST_BYTES = 500_000_000
MOST_RESTING_BYTES = 280_000_000
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file. `problems` are sentences; `peak_bytes` is None where it cannot be measured."""

    path: Path
    tables: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    peak_bytes: int | None = None
    resting_bytes: int = 0

    @property
    def tickets(self) -> int:
        """Return how many tickets came out of it."""
        return sum(table.get("tickets_new", 0) for table in self.tables)

    @property
    def is_refused(self) -> bool:
        """Tell whether nothing of it was imported."""
        return all(table["state"] == "refused" for table in self.tables)


def examine(paths: Iterable[Path]) -> list[Report]:
    """Examine files, each on its own; a report for each, in their order."""
    reports: list[Report] = []
    child: _Child | None = None
    try:
        for path in paths:
            child = child or _Child()
            report, is_alive = child.examine(path)
            reports.append(report)
            # What earlier files left in the process is not this file's: the system's memory is handed back in parts only.
            if not is_alive or report.resting_bytes > MOST_RESTING_BYTES:
                child.end()
                child = None
    finally:
        if child is not None:
            child.end()
    return reports


@dataclass
class _Child:
    process: subprocess.Popen[str] = field(init=False)
    _said: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.malformed.child"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._complaints: list[str] = []
        self._listeners = [
            threading.Thread(target=self._listen, args=[self.process.stdout, self._said.put], name="child's output"),
            threading.Thread(
                target=self._listen, args=[self.process.stderr, self._complaints.append], name="child's errors"
            ),
        ]
        for listener in self._listeners:
            listener.start()
        said = self._next(_START_SECONDS)
        assert said == {"ready": True}, f"the child did not start: {said} {''.join(self._complaints)}"

    def examine(self, path: Path) -> tuple[Report, bool]:
        """Examine one file; the second value tells whether the child lives on."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(str(path)) + "\n")
        self.process.stdin.flush()
        began = time.monotonic()
        step = "starting"
        while True:
            said = self._next(MOST_SECONDS)
            if said is None or time.monotonic() - began > MOST_SECONDS_IN_ALL:
                return Report(path, problems=(self._end_in_words(step),), seconds=time.monotonic() - began), False
            if "step" in said:
                step = said["step"]
                continue
            problems = [*said["problems"], *self._complaints]
            self._complaints.clear()
            seconds = time.monotonic() - began
            memory = said["peak_bytes"], said["resting_bytes"]
            return Report(path, tuple(said["tables"]), tuple(problems), seconds, *memory), True

    def end(self) -> None:
        """End the process and what listens to it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for listener in self._listeners:
            listener.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _end_in_words(self, step: str) -> str:
        if self.process.poll() is None:
            return f"{step} took more than {MOST_SECONDS:.0f} s, or all steps more than {MOST_SECONDS_IN_ALL:.0f} s"
        complaints = "".join(self._complaints)[:3_000]
        return f"the process died while {step} (exit code {self.process.returncode}). {complaints}"

    def _next(self, patience: float) -> dict[str, Any] | None:
        """Return what the child says next; None when it says nothing in time, or never will again."""
        try:
            line = self._said.get(timeout=patience)
        except queue.Empty:
            return None
        if not line:
            self.process.wait()
            return None
        said = json.loads(line)
        assert isinstance(said, dict)
        return said

    def _listen(self, stream: IO[str], tell: Any) -> None:
        for line in stream:
            tell(line)
        tell("")
