"""Mutations: well-formed exports that drawn operations damage, on every level at which an export can be damaged.

A base is an export of a known layout. Operations change its rows (repeat, swap, shorten, put odd values in), the text they are written as (quotes,
line ends, delimiters, pieces cut out or spliced in from another export), its bytes (flips, holes, other alphabets) and what it is packed in. All is
drawn by hypothesis without chance, so that every run examines the same files. Deliberately not here: what must become of a file, see `child`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.ingest.workbooks import write_xlsx
from tests.malformed.documents import FROM_LINE, LINES, MAIL, TICKETS
from tests.malformed.packed import zipped

Rows = list[list[str]]
EXPORTS = Path(__file__).parents[1] / "data" / "exports"
ODD_CELLS = (
    *(
        "",
        " ",
        "\0",
        '"',
        "'",
        '""',
        '"a',
        "\\",
        "\n",
        "\r",
        "\r\n",
        ",",
        ";",
        "\t",
        "|",
        "NULL",
        "?",
        "-",
        "[]",
        "{}",
        "=1+1",
        "\ufeff",
    ),
    *(
        "0000-00-00",
        "31/12/26",
        "13/13/2026",
        "1772446500",
        "46000.5",
        "<p>x</p>",
        "<b>",
        "<!--",
        "&lt;",
        "&#0;",
        "a\nb",
        "é",
        "😀",
        "ß" * 300,
    ),
    *(
        "Total",
        "Generated at 2026-03-05",
        "2026-03-04 10:15:00 - A (Work notes)\nx",
        "22/Mar/14 07:59;me;text",
        "true",
        "x" * 5_000,
    ),
)
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "shift_jis",
    "gb18030",
    "mac_roman",
    "utf-7",
)
ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b"\x1a",
    b"\xc3",
    b"\xed\xa0\x80",
    b"PK\x03\x04",
    b"\x1f\x8b",
)


@dataclass(frozen=True, slots=True)
class Mutated:
    """One damaged file, not yet written, and by what it was damaged."""

    name: str
    content: bytes
    story: tuple[str, ...]


def read_base(path: Path) -> Rows:
    """Read one of our exports as rows."""
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig", "replace"), newline="")))


BASES = {path.stem: read_base(path) for path in sorted(EXPORTS.glob("*.csv"))}
DOCUMENTS = {
    "tickets.json": json.dumps(TICKETS),
    "pretty.json": json.dumps({"tickets": TICKETS[:5], "count": 5}, indent=1),
    "tickets.ndjson": LINES,
    "tickets.mbox": "".join(FROM_LINE + MAIL.format(n, "") for n in range(6)),
    "ticket.eml": MAIL.format(1, "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n")
    + "<p>Since <b>Monday</b></p>",
}


def _mutate_rows(draw: st.DrawFn, rows: Rows) -> tuple[Rows, str]:
    operation = draw(
        st.sampled_from(("repeat", "swap", "shorten", "widen", "cell", "header", "blank", "column", "many", "drop"))
    )
    place = draw(st.integers(0, len(rows) - 1))
    row = list(rows[place])
    column = draw(st.integers(0, max(0, len(row) - 1)))
    changed = [list(each) for each in rows]
    match operation:
        case "repeat":
            changed.insert(draw(st.integers(0, len(rows))), row)
        case "swap":
            row.reverse()
            changed[place] = row
        case "shorten":
            changed[place] = row[:column]
        case "widen":
            changed[place] = row + [draw(st.sampled_from(ODD_CELLS))] * draw(st.integers(1, 40))
        case "cell":
            changed[place][column : column + 1] = [draw(st.sampled_from(ODD_CELLS))]
        case "header":
            changed.insert(place, list(rows[0]))
        case "blank":
            changed[place:place] = [[]] * draw(st.integers(1, 5))
        case "column":
            for each in changed:
                each[column : column + 1] = [draw(st.sampled_from(ODD_CELLS))]
        case "many":
            changed *= draw(st.integers(2, 30))
        case "drop":
            changed = changed[place:] or changed
    return changed, f"rows: {operation} at {place}, {column}"


def _mutate_text(draw: st.DrawFn, text: str) -> tuple[str, str]:
    operation = draw(
        st.sampled_from(("cut", "delete", "insert", "splice", "quotes", "ends", "double", "delimiter", "truncate"))
    )
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(1, 200)))
    match operation:
        case "cut":
            changed = text[:start] + text[end:]
        case "delete":
            doomed = draw(st.sampled_from('",;\n'))
            place = text.find(doomed, start)
            changed = text[:place] + text[place + 1 :] if place >= 0 else text
        case "insert":
            changed = text[:start] + draw(st.sampled_from(ODD_CELLS)) + text[start:]
        case "splice":
            other = "\n".join(",".join(row) for row in draw(st.sampled_from(list(BASES.values()))))
            changed = text[:start] + other[draw(st.integers(0, len(other))) :] + text[end:]
        case "quotes":
            changed = text[:start] + text[start:].replace('"', draw(st.sampled_from(("'", '\\"', '""', "“", ""))))
        case "ends":
            changed = text[:start] + text[start:].replace(
                "\n", draw(st.sampled_from(("\r", "\r\n", "\n\n", "\u2028", "\n\r")))
            )
        case "double":
            changed = text[:end] + text[start:end] + text[end:]
        case "delimiter":
            changed = text[:start] + text[start:].replace(",", draw(st.sampled_from((";", "\t", "|", ", ", ""))))
        case _:
            changed = text[:start]
    return changed, f"text: {operation} at {start} to {end}"


def _mutate_bytes(draw: st.DrawFn, data: bytes) -> tuple[bytes, str]:
    operation = draw(st.sampled_from(("insert", "flip", "hole", "truncate", "repeat")))
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(1, 64)))
    match operation:
        case "insert":
            changed = data[:start] + draw(st.sampled_from(ODD_BYTES)) * draw(st.integers(1, 3)) + data[start:]
        case "flip":
            changed = data[:start] + bytes(byte ^ 0xA5 for byte in data[start:end]) + data[end:]
        case "hole":
            changed = data[:start] + bytes(end - start) + data[end:]
        case "repeat":
            changed = data[:end] + data[start:end] * 20 + data[end:]
        case _:
            changed = data[:start]
    return changed, f"bytes: {operation} at {start} to {end}"


def _write_table(draw: st.DrawFn, rows: Rows, story: list[str]) -> str:
    delimiter = draw(st.sampled_from(",,,;\t|"))
    quoting: Literal[0, 1] = csv.QUOTE_ALL if draw(st.booleans()) else csv.QUOTE_MINIMAL
    ends = draw(st.sampled_from(("\n", "\r\n")))
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=ends).writerows(rows)
    said = f"sep={delimiter}{ends}" if draw(st.booleans()) and delimiter != "," else ""
    story.append(f"written with {delimiter!r} and {ends!r}")
    return said + stream.getvalue()


def _write_workbook(rows: Rows, folder: Path) -> bytes:
    # The sheet is as wide as the letters of one place in it can say.
    cells = [["".join(c for c in cell if c in "\t\n\r" or c >= " ")[:500] for cell in row[:26]] for row in rows]
    return write_xlsx(folder / "mutated.tmp", {"Tickets": cells}).read_bytes()


@st.composite
def tables(draw: st.DrawFn, folder: Path) -> Mutated:
    """Draw a table that is damaged on at least one level."""
    base = draw(st.sampled_from(sorted(BASES)))
    rows, story = BASES[base], [f"from {base}"]
    for _ in range(draw(st.integers(0, 3))):
        rows, told = _mutate_rows(draw, rows)
        story.append(told)
    if draw(st.integers(0, 9)) == 0:
        data, suffix = _write_workbook(rows, folder), ".xlsx"
        story.append("as a workbook")
    else:
        text = _write_table(draw, rows, story)
        for _ in range(draw(st.integers(0, 2))):
            text, told = _mutate_text(draw, text)
            story.append(told)
        encoding = draw(st.sampled_from(("utf-8",) * 8 + ENCODINGS))
        story.append(f"in {encoding}")
        data, suffix = text.encode(encoding, "replace"), draw(st.sampled_from((".csv", ".csv", ".tsv", ".txt", "")))
    return _pack(draw, data, f"{base}{suffix}", story)


@st.composite
def documents(draw: st.DrawFn) -> Mutated:
    """Draw a JSON document or mail that is damaged."""
    name = draw(st.sampled_from(sorted(DOCUMENTS)))
    text, story = DOCUMENTS[name], [f"from {name}"]
    for _ in range(draw(st.integers(1, 3))):
        text, told = _mutate_text(draw, text)
        story.append(told)
    return _pack(draw, text.encode(draw(st.sampled_from(("utf-8",) * 8 + ENCODINGS)), "replace"), name, story)


def _pack(draw: st.DrawFn, data: bytes, name: str, story: list[str]) -> Mutated:
    """Damage the bytes, pack them or not, and damage what they are packed in."""
    if draw(st.booleans()):
        data, told = _mutate_bytes(draw, data)
        story.append(told)
    packing = draw(st.sampled_from(("", "", "", "", "gzip", "zip")))
    if packing == "gzip":
        data, name = gzip.compress(data, mtime=0), f"{name}.gz"
    elif packing == "zip":
        data, name = zipped({name: data, "readme.txt": "Exported for Ada, with love"}), "mutated.zip"
    if packing:
        story.append(packing)
        if draw(st.booleans()):
            data, told = _mutate_bytes(draw, data)
            story.append(told)
    return Mutated(name, data, tuple(story))


def draw_files(count: int, folder: Path) -> list[Mutated]:
    """Draw so many different files, the same ones every time. `folder` is for what is made on the way."""
    drawn: dict[bytes, Mutated] = {}

    @settings(
        max_examples=3 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 5).flatmap(lambda sort: documents() if sort == 0 else tables(folder)))
    def collect(mutated: Mutated) -> None:
        drawn.setdefault(mutated.content, mutated)

    collect()
    return list(drawn.values())[:count]
