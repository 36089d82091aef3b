"""Evidence: a claim that says what the ticket says passes; one with a fact of its own is named with that fact."""

from __future__ import annotations

import pytest

from desktop.domain.runs import CheckedClaim, Claim, Support
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.evidence import check_claim, coverage, prepare_thread

MESSAGES = (
    Message(
        1,
        "Maria K.",
        Role.CUSTOMER,
        "2026-03-02T09:14:00Z",
        "I upgraded to Pro yesterday. My card was charged $49 twice. Please refund order A-1183 before Friday.",
    ),
    Message(
        2,
        "Sam O.",
        Role.AGENT,
        "2026-03-03T11:40:00Z",
        "I have asked billing to refund the second charge. It takes 3 to 5 business days.",
    ),
    Message(3, "Maria K.", Role.CUSTOMER, "2026-03-04T08:02:00Z", "Now the export button fails with error 502."),
)


@pytest.fixture
def check() -> object:
    """Give a function that checks a claim against the ticket above."""
    row = TicketRow(1, "zd", "ZD-9", "Charged twice", "open", "", "", "", "Maria K.", "Sam O.", "", "", 3, "")
    prepared = prepare_thread(Thread(row, {}, MESSAGES, "hash"), number_sentences(MESSAGES))

    def check_text(text: str, *citations: str) -> CheckedClaim:
        return check_claim(Claim("Problem", text, citations), prepared)

    return check_text


@pytest.mark.parametrize(
    ("text", "citation"),
    [
        ("Maria's card was charged $49 twice.", "m1.2"),
        ("She upgraded to Pro on 2026-03-01.", "m1.1"),
        ("A refund of order A-1183 is wanted before 2026-03-06.", "m1.3"),
        ("Sam asked billing to refund the charge on March 3.", "m2.1"),
        ("The refund takes three to five business days.", "m2.2"),
        ("The export fails with error 502.", "m3"),
    ],
)
def test_what_the_ticket_says_is_supported(check, text: str, citation: str) -> None:  # type: ignore[no-untyped-def]
    checked = check(text, citation)
    assert (checked.support, checked.missing_facts) == (Support.SUPPORTED, ())
    assert checked.origin == "model"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Her card was charged $94 twice.", "$94"),
        ("Her card was charged €49 twice.", "€49"),
        ("Please refund order A-1182 before Friday.", "A-1182"),
        ("Please refund order A-1183 before Thursday, 2026-03-12.", "2026-03-12"),
        ("The refund takes 24 hours.", "24"),
    ],
)
def test_a_fact_that_stands_nowhere_is_named(check, text: str, missing: str) -> None:  # type: ignore[no-untyped-def]
    checked = check(text, "m1.2", "m1.3")
    assert checked.support is Support.UNSUPPORTED
    assert missing in " ".join(checked.missing_facts)


def test_a_fact_from_elsewhere_in_the_ticket_is_misplaced(check) -> None:  # type: ignore[no-untyped-def]
    checked = check("The refund of the second charge takes business days, error 502.", "m2.2")
    assert (checked.support, checked.misplaced_facts, checked.missing_facts) == (Support.PARTIAL, ("502",), ())


def test_a_claim_without_citation_is_looked_up_and_the_source_is_called_ours(check) -> None:  # type: ignore[no-untyped-def]
    checked = check("The export button fails with error 502.")
    assert (checked.support, checked.citations, checked.origin) == (Support.SUPPORTED, ("m3.1",), "found")


def test_a_citation_that_says_something_else_is_corrected_and_never_fully_supported(check) -> None:  # type: ignore[no-untyped-def]
    checked = check("The export button fails with error 502.", "m1.1")
    assert (checked.support, checked.citations, checked.origin) == (Support.PARTIAL, ("m3.1",), "found")


def test_a_claim_of_another_ticket_has_no_source(check) -> None:  # type: ignore[no-untyped-def]
    assert check("Printer prints blank visitor labels.").support is Support.UNCITED
    assert check("Printer prints blank visitor labels.", "m1.1").support is Support.UNSUPPORTED


def test_a_not_that_the_ticket_does_not_say_is_worth_a_look(check) -> None:  # type: ignore[no-untyped-def]
    assert check("Her card was not charged $49 twice.", "m1.2").support is Support.PARTIAL
    assert check("The export button cannot be used, it fails with error 502.", "m3.1").support is Support.SUPPORTED


def test_citations_that_do_not_exist_are_dropped(check) -> None:  # type: ignore[no-untyped-def]
    assert check("Her card was charged $49 twice.", "m1.2", "m9.9", "m7").citations == ("m1.2",)
    assert check("Printer prints labels.", "m9.9").support is Support.UNCITED


def test_coverage_names_the_messages_that_no_claim_cites(check) -> None:  # type: ignore[no-untyped-def]
    row = TicketRow(1, "zd", "ZD-9", "Charged twice", "open", "", "", "", "Maria K.", "Sam O.", "", "", 3, "")
    prepared = prepare_thread(Thread(row, {}, MESSAGES, "hash"), number_sentences(MESSAGES))
    found = coverage(prepared, [check("My card was charged $49 twice.", "m1.2")], read=3)
    assert (found.messages, found.read, found.unused) == (3, 3, ("m2", "m3"))
