"""A watched folder: what is told of it, and what is not."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from desktop.domain.watching import FilesFound, FolderLost, FolderReached, FoundFile, WatchEvent
from desktop.ingest.folder import FolderWatch

SETTLE = 0.1
PATIENCE_S = 20


class Told:
    """A folder being watched in a thread, and what it told so far."""

    def __init__(
        self, folder: Path, handled: tuple[FoundFile, ...], *, settle_seconds: float = SETTLE, look_seconds: float = 0.2
    ) -> None:
        self.watch = FolderWatch(folder, handled, settle_seconds=settle_seconds, look_seconds=look_seconds)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[WatchEvent] = []

    def next(self) -> WatchEvent:
        """Return the next event."""
        if not self._waiting:
            self._waiting = self._thread.submit(self.watch.wait).result(PATIENCE_S)
        return self._waiting.pop(0)

    def next_names(self) -> list[str]:
        """Return the names of the files that are found next."""
        event = self.next()
        assert isinstance(event, FilesFound), event
        return [Path(found.path).name for found in event.files]

    def close(self) -> None:
        self.watch.stop()
        self._thread.shutdown(wait=True)


@pytest.fixture
def watched() -> Iterator[Callable[..., Told]]:
    """Watch folders, and stop at the end."""
    started: list[Told] = []

    def start(folder: Path, handled: tuple[FoundFile, ...] = (), **options: float) -> Told:
        started.append(Told(folder, handled, **options))
        return started[-1]

    yield start
    for told in started:
        told.close()


def test_files_that_are_there_and_those_that_come_are_told_once(tmp_path: Path, watched: Callable[..., Told]) -> None:
    (tmp_path / "old.csv").write_text("a", encoding="utf-8")
    told = watched(tmp_path)
    assert isinstance(told.next(), FolderReached)
    assert told.next_names() == ["old.csv"]
    (tmp_path / "new.xlsx").write_text("b", encoding="utf-8")
    assert told.next_names() == ["new.xlsx"]
    # Written anew it is another file; the other one is not told again.
    (tmp_path / "old.csv").write_text("abc", encoding="utf-8")
    assert told.next_names() == ["old.csv"]


def test_a_notice_of_the_system_is_enough(tmp_path: Path, watched: Callable[..., Told]) -> None:
    told = watched(tmp_path, look_seconds=3600.0)
    assert isinstance(told.next(), FolderReached)
    with ThreadPoolExecutor(1) as other:
        names = other.submit(told.next_names)
        written = threading.Event()
        # The first notice may be missed while the system begins to give them; one after it is not.
        for number in range(100):
            if names.done():
                break
            (tmp_path / f"{number}.csv").write_text("a", encoding="utf-8")
            written.wait(0.1)
        assert names.result(PATIENCE_S)


def test_what_was_handled_before_is_not_told(tmp_path: Path, watched: Callable[..., Told]) -> None:
    path = tmp_path / "old.csv"
    path.write_text("a", encoding="utf-8")
    status = path.stat()
    told = watched(tmp_path, (FoundFile(str(path), status.st_size, status.st_mtime_ns),))
    assert isinstance(told.next(), FolderReached)
    (tmp_path / "new.csv").write_text("b", encoding="utf-8")
    assert told.next_names() == ["new.csv"]


def test_unfinished_hidden_and_foreign_files_are_left_alone(tmp_path: Path, watched: Callable[..., Told]) -> None:
    ignored = ("a.csv.part", "b.csv.crdownload", "c.tmp", "~$d.xlsx", ".e.csv", ".~lock.f.ods#", "g.png", "h")
    for name in ignored:
        (tmp_path / name).write_text("a", encoding="utf-8")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    told = watched(tmp_path)
    assert isinstance(told.next(), FolderReached)
    (tmp_path / "a.csv.part").rename(tmp_path / "a.csv")
    assert told.next_names() == ["a.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        {*ignored, "empty.csv", "folder.csv", "a.csv"} - {"a.csv.part"}
    )


def test_a_file_is_told_when_it_is_whole(tmp_path: Path, watched: Callable[..., Told]) -> None:
    told = watched(tmp_path, settle_seconds=0.5)
    assert isinstance(told.next(), FolderReached)
    path, pause = tmp_path / "slow.csv", threading.Event()
    with ThreadPoolExecutor(1) as other:
        found = other.submit(told.next)
        with path.open("w", encoding="utf-8") as file:
            # Written for three times as long as it must stand still.
            for _ in range(75):
                file.write("row\n")
                file.flush()
                pause.wait(0.02)
                assert not found.done()
        event = found.result(PATIENCE_S)
    assert isinstance(event, FilesFound)
    assert event.files[0].size == path.stat().st_size


def test_a_folder_that_goes_and_comes_back_is_watched_on(tmp_path: Path, watched: Callable[..., Told]) -> None:
    folder = tmp_path / "share"
    told = watched(folder)
    lost = told.next()
    assert isinstance(lost, FolderLost)
    assert lost.reason
    folder.mkdir()
    (folder / "a.csv").write_text("a", encoding="utf-8")
    assert isinstance(told.next(), FolderReached)
    assert told.next_names() == ["a.csv"]
    shutil.rmtree(folder)
    assert isinstance(told.next(), FolderLost)
    folder.mkdir()
    assert isinstance(told.next(), FolderReached)
    (folder / "b.csv").write_text("b", encoding="utf-8")
    assert told.next_names() == ["b.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_and_a_broken_link_hold_nothing_up(tmp_path: Path, watched: Callable[..., Told]) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    (tmp_path / "real.csv").write_text("a", encoding="utf-8")
    told = watched(tmp_path)
    assert isinstance(told.next(), FolderReached)
    assert told.next_names() == ["real.csv"]


def test_waiting_ends_when_it_is_stopped(tmp_path: Path, watched: Callable[..., Told]) -> None:
    told = watched(tmp_path, look_seconds=3600.0)
    assert isinstance(told.next(), FolderReached)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(told.watch.wait)
        told.watch.stop()
        assert waiting.result(PATIENCE_S) == []
