"""JSON: what a person finds in the program after importing one, and what becomes of one that is broken."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.tickets import Role
from desktop.ingest.contents import tables_in
from desktop.ingest.recognition import recognize
from desktop.ingest.systems import SystemDefinition
from tests.ingest.conftest import SHARED, Finder, Reader, Writer

ZENDESK = {
    "id": 12345678901234567890,
    "subject": "Printer on fire",
    "description": "It burns.\r\nPlease help.",
    "status": "hold",
    "priority": "urgent",
    "requester_id": 501,
    "submitter_id": 501,
    "assignee_id": 777,
    "custom_fields": [{"id": 1, "value": "A"}, {"id": 2, "value": None}],
    "tags": ["printer", "fire"],
    "via": {"channel": "email"},
    "created_at": "2026-03-02T09:14:11Z",
    "updated_at": "2026-03-03T10:00:00Z",
    "comments": [
        {"id": 2, "author_id": 777, "plain_body": "Use water.", "public": True, "created_at": "2026-03-03T10:00:00Z"},
        {
            "id": 1,
            "author_id": 501,
            "plain_body": "It burns.\nPlease help.",
            "public": True,
            "created_at": "2026-03-02T09:14:11Z",
        },
        {
            "id": 3,
            "author_id": 778,
            "plain_body": "Is it insured?",
            "public": False,
            "created_at": "2026-03-02T12:00:00Z",
        },
    ],
}
PULL = {
    "number": 7,
    "title": "Read CRLF",
    "body": "Fixes <b>it</b>.\r\n",
    "state": "MERGED",
    "author": {"login": "ann"},
    "assignees": [{"login": "bo"}, {"login": "cy"}],
    "labels": [{"name": "bug"}],
    "createdAt": "2026-01-02T03:04:05Z",
    "updatedAt": "2026-01-05T00:00:00Z",
    "url": "https://github.com/fern/shop/pull/7",
    "comments": [
        {"author": {"login": "eve"}, "authorAssociation": "NONE", "body": "+1", "createdAt": "2026-01-03T00:00:00Z"}
    ],
    "reviews": [
        {
            "author": {"login": "bo"},
            "authorAssociation": "MEMBER",
            "body": "",
            "state": "APPROVED",
            "submittedAt": "2026-01-04T00:00:00Z",
        },
        {
            "author": {"login": "ann"},
            "authorAssociation": "OWNER",
            "body": "Thanks!",
            "state": "COMMENTED",
            "submittedAt": "2026-01-04T01:00:00Z",
        },
    ],
    "diff": "--- a/x.html\n+++ b/x.html\n-<p>old</p>\n+<p>new</p>\n",
}


def test_a_zendesk_ticket_with_its_comments(read: Reader, write: Writer) -> None:
    outcome = read(write(json.dumps({"tickets": [ZENDESK], "next_page": None, "count": 1}), "tickets.json"))
    assert (outcome.recognized.system, outcome.recognized.format, outcome.recognized.sheet) == (
        "zendesk",
        "json",
        "tickets",
    )
    ticket = outcome.ticket("12345678901234567890")
    assert (ticket.subject, ticket.status, ticket.status_original, ticket.priority) == (
        "Printer on fire",
        "on-hold",
        "hold",
        "urgent",
    )
    # The description is the first comment too, and stands once.
    assert [(m.text, m.role, m.internal, m.created_at) for m in ticket.messages] == [
        ("It burns.\nPlease help.", Role.CUSTOMER, False, "2026-03-02T09:14:11Z"),
        ("Is it insured?", Role.AGENT, True, "2026-03-02T12:00:00Z"),
        ("Use water.", Role.AGENT, False, "2026-03-03T10:00:00Z"),
    ]
    assert ticket.fields["tags[]"] == ["printer", "fire"]
    assert ticket.fields["custom_fields[].value"] == ["A", ""]
    assert ticket.fields["via.channel"] == "email"


def test_a_ticket_a_line_and_a_broken_line_between(read: Reader, write: Writer) -> None:
    other = {**ZENDESK, "id": 2, "comments": [], "tags": []}
    text = "\n".join([json.dumps(ZENDESK), '{"id": 9, "subject": "torn', json.dumps(other), ""])
    outcome = read(write(text, "export.ndjson"))
    assert outcome.recognized.format == "jsonl"
    assert [ticket.external_id for ticket in outcome.tickets] == ["12345678901234567890", "2"]
    assert [(reject.line, "cannot be read" in reject.reason) for reject in outcome.rejects] == [(2, True)]
    assert outcome.rejects[0].raw == '{"id": 9, "subject": "torn'


def test_a_broken_record_in_a_list_costs_itself_only(read: Reader, write: Writer) -> None:
    records = [
        json.dumps({"id": f"T-{n}", "subject": "Hello", "description": "Text", "status": "open"}, indent=2)
        for n in range(5)
    ]
    records[2] = records[2].replace('"subject": "Hello",', '"subject": "Hello" oops')
    outcome = read(write("[\n" + ",\n".join(records) + "\n]\n", "list.json"))
    assert [ticket.external_id for ticket in outcome.tickets] == ["T-0", "T-1", "T-3", "T-4"]
    assert [(reject.line, reject.raw) for reject in outcome.rejects] == [(14, records[2] + ",")]


def test_a_file_that_breaks_off_says_where(read: Reader, write: Writer) -> None:
    text = json.dumps([{"id": n, "subject": "Hello", "status": "open", "body": "x" * 50} for n in range(100)], indent=1)
    outcome = read(write(text[: len(text) // 2], "half.json"))
    assert len(outcome.tickets) in (49, 50)
    assert "the file ends in the middle" in outcome.rejects[-1].reason


@pytest.mark.parametrize("around", ["%s", '{"tickets": %s}', '{"count": 2, "data": {"tickets": %s, "next": null}}'])
@pytest.mark.parametrize("missing", [1, 30])
def test_a_file_on_one_line_that_breaks_off_has_one_rejected_record(
    read: Reader, write: Writer, around: str, missing: int
) -> None:
    text = json.dumps([{"id": n, "subject": "Hello", "status": "open"} for n in range(3)])
    whole = around % text
    outcome = read(write(whole[: whole.index(text) + len(text) - missing], "half.json"))
    assert len(outcome.tickets) == (3 if missing == 1 else 2)
    (reject,) = outcome.rejects
    assert "the file ends in the middle" in reject.reason
    assert reject.raw == ("" if missing == 1 else text[text.index('{"id": 2') : -missing])


def test_pull_requests_come_with_diff_reviews_and_comments(read: Reader, write: Writer) -> None:
    other = {**PULL, "url": "https://github.com/fern/till/pull/7", "reviews": [], "comments": []}
    outcome = read(write(json.dumps([PULL, other]), "pulls.json"))
    assert [ticket.external_id for ticket in outcome.tickets] == ["fern/shop#7", "fern/till#7"]
    ticket = outcome.tickets[0]
    assert (ticket.status, ticket.requester, ticket.assignee) == ("closed", "ann", "bo, cy")
    assert [(m.author, m.role, m.text) for m in ticket.messages] == [
        ("ann", Role.CUSTOMER, "Fixes it."),
        ("ann", Role.SYSTEM, PULL["diff"].strip()),  # type: ignore[attr-defined]
        ("eve", Role.UNKNOWN, "+1"),
        ("bo", Role.SYSTEM, "Approved"),
        ("ann", Role.CUSTOMER, "Thanks!"),
    ]


def test_a_description_that_is_a_comment_too_takes_no_diff_with_it(read: Reader, write: Writer) -> None:
    comment = {"author": {"login": "ann"}, "body": "Fixes it.", "createdAt": "2026-01-03T00:00:00Z"}
    pull = {**PULL, "comments": [comment], "reviews": []}
    (ticket,) = read(write(json.dumps([pull]), "pulls.json")).tickets
    assert [message.text for message in ticket.messages] == [PULL["diff"].strip(), "Fixes it."]  # type: ignore[attr-defined]


def test_a_document_of_several_lists_is_several_tables(read: Reader, write: Writer) -> None:
    issue = {
        "number": 1,
        "title": "A",
        "body": "B",
        "state": "open",
        "user": {"login": "ann"},
        "created_at": "2026-01-01T00:00:00Z",
    }
    path = write(json.dumps({"issues": [issue], "pulls": [{**issue, "number": 2}]}), "archive.json")
    tables = tables_in(path)
    assert tables == (path / "issues", path / "pulls")
    assert [read(table).tickets[0].external_id for table in tables] == ["1", "2"]
    with pytest.raises(DeskError, match=r"no discussions in archive\.json"):
        read(path / "discussions")


def test_inside_archives(read: Reader, tmp_path: Path) -> None:
    text = json.dumps(
        {
            "tickets": [ZENDESK],
            "users": [{"id": 501, "name": "Ann Lee", "email": "ann@fern.example", "role": "end-user"}],
        }
    )
    packed = tmp_path / "export.json.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert tables_in(packed) == (packed / "tickets", packed / "users")
    assert len(read(packed / "tickets").tickets) == 1
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("deep/export.json", text)
    tables = tables_in(tmp_path / "all.zip")
    assert [table.name for table in tables] == ["tickets", "users"]
    assert len(read(tables[0]).tickets[0].messages) == 3


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('{"data": {"result": [{"id": 1, "subject": "A"}, {"id": 2, "subject": "B"}]}}', ["1", "2"]),
        (
            '{"id": 7, "subject": "Alone", "description": "One ticket", "status": "open", "tags": [{"name": "x"}]}',
            ["7"],
        ),
        (
            '{"ticket": {"id": 7, "subject": "Alone", "description": "One"}}\n{"ticket": {"id": 8, "subject": "B"}}',
            ["7", "8"],
        ),
        ('\ufeff[{"id": "007", "subject": "A"},\n\n {"id": "008", "subject": "B"},]', ["007", "008"]),
        ('{"id": 1.50, "subject": "A"}\n\n{"id": 2e3, "subject": "B"}\n', ["1.50", "2e3"]),
        (
            '{"results": [{"key": "A-1", "summary": "A"}], "total": 2}\n{"results": [{"key": "A-2", "summary": "B"}], "total": 2}',
            ["A-1", "A-2"],
        ),
    ],
)
def test_shapes_of_documents(read: Reader, write: Writer, text: str, ids: list[str]) -> None:
    for encoding in ("utf-8", "utf-16"):
        outcome = read(write(text, f"t-{encoding}.json", encoding=encoding))
        assert [ticket.external_id for ticket in outcome.tickets] == ids
        assert outcome.rejects == []


def test_an_unknown_help_desk_is_mapped_by_name_and_content(read: Reader, write: Writer) -> None:
    record = {
        "convoId": "c-1",
        "customer": {"fullName": "Ann Lee"},
        "createdAt": "2026-05-01T10:00:00+02:00",
        "attachments": [{"name": "a.png", "url": "https://x.example/a"}],
        "turns": [["customer", "Where is my parcel?"], ["agent", "It is on its way."]],
    }
    more = {**record, "convoId": "c-2", "turns": [["customer", "Thanks a lot, bye now."]]}
    ticket = read(write(json.dumps([record, more]), "chats.json")).ticket("c-1")
    assert ticket.created_at == "2026-05-01T08:00:00Z"
    assert [(m.role, m.text) for m in ticket.messages] == [
        (Role.CUSTOMER, "Where is my parcel?"),
        (Role.AGENT, "It is on its way."),
    ]


def test_rich_text_of_jira_is_text(read: Reader, write: Writer) -> None:
    paragraph = {
        "type": "paragraph",
        "content": [{"type": "text", "text": "Hello "}, {"type": "mention", "attrs": {"text": "@Bo"}}],
    }
    body = {
        "type": "doc",
        "version": 1,
        "content": [paragraph, {"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph]}]}],
    }
    issue = {
        "key": "SUP-1",
        "fields": {
            "summary": "Rich",
            "status": {"name": "Waiting for customer"},
            "created": "2026-02-03T04:05:06.000+0100",
            "description": body,
            "reporter": {"displayName": "Ann"},
            "comment": {
                "comments": [
                    {
                        "author": {"displayName": "Bo"},
                        "body": body,
                        "created": "2026-02-04T00:00:00.000+0000",
                        "jsdPublic": False,
                    }
                ]
            },
        },
    }
    ticket = read(write(json.dumps({"issues": [issue], "total": 1}), "jira.json")).ticket("SUP-1")
    assert (ticket.status, ticket.created_at) == ("pending", "2026-02-03T03:05:06Z")
    assert [(m.author, m.text, m.internal) for m in ticket.messages] == [
        ("Ann", "Hello @Bo\n- Hello @Bo", False),
        ("Bo", "Hello @Bo\n- Hello @Bo", True),
    ]


def test_the_real_dialogues_are_those_of_the_table(read: Reader, export: Finder) -> None:
    if not SHARED.exists():
        print("shared/data is absent; the look-alikes above stand in for conversations/ibm_cdp_test.json")  # noqa: T201
        return
    nested = read(export("conversations/ibm_cdp_test.json", "")[0])
    table = read(export("conversations/support_messages.csv", "messages.csv")[0])
    assert len(nested.tickets) == 500

    # The table names nobody where a second customer joined in (the key `client1`); the record does.
    seconds = {
        t.external_id
        for t in nested.tickets
        if "dialogContent[].client1" in t.fields and any(t.fields["dialogContent[].client1"])
    }
    assert len(seconds) == 13
    for ticket in nested.tickets:
        other = table.ticket(ticket.external_id)
        assert [(m.created_at, m.text) for m in ticket.messages] == [(m.created_at, m.text) for m in other.messages]
        if ticket.external_id not in seconds:
            assert [(m.author, m.role) for m in ticket.messages] == [(m.author, m.role) for m in other.messages]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"a": 1}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '[{"a": 1',
        '{"tickets": [',
        "[1, 2, 3]",
        '{"tickets": []}',
        '[{"x": 1}, {"x": 2}]',
    ],
)
def test_what_holds_no_tickets_is_refused_in_words(
    systems: tuple[SystemDefinition, ...], write: Writer, text: str
) -> None:
    path = write(text, "odd.json")
    with pytest.raises(DeskError) as raised:
        recognize(path, systems=systems)
    assert "odd.json" in raised.value.message
    assert raised.value.remedy


def test_half_a_character_and_nothing_but_numbers(read: Reader, write: Writer) -> None:
    outcome = read(
        write(
            '[{"id": 1, "subject": "\\ud83d half", "body": "a\\u0000b", "score": NaN, "n": 1' + "0" * 5000 + "}]",
            "x.json",
        )
    )
    ticket = outcome.tickets[0]
    assert (ticket.subject, ticket.messages[0].text) == ("\ufffd half", "ab")
    assert ticket.subject.encode()


def test_records_of_an_unknown_help_desk_keep_the_dated_messages_within(read: Reader, write: Writer) -> None:
    said = [{"author": "Bo", "body": "Second.", "created_at": "2026-01-02"}]
    record = {"id": "007", "subject": "Lamp", "description": "It is dark.", "comments": said}
    outcome = read(write(json.dumps({"tickets": [record]}), "export.json"))
    assert outcome.recognized.shape == "nested"
    assert [message.text for message in outcome.ticket("007").messages] == ["It is dark.", "Second."]
