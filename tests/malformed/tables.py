"""Tables: delimited text, broken in the ways that exports, editors, mail programs and bad luck break it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from tests.malformed.kinds import kind

HEADER = "id,subject,description,status,created_at\n"


def row(number: int, subject: str = "Printer", text: str = "It burns since Monday.") -> str:
    """Return one sound row."""
    return f"{number},{subject},{text},open,2026-03-02 10:15\n"


def rows(count: int, first: int = 1001) -> str:
    """Return sound rows with ids that look alike."""
    return "".join(row(number) for number in range(first, first + count))


def put(folder: Path, content: str | bytes | Iterable[bytes], name: str = "tickets.csv") -> Path:
    """Write a file and return its path."""
    path = folder / name
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    with path.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
    return path


# --- nothing, or nearly ------------------------------------------------------------------------------------------------------


@kind(must_refuse=True)
def empty(folder: Path) -> Path:
    return put(folder, b"")


@kind(must_refuse=True)
def only_blanks(folder: Path) -> Path:
    return put(folder, b" \r\n\t\n" * 50_000)


@kind(must_refuse=True)
def only_byte_order_mark(folder: Path) -> Path:
    return put(folder, b"\xff\xfe")


@kind(must_refuse=True)
def only_nul(folder: Path) -> Path:
    path = put(folder, b"\0" * 100)
    with path.open("r+b") as file:
        file.truncate(3_000_000_000)  # a file with a hole: it takes no room on the disk
    return path


@kind(must_refuse=True)
def header_only(folder: Path) -> Path:
    return put(folder, HEADER)


@kind(must_refuse=True)
def header_without_line_end(folder: Path) -> Path:
    return put(folder, HEADER.rstrip())


@kind(must_refuse=True)
def one_word(folder: Path) -> Path:
    return put(folder, "tickets")


@kind()
def blank_lines_without_end(folder: Path) -> Path:
    return put(folder, HEADER + rows(3) + "\n" * 30_000 + rows(1, 1500))


# --- bytes ------------------------------------------------------------------------------------------------------------------


@kind(least=20)
def nul_inside_cells(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("burns", "bu\0rns").replace("open", "\0open\0"))


@kind(least=9_000)
def endless_line_of_nul(folder: Path) -> Path:
    path = put(folder, HEADER + rows(9_000))
    with path.open("r+b") as file:
        file.truncate(400_000_000)
    return path


@kind(least=5)
def endless_line_of_text(folder: Path) -> Path:
    pieces = [b"x" * 1_000_000] * 120
    return put(folder, [(HEADER + rows(3) + "1004,Long,").encode(), *pieces, b"\n", rows(2, 1100).encode()])


@kind(least=20)
def utf_16_without_mark(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).encode("utf-16-le"))


@kind(least=20)
def utf_16_big_endian_without_mark(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace(",", "\t").encode("utf-16-be"), "tickets.txt")


@kind(least=19)
def utf_16_cut_inside_a_character(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).encode("utf-16")[:-15])


@kind(least=20)
def utf_32(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).encode("utf-32"))


@kind(least=20)
def bytes_that_are_no_utf_8(folder: Path) -> Path:
    sound = (HEADER + rows(20)).replace("burns", "büürns ✓").encode()
    return put(folder, sound.replace(b"Printer", b"Pr\xffint\xc3er", 3))


@kind(least=40)
def two_encodings_in_one_file(folder: Path) -> Path:
    first, second = rows(20).replace("burns", "brûle"), rows(20, 2001).replace("burns", "brûle")
    return put(folder, HEADER.encode() + first.encode() + second.encode("cp1252"))


@kind(least=20)
def surrogates_written_as_utf_8(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("burns", "bu\ud83drns\udc00"))


@kind(least=2)
def character_cut_at_the_end_of_the_head(folder: Path) -> Path:
    start = HEADER + "1001,Printer,"
    filling = "x" * (256 * 1024 - len(start) - 1)
    return put(folder, start + filling + "é,open,2026-03-02\n" + rows(3, 1002))


@kind()
def control_characters(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("burns", "b\x07u\x1brns\x7f"))


@kind(least=20)
def invisible_and_reversed_text(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("burns", "\u202ebu\u200brn\ufeffs\U000e0041"))


@kind()
def random_bytes(folder: Path) -> Path:
    return put(folder, random.Random(3).randbytes(200_000))


@kind()
def random_text(folder: Path) -> Path:
    chance = random.Random(4)
    return put(folder, "".join(chance.choices("ab1 ,;\t|\"'\\\r\n=é", k=200_000)))


@kind(must_refuse=True)
def picture_called_csv(folder: Path) -> Path:
    return put(folder, b"\x89PNG\r\n\x1a\n" + random.Random(5).randbytes(5_000))


@kind(must_refuse=True)
def database_called_csv(folder: Path) -> Path:
    return put(folder, b"SQLite format 3\0" + bytes(4_080))


@kind(must_refuse=True)
def program_called_csv(folder: Path) -> Path:
    return put(folder, b"\x7fELF\x02\x01\x01" + bytes(9) + random.Random(6).randbytes(5_000))


# --- line ends --------------------------------------------------------------------------------------------------------------


@kind(least=60)
def mixed_newlines(folder: Path) -> Path:
    lines = (HEADER + rows(60)).splitlines()
    return put(folder, "".join(line + ("\r\n", "\n", "\r")[n % 3] for n, line in enumerate(lines)))


@kind(least=20)
def carriage_returns_only(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("\n", "\r"))


@kind(least=20)
def newline_doubled_by_transfer(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("\n", "\r\r\n"))


@kind()
def newlines_of_unicode(folder: Path) -> Path:
    return put(folder, (HEADER + rows(20)).replace("burns", "bu\u2028r\x85n\x0bs\x0c"))


@kind()
def everything_on_one_line(folder: Path) -> Path:
    return put(folder, (HEADER + rows(200)).replace("\n", ","))


# --- quotes -----------------------------------------------------------------------------------------------------------------


@kind(least=60)
def unclosed_quote_in_the_first_row(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text='"never closed') + rows(60, 1002))


@kind(least=20)
def unclosed_quote_in_the_last_row(folder: Path) -> Path:
    return put(folder, HEADER + rows(20) + '1099,Printer,"never closed,open')


@kind(least=50)
def unclosed_quote_before_quoted_rows(folder: Path) -> Path:
    quoted = "".join(row(number, text='"It burns, since Monday."') for number in range(1002, 1062))
    return put(folder, HEADER + row(1001, text='"never closed') + quoted)


@kind()
def unclosed_quote_in_every_row(folder: Path) -> Path:
    return put(folder, HEADER + "".join(row(number, text='"never closed') for number in range(1001, 3001)))


@kind()
def unclosed_quote_before_nine_megabytes(folder: Path) -> Path:
    return put(
        folder,
        HEADER
        + '1001,a,"never closed\n'
        + "and so on, and on, and so further without an end\n" * 180_000
        + rows(5, 1002),
    )


@kind()
def unclosed_quote_in_the_header(folder: Path) -> Path:
    return put(folder, HEADER.replace("subject", '"subject') + rows(20))


@kind(least=18)
def stray_quotes(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text='"a 5" pipe\nleaks"') + row(1002, text='a "b" c') + rows(18, 1003))


@kind()
def nothing_but_quotes(folder: Path) -> Path:
    return put(folder, HEADER + '"' * 100_001 + "\n" + '"",' * 1_000 + "\n")


@kind(least=10)
def quotes_escaped_in_two_ways(folder: Path) -> Path:
    text = '"she said \\"no\\" and ""yes"" and \\\\"'
    return put(folder, HEADER + "".join(row(n, text=text) for n in range(1001, 1006)) + rows(10, 1006))


@kind()
def quotes_of_two_sorts(folder: Path) -> Path:
    return put(folder, "'id','subject'\n" + "'1','it''s'\n\"2\",\"it's\"\n'3',\"open\n" * 20)


@kind()
def quoted_row_across_the_end_of_the_head(folder: Path) -> Path:
    return put(
        folder, HEADER + rows(3) + '1004,Long,"' + "line, of text\n" * 40_000 + '",open,2026-03-02\n' + rows(3, 1005)
    )


# --- columns ----------------------------------------------------------------------------------------------------------------


@kind(least=5)
def twenty_thousand_columns(folder: Path) -> Path:
    names = ["id", "subject", *(f"field {n}" for n in range(20_000))]
    lines = [",".join(names), *(",".join([str(n), "a", *["x"] * 20_000]) for n in range(1001, 1006))]
    return put(folder, "\n".join(lines) + "\n")


@kind(least=5)
def eight_thousand_comment_columns(folder: Path) -> Path:
    names = ["Issue key", "Summary", "Status", "Description", *["Comment"] * 8_000]
    lines = [",".join(names), *(",".join([f"WEB-{n}", "a", "Open", "b", *["x"] * 8_000]) for n in range(1, 6))]
    return put(folder, "\n".join(lines) + "\n")


@kind()
def the_same_header_eight_thousand_times(folder: Path) -> Path:
    return put(folder, ",".join(["id"] * 8_000) + "\n" + (",".join(["7"] * 8_000) + "\n") * 3)


@kind()
def row_of_a_hundred_thousand_cells(folder: Path) -> Path:
    return put(folder, HEADER + rows(3) + "1004" + ",x" * 100_000 + "\n" + rows(2, 1005))


@kind(least=3)
def duplicate_headers(folder: Path) -> Path:
    return put(folder, "id,subject,subject,status,status,id\n" + "".join(f"{n},a,b,open,closed,9\n" for n in (1, 2, 3)))


@kind(least=3)
def empty_header_names(folder: Path) -> Path:
    return put(folder, "id,,subject,status,\n" + "".join(f"{n},a,b,open,d\n" for n in (1, 2, 3)))


@kind()
def header_name_of_200_kb(folder: Path) -> Path:
    return put(folder, f"id,subject,{'x' * 200_000}\n1,a,b\n2,c,d\n")


@kind(least=10)
def header_again_before_every_row(folder: Path) -> Path:
    return put(folder, "".join(HEADER + row(number) for number in range(1001, 1011)))


@kind()
def ragged_rows(folder: Path) -> Path:
    return put(folder, HEADER + "".join(",".join(["1"] * (n % 9)) + f",{n}\n" for n in range(300)))


@kind()
def delimiter_changes_halfway(folder: Path) -> Path:
    return put(folder, HEADER + rows(20) + rows(20, 2001).replace(",", ";") + rows(20, 3001).replace(",", "\t"))


@kind()
def preamble_of_a_thousand_lines(folder: Path) -> Path:
    return put(folder, "Report for Ada, and for nobody else\n" * 1_000 + HEADER + rows(20))


@kind(least=6)
def footers_of_all_sorts(folder: Path) -> Path:
    return put(folder, HEADER + rows(6) + "Total,6,,,\n\n,,,,\nGenerated at 2026-03-05 10:00 by Ada\n(6 rows)\n")


@kind()
def told_delimiter_is_a_quote(folder: Path) -> Path:
    return put(folder, 'sep="\n' + HEADER.replace(",", '"') + rows(5).replace(",", '"'))


@kind()
def told_delimiter_is_a_line_end(folder: Path) -> Path:
    return put(folder, "sep=\r\n" + (HEADER + rows(5)).replace("\n", "\r\n"))


@kind()
def told_delimiter_is_a_backslash(folder: Path) -> Path:
    return put(folder, 'sep=\\\nid\\subject\\status\n1\\"a \\" b"\\open\n2\\b\\open\n')


@kind()
def told_delimiter_is_beyond_the_plane(folder: Path) -> Path:
    return put(folder, "sep=😀\n" + HEADER.replace(",", "😀") + rows(5).replace(",", "😀"))


@kind(must_refuse=True)
def told_delimiter_and_nothing_else(folder: Path) -> Path:
    return put(folder, "sep=;\n")


@kind(must_refuse=True)
def prose(folder: Path) -> Path:
    return put(folder, "Dear all,\n\nthe export, as promised, follows tomorrow.\n" * 200, "tickets.txt")


@kind(must_refuse=True)
def web_page(folder: Path) -> Path:
    return put(folder, "<!DOCTYPE html><html><body><p>Sign in, please</p></body></html>\n" * 50)
