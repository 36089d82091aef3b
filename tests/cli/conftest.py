"""What the tests of the command share: the real command line, run in this process, with its output and exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.__main__ import main


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Return standard output as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Runner = Callable[..., Ran]


@pytest.fixture
def tldesk(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """Give a function that runs a command on a fresh data folder."""

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(["--data-dir", str(data_dir), *arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Give a small export of an unknown system with one row that cannot be used."""
    path = tmp_path / "export.csv"
    path.write_text(
        "Ticket No,Title,Details,State,Customer,Opened,Team color\n"
        "T-1,Cannot print,The printer on floor 3 prints blank pages since Monday.,open,Ada,2026-03-02,blue\n"
        "T-2,Refund,I was charged €49.00 twice. Order A-1183.,closed,Bo,2026-03-03,red\n"
        ",Lost,This row has no number.,open,Cy,2026-03-04,red\n",
        encoding="utf-8",
    )
    return path
