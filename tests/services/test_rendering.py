"""Rendering: what leaves by the clipboard is safe in every target, and holds only what its reader may have."""

from __future__ import annotations

import re
from dataclasses import replace

import markdown
import pytest

from desktop.domain.runs import CheckedClaim, Claim, Highlight, RunState, Summary, Support
from desktop.domain.sections import choose_sections
from desktop.domain.tickets import Message, Role
from desktop.services.rendering import (
    CopyFormat,
    CopyItem,
    CopyOptions,
    render_highlights,
    render_markdown,
    render_summaries,
    render_summary,
)
from desktop.services.rendering.targets import escape_jira, escape_markdown, escape_slack

PLAIN = CopyOptions(CopyFormat.PLAIN)
MESSAGES = (
    Message(1, "Ada", Role.CUSTOMER, "", "I was charged $49 twice."),
    Message(2, "Sam", Role.AGENT, "", "She is a difficult one.", internal=True),
    Message(3, "Sam", Role.AGENT, "", "We refund it."),
)


def _checked(
    text: str,
    support: Support = Support.SUPPORTED,
    *,
    section: str = "Problem",
    cites: tuple[str, ...] = ("m1.1",),
    missing: tuple[str, ...] = (),
    misplaced: tuple[str, ...] = (),
) -> CheckedClaim:
    return CheckedClaim(Claim(section, text, cites), support, 0.9, cites, missing, misplaced)


def _summary(*claims: CheckedClaim, is_edit: bool = False) -> Summary:
    return Summary(1, RunState.COMPLETE, claims=claims, is_edit=is_edit)


SUMMARY = _summary(
    _checked("Charged $49 twice."),
    _checked("Paid by card.", Support.PARTIAL),
    _checked("Refund due within 24 hours.", Support.PARTIAL, missing=("24 hours",)),
    _checked("The moon is blue.", Support.UNSUPPORTED, section="Next step"),
    _checked("Somebody said so.", Support.UNCITED, section="Next step", cites=()),
)


def test_copy_leaves_out_what_the_ticket_does_not_support_and_says_how_much() -> None:
    rendered = render_summary(SUMMARY, title="Charged twice")
    assert rendered.text == "Charged twice\nProblem: Charged $49 twice. Paid by card.\n"
    assert rendered.left_out == rendered.unsupported == 3
    assert rendered.note == "Left out: 3 sentences that the ticket does not support."
    assert "24 hours" not in rendered.html
    assert "<strong>Problem:</strong> Charged $49 twice." in rendered.html


def test_everything_is_copied_when_asked_for() -> None:
    rendered = render_summary(SUMMARY, title="Charged twice", options=CopyOptions(include_all=True))
    assert rendered.left_out == 0
    assert rendered.note == ""
    assert "The moon is blue." in rendered.text


def test_what_a_person_wrote_is_copied_whole() -> None:
    rendered = render_summary(replace(SUMMARY, is_edit=True), title="T", options=PLAIN)
    assert "Somebody said so." in rendered.text
    assert rendered.left_out == 0


def test_an_incomplete_summary_says_so_when_it_is_copied() -> None:
    cut = Summary(1, RunState.INCOMPLETE, reason="the provider closed the stream", claims=SUMMARY.claims)
    assert "incomplete: the provider closed the stream" in render_summary(cut, title="T").text


def test_sections_come_under_the_users_names_in_his_order_and_without_those_he_switched_off() -> None:
    sections = choose_sections(
        [
            {"name": "Next step", "label": "To do"},
            {"name": "Sentiment", "is_on": False},
            {"name": "Problem", "label": "Issue"},
        ]
    )
    summary = _summary(
        _checked("It broke.", section="Gist"),
        _checked("It fails."),
        _checked("Angry.", section="Sentiment"),
        _checked("Call back.", section="Next step"),
        _checked("Not in the ticket.", section="Deadlines"),
        _checked("Of another recipe.", section="Root cause"),
    )
    rendered = render_summary(summary, title="T", options=PLAIN, sections=sections)
    assert rendered.text == "T\nGist: It broke.\nTo do: Call back.\nIssue: It fails.\nRoot cause: Of another recipe.\n"
    assert rendered.left_out == 0


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (CopyFormat.PLAIN, "Problem: It fails. (messages 1, 3)"),
        (CopyFormat.MARKDOWN, "**Problem:** It fails\\. \\[1, 3\\]"),
        (CopyFormat.RICH, "Problem: It fails. (messages 1, 3)"),
        (CopyFormat.JIRA, "*Problem:* It fails. (messages 1, 3)"),
        (CopyFormat.SLACK, "*Problem:* It fails. (messages 1, 3)"),
    ],
)
def test_citations_are_written_as_each_target_can_show_them(wanted: CopyFormat, line: str) -> None:
    summary = _summary(_checked("It fails.", cites=("m1.1", "m1.2", "m3.1")))
    rendered = render_summary(summary, title="T", options=CopyOptions(wanted, with_citations=True))
    assert line in rendered.text.splitlines()
    if wanted is CopyFormat.RICH:
        assert "It fails. [1, 3]</p>" in rendered.html
        assert "Numbers in brackets are messages of the ticket." in rendered.html


def test_a_customer_gets_nothing_that_may_rest_on_an_internal_note() -> None:
    summary = _summary(
        _checked("You were charged twice."),
        _checked("She is a difficult one.", cites=("m2.1",)),
        _checked("Both.", cites=("m1.1", "m2.1")),
        _checked("A fact of the note.", misplaced=("one",)),
        _checked("Of a message that is gone.", cites=("m9.1",)),
        _checked("Angry.", section="Sentiment"),
        _checked("The moon is blue.", Support.UNSUPPORTED),
    )
    options = CopyOptions(CopyFormat.PLAIN, for_customer=True)
    rendered = render_summary(summary, title="T", options=options, messages=MESSAGES)
    assert rendered.text == "T\nYou were charged twice.\n"
    assert (rendered.unsupported, rendered.internal) == (1, 4)
    assert "4 sentences that may rest on internal notes" in rendered.note


def test_without_the_messages_nothing_is_taken_for_fit_for_a_customer() -> None:
    rendered = render_summary(SUMMARY, title="T", options=CopyOptions(CopyFormat.PLAIN, for_customer=True))
    assert rendered.text == "T\n"


def test_an_edit_for_a_customer_loses_what_cites_an_internal_note_and_no_more() -> None:
    summary = _summary(
        _checked("Difficult.", cites=("m2.1",)),
        _checked("Sorry about that.", Support.UNCITED, cites=()),
        is_edit=True,
    )
    options = CopyOptions(CopyFormat.PLAIN, for_customer=True)
    rendered = render_summary(summary, title="T", options=options, messages=MESSAGES)
    assert rendered.text == "T\nSorry about that.\n"
    assert rendered.internal == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](file:///etc/passwd)",
        "[x](javascript:alert(1))",
        "[x](file:///etc/passwd)",
        "<a href='data:text/html,x'>x</a>",
    ],
)
def test_hostile_text_does_nothing(hostile: str) -> None:
    html = render_markdown(hostile)
    for bad in ("<script", "<img", 'href="javascript:', 'href="file:', 'href="data:'):
        assert bad not in html
    rendered = render_summary(_summary(_checked(hostile, section=hostile)), title=hostile)
    assert not re.search(r"<(?!/?(?:p|strong|em|br)>)", rendered.html)


@pytest.mark.parametrize(
    "text",
    [
        "a *b* _c_ `d` ~e~ **f**",
        "![x](http://e.example/p.png) [l](http://e.example)",
        "<b>AT&T</b> &lt;i&gt; C:\\temp\\new",
        "1. one # two + three - four | five > six",
        "=== --- ~~~ ```",
        "$49 and $50; snake_case_name; e-mail",
    ],
)
def test_markdown_shows_the_text_and_nothing_but_the_text(text: str) -> None:
    shown = markdown.markdown(escape_markdown(text))
    # The library knows no backslash before these three; every other reader of Markdown does.
    shown = re.sub(r"\\([|~$])", r"\1", shown)
    expected = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown == f"<p>{expected}</p>"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("{code}x{code}", r"\{code\}x\{code\}"),
        ("[~admin] [^file] !pic.png!", r"\[\~admin\] \[\^file\] \!pic.png\!"),
        ("*b* _i_ e-mail - done --", r"\*b\* \_i\_ e-mail \- done \-\-"),
        (r"C:\new", "C:&#92;new"),
        ("h1. Title", "&#104;1. Title"),
        ("bq. said", "&#98;q. said"),
        ("well :) (x) (on)", "well &#58;) &#40;x) &#40;on)"),
        ("??who??", "&#63;&#63;who&#63;&#63;"),
        ("AT&T &lt;", "AT&amp;T &amp;lt;"),
        ("# one", "&#35; one"),
        ("#4711 costs $5 at 10:30", "#4711 costs $5 at 10:30"),
    ],
)
def test_jira_shows_the_text_and_nothing_but_the_text(text: str, escaped: str) -> None:
    assert escape_jira(text) == escaped


def test_slack_notifies_nobody_and_formats_nothing() -> None:
    escaped = escape_slack("<!here> <@U123> @channel @everyone a@b.example *b* `c` <http://e.example|x> & :tada:")
    assert "<" not in escaped
    assert ">" not in escaped
    assert "@channel" not in escaped
    assert "@everyone" not in escaped
    assert "a@b.example" in escaped
    assert " & " not in escaped
    assert ":tada:" not in escaped
    assert "*b*" not in escaped
    assert not escape_slack("> quoted").startswith("&gt;")
    assert escape_slack("order ORDER_12_X at 10:30") == "order ORDER_12_X at 10:30"


@pytest.mark.parametrize("wanted", list(CopyFormat))
def test_what_is_not_seen_is_not_copied(wanted: CopyFormat) -> None:
    hostile = "a\x1b]8;;http://e.example\x07b\u202ec\u2066d\u200be\x9bf"
    rendered = render_summary(_summary(_checked(hostile)), title=hostile, options=CopyOptions(wanted))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rendered.text + rendered.html)


def test_links_that_people_use_stay() -> None:
    assert 'href="https://example.com/"' in render_markdown("[docs](https://example.com/)")


def test_highlights_keep_their_authors() -> None:
    rendered = render_highlights((Highlight("It broke.", "m1.1", 1, 0, 9, "Maria K."),), title="Broken", options=PLAIN)
    assert rendered.text == "Broken\nMaria K.: “It broke.”\n"


def test_several_tickets_are_copied_at_once_with_highlights_where_there_is_no_summary() -> None:
    quote = (Highlight("It broke.", "m1.1", 1, 0, 9, "Ada"), Highlight("Difficult.", "m2.1", 2, 0, 9, "Sam"))
    items = (
        CopyItem("One", SUMMARY, quote, MESSAGES),
        CopyItem("Two", None, quote, MESSAGES),
        CopyItem("Three", _summary(_checked("Blue.", Support.UNSUPPORTED)), quote[:1], MESSAGES),
    )
    rendered = render_summaries(items, options=CopyOptions())
    assert (
        "One\nProblem: Charged $49 twice. Paid by card.\n\nTwo\nAda: “It broke.”\nSam: “Difficult.”\n" in rendered.text
    )
    assert (rendered.highlighted, rendered.unsupported) == (2, 4)
    assert rendered.html.count("<hr>") == 2
    for_customer = render_summaries(items[1:2], options=CopyOptions(CopyFormat.PLAIN, for_customer=True))
    assert for_customer.text == "Two\nAda: “It broke.”\n"
    assert for_customer.internal == 1
