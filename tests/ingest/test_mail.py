"""Mail: a mailbox is tickets of threads, whatever the programs that wrote it made of the rules."""

from __future__ import annotations

import base64
import gzip
import zipfile
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.tickets import Role
from desktop.ingest.files import expand
from desktop.ingest.mailheads import Address, decode_words, read_addresses
from tests.ingest.conftest import OWN, Reader, Writer
from tests.ingest.mails import ANSWERED, ASKED, BEGIN, make_box, make_mail, only_ticket, texts_of


def test_a_mailbox_becomes_tickets_of_threads_with_people_and_times(read: Reader) -> None:
    outcome = read(OWN / "support.mbox")
    assert (outcome.recognized.system, outcome.recognized.source, outcome.recognized.format) == ("mail", "mail", "mbox")
    assert [ticket.external_id for ticket in outcome.tickets] == [
        "p1@kunde.example",
        "inv-77@shop.example",
        "ooo@kunde.example",
    ]
    first = outcome.ticket("p1@kunde.example")
    assert (first.subject, first.requester) == ("Rechnung doppelt abgebucht", "Jürgen Groß")
    assert [(m.author, m.role, m.created_at) for m in first.messages] == [
        ("Jürgen Groß", Role.CUSTOMER, "2026-03-02T08:14:11Z"),
        ("Acme Support", Role.AGENT, "2026-03-02T11:30:00Z"),
        ("Jürgen Groß", Role.CUSTOMER, "2026-03-03T07:00:00Z"),
        ("Jürgen Groß", Role.SYSTEM, "2026-03-03T07:05:00Z"),
    ]
    assert first.messages[0].text.splitlines()[:2] == ["Guten Tag,", "From Monday on 19,90 € were booked twice."]
    assert "> Guten Tag," in first.messages[2].text, "quoted history stays in the text"
    assert (
        outcome.ticket("inv-77@shop.example").messages[0].text
        == "Où est ma facture ? Voir ici (https://shop.example/f?a=1&b=2)"
    )
    assert outcome.ticket("inv-77@shop.example").fields["Attachments"] == "facture n°7.pdf, winmail.dat"
    assert outcome.rejects == []


def test_a_mail_that_is_none_is_set_aside_with_its_line_and_reason(read: Reader, write: Writer) -> None:
    outcome = read(write(make_box(ASKED) + f"{BEGIN}\njust a text, no header\n\n" + make_box(ANSWERED), "x.mbox"))
    (reject,) = outcome.rejects
    assert reject.line == 10
    assert "no mail" in reject.reason
    assert reject.raw.strip() == "just a text, no header"
    assert texts_of(outcome.ticket("a@example.org")) == ["It burns since Monday.", "Pull the plug."]
    assert outcome.rows == 3


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_line_ends_and_packing_change_nothing(read: Reader, write: Writer, ends: str, pack) -> None:  # type: ignore[no-untyped-def]
    box = make_box(ASKED, ANSWERED).replace("\n", ends).encode()
    ticket = only_ticket(read(write(pack(box), "box.mbox")))
    assert (texts_of(ticket), ticket.requester) == (["It burns since Monday.", "Pull the plug."], "Maria Kunz")


def test_the_mails_of_a_zip_are_threaded_together(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "mails.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("in/2.eml", ANSWERED)
        file.writestr("in/1.eml", ASKED)
        file.writestr("__MACOSX/in/._1.eml", b"\0\1")
        file.writestr("list.csv", "id,subject\n1,a\n")
    tables = expand(path)
    assert [str(table.relative_to(path)) for table in tables] == ["list.csv", "all .eml files"]
    ticket = only_ticket(read(tables[1]))
    assert (ticket.external_id, texts_of(ticket)) == ("a@example.org", ["It burns since Monday.", "Pull the plug."])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("x\n\n>From here on\n>>From there\n", "x\n\nFrom here on\n>From there"),  # mboxrd
        (
            "x\nFrom what I hear\nit burns\n\nFrom Anna: no\n\nFrom me\n",
            "x\nFrom what I hear\nit burns\n\nFrom Anna: no\n\nFrom me",
        ),
        (
            "see\n\nFrom 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\n",
            None,
        ),  # a patch in the text
    ],
)
def test_lines_that_begin_like_a_mail_stay_text(read: Reader, write: Writer, body: str, said: str | None) -> None:
    outcome = read(write(make_box(make_mail("Message-ID: <a@x.y>\nFrom: a@x.y\nSubject: s", body), ANSWERED), "x.mbox"))
    assert outcome.rows == 2
    assert outcome.ticket("a@x.y").messages[0].text == (said or body.strip())


def test_counted_bytes_decide_when_they_are_right_and_are_ignored_when_not(read: Reader, write: Writer) -> None:
    body = f"one\n\n{BEGIN}Subject: quoted\n\ntwo\n"
    right = make_mail(f"Message-ID: <a@x.y>\nFrom: a@x.y\nContent-Length: {len(body)}", body)
    wrong = make_mail("Message-ID: <c@x.y>\nFrom: a@x.y\nContent-Length: 900000", "three\n")
    outcome = read(write(make_box(right, wrong, ANSWERED), "x.mbox"))
    assert outcome.ticket("a@x.y").messages[0].text == body.strip()
    assert outcome.ticket("c@x.y").messages[0].text == "three"
    assert outcome.rows == 3


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("=?utf-8?Q?Caf=C3=A9_?= =?utf-8?q?au_lait?=", "Café au lait"),
        ("=?utf-8?B?w6nDqcM=?= =?utf-8?B?qQ==?=", "ééé"),  # a character over two words
        ("=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テスト"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?= und =?windows-1252?Q?=80?=", "Grüße und €"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("=?no-such-charset?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?B?4p*yT?= x", "✓ x"),
        ("=?utf-8*en?Q?tag?=", "tag"),
        ("=?UTF-8?Q?a?=\n =?utf-8?Q?b?=", "ab"),
    ],
)
def test_words_of_headers_are_decoded(header: str, text: str) -> None:
    assert decode_words(header) == text


@pytest.mark.parametrize(
    ("value", "people"),
    [
        ('"Kunz, Maria" <m@x.y>, b@x.y', [("Kunz, Maria", "m@x.y"), ("", "b@x.y")]),
        ("Kunz, Maria <m@x.y>", [("Kunz, Maria", "m@x.y")]),
        ("m@x.y (Maria Kunz)", [("Maria Kunz", "m@x.y")]),
        ("=?utf-8?Q?J=C3=BCrgen?= <j@x.y>; k@x.y", [("Jürgen", "j@x.y"), ("", "k@x.y")]),
        ("undisclosed-recipients:;", []),
        ("Team: a@x.y, B <b@x.y>;", [("", "a@x.y"), ("B", "b@x.y")]),
        ("'Anna' <a@x.y>", [("Anna", "a@x.y")]),
        ("maria at x.y (Maria Kunz)", [("Maria Kunz", "maria@x.y")]),
        ("Maria Kunz", [("Maria Kunz", "")]),
        ("<<a@x.y>", [("", "a@x.y")]),
        ("((((((", [("((((((", "")]),
    ],
)
def test_people_are_read_as_they_are_written(value: str, people: list[tuple[str, str]]) -> None:
    assert read_addresses(value) == [Address(*each) for each in people]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Subject: Grüße aus Köln".encode(), "Grüße aus Köln"),
        ("Subject: Grüße aus Köln".encode("cp1252"), "Grüße aus Köln"),
        ("Content-Type: text/plain; charset=koi8-r\nSubject: Привет".encode("koi8-r"), "Привет"),
        ("Subject: テスト".encode("iso-2022-jp"), "テスト"),
    ],
)
def test_headers_without_encoding_are_read_in_the_charset_they_are_in(
    read: Reader, write: Writer, raw: bytes, text: str
) -> None:
    ticket = only_ticket(read(write(b"From: a@x.y\nMessage-ID: <a@x.y>\n" + raw + b"\n\nHello.\n", "a.eml")))
    assert ticket.subject == text


def _alternative(plain: str, rich: str) -> str:
    return (
        "--B\nContent-Type: text/plain; charset=utf-8\n\n"
        + plain
        + "\n--B\nContent-Type: text/html; charset=utf-8\n\n"
        + rich
        + "\n--B--\n"
    )


_FORWARDED = "--B\n\nSee below.\n--B\nContent-Type: message/rfc822\n\nFrom: c@x.y\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nThe inner text.\n--B--\n"
_BOUNCE = "--B\n\nYour mail came back.\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.y\n\nStatus: 5.1.1\n--B--\n"
_WITH_FILE = (
    "--B\n\nSee the files.\n--B\nContent-Type: application/pdf\nContent-Disposition: attachment;\n filename*0*=utf-8''Gr%C3%BC;\n filename*1*=n.pdf\n"
    "Content-Transfer-Encoding: base64\n\nJVBERi0x\n--B\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--B--\n"
)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("multipart/alternative; boundary=B", _alternative("plain", "<p>rich</p>"), "plain"),
        ("multipart/alternative; boundary=B", _alternative(" ", "<style>p{}</style><p>rich</p>"), "rich"),
        (
            "multipart/alternative; boundary=B",
            _alternative("Your client does not support HTML.", "<p>rich</p>"),
            "rich",
        ),
        ("multipart/mixed; boundary=B", _FORWARDED, "See below.\n\nFrom: c@x.y\nSubject: Grüße\n\nThe inner text."),
        ("multipart/report; boundary=B", _BOUNCE, "Your mail came back.\n\nReporting-MTA: dns; x.y\n\nStatus: 5.1.1"),
        ("multipart/mixed; boundary=B", _WITH_FILE, "See the files."),
        ("multipart/mixed; boundary=missing", "--B\n\nNo such boundary.\n", "--B\n\nNo such boundary."),
        ("multipart/mixed", "No boundary at all.\n", "No boundary at all."),
        ("multipart/mixed; boundary=B", "--B\nContent-Type: text/plain\n\nNever closed.\n", "Never closed."),
        (
            "text/html",
            "<html><head><title>t</title></head><body>Hi<br>there <a href='https://x.y/z'>z</a></body></html>",
            "Hi\nthere z (https://x.y/z)",
        ),
        (
            "text/plain; format=flowed",
            "This goes \non here.\n> quoted \n> too.\n-- \nAnna\n",
            "This goes on here.\n> quoted too.\n-- \nAnna",
        ),
        ("text/plain", "Use <br> and &amp; in <b>bold</b>.\n", "Use <br> and &amp; in <b>bold</b>."),
        ("no kind of type", "Odd.\n", "Odd."),
        ("application/pdf; name=a.pdf", "JVBERi0x\n", "(Attached: a.pdf)"),
        ("text/plain", "\n", "(This mail has no text.)"),
    ],
)
def test_the_text_of_a_mail_is_found_among_its_parts(
    read: Reader, write: Writer, kind: str, body: str, text: str
) -> None:
    path = write(make_mail(f"From: a@x.y\nMessage-ID: <a@x.y>\nSubject: s\nContent-Type: {kind}", body), "a.eml")
    assert texts_of(only_ticket(read(path))) == [text]


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("base64", base64.encodebytes("Grüße".encode()), "Grüße"),
        ("BASE64 ", b"R3LD*vMOfZQ", "Grüße"),  # a letter that is none, and no end
        (
            "base64",
            base64.encodebytes(b"Hi.") + b"_____\nSent to the list of all\n",
            "Hi.\n_____\nSent to the list of all",
        ),
        ("quoted-printable", b"Gr=C3=BC=C3=9Fe =\nan alle =ZZ =C3", None),
        ("8bit", "Grüße".encode("cp1252"), "Grüße"),
        ("x-unknown", b"as it is", "as it is"),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_they_go(
    read: Reader, write: Writer, encoding: str, data: bytes, text: str | None
) -> None:
    head = f"From: a@x.y\nMessage-ID: <a@x.y>\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    (said,) = texts_of(only_ticket(read(write(head.encode() + data, "a.eml"))))
    assert said == text if text else said.startswith("Grüße an alle")


def test_attachments_are_named_and_never_held(read: Reader, write: Writer) -> None:
    path = write(
        make_mail("From: a@x.y\nMessage-ID: <a@x.y>\nContent-Type: multipart/mixed; boundary=B", _WITH_FILE), "a.eml"
    )
    ticket = only_ticket(read(path))
    assert ticket.fields["Attachments"] == "Grün.pdf, text-calendar.ics"
    lines = b"A" * 76 + b"\n"
    big = _WITH_FILE.replace("JVBERi0x\n", "").encode().replace(b"base64\n\n", b"base64\n\n" + lines * 400_000)
    head = b"From: a@x.y\nMessage-ID: <a@x.y>\nContent-Type: multipart/mixed; boundary=B\n\n"
    assert len(big) > 30_000_000
    assert texts_of(only_ticket(read(write(head + big, "big.eml")))) == ["See the files."]


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Mon, 2 Mar 2026 10:14:11 +0100", "2026-03-02T09:14:11Z"),
        ("Mon, 02 Mar 26 10:14 GMT (UTC)", "2026-03-02T10:14:00Z"),
        ("Mon Mar  2 10:14:11 2026", "2026-03-02T10:14:11Z"),
        ("2 Mar 2026 10:14:11 EST", "2026-03-02T15:14:11Z"),
        ("Mon, 2 Mar 2026 10.14.11 -0000", "2026-03-02T10:14:11Z"),
        ("2026-03-02T10:14:11+01:00", "2026-03-02T09:14:11Z"),
        ("yesterday", "2026-03-02T09:14:11Z"),  # what the mailbox's own line says
        ("", "2026-03-02T09:14:11Z"),
    ],
)
def test_dates_become_utc_and_a_senseless_one_is_replaced(read: Reader, write: Writer, date: str, time: str) -> None:
    ticket = only_ticket(read(write(make_box(make_mail(f"From: a@x.y\nMessage-ID: <a@x.y>\nDate: {date}")), "a.mbox")))
    assert ticket.messages[0].created_at == time


def test_a_day_that_there_is_not_costs_a_mail_its_date_and_nothing_else(read: Reader, write: Writer) -> None:
    asked = ASKED.replace("Mon, 2 Mar 2026 10:14:11 +0100", "2026-03-02T09:14:11Z")
    reply = make_mail(
        "Message-ID: <c@acme.test>\nFrom: Sam Ortiz <sam@acme.test>\nTo: Maria Kunz <maria@example.org>\n"
        "Subject: Re: Printer burns\nDate: 2026-13-45T10:00:00Z",
        "Pull the plug.\n",
    )
    begin = "From maria@example.org\n"
    outcome = read(write(f"{begin}{asked}\n{begin}{reply}\n", "x.mbox"))
    assert outcome.rejects == []
    dates = {message.text: message.created_at for ticket in outcome.tickets for message in ticket.messages}
    assert dates == {"It burns since Monday.": "2026-03-02T09:14:11Z", "Pull the plug.": ""}


@pytest.mark.parametrize(
    "begin",
    [
        "From maria at example.org  Mon Mar  2 09:14:11 2026",  # the archive of a list
        "From - Mon Mar 02 09:14:11 2026",
        "From 1780000000000000000@xxx Mon Mar 02 09:14:11 +0000 2026",
        'From "maria k"@example.org Mon Mar  2 09:14:11 MET 2026',
        "From MAILER-DAEMON",
        "From ???@??? Mon Mar 02 09:14:11 2026",
    ],
)
def test_mails_begin_as_different_programs_mark_it(read: Reader, write: Writer, begin: str) -> None:
    box = make_box(ASKED, ANSWERED).replace(BEGIN.strip(), begin)
    assert texts_of(only_ticket(read(write(box, "archive.txt")))) == ["It burns since Monday.", "Pull the plug."]


def test_a_mail_without_anything_still_is_a_ticket(read: Reader, write: Writer) -> None:
    text = "X-Nothing: 1\n\nMy screen stays black since the update. Please help.\n"
    ticket = only_ticket(read(write(text, "a.eml")))
    again = only_ticket(read(write(BEGIN + text.replace("\n", "\r\n"), "b.mbox")))
    assert ticket.external_id.startswith("mail-")
    assert ticket.external_id == again.external_id, "the id is made of what the mail says"
    assert ticket.subject == "My screen stays black since the update"
    assert (ticket.messages[0].author, ticket.messages[0].created_at) == ("", "")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mbox", b""),
        ("binary.eml", bytes(range(256)) * 40),
        ("nothing.mbox", b"\n\n\n"),
        ("prose.eml", b"Dear all,\nthis is no mail.\n"),
        ("mail.msg", b"\xd0\xcf\x11\xe0" + b"\0" * 600),
        ("only-begin.mbox", BEGIN.encode()),
    ],
)
def test_what_is_no_mail_is_refused_in_words(read: Reader, write: Writer, name: str, content: bytes) -> None:
    with pytest.raises(DeskError) as raised:
        read(write(content, name))
    assert name in str(raised.value)


def test_parts_within_parts_without_end_are_one_reject(read: Reader, write: Writer) -> None:
    deep = "Content-Type: message/rfc822\n\n" * 3000 + "the end\n"
    nested = make_mail("Message-ID: <deep@x.y>\nFrom: a@x.y\n" + deep.strip())
    outcome = read(write(make_box(ASKED, nested), "x.mbox"))
    assert [reject.line for reject in outcome.rejects] == [10]
    assert "nested too deeply" in outcome.rejects[0].reason
    assert [ticket.external_id for ticket in outcome.tickets] == ["a@example.org"]


def test_half_a_character_is_no_reason_to_stop(read: Reader, write: Writer) -> None:
    mail = (
        "Message-ID: <u@x.y>\nFrom: a@x.y\nSubject: =?utf-7?Q?+2AA-printer?=\nContent-Type: text/plain; charset=utf-7"
    )
    ticket = only_ticket(read(write(make_box(make_mail(mail, "+2AA-It burns.\n")), "x.mbox")))
    assert (ticket.subject, texts_of(ticket)) == ("\ufffdprinter", ["\ufffdIt burns."])
