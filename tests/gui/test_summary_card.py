"""The card: claims as they are checked, what was left out and why, and how a run ended, in words."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.runs import (
    ClaimChange,
    Coverage,
    Fields,
    Form,
    Highlight,
    Opinion,
    RunState,
    Summary,
    Support,
)
from desktop.domain.sections import choose_sections
from desktop.gui.claims_view import ClaimsView
from desktop.gui.summary_card import SummaryCard
from desktop.gui.theme.style import Theme
from desktop.gui.thread_view import Span, Use
from desktop.gui.words import Words
from tests.gui.card_values import SPANS, claim, shown_card, summary

HIGHLIGHT = Highlight("charged $49 twice", "m1.1", 1, 8, 25, "Maria K.")


def _button(card: SummaryCard, text: str) -> QPushButton:
    return next(b for b in card.findChildren(QPushButton) if b.text() == text)


def test_highlights_stand_before_any_summary_and_can_be_copied(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_highlights((HIGHLIGHT,))
    assert _button(card, "Copy highlights").isEnabled()
    assert _button(card, "Summarize").isVisible()


def test_claims_and_the_text_being_written_show_while_it_streams(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_started("built-in", "smollm2")
    card.add_claim(claim("Charged twice."))
    card.add_text("Next step", "Refund the sec")
    qtbot.waitUntil(lambda: "Refund the sec" in card.shown_text())
    assert "Problem: Charged twice." in card.shown_text()
    assert _button(card, "Stop").isVisible()
    assert not _button(card, "Summarize").isVisible()


def test_what_the_ticket_does_not_say_is_marked_with_the_reason(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    claims = (
        claim("Charged twice."),
        claim("Refund within 24 hours.", Support.UNSUPPORTED, missing=("24 hours",)),
        claim("He is happy.", Support.UNCITED),
    )
    card.show_summary(Summary(1, RunState.COMPLETE, claims=claims, coverage=Coverage(2, 2)))
    assert "“24 hours” is not in the ticket · left out of copy" in card.shown_text()
    assert "“He is happy.” no source given or found · left out of copy" in card.shown_text()
    assert "1 of 3 sentences supported · 2 of 2 messages read" in [label.text() for label in card.findChildren(Words)]


def test_a_click_on_a_claim_asks_for_its_words(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(Summary(1, RunState.COMPLETE, claims=(claim("Charged twice."),)))
    with qtbot.waitSignal(card.spans_wanted) as asked:
        next(iter(card.body._rows.values())).view.citation_clicked.emit(0)
    assert asked.args == [[Span(1, 0, 24)]]


def test_an_incomplete_run_says_so_keeps_its_text_and_offers_to_try_again(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(
        Summary(
            1,
            RunState.INCOMPLETE,
            reason="the provider closed the stream",
            text="Charged",
            claims=(claim("Charged twice."),),
        )
    )
    words = " ".join(label.text() for label in card.findChildren(Words) if label.isVisible())
    assert "Incomplete: the provider closed the stream." in words
    assert "Problem: Charged twice." in card.shown_text()
    with qtbot.waitSignal(card.summarize_requested):
        _button(card, "Try again").click()


def test_a_fault_of_the_provider_offers_the_providers(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
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


def _row(card: SummaryCard, name: str) -> ClaimsView:
    return card.body._rows[name].view


def _looks(view: ClaimsView) -> list[QTextCharFormat]:
    looks = []
    block = view.document().begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            looks.append(fragments.fragment().charFormat())
            fragments += 1
        block = block.next()
    return looks


def _words(chip: QTextCharFormat) -> str:
    return str(chip.property(int(QTextCharFormat.Property.UserProperty) + 1) or "")


def _tone(chip: QTextCharFormat) -> str:
    return str(chip.property(int(QTextCharFormat.Property.UserProperty) + 2) or "")


# What a section shows


def test_a_section_that_the_ticket_says_nothing_of_says_so_once_the_summary_is_whole(
    qtbot: QtBot, theme: Theme
) -> None:
    card = shown_card(qtbot, theme)
    whole = summary(claim("Charged twice."), claim("By Monday.", Support.UNSUPPORTED, section="Deadlines"))
    card.show_summary(whole)
    assert "Open questions: Not in the ticket" in card.shown_text()
    assert "Deadlines: Left out: see below" in card.shown_text(), "the model did write something of it"
    for other in (replace(whole, state=RunState.INCOMPLETE), replace(whole, form=Form.PLAIN)):
        card.show_summary(other)
        assert "Not in the ticket" not in card.shown_text()


def test_sections_are_shown_in_the_users_order_under_the_users_labels(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.set_choices(
        choose_sections(
            [
                {"name": "Next step", "label": "To do"},
                {"name": "Problem", "label": "Problem", "is_on": False},
            ]
        )
    )
    claims = (claim("It fails."), claim("Mend it.", section="Next step"), claim("A note.", section="Handover"))
    card.show_summary(summary(*claims, sections={}))
    assert card.shown_text().splitlines() == ["To do: Mend it.", "Handover: A note."]


def test_a_section_comes_to_its_place_while_others_are_written(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_started("somewhere", "some-model")
    for section in ("Next step", "Handover", "Problem"):
        card.add_claim(claim(f"{section} it is.", section=section))
    qtbot.waitUntil(lambda: card.shown_text().count("\n") == 2)
    assert [line.split(":")[0] for line in card.shown_text().splitlines()] == ["Problem", "Next step", "Handover"]


def test_the_fields_of_a_summary_stand_beside_their_sections(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    claims = (
        claim("Mend it.", section="Next step"),
        claim("He needs it by 2026-03-06.", section="Deadlines"),
        claim("He is annoyed.", section="Sentiment"),
    )
    card.show_summary(summary(*claims, fields=Fields("agent", "2026-03-06", "angry")))
    assert "He needs it by 6 March 2026." in card.shown_text()
    assert "Support has to act next" in _row(card, "Next step").accessibleName()
    assert "sounds angry" in _row(card, "Sentiment").accessibleName()


def test_a_sentiment_of_one_word_is_said_once_and_still_leads_to_its_source(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    alone = claim("worried.", Support.PARTIAL, section="Sentiment")
    card.show_summary(summary(claim("Charged twice."), alone, fields=Fields("", "", "worried")))
    view = _row(card, "Sentiment")
    assert "worried" not in view.toPlainText()
    chips = [look for look in _looks(view) if look.objectType()]
    assert [_words(chip) for chip in chips] == ["worried", "1"]
    assert [_tone(chip) for chip in chips] == ["warning", "warning"], "it is a reading, and is marked as one"
    assert {chip.anchorHref() for chip in chips} == {"cite:1"}
    assert view.accessibleName().count("worried") == 1
    view.enter(1)
    with qtbot.waitSignal(card.spans_wanted) as wanted:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert wanted.args == [[SPANS["m1.1"]]]
    more = replace(alone, claim=replace(alone.claim, text="worried about the month's end."))
    card.show_summary(summary(more, fields=Fields("", "", "worried")))
    assert "worried about the month's end." in _row(card, "Sentiment").toPlainText()
    assert [_words(look) for look in _looks(_row(card, "Sentiment")) if look.objectType()] == ["worried", "1"]


# What is said of claims


def test_a_citation_that_this_machine_found_does_not_look_like_the_models(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    found = replace(claim("Found here."), origin="found")
    card.show_summary(summary(claim("Cited."), found))
    chips = [look for look in _looks(_row(card, "Problem")) if look.objectType()]
    assert [_tone(chip) for chip in chips] == ["", "found"]
    assert "not named by the model" in chips[1].toolTip()
    assert "not named by the model" not in chips[0].toolTip()


def test_what_is_missing_of_a_claim_is_named_and_the_models_opinion_stands_apart(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    partial = claim("Refund in 24 hours.", Support.PARTIAL, missing=("24 hours",))
    card.show_summary(summary(partial, replace(claim("Charged."), opinion=Opinion.SAYS_OTHERWISE)))
    view = _row(card, "Problem")
    assert "“24 hours” is not in the ticket" in view.toPlainText()
    chips = [look for look in _looks(view) if look.objectType()]
    assert "some-model, asked again: the cited sentences do not say this." in chips[-1].toolTip()
    assert "asked again" not in chips[0].toolTip()


def test_a_card_says_what_it_is(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_highlights((HIGHLIGHT,))
    assert card.head.title.text() == "No summary yet"
    whole = summary(claim("Charged twice."))
    for values, tag in (
        ({"form": Form.REPAIRED}, "structure repaired"),
        ({"form": Form.PLAIN}, "plain text"),
        ({"is_edit": True}, "edited by you"),
        ({"state": RunState.INCOMPLETE, "reason": "the line went dead"}, "incomplete"),
        ({"newer_messages": 3, "stale": True}, "3 messages newer"),
        ({"stale": True}, "the ticket changed"),
    ):
        card.show_summary(replace(whole, **values))
        assert card.head.tag_texts() == [tag]
        assert card.head.title.text() == "Summary"
    card.show_summary(whole, attempt=Summary(1, RunState.FAILED, reason="no network"))
    assert card.head.tag_texts() == ["refresh failed"]
    assert card.head.meta.text() == "some-model · $0.0004"
    assert card.body.notice._words.text() == "Not refreshed: no network."
    card.show_summary(Summary(1, RunState.FAILED, reason="no network"))
    assert card.head.title.text() == "No summary"


def test_many_sentences_that_are_left_out_do_not_bury_the_others(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(summary(*(claim(f"Made up {n}.", Support.UNSUPPORTED) for n in range(40))))
    assert len(card.body.strips.strips()) == 6
    _button(card, "34 more sentences left out of copy").click()
    assert len(card.body.strips.strips()) == 40


# Evidence both ways, and the keyboard


def test_the_thread_is_told_which_claims_use_which_sentence(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    claims = (claim("Charged twice."), claim("Refund it.", section="Next step"), claim("No.", Support.UNSUPPORTED))
    with qtbot.waitSignal(card.uses_changed) as told:
        card.show_summary(summary(*claims))
    assert told.args == [[Use(SPANS["m1.1"], (0, 1), "Problem, Next step")]]


def test_a_sentence_of_the_thread_makes_its_claims_active(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(summary(claim("Charged twice."), claim("Refund it.", section="Next step", cited=("m2.1",))))
    with qtbot.waitSignal(card.spans_wanted) as asked:
        card.activate([1])
    assert asked.args == [[SPANS["m2.1"]]]
    chips = [look for name in ("Problem", "Next step") for look in _looks(_row(card, name)) if look.objectType()]
    assert [_tone(chip) for chip in chips] == ["", "active"]


def test_keys_go_from_claim_to_claim_and_enter_lights_one_up(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    claims = (claim("One."), claim("Two."), claim("Three.", section="Next step", cited=("m2.1",)))
    card.show_summary(summary(*claims))
    problem, following = _row(card, "Problem"), _row(card, "Next step")
    card.window().activateWindow()
    qtbot.waitUntil(lambda: following.isVisible() and card.window().isActiveWindow())
    problem.enter(1)
    QTest.keyClick(problem, Qt.Key.Key_Down)
    assert problem.current == 1
    QTest.keyClick(problem, Qt.Key.Key_Down)
    assert following.current == 2
    with qtbot.waitSignal(card.spans_wanted) as asked:
        QTest.keyClick(following, Qt.Key.Key_Return)
    assert asked.args == [[SPANS["m2.1"]]]
    QTest.keyClick(following, Qt.Key.Key_Up)
    assert problem.current == 1


def test_unused_messages_are_shown_one_after_the_other(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(summary(claim("Charged twice."), coverage=Coverage(4, 4, ("m2", "m4"))))
    asked: list[list[int]] = []
    card.messages_wanted.connect(asked.append)
    link = _button(card, "2 not used")
    for said in ("Message 2, not used (1 of 2)", "Message 4, not used (2 of 2)", "Message 2, not used (1 of 2)"):
        link.click()
        assert card.footer.status.text() == said
    assert asked == [[2], [4], [2]]


# What can be done


def test_refresh_is_offered_only_when_something_would_come_of_it(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    whole = summary(claim("Charged twice."))
    card.show_summary(whole)
    refresh = card.footer.refresh_button
    assert not refresh.isEnabled()
    assert "has not changed" in refresh.toolTip()
    assert card.footer.anew_action.isEnabled()
    for changed in ({"stale": True}, {"newer_messages": 1}, {"state": RunState.CANCELLED}):
        card.show_summary(replace(whole, **changed))
        assert refresh.isEnabled()


def test_what_a_refresh_changed_is_one_click_away(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    old, new = claim("Charged $49 twice."), claim("Charged $59 twice.")
    same, gone = claim("It is open."), claim("He waits.")
    card.show_summary(summary(new, same))
    card.show_changes((ClaimChange(old, new), ClaimChange(same, same), ClaimChange(gone, None)))
    assert not card.changes.isVisible()
    _button(card, "What changed (2)").click()
    assert card.changes.isVisible()
    assert "~ Charged $4959 twice." in card.changes.toPlainText()
    assert "− He waits." in card.changes.toPlainText()
    struck = [look.fontStrikeOut() for look in _looks(card.changes)]  # type: ignore[arg-type]
    assert any(struck)


def test_thinking_is_folded_and_no_part_of_the_summary(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_started("somewhere", "some-model")
    card.add_thinking("The customer wants his mon")
    card.add_thinking("ey back.")
    qtbot.waitUntil(lambda: card.thinking.isVisible())
    assert card.thinking.toggle.text() == "Thinking… (6 words)"
    assert not card.thinking.text.isVisible()
    card.thinking.toggle.click()
    assert card.thinking.text.toPlainText() == "The customer wants his money back."
    card.show_summary(summary(claim("Charged twice."), thinking="The customer wants his money back."))
    assert card.thinking.toggle.text() == "Thinking (6 words)"
    assert "his money back" not in card.shown_text()


def test_a_long_ticket_says_which_part_is_read(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_started("somewhere", "some-model")
    card.show_progress(1, 5)
    assert card.footer.status.text() == "Reading part 2 of 5"


def test_a_second_opinion_replaces_the_claims_in_place(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_started("somewhere", "some-model")
    one = claim("Charged twice.")
    card.add_claim(one)
    card.show_claims((replace(one, opinion=Opinion.SAYS_SO),))
    assert "The model, asked again" in _row(card, "Problem").accessibleName()


def test_only_what_is_new_is_put_in_while_a_summary_is_written(qtbot: QtBot, theme: Theme) -> None:
    """Drawing all anew for every piece would make a long summary cost its length squared."""
    card = shown_card(qtbot, theme)
    card.show_started("somewhere", "some-model")
    card.add_claim(claim("One."))
    qtbot.waitUntil(lambda: "One." in card.shown_text())
    view = _row(card, "Problem")
    drawn: list[int] = []
    view.document().contentsChange.connect(lambda _, removed, added: drawn.append(max(removed, added)))
    for number in range(50):
        card.add_claim(claim(f"Sentence number {number} of many."))
        card.add_text("Problem", f"and {number} more")
    qtbot.waitUntil(lambda: "and 49 more" in card.shown_text())
    drawn.clear()
    card.add_text("Problem", "and 49 more and")
    qtbot.waitUntil(lambda: "49 more and" in card.shown_text())
    assert sum(drawn) < 20


def test_every_control_of_the_card_has_a_name(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(summary(claim("Charged twice."), thinking="Hm."))
    card.show_editor("Problem: Charged twice. [m1.1]")
    nameless = [
        button.objectName() or button.toolTip()
        for button in card.findChildren(QPushButton)
        if not (button.text() or button.accessibleName())
    ]
    assert nameless == []


def test_a_link_in_a_claim_is_handed_out_by_mouse_and_by_key(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.show_summary(summary(claim("See https://example.com/status for it.")))
    view = _row(card, "Problem")
    card.window().activateWindow()
    qtbot.waitUntil(lambda: view.isVisible() and card.window().isActiveWindow())
    asked: list[str] = []
    card.link_wanted.connect(asked.append)
    place = view.cursorRect(view.document().find("example")).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    view.enter(1)
    QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked == ["https://example.com/status"] * 2
