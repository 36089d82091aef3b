"""Files: the bytes behind a path, unpacked where they are packed.

A path may lead into a ZIP (`exports.zip/tickets.csv`), and a `.gz` is read as what it holds. Nothing is unpacked to disk. What unpacks to far more
than it should is refused before it fills the memory: a bomb is a few kilobytes that say they are a terabyte.
"""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Protocol

from desktop.domain.errors import DeskError
from desktop.domain.imports import ARCHIVE_SUFFIX, DIFF_SUFFIXES, FILE_SUFFIXES

MOST_UNPACKED_BYTES = 4_000_000_000
_SUSPICIOUS_BYTES = 50_000_000
_MOST_RATIO = 400
"""Tables of text unpack to 5 to 30 times their size, very dull ones to 200."""
_OFFICE_PARTS = ("[Content_Types].xml", "mimetype", "META-INF/manifest.xml")
ALL_MAILS = "all .eml files"
"""In the place of a name inside a ZIP: its mails, one a file, are a mailbox together, because replies stand in other files than what they answer."""
_HIDDEN = ("__MACOSX", ".")
_MOST_TABLES = 1_000


_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL)
# Names that are no text, sizes beyond any number: an archive can be wrong in every part of it.
_DAMAGE = (
    *(zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, OverflowError, IndexError),
)


class _Closable(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file. `stream` gives its bytes unpacked; `position()` of `size` bytes are read, in whatever unit both are known in.

    `inside` is what is left of a path that leads further into the file: the key of a list in a JSON document.
    """

    stream: io.BufferedReader[Any]
    size: int
    position: Callable[[], int]
    holders: tuple[_Closable, ...]
    inside: str = ""

    def close(self) -> None:
        """Let go of the file and all that was opened on the way to it."""
        for holder in self.holders:
            holder.close()


def open_file(path: Path) -> OpenFile:
    """Open what a path leads to.

    Raises:
        DeskError: `file-…` in words for what people meet; OSError for the rest.
    """
    archive, member = split_path(path)
    if member and zipfile.is_zipfile(archive):
        if member.lower().endswith(ARCHIVE_SUFFIX):
            raise DeskError(
                "file-zip-nested",
                f"{path.name} is an archive inside {archive.name}, and archives inside archives are not opened.",
                remedy=f"Unpack {archive.name} and import {path.name} by itself.",
            )
        return _open_member(archive, member)
    _check_is_file(archive)
    raw = archive.open("rb")
    size = archive.stat().st_size
    if raw.peek(2)[:2] != b"\x1f\x8b":
        return OpenFile(raw, size, raw.tell, (raw,), member)
    unpacked = io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=raw), archive.name, raw.tell))
    return OpenFile(unpacked, size, raw.tell, (unpacked, raw), member)


def split_path(path: Path) -> tuple[Path, str]:
    """Split a path into the file on the disk and the name inside it; '' when it leads to the file itself."""
    if _mode(path):
        return path, ""
    for parent in path.parents:
        if stat.S_ISREG(_mode(parent)):
            return parent, path.relative_to(parent).as_posix()
    return path, ""


def expand(path: Path) -> tuple[Path, ...]:
    """Return the tables that a path leads to: those inside a ZIP, else the path itself.

    Raises:
        DeskError: `file-zip-empty`, when a ZIP holds no table; `file-broken`, when it cannot be read.
    """
    archive, member = split_path(path)
    if member or not stat.S_ISREG(_mode(archive)) or not zipfile.is_zipfile(archive):
        return (path,)
    with reading(archive.name), zipfile.ZipFile(archive) as file:
        names = [info.filename for info in file.infolist() if not info.is_dir()]
    if any(part in names for part in _OFFICE_PARTS):
        return (path,)
    tables = sorted(name for name in names if _is_table(name))
    if not tables:
        raise DeskError(
            "file-zip-empty",
            f"{path.name} holds no table ({', '.join(names[:3]) or 'it is empty'}).",
            remedy="Put the exported tables into it, or import them one by one.",
        )
    if sum(not name.lower().endswith(DIFF_SUFFIXES) for name in tables) > _MOST_TABLES:
        raise DeskError(
            "file-zip-full",
            f"{path.name} holds {len(tables):,} tables, more than an export has.",
            remedy=f"Unpack it yourself and import those that hold tickets, at most {_MOST_TABLES:,} at a time.",
        )
    mails = [name for name in tables if _is_mail(name)]
    if len(mails) > 1:
        tables = [*(name for name in tables if name not in mails), ALL_MAILS]
    return tuple(archive / name for name in tables)


def is_all_mails(path: Path) -> bool:
    """Tell whether a path leads to all the mails of a ZIP."""
    return path.name == ALL_MAILS and bool(split_path(path)[1])


def open_mails(path: Path) -> Iterator[tuple[str, int, OpenFile]]:
    """Open the files of mails that a path leads to, one after the other: (name in the archive, how many there are, the file).

    Each is the caller's to close before the next.

    Raises:
        DeskError: `file-…` in words for what people meet; OSError for the rest.
    """
    if not is_all_mails(path):
        yield "", 1, open_file(path)
        return
    archive, _ = split_path(path)
    with reading(archive.name), zipfile.ZipFile(archive) as file:
        infos = sorted((info for info in file.infolist() if _is_mail(info.filename)), key=lambda info: info.filename)
    with archive.open("rb") as raw, zipfile.ZipFile(raw) as file:
        for info in infos:
            with reading(archive.name):
                stream = file.open(info)
            consumed = partial(_since, raw, info.header_offset)
            guarded = io.BufferedReader(_Guarded(stream, f"{archive.name}/{info.filename}", consumed))
            yield info.filename, len(infos), OpenFile(guarded, max(1, info.file_size), stream.tell, (guarded, stream))


def _since(file: IO[bytes], start: int) -> int:
    return file.tell() - start


def _is_mail(name: str) -> bool:
    return _is_table(name) and name.lower().endswith(".eml")


def _is_table(name: str) -> bool:
    parts = PurePosixPath(name).parts
    # A name that begins at the root, or on a drive, would lead out of the archive to a file of the disk.
    if name.startswith("/") or PureWindowsPath(name).anchor or PureWindowsPath(name).drive or "\\" in name:
        return False
    is_hidden = any(part.startswith(_HIDDEN) for part in parts)
    # An archive in an archive is listed, so that it is refused in words and not passed over.
    return not is_hidden and ".." not in parts and name.lower().endswith(FILE_SUFFIXES)


def _mode(path: Path) -> int:
    """Return what sort of thing a path leads to, as `stat` tells it; 0 when there is nothing, or could be nothing of such a name."""
    try:
        return path.stat().st_mode
    except ValueError:
        return 0
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return 0
        raise DeskError(
            "file-unreadable", f"{path.name} cannot be read.", remedy=f"The system says: {error.strerror or error}."
        ) from None


def _check_is_file(path: Path) -> None:
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        raise DeskError("file-directory", f"{path.name} is a folder.", remedy="Choose the export file inside it.")
    if not mode:
        raise DeskError("file-missing", f"There is no file {path}.", remedy="Check the name, or choose it again.")
    if not stat.S_ISREG(mode):
        raise DeskError(
            "file-unreadable", f"{path.name} is no ordinary file.", remedy="Save the export as a file and choose that."
        )


def _open_member(archive: Path, name: str) -> OpenFile:
    full_name = f"{archive.name}/{name}"
    with ExitStack() as opened, reading(archive.name):
        raw = opened.enter_context(archive.open("rb"))
        file = opened.enter_context(zipfile.ZipFile(raw))
        member, inside = _split_member(file, name)
        if not member:
            raise missing_inside(archive, name)
        info = file.getinfo(member)
        stream = opened.enter_context(file.open(info))
        consumed = partial(_since, raw, info.header_offset)
        unpacked = io.BufferedReader(_Guarded(stream, full_name, consumed))
        if unpacked.peek(2)[:2] == b"\x1f\x8b":
            unpacked = io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=unpacked), full_name, consumed))
        # All is well: from here on it is the caller's to close.
        opened.pop_all()
        return OpenFile(unpacked, max(1, info.file_size), stream.tell, (unpacked, stream, file, raw), inside)


def _split_member(file: zipfile.ZipFile, name: str) -> tuple[str, str]:
    """Split a path inside an archive into the file there and what is inside that; '' when there is no such file."""
    names = frozenset(file.namelist())
    parts = name.split("/")
    for cut in range(len(parts), 0, -1):
        if (member := "/".join(parts[:cut])) in names:
            return member, "/".join(parts[cut:])
    return "", name


def missing_inside(file: Path, name: str) -> DeskError:
    """Say that a file holds nothing of this name."""
    return DeskError("file-missing", f"There is no {name} in {file.name}.", remedy="Look into the file for its name.")


class _Guarded(io.RawIOBase):
    """Unpacked bytes, counted: what unpacks beyond reason is refused, and a broken archive is said in words."""

    def __init__(self, stream: io.BufferedIOBase | IO[bytes], name: str, consumed: Callable[[], int]) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self._consumed = consumed
        self._count = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._count

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with reading(self._name):
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        # Against what was read so far, not the whole: who waits for the end of a bomb has unpacked it.
        most = min(MOST_UNPACKED_BYTES, max(_SUSPICIOUS_BYTES, self._consumed() * _MOST_RATIO))
        if self._count > most:
            raise DeskError(
                "file-bomb",
                f"{self._name} unpacks to more than {most:,} bytes, which no table of tickets does.",
                remedy="Unpack it yourself and look at what it holds.",
            )
        return len(data)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Say in words what is wrong with an archive."""
    try:
        yield
    except (RuntimeError, NotImplementedError):
        raise DeskError(
            "file-encrypted",
            f"{name} is protected by a password or packed in a way that cannot be read.",
            remedy="Unpack it yourself and import what it holds.",
        ) from None
    except _DAMAGE:
        raise _broken(name) from None
    except OSError as error:
        # The system's own errors have a number; one without says that what was to be unpacked is none.
        if error.errno is not None:
            raise
        raise _broken(name) from None


def _broken(name: str) -> DeskError:
    return DeskError("file-broken", f"{name} is damaged: it cannot be unpacked.", remedy="Export or download it again.")
