"""Redaction: what comes back is what was there, however a model wrote it and wherever its stream was cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.redaction import Redactor, redactor_for
from tests.services.marked_lines import CLEAN, MARKED, Tally, add, find, load, missed

PEOPLE = ("Maria Keller", "田中太郎", "Will Turner")
PIECES = st.sampled_from(
    [
        "maria@example.com",
        "Maria@Example.com",
        "Maria Keller",
        "Maria",
        "田中",
        "203.0.113.7",
        "+49 30 1234567",
        "GB82 WEST 1234 5698 7654 32",
        "4111 1111 1111 1111",
        "https://example.com/reset?token=abcdef123456",
        "password: hunter2",
        "12 High Street, London SW1A 1AA",
        "<EMAIL_1>",
        "EMAIL_1",
        "&lt;PERSON_1&gt;",
        "EMAIL\\_1",
        "\\<PERSON\\_2b\\>",
        "\\",
        "<",
        ">",
        "&lt;",
        "&gt;",
        "_1",
        "TEXT_1",
        "PERſON_1",
        "KEY_",
        "\\u003cIP_1\\u003e",
        "%3CIP_1%3E",
        "\\n",
        "\n",
        " ",
        "1",
        "b",
        '"',
        "[m3.2]",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join))


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, max_size=3))
def test_restoring_gives_every_text_back(texts: list[str]) -> None:
    redactor = Redactor(PEOPLE)
    redacted = [redactor.redact(text) for text in texts]
    assert [redactor.restore(text) for text in redacted] == texts


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS, st.data())
def test_a_stream_cut_anywhere_is_restored_as_the_whole(known: str, text: str, data: st.DataObject) -> None:
    redactor = Redactor(PEOPLE)
    redactor.redact(f"{known} maria@example.com Maria Keller 203.0.113.7 203.0.113.8")
    text = data.draw(st.sampled_from([text, redactor.redact(text)]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    restorer = redactor.restorer()
    pieces = [restorer.feed(text[first:last]) for first, last in pairwise([0, *cuts, len(text)])]
    assert "".join([*pieces, restorer.rest()]) == redactor.restore(text)


@pytest.mark.parametrize(
    "written",
    [
        "<EMAIL_1>",
        "EMAIL_1",
        "&lt;EMAIL_1&gt;",
        "<EMAIL\\_1>",
        "\\<EMAIL\\_1\\>",
        "EMAIL\\_1",
        "<email_1>",
        "Email_1",
        "<EMAIL_1",
        "EMAIL_1>",
        "%3CEMAIL_1%3E",
        "\\u003cEMAIL_1\\u003e",
    ],
)
def test_what_models_make_of_a_placeholder_is_put_back(written: str) -> None:
    redactor = Redactor()
    redactor.redact("Write to maria@example.com.")
    assert redactor.restore(f"Ask {written}, or **{written}**.") == "Ask maria@example.com, or **maria@example.com**."


@pytest.mark.parametrize(
    "written", ["EMAIL_12", "EMAIL_1x", "xEMAIL_1", "<EMAIL_2>", "<PERSON_1>", "EMAIL_", "<TEXT_1>", "<EMAIL_01>"]
)
def test_what_was_never_given_stays(written: str) -> None:
    redactor = Redactor()
    redactor.redact("Write to maria@example.com.")
    assert redactor.restore(f"Ask {written}.") == f"Ask {written}."


def test_another_spelling_shares_the_number_and_comes_back_as_written() -> None:
    redactor = Redactor()
    assert redactor.redact("a@example.com, A@Example.com, b@example.com") == "<EMAIL_1>, <EMAIL_1b>, <EMAIL_2>"
    assert redactor.restore("<EMAIL_1B> and <EMAIL_1>") == "A@Example.com and a@example.com"
    assert redactor.redact("A@Example.com") == "<EMAIL_1b>"


def test_a_value_is_escaped_where_it_stands_in_json() -> None:
    value = 'Ma"ria\\K\n\u0001 Keller'
    redactor = Redactor([value])
    redacted = redactor.redact(f"Ask {value}.")
    assert value not in redacted
    restorer = redactor.restorer(is_json=True)
    restored = restorer.feed(json.dumps({"gist": redacted})) + restorer.rest()
    assert json.loads(restored) == {"gist": f"Ask {value}."}


def test_counts_say_what_was_replaced_and_nothing_else() -> None:
    redactor = Redactor()
    redactor.learn("seen@example.com")
    redactor.redact("a@example.com b@example.com a@example.com EMAIL_1 203.0.113.7")
    assert redactor.counts == {"email": 2, "ip": 1}
    assert [redaction.placeholder for redaction in redactor.redactions] == ["<EMAIL_2>", "<EMAIL_3>", "<IP_1>"]
    assert redactor.values["<EMAIL_2>"] == "a@example.com"


FLOORS = {
    "email": 0.98,
    "iban": 0.98,
    "card": 0.98,
    "ip": 0.98,
    "key": 0.98,
    "url": 0.9,
    "phone": 0.9,
    "person": 0.95,
    "address": 0.85,
}


@pytest.mark.parametrize("name", MARKED)
def test_what_is_found_of_marked_lines(name: str) -> None:
    tally = Tally()
    stays: list[str] = []
    for line in load(name):
        taken = find(line)
        add(tally, line, taken)
        stays += missed(line, taken)
    assert {kind: tally.recall(kind) for kind, floor in FLOORS.items() if tally.recall(kind) < floor} == {}, stays
    assert {kind: tally.precision(kind) for kind in FLOORS if tally.precision(kind) < 0.9} == {}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_lines_stay_as_they_are(name: str) -> None:
    lines = load(name)
    hits = [(line.text, [line.text[p.start : p.end] for p in taken]) for line in lines if (taken := find(line))]
    assert len(hits) <= 0.02 * len(lines), hits


def test_what_a_model_needs_stays() -> None:
    text = "[m3.2] Ticket DSK-4136, error 0x80070005, order #1029384756, version 4.18.2 since 2026-03-02. [m12.11]"
    assert Redactor(["Maria Keller"]).redact(text) == text


def test_a_ticket_knows_its_people_and_keeps_their_numbers() -> None:
    messages = (
        Message(1, "Maria Keller", Role.CUSTOMER, "", "Hi Tom,\nit fails. Ask Ida or Bo Ek.\nMaria"),
        Message(2, "Support", Role.AGENT, "", "Hello Maria, Support will look at it.\nBest regards,\nTom Becker"),
    )
    row = TicketRow(1, "s", "1", "Mail from Maria", "", "", "", "", "Maria Keller", "", "", "", 2, "")
    fields: dict[str, str | list[str]] = {"Contact name": "Ida Nilsson", "CC": ["Bo Ek"], "Product name": "It Fails"}
    thread = Thread(row, fields, messages, "")
    first = redactor_for(thread)
    assert first.redact(messages[0].text) == "Hi <PERSON_4>,\nit fails. Ask <PERSON_2b> or <PERSON_3>.\n<PERSON_1b>"
    assert first.redact(messages[1].text) == ("Hello <PERSON_1b>, Support will look at it.\nBest regards,\n<PERSON_4b>")
    second = redactor_for(thread)
    assert second.redact(messages[1].text) == first.redact(messages[1].text)
    assert second.counts == {"person": 2}


@pytest.mark.parametrize(
    "piece",
    [
        "DE89 ",
        "key aA1 ",
        "1 - ",
        "a.b@c.",
        "SW1A 1AA ",
        "token=1&",
        "my name is ",
        "M. ",
        "<a@b.example> ",
        "::",
        "\\",
        "_1",
    ],
)
def test_a_long_hostile_text_comes_back(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    redactor = Redactor(PEOPLE)
    assert redactor.restore(redactor.redact(text)) == text
