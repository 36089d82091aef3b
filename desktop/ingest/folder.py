"""Folder: a folder looked at again and again, in a thread of its own, for exports that have arrived whole.

The system's notices (watchfiles) only wake it up; what is new is told by looking. So a notice that is missed costs a few seconds and no file, a
network folder, where there are no notices, works too, and a folder that goes away is found again when it comes back. A file has arrived when its
size and time have stood still for a moment and it can be opened. Nothing there is ever changed.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Generator, Iterable
from pathlib import Path

from desktop.domain.imports import ARCHIVE_SUFFIX, TABLE_SUFFIXES
from desktop.domain.watching import FilesFound, FolderLost, FolderReached, FoundFile, WatchEvent, as_kept

EXPORT_SUFFIXES = (*TABLE_SUFFIXES, ARCHIVE_SUFFIX)
SETTLE_SECONDS = 1.0
LOOK_SECONDS = 5.0
_WAIT_SECONDS = 1.0
# Excel's lock files, and hidden files, LibreOffice's lock files among them. Unfinished downloads (.part, .crdownload, .tmp) have no export's suffix.
_NOT_EXPORTS = ("~$", ".")


class FolderWatch:
    """Watches one folder. `wait` blocks, so it belongs into a thread; `stop` may be called from any other."""

    def __init__(
        self,
        folder: Path,
        handled: Iterable[FoundFile] = (),
        *,
        settle_seconds: float = SETTLE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._folder = folder.absolute()
        self._handled = set(handled)
        self._settle_seconds = settle_seconds
        self._look_seconds = look_seconds
        self._stop = threading.Event()
        self._is_reached: bool | None = None
        self._identity: tuple[int, int] | None = None
        self._first_seen: dict[FoundFile, float] = {}
        self._notices: Generator[object, None, None] | None = None

    def stop(self) -> None:
        """Let `wait` return soon, with nothing."""
        self._stop.set()

    def wait(self) -> list[WatchEvent]:
        """Wait until something happens, and return it; nothing when it was stopped."""
        while not self._stop.is_set():
            events = self._look()
            if events:
                return events
            self._pause()
        self._close_notices()
        return []

    def _look(self) -> list[WatchEvent]:
        try:
            status = self._folder.stat()
            present = self._list()
        except OSError as error:
            return self._lost(error.strerror or str(error))
        if not stat.S_ISDIR(status.st_mode):
            return self._lost("it is no folder")
        if self._identity != (status.st_dev, status.st_ino):
            # Another folder of the same name: the notices would still be those of the old one.
            self._close_notices()
            self._identity = (status.st_dev, status.st_ino)
        events: list[WatchEvent] = [] if self._is_reached else [FolderReached(str(self._folder))]
        self._is_reached = True
        found = self._settled(present)
        self._handled.update(map(as_kept, found))
        return [*events, FilesFound(tuple(found))] if found else events

    def _lost(self, reason: str) -> list[WatchEvent]:
        self._close_notices()
        self._first_seen.clear()
        was_lost, self._is_reached = self._is_reached is False, False
        return [] if was_lost else [FolderLost(str(self._folder), reason)]

    def _list(self) -> list[FoundFile]:
        present = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                name = entry.name.lower()
                if name.startswith(_NOT_EXPORTS) or not name.endswith(EXPORT_SUFFIXES):
                    continue
                try:
                    if entry.is_file():
                        # Not the entry's own: on Windows it tells the size that the folder last noted.
                        status = Path(entry.path).stat()
                        present.append(FoundFile(entry.path, status.st_size, status.st_mtime_ns))
                except OSError:
                    continue  # gone since, or not ours to see
        return present

    def _settled(self, present: list[FoundFile]) -> list[FoundFile]:
        now = time.monotonic()
        # An empty file is one that somebody is about to write.
        new = [found for found in present if found.size and as_kept(found) not in self._handled]
        self._first_seen = {found: self._first_seen.get(found, now) for found in new}
        return sorted(
            (f for f in new if now - self._first_seen[f] >= self._settle_seconds and _can_be_opened(f)),
            key=lambda found: (found.modified_ns, found.path),
        )

    def _pause(self) -> None:
        if self._first_seen:
            self._stop.wait(self._settle_seconds / 4)
        elif not self._is_reached:
            self._stop.wait(min(_WAIT_SECONDS, self._look_seconds))
        else:
            self._wait_for_notice()

    def _wait_for_notice(self) -> None:
        from watchfiles import watch

        try:
            if self._notices is None:
                self._notices = watch(
                    self._folder,
                    watch_filter=None,
                    recursive=False,
                    debounce=400,
                    step=200,
                    stop_event=self._stop,
                    rust_timeout=round(self._look_seconds * 1000),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                )
            if next(self._notices, None) is None:
                self._notices = None
        except (OSError, RuntimeError):
            # No notices here (a limit of the system, a folder that went this moment, a fault of watchfiles): looking goes on without.
            self._close_notices()
            self._stop.wait(self._look_seconds)

    def _close_notices(self) -> None:
        if self._notices is not None:
            self._notices.close()
            self._notices = None


def _can_be_opened(found: FoundFile) -> bool:
    """Tell whether nobody keeps others from reading the file, as programs on Windows do while they write."""
    try:
        with Path(found.path).open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
