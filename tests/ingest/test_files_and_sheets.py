"""Workbooks and archives: the same tickets as the CSV would give, and nothing that unpacks without end."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.ingest import sheets
from desktop.ingest.files import expand
from tests.ingest.conftest import Reader, Writer
from tests.ingest.workbooks import Cell, write_xlsx

HEADER = ("Id", "Requester", "Subject", "Status", "Priority", "Created at", "Satisfaction Score")
# A cell of a sheet knows no time zone.
_MONDAY, _TUESDAY = dt.datetime(2026, 3, 2, 9, 14), dt.datetime(2026, 3, 3)  # noqa: DTZ001
CSV = "id,subject,description,status\n007,Printer,It burns since Monday.,open\n008,Door,It sticks.,closed\n"


def test_a_workbook_with_a_title_above_the_header_and_another_sheet(read: Reader, tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "zendesk.xlsx",
        {
            "Read me": [["Exported for Ada"], ["Do not share", True]],
            "Tickets": [
                ["Weekly report"],
                [],
                HEADER,
                [1182.0, "Maria K.", "Charged twice", "Open", "High", _MONDAY, None],
                ["0042", "Bo", "A <b>door</b>", "Solved", None, _TUESDAY, 4.5],
            ],
        },
    )
    outcome = read(path)
    assert (outcome.recognized.system, outcome.recognized.sheet, outcome.recognized.header_line) == (
        "zendesk",
        "Tickets",
        3,
    )
    assert outcome.recognized.format == "xlsx"
    assert [ticket.external_id for ticket in outcome.tickets] == ["1182", "0042"]
    first = outcome.ticket("1182")
    assert (first.status, first.priority, first.requester) == ("open", "high", "Maria K.")
    assert first.created_at == "2026-03-02T09:14:00Z"
    assert outcome.ticket("0042").fields["Satisfaction Score"] == "4.5"


def test_rejected_rows_of_a_sheet_are_told_by_their_row(read: Reader, tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "t.xlsx",
        {
            "S": [
                ["id", "subject", "status"],
                [1.0, "a", "open"],
                [None, "lost", "open"],
                [3.0, "c", "open"],
                [None, None, None],
            ]
        },
    )
    outcome = read(path)
    (reject,) = outcome.rejects
    assert (reject.line, reject.raw) == (3, "\tlost\topen")
    assert [ticket.external_id for ticket in outcome.tickets] == ["1", "3"]


def test_a_gzipped_table_is_read_as_what_it_holds(read: Reader, write: Writer) -> None:
    plain = read(write(CSV, "tickets.csv"))
    packed = read(write(gzip.compress(CSV.encode()), "tickets.csv.gz"))
    assert packed.tickets == plain.tickets
    assert [ticket.external_id for ticket in packed.tickets] == ["007", "008"]


def test_every_table_of_a_zip_is_a_file_of_its_own(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "exports.zip"
    book = write_xlsx(tmp_path / "b.xlsx", {"S": [["id", "subject"], [5.0, "five"]]})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("march/tickets.csv", CSV)
        file.writestr("april.csv.gz", gzip.compress(CSV.encode()))
        file.writestr("book.xlsx", book.read_bytes())
        file.writestr("readme.md", "nothing")
        file.writestr("__MACOSX/._tickets.csv", "x")
    tables = expand(path)
    assert [str(table.relative_to(path)) for table in tables] == ["april.csv.gz", "book.xlsx", "march/tickets.csv"]
    assert [len(read(table).tickets) for table in tables] == [2, 1, 2]


def test_a_workbook_is_not_taken_for_an_archive(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"S": [["id", "subject"], [1.0, "a"]]})
    assert expand(path) == (path,)


def test_a_table_in_utf_16_inside_an_archive(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tickets.txt", CSV.replace(",", "\t").encode("utf-16"))
    (table,) = expand(path)
    outcome = read(table)
    assert (outcome.recognized.encoding, outcome.recognized.delimiter) == ("utf-16", "\t")
    assert [ticket.subject for ticket in outcome.tickets] == ["Printer", "Door"]


def _zip_bomb(tmp_path: Path) -> Path:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
        file.open("tickets.csv", "w") as member,
    ):
        member.write(b"id,subject,status\n")
        for _ in range(200):
            member.write(b"1," + b"a" * 500_000 + b",open\n")
    return path / "tickets.csv"


def _gzip_bomb(tmp_path: Path) -> Path:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"id,subject,status\n1,")
        for _ in range(80):
            file.write(b"a" * 1_000_000)
    return path


def _truncated_gzip(tmp_path: Path) -> Path:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode() * 500)[:-40])
    return path


def _broken_zip(tmp_path: Path) -> Path:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("tickets.csv", CSV * 200)
    data = bytearray(stream.getvalue())
    data[60:90] = bytes(30)
    path = tmp_path / "broken.zip"
    path.write_bytes(data)
    return path / "tickets.csv"


def _broken_workbook(tmp_path: Path) -> Path:
    path = write_xlsx(tmp_path / "whole.xlsx", {"S": [["id", "subject"], [1.0, "a"]]})
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(path.read_bytes()[:600])
    return broken


def _empty_workbook(tmp_path: Path) -> Path:
    return write_xlsx(tmp_path / "empty.xlsx", {"S": []})


def _header_only_workbook(tmp_path: Path) -> Path:
    return write_xlsx(tmp_path / "header.xlsx", {"S": [["id", "subject", "status"]]})


def _missing_member(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tickets.csv", CSV)
    return path / "gone.csv"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_zip_bomb, "file-bomb"),
        (_gzip_bomb, "file-bomb"),
        (_truncated_gzip, "file-broken"),
        (_broken_zip, "file-broken"),
        (_broken_workbook, "file-broken"),
        (_empty_workbook, "file-no-rows"),
        (_header_only_workbook, "file-no-rows"),
        (_missing_member, "file-missing"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else value,
)
def test_what_cannot_be_unpacked_is_refused_by_its_name(read: Reader, tmp_path: Path, make, code: str) -> None:  # type: ignore[no-untyped-def]
    path: Path = make(tmp_path)
    with pytest.raises(DeskError) as refused:
        read(path)
    assert refused.value.code == code
    assert path.name in refused.value.message or path.parent.name in refused.value.message
    assert refused.value.remedy


def test_a_workbook_that_says_it_is_huge_is_not_opened(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[list[Cell]] = [["id", "subject"]]
    for number in range(500):
        rows.append([float(number), "x" * 50])  # noqa: PERF401 - a comprehension would lose the type
    path = write_xlsx(tmp_path / "t.xlsx", {"S": rows})
    monkeypatch.setattr(sheets, "MOST_UNPACKED_BYTES", 10_000)
    with pytest.raises(DeskError, match="too large for a workbook"):
        read(path)


def test_a_zip_without_tables_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("cat.png", b"x")
    with pytest.raises(DeskError) as refused:
        expand(path)
    assert (refused.value.code, "cat.png" in refused.value.message) == ("file-zip-empty", True)
