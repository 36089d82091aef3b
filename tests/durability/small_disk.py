"""A disk that is really full: a file system in memory, too small for the import, made larger when the user has freed some space."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.contents import Told
from tests.durability.points import Outcome, Stage, check_again, check_cut_off, find_bad_words, import_words
from tests.durability.program import tldesk

ROOMY_KB = 1_000_000


def why_no_disk_here() -> str:
    """Say in words why no small disk can be had on this machine, '' when one can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root may mount a small disk"
    try:
        with tempfile.TemporaryDirectory(prefix="tldesk-disk-") as folder, _mounted(Path(folder) / "disk", ROOMY_KB):
            return ""
    except OSError as error:
        return f"no small disk can be mounted here ({error})"


def fill_disk(stage: Stage, folder: Path, room_kb: int) -> Outcome:
    """Import on a disk with `room_kb` beyond what the folder takes already, then with room enough, and check."""
    taken_kb = sum(path.stat().st_size for path in stage.folder.rglob("*") if path.is_file()) // 1024
    with _mounted(folder, taken_kb + room_kb):
        data = folder / "data"
        shutil.copytree(stage.folder, data)
        ran = tldesk(data, "import", *import_words(stage.exports))
        problems = [*find_bad_words(ran)]
        if ran.code == 0:
            problems.append("the import fitted on the disk that was to be too small")
        elif "no space" not in ran.err.casefold():
            problems.append(f"it did not say that there is no space: {ran.err.strip()}")
        _mount(folder, "-o", f"remount,size={ROOMY_KB}k")
        problems += [*check_cut_off(stage, data, Told()), *check_again(stage, data)]
    return Outcome(f"a full disk with {room_kb} kB of room", ran.code != 0, tuple(problems))


@contextmanager
def _mounted(folder: Path, size_kb: int) -> Iterator[None]:
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size_kb}k,mode=0700", "tldesk-durability", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def _mount(*words: str | Path) -> None:
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
