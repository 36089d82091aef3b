"""What is loaded at run time: the contracts of import-linter once more, seen from outside.

A contract reads import statements; it sees neither an import inside a function that runs at once nor what a library loads in turn. So each
test here starts a Python of its own and looks at what it has loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
QT = {"PySide6", "shiboken6", "qasync"}

# Runs argv[1], then prints the top-level names of everything that was loaded, as the last line.
LIST_LOADED = """
import json, sys
try:
    exec(sys.argv[1])
finally:
    print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_after(code: str) -> set[str]:
    """Run `code` in a fresh interpreter and return the top-level names of all modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED, code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=REPOSITORY,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{code!r} failed:\n{done.stderr}"
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_of(package: str) -> list[str]:
    """Name every module of `package`, found by its file, so that a new one is covered without a line here."""
    folder = REPOSITORY.joinpath(*package.split("."))
    files = (file.relative_to(REPOSITORY).with_suffix("") for file in sorted(folder.rglob("*.py")))
    return [".".join(file.parts).removesuffix(".__init__") for file in files]


def test_the_command_loads_no_qt() -> None:
    code = "\n".join(f"import {module}" for module in modules_of("desktop.cli"))
    assert not loaded_after(code) & QT


def test_the_command_alone_is_light() -> None:
    assert not loaded_after("import desktop.cli") & {*QT, "openai", "sqlite_utils"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["import", "--help"]], ids=" ".join)
def test_asking_for_help_loads_neither_the_sdk_nor_the_database_nor_qt(arguments: list[str]) -> None:
    code = f"""
import runpy
sys.argv = ["desktop", *{arguments!r}]
try:
    runpy.run_module("desktop", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""
    assert not loaded_after(code) & {*QT, "openai", "sqlite_utils", "keyring"}


@pytest.mark.parametrize("module", modules_of("desktop.services"))
def test_a_service_loads_no_qt(module: str) -> None:
    assert not loaded_after(f"import {module}") & QT


def test_the_window_is_there_without_what_draws_plots_and_sends_spans() -> None:
    code = "import desktop.gui.app, desktop.gui.window, desktop.services.container"
    assert not loaded_after(code) & {"pyqtgraph", "numpy", "opentelemetry", "google", "requests"}


def test_the_operations_view_is_there_before_what_draws_its_plots() -> None:
    assert not loaded_after("import desktop.gui.operations_panel") & {"pyqtgraph", "numpy"}


def test_domain_is_the_standard_library_only() -> None:
    code = "\n".join(f"import {module}" for module in modules_of("desktop.domain"))
    # What the interpreter loads by itself on starting, editable installs among it, is nobody's choice here.
    chosen = loaded_after(code) - loaded_after("pass")
    assert chosen <= {"desktop", *sys.stdlib_module_names}
