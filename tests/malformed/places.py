"""Places: paths that are no ordinary files, and names that no export should bear."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from tests.malformed.kinds import NotPossibleHereError, kind
from tests.malformed.tables import HEADER, put, rows

TABLE = HEADER + rows(5)


def _named(folder: Path, name: str) -> Path:
    try:
        return put(folder, TABLE, name)
    except (OSError, ValueError) as error:
        raise NotPossibleHereError(f"this file system takes no such name: {error}") from error


@kind(must_refuse=True)
def directory(folder: Path) -> Path:
    path = folder / "tickets.csv"
    path.mkdir()
    return path


@kind(must_refuse=True)
def pipe(folder: Path) -> Path:
    if sys.platform == "win32":
        raise NotPossibleHereError("there are no pipes with a path here")
    path = folder / "tickets.csv"
    os.mkfifo(path)
    return path


@kind(must_refuse=True)
def socket_file(folder: Path) -> Path:
    if sys.platform == "win32":
        raise NotPossibleHereError("there are no sockets with a path here")
    # The path of a socket may have some hundred characters, fewer than a test's folder: so it is bound from inside.
    before = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("tickets.csv")
    finally:
        os.chdir(before)
    return folder / "tickets.csv"


@kind(must_refuse=True)
def device(folder: Path) -> Path:
    if not Path(os.devnull).exists():
        raise NotPossibleHereError("there are no devices with a path here")
    return Path(os.devnull)


def _link(path: Path, target: Path) -> Path:
    try:
        path.symlink_to(target)
    except OSError as error:
        raise NotPossibleHereError(f"no links may be made here: {error}") from error
    return path


@kind(must_refuse=True)
def link_to_itself(folder: Path) -> Path:
    return _link(folder / "tickets.csv", folder / "tickets.csv")


@kind(must_refuse=True)
def file_behind_a_link_to_itself(folder: Path) -> Path:
    return _link(folder / "loop", folder / "loop") / "tickets.csv"


@kind(must_refuse=True)
def link_to_nothing(folder: Path) -> Path:
    return _link(folder / "tickets.csv", folder / "gone.csv")


@kind(must_refuse=True)
def missing(folder: Path) -> Path:
    return folder / "tickets.csv"


@kind(must_refuse=True)
def inside_a_table(folder: Path) -> Path:
    return put(folder, TABLE) / "inside.csv"


@kind(must_refuse=True)
def name_beyond_any_length(folder: Path) -> Path:
    return folder / ("tickets" * 100 + ".csv")


@kind(must_refuse=True)
def name_with_nul(folder: Path) -> Path:
    return folder / "tick\0ets.csv"


@kind(least=5)
def name_that_is_no_text(folder: Path) -> Path:
    return _named(folder, "tick\udce9ts.csv")


@kind(least=5)
def name_of_digits(folder: Path) -> Path:
    return _named(folder, "2026030210151234567890123456789012345678901234x.csv")


@kind(least=5)
def name_of_brackets(folder: Path) -> Path:
    return _named(folder, "tickets" + " (1)" * 40 + "x (.csv")


@kind(least=5)
def name_with_newline(folder: Path) -> Path:
    return _named(folder, "tick\nets\x1b[31m.csv")


@kind(least=5)
def name_without_letters(folder: Path) -> Path:
    return _named(folder, "...-_- 123.csv")


@kind()
def file_that_may_not_be_read(folder: Path) -> Path:
    path = put(folder, TABLE)
    path.chmod(0)  # whoever may read everything (root) reads it all the same
    return path
