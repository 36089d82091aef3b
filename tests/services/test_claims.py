"""Claims: whatever form a model gives its answer, each sentence comes out once, in its section, with what it cites."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.runs import Claim
from desktop.domain.sections import UNNAMED
from desktop.services.claims import SummaryParser

SECTIONS = ("Problem", "Tried so far", "Next step")
ANSWER = """Gist: Charged twice; refund issued. [m1.1][m5.1]
Problem: The card was charged $59.00 twice [m1.1]. Error 502 at e.g. v. 3.2 stops the export. [m3.2, m3.3]
**Tried so far:** Dr. Owen asked billing. [m2.2-m2.4]
## Next step
- Owen: fix BUG-3318 (m5.3)
"""
CLAIMS = [
    Claim("Gist", "Charged twice; refund issued.", ("m1.1", "m5.1")),
    Claim("Problem", "The card was charged $59.00 twice.", ("m1.1",)),
    Claim("Problem", "Error 502 at e.g. v. 3.2 stops the export.", ("m3.2", "m3.3")),
    Claim("Tried so far", "Dr. Owen asked billing.", ("m2.2", "m2.3", "m2.4")),
    Claim("Next step", "Owen: fix BUG-3318", ("m5.3",)),
]


def parse(text: str, *cuts: int) -> list[Claim]:
    """Feed a text in the pieces that `cuts` leave, and return all claims."""
    parser = SummaryParser(SECTIONS)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    claims: list[Claim] = []
    for start, end in itertools.pairwise(places):
        claims += parser.feed(text[start:end])
    return [*claims, *parser.finish()]


@given(cuts=st.lists(st.integers(0, len(ANSWER)), max_size=40))
def test_the_claims_do_not_depend_on_how_the_stream_was_cut(cuts: list[int]) -> None:
    assert parse(ANSWER, *cuts) == CLAIMS


def test_a_claim_is_complete_before_its_line_is() -> None:
    parser = SummaryParser(SECTIONS)
    assert parser.feed("Problem: It fails. [m1.1] And") == (Claim("Problem", "It fails.", ("m1.1",)),)
    assert (parser.pending_section, parser.pending) == ("Problem", "And")


def test_what_may_become_a_label_or_a_citation_is_not_shown_as_text() -> None:
    parser = SummaryParser(SECTIONS)
    parser.feed("Tried s")
    assert parser.pending == ""
    parser.feed("o far: It fails [m1.")
    assert parser.pending == "It fails"


@pytest.mark.parametrize("nothing", ["Not in the ticket", "Not in the ticket.", "N/A", "none", "-", "…"])
def test_a_section_that_has_nothing_makes_no_claim(nothing: str) -> None:
    assert parse(f"Problem: {nothing}\nNext step: Call them. [m1.1]\n") == [Claim("Next step", "Call them.", ("m1.1",))]


def test_text_under_no_section_is_kept() -> None:
    assert parse("Here it is:\nThe export fails. They wait.") == [
        Claim(UNNAMED, "The export fails."),
        Claim(UNNAMED, "They wait."),
    ]


def test_chinese_sentences_are_told_apart() -> None:
    assert parse("Problem: 客户无法登录。[m1.1]请重置。[m1.2]") == [
        Claim("Problem", "客户无法登录。", ("m1.1",)),
        Claim("Problem", "请重置。", ("m1.2",)),
    ]


def test_a_range_cites_no_more_than_a_person_would_write_out() -> None:
    (claim,) = parse("Problem: All of it. [m1.1-m1.9999]")
    assert len(claim.citations) <= 13


@pytest.mark.parametrize(
    "loop", ["Problem: The box is on. [m1.1]\n" * 6, "Problem: it is on and on and " + "it is on and on and " * 8]
)
def test_a_model_that_goes_in_circles_is_noticed(loop: str) -> None:
    parser = SummaryParser(SECTIONS)
    claims = parser.feed(loop)
    assert parser.is_going_in_circles
    assert len(claims) <= 1


def test_an_ordinary_answer_is_no_circle() -> None:
    parser = SummaryParser(SECTIONS)
    parser.feed(ANSWER)
    assert not parser.is_going_in_circles


def test_every_section_has_its_text_without_citations() -> None:
    parser = SummaryParser(SECTIONS)
    parser.feed(ANSWER)
    parser.finish()
    assert list(parser.sections) == list(SECTIONS)
    assert parser.sections["Tried so far"] == "Dr. Owen asked billing."


@pytest.mark.parametrize("unseen", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041"])
def test_what_a_reader_cannot_see_is_left_out_of_a_claim(unseen: str) -> None:
    text = f"{unseen}It{unseen} fails.{unseen}"
    assert parse(f"Problem: {text} [m1.1]") == [Claim("Problem", "It fails.", ("m1.1",))]
    parser = SummaryParser(SECTIONS)
    assert parser.take_claim("Problem", text, ("m1.1",)) == (Claim("Problem", "It fails.", ("m1.1",)),)
    assert parser.sections["Problem"] == "It fails."
