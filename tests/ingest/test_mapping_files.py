"""Mapping files: what is saved reads the same table the same way, whatever its columns are called."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from desktop.domain.errors import DeskError
from desktop.domain.imports import COLUMN_ROLES, ImportOverrides, MappingNeeded, Recognized, fingerprint_of
from desktop.ingest.definitions import read_system
from desktop.ingest.mapping_files import write_mapping
from desktop.ingest.recognition import recognize
from desktop.ingest.systems import MANY_COLUMNS, SystemDefinition
from desktop.ingest.tickets import read_batches
from tests.conftest import LOOK_ALIKES

FILE = Path("some.toml")
EXPORTS = LOOK_ALIKES / "exports"
WITH_TICKETS = sorted({*EXPORTS.glob("*.csv"), *EXPORTS.glob("*.json")} - {EXPORTS / "zendesk_user_table.csv"})


def write_table(path: Path, names: list[str], *rows: list[str]) -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def roles_of(recognized: Recognized) -> list[str]:
    return [column.role for column in recognized.columns]


def round_trip(
    path: Path, systems: tuple[SystemDefinition, ...], overrides: ImportOverrides = ImportOverrides()
) -> tuple[Recognized, Recognized, str]:
    """Recognize a file, save the mapping, and recognize the file by it."""
    first = recognize(path, systems=systems, overrides=overrides)
    text = write_mapping(first, systems)
    system = read_system(text, file=FILE)
    return (
        first,
        recognize(path, systems=systems, overrides=ImportOverrides(definition=text), system=system),
        text,
    )


def drafts(recognized: Recognized, systems: tuple[SystemDefinition, ...]) -> list[object]:
    return [ticket for batch in read_batches(recognized, systems=systems) for ticket in batch.tickets]


@pytest.mark.parametrize("file", WITH_TICKETS, ids=lambda path: path.stem)
def test_every_known_export_is_read_the_same_by_its_saved_mapping(
    file: Path, systems: tuple[SystemDefinition, ...]
) -> None:
    first, again, _ = round_trip(file, systems)
    assert roles_of(again) == roles_of(first)
    assert (again.source, again.shape, again.date_order) == (first.source, first.shape, first.date_order)
    assert drafts(again, systems) == drafts(first, systems)


def test_columns_of_equal_and_of_strange_names_keep_their_roles(
    tmp_path: Path, systems: tuple[SystemDefinition, ...]
) -> None:
    names = [
        "Name",
        "名前",
        "Say \"when\" | \\ or 'not'",
        "Name",
        "name",
        "Größe = [x]",
        "Comment",
        "Comment",
        "Comment",
    ]
    path = write_table(
        tmp_path / "odd.csv",
        names,
        ["A1", "Ada", "The printer burns", "open", "x", "y", "2026-03-04;bo;one", "", "2026-03-05;cy;two"],
        ["A2", "Bo", "The door sticks", "closed", "x", "y", "2026-03-04;bo;one", "", ""],
    )
    chosen = {
        0: "ticket_id",
        1: "requester",
        2: "subject",
        3: "status",
        4: "",
        5: "",
        6: "comment",
        7: "",
        8: "comment",
    }
    first, again, text = round_trip(path, systems, ImportOverrides(chosen))
    assert roles_of(first) == list(chosen.values())
    assert roles_of(again) == roles_of(first)
    assert drafts(again, systems) == drafts(first, systems)
    assert read_system(text, file=FILE).layouts[0].header == tuple(names)


def test_repeated_columns_stay_open_to_more_of_them(tmp_path: Path, systems: tuple[SystemDefinition, ...]) -> None:
    few = write_table(tmp_path / "few.csv", ["Nr", "Was", "Comment", "Comment"], ["1", "a", "2026-03-04;bo;one", ""])
    many = write_table(tmp_path / "many.csv", ["Nr", "Was", *["Comment"] * 4], ["1", "a", *["2026-03-04;bo;one"] * 4])
    text = write_mapping(recognize(few, systems=systems), systems)
    found = recognize(
        many,
        systems=systems,
        overrides=ImportOverrides(definition=text),
        system=read_system(text, file=FILE),
    )
    assert roles_of(found)[2:] == ["comment"] * 4


@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)
        | st.sampled_from(["Name", "name", "NAME ", "Na-me"]),
        min_size=3,
        max_size=8,
    ),
    data=st.data(),
)
def test_any_roles_of_any_names_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    systems: tuple[SystemDefinition, ...],
    names: list[str],
    data: st.DataObject,
) -> None:
    single = [role for role in COLUMN_ROLES if role not in (*MANY_COLUMNS, "ticket_id")]
    rest = data.draw(st.permutations([*single, "comment", "comment", "journal", "", "", "", ""]))
    chosen = ["ticket_id", *rest[: len(names) - 1]]
    path = write_table(
        tmp_path_factory.mktemp("any") / "t.csv", ["key", *names[1:]], *[[f"A-{n}"] * len(names) for n in range(3)]
    )
    try:
        recognize(path, systems=systems, overrides=ImportOverrides(dict(enumerate(chosen))))
    except DeskError:
        reject()  # names that make no header
    first, again, _ = round_trip(path, systems, ImportOverrides(dict(enumerate(chosen))))
    assert roles_of(again) == roles_of(first)


def test_a_chosen_date_order_and_source_go_over_what_the_file_says(
    tmp_path: Path, systems: tuple[SystemDefinition, ...]
) -> None:
    path = write_table(
        tmp_path / "t.csv", ["Id", "Subject", "Created"], ["1", "a", "03/25/2026"], ["2", "b", "03/26/2026"]
    )
    _, again, _ = round_trip(path, systems, ImportOverrides(source="berlin", date_order="day-first"))
    assert (again.source, again.date_order, again.date_evidence) == (
        "berlin",
        "day-first",
        "Chosen in the mapping file",
    )


def test_a_mapping_that_was_not_chosen_names_tickets_after_each_file(
    tmp_path: Path, systems: tuple[SystemDefinition, ...]
) -> None:
    path = write_table(tmp_path / "march 2026.csv", ["Id", "Subject"], ["1", "a"], ["2", "b"])
    first, again, _ = round_trip(path, systems)
    assert (first.source, again.source) == ("march", "march")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("nth_columns = 3", "layouts[1].nth_columns"),
        ("nth_columns.nonsense = []", "is no role"),
        ('nth_columns.subject = [{ name = "a", nth = 0 }]', "nth from 1"),
        ('nth_columns.subject = [{ name = "a", nth = true }]', "nth from 1"),
        ("header = [1]", "layouts[1].header"),
        ('fixed_date_order = "x"', "fixed_date_order is not known"),
    ],
)
def test_what_is_wrong_in_a_mapping_is_named(lines: str, said: str) -> None:
    text = f'key = "k"\n[[layouts]]\nshape = "tickets"\ncolumns.ticket_id = ["Id"]\n{lines}\n'
    with pytest.raises(DeskError, match=FILE.stem) as caught:
        read_system(text, file=FILE)
    assert said in str(caught.value)


def test_a_mapping_for_other_columns_asks_for_the_id(tmp_path: Path, systems: tuple[SystemDefinition, ...]) -> None:
    path = write_table(tmp_path / "t.csv", ["Id", "Subject"], ["1", "a"], ["2", "b"])
    other = 'key = "k"\n[[layouts]]\nshape = "tickets"\ncolumns.ticket_id = ["Nummer"]\n'
    with pytest.raises(MappingNeeded):
        recognize(path, systems=systems, system=read_system(other, file=FILE))
    assert fingerprint_of([" ID"]) == fingerprint_of(["id"])
