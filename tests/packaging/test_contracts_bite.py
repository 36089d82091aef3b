"""The contracts of import-linter: each is broken once, in a copy, and must say so.

A contract that names a module wrongly passes for ever and protects nothing. That the checkout itself keeps them all is `make contracts`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# One import that must not be: the contract, the module to put it in, the import.
BREACHES = [
    (
        "Layers point down; siblings on one line never import each other",
        "desktop/config/__init__.py",
        "import desktop.services.container",
    ),
    (
        "Layers point down; siblings on one line never import each other",
        "desktop/storage/__init__.py",
        "import desktop.ingest",
    ),
    (
        "Layers point down; siblings on one line never import each other",
        "desktop/cli/__init__.py",
        "import desktop.gui",
    ),
    ("Only gui knows Qt", "desktop/services/rendering/__init__.py", "from PySide6.QtGui import QTextDocument"),
    ("Front ends import services and domain only", "desktop/cli/__init__.py", "import desktop.config.settings"),
    (
        "llm is imported by services.outbound and services.container alone",
        "desktop/services/summaries.py",
        "import desktop.llm.prices",
    ),
    ("sqlite only in storage", "desktop/services/tickets.py", "import sqlite3"),
    ("openai only in llm.openai_client and llm.batch", "desktop/llm/engine.py", "import openai"),
    ("pyqtgraph only in gui, by the one module that draws", "desktop/gui/operations_overview.py", "import pyqtgraph"),
    ("pyqtgraph only in gui, by the one module that draws", "desktop/services/operations.py", "import numpy"),
    ("opentelemetry only in services.otlp", "desktop/services/operations.py", "import opentelemetry.sdk"),
    ("keyring only in config.secrets", "desktop/services/doctor.py", "import keyring"),
    (
        "Provider profiles become endpoints in services.container alone",
        "desktop/services/outbound/__init__.py",
        "import desktop.llm.presets",
    ),
    ("domain is plain Python without input or output", "desktop/domain/tickets.py", "import pathlib"),
    ("domain is plain Python without input or output", "desktop/domain/errors.py", "import markdown"),
]


@pytest.mark.parametrize(("contract", "module", "breach"), BREACHES, ids=lambda value: value.rpartition("/")[2])
def test_a_breach_is_named(contract: str, module: str, breach: str, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "desktop", tmp_path / "desktop", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{breach}\n")
    assert f"{contract} BROKEN" in lint_imports(tmp_path)


def test_every_contract_is_broken_here_once() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert text.count("[[tool.importlinter.contracts]]") == len({contract for contract, _, _ in BREACHES})


def lint_imports(folder: Path) -> str:
    """Run import-linter on the copy in `folder` and return what it printed."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-logo", "--no-cache"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1", "COLUMNS": "200"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, f"no contract was broken:\n{done.stdout}\n{done.stderr}"
    return done.stdout
