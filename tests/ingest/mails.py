"""Mails as the tests of importing write them: one by one, or in a mailbox."""

from __future__ import annotations

from desktop.domain.tickets import TicketDraft
from tests.ingest.conftest import Outcome

BEGIN = "From maria@example.org Mon Mar  2 09:14:11 2026\n"


def make_mail(headers: str, body: str = "Hello.\n") -> str:
    """Return a mail."""
    return f"{headers.strip()}\n\n{body}"


def make_box(*mails: str) -> str:
    """Return a mailbox of mails."""
    return "".join(f"{BEGIN}{mail}\n" for mail in mails)


ASKED = make_mail(
    "Message-ID: <a@example.org>\nFrom: Maria Kunz <maria@example.org>\nTo: support@acme.test\n"
    "Subject: Printer burns\nDate: Mon, 2 Mar 2026 10:14:11 +0100",
    "It burns since Monday.\n",
)
ANSWERED = make_mail(
    "Message-ID: <b@acme.test>\nFrom: Sam Ortiz <sam@acme.test>\nTo: Maria Kunz <maria@example.org>\n"
    "Subject: Re: Printer burns\nIn-Reply-To: <a@example.org>\nReferences: <a@example.org>\n"
    "Date: Mon, 2 Mar 2026 11:00:00 +0000",
    "Pull the plug.\n",
)


def texts_of(ticket: TicketDraft) -> list[str]:
    """Return what each message of a ticket says."""
    return [message.text for message in ticket.messages]


def only_ticket(outcome: Outcome) -> TicketDraft:
    """Return the one ticket of a file in which nothing was rejected."""
    (ticket,) = outcome.tickets
    assert outcome.rejects == []
    return ticket
