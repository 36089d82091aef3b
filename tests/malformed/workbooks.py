"""Workbooks: spreadsheets that are cut, lie about their size, or unpack without end."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.ingest.workbooks import Cell, write_xlsx
from tests.malformed.kinds import kind
from tests.malformed.packed import TABLE, endless, stored, zipped
from tests.malformed.tables import put

SHEET_XML = "xl/worksheets/sheet1.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(folder: Path, changed: Mapping[str, bytes | str | None], name: str = "tickets.xlsx") -> Path:
    """Write a workbook of five tickets with some of its parts replaced, or left out (None)."""
    cells: list[list[Cell]] = [["id", "subject", "status"]]
    cells += [[float(number), "Printer", "open"] for number in range(1001, 1006)]
    sound = write_xlsx(folder / "sound.tmp", {"Tickets": cells})
    with zipfile.ZipFile(sound) as file:
        parts: dict[str, bytes | str] = {part: file.read(part) for part in file.namelist()}
    sound.unlink()
    for part, content in changed.items():
        if content is None:
            parts.pop(part)
        else:
            parts[part] = content
    return put(folder, zipped(parts), name)


def sheet(inside: str) -> str:
    """Return the XML of a sheet."""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{inside}</sheetData></worksheet>'


def _text(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEAD_ROW = f'<row r="1">{_text("A1", "id")}{_text("B1", "subject")}{_text("C1", "status")}</row>'
ONE_ROW = f'<row r="2"><c r="A2"><v>1001</v></c>{_text("B2", "Printer")}{_text("C2", "open")}</row>'


# --- Excel ------------------------------------------------------------------------------------------------------------------


@kind(least=60)
def text_called_xlsx(folder: Path) -> Path:
    return put(folder, TABLE, "tickets.xlsx")


@kind()
def web_page_called_xls(folder: Path) -> Path:
    return put(folder, "<html><table><tr><td>id<td>subject<tr><td>1<td>a</table>", "tickets.xls")


@kind(must_refuse=True)
def xlsx_called_csv(folder: Path) -> Path:
    return workbook(folder, {}, "tickets.csv")


@kind(must_refuse=True)
def xlsx_cut(folder: Path) -> Path:
    return put(folder, workbook(folder, {}).read_bytes()[:700], "tickets.xlsx")


@kind(must_refuse=True)
def xlsx_with_headers_only(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: sheet(HEAD_ROW)})


@kind(must_refuse=True)
def xlsx_of_nothing(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: sheet("")})


@kind()
def xlsx_without_its_list_of_sheets(folder: Path) -> Path:
    return workbook(folder, {"xl/workbook.xml": None})


@kind()
def xlsx_without_its_sheet(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: None})


@kind()
def xlsx_sheet_cut(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: sheet(HEAD_ROW + ONE_ROW)[:-60]})


@kind()
def xlsx_sheet_is_no_xml(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: b"\xff\xfe<&]]>" * 500})


@kind(must_refuse=True)
def xlsx_bomb(folder: Path) -> Path:
    cells = (_text("A3", "a" * 1_000) * 100).encode()
    bomb = endless(sheet(HEAD_ROW).replace("</sheetData></worksheet>", "").encode(), cells * 180, 70)
    return _with_raw_sheet(folder, bomb, size=1_300_000_000)


@kind(must_refuse=True)
def xlsx_bomb_that_says_it_is_small(folder: Path) -> Path:
    cells = (_text("A3", "a" * 1_000) * 100).encode()
    bomb = endless(sheet(HEAD_ROW).replace("</sheetData></worksheet>", "").encode(), cells * 180, 200)
    return _with_raw_sheet(folder, bomb, size=5_000)


def _with_raw_sheet(folder: Path, deflated: bytes, *, size: int) -> Path:
    """Put a sheet that is already deflated behind the sound parts of a workbook, and rewrite the table of contents."""
    path = workbook(folder, {SHEET_XML: None})
    member = stored(SHEET_XML, deflated, size=size)
    end = member.rindex(b"PK\x05\x06")
    central_at = struct.unpack("<I", member[end + 16 : end + 20])[0]
    sound = path.read_bytes()
    sound_end = sound.rindex(b"PK\x05\x06")
    count, _, sound_central = struct.unpack("<HII", sound[sound_end + 10 : sound_end + 20])
    central = bytearray(member[central_at:end])
    central[42:46] = struct.pack("<I", sound_central)
    contents = sound[sound_central:sound_end] + central
    start = sound_central + central_at
    tail = struct.pack("<HHHHIIH", 0, 0, count + 1, count + 1, len(contents), start, 0)
    return put(folder, sound[:sound_central] + member[:central_at] + contents + b"PK\x05\x06" + tail, path.name)


@kind(must_refuse=True)
def xlsx_with_a_cell_at_the_far_corner(folder: Path) -> Path:
    return workbook(
        folder, {SHEET_XML: sheet(HEAD_ROW + ONE_ROW + f'<row r="1048576">{_text("XFD1048576", "x")}</row>')}
    )


@kind()
def xlsx_with_a_cell_beyond_the_corner(folder: Path) -> Path:
    return workbook(
        folder, {SHEET_XML: sheet(HEAD_ROW + ONE_ROW + f'<row r="9999999999">{_text("ZZZZZ9999999999", "x")}</row>')}
    )


@kind()
def xlsx_that_says_it_is_vast(folder: Path) -> Path:
    content = sheet(HEAD_ROW + ONE_ROW).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    return workbook(folder, {SHEET_XML: content})


def _laughs(levels: int) -> str:
    entities = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels))]
    return f"<?xml version='1.0'?><!DOCTYPE x [{''.join(entities)}]>"


@kind()
def xlsx_of_a_billion_laughs(folder: Path) -> Path:
    return workbook(
        folder, {SHEET_XML: _laughs(10) + sheet(HEAD_ROW + f'<row r="2">{_text("A2", "&a9;")}{_text("B2", "x")}</row>')}
    )


@kind()
def xlsx_that_reads_another_file(folder: Path) -> Path:
    secret = put(folder, "secret", "secret.txt")
    entity = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    return workbook(
        folder, {SHEET_XML: entity + sheet(HEAD_ROW + f'<row r="2">{_text("A2", "&s;")}{_text("B2", "x")}</row>')}
    )


@kind()
def xlsx_with_strings_that_are_not_there(folder: Path) -> Path:
    content = sheet(HEAD_ROW + '<row r="2"><c r="A2" t="s"><v>99999999</v></c><c r="B2" t="s"><v>-1</v></c></row>')
    return workbook(folder, {SHEET_XML: content})


@kind()
def xlsx_with_dates_beyond_reason(folder: Path) -> Path:
    numbers = ("1e999", "-1e10", "99999999999", "NaN", "1e-320", "60", "0.99999999", "x")
    cells = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" s="1"><v>{number}</v></c><c r="C{n}" t="d"><v>{number}</v></c></row>'
        for n, number in enumerate(numbers, 2)
    )
    return workbook(folder, {SHEET_XML: sheet(HEAD_ROW + cells)})


@kind()
def xlsx_with_errors_and_odd_cells(folder: Path) -> Path:
    odd = '<c r="A3" t="e"><v>#REF!</v></c><c r="B3" t="zz"><v>1</v></c><c t="b"><v>7</v></c><c r="1A"/><c r=""/>'
    return workbook(folder, {SHEET_XML: sheet(HEAD_ROW + ONE_ROW + f'<row r="3">{odd}</row>')})


@kind()
def xlsx_nested_deep(folder: Path) -> Path:
    return workbook(folder, {SHEET_XML: sheet(HEAD_ROW + ONE_ROW + "<row>" * 100_000)})


@kind()
def xlsx_with_a_broken_table_of_strings(folder: Path) -> Path:
    strings = f'<sst xmlns="{_MAIN}" count="4000000000" uniqueCount="4000000000"><si><t>id</t></si>'
    return workbook(folder, {"xl/sharedStrings.xml": strings})


@kind(must_refuse=True)
def xlsx_that_is_a_letter(folder: Path) -> Path:
    return put(folder, zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}), "tickets.xlsx")


@kind(must_refuse=True)
def xlsx_with_a_password(folder: Path) -> Path:
    return put(folder, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000), "tickets.xlsx")


@kind(must_refuse=True)
def xls_of_rubbish(folder: Path) -> Path:
    return put(folder, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40, "tickets.xls")


@kind(must_refuse=True)
def xlsb_of_rubbish(folder: Path) -> Path:
    parts: dict[str, bytes | str] = {"[Content_Types].xml": "<Types/>", "xl/workbook.bin": bytes(range(256)) * 9}
    return put(folder, zipped(parts), "tickets.xlsb")


# --- OpenDocument -----------------------------------------------------------------------------------------------------------

_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_PARTS: dict[str, bytes | str] = {
    "mimetype": _ODS,
    "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
}
_ODS_HEAD = (
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="Tickets">'
)
_ODS_TAIL = "</table:table></office:spreadsheet></office:body></office:document-content>"


def _ods(folder: Path, inside: str, *, tail: str = _ODS_TAIL) -> Path:
    return put(folder, zipped({**_ODS_PARTS, "content.xml": _ODS_HEAD + inside + tail}), "tickets.ods")


def _ods_row(*cells: str, attributes: str = "") -> str:
    inside = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row{attributes}>{inside}</table:table-row>"


@kind(least=2)
def ods_that_repeats_blanks_to_the_corner(folder: Path) -> Path:
    blanks = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    return _ods(folder, _ods_row("id", "subject") + _ods_row("1001", "a") + _ods_row("1002", "b") + blanks)


@kind(must_refuse=True)
def ods_that_repeats_a_cell_to_the_corner(folder: Path) -> Path:
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p></table:table-cell>'
    vast = f'<table:table-row table:number-rows-repeated="1048000">{cell}</table:table-row>'
    return _ods(folder, _ods_row("id", "subject") + _ods_row("1001", "a") + vast)


@kind(must_refuse=True)
def ods_that_repeats_beyond_any_number(folder: Path) -> Path:
    vast = _ods_row("x", attributes=' table:number-rows-repeated="99999999999999999999"')
    cell = '<table:table-row><table:table-cell table:number-columns-repeated="4000000000"><text:p>x</text:p></table:table-cell></table:table-row>'
    return _ods(folder, _ods_row("id", "subject") + _ods_row("1001", "a") + cell + vast)


@kind()
def ods_cut(folder: Path) -> Path:
    return _ods(folder, _ods_row("id", "subject") + _ods_row("1001", "a"), tail="")


@kind(must_refuse=True)
def ods_without_content(folder: Path) -> Path:
    return put(folder, zipped(_ODS_PARTS), "tickets.ods")


@kind()
def ods_of_a_billion_laughs(folder: Path) -> Path:
    content = (
        _laughs(10)
        + _ODS_HEAD.removeprefix('<?xml version="1.0"?>')
        + _ods_row("id", "subject")
        + _ods_row("&a9;", "b")
    )
    return put(folder, zipped({**_ODS_PARTS, "content.xml": content + _ODS_TAIL}), "tickets.ods")
