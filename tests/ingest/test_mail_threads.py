"""Mails that belong together: told by what they answer, by their subject and by time, and who of them is the desk."""

from __future__ import annotations

import base64

import pytest

from desktop.domain.tickets import Role
from desktop.ingest.mailthreads import bare_subject, is_reply
from tests.ingest.conftest import Reader, Writer
from tests.ingest.mails import ANSWERED, ASKED, make_box, make_mail, only_ticket


def _chain(
    number: int, *, to: str, extra: str = "", subject: str = "Re: Door", day: int = 2, sender: str = "a@x.y"
) -> str:
    return make_mail(
        f"Message-ID: <{number}@x.y>\nFrom: {sender}\nTo: {to}\nSubject: {subject}\nDate: {day} Mar 2026 10:0{number}:00 +0000\n{extra}"
    )


@pytest.mark.parametrize(
    ("mails", "tickets"),
    [
        # The middle of the chain, and its root, are missing.
        (
            [
                _chain(1, to="b@x.y", extra="References: <0@x.y>"),
                _chain(3, to="b@x.y", extra="References: <0@x.y> <2@x.y>"),
            ],
            {"0@x.y": 2},
        ),
        (
            [
                _chain(1, to="b@x.y"),
                _chain(3, to="b@x.y", extra="In-Reply-To: <2@x.y>"),
                _chain(4, to="b@x.y", extra="In-Reply-To: <3@x.y>"),
            ],
            {"1@x.y": 1, "2@x.y": 2},
        ),
        # No references, but a reply between the same people.
        (
            [_chain(1, to="b@x.y", subject="Door"), _chain(2, to="a@x.y", sender="b@x.y", subject="AW: Door")],
            {"1@x.y": 2},
        ),
        (
            [
                _chain(1, to="b@x.y", subject="Door"),
                _chain(2, to="a@x.y", sender="b@x.y", subject="[ext] SV: Re: door"),
            ],
            {"1@x.y": 2},
        ),
        (
            [_chain(1, to="b@x.y", subject="Door"), _chain(2, to="c@x.y", sender="d@x.y", subject="Re: Door")],
            {"1@x.y": 1, "2@x.y": 1},
        ),
        (
            [_chain(1, to="b@x.y", subject="Door"), _chain(2, to="a@x.y", sender="b@x.y", subject="Door")],
            {"1@x.y": 1, "2@x.y": 1},
        ),
        (
            [_chain(1, to="b@x.y", subject="Door"), _chain(2, to="a@x.y", sender="b@x.y", subject="Fwd: Door")],
            {"1@x.y": 1, "2@x.y": 1},
        ),
        # Marks of the servers.
        (
            [
                _chain(1, to="b@x.y", extra="X-GM-THRID: 177"),
                _chain(2, to="c@x.y", subject="Other", extra="X-GM-THRID: 177"),
            ],
            {"1@x.y": 2},
        ),
        (
            [
                _chain(
                    n,
                    to=f"{n}@x.y",
                    subject="Door",
                    extra=f"Thread-Index: {base64.b64encode(bytes(range(22 + 5 * n))).decode()}",
                )
                for n in (1, 2)
            ],
            {"1@x.y": 2},
        ),
        # References that go round in a circle.
        (
            [_chain(1, to="b@x.y", extra="References: <2@x.y>"), _chain(2, to="b@x.y", extra="References: <1@x.y>")],
            {"2@x.y": 2},
        ),
        ([_chain(1, to="b@x.y", extra="References: <1@x.y>")], {"1@x.y": 1}),
    ],
)
def test_which_mails_belong_together(read: Reader, write: Writer, mails: list[str], tickets: dict[str, int]) -> None:
    outcome = read(write(make_box(*mails), "x.mbox"))
    assert {ticket.external_id: len(ticket.messages) for ticket in outcome.tickets} == tickets


def test_a_reply_after_a_month_is_a_thread_of_its_own(read: Reader, write: Writer) -> None:
    later = make_mail("Message-ID: <9@x.y>\nFrom: b@x.y\nTo: a@x.y\nSubject: Re: Door\nDate: 9 Apr 2026 10:00:00 +0000")
    outcome = read(write(make_box(_chain(1, to="b@x.y", subject="Door"), later), "x.mbox"))
    assert len(outcome.tickets) == 2


@pytest.mark.parametrize(
    ("subject", "bare", "replies"),
    [
        ("Re: AW: Fwd: Door", "Door", True),
        ("RE[2]: Door", "Door", True),
        ("Antw: Door", "Door", True),
        ("回复：门", "门", True),
        ("Fwd: Re: Door", "Door", False),
        ("Report: Door", "Report: Door", False),
        ("Re Door", "Re Door", False),
    ],
)
def test_what_stands_before_a_subject(subject: str, bare: str, replies: bool) -> None:
    assert (bare_subject(subject), is_reply(subject)) == (bare, replies)


def test_a_mail_written_by_the_desk_is_about_whom_it_writes_to(read: Reader, write: Writer) -> None:
    outbound = make_mail(
        "Message-ID: <o@acme.test>\nFrom: Acme <support@acme.test>\nTo: Lee <lee@example.org>\nSubject: Your order\nDate: 2 Mar 2026 10:00:00 +0000"
    )
    reply = make_mail(
        "Message-ID: <r@example.org>\nFrom: Lee <lee@example.org>\nTo: support@acme.test\nDelivered-To: support@acme.test\n"
        "Subject: Re: Your order\nReferences: <o@acme.test>\nDate: 2 Mar 2026 11:00:00 +0000"
    )
    ticket = only_ticket(read(write(make_box(outbound, reply), "x.mbox")))
    assert (ticket.requester, [message.role for message in ticket.messages]) == ("Lee", [Role.AGENT, Role.CUSTOMER])


def test_a_bounce_is_written_by_a_machine(read: Reader, write: Writer) -> None:
    bounce = make_mail(
        "Message-ID: <m@x.y>\nFrom: Mail Delivery System <MAILER-DAEMON@x.y>\nReferences: <b@acme.test>\nDate: 3 Mar 2026 10:00:00 +0000"
    )
    ticket = only_ticket(read(write(make_box(ASKED, ANSWERED, bounce), "x.mbox")))
    assert [message.role for message in ticket.messages] == [Role.CUSTOMER, Role.AGENT, Role.SYSTEM]
