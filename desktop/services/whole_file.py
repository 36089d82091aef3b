"""A file that is there whole or not at all: written beside its place and put there when it is done. What is cancelled, or fails, leaves nothing."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

from desktop.domain.errors import DeskError

Write = Callable[[str], Awaitable[object]]


@asynccontextmanager
async def whole_file(path: Path, *, replace_existing: bool, has_mark: bool) -> AsyncIterator[Write]:
    """Open a text file to write piece by piece; it is at `path` when the block was left without an exception.

    `has_mark` puts the mark in front without which spreadsheets take a table for one of their own country's letters.

    Raises:
        DeskError: `export-exists`, when there is such a file and it shall not be replaced; `export-unwritable`.
    """
    path = await asyncio.to_thread(check_place, path, replace_existing=replace_existing)
    try:
        handle, name = await asyncio.to_thread(tempfile.mkstemp, ".part", ".tldesk-", path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    part = Path(name)
    try:
        encoding = "utf-8-sig" if has_mark else "utf-8"
        with os.fdopen(handle, "w", encoding=encoding, errors="replace", newline="") as file:
            yield lambda text: asyncio.to_thread(file.write, text)
            await asyncio.to_thread(_flush, file)
        await asyncio.to_thread(_put, part, path, replace_existing=replace_existing)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


def check_place(path: Path, *, replace_existing: bool) -> Path:
    """Return where a file really goes; a link is followed, so that it stays one."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise DeskError("export-unwritable", f"{path} is no file.", remedy="Give another place for the export.")
    if path.exists() and not replace_existing:
        raise _exists(path)
    return path


def _put(part: Path, path: Path, *, replace_existing: bool) -> None:
    if replace_existing:
        part.replace(path)
        return
    try:
        # Refuses, in one step, what came to be there meanwhile.
        path.hardlink_to(part)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _exists(path) from None
        part.replace(path)


def _flush(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _exists(path: Path) -> DeskError:
    return DeskError(
        "export-exists",
        f"{path} is there already.",
        remedy="Give another name, or --force to replace it.",
    )


def _unwritable(path: Path, error: OSError) -> DeskError:
    return DeskError(
        "export-unwritable",
        f"{path} cannot be written: {error.strerror or error}.",
        remedy="Check that the folder is there and may be written, and that there is space.",
    )
