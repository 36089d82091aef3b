"""Meaning: what is private stays private, text stays what was written, and dates are decided over the whole column."""

from __future__ import annotations

import pytest

from desktop.ingest.bodies import read_body
from desktop.ingest.dates import read_date
from tests.ingest.conftest import Reader, Writer


@pytest.mark.parametrize(
    ("column", "value", "is_internal"),
    [
        ("public", "Public", False),
        ("public", "Private", True),
        ("public", "true", False),
        ("public", "false", True),
        ("is_private", "VERDADERO", True),
        ("is_private", "VRAI", True),
        ("is_private", "FALSCH", False),
        ("is_private", "0", False),
        ("is_private", "", False),
        ("internal", "Internal", True),
        ("is_private", "confidential!", True),
    ],
)
def test_who_may_see_a_message(read: Reader, write: Writer, column: str, value: str, is_internal: bool) -> None:
    rows = "".join(f"{n},2026-01-0{n},Ada,customer,text {n},false\n" for n in (1, 1, 2, 2) if column != "public")
    rows = rows or "".join(f"{n},2026-01-0{n},Ada,customer,text {n},true\n" for n in (1, 1, 2, 2))
    header = f"ticket_id,created_at,author,author_type,body,{column}\n"
    outcome = read(write(f"{header}{rows}3,2026-01-03,Sam,agent,the note,{value}\n3,2026-01-04,Ada,customer,more,\n"))
    note = next(m for m in outcome.ticket("3").messages if m.text == "the note")
    assert note.internal is is_internal
    assert any("taken for internal" in warning for warning in outcome.warnings) == (value == "confidential!")


def test_a_column_of_work_notes_is_internal_even_without_headings(read: Reader, write: Writer) -> None:
    header = "number,short_description,caller_id,state,priority,assignment_group,sys_created_on,work_notes,comments\n"
    row = 'INC0010023,VPN,Ada,New,3 - Moderate,Net,2026-03-04 10:15:00,"Do not refund","Please help me"\n'
    messages = {m.text: m.internal for m in read(write(header + row + row.replace("23", "24"))).tickets[0].messages}
    assert messages["Do not refund"] is True
    assert messages["Please help me"] is False


@pytest.mark.parametrize(
    "text",
    [
        "https://x.io/a?id=1&region=eu&currency=USD&timestamp=5&copy=2&notify=1&section=3",
        "if (a<b> c) List<String> x; std::vector<a> v",
        "5 < 6 and 7 > 6",
        "Map<String, List<Integer>> m",
    ],
)
def test_plain_text_stays_as_it_was_written(text: str) -> None:
    assert read_body(text).text == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Fish &amp; chips</p><p>a &lt; b</p>", "Fish & chips\na < b"),
        ('<a href="https://x.io/?a=1&copy=2">here</a>', "here (https://x.io/?a=1&copy=2)"),
        ("a <b>bold</b> word<br/>next", "a bold word\nnext"),
        ("<div>use List<String> here</div>", "use List<String> here"),
        ("&quot;quoted&quot; &#8364; 5", '"quoted" € 5'),
    ],
)
def test_html_becomes_what_a_reader_saw(html: str, text: str) -> None:
    assert read_body(html).text == text


def test_one_date_in_the_middle_decides_for_the_whole_file(read: Reader, write: Writer) -> None:
    """Month first: the only days above 12 stand far behind what is read for recognition, and far before the end."""
    days = (
        [f"3/{day}/2026" for day in range(1, 13)] * 400
        + ["3/31/2026"]
        + [f"4/{day}/2026" for day in range(1, 13)] * 400
    )
    rows = "".join(f"{n},Ticket {n},{'x' * 60},open,{day}\n" for n, day in enumerate(days, start=1000))
    outcome = read(write("id,subject,description,status,created_at\n" + rows))
    assert outcome.recognized.date_order == "month-first"
    assert "3/31/2026" in outcome.recognized.date_evidence
    assert outcome.ticket("1001").created_at == "2026-03-02T00:00:00Z"


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("Wed Mar 04 10:15:00 +0000 2026", "2026-03-04T10:15:00Z"),
        ("Wed Mar 04 10:15:00 CET 2026", "2026-03-04T09:15:00Z"),
        ("Wed Mar 04 2026 10:15:00 GMT+0100 (CET)", "2026-03-04T09:15:00Z"),
        ("2026-03-04, 10:15", "2026-03-04T10:15:00Z"),
        ("04.03.2026, 10:15 Uhr", "2026-03-04T10:15:00Z"),
        ("4 mars 2026 à 10h15", "2026-03-04T10:15:00Z"),
        ("2026-03-04 10:15:00 GMT+2", "2026-03-04T08:15:00Z"),
        ("2026-03-04 10:15:00 +5:30", "2026-03-04T04:45:00Z"),
        ("2026-03-04 10:15:00 +0530", "2026-03-04T04:45:00Z"),
        ("2026-03-04 10:15:00 -05:00", "2026-03-04T15:15:00Z"),
        ("2026-03-04 10:15:00 BST", "2026-03-04T09:15:00Z"),
        ("2026-03-04 10:15:00 IST", ""),
    ],
)
def test_times_become_utc_or_stay_unread_never_hours_wrong(written: str, utc: str) -> None:
    assert read_date(written, "day-first").text == utc


def test_a_date_is_found_by_its_values_whatever_its_column_is_called(read: Reader, write: Writer) -> None:
    rows = "".join(f"{n},Ticket {n},text,2026-03-0{n} 10:00\n" for n in range(1, 6))
    assert read(write("id,subject,description,Quand\n" + rows)).ticket("2").created_at == "2026-03-02T10:00:00Z"


def test_who_wrote_a_ticket_is_who_asks(read: Reader, write: Writer) -> None:
    rows = "".join(f"{n};Portal;Bug;New;Normal;Subject {n};Ada {n};Bo;2026-03-0{n}\n" for n in range(1, 5))
    outcome = read(write("#;Project;Tracker;Status;Priority;Subject;Author;Assignee;Updated\n" + rows))
    assert (outcome.ticket("3").requester, outcome.ticket("3").assignee) == ("Ada 3", "Bo")


def test_a_short_answer_is_an_answer_and_a_message_twice_is_one(read: Reader, write: Writer) -> None:
    header = "ticket_id,message_id,created_at,author,author_type,body\n"
    rows = "5,1,2026-01-01T10:00:00Z,Sam,agent,Is it on?\n5,2,2026-01-01T10:05:00Z,Ada,customer,?\n"
    rows += "5,2,2026-01-01T10:05:00Z,Ada,customer,?\n5,3,2026-01-01T10:06:00Z,Ada,customer,none\n6,4,2026-01-01T10:00:00Z,Bo,customer,NULL\n"
    outcome = read(write(header + rows))
    assert [message.text for message in outcome.ticket("5").messages] == ["Is it on?", "?", "none"]
    assert outcome.ticket("6").messages == ()


def test_a_list_of_tickets_with_a_row_twice_is_no_table_of_messages(read: Reader, write: Writer) -> None:
    rows = "1,one,text a,2026-01-01\n2,two,text b,2026-01-02\n3,three,text c,2026-01-03\n1,other,text d,2026-01-04\n3,three,text c,2026-01-03\n"
    outcome = read(write("Ticket ID,Subject,Description,Created\n" + rows))
    assert (outcome.recognized.shape, len(outcome.tickets), len(outcome.rejects), outcome.repeated) == (
        "tickets",
        3,
        1,
        1,
    )


def test_code_is_kept_whatever_signs_the_text_around_it_holds() -> None:
    text = "\ue0005\ue000 <b>is</b> `<i>` and \ue001" + "9" * 5_000 + "\ue001"
    assert read_body(text, "markdown").text == text.replace("<b>is</b>", "is")
