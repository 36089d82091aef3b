"""What the definitions of help desks promise beyond single files: ids, roles, texts and words of status."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.imports import MappingNeeded
from desktop.domain.tickets import Role
from desktop.ingest.definitions import load_system
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.vocabulary import normalize_status
from tests.ingest.conftest import Reader, Writer


def test_numbers_without_a_repository_are_named_after_their_file(read: Reader, write: Writer) -> None:
    header = "number,title,state,author,labels,createdAt\n"
    row = "12,Search is slow,OPEN,ada,perf,2026-03-02T09:14:11Z\n"
    sources = {read(write(header + row, name)).recognized.source for name in ("fern_issues.csv", "moss_issues.csv")}
    assert sources == {"github-fern_issues", "github-moss_issues"}


def test_an_issue_without_a_number_keeps_its_id_when_its_text_changes(read: Reader, write: Writer) -> None:
    header = "repo,created_at,label,title,body\n"
    first = read(write(header + "fern/app,2026-03-02 09:14:11,bug,Crash,It crashes\n")).tickets[0]
    later = read(write(header + "fern/app,2026-03-02 09:14:11,question,Crash,It still crashes\n")).tickets[0]
    assert first.external_id == later.external_id
    assert first.external_id.startswith("fern/app#")


def test_code_in_a_body_of_github_stays_as_it_was_written(read: Reader, write: Writer) -> None:
    body = "Use `<br>`:\r\n\r\n```html\r\n<p hidden>a &amp; b</p>\r\n```\r\n<!-- template -->done<br>now"
    header = "repo,number,title,state,created_at,labels,body\n"
    outcome = read(write(header + f'a/b,1,T,open,2026-03-02T09:14:11Z,x,"{body}"\n'))
    assert outcome.tickets[0].messages[0].text == ("Use `<br>`:\n\n```html\n<p hidden>a &amp; b</p>\n```\ndone\nnow")
    assert any("hidden" in warning for warning in outcome.warnings)


@pytest.mark.parametrize(
    "header",
    [
        "id,subject,description,status,priority,requester,assignee,tags,created_at,updated_at,organisation,channel",
        "ticket_id,subject,description,status,priority,created_at,updated_at,agent,group",
        "id,title,status,creation_date,assigned_to",
        "Ticket ID,Subject,Ticket status,Priority,Owner",
        "conversation_id,started_at,status,customer_name,subject",
        "id,subject,customer,closed_by,status",
        "ID,Title,Status,Product,Component",
        "Number,Title,Status,Author,Created,URL",
        "#,Subject,Status,Priority",
    ],
)
def test_a_table_of_no_product_is_not_taken_for_one(read: Reader, write: Writer, header: str) -> None:
    row = ",".join(f"T-{place}" if place == 0 else "2026-03-02" for place in range(header.count(",") + 1))
    assert read(write(f"{header}\n{row}\n{row.replace('T-0', 'T-1')}\n", "mine.csv")).recognized.system == "generic"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('fingerprint = ["@subject"]', "names @subject, which is no role among its columns"),
        ('markup = "wiki"', "is not known"),
        ('scope_pattern = "("', "is no pattern"),
        ('id_pattern = "no group"', "must have one group"),
    ],
)
def test_a_mistake_in_a_definition_is_told_with_its_place(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        f'key = "mine"\n[[layouts]]\nshape = "tickets"\n{line}\n[layouts.columns]\nticket_id = ["id"]\n',
        encoding="utf-8",
    )
    with pytest.raises(DeskError) as raised:
        load_system(file)
    assert raised.value.code == "mapping-invalid"
    assert "layouts[1]" in raised.value.message
    assert fault in raised.value.message


def test_whichever_system_is_named_a_table_that_it_does_not_know_is_a_question(
    read: Reader, write: Writer, systems: tuple[SystemDefinition, ...]
) -> None:
    path = write("when,what happened\n2026-01-02,x\n2026-01-03,y\n", "odd.csv")
    for system in systems:
        with pytest.raises(MappingNeeded):
            read(path, system=system)


def test_an_entry_of_two_journal_columns_is_one_message_and_notes_stay_internal(read: Reader, write: Writer) -> None:
    header = "number,short_description,caller_id,state,comments_and_work_notes,comments,work_notes\n"
    note = "2026-03-04 10:15:00 - Bo (Work notes)\n[code]<p>Ask <b>her</b></p>[/code]\n"
    comment = "2026-03-04 10:00:00 - Ann (Additional comments)\nStill broken\n"
    row = f'INC1,x,Ann,In Progress,"{note}\n{comment}","{comment}","{note}"\n'
    ticket = read(write(header + row)).tickets[0]
    assert [(m.author, m.role, m.internal, m.text) for m in ticket.messages] == [
        ("Ann", Role.CUSTOMER, False, "Still broken"),
        ("Bo", Role.AGENT, True, "Ask her"),
    ]


def test_a_jira_export_with_ids_of_people_only_still_tells_who_is_who(read: Reader, write: Writer) -> None:
    header = "Summary,Issue key,Issue id,Issue Type,Status,Priority,Reporter Id,Assignee Id,Created,Comment,Comment\n"
    row = 'Export,SD-1,1,Bug,Open,High,aa1,bb2,6/21/2025 16:14,"6/21/2025 17:00;bb2;Which?; when?","6/21/2025 18:00;aa1;All"\n'
    ticket = read(write("\ufeff" + header + row)).tickets[0]
    assert (ticket.requester, ticket.assignee) == ("aa1", "bb2")
    assert [(m.author, m.role, m.created_at, m.text) for m in ticket.messages] == [
        ("bb2", Role.AGENT, "2025-06-21T17:00:00Z", "Which?; when?"),
        ("aa1", Role.CUSTOMER, "2025-06-21T18:00:00Z", "All"),
    ]


def test_markup_in_texts_of_trackers_is_kept_as_it_was_written(read: Reader, write: Writer) -> None:
    text = "{noformat}<a href='x'>y</a>{noformat} and <script> &amp; h1. *bold*"
    header = "Issue key,Issue id,Summary,Issue Type,Status,Created,Description\n"
    ticket = read(write(header + f"SD-1,1,Allow <b> in names,Bug,Open,02/Mar/26 7:59 AM,{text}\n")).tickets[0]
    assert (ticket.subject, ticket.messages[0].text) == ("Allow <b> in names", text)


@pytest.mark.parametrize(
    ("system", "word", "ours"),
    [
        ("osticket", "Closed (Resolved)", "closed"),
        ("otrs", "closed successful", "closed"),
        ("otrs", "pending reminder", "pending"),
        ("otrs", "pending auto close+", "pending"),
        ("redmine", "Feedback", "pending"),
        ("redmine", "Rejected", "closed"),
        ("glpi", "En cours (Attribué)", "open"),
        ("glpi", "__ Processing (assigned)", "open"),
        ("bugzilla", "UNCONFIRMED", "open"),
        ("bugzilla", "VERIFIED", "solved"),
        ("rt", "stalled", "on-hold"),
        ("hubspot", "Waiting on us (Support Pipeline)", "open"),
        ("hubspot", "Waiting on contact", "pending"),
        ("zammad", "pending close", "pending"),
        ("servicenow", "Awaiting Vendor", "on-hold"),
        ("jira", "Waiting for support", "open"),
        ("freshdesk", "Waiting on Third Party", "on-hold"),
    ],
)
def test_a_status_means_what_its_system_means(
    systems: tuple[SystemDefinition, ...], system: str, word: str, ours: str
) -> None:
    words = next(definition.status for definition in systems if definition.key == system)
    assert normalize_status(word, words) == ours


def test_comments_on_issues_find_their_issue_by_its_address(read: Reader, write: Writer) -> None:
    header = "id,issue_url,user.login,body,created_at\n"
    address = "https://api.github.com/repos/fern/app/issues"
    rows = (
        f"2,{address}/7,bo,Try `<b>`,2026-03-02T10:00:00Z\n"
        f"1,{address}/7,ada,It crashes,2026-03-02T09:14:11Z\n"
        f"3,{address}/8,ada,Me too,2026-03-02T11:00:00Z\n"
    )
    outcome = read(write(header + rows))
    assert outcome.recognized.source == "github"
    assert [(t.external_id, [m.text for m in t.messages]) for t in outcome.tickets] == [
        ("fern/app#7", ["It crashes", "Try `<b>`"]),
        ("fern/app#8", ["Me too"]),
    ]


def test_several_requesters_in_one_cell_are_customers_each(read: Reader, write: Writer) -> None:
    header = "ticket_id,author,body,created_at,requester\n"
    people = '"ada@fern.example, bo@fern.example"'
    rows = (
        f"1,bo@fern.example,Hello,2026-03-02T09:14:11Z,{people}\n"
        f"1,Wei <wei@desk.example>,Yes?,2026-03-02T10:00:00Z,{people}\n"
    )
    assert [m.role for m in read(write(header + rows)).tickets[0].messages] == [Role.CUSTOMER, Role.UNKNOWN]


def test_people_on_lines_of_their_own_and_ids_kept_from_a_spreadsheet(read: Reader, write: Writer) -> None:
    header = '"ID";"Titre";"Entité";"Statut";"Date d\'ouverture";"Demandeur - Demandeur"\n'
    ticket = read(write(header + '"1";"Écran";"R";"Clos";"02-03-2026 09:14";"Berg Ada\nMoss Bo"\n')).tickets[0]
    assert ticket.requester == "Berg Ada, Moss Bo"
    header = "id\tSubject\tStatus\tQueue\tOwner\tRequestors\n"
    assert read(write(header + '="007"\tx\topen\tQ\twei\tada@fern.example\n')).tickets[0].external_id == "007"
