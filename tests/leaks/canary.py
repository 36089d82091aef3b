"""A canary: a key that stands nowhere but in the keyring, and every form in which it could be found elsewhere.

It looks like no key at all, so that no pattern of ours blanks it by chance.
"""

from __future__ import annotations

import base64
import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

_LENGTH = 48
_LETTERS = "JKLMNOZjklmnoz0123456789"
"""Letters whose numbers have a letter in hexadecimal, so that its two spellings differ."""


def make_canary() -> str:
    """Return a key that nobody had before."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def forms(key: str) -> dict[str, bytes]:
    """Return the key in UTF-8, UTF-16LE, hexadecimal and base64, which is another text at each of three offsets."""
    raw = key.encode()
    found = {
        "utf-8": raw,
        "utf-16": key.encode("utf-16-le"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for offset in range(3):
        # The first and the last four characters depend on what stands around it.
        found[f"base64+{offset}"] = base64.b64encode(b"\0" * offset + raw)[4:-4]
    return found


def hits_in_files(key: str, folders: Iterable[Path]) -> list[str]:
    """Return where the key stands: in the bytes of a file, in its name, or in what is packed in a database."""
    wanted = forms(key)
    found = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        for form, what in wanted.items():
            if what in os.fsencode(path.name):
                found.append(f"{path} (name, {form})")
        if path.is_file() and not path.is_symlink():
            found += [f"{path} ({form})" for part in _parts(path) for form, what in wanted.items() if what in part]
    return found


def hits_in_processes(key: str, root: int) -> list[str]:
    """Return where the key stands in the command line or the environment of a process and those that it started."""
    wanted = forms(key)
    found = []
    for process in _tree(root):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                read = Path("/proc", str(process), name).read_bytes()
                found += [f"{name} of {process} ({form})" for form, what in wanted.items() if what in read]
    return found


def core_limit(process: int) -> str:
    """Return how large a core file of a process may be, as the system says it."""
    limits = Path("/proc", str(process), "limits").read_text(encoding="utf-8")
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    return line.split()[4]


def _tree(root: int) -> Iterator[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    wanted = {root}
    yield root
    while more := {child for child, parent in parents.items() if parent in wanted} - wanted:
        yield from more
        wanted |= more


def _parts(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if raw[:15] == b"SQLite format 3":
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            for packed in connection.execute("SELECT request FROM trace UNION ALL SELECT answer FROM trace"):
                yield zlib.decompress(packed[0]) if packed[0] else b""
            # A large value lies on several pages, which a search in the file's bytes does not put together.
            yield "\n".join(connection.iterdump()).encode("utf-8", "surrogatepass")
