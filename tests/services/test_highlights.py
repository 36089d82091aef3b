"""Highlights: verbatim, deterministic, within their budget, and what a list shows where there is no gist."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.highlights import find_highlights, find_lead
from desktop.services.words import count_words

SAMPLE = Path(__file__).parents[2] / "resources" / "samples" / "support-tickets.csv"


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
