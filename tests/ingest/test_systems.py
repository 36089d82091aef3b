"""Every help desk whose exports are tables, in the languages they come in: what each cell becomes.

The files are of our own making, with the headers that the systems really write.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from desktop.domain.tickets import TicketDraft
from desktop.ingest.systems import SystemDefinition
from tests.ingest.conftest import OWN, Reader


@dataclass(frozen=True, slots=True)
class Told:
    """What a ticket must be: pairs are (ours, original), (requester, assignee), (created, updated); messages (author, role, time, internal, text)."""

    external_id: str
    subject: str
    status: tuple[str, str]
    priority: tuple[str, str]
    people: tuple[str, str]
    times: tuple[str, str]
    messages: tuple[tuple[str, str, str, bool, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """A file, how it must be recognized, and its tickets."""

    name: str
    source: str
    layout: str
    encoding: str
    date_order: str
    tickets: tuple[Told, ...]


# fmt: off
EXPORTS = (
    Export('bugzilla/bugs.csv', 'bugzilla', 'bug list', 'utf-8', 'iso', (
        Told('70123', 'Support the <video> element', ('solved', 'RESOLVED'), ('high', 'major'),
             ('ada@fern.example', 'wei'), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z')),
        Told('70124', 'Cart crashes on "back"', ('open', 'UNCONFIRMED'), ('urgent', 'blocker'),
             ('bo@moss.example', 'nobody'), ('2026-03-03T09:14:11Z', '2026-03-06T08:00:00Z')),
    )),
    Export('bugzilla/bugs_fields.csv', 'bugzilla', 'bug list', 'utf-8', 'iso', (
        Told('5', 'Totals are wrong', ('solved', 'VERIFIED'), ('high', 'P2'),
             ('ada', 'wei'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z'), (
            ('ada', 'customer', '2026-03-02T09:14:00Z', False, 'The total is -1.'),
            ('wei <wei@example.com>', 'agent', '2026-03-02T10:00:00Z', False, 'Which currency?'),
            ('ada', 'customer', '2026-03-02T11:00:00Z', False, '> Which currency?\nEUR'),
        )),
    )),
    Export('freshdesk/conversations.csv', 'freshdesk', 'conversation table', 'utf-8', 'iso', (
        Told('71', 'My parcel is late', ('', ''), ('', ''),
             ('501', ''), ('2026-03-02T09:14:11Z', '2026-03-02T11:00:00Z'), (
            ('501', 'customer', '2026-03-02T09:14:11Z', False, 'My parcel is late'),
            ('900', 'agent', '2026-03-02T10:00:00Z', True, 'Call the carrier'),
            ('900', 'agent', '2026-03-02T11:00:00Z', False, 'It is on its way'),
        )),
    )),
    Export('freshdesk/tickets.csv', 'freshdesk', 'ticket list', 'utf-8', 'iso', (
        Told('0071', 'Late parcel', ('on-hold', 'Waiting on Third Party'), ('urgent', 'Urgent'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-04T17:00:00Z')),
    )),
    Export('github/fern_issues.csv', 'github', 'issues', 'utf-8', 'iso', (
        Told('fern/app#12', 'Search is slow', ('open', 'OPEN'), ('', ''),
             ('ada', ''), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z')),
    )),
    Export('github/issues_of_repositories.csv', 'github', 'issues', 'utf-8', 'iso', (
        Told('fern/app#7', 'Crash in `List<String>` view', ('open', 'open'), ('', ''),
             ('ada', ''), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z'), (
            ('ada', 'customer', '2026-03-02T09:14:11Z', False, 'Run this:\n\n```html\n<div hidden>x</div>\n```\n\nand see\na `<b>` too.'),
        )),
        Told('moss/lib#7', 'Typo in README', ('closed', 'closed'), ('', ''),
             ('bo', ''), ('2026-03-03T09:14:11Z', '2026-03-04T09:14:11Z'), (
            ('bo', 'customer', '2026-03-03T09:14:11Z', False, 'The word *teh*'),
        )),
    )),
    Export('github/labelled_issues.csv', 'github', 'issues without numbers', 'utf-8', 'iso', (
        Told('fern/app#d869c2eaac', 'Crash on start', ('', ''), ('', ''),
             ('', ''), ('2026-03-02T09:14:11Z', ''), (
            ('', 'unknown', '2026-03-02T09:14:11Z', False, 'Version: 3\nIt **crashes**.'),
        )),
        Told('fern/app#f41985b37e', 'How do I start it?', ('', ''), ('', ''),
             ('', ''), ('2026-03-02T09:14:11Z', ''), (
            ('', 'unknown', '2026-03-02T09:14:11Z', False, 'I cannot find it.'),
        )),
        Told('moss/lib#0156fa6f41', 'Crash on start', ('', ''), ('', ''),
             ('', ''), ('2026-03-04T10:00:00Z', ''), (
            ('', 'unknown', '2026-03-04T10:00:00Z', False, 'Make it possible'),
        )),
    )),
    Export('glpi/tickets_fr.csv', 'glpi', 'ticket search', 'utf-8-sig', 'day-first', (
        Told('1234', "L'écran reste noir", ('open', 'En cours (Attribué)'), ('urgent', 'Très haute'),
             ('Berg Ada', 'Zhang Wei'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z'), (
            ('Berg Ada', 'customer', '2026-03-02T09:14:00Z', False, "L'écran reste noir; rien n'y fait."),
        )),
        Told('987', 'Badge perdu', ('closed', 'Clos'), ('low', 'Basse'),
             ('Moss Bo', ''), ('2026-02-27T08:00:00Z', '2026-02-28T10:00:00Z'), (
            ('Moss Bo', 'customer', '2026-02-27T08:00:00Z', False, "J'ai perdu mon badge."),
        )),
    )),
    Export('glpi/tickets_single_quotes.csv', 'glpi', 'ticket search', 'utf-8-sig', 'iso', (
        Told('12345', "Screen; stays 'black'", ('open', '__ Processing (planned)'), ('urgent', 'Major'),
             ('Berg Ada', 'Zhang Wei'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
        Told('12346', 'Badge', ('pending', 'Pending'), ('low', 'Low'),
             ('Moss Bo', ''), ('2026-03-03T09:14:00Z', '2026-03-05T18:00:00Z')),
    )),
    Export('helpscout/conversations.csv', 'helpscout', 'conversations', 'utf-8', 'iso', (
        Told('1501', 'Cannot log in', ('open', 'active'), ('', ''),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z'), (
            ('Ada Berg', 'customer', '2026-03-02T09:14:11Z', False, 'I cannot log in since Monday.'),
        )),
        Told('1502', 'Thanks', ('closed', 'closed'), ('', ''),
             ('Bo Moss', ''), ('2026-03-03T09:14:11Z', '2026-03-03T10:00:00Z'), (
            ('Bo Moss', 'customer', '2026-03-03T09:14:11Z', False, 'All good now.'),
        )),
    )),
    Export('helpscout/threads.csv', 'helpscout', 'threads', 'utf-8', 'iso', (
        Told('1501', 'Cannot log in', ('pending', 'pending'), ('', ''),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-02T11:00:00Z'), (
            ('Ada Berg', 'customer', '2026-03-02T09:14:11Z', False, 'I cannot log in.'),
            ('Wei Zhang', 'agent', '2026-03-02T10:00:00Z', False, 'Please reset it.'),
            ('Sam Ortiz', 'agent', '2026-03-02T11:00:00Z', True, 'She called too.'),
        )),
    )),
    Export('hubspot/tickets.csv', 'hubspot', 'tickets', 'utf-8', 'iso', (
        Told('1234567890123456', 'Invoice shows the wrong VAT', ('open', 'Waiting on us'), ('high', 'High'),
             ('Ada Berg (ada@fern.example)', 'Wei Zhang'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z'), (
            ('Ada Berg (ada@fern.example)', 'customer', '2026-03-02T09:14:00Z', False, 'The invoice shows 19 %, it should be 7 %.'),
        )),
        Told('1234567890123457', 'Change of address', ('pending', 'Waiting on contact (Support Pipeline)'), ('', ''),
             ('Bo Moss', ''), ('2026-03-03T10:00:00Z', ''), (
            ('Bo Moss', 'customer', '2026-03-03T10:00:00Z', False, 'Please note our new address.'),
        )),
    )),
    Export('hubspot/tickets_es.csv', 'hubspot', 'tickets', 'utf-8', 'iso', (
        Told('77', 'Factura errónea', ('pending', 'Esperando al contacto'), ('high', 'Alta'),
             ('', 'Wei Zhang'), ('2026-03-02T09:14:00Z', ''), (
            ('', 'unknown', '2026-03-02T09:14:00Z', False, 'El IVA es erróneo.'),
        )),
    )),
    Export('intercom/conversations.csv', 'intercom', 'conversations', 'utf-8', 'iso', (
        Told('215469812345678', '', ('closed', 'closed'), ('', ''),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z')),
    )),
    Export('intercom/messages.csv', 'intercom', 'messages of conversations', 'utf-8', 'iso', (
        Told('215469812345678', 'I cannot pay', ('on-hold', 'snoozed'), ('', ''),
             ('Ada', ''), ('2026-03-02T09:14:11Z', '2026-03-02T11:00:00Z'), (
            ('Ada', 'customer', '2026-03-02T09:14:11Z', False, 'I cannot pay'),
            ('Wei', 'agent', '2026-03-02T10:00:00Z', False, 'Try again please'),
            ('Wei', 'agent', '2026-03-02T11:00:00Z', True, 'VIP!'),
        )),
    )),
    Export('jira/service_management.csv', 'jira', 'issues', 'utf-8-sig', 'day-first', (
        Told('SD-0042', 'VPN drops', ('on-hold', 'Waiting for approval'), ('urgent', 'Highest'),
             ('Ada Berg', 'Wei Zhang'), ('2026-07-18T09:10:00Z', '2026-07-19T16:00:00Z'), (
            ('Ada Berg', 'customer', '2026-07-18T09:10:00Z', False, '{code:xml}\n<vpn host="x"/>\n{code}\nIt *drops*.'),
            ('5f2', 'agent', '2026-07-18T11:45:00Z', False, 'Which site?; and when?'),
            ('5f1', 'customer', '2026-07-18T11:50:00Z', False, 'Berlin'),
        )),
    )),
    Export('osticket/queue.csv', 'osticket', 'ticket queue', 'utf-8-sig', 'month-first', (
        Told('004711', 'Order <A-17> & refund', ('open', 'Open'), ('urgent', 'Emergency'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:00Z', '2026-03-14T17:00:00Z')),
        Told('004712', 'Where is my parcel?', ('closed', 'Closed (Resolved)'), ('low', 'Low'),
             ('Bo Moss', ''), ('2026-03-03T00:05:00Z', '2026-03-03T23:59:00Z')),
    )),
    Export('osticket/queue_de.csv', 'osticket', 'ticket queue', 'utf-8-sig', 'day-first', (
        Told('000815', 'Rechnung fehlt', ('solved', 'Gelöst'), ('urgent', 'Notfall'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z')),
    )),
    Export('otrs/statistic_en.csv', 'otrs', 'ticket search', 'utf-8', 'iso', (
        Told('2026030210000015', 'Printer prints stripes', ('pending', 'pending auto close+'), ('urgent', '5 very high'),
             ('ada', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-03T10:00:00Z')),
        Told('2026030310000022', 'Door badge', ('closed', 'closed unsuccessful'), ('low', '1 very low'),
             ('bo', 'Sam Ortiz'), ('2026-03-03T09:14:11Z', '2026-03-04T11:00:00Z')),
    )),
    Export('otrs/ticket_search_de.csv', 'otrs', 'ticket search', 'utf-8', 'iso', (
        Told('2026030210000015', 'Drucker druckt nur Streifen', ('pending', 'warten auf Erinnerung'), ('high', '4 hoch'),
             ('Ada Berg', 'wzhang'), ('2026-03-02T09:14:11Z', ''), (
            ('"Ada Berg" <ada@fern.example>', 'customer', '2026-03-02T09:14:11Z', False, 'Er druckt Streifen; siehe <anhang>.\n\nGruß\nAda'),
            ('wzhang', 'agent', '2026-03-02T10:00:00Z', False, 'Welche Farbe fehlt?'),
        )),
        Told('0012026030210017', 'Passwort vergessen', ('closed', 'erfolgreich geschlossen'), ('normal', '3 normal'),
             ('bo@moss.example', 'root@localhost'), ('2026-03-04T23:59:59Z', '2026-03-05T08:00:00Z')),
    )),
    Export('redmine/issues.csv', 'redmine', 'issues', 'utf-8', 'month-first', (
        Told('312', 'Checkout shows <script> as text', ('pending', 'Feedback'), ('urgent', 'Immediate'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:00Z', '2026-03-14T17:00:00Z'), (
            ('Ada Berg', 'customer', '2026-03-02T09:14:00Z', False, 'Steps:\n# Open the *checkout*\n# Type <b>x</b>'),
            ('', 'unknown', '', False, 'Which browser?'),
        )),
        Told('311', 'Typo', ('closed', 'Rejected'), ('low', 'Low'),
             ('Bo Moss', ''), ('2026-03-01T07:00:00Z', '2026-03-01T08:00:00Z')),
    )),
    Export('redmine/issues_fr.csv', 'redmine', 'issues', 'cp1252', 'day-first', (
        Told('17', "L'imprimante n'imprime plus", ('solved', 'Résolu'), ('high', 'Haut'),
             ('Ada Berg', 'Zoé Marais'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
        Told('16', 'Accès refusé', ('open', 'En cours'), ('low', 'Bas'),
             ('Bo Moss', ''), ('2026-03-01T08:00:00Z', '2026-03-04T10:00:00Z')),
    )),
    Export('redmine/issues_ja.csv', 'redmine', 'issues', 'cp932', 'iso', (
        Told('41', '印刷できない', ('open', '進行中'), ('urgent', '今すぐ'),
             ('佐藤 花子', '田中 健'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
        Told('40', '画面が白い', ('closed', '終了'), ('low', '低め'),
             ('鈴木 一郎', ''), ('2026-03-01T08:00:00Z', '2026-03-04T10:00:00Z')),
    )),
    Export('redmine/issues_ru.csv', 'redmine', 'issues', 'cp1251', 'day-first', (
        Told('61', 'Не печатает', ('pending', 'Нужен отклик'), ('urgent', 'Срочный'),
             ('Анна Белова', 'Пётр Сидоров'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
        Told('60', 'Белая страница', ('closed', 'Закрыта'), ('low', 'Низкий'),
             ('Иван Петров', ''), ('2026-03-01T08:00:00Z', '2026-03-04T10:00:00Z')),
    )),
    Export('redmine/issues_zh.csv', 'redmine', 'issues', 'gb18030', 'iso', (
        Told('51', '无法打印', ('solved', '已解决'), ('urgent', '立刻'),
             ('王芳', '李强'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
        Told('50', '页面空白', ('pending', '反馈'), ('normal', '普通'),
             ('张伟', ''), ('2026-03-01T08:00:00Z', '2026-03-04T10:00:00Z')),
    )),
    Export('rt/results.tsv', 'rt', 'search results', 'utf-8', 'day-first', (
        Told('1042', 'Cannot open "shared" drive', ('on-hold', 'stalled'), ('', '50'),
             ('ada@fern.example', 'wzhang'), ('2026-03-02T09:14:11Z', '2026-03-03T10:00:00Z')),
        Told('1043', 'VPN drops', ('closed', 'rejected'), ('', '0'),
             ('bo@moss.example, cy@moss.example', 'Nobody'), ('2026-03-03T12:00:00Z', '2026-03-03T12:30:00Z')),
    )),
    Export('rt/results_rt3.tsv', 'rt', 'search results', 'utf-8', 'iso', (
        Told('77', 'Mailbox full', ('solved', 'resolved'), ('', '0'),
             ('ada@fern.example', 'sam'), ('2026-03-02T09:14:11Z', '2026-03-02T11:00:00Z')),
    )),
    Export('servicenow/incident_labels.csv', 'servicenow', 'incident list', 'utf-8', 'day-first', (
        Told('INC0010023', 'Screen stays black', ('on-hold', 'On Hold'), ('urgent', '1 - Critical'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-13T17:00:00Z'), (
            ('Wei Zhang', 'agent', '2026-03-02T10:00:00Z', True, 'Ask for the model.'),
            ('Ada Berg', 'customer', '2026-03-02T11:00:00Z', False, 'It is the left one.'),
        )),
    )),
    Export('zammad/tickets.csv', 'zammad', 'tickets', 'utf-8', 'iso', (
        Told('031001', 'Ticket with zero', ('pending', 'pending reminder'), ('high', '3 high'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z')),
        Told('31002', 'Merged one', ('closed', 'merged'), ('low', '1 low'),
             ('bo@moss.example', ''), ('2026-03-03T09:14:11Z', '2026-03-03T10:00:00Z')),
    )),
    Export('zammad/tickets_de.csv', 'zammad', 'tickets', 'utf-8', 'day-first', (
        Told('31003', 'Drucker', ('pending', 'warten auf Erinnerung'), ('high', '3 hoch'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:00Z', '2026-03-05T17:00:00Z')),
    )),
    Export('zendesk/explore_report.csv', 'zendesk', 'report', 'utf-8', 'iso', (
        Told('801', 'Late parcel', ('on-hold', 'Hold'), ('urgent', 'Urgent'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T09:14:11Z', '2026-03-05T17:00:00Z')),
    )),
    Export('zendesk/full_export.csv', 'zendesk', 'view', 'utf-8', 'iso', (
        Told('00802', 'Late parcel', ('pending', 'Pending'), ('high', 'High'),
             ('Ada Berg', 'Wei Zhang'), ('2026-03-02T14:14:11Z', '2026-03-05T22:00:00Z')),
    )),
)
# fmt: on


def _told(ticket: TicketDraft) -> Told:
    return Told(
        ticket.external_id,
        ticket.subject,
        (ticket.status, ticket.status_original),
        (ticket.priority, ticket.priority_original),
        (ticket.requester, ticket.assignee),
        (ticket.created_at, ticket.updated_at),
        tuple((m.author, m.role.value, m.created_at, m.internal, m.text) for m in ticket.messages),
    )


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_becomes_its_tickets_cell_by_cell(read: Reader, export: Export) -> None:
    outcome = read(OWN / export.name)
    recognized = outcome.recognized
    assert recognized.reason.endswith(f"({export.layout})")
    assert (recognized.source, recognized.encoding, recognized.date_order) == (
        export.source,
        export.encoding,
        export.date_order,
    )
    assert [_told(ticket) for ticket in outcome.tickets] == list(export.tickets)
    assert outcome.rejects == []


def test_every_help_desk_has_an_export_of_its_own_here(systems: tuple[SystemDefinition, ...]) -> None:
    shown = {export.source.split("-")[0] for export in EXPORTS}
    # Mail is no table, and our own export comes from here: both have tests of their own.
    assert {system.key for system in systems if not system.is_generic} - {"mail", "tldesk"} <= shown
