"""Watching: what happens in a folder that is watched, and what a new file there comes to.

A file is named with its size and the time it was written: written anew, it is another find.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished


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
class Taken:
    """What a found file came to: tables that were imported, paths of those that need an answer first, and what cannot be imported.

    Most files hold one table; an archive may hold many.
    """

    done: tuple[Finished, ...] = ()
    questions: tuple[str, ...] = ()
    refused: tuple[DeskError, ...] = ()


WatchEvent = FolderReached | FolderLost | FilesFound


def as_kept(found: FoundFile) -> FoundFile:
    """Return a file as it can be kept: a name that is no text (Linux allows it) is spelled out, so that it can be told apart."""
    return replace(found, path=found.path.encode("utf-8", "backslashreplace").decode())
