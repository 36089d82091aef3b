"""Pages: tickets in HTML tables, as many help desks write their `.html`, `.xls` and `.doc`, and Jira's Word export."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.tickets import Role
from desktop.ingest import pages
from desktop.services.wording import describe_format
from tests.ingest.conftest import OWN, Reader, Writer

HEAD = "<tr><th>Id</th><th>Subject</th><th>Status</th><th>Description</th></tr>"


def _page(rows: str, *, before: str = "", head: str = HEAD) -> str:
    return f"<!DOCTYPE html><html><body>{before}<table>{head}{rows}</table></body></html>"


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def test_jiras_word_export_has_its_issues_with_descriptions_and_comments(read: Reader) -> None:
    outcome = read(OWN / "jira_word.doc")
    assert (outcome.recognized.system, outcome.recognized.shape, outcome.recognized.format) == (
        "jira",
        "repeated",
        "html",
    )
    assert describe_format(outcome.recognized) == "a web page"
    assert [ticket.external_id for ticket in outcome.tickets] == ["HD-7", "HD-8"]
    first, second = outcome.tickets
    assert (first.subject, first.status, first.priority) == ("Login fails & loops", "solved", "high")
    assert (first.requester, first.assignee) == ("Ada Park", "Sam Ortiz [Administrator]")
    assert (first.created_at, first.updated_at) == ("2014-03-22T00:00:00Z", "2014-05-05T00:00:00Z")
    assert [(m.author, m.role, m.created_at, m.text) for m in first.messages] == [
        ("Ada Park", Role.CUSTOMER, "2014-03-22T00:00:00Z", "After the update:\nif (a < b) loop();\nCode: e"),
        ("Sam Ortiz [Administrator]", Role.AGENT, "2014-03-23T00:00:00Z", "Which browser; which version?"),
        ("Ada Park", Role.CUSTOMER, "2014-03-24T00:00:00Z", "Firefox.\nVersion 28."),
    ]
    assert (first.fields["Issue Type"], first.fields["Project"], first.fields["Due"]) == (
        "Bug",
        "Helpdesk",
        "31/May/14",
    )
    assert second.messages[0].text == "See this one (https://shop.example.test/p/1)."
    assert second.fields["Comment"] == []
    assert outcome.rejects == []


def test_comments_whose_rows_bear_no_mark_are_told_by_what_they_say(read: Reader, write: Writer) -> None:
    text = (OWN / "jira_word.doc").read_text(encoding="utf-8")
    for number in (10500, 10501):
        text = text.replace(f' id="comment-header-{number}"', "").replace(f' id="comment-body-{number}"', "")
    plain = read(write(text, "issues.doc"))
    assert [ticket.messages for ticket in plain.tickets] == [
        ticket.messages for ticket in read(OWN / "jira_word.doc").tickets
    ]


def test_jiras_list_of_issues_as_a_page_named_workbook(read: Reader) -> None:
    outcome = read(OWN / "jira_list.xls")
    assert outcome.recognized.system == "jira"
    assert [(t.external_id, t.subject, t.status, t.priority, t.requester) for t in outcome.tickets] == [
        ("HD-7", "Login fails", "solved", "high", "Ada Park"),
        ("HD-8", "R&D: größerer Drucker", "open", "low", "Bo Lind"),
    ]
    assert outcome.tickets[0].fields["Issue Type"] == "Bug", "an icon counts as what stands for it"


def test_a_table_within_a_layout_with_unclosed_cells_in_windows_text(read: Reader) -> None:
    outcome = read(OWN / "osticket_print.html")
    assert outcome.recognized.encoding == "cp1252"
    assert [(t.external_id, t.subject, t.requester) for t in outcome.tickets] == [
        ("000123", "Café door", "René"),
        ("000124", "Key <lost>", "Bo"),
    ]
    assert outcome.ticket("000123").messages[0].text == "It sticks.\nEvery day.\nSee photo (http://x.example/p)"
    assert outcome.ticket("000124").messages[0].text == "Where is it?", "what nobody sees is dropped"


@pytest.mark.parametrize(
    ("page", "tickets"),
    [
        (_page(_row("7", "a", "open", "x<br/>y")), {"7": "x\ny"}),
        (_page(_row("7", "a", "open", "one\n   two <b>bold</b>")), {"7": "one two bold"}),
        (_page(_row("7", "a", "open", "a &lt;br&gt; b &amp;amp; c")), {"7": "a <br> b &amp; c"}),
        (_page("<tr><td>7</td><td colspan=2>wide</td><td>text</td></tr>"), {"7": "text"}),
        (
            _page("<tr><td>7</td><td rowspan='2'>both</td><td>open</td><td>x</td></tr>" + _row("8", "new", "y")),
            {"7": "x", "8": "y"},
        ),
        (_page(_row("7", "a", "open", "<table><tr><td>in</td><td>ner</td></tr></table>")), {"7": "in ner"}),
        (_page(_row("7", "a", "open", "x"), before="<table><tr><td>Menu</td><td>Help</td></tr></table>"), {"7": "x"}),
        (_page(_row("7", "a", "open", "<!-- </td></tr></table> -->x<script>'</table>'</script>")), {"7": "x"}),
        (_page(_row("7", "a", "open", "x")).replace("</table></body></html>", ""), {"7": "x"}),
        (_page("<tr><td title='a > b'>7</td><td title=\"it's\">a</td><td>open</td><td>x</td></tr>"), {"7": "x"}),
        ("<?xml version='1.0'?>\n" + _page(_row("7", "a", "open", "x")), {"7": "x"}),
        ("\ufeff" + _page(_row("7", "a", "open", "größer")), {"7": "größer"}),
        (_page(_row("7", "a", "open", "x"), head="<tr><td colspan=4>Weekly report</td></tr>" + HEAD), {"7": "x"}),
    ],
)
def test_tables_as_they_are_written(read: Reader, write: Writer, page: str, tickets: dict[str, str]) -> None:
    for encoding in ("utf-8", "utf-16"):
        outcome = read(write(page, "list.html", encoding=encoding))
        assert {t.external_id: t.messages[0].text for t in outcome.tickets} == tickets
        assert outcome.rejects == []


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (
            "home.html",
            b"<!doctype html><html><body><h1>Welcome</h1><table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
            "web page",
        ),
        ("none.htm", b"<html><body>no table</body></html>", "web page"),
        ("header.html", _page("").encode(), "no table"),
        ("old.doc", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Office document"),
        ("text.doc", b"{\\rtf1\\ansi Hello, you, all}", "RTF"),
    ],
)
def test_what_holds_no_table_of_tickets_is_refused(
    read: Reader, write: Writer, name: str, content: bytes, word: str
) -> None:
    with pytest.raises(DeskError) as raised:
        read(write(content, name))
    assert name in str(raised.value)
    assert word in str(raised.value)


def test_a_page_beyond_all_measure_is_refused(read: Reader, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 1_000)
    with pytest.raises(DeskError) as raised:
        read(write(_page(_row("7", "a", "open", "x" * 2_000)), "list.html"))
    assert raised.value.code == "file-too-large"


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<script>", "<td ", '<td title="', "<table>", "<table><tr><td>", "<a href='", "<td colspan=99999>", "<tr"],
)
def test_broken_pages_take_no_time(read: Reader, write: Writer, piece: str) -> None:
    path: Path = write(_page(_row("7", "a", "open", piece * 20_000)), "broken.html")
    began = time.monotonic()
    try:
        outcome = read(path)
    except DeskError:
        outcome = None
    assert time.monotonic() - began < 10
    assert outcome is None or outcome.rows <= 20_001
