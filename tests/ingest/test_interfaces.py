"""What a help desk's interface answers and what a warehouse keeps of it: the same tickets under other names than its own export has."""

from __future__ import annotations

import json

from desktop.domain.tickets import Role
from tests.ingest.conftest import Reader, Writer


def test_tickets_of_hubspot_from_its_interface_and_from_a_warehouse(read: Reader, write: Writer) -> None:
    properties = {
        "subject": "Lamp",
        "content": "It is red",
        "createdate": "2026-01-02T10:00:00.883Z",
        "hs_lastmodifieddate": "2026-01-05T10:00:00Z",
        "hs_pipeline_stage": "2",
        "hs_ticket_priority": "HIGH",
        "hubspot_owner_id": "77",
    }
    answer = {"results": [{"id": "0309", "properties": properties, "archived": False}]}
    table = ",".join(["id", "property_closed_date", *(f"property_{name}" for name in properties)])
    table += "\n" + ",".join(["0309", "2026-01-04 10:00:00", *properties.values()]) + "\n"
    for path in (write(json.dumps(answer), "tickets.json"), write(table)):
        outcome = read(path)
        [t] = outcome.tickets
        assert outcome.recognized.system == "hubspot"
        assert (t.external_id, t.subject, t.status, t.priority, t.assignee) == ("0309", "Lamp", "pending", "high", "77")
        assert (t.created_at, t.updated_at) == ("2026-01-02T10:00:00Z", "2026-01-05T10:00:00Z")
        assert [m.text for m in t.messages] == ["It is red"]


def test_people_in_copy_are_no_messages_of_a_bug(read: Reader, write: Writer) -> None:
    bug = {
        "id": 88,
        "summary": "Lamp is dark",
        "status": "RESOLVED",
        "product": "Lamps",
        "component": "Bulb",
        "priority": "P1",
        "creator": "ann@fern.example",
        "creator_detail": {"email": "ann@fern.example", "real_name": "Ann"},
        "assigned_to": "sam@fern.example",
        "cc": ["bo@fern.example"],
        "cc_detail": [{"id": 4, "email": "bo@fern.example", "real_name": "Bo Nash of the second floor"}],
        "creation_time": "2026-01-02T10:00:00Z",
        "last_change_time": "2026-01-05T10:00:00Z",
    }
    [ticket] = read(write(json.dumps({"bugs": [bug, {**bug, "id": 89}]}), "bugs.json")).tickets[:1]
    assert (ticket.external_id, ticket.requester, ticket.assignee) == ("88", "ann@fern.example", "sam@fern.example")
    assert (ticket.status, ticket.priority, ticket.messages) == ("solved", "urgent", ())
    comment = {
        "bug_id": 88,
        "id": 1,
        "creator": "sam@fern.example",
        "text": "Which bulb?",
        "time": "2026-01-03T10:00:00Z",
        "is_private": True,
    }
    comments = read(write(json.dumps({"bugs": {"88": {"comments": [comment]}}, "comments": {}}), "comments.json"))
    assert (comments.recognized.source, comments.recognized.shape) == ("bugzilla", "messages")
    assert [(m.text, m.internal) for m in comments.ticket("88").messages] == [("Which bulb?", True)]


def test_the_journal_of_a_redmine_issue_is_its_messages(read: Reader, write: Writer) -> None:
    sam, ann = {"id": 7, "name": "Sam Ortiz"}, {"id": 5, "name": "Ann Lee"}
    journals = [
        {"id": 1, "user": sam, "created_on": "2026-01-03T10:00:00Z", "details": [{"name": "status_id"}]},
        {"id": 2, "user": sam, "notes": "Which bulb?", "created_on": "2026-01-04T10:00:00Z", "private_notes": True},
    ]
    issue = {
        "id": 311,
        "project": {"id": 1, "name": "Lamps"},
        "tracker": {"id": 1, "name": "Bug"},
        "status": {"id": 3, "name": "Resolved"},
        "priority": {"id": 7, "name": "Immediate"},
        "author": ann,
        "assigned_to": sam,
        "subject": "Lamp",
        "description": "It is dark.",
        "created_on": "2026-01-02T10:00:00Z",
        "updated_on": "2026-01-05T10:00:00Z",
        "journals": journals,
    }
    [ticket] = read(write(json.dumps({"issue": issue}), "issue.json")).tickets
    assert (ticket.external_id, ticket.status, ticket.priority) == ("311", "solved", "urgent")
    assert (ticket.requester, ticket.assignee) == ("Ann Lee", "Sam Ortiz")
    assert [(m.author, m.role, m.text, m.internal) for m in ticket.messages] == [
        ("Ann Lee", Role.CUSTOMER, "It is dark.", False),
        ("Sam Ortiz", Role.AGENT, "Which bulb?", True),
    ]


def test_the_history_of_a_conversation_is_one_ticket_as_it_is_now(read: Reader, write: Writer) -> None:
    header = "id,updated_at,_fivetran_synced,assignee_id,assignee_type,created_at,priority,state,source_author_id"
    header += ",source_author_type,source_body,source_subject\n"
    rows = [
        "100000000000001,2026-01-04 10:00:00,,7,admin,2026-01-02 09:00:00,not_priority,closed,5,user,It is dark.,Lamp\n",
        "100000000000001,2026-01-02 10:00:00,,,,2026-01-02 09:00:00,not_priority,open,5,user,It is dark.,Lamp\n",
    ]
    outcome = read(write(header + "".join(rows), "conversation_history.csv"))
    [ticket] = outcome.tickets
    assert outcome.rejects == []
    assert (ticket.status, ticket.assignee, ticket.requester) == ("closed", "7", "5")
    assert (ticket.created_at, ticket.updated_at) == ("2026-01-02T09:00:00Z", "2026-01-04T10:00:00Z")
    assert [m.text for m in ticket.messages] == [
        "It is dark.",
        "State: open",
        "Assignee id: none -> 7\nState: open -> closed",
    ]


def test_when_something_was_bought_is_not_when_the_ticket_was_opened(read: Reader, write: Writer) -> None:
    header = "Ticket ID,Customer Name,Date of Purchase,Ticket Subject,Ticket Description,First Response Time\n"
    outcome = read(write(f"{header}1,Ann,2021-03-22,Lamp,It is dark.,2023-06-01 12:15:36\n"))
    assert outcome.ticket("1").created_at == ""
    outcome = read(
        write("Issue ID,Title,State,Description,Author,Created At (UTC)\n1,Lamp,Open,Dark,Ann,2020-01-17 10:36:26\n")
    )
    assert outcome.ticket("1").created_at == "2020-01-17T10:36:26Z"


def test_an_incident_without_a_number_goes_by_its_record_id(read: Reader, write: Writer) -> None:
    header = "sys_id,_fivetran_deleted,caller_id_value,category,incident_state,sys_created_on,sys_updated_on\n"
    outcome = read(write(f"{header}0a9e30c7,FALSE,46c6,software,6,2026-01-02 22:05:30,2026-01-03 08:00:00\n"))
    [ticket] = outcome.tickets
    assert (outcome.recognized.system, ticket.external_id, ticket.status) == ("servicenow", "0a9e30c7", "solved")
    assert ticket.requester == "46c6"


def test_a_conversation_of_help_scout_with_its_threads(read: Reader, write: Writer) -> None:
    sam, ann = (
        {"id": 7, "type": "user", "email": "sam@fern.example"},
        {"id": 5, "type": "customer", "email": "ann@fern.example"},
    )
    threads = [
        {
            "id": 1,
            "type": "customer",
            "body": "<p>It is dark.</p>",
            "createdBy": ann,
            "createdAt": "2026-01-02T10:00:00Z",
        },
        {"id": 2, "type": "note", "body": "Which bulb?", "createdBy": sam, "createdAt": "2026-01-03T10:00:00Z"},
        {"id": 3, "type": "lineitem", "createdBy": sam, "createdAt": "2026-01-04T10:00:00Z"},
    ]
    conversation = {
        "id": 10,
        "number": 12,
        "threads": 3,
        "status": "closed",
        "subject": "Lamp",
        "mailboxId": 13,
        "assignee": sam,
        "primaryCustomer": ann,
        "createdAt": "2026-01-02T10:00:00Z",
        "closedAt": "2026-01-04T10:00:00Z",
        "_embedded": {"threads": threads},
    }
    [ticket] = read(
        write(json.dumps({"_embedded": {"conversations": [conversation]}, "page": {"size": 25}}), "c.json")
    ).tickets
    assert (ticket.external_id, ticket.requester, ticket.assignee) == ("12", "ann@fern.example", "sam@fern.example")
    assert [(m.author, m.role, m.internal, m.text) for m in ticket.messages] == [
        ("ann@fern.example", Role.CUSTOMER, False, "It is dark."),
        ("sam@fern.example", Role.AGENT, True, "Which bulb?"),
        ("sam@fern.example", Role.SYSTEM, False, "Changed"),
    ]


def test_a_ticket_of_otrs_with_its_articles(read: Reader, write: Writer) -> None:
    article = {
        "ArticleID": "1",
        "From": "Ann <ann@fern.example>",
        "SenderType": "customer",
        "Body": "It is dark.",
        "IsVisibleForCustomer": "1",
    }
    note = {"ArticleID": "2", "From": "sam", "SenderType": "agent", "Body": "Which bulb?", "IsVisibleForCustomer": "0"}
    ticket = {
        "TicketID": "2",
        "TicketNumber": "0018081300000002",
        "State": "closed successful",
        "StateType": "closed",
        "Queue": "Raw",
        "Title": "Lamp",
        "CustomerUserID": "ann@fern.example",
        "Priority": "3 normal",
        "Created": "2026-01-02 10:00:00",
        "Article": [{**article, "CreateTime": "2026-01-02 10:00:00"}, {**note, "CreateTime": "2026-01-03 10:00:00"}],
    }
    [found] = read(write(json.dumps({"Ticket": [ticket]}), "ticket.json")).tickets
    assert (found.external_id, found.status, found.priority) == ("0018081300000002", "closed", "normal")
    assert [(m.role, m.internal, m.text) for m in found.messages] == [
        (Role.CUSTOMER, False, "It is dark."),
        (Role.AGENT, True, "Which bulb?"),
    ]


def test_posts_that_answer_each_other_are_one_ticket(read: Reader, write: Writer) -> None:
    header = "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
    rows = [
        "11,FernHelp,False,Tue Oct 31 22:10:47 +0000 2017,@501 Which bulb?,12,10\n",
        "12,501,True,Wed Nov 01 01:11:45 +0200 2017,The small one,,11\n",
        "10,501,True,Tue Oct 31 21:45:10 +0000 2017,The lamp is dark,11,\n",
        "20,502,True,Tue Oct 31 21:45:10 +0000 2017,It answers a post that is not here,,19\n",
        "30,503,True,Tue Oct 31 21:45:10 +0000 2017,Round,31,31\n",
        "31,503,True,Tue Oct 31 21:46:10 +0000 2017,and round,30,30\n",
    ]
    outcome = read(write(header + "".join(rows), "twcs.csv"))
    assert [ticket.external_id for ticket in outcome.tickets] == ["10", "20", "31"]
    assert outcome.rejects == []
    ticket = outcome.ticket("10")
    assert (ticket.requester, ticket.rows) == ("501", 3)
    assert [(m.author, m.role, m.created_at, m.text) for m in ticket.messages] == [
        ("501", Role.CUSTOMER, "2017-10-31T21:45:10Z", "The lamp is dark"),
        ("FernHelp", Role.AGENT, "2017-10-31T22:10:47Z", "@501 Which bulb?"),
        ("501", Role.CUSTOMER, "2017-10-31T23:11:45Z", "The small one"),
    ]
    assert len(outcome.ticket("31").messages) == 2


def test_the_audits_of_a_ticket_hold_its_comments(read: Reader, write: Writer) -> None:
    comment = {"id": 1, "type": "Comment", "body": "Which bulb?", "html_body": "<p>Which bulb?</p>", "public": False}
    change = {"id": 2, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"}
    mail = {"id": 3, "type": "Notification", "body": "{{ticket.title}} was changed", "recipients": [501]}
    audits = [
        {
            "id": 22,
            "ticket_id": 9001,
            "author_id": 777,
            "created_at": "2026-01-03T10:00:00Z",
            "events": [change, comment, mail],
        },
        {
            "id": 21,
            "ticket_id": 9001,
            "author_id": 501,
            "created_at": "2026-01-02T10:00:00Z",
            "events": [
                {**comment, "id": 4, "body": "It is dark.", "public": True},
                {**comment, "id": 5, "body": "Really.", "public": True},
            ],
        },
    ]
    outcome = read(write(json.dumps({"audits": audits, "count": 2}), "audits.json"))
    assert (outcome.recognized.system, outcome.recognized.shape, outcome.rejects) == ("zendesk", "messages", [])
    ticket = outcome.ticket("9001")
    assert ticket.rows == 2
    assert [(m.author, m.internal, m.created_at, m.text) for m in ticket.messages] == [
        ("501", False, "2026-01-02T10:00:00Z", "It is dark."),
        ("501", False, "2026-01-02T10:00:00Z", "Really."),
        ("777", True, "2026-01-03T10:00:00Z", "Which bulb?"),
    ]


def test_whoever_wrote_is_named_by_the_login(read: Reader, write: Writer) -> None:
    comment = {
        "id": 5449237,
        "user": {"login": "ann", "id": 3},
        "body": "It is dark.",
        "created_at": "2026-01-02T10:00:00Z",
    }
    [ticket] = read(write(json.dumps([comment]), "comments.json")).tickets
    assert [(m.author, m.text) for m in ticket.messages] == [("ann", "It is dark.")]


def test_what_happened_to_a_conversation_of_intercom_is_told_where_nobody_said_a_word(
    read: Reader, write: Writer
) -> None:
    parts = [
        {"id": 1, "part_type": "away_mode_assignment", "body": None, "created_at": 1767312000},
        {"id": 2, "part_type": "close", "body": None, "created_at": 1767398400},
    ]
    conversation = {
        "id": "77",
        "created_at": 1767225600,
        "state": "closed",
        "source": {"type": "conversation", "body": "It is dark.", "author": {"type": "user", "name": "Bo"}},
        "conversation_parts": {"conversation_parts": [{**part, "author": {"type": "bot"}} for part in parts]},
    }
    ticket = read(write(json.dumps([conversation]), "conversations.json")).ticket("77")
    assert [m.text for m in ticket.messages] == ["It is dark.", "Assigned while away", "Closed"]
