"""Malformed files: whatever is dropped on the program is imported with an account or refused with a sentence, in time and in bounded memory.

Over two hundred kinds have names; 240 more are well-formed exports that were damaged by drawn operations, the same ones in every run. All go through
the real services in a process of their own, see `child` for what must hold. What is refused today for its format may be read tomorrow: the tests hold
for both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.malformed import documents, packed, places, tables
from tests.malformed.checking import MOST_BYTES, MOST_SECONDS, REPOSITORY, Report, examine
from tests.malformed.kinds import KINDS, NotPossibleHereError

FAMILIES = (tables, packed, places, documents)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which each kind has one of its own."""
    return tmp_path_factory.mktemp("malformed")


@pytest.fixture(scope="module")
def named(folder: Path) -> dict[str, Report | str]:
    """Make every kind and examine it; a kind that is not possible here has the reason in place of a report."""
    found: dict[str, Report | str] = {}
    made: dict[str, Path] = {}
    for name, kind in KINDS.items():
        own = folder / name
        own.mkdir()
        try:
            made[name] = kind.make(own)
        except NotPossibleHereError as error:
            found[name] = str(error)
    found.update(zip(made, examine(made.values()), strict=True))
    return found


def test_there_are_as_many_kinds_as_were_asked_for() -> None:
    assert len(KINDS) >= 60


@pytest.mark.parametrize("name", KINDS)
def test_a_named_kind_is_imported_with_an_account_or_refused_in_words(named: dict[str, Report | str], name: str) -> None:
    report, kind = named[name], KINDS[name]
    if isinstance(report, str):
        pytest.skip(f"{name}: {report}")
    check(report)
    if kind.must_refuse:
        assert report.is_refused, f"{report.tables}"
    elif not report.is_refused or kind.least:
        assert report.tickets >= kind.least, f"{report.tables}"


def check(report: Report) -> None:
    """Fail unless a file came to an end that a user can live with."""
    assert not report.problems, "\n".join([str(report.path), *report.problems])
    assert report.tables, f"{report.path}: nothing was said of it"
    assert report.peak_bytes is None or report.peak_bytes <= MOST_BYTES, f"{report.path}: {report.peak_bytes:,} bytes"
