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

from tests.malformed import cells, documents, packed, places, tables, workbooks
from tests.malformed.checking import MOST_BYTES, MOST_SECONDS, REPOSITORY, Report, examine
from tests.malformed.kinds import KINDS, NotPossibleHereError
from tests.malformed.mutations import Mutated, draw_files

FAMILIES = (tables, cells, packed, workbooks, places, documents)
MUTATED = 240


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
def test_a_named_kind_is_imported_with_an_account_or_refused_in_words(
    named: dict[str, Report | str], name: str
) -> None:
    report, kind = named[name], KINDS[name]
    if isinstance(report, str):
        pytest.skip(f"{name}: {report}")
    check(report)
    if kind.must_refuse:
        assert report.is_refused, f"{report.tables}"
    elif not report.is_refused or kind.least:
        assert report.tickets >= kind.least, f"{report.tables}"


@pytest.fixture(scope="module")
def mutated(folder: Path) -> list[tuple[Mutated, Report]]:
    """Draw the damaged exports, write each into a folder of its own, and examine them."""
    drawn = draw_files(MUTATED, folder)
    paths = []
    for number, each in enumerate(drawn):
        own = folder / f"mutated-{number:03}"
        own.mkdir()
        (own / each.name).write_bytes(each.content)
        paths.append(own / each.name)
    return list(zip(drawn, examine(paths), strict=True))


@pytest.mark.parametrize("number", range(MUTATED))
def test_a_damaged_export_is_imported_with_an_account_or_refused_in_words(
    mutated: list[tuple[Mutated, Report]], number: int
) -> None:
    drawn, report = mutated[number]
    try:
        check(report)
    except AssertionError as error:
        pytest.fail(f"{error}\nDamaged so: {'; '.join(drawn.story)}", pytrace=False)


def test_most_damaged_exports_still_give_tickets(mutated: list[tuple[Mutated, Report]]) -> None:
    """Were nearly all of them refused at the door, the test above would test the door."""
    assert sum(report.tickets > 0 for _, report in mutated) > MUTATED / 3


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


SAMPLE = (
    *(
        "empty",
        "nul_inside_cells",
        "unclosed_quote_in_the_first_row",
        "no_row_has_an_id",
        "web_page",
        "random_bytes",
        "duplicate_headers",
    ),
    *(
        "gzip_cut_far_down",
        "zip_bomb",
        "xlsx_with_a_cell_at_the_far_corner",
        "directory",
        "link_to_itself",
        "name_that_is_no_text",
    ),
    *("name_with_newline", "json_nested_a_hundred_thousand_deep", "mailbox_with_broken_parts"),
)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_command_says_how_a_malformed_file_ended(folder: Path, named: object, data_dir: Path, name: str) -> None:
    report = named[name]  # type: ignore[index]
    if isinstance(report, str):
        pytest.skip(f"{name}: {report}")
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "import", "--json", str(report.path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=6 * MOST_SECONDS, check=False)
    errors = done.stderr.decode("utf-8")
    said = json.loads(done.stdout)
    assert "Traceback" not in errors
    assert "something went wrong in TLDesk" not in errors
    imported, refused = said["files"], said["errors"]
    assert imported or refused
    assert done.returncode == (
        3 if imported and (refused or any(f["rejected"] for f in imported)) else 0 if imported else 4
    )
    assert all(error["error"] in errors for error in refused if "\n" not in error["error"])


def check(report: Report) -> None:
    """Fail unless a file came to an end that a user can live with."""
    assert not report.problems, "\n".join([str(report.path), *report.problems])
    assert report.tables, f"{report.path}: nothing was said of it"
    assert report.peak_bytes is None or report.peak_bytes <= MOST_BYTES, f"{report.path}: {report.peak_bytes:,} bytes"
