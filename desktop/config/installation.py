"""Installation: a secret of this data folder, 32 random bytes in a file that only its owner reads.

It is no key to anything and never leaves the machine. From it comes what nobody outside can guess: the lines between which a ticket stands in a
prompt (`services.prompting`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from desktop.config.paths import Paths

SECRET_BYTES = 32


def installation_secret(paths: Paths) -> bytes:
    """Return the secret of this data folder; it is made when it is first asked for.

    Where it cannot be written, this session has one of its own: a prompt is as well guarded, only the provider's cache begins anew.
    """
    with contextlib.suppress(OSError):
        found = _read(paths.secret)
        return found if found is not None else _make(paths.secret)
    return secrets.token_bytes(SECRET_BYTES)


def _read(path: Path) -> bytes | None:
    """Return what is there; None for nothing, or for a file that was cut short."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    return found if len(found) == SECRET_BYTES else None


def _make(path: Path) -> bytes:
    made = secrets.token_bytes(SECRET_BYTES)
    # mkstemp lets only the owner read; the file appears whole or not at all.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret-", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(made)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    # Window and command may have made one at the same moment: the one that lies there counts.
    return _read(path) or made
