"""Verifying: a free text is cut into the sentences that say something of the ticket, each once, each with its citations."""

from __future__ import annotations

import pytest

from desktop.services.verifying import cut_claims


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (
            "The export fails. [m1.2] It is urgent [m1.3].",
            [("The export fails.", ("m1.2",)), ("It is urgent.", ("m1.3",))],
        ),
        (
            "# Summary of today\n\nProblem: The export fails.\n---\n- One.\n- Two!",
            [("The export fails.", ()), ("One.", ()), ("Two!", ())],
        ),
        (
            "Hi Maria,\n\nI have refunded the second charge of order A-1183 and the\nmoney arrives by Friday.\n\nBest regards,\nSam O.\nSupport",
            [("I have refunded the second charge of order A-1183 and the money arrives by Friday.", ())],
        ),
        (
            "Der Export schlägt fehl. [m1.1]\r\nKein Fehler.",
            [("Der Export schlägt fehl.", ("m1.1",)), ("Kein Fehler.", ())],
        ),
        ("\n \n", []),
    ],
)
def test_a_text_is_cut_into_its_claims(text: str, claims: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(claim.text, claim.citations) for claim in cut_claims(text)] == claims
