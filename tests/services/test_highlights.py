"""Highlights: verbatim, deterministic, within their budget, and what a list shows where there is no gist."""

from __future__ import annotations

import asyncio
import csv
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketQuery, TicketRow
from desktop.services.highlights import find_highlights, find_lead
from desktop.services.words import count_words
from tests.services.conftest import import_path, opened_desk

SAMPLE = Path(__file__).parents[2] / "resources" / "samples" / "support-tickets.csv"
DATA = Path(__file__).parents[1] / "data" / "exports"
EXPORTS = (
    "support.mbox",
    "messages.csv",
    "zendesk_tickets.json",
    "servicenow_audit_log.csv",
    "social_dialogues.json",
    "intercom_parts.csv",
    "jira/service_management.csv",
    "github_pulls.json",
    "redmine/issues_ja.csv",
    "redmine/issues_ru.csv",
    "redmine/issues_zh.csv",
    "osticket_print.html",
    "../conversations/support_messages.csv",
)


def make_thread(*messages: tuple[str, Role, str], title: str = "A ticket") -> Thread:
    """Make a thread of (author, role, text)."""
    row = TicketRow(1, "s", "1", title, "open", "", "", "", "Ada", "", "", "", len(messages), "")
    numbered = enumerate(messages, start=1)
    return Thread(row, {}, tuple(Message(n, author, role, "", text) for n, (author, role, text) in numbered), "h")


@pytest.fixture(scope="module")
def threads() -> list[Thread]:
    """Give the sample tickets as threads."""
    rows: dict[str, list[tuple[str, Role, str]]] = {}
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            rows.setdefault(line["ticket_id"], []).append((line["author"], Role(line["author_role"]), line["body"]))
    return [make_thread(*messages) for messages in rows.values()]


def test_every_highlight_is_a_stretch_of_one_sentence(threads: list[Thread]) -> None:
    for thread in threads:
        sentences = {sentence.id: sentence for sentence in number_sentences(thread.messages)}
        for highlight in find_highlights(thread):
            message = thread.messages[highlight.position - 1]
            sentence = sentences[highlight.sentence_id]
            assert message.text[highlight.start : highlight.end] == highlight.text
            assert sentence.start <= highlight.start < highlight.end <= sentence.end


def test_highlights_keep_the_order_of_the_thread_and_their_budget(threads: list[Thread]) -> None:
    for thread in threads:
        found = find_highlights(thread)
        assert 1 <= len(found) <= 6
        assert [(h.position, h.start) for h in found] == sorted((h.position, h.start) for h in found)
        longest = max(count_words(h.text) for h in found)
        assert sum(count_words(h.text) for h in found) <= max(1.3 * 80, longest)


def test_the_same_thread_gives_the_same_highlights(threads: list[Thread]) -> None:
    assert [find_highlights(t) for t in threads] == [find_highlights(t) for t in threads]


def test_courtesy_and_quoted_history_are_left_out() -> None:
    thread = make_thread(
        ("Ada", Role.CUSTOMER, "Hi there,\nThe invoice export stops with error 502 since Monday.\nThanks!"),
        ("Sam", Role.AGENT, "Restart the export worker and the invoice comes through.\nHave a nice day!\n\nOn Monday, Ada wrote:\n> Hi there"),
    )  # fmt: skip
    texts = [highlight.text for highlight in find_highlights(thread)]
    assert any("error 502" in text for text in texts)
    assert any("Restart the export worker" in text for text in texts)
    assert not any("nice day" in text or "Hi there" in text for text in texts)


def test_a_lead_never_repeats_the_title() -> None:
    said = "The export of the invoice stops with error 502."
    more = "Our accountant needs all the figures before Friday."
    thread = make_thread(("Ada", Role.CUSTOMER, f"{said} {more}"), title="The export of the invoice stops with…")
    assert find_lead(thread) == more
    assert find_lead(make_thread(("Ada", Role.CUSTOMER, said), title=said)) == ""


def test_a_ticket_without_text_has_none() -> None:
    assert find_highlights(make_thread()) == ()
    assert find_lead(make_thread()) == ""


def test_a_thousand_messages_do_not_hold_anybody_up() -> None:
    texts = [f"Message {n} about order A-{n} and the export that failed on day {n % 30}." for n in range(1_000)]
    thread = make_thread(
        *(("Ada" if n % 2 else "Sam", Role.CUSTOMER if n % 2 else Role.AGENT, t) for n, t in enumerate(texts))
    )
    began = time.perf_counter()
    assert find_highlights(thread)
    # Quadratic work without its cap would take minutes; a slow machine does not.
    assert time.perf_counter() - began < 20


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> list[Thread]:
    """Give the tickets of the test exports of many systems, as the program imports them."""
    return asyncio.run(_import_all(tmp_path_factory.mktemp("desk")))


async def _import_all(folder: Path) -> list[Thread]:
    found: list[Thread] = []
    async with opened_desk(folder, with_sample=False) as desk:
        for name in EXPORTS:
            await import_path(desk, DATA / name)
        for ticket_id in await desk.tickets.ids(TicketQuery()):
            thread = await desk.tickets.thread(ticket_id)
            assert thread is not None
            found.append(thread)
    return found


def assert_stretches_of_sentences(thread: Thread) -> None:
    sentences = {sentence.id: sentence for sentence in number_sentences(thread.messages)}
    texts = {message.position: message.text for message in thread.messages}
    for highlight in find_highlights(thread):
        sentence = sentences[highlight.sentence_id]
        assert highlight.position == sentence.position
        assert sentence.start <= highlight.start < highlight.end <= sentence.end
        assert texts[highlight.position][highlight.start : highlight.end] == highlight.text
        assert highlight.text == highlight.text.strip()


def test_highlights_of_imported_tickets_are_stretches_of_sentences_and_never_none(imported: list[Thread]) -> None:
    assert len(imported) > 500
    for thread in imported:
        assert_stretches_of_sentences(thread)
        found = find_highlights(thread)
        assert bool(found) == bool(number_sentences(thread.messages)), thread.ticket.reference
        assert len({highlight.text for highlight in found}) == len(found)
        assert find_highlights(thread) == found


# fmt: off
_PIECES = st.sampled_from([
    "Hi Ada,", "@desk", "Thanks!", "ok", "https://a.example/x", "The export fails.", "Is it back?", "It works again", "(1/2)", "…", "\n", "\n\n",
    "> quoted", "-- ", "{code}", "مرحبا، لا يعمل التصدير.", "האם זה עובד?", "エクスポートが失敗します。", "导出失败。", "👍", "\u202eevil\u202c",
    "12,50 €", ";", "^MK",
])
# fmt: on


@given(st.lists(st.tuples(st.booleans(), st.lists(_PIECES, max_size=8)), min_size=1, max_size=6))
def test_whatever_is_written_every_highlight_is_a_stretch_of_one_sentence(said: list[tuple[bool, list[str]]]) -> None:
    thread = make_thread(
        *(("Ada" if asks else "Sam", Role.CUSTOMER if asks else Role.AGENT, " ".join(pieces)) for asks, pieces in said)
    )
    assert_stretches_of_sentences(thread)
    assert find_highlights(thread) == find_highlights(thread)
    assert bool(find_highlights(thread)) == bool(number_sentences(thread.messages))


SOLVED = [
    (
        "The CSV export stops with error 502 since Monday.",
        "Restart the export worker and try the export again.",
        "That did it, the export works again. Thanks!",
        "works again",
    ),
    (
        "Seit Montag bricht der Export mit Fehler 502 ab.",
        "Starten Sie den Export-Dienst neu und versuchen Sie es noch einmal.",
        "Jetzt klappt der Export, vielen Dank!",
        "klappt",
    ),
    (
        "Depuis lundi l'export échoue avec l'erreur 502.",
        "Redémarrez le service d'export puis relancez l'export.",
        "L'export fonctionne de nouveau, merci !",
        "fonctionne",
    ),
    (
        "Desde el lunes la exportación falla con el error 502.",
        "Reinicie el servicio de exportación y vuelva a intentarlo.",
        "Ahora sí funciona la exportación, gracias.",
        "funciona",
    ),
    (
        "Da lunedì l'esportazione fallisce con errore 502.",
        "Riavvii il servizio di esportazione e riprovi subito.",
        "Adesso funziona tutto, grazie mille!",
        "funziona",
    ),
    (
        "Sinds maandag stopt de export met fout 502.",
        "Herstart de exportdienst en probeer de export opnieuw.",
        "De export werkt weer, bedankt!",
        "werkt",
    ),
    (
        "Desde segunda a exportação falha com erro 502.",
        "Reinicie o serviço de exportação e tente de novo.",
        "Agora funciona a exportação, obrigada!",
        "funciona",
    ),
]


@pytest.mark.parametrize(("problem", "answer", "outcome", "told"), SOLVED)
def test_the_problem_and_the_resolution_stand_in_it(problem: str, answer: str, outcome: str, told: str) -> None:
    thread = make_thread(("Ada", Role.CUSTOMER, problem), ("Sam", Role.AGENT, answer), ("Ada", Role.CUSTOMER, outcome))
    texts = [highlight.text for highlight in find_highlights(thread)]
    assert any("502" in text for text in texts)
    last = texts[-1]
    assert told in last
    # The thanks after the comma are left off.
    assert not any(word in last.lower() for word in ("thank", "dank", "merci", "gracias", "grazie", "obrigad"))


def test_what_was_asked_last_and_not_answered_stands_in_it() -> None:
    thread = make_thread(
        ("Ada", Role.CUSTOMER, "Your driver put the gravel on the lawn. Somebody has to move it before the weekend."),
        ("Sam", Role.AGENT, "We will send a crew on Wednesday morning to move the gravel to the driveway."),
        ("Ada", Role.CUSTOMER, "Fine. Who pays for the damaged grass?"),
    )
    assert "Who pays for the damaged grass?" in [highlight.text for highlight in find_highlights(thread)]


def test_the_state_in_an_internal_note_stands_in_it() -> None:
    thread = make_thread(
        ("Ada", Role.CUSTOMER, "I was charged $39.99 again although I cancelled my membership in February."),
        ("Sam", Role.AGENT, "Thank you for your patience. Is there anything else I can help you with?"),
    )
    note = Message(
        3, "Kim", Role.AGENT, "", "Refund of $39.99 approved by Rosa, money leaves on Friday.", internal=True
    )
    found = find_highlights(replace(thread, messages=(*thread.messages, note)))
    assert [highlight.sentence_id for highlight in found] == ["m1.1", "m3.1"]


@pytest.mark.parametrize(
    "closing",
    [
        "Für die Unannehmlichkeiten bitten wir um Entschuldigung.", "N'hésitez pas à revenir vers nous.", "Disculpe las molestias ocasionadas.",
        "Please do not hesitate to contact us with any further questions.", "Wij wensen u verder nog een fijne dag toe.",
        "Your request has been received and assigned the number 5519.", "Non esiti a contattarci per altre domande.",
    ],
)  # fmt: skip
def test_an_answer_counts_and_not_the_courtesy_after_it(closing: str) -> None:
    thread = make_thread(
        ("Ada", Role.CUSTOMER, "The printer QL-820 cuts the labels in the middle since the update of Monday."),
        ("Sam", Role.AGENT, f"A new printer leaves our warehouse on Thursday. {closing}"),
    )
    assert [highlight.sentence_id for highlight in find_highlights(thread)] == ["m1.1", "m2.1"]


def test_a_greeting_never_takes_a_sentence_with_it() -> None:
    thread = make_thread(("Ada", Role.CUSTOMER, "hi my order 4711 is late, and nobody answers the phone"))
    assert "4711" in find_highlights(thread)[0].text


def test_handles_links_and_markup_are_left_out() -> None:
    thread = make_thread(
        ("Ada", Role.CUSTOMER, "@desk\n{code:java}\nhttps://a.example/b\nThe import of the price list fails."),
        ("Sam", Role.AGENT, "@ada The price list had an empty column, I removed it. ^SK"),
    )
    texts = [highlight.text for highlight in find_highlights(thread)]
    assert texts == ["The import of the price list fails.", "The price list had an empty column, I removed it."]
    short = make_thread(
        ("Ada", Role.CUSTOMER, "@desk @sam\nSo slow again."), ("Sam", Role.AGENT, "https://a.example/b")
    )
    assert [highlight.text for highlight in find_highlights(short)] == ["slow again."]


def test_what_stands_there_twice_is_shown_once() -> None:
    closed = make_thread(*[("Sam", Role.AGENT, "Closed")] * 3)
    assert [highlight.text for highlight in find_highlights(closed)] == ["Closed"]
