"""Chooses between the window and the command, and imports only the one it chose.

`tldesk` opens the window, `tldesk FILE…` opens it and offers the files for import, `tldesk COMMAND …` runs a command without Qt. Two hidden
options start the same program as something else: `--engine` is the child process of the built-in model, `--self-check` proves a bundle.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.cli import COMMANDS
from desktop.config.crashes import forbid_core_files, report_crashes, tell_of_crashes

if TYPE_CHECKING:
    from desktop.config.paths import Paths


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    forbid_core_files()
    if arguments is None:
        report_crashes()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        # Before a command could take care of it itself: nothing has begun.
        return 130


def _run(arguments: list[str]) -> int:
    match arguments[:1]:
        case ["--engine"]:
            from desktop.llm.engine import main_engine

            return main_engine(arguments[1:])
        case ["--self-check"]:
            from desktop.self_check import run_self_check

            return run_self_check()
    data_dir, rest = _take_data_dir(arguments)
    if _is_for_window(rest):
        return _open_window(data_dir, [Path(name) for name in rest])
    from desktop.cli.main import run_command

    return run_command(arguments, find_paths=_prepare_paths)


def _take_data_dir(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """Split a leading `--data-dir DIR` or `--data-dir=DIR` off."""
    if len(arguments) >= 2 and arguments[0] == "--data-dir":
        return Path(arguments[1]), arguments[2:]
    if arguments and arguments[0].startswith("--data-dir="):
        return Path(arguments[0].partition("=")[2]), arguments[1:]
    return None, arguments


def _is_for_window(rest: list[str]) -> bool:
    """Tell files from commands: a word that is neither a command nor looks like a file is left to the command, which says so."""
    if not rest:
        return True
    first = rest[0]
    if first.startswith("-") or first in COMMANDS:
        return False
    return Path(first).exists() or bool(Path(first).suffix) or Path(first).name != first


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _prepare_paths(data_dir: Path | None) -> Paths:
    """Find all places, make the data folder, and begin to log there."""
    from desktop.config.logs import start_logging
    from desktop.config.paths import find_paths, make_folders

    paths = find_paths(data_dir)
    make_folders(paths)
    start_logging(paths.logs)
    return paths


def _open_window(data_dir: Path | None, files: list[Path]) -> int:
    from desktop.config.settings import Settings
    from desktop.domain.errors import DeskError

    if not _has_display():
        # Qt itself would end the program with a core dump.
        print("There is no display here to open a window on. See: tldesk --help", file=sys.stderr)  # noqa: T201
        return 4
    try:
        paths = _prepare_paths(data_dir)
    except DeskError as error:
        from desktop.gui.app import show_start_error

        print(error, file=sys.stderr)  # noqa: T201 - for whoever started it from a terminal
        show_start_error(error)
        return 4
    from desktop.gui.app import run_window

    report_crashes()
    return run_window(paths, files, layout=Settings(paths.settings).get("window"), tell_of_crashes=tell_of_crashes)


if __name__ == "__main__":
    sys.exit(main())
