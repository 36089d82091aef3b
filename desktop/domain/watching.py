"""Watching: what happens in a folder that is watched, and what a new file there comes to.

A file is named with its size and the time it was written: written anew, it is another find.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.domain.errors import DeskError
from desktop.domain.imports import Recognized


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file in a watched folder that nobody writes to any more."""

    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class FolderReached:
    """The folder is watched from now on, at the start or because it came back."""

    folder: str


@dataclass(frozen=True, slots=True)
class FolderLost:
    """The folder cannot be reached; it is looked for until it is back. `reason` is the system's."""

    folder: str
    reason: str


@dataclass(frozen=True, slots=True)
class FilesFound:
    """Files that arrived together and were not handled before."""

    files: tuple[FoundFile, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a found file comes to: tables that can be imported without a question, those that need an answer, and what cannot be read.

    Most files hold one table; an archive may hold many.
    """

    found: FoundFile
    recognized: tuple[Recognized, ...] = ()
    questions: tuple[str, ...] = ()
    refused: tuple[DeskError, ...] = ()


WatchEvent = FolderReached | FolderLost | FilesFound


def is_final(error: DeskError) -> bool:
    """Tell whether a file that failed so is handled. What the disk or the database refused is tried again after the next start."""
    return not error.code.startswith("database-")
