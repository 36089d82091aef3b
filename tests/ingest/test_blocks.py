"""A file is read in blocks, and nobody can tell: the same rows come out of it whatever the block's size."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.ingest import records
from desktop.ingest.id_pattern import IdPattern
from desktop.ingest.records import Dialect, RecordReader
from desktop.ingest.seen import SeenIds

_PIECES = st.sampled_from(
    [
        "1,",
        "2,",
        "77,",
        "a",
        "word word",
        ",",
        '"',
        '""',
        '","',
        "\n",
        "\r\n",
        "\r",
        "\0",
        "é",
        "🙂",
        '"x\ny"',
        "\u2028",
        "3,b,c\n",
    ]
)


def _read(path: Path) -> tuple[list[tuple[int, list[str], str, str]], int]:
    ids = IdPattern(("1", "2", "77"))
    reader = RecordReader(path, Dialect(","), encoding="utf-8", width=3, id_index=0, ids=ids)
    with reader:
        rows = [(record.line, record.cells, record.fault, reader.raw) for record in reader]
    return rows, reader.repaired_bytes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=60), st.integers(1, 30), st.binary(max_size=3))
def test_the_size_of_a_block_changes_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[str], size: int, odd: bytes
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("".join(pieces).encode() + odd + b"\n5,x,y\n")
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 10_000)
    whole = _read(path)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", size)
    assert _read(path) == whole


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 2**64 - 1)), max_size=200))
def test_an_id_is_known_by_what_it_first_came_with(pairs: list[tuple[str, int]]) -> None:
    seen, expected = SeenIds(), dict[str, int]()
    for identifier, number in pairs:
        assert seen.first(identifier, number) == expected.get(identifier, 0)
        expected.setdefault(identifier, number)


def test_many_ids_are_all_remembered() -> None:
    seen = SeenIds()
    assert not any(seen.first(f"T-{n}", n + 1) for n in range(20_000))
    assert [seen.first(f"T-{n}", 7) for n in range(20_000)] == [n + 1 for n in range(20_000)]
