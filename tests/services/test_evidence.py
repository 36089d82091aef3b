"""Evidence: a claim that says what the ticket says passes; one with a fact of its own is named with that fact."""

from __future__ import annotations

from collections.abc import Callable

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


def test_a_citation_that_says_something_else_is_corrected_and_the_source_is_called_ours(check) -> None:  # type: ignore[no-untyped-def]
    checked = check("The export button fails with error 502.", "m1.1")
    assert (checked.citations, checked.origin) == (("m3.1",), "found")


def test_a_claim_of_another_ticket_has_no_source(check) -> None:  # type: ignore[no-untyped-def]
    assert check("Printer prints blank visitor labels.").support is Support.UNCITED
    assert check("Printer prints blank refund labels.").support is Support.UNCITED, "one word in five is no source"
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


@pytest.mark.parametrize(
    ("text", "citation", "misplaced"),
    [
        ("The refund takes 49 business days.", "m2.2", "49"),
        ("The export button fails with error 49.", "m3.1", "49"),
        ("Sam upgraded to Pro on 2026-03-03.", "m1.1", "2026-03-03"),
        ("Maria O. asked billing to refund the second charge.", "m2.1", "Maria O"),
    ],
)
def test_a_value_of_the_ticket_that_stands_for_something_else_is_named(
    check: Callable[..., CheckedClaim], text: str, citation: str, misplaced: str
) -> None:
    checked = check(text, citation)
    assert checked.support is Support.PARTIAL
    assert misplaced in checked.misplaced_facts


def test_two_values_of_one_sentence_that_change_places_are_named() -> None:
    check_text = _checker("The plan is 30 euros by law, and I would like to add 25 of our own.")
    assert check_text("By law the plan is 30 euros.", "m1.1").misplaced_facts == ()
    assert check_text("By law the plan is 25 euros.", "m1.1").misplaced_facts == ("25 euros",)


def test_a_name_that_the_ticket_does_not_know_is_missing(check) -> None:  # type: ignore[no-untyped-def]
    checked = check("Billing was asked by Mr. Quayle to refund the second charge.", "m2.1")
    assert (checked.support, checked.missing_facts) == (Support.UNSUPPORTED, ("Quayle",))


@pytest.mark.parametrize(
    ("ticket", "text"),
    [
        ("The account is open for 72 hours.", "The account is open for three days."),
        ("The account is open for 72 hours.", "The account is open for 3 days."),
        ("The new room costs 612 euros, the old one 486 euros.", "The extra cost of the new room is 126 euros."),
    ],
)
def test_a_value_that_follows_from_others_is_no_fact_of_its_own(ticket: str, text: str) -> None:
    checked = _checker(ticket)(text, "m1.1")
    assert (checked.missing_facts, checked.misplaced_facts) == ((), ())


@pytest.mark.parametrize(
    ("ticket", "text", "doubt"),
    [
        ("The monitors are in stock and will be sent.", "The monitors are not in stock.", "not"),
        ("I have booked the option again.", "The customer booked the option again.", "the agent did this"),
        ("I will look into the export.", "Sam guaranteed a free router for the export.", "promised nowhere"),
    ],
)
def test_wording_that_differs_is_named_in_words(ticket: str, text: str, doubt: str) -> None:
    checked = _checker(ticket)(text, "m1.1")
    assert checked.support is not Support.SUPPORTED
    assert doubt in " ".join(checked.doubts)


def test_strictness_only_ever_marks_more() -> None:
    marked = {
        strictness: sum(
            _checker("The export fails since Monday.", strictness)(text, "m1.1").support is not Support.SUPPORTED
            for text in (
                "The export fails.",
                "The export is broken.",
                "Exports do not fail.",
                "Imports fail.",
                "Sam promised it.",
            )
        )
        for strictness in ("lenient", "normal", "strict")
    }
    assert marked["lenient"] <= marked["normal"] <= marked["strict"]
    assert marked["lenient"] < marked["strict"]


def test_a_fact_that_is_missing_is_marked_however_lenient() -> None:
    assert _checker("It costs $49.", "lenient")("It costs $94.", "m1.1").support is Support.UNSUPPORTED


@pytest.mark.parametrize(
    ("ticket", "text"),
    [
        ("Der Drucker wurde am 12. März geliefert.", "Der Drucker wurde am 12. März nicht geliefert."),
        ("L'imprimante a été livrée le 12 mars.", "L'imprimante n'a pas été livrée le 12 mars."),
        ("La impresora fue entregada el 12 de marzo.", "La impresora nunca fue entregada el 12 de marzo."),
    ],
)
def test_a_not_of_another_language_is_seen(ticket: str, text: str) -> None:
    check_text = _checker(ticket)
    assert check_text(ticket, "m1.1").support is Support.SUPPORTED
    assert check_text(text, "m1.1").support is Support.PARTIAL


@pytest.mark.parametrize("text", ["", "…", "42", "()[]", "a" * 5000, "\u202e\x00", "Nicht", "你好，世界"])
def test_any_text_is_checked_without_an_error(check, text: str) -> None:  # type: ignore[no-untyped-def]
    assert 0.0 <= check(text).score <= 1.0


def _checker(text: str, strictness: str = "normal") -> Callable[..., CheckedClaim]:
    """Give a function that checks a claim against one message of an agent."""
    message = Message(1, "Sam O.", Role.AGENT, "2026-03-02T09:14:00Z", text)
    row = TicketRow(1, "zd", "ZD-9", "Question", "open", "", "", "", "Maria K.", "Sam O.", "", "", 1, "")
    prepared = prepare_thread(Thread(row, {}, (message,), "hash"), number_sentences((message,)), strictness=strictness)
    return lambda claim, *citations: check_claim(Claim("Problem", claim, citations), prepared)
