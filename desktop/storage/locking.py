"""Locking: work that only one TLDesk may do at a time, whoever has the data folder open. The lock goes with the process, however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class FileLock:
    """A lock that is a file. It says nothing about threads and tasks of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def acquire(self) -> bool:
        """Take the lock if nobody has it; tell whether it was taken.

        Raises:
            OSError: when the file cannot be made.
        """
        handle = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go of it."""
        if self._handle >= 0:
            # Closing the only handle of the file is letting go of it on every system.
            os.close(self._handle)
            self._handle = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
