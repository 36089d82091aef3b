"""The card: claims as they are checked, what was left out and why, and how a run ended, in words."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.runs import CheckedClaim, Claim, Coverage, Highlight, RunState, Summary, Support
from desktop.gui.summary_card import SummaryCard
from desktop.gui.theme.style import Theme
from desktop.gui.thread_view import Span
from desktop.gui.words import Words

HIGHLIGHT = Highlight("charged $49 twice", "m1.1", 1, 8, 25, "Maria K.")


def _claim(
    text: str, support: Support = Support.SUPPORTED, *, section: str = "Problem", missing: tuple[str, ...] = ()
) -> CheckedClaim:
    cited = () if support is Support.UNCITED else ("m1.1",)
    return CheckedClaim(Claim(section, text, cited), support, 0.9, cited, missing)


def _card(qtbot: QtBot, theme: Theme) -> SummaryCard:
    # The card sizes itself by the pane it stands in.
    pane = QWidget()
    pane.resize(700, 800)
    card = SummaryCard(theme)
    card.setParent(pane)
    card.resize(700, 400)
    qtbot.addWidget(pane)
    card.reset({"m1.1": "I was charged $49 twice."}, {"m1.1": Span(1, 0, 24)})
    pane.show()
    card.pane = pane  # type: ignore[attr-defined]
    return card


def _button(card: SummaryCard, text: str) -> QPushButton:
    return next(b for b in card.findChildren(QPushButton) if b.text() == text)


def test_highlights_stand_before_any_summary_and_can_be_copied(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    card.show_highlights((HIGHLIGHT,))
    assert _button(card, "Copy highlights").isEnabled()
    assert _button(card, "Summarize").isVisible()


def test_claims_and_the_text_being_written_show_while_it_streams(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    card.show_started("built-in", "smollm2")
    card.add_claim(_claim("Charged twice."))
    card.add_text("Next step", "Refund the sec")
    qtbot.waitUntil(lambda: "Refund the sec" in card.shown_text())
    assert "Problem: Charged twice." in card.shown_text()
    assert _button(card, "Stop").isVisible()
    assert not _button(card, "Summarize").isVisible()


def test_what_the_ticket_does_not_say_is_marked_with_the_reason(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    claims = (
        _claim("Charged twice."),
        _claim("Refund within 24 hours.", Support.UNSUPPORTED, missing=("24 hours",)),
        _claim("He is happy.", Support.UNCITED),
    )
    card.show_summary(Summary(1, RunState.COMPLETE, claims=claims, coverage=Coverage(2, 2)))
    assert "“24 hours” is not in the ticket · left out of copy" in card.shown_text()
    assert "“He is happy.” no source given or found · left out of copy" in card.shown_text()
    assert "1 of 3 sentences supported · 2 of 2 messages read" in [label.text() for label in card.findChildren(Words)]


def test_a_click_on_a_claim_asks_for_its_words(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    card.show_summary(Summary(1, RunState.COMPLETE, claims=(_claim("Charged twice."),)))
    with qtbot.waitSignal(card.spans_wanted) as asked:
        next(iter(card.body._rows.values())).view.citation_clicked.emit(0)
    assert asked.args == [[Span(1, 0, 24)]]


def test_an_incomplete_run_says_so_keeps_its_text_and_offers_to_try_again(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    card.show_summary(
        Summary(
            1,
            RunState.INCOMPLETE,
            reason="the provider closed the stream",
            text="Charged",
            claims=(_claim("Charged twice."),),
        )
    )
    words = " ".join(label.text() for label in card.findChildren(Words) if label.isVisible())
    assert "Incomplete: the provider closed the stream." in words
    assert "Problem: Charged twice." in card.shown_text()
    with qtbot.waitSignal(card.summarize_requested):
        _button(card, "Try again").click()


def test_a_fault_of_the_provider_offers_the_providers(qtbot: QtBot, theme: Theme) -> None:
    card = _card(qtbot, theme)
    card.show_summary(
        Summary(
            1,
            RunState.FAILED,
            reason="api.example did not accept the key.",
            error="provider-key",
            remedy="Check the key.",
        )
    )
    with qtbot.waitSignal(card.providers_requested):
        _button(card, "Providers…").click()
