"""Diffs: a pull request's change in a file of its own, `7.diff` or `pull-7.patch`, beside the export that has the pull request.

The name says which pull request it is, by its number at the end; a folder may say the repository. Deliberately not here: which export has that
pull request, see `services.joining`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import DIFF_SUFFIXES
from desktop.ingest.encodings import detect_encoding
from desktop.ingest.files import open_file

MOST_BYTES = 20_000_000
"""What is longer nobody reads; the rest is cut off, and the last line says so."""
_NUMBER = re.compile(r"(\d+)\D*$")
_ID = re.compile(r"(?:(?P<scope>.*)#)?(?P<number>\d+)")


def is_diff(path: Path) -> bool:
    """Tell whether a file is a diff, by its name."""
    return path.name.lower().endswith(DIFF_SUFFIXES)


def find_pull(path: Path, ids: Iterable[str]) -> str:
    """Return which of these tickets a diff belongs to, by the names of the file and its folders; '' when none or more than one could be meant."""
    number = _number_of(path)
    named = [match for identifier in ids if (match := _ID.fullmatch(identifier)) and match["number"] == number]
    if len(named) > 1:
        where = "/".join(path.parts[-4:]).casefold()
        named = [match for match in named if _is_named(match["scope"] or "", where)]
    return named[0][0] if len(named) == 1 else ""


def read_diff(path: Path) -> str:
    """Return the text of a diff, as it is; '' when the file is gone by now.

    Raises:
        DeskError: `file-…`, when it cannot be read.
    """
    try:
        file = open_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except DeskError as error:
        if error.code == "file-missing":
            return ""
        raise
    try:
        data = file.stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        file.close()
    text = data[:MOST_BYTES].decode(detect_encoding(data[:65_536]), "replace").replace("\r\n", "\n").replace("\0", "")
    return text.strip("\n") + ("\n(cut off here)" if len(data) > MOST_BYTES else "")


def _number_of(path: Path) -> str:
    stem = path.name[: path.name.rfind(".")]
    found = _NUMBER.search(stem)
    # `pulls/7/changes.diff`
    return (found[1] if found else path.parent.name).lstrip("0")


def _is_named(scope: str, where: str) -> bool:
    name = scope.rpartition("/")[2].casefold()
    return bool(name) and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w])", where.replace("_", "-")) is not None


def _unreadable(path: Path, error: OSError) -> DeskError:
    return DeskError(
        "file-unreadable", f"{path.name} cannot be read.", remedy=f"The system says: {error.strerror or error}."
    )
