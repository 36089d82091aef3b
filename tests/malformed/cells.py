"""Cells: sound tables whose cells hold what nobody expects: far too much of it, dates beyond reason, markup without end."""

from __future__ import annotations

from pathlib import Path

from tests.malformed.kinds import kind
from tests.malformed.tables import HEADER, put, row, rows


@kind(least=3)
def field_of_200_kb(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="x" * 200_000) + rows(2, 1002))


@kind(least=4)
def field_of_9_mb(folder: Path) -> Path:
    return put(folder, HEADER + rows(2) + row(1003, text="x" * 9_000_000) + rows(2, 1004))


@kind()
def field_of_9_mb_in_quotes(folder: Path) -> Path:
    return put(folder, HEADER + rows(2) + row(1003, text='"' + f"so, {'on ' * 30}\n" * 95_000 + '"') + rows(2, 1004))


@kind()
def no_row_has_an_id(folder: Path) -> Path:
    return put(folder, HEADER + ",a,b,open,2026-03-02\n" * 200)


@kind(least=1)
def all_rows_have_the_same_id(folder: Path) -> Path:
    return put(folder, HEADER + "".join(f"7,a{n},b,open,2026-03-02\n" for n in range(2_000)))


@kind(least=1)
def one_ticket_of_fifteen_thousand_messages(folder: Path) -> Path:
    lines = "".join(f"7,Ada,customer,2026-03-02T09:00:00Z,Message {n}\n" for n in range(15_000))
    return put(folder, "ticket_id,author,author_role,created_at,body\n" + lines)


@kind()
def messages_without_their_ticket(folder: Path) -> Path:
    lines = "7,Ada,customer,2026-03-02,a\n7,Bo,agent,2026-03-03,b\n" * 3 + ",Cy,agent,2026-03-04,c\n" * 90
    return put(folder, "ticket_id,author,author_role,created_at,body\n" + lines)


@kind(least=6)
def dates_beyond_reason(folder: Path) -> Path:
    dates = (
        "0000-00-00",
        "9999-99-99",
        "31/31/2026",
        "1e308",
        "99999999999999",
        "-1",
        "2026-02-30T25:61:61+99:99",
        "12:00",
    )
    return put(folder, HEADER + "".join(f"{n},a,b,open,{date}\n" for n, date in enumerate(dates, 1001)))


@kind(least=10)
def dates_with_thousands_of_blanks(folder: Path) -> Path:
    late = f"2026-03-02 10:15{' ' * 8_000}x"
    return put(folder, HEADER + "".join(f"{n},a,b,open,{late}\n" for n in range(1001, 1006)) + rows(10, 1006))


@kind(least=3)
def cells_that_a_spreadsheet_would_run(folder: Path) -> Path:
    return put(
        folder, HEADER + row(1001, "=cmd|' /C calc'!A0") + row(1002, "@SUM(A1)") + rows(3, 1003) + "=1+1,x,,,,,,,\n"
    )


@kind(least=3)
def two_hundred_thousand_dots(folder: Path) -> Path:
    return put(folder, "id,description,status\n" + f"1001,{'.' * 200_000}x,open\n1002,b,open\n1003,c,open\n")


@kind(least=3)
def markup_nested_forty_thousand_deep(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<b>x" * 40_000 + "</i></div>" * 3_000) + rows(2, 1002))


@kind(least=3)
def markup_never_closed(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<b> " * 90_000) + rows(2, 1002))


@kind(least=3)
def markup_of_comments_never_closed(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<p>hi</p>" + "<!--" * 95_000) + rows(2, 1002))


@kind(least=3)
def markup_of_declarations(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<p>hi</p>" + "<![CDATA[" * 20_000 + "<!x" * 20_000) + rows(2, 1002))


@kind(least=3)
def markup_with_a_hundred_thousand_attributes(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<p>hi</p><a " + "b='" * 60_000) + rows(2, 1002))


@kind(least=3)
def markup_of_tags_never_ended(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="<p>hi</p>" + "<a " * 100_000 + "</p" * 20_000) + rows(2, 1002))


@kind(least=3)
def markup_with_a_wall_of_blanks(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text=f"<pre>a{' ' * 300_000}b</pre>") + rows(2, 1002))


@kind(least=3)
def markup_with_styles_without_end(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text=f"<p style='{'height:0;' * 30_000}'>hi</p>") + rows(2, 1002))


@kind(least=3)
def character_references_beyond_unicode(folder: Path) -> Path:
    return put(folder, HEADER + row(1001, text="&#xD800; &#0; &#9999999; &#x10FFFF; &bogus;" * 2_000) + rows(2, 1002))


@kind(least=3)
def journal_without_headings(folder: Path) -> Path:
    good = '"2026-03-04 10:15:00 - Sam Ortiz (Work notes)\nQuota raised.\n"'
    bad = '"' + "2026-03-04 10:15:00 - (((\n[2026-03-04 10:15] \n" * 4_000 + '"'
    lines = "".join(f"INC{n:07},a,b,open,{bad if n == 2 else good}\n" for n in range(1, 4))
    return put(folder, "number,short_description,caller_id,state,comments_and_work_notes\n" + lines)


@kind(least=3)
def comment_cells_of_semicolons(folder: Path) -> Path:
    cells = (";" * 50_000, "22/Mar/14 07:59;", "a;b;c", ";;;x", "99/Foo/14 99:99;me;text")
    lines = "".join(f"WEB-{n},a,Open,b,{cells[n]},{cells[-n]}\n" for n in range(1, 5))
    return put(folder, "Issue key,Summary,Status,Description,Comment,Comment\n" + lines)
