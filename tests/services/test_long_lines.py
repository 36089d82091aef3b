"""Long lines: a summary or a ticket of one endless line is read in time that grows with its length, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from desktop.domain.runs import Claim, Support
from desktop.domain.sentences import LONGEST_SENTENCE, number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.claims import SummaryParser
from desktop.services.evidence import check_claim, prepare_thread
from desktop.services.facts import find_facts
from desktop.services.highlights import find_highlights
from desktop.services.verifying import cut_claims

CHARACTERS = 200_000
MOST_SECONDS = 5.0
"""Linear work takes a fraction of it, however busy the machine; quadratic work takes minutes."""
SHAPES = {
    "digits": "9",
    "spaces": " ",
    "brackets": "[",
    "digits and dashes": "1-",
    "letters and full stops": "x.",
    "letters": "a",
    "full stops": ".",
    "dashes": "-",
    "thousands": ",111",
    "paths": "1/",
    "addresses": "a@",
    "abbreviations": "e.g. ",
    "citations": "[m1.1]",
    "unclosed citations": "[m1,",
    "words": "Abc ",
    "emphasis": "**a",
}


def make_thread(text: str) -> Thread:
    """Make a ticket of one message."""
    message = Message(1, "Sam O.", Role.AGENT, "2026-03-02T09:14:00Z", text)
    row = TicketRow(1, "zd", "ZD-9", "Question", "open", "", "", "", "Maria K.", "Sam O.", "", "", 1, "")
    return Thread(row, {}, (message,), "hash")


def parse(text: str) -> list[Claim]:
    """Return the claims of a text."""
    parser = SummaryParser(("Problem",))
    return [*parser.feed(text), *parser.finish()]


def check(text: str) -> object:
    """Check a text as one claim."""
    thread = make_thread("The export fails with error 502 since Monday.")
    return check_claim(Claim("Problem", text, ("m1.1",)), prepare_thread(thread, number_sentences(thread.messages)))


def prepare(text: str) -> object:
    """Prepare a ticket of that text."""
    thread = make_thread(text)
    return prepare_thread(thread, number_sentences(thread.messages)), find_highlights(thread)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    "read",
    [find_facts, lambda text: parse(f"Problem: {text}"), parse, check, lambda text: list(cut_claims(text)), prepare],
    ids=["facts", "section", "parser", "claim", "verify", "ticket"],
)
def test_an_endless_line_is_read_in_time_that_grows_with_its_length(read: Callable[[str], object], shape: str) -> None:
    text = f"1{shape * (CHARACTERS // len(shape))}x"
    began = time.perf_counter()
    read(text)
    assert time.perf_counter() - began < MOST_SECONDS


def test_a_long_wrapped_text_is_joined_in_time_that_grows_with_its_length() -> None:
    text = "this line was broken somewhere near its end because\n" * (10 * CHARACTERS // 50)
    began = time.perf_counter()
    assert list(cut_claims(text))
    assert time.perf_counter() - began < MOST_SECONDS


def test_what_is_longer_than_any_sentence_becomes_several_claims_and_nothing_is_lost() -> None:
    words = [f"word{number}" for number in range(500)]
    claims = parse(f"Problem: {' '.join(words)}. [m1.1]")
    assert [word for claim in claims for word in claim.text.rstrip(".").split()] == words
    assert all(len(claim.text) <= LONGEST_SENTENCE for claim in claims)
    assert [claim.citations for claim in claims if claim.citations] == [("m1.1",)]
    parser = SummaryParser(("Problem",))
    assert [claim.text for claim in parser.take_claim("Problem", f"{' '.join(words)}.", ())] == [c.text for c in claims]


def test_a_sentence_keeps_the_citations_behind_it_however_many_they_are() -> None:
    said = f"{'word ' * 190}end."
    (claim,) = parse(f"Problem: {said} {' '.join(f'[m1.{number}]' for number in range(1, 100))}")
    assert (claim.text, len(claim.citations)) == (said, 99)


def test_a_claim_that_is_longer_than_any_sentence_is_never_supported() -> None:
    thread = make_thread(f"The export {'really ' * 140}fails.")
    prepared = prepare_thread(thread, number_sentences(thread.messages))
    said = f"The export {'really ' * 140}fails."
    short = check_claim(Claim("Problem", said[: LONGEST_SENTENCE - 1], ("m1.1",)), prepared)
    long = check_claim(Claim("Problem", f"{said} It costs $94.", ("m1.1",)), prepared)
    assert short.support is Support.SUPPORTED
    assert long.support is Support.PARTIAL
    assert "only its beginning was compared" in long.doubts[-1]
    assert long.claim.text.endswith("$94.")


@pytest.mark.parametrize("citation", [f"[m1.1-m1.{'9' * 5000}]", f"[m{'9' * 5000}.1]"])
def test_a_citation_of_a_number_that_no_ticket_has_is_text(citation: str) -> None:
    assert all(claim.citations == () for claim in parse(f"Problem: It fails. {citation}"))
