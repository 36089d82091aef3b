"""Exports of the systems people use: what a person finds in the program after importing one."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.tickets import Role
from desktop.ingest.recognition import recognize
from desktop.ingest.systems import SystemDefinition
from tests.ingest.conftest import OWN, SHARED, Finder, Reader, Writer


def test_messages_out_of_order_become_tickets_in_order_of_time(read: Reader, export: Finder) -> None:
    path, is_real = export("conversations/support_messages.csv", "messages.csv")
    outcome = read(path)
    assert (len(outcome.tickets), sum(len(t.messages) for t in outcome.tickets)) == ((500, 639) if is_real else (2, 4))
    assert outcome.recognized.shape == "messages"
    assert outcome.rejects == []
    assert outcome.recognized.source == ("support_messages" if is_real else "messages")
    for ticket in outcome.tickets:
        times = [message.created_at for message in ticket.messages]
        assert times == sorted(times)
        assert [message.position for message in ticket.messages] == list(range(1, len(times) + 1))


def test_a_message_table_names_its_customer_and_makes_a_subject(read: Reader) -> None:
    ticket = read(OWN / "messages.csv").ticket("c-1")
    assert ticket.requester == "jonas"
    assert ticket.subject == "The app freezes on the payment page"
    assert [message.role for message in ticket.messages] == [Role.CUSTOMER, Role.AGENT]
    assert ticket.messages[1].text == "@jonas Sorry about that & thanks for telling us.\n\nPlease restart the app."
    assert ticket.rows == 2
    assert ticket.fields["company"] == "Fern"
    assert ticket.fields["author"] == ["jonas", "FernHelp"]
    assert len(read(OWN / "messages.csv").ticket("c-2").subject) <= 80


@pytest.mark.parametrize(
    ("name", "source", "shape", "tickets"),
    [
        ("zendesk_view.csv", "zendesk", "tickets", 3),
        ("zendesk_ticket_table.csv", "zendesk", "tickets", 2),
        ("zendesk_comment_table.csv", "zendesk", "messages", 2),
        ("jira_server.csv", "jira", "repeated", 2),
        ("jira_cloud_es.csv", "jira", "repeated", 2),
        ("servicenow_list.csv", "servicenow", "journal", 2),
        ("servicenow_audit_log.csv", "servicenow", "messages", 2),
        ("freshdesk_list.csv", "freshdesk", "tickets", 2),
        ("intercom_parts.csv", "intercom", "messages", 1),
    ],
)
def test_a_system_is_told_by_its_columns(read: Reader, name: str, source: str, shape: str, tickets: int) -> None:
    outcome = read(OWN / name)
    assert (outcome.recognized.source, outcome.recognized.shape, len(outcome.tickets)) == (source, shape, tickets)
    assert outcome.recognized.reason.startswith("Told by the columns ")
    assert outcome.rejects == []
    assert list(outcome.recognized.preview) == outcome.tickets[:5]


@pytest.mark.parametrize(
    ("shared", "own", "source", "tickets", "rows"),
    [
        ("zendesk/fivetran_ticket_data.csv", "zendesk_ticket_table.csv", "zendesk", 10, 10),
        ("zendesk/fivetran_ticket_comment_data.csv", "zendesk_comment_table.csv", "zendesk", 7, 20),
        ("intercom/fivetran_conversation_part_history_data.csv", "intercom_parts.csv", "intercom", 6, 9),
        ("servicenow/uci_incident_event_log_excerpt.csv", "servicenow_audit_log.csv", "servicenow", 3, 20),
        ("jira/jira_cloud_bom_us_dates.SYNTHROWS.csv", "jira_server.csv", "jira", 2, 2),
    ],
)
def test_real_exports_come_in_whole(
    read: Reader, export: Finder, shared: str, own: str, source: str, tickets: int, rows: int
) -> None:
    path, is_real = export(shared, own)
    outcome = read(path)
    assert outcome.recognized.source == source
    assert outcome.rejects == []
    if is_real:
        assert (len(outcome.tickets), outcome.rows) == (tickets, rows)


def test_zendesk_view_says_that_it_holds_no_texts(read: Reader) -> None:
    outcome = read(OWN / "zendesk_view.csv")
    first = outcome.tickets[0]
    assert (first.status, first.status_original, first.priority) == ("on-hold", "Hold", "high")
    assert first.created_at == "2026-03-02T14:14:11Z"
    assert first.messages == ()
    assert any("no message texts" in warning for warning in outcome.recognized.warnings)


def test_zendesk_private_comment_stays_internal_and_marks_an_agent(read: Reader) -> None:
    ticket = read(OWN / "zendesk_comment_table.csv").ticket("801")
    assert [(m.internal, m.role) for m in ticket.messages] == [
        (False, Role.UNKNOWN),
        (True, Role.AGENT),
        (False, Role.AGENT),
    ]


def test_jira_comments_keep_semicolons_order_and_authors(read: Reader) -> None:
    outcome = read(OWN / "jira_server.csv")
    ticket = outcome.ticket("WEB-7")
    assert [(m.author, m.role, m.created_at) for m in ticket.messages] == [
        ("jdoyle", Role.CUSTOMER, "2014-03-22T07:59:00Z"),
        ("qa.bot", Role.UNKNOWN, "2014-03-23T12:00:00Z"),
        ("mkeller", Role.AGENT, "2014-03-24T09:01:00Z"),
        ("jdoyle", Role.CUSTOMER, "2014-03-25T18:30:00Z"),
    ]
    assert ticket.messages[2].text == "I can reproduce it; the header says Latin-1.\nMore soon."
    assert ticket.fields["Labels"] == ["export", "encoding"]
    assert ticket.fields["Issue key"] == "WEB-7 "
    assert outcome.footer == 1


def test_jira_in_spanish(read: Reader) -> None:
    outcome = read(OWN / "jira_cloud_es.csv")
    ticket = outcome.ticket("SOP-31")
    assert (ticket.status, ticket.priority, ticket.requester) == ("open", "high", "Ramón Gil")
    assert ticket.messages[-1].created_at == "2026-07-18T11:45:00Z"
    assert outcome.ticket("SOP-32").status == "solved"


@pytest.mark.parametrize(
    "header",
    [
        "Zusammenfassung;Vorgangsschlüssel;Vorgangstyp;Status;Autor;Erstellt;Beschreibung;Kommentar;Kommentar",
        "Résumé;Clé de ticket;Type de ticket;État;Rapporteur;Création;Description;Commentaire;Commentaire",
    ],
)
def test_jira_in_german_and_french(read: Reader, tmp_path: Path, header: str) -> None:
    path = tmp_path / "export.csv"
    row = 'Titel;AB-1;Bug;Fertig;Uwe;01.02.2026 10:00;Geht nicht;"03.02.2026 11:00;Eva;Doch; jetzt";"02.02.2026 09:00;Uwe;Immer noch"'
    path.write_text(f"{header}\n{row}\n", encoding="utf-8-sig")
    ticket = read(path).ticket("AB-1")
    assert [m.text for m in ticket.messages] == ["Geht nicht", "Immer noch", "Doch; jetzt"]
    assert ticket.messages[0].created_at == "2026-02-01T10:00:00Z"
    assert ticket.status == "solved"


def test_servicenow_journal_reads_oldest_first_with_work_notes_internal(read: Reader) -> None:
    outcome = read(OWN / "servicenow_list.csv")
    ticket = outcome.ticket("INC0010023")
    assert outcome.recognized.encoding == "cp1252"
    assert ticket.subject == "Mail does not go out – “quota”"
    assert [(m.author, m.role, m.internal) for m in ticket.messages] == [
        ("Sam Ortiz", Role.CUSTOMER, False),
        ("Wei Zhang", Role.AGENT, True),
        ("Wei Zhang", Role.AGENT, False),
        ("Sam Ortiz", Role.CUSTOMER, False),
    ]
    assert ticket.messages[0].text == "I cannot send mail since noon."
    assert (ticket.priority, ticket.priority_original) == ("normal", "3 - Moderate")
    other = outcome.ticket("INC0010024")
    assert (other.assignee, other.status, other.fields["assigned_to"]) == ("", "on-hold", "?")


def test_servicenow_list_exported_with_labels(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "incident.csv"
    path.write_text(
        "Number,Short description,Caller,State,Priority,Created,Comments and Work notes\n"
        'INC1,Screen,Ann,New,2 - High,2026-01-02 03:04:05,"2026-01-02 04:00:00 - Bo (Work notes)\nOn it."\n',
        encoding="utf-8",
    )
    ticket = read(path).ticket("INC1")
    assert (ticket.requester, ticket.priority, ticket.messages[0].internal) == ("Ann", "high", True)


def test_servicenow_audit_log_tells_what_changed(read: Reader) -> None:
    ticket = read(OWN / "servicenow_audit_log.csv").ticket("INC0000101")
    assert [m.text for m in ticket.messages] == [
        "State: New",
        "State: New -> Resolved\nAssigned to: none -> Resolver 4",
        "State: Resolved -> Closed\nActive: TRUE -> FALSE",
    ]
    assert {m.role for m in ticket.messages} == {Role.SYSTEM}
    assert (ticket.status, ticket.created_at, ticket.rows) == ("closed", "2016-02-29T01:16:00Z", 3)
    assert ticket.subject == ""


def test_freshdesk_keeps_leading_zeros(read: Reader) -> None:
    ticket = read(OWN / "freshdesk_list.csv").tickets[0]
    assert (ticket.external_id, ticket.status, ticket.priority) == ("0071", "pending", "urgent")


def test_intercom_notes_stay_internal_and_closing_is_a_system_message(read: Reader) -> None:
    outcome = read(OWN / "intercom_parts.csv")
    ticket = outcome.tickets[0]
    assert [(m.role, m.internal) for m in ticket.messages] == [
        (Role.CUSTOMER, False),
        (Role.AGENT, True),
        (Role.AGENT, False),
        (Role.SYSTEM, False),
    ]
    assert ticket.messages[0].text == 'The app says "offline".\nSee the status page (https://status.example/7).'
    assert ticket.messages[2].text == "It is back."
    assert any("hidden" in warning for warning in outcome.warnings)
    assert ticket.status == "closed"


def test_a_table_of_users_names_people(read: Reader, export: Finder) -> None:
    path, is_real = export("zendesk/fivetran_user_data.csv", "zendesk_user_table.csv")
    outcome = read(path)
    assert (outcome.recognized.shape, outcome.tickets) == ("people", [])
    assert outcome.people[0].name
    if is_real:
        assert (outcome.people[0].external_id, outcome.people[0].name, outcome.people[0].role) == (
            "1111",
            "Arthur Agent",
            Role.AGENT,
        )


def test_a_table_without_tickets_is_refused_with_its_name(systems: tuple[SystemDefinition, ...], write: Writer) -> None:
    path = write("tag,ticket_id,_fivetran_synced\nvip,7,2020-03-05\n", "tags.csv")
    with pytest.raises(DeskError) as raised:
        recognize(path, systems=systems)
    assert raised.value.code == "file-not-tickets"
    assert "tags" in raised.value.message


def test_every_real_table_is_read_or_refused_in_words(systems: tuple[SystemDefinition, ...], read: Reader) -> None:
    folder = SHARED if SHARED.exists() else OWN
    refusals: dict[Path, DeskError] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            outcome = read(path)
            assert outcome.tickets or outcome.people
        except DeskError as error:
            refusals[path] = error
    assert all(path.name in error.message and error.remedy for path, error in refusals.items())
    assert {error.code for error in refusals.values()} <= {
        "file-not-tickets",
        "mapping-no-id",
        "file-not-table",
        "file-no-rows",
    }
