"""The card while nothing comes: a wait is counted down and can be cancelled, and who was asked in another's place is said."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.runs import RunState
from desktop.gui.theme.style import Theme
from tests.gui.card_values import claim, shown_card, summary


def test_a_wait_is_counted_down_until_something_comes(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.begin_run("OpenAI")
    card.delay.count_down(11.2, "api.openai.com asks to wait")
    assert card.delay.isVisible()
    assert card.delay.wait.text() == "api.openai.com asks to wait: 12 s"
    card.delay._on_tick()
    assert card.delay.wait.text() == "api.openai.com asks to wait: 11 s"
    card.show_started("OpenAI", "gpt-4.1-mini")
    assert not card.delay.isVisible()


def test_the_seconds_pass_by_themselves_and_end(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.begin_run("OpenAI")
    card.delay.count_down(1, "host asks to wait")
    assert card.delay.is_waiting
    qtbot.waitUntil(lambda: not card.delay.is_waiting)
    assert not card.delay.isVisible()


def test_a_wait_whose_end_nobody_knows_has_no_seconds(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.begin_run("OpenAI")
    card.delay.count_down(0.0, "a ticket with the very same text is being summarized")
    assert card.delay.wait.text() == "a ticket with the very same text is being summarized…"
    assert card.delay.cancel.isVisible()


def test_a_wait_can_be_cancelled(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.begin_run("OpenAI")
    card.delay.count_down(12, "api.openai.com asks to wait")
    with qtbot.waitSignal(card.footer.stop_requested):
        card.delay.cancel.click()
    card.show_summary(summary(state=RunState.CANCELLED, reason="stopped by you"))
    assert not card.delay.isVisible()


def test_who_was_asked_instead_stays_in_sight_until_the_next_run(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    card.begin_run("OpenAI")
    card.show_started("OpenAI", "gpt-4.1-mini")
    card.show_fallback("Ollama", "llama3.2", "The connection was refused.")
    words = "OpenAI did not answer (The connection was refused): asked Ollama instead"
    assert card.delay.others.text() == words
    assert card.head.meta.text() == "Ollama · llama3.2"
    card.show_started("Ollama", "llama3.2")
    card.show_summary(summary(claim("Charged twice.")))
    assert card.delay.isVisible()
    assert card.delay.others.text() == words
    card.begin_run("OpenAI")
    assert not card.delay.isVisible()


def test_a_text_that_broke_off_can_be_continued(qtbot: QtBot, theme: Theme) -> None:
    card = shown_card(qtbot, theme)
    asked: list[int] = []
    card.continue_requested.connect(asked.append)
    broken = summary(claim("Charged twice."), state=RunState.INCOMPLETE, reason="the connection broke", run_id=7)
    card.show_summary(broken)
    button = next(b for b in card.findChildren(QPushButton) if b.text() == "Continue")
    assert button.isVisible()
    button.click()
    assert asked == [7]
    card.show_summary(summary(state=RunState.FAILED, reason="no key", error="provider-no-key", run_id=7))
    assert not button.isVisible(), "there is no text to go on from"
    card.show_summary(summary(claim("Charged twice."), run_id=7))
    assert not button.isVisible()
