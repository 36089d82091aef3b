"""Every row has one fate: used, rejected, blank or footer; and one broken row never takes its neighbors along."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.conftest import Reader, Writer

HEADER = "id,subject,description,status,created_at\n"


def test_a_row_without_id_is_set_aside_with_its_line_and_text(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + '1,a,"two\nlines",open,2026-01-01\n,b,lost,open,2026-01-02\n3,c,x,open,2026-01-03\n'))
    (reject,) = outcome.rejects
    assert (reject.line, reject.column, reject.raw) == (4, "id", ",b,lost,open,2026-01-02")
    assert "no ticket id" in reject.reason
    assert [ticket.external_id for ticket in outcome.tickets] == ["1", "3"]


def test_same_id_with_other_content_is_set_aside_and_names_the_first_line(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + "1,a,x,open,2026-01-01\n2,b,y,open,2026-01-01\n1,a,changed,open,2026-01-01\n"))
    assert [(reject.line, "line 2" in reject.reason) for reject in outcome.rejects] == [(4, True)]


def test_the_very_same_row_twice_is_no_fault(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + "1,a,x,open,2026-01-01\n1,a,x,open,2026-01-01\n"))
    assert outcome.rejects == []
    assert (outcome.rows, len(outcome.tickets), outcome.repeated) == (2, 1, 1)


def test_blank_rows_and_footers_are_counted(read: Reader, write: Writer) -> None:
    rows = (
        "1,a,x,open,2026-01-01\n\n,,,,\n2,b,y,open,2026-01-01\nTotal,2,,,\nGenerated at 2026-01-05 10:00 by Ada,,,,\n"
    )
    outcome = read(write(HEADER + rows))
    assert (len(outcome.tickets), outcome.blank, outcome.footer, outcome.rejects) == (2, 2, 2, [])


def test_a_ticket_called_total_is_no_footer(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + "1,Total loss of data,help,open,2026-01-01\n2,Total,,,\n"))
    assert [ticket.subject for ticket in outcome.tickets] == ["Total loss of data", "Total"]


def test_short_rows_are_padded_and_long_rows_keep_the_rest(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + "1,a,x\n2,b,y,open,2026-01-01,more,even more\n3,c,z,open,2026-01-01\n"))
    assert outcome.rejects == []
    assert outcome.ticket("1").fields["status"] == ""
    assert outcome.ticket("2").fields["(extra)"] == "more,even more"
    assert any("1 row had fewer cells" in warning for warning in outcome.warnings)
    assert any("1 row had more cells" in warning for warning in outcome.warnings)


def test_a_long_row_whose_cells_have_shifted_is_set_aside(read: Reader, write: Writer) -> None:
    rows = "101,a,x,open,2026-01-01\nand so on, it,goes,on,and,on\n103,c,z,open,2026-01-01\n"
    outcome = read(write(HEADER + rows))
    assert [reject.line for reject in outcome.rejects] == [3]
    assert len(outcome.tickets) == 2


def test_a_quote_never_closed_costs_one_row_only(read: Reader, write: Writer) -> None:
    rows = '101,a,fine,open,2026-01-01\n102,b,"never closed,open,2026-01-02\n103,c,"quoted, fine",open,2026-01-03\n104,d,x,open,2026-01-04\n'
    outcome = read(write(HEADER + rows))
    assert [ticket.external_id for ticket in outcome.tickets] == ["101", "103", "104"]
    (reject,) = outcome.rejects
    assert (reject.line, reject.raw) == (3, '102,b,"never closed,open,2026-01-02')
    assert "never closed" in reject.reason


def test_a_quote_never_closed_to_the_end_recovers_what_follows(read: Reader, write: Writer) -> None:
    lines = [f"{number},s,text,open,2026-01-01\n" for number in range(200, 260)]
    outcome = read(write(HEADER + '199,a,"never closed,open,2026-01-01\n' + "".join(lines)))
    assert len(outcome.tickets) == 60
    assert [reject.line for reject in outcome.rejects] == [2]


def test_a_quote_never_closed_in_the_last_row_is_set_aside(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + '1,a,x,open,2026-01-01\n2,b,"text,open,2026-01-01'))
    assert [ticket.external_id for ticket in outcome.tickets] == ["1"]
    assert [reject.line for reject in outcome.rejects] == [3]


def test_a_stray_quote_inside_quotes_is_read(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + '1,a,"a 5" pipe\nleaks",open,2026-01-01\n2,b,x,open,2026-01-01\n'))
    assert len(outcome.tickets) + len(outcome.rejects) == 2
    assert "2" in [ticket.external_id for ticket in outcome.tickets]


def test_a_header_repeated_by_joining_files_is_set_aside(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + "1,a,x,open,2026-01-01\n" + HEADER + "2,b,x,open,2026-01-01\n"))
    assert [reject.line for reject in outcome.rejects] == [3]
    assert len(outcome.tickets) == 2


def test_a_cell_longer_than_the_csv_module_allows(read: Reader, write: Writer) -> None:
    outcome = read(write(HEADER + f"1,a,{'x' * 200_000},open,2026-01-01\n2,b,y,open,2026-01-01\n"))
    assert len(outcome.tickets[0].messages[0].text) == 200_000


def test_small_batches_give_the_same_tickets(read: Reader, write: Writer) -> None:
    path = write(HEADER + "".join(f"{n},s{n},text {n},open,2026-01-01\n" for n in range(1, 50)))
    assert read(path, batch_rows=7).tickets == read(path).tickets


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from(list('",\n;\t|')), max_size=40
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12))
def test_what_a_csv_writer_writes_comes_back(read: Reader, write: Writer, rows: list[tuple[str, str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["id", "subject", "description", "status"])
    for number, (subject, description) in enumerate(rows, start=1001):
        writer.writerow([number, subject, description, "open"])
    outcome = read(write(stream.getvalue()))
    assert outcome.rejects == []
    assert [ticket.external_id for ticket in outcome.tickets] == [str(1000 + n) for n in range(1, len(rows) + 1)]
    kept = [(ticket.fields["subject"], ticket.fields["description"]) for ticket in outcome.tickets]
    assert kept == rows


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.lists(st.text(st.sampled_from(list('ab1,";\n\r\t ')), max_size=30), max_size=15))
def test_junk_between_rows_never_loses_count(read: Reader, write: Writer, junk: list[str]) -> None:
    body = "".join(f"{n},s,text,open,2026-01-01\n{piece}\n" for n, piece in enumerate(["x", *junk], start=1001))
    outcome = read(write(HEADER + body))
    used = sum(t.rows for t in outcome.tickets)
    assert outcome.rows == used + len(outcome.rejects) + outcome.blank + outcome.footer + outcome.repeated
    lines = [reject.line for reject in outcome.rejects]
    assert all(a < b for a, b in pairwise(lines))
