"""Documents: JSON, mail and pages, broken. Whatever can be read of them, now or later: refused with a sentence or imported with an account."""

from __future__ import annotations

import json
from pathlib import Path

from tests.malformed.kinds import kind
from tests.malformed.tables import put

TICKETS = [
    {
        "id": n,
        "subject": "Printer",
        "description": "It burns since Monday.",
        "status": "open",
        "created_at": "2026-03-02T10:15:00Z",
    }
    for n in range(1001, 1031)
]
LINES = "".join(json.dumps(ticket) + "\n" for ticket in TICKETS)
MAIL = (
    "From: Ada <ada@example.org>\nTo: help@example.org\nSubject: Printer\nMessage-ID: <{0}@example.org>\n"
    "Date: Mon, 02 Mar 2026 10:15:00 +0000\n{1}\nIt burns since Monday.\n\n"
)
FROM_LINE = "From ada@example.org Mon Mar  2 10:15:00 2026\n"


def _json(folder: Path, content: str | bytes, name: str = "tickets.json") -> Path:
    return put(folder, content, name)


# --- JSON -------------------------------------------------------------------------------------------------------------------


@kind()
def json_nested_a_hundred_thousand_deep(folder: Path) -> Path:
    return _json(folder, "[" * 100_000 + "]" * 100_000)


@kind()
def json_objects_nested_deep_in_a_ticket(folder: Path) -> Path:
    deep = '{"a":' * 50_000 + "1" + "}" * 50_000
    return _json(folder, f'[{{"id":1,"subject":"a","more":{deep}}},{{"id":2,"subject":"b"}}]')


@kind()
def json_cut(folder: Path) -> Path:
    return _json(folder, json.dumps(TICKETS)[:-100])


@kind()
def json_with_something_behind(folder: Path) -> Path:
    return _json(folder, json.dumps(TICKETS) + "]]\nrubbish")


@kind()
def json_with_numbers_that_are_none(folder: Path) -> Path:
    return _json(
        folder, '[{"id":NaN,"subject":"a"},{"id":-Infinity,"subject":"b"},{"id":3,"subject":"c","x":Infinity}]'
    )


@kind()
def json_with_the_same_key_twice(folder: Path) -> Path:
    return _json(folder, '[{"id":1,"subject":"a","subject":"b","id":2},{"id":1,"id":1,"subject":"c"}]')


@kind()
def json_with_half_characters(folder: Path) -> Path:
    return _json(
        folder, '[{"id":1,"subject":"a\\ud83d","description":"\\udc00x"},{"id":"\\ud800","subject":"b\\u0000c"}]'
    )


@kind()
def json_with_half_characters_in_its_names(folder: Path) -> Path:
    return _json(folder, '[{"id":1,"subject":"a","\\ud83d":"x"},{"id":2,"subject":"b","\\udc00":"y"}]')


@kind()
def json_with_huge_numbers(folder: Path) -> Path:
    return _json(folder, f'[{{"id":{"9" * 10_000},"subject":"a"}},{{"id":2,"subject":1e400,"x":-0.0}}]')


@kind()
def json_of_one_number(folder: Path) -> Path:
    return _json(folder, "42")


@kind()
def json_of_an_empty_list(folder: Path) -> Path:
    return _json(folder, "[]")


@kind()
def json_of_an_empty_object(folder: Path) -> Path:
    return _json(folder, "{}")


@kind()
def json_list_of_all_sorts(folder: Path) -> Path:
    return _json(folder, json.dumps([1, "a", None, [], {}, [[]], {"id": {}}, {"id": []}, {"id": None}, *TICKETS]))


@kind()
def json_values_of_the_wrong_sort(folder: Path) -> Path:
    odd = {"id": [1], "subject": {"a": 1}, "description": False, "status": None, "created_at": [], "comments": "none"}
    return _json(folder, json.dumps({"tickets": [odd, *TICKETS, {**TICKETS[0], "comments": [None, 1, {}, [[]]]}]}))


@kind()
def json_tickets_are_no_list(folder: Path) -> Path:
    return _json(folder, json.dumps({"tickets": {"1": TICKETS[0], "2": 7}, "count": 2, "users": None}))


@kind()
def json_with_twenty_thousand_keys(folder: Path) -> Path:
    wide = {f"field {n}": n for n in range(20_000)}
    return _json(folder, json.dumps([{**ticket, **wide} for ticket in TICKETS[:3]]))


@kind()
def json_where_each_ticket_has_other_keys(folder: Path) -> Path:
    return _json(folder, json.dumps([{**ticket, f"only {n}": n} for n, ticket in enumerate(TICKETS * 100)]))


@kind()
def json_in_utf_16(folder: Path) -> Path:
    return _json(folder, json.dumps(TICKETS).encode("utf-16"))


@kind()
def json_with_a_mark_and_bytes_that_are_no_text(folder: Path) -> Path:
    return _json(folder, b"\xef\xbb\xbf" + json.dumps(TICKETS).encode().replace(b"Printer", b"Pr\xff\xfeinter", 4))


@kind()
def json_with_single_quotes(folder: Path) -> Path:
    return _json(folder, str(TICKETS))


@kind()
def json_of_one_text_of_20_mb(folder: Path) -> Path:
    return _json(folder, f'[{{"id":1,"subject":"{"x" * 20_000_000}"}},{{"id":2,"subject":"b"}}]')


@kind()
def json_string_never_closed(folder: Path) -> Path:
    return _json(folder, '[{"id":1,"subject":"' + "x\\" * 500_000)


@kind()
def lines_of_json_one_of_them_broken(folder: Path) -> Path:
    return _json(folder, LINES + '{"id":1,"subject":\n' + LINES.replace("10", "20"), "tickets.ndjson")


@kind()
def lines_of_json_with_blank_ones(folder: Path) -> Path:
    return _json(folder, LINES.replace("\n", "\n\n  \n"), "tickets.jsonl")


@kind()
def lines_of_json_without_newlines(folder: Path) -> Path:
    return _json(folder, LINES.replace("\n", ""), "tickets.ndjson")


@kind()
def lines_of_json_of_all_sorts(folder: Path) -> Path:
    return _json(
        folder, 'null\n1\n"a"\n[]\n{}\n[1]\n' + LINES + '{"id":7}trailing\n' + "[" * 5_000 + "\n", "tickets.jsonl"
    )


@kind()
def json_called_csv(folder: Path) -> Path:
    return _json(folder, json.dumps(TICKETS), "tickets.csv")


@kind()
def table_called_json(folder: Path) -> Path:
    return _json(folder, "id,subject\n1,a\n2,b\n")


@kind()
def cells_of_json_that_is_broken(folder: Path) -> Path:
    return put(
        folder,
        "id,subject,comments\n" + "".join(f'{n},a,"[{{""body"": ""x"",,{"[" * 3_000}"\n' for n in range(1001, 1006)),
    )


# --- mail -------------------------------------------------------------------------------------------------------------------


def _mails(*mails: str) -> str:
    return "".join(FROM_LINE + mail for mail in mails)


def _nested(levels: int) -> str:
    opening = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(levels))
    return MAIL.format(1, "MIME-Version: 1.0\n" + opening)


@kind()
def mailbox_with_broken_parts(folder: Path) -> Path:
    broken = MAIL.format(
        1, 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x\n\n--x\nContent-Type: text/plain\n'
    )
    base64 = MAIL.format(2, "Content-Transfer-Encoding: base64\n") + "!!!====\n"
    return put(folder, _mails(broken, base64, MAIL.format(3, "Content-Type: ;;;=\n")), "tickets.mbox")


@kind()
def mailbox_in_unknown_alphabets(folder: Path) -> Path:
    unknown = MAIL.format(1, 'Content-Type: text/plain; charset="klingon-8"\n')
    subject = MAIL.format(2, "").replace(
        "Subject: Printer", "Subject: =?x-none?B?4pyT?= =?utf-8?B?!!!?= =?utf-8?Q?=ff=fe?="
    )
    return put(folder, _mails(unknown, subject), "tickets.mbox")


@kind()
def mailbox_of_separators_only(folder: Path) -> Path:
    return put(folder, FROM_LINE * 3_000, "tickets.mbox")


@kind()
def mailbox_cut_in_a_header(folder: Path) -> Path:
    return put(folder, _mails(MAIL.format(1, ""), MAIL.format(2, ""))[:-120], "tickets.mbox")


@kind()
def mailbox_whose_mails_answer_each_other_in_a_circle(folder: Path) -> Path:
    mails = [
        MAIL.format(n, f"In-Reply-To: <{(n + 1) % 50}@example.org>\nReferences: <{n}@example.org>\n") for n in range(50)
    ]
    return put(folder, _mails(*mails), "tickets.mbox")


@kind()
def mailbox_where_all_have_the_same_id(folder: Path) -> Path:
    return put(folder, _mails(*[MAIL.format(1, "")] * 200), "tickets.mbox")


@kind()
def mail_without_headers(folder: Path) -> Path:
    return put(folder, "It burns since Monday.\n", "ticket.eml")


@kind()
def mail_with_nobody_and_nothing(folder: Path) -> Path:
    return put(folder, "Received: from x\n\n\n", "ticket.eml")


@kind()
def mail_of_nothing(folder: Path) -> Path:
    return put(folder, b"", "ticket.eml")


@kind()
def mail_nested_a_thousand_deep(folder: Path) -> Path:
    return put(folder, _nested(1_000), "ticket.eml")


@kind()
def mail_in_mail_in_mail(folder: Path) -> Path:
    return put(folder, "Content-Type: message/rfc822\n\n" * 2_000 + MAIL.format(1, ""), "ticket.eml")


@kind()
def mail_with_a_header_of_1_mb(folder: Path) -> Path:
    return put(folder, MAIL.format(1, f"References: {'<a@b> ' * 170_000}\n"), "ticket.eml")


@kind()
def mail_with_a_date_beyond_reason(folder: Path) -> Path:
    return put(
        folder, MAIL.format(1, "").replace("02 Mar 2026 10:15:00 +0000", "99 Foo 99999 99:99:99 +9999"), "ticket.eml"
    )


@kind()
def mail_with_addresses_without_end(folder: Path) -> Path:
    return put(
        folder, MAIL.format(1, "").replace("Ada <ada@example.org>", "(" * 20_000 + "a@b" + '"' * 5_001), "ticket.eml"
    )


@kind()
def mail_of_random_bytes(folder: Path) -> Path:
    return put(
        folder, b"From: a@b\nSubject: \xff\xfe\x80\nContent-Type: text/html\n\n" + bytes(range(256)) * 200, "ticket.eml"
    )


@kind()
def mail_of_a_page_nested_deep(folder: Path) -> Path:
    page = "<div>" * 60_000 + "hi" + "</span>" * 2_000
    return put(folder, MAIL.format(1, "Content-Type: text/html\n") + page, "ticket.eml")


# --- pages ------------------------------------------------------------------------------------------------------------------


@kind()
def page_of_tickets_never_closed(folder: Path) -> Path:
    page = "<html><body><table><tr><th>Key<th>Summary<tr><td>WEB-1<td>a<tr><td>WEB-2" + "<table><tr><td>" * 2_000
    return put(folder, page, "tickets.doc")


@kind()
def page_of_a_billion_laughs(folder: Path) -> Path:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return put(
        folder,
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><rss><item>&a9;</item></rss>',
        "tickets.xml",
    )


@kind()
def page_with_a_cell_across_everything(folder: Path) -> Path:
    page = "<html><table><tr><th>Key<th>Summary<tr><td colspan=100000000 rowspan=100000000>WEB-1<td>a</table></html>"
    return put(folder, page, "tickets.doc")


@kind()
def letter_called_doc(folder: Path) -> Path:
    return put(folder, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3_000), "tickets.doc")
