"""What stands beside the card: the choice of sections, the editor, pasted text, versions, and the badge for instructions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.runs import ClaimChange, Coverage, Form, RunState, Support, Verified, Version
from desktop.domain.sections import STANDARD_SECTIONS, SectionChoice
from desktop.gui.claim_changes_view import compare_words
from desktop.gui.instructions_strip import InstructionsStrip
from desktop.gui.sections_panel import SectionsPanel
from desktop.gui.summary_editor import SummaryEditor, locate
from desktop.gui.theme.style import Theme
from desktop.gui.thread_view import Span
from desktop.gui.verify_panel import VerifyPanel
from desktop.gui.versions_view import VersionsView
from desktop.services.claims import SummaryParser
from desktop.services.lines import write_lines
from tests.gui.card_values import SENTENCES, SPANS, claim, in_pane, summary


def _names(choices: tuple[SectionChoice, ...]) -> list[str]:
    return [choice.name for choice in choices]


def test_sections_are_switched_renamed_moved_and_reset(qtbot: QtBot, theme: Theme) -> None:
    panel = SectionsPanel(theme)
    in_pane(qtbot, panel)
    told: list[tuple[SectionChoice, ...]] = []
    panel.chosen.connect(told.append)
    first = panel._rows[0]
    first.box.click()
    assert told[-1][0] == SectionChoice("Problem", "Problem", is_on=False)
    first.name.setText("  What is   wrong ")
    first.name.editingFinished.emit()
    assert told[-1][0].label == "What is wrong"
    QTest.keyClick(first.name, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert _names(told[-1])[:2] == ["Tried so far", "Problem"]
    assert panel._rows[1].name.text() == "What is wrong"
    panel._rows[1].up.click()
    assert _names(told[-1])[0] == "Problem"
    assert not panel._rows[0].up.isEnabled()
    assert not panel._rows[-1].down.isEnabled()
    panel.reset_button.click()
    assert told[-1] == tuple(SectionChoice(name, name) for name in STANDARD_SECTIONS)


def test_a_section_without_a_label_goes_back_to_its_own_name(qtbot: QtBot, theme: Theme) -> None:
    panel = SectionsPanel(theme)
    in_pane(qtbot, panel)
    panel.show_choices([SectionChoice(name, f"My {name}") for name in STANDARD_SECTIONS])
    with qtbot.waitSignal(panel.chosen) as told:
        panel._rows[0].name.clear()
        panel._rows[0].name.editingFinished.emit()
    assert told.args[0][0] == SectionChoice("Problem", "Problem")


def test_a_summary_is_edited_in_the_lines_that_are_read_back() -> None:
    claims = (
        claim("Charged twice.", section="Gist", cited=("m1.1", "m2.1")),
        claim("It fails."),
        claim("Since Monday.", cited=("m2.1",)),
        claim("Mend it.", section="Next step"),
    )
    text = write_lines(claims)
    assert (
        text
        == "Gist: Charged twice. [m1.1][m2.1]\nProblem: It fails. [m1.1] Since Monday. [m2.1]\nNext step: Mend it. [m1.1]"
    )
    parser = SummaryParser(("Problem", "Next step"))
    assert (*parser.feed(text), *parser.finish()) == tuple(checked.claim for checked in claims)


def test_the_editor_asks_once_one_pauses_and_names_what_is_missing(qtbot: QtBot, theme: Theme) -> None:
    editor = SummaryEditor(theme)
    in_pane(qtbot, editor)
    asked: list[str] = []
    editor.check_wanted.connect(asked.append)
    editor.edit("Problem: 🙂 It fails. [m1.1]")
    QTest.keyClick(editor.text, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(editor.text, Qt.Key.Key_Return)
    QTest.keyClicks(editor.text, "Next step: In 24 hours.")
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert asked[1].endswith("In 24 hours.")
    missing = claim("In 24 hours.", Support.PARTIAL, section="Next step", missing=("24 hours",))
    editor.show_verified(Verified((claim("🙂 It fails."), missing), Coverage(1, 1)))
    assert editor.findings.toPlainText() == "Line 2: “24 hours” is not in the ticket"
    assert [s.cursor.selectedText() for s in editor.text.extraSelections()] == ["In 24 hours."]
    assert editor.status.text() == "1 of 2 sentences supported"


def test_an_edit_is_saved_by_its_key(qtbot: QtBot, theme: Theme) -> None:
    editor = SummaryEditor(theme)
    in_pane(qtbot, editor)
    editor.edit("Problem: It fails.")
    with qtbot.waitSignal(editor.saved) as saved:
        QTest.keyClick(editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert saved.args == ["Problem: It fails."]
    editor.text.clear()
    assert not editor.save_button.isEnabled()


def test_claims_are_found_where_they_stand_whatever_the_line_breaks() -> None:
    text = "Problem: It\n fails. It fails."
    places = [place for _, place in locate(text, (claim("It fails."), claim("It fails."), claim("Gone.")))]
    assert places == [(9, 19), (20, 29), None]


def test_each_sentence_of_a_pasted_text_tells_what_was_found_of_it(qtbot: QtBot, theme: Theme) -> None:
    panel = VerifyPanel(theme)
    in_pane(qtbot, panel, is_shown=False)
    panel.reset(SENTENCES, SPANS)
    panel.open()
    with qtbot.waitSignal(panel.check_wanted) as asked:
        panel.text.setPlainText("You were charged $49 twice. You get $99 back.")
    assert asked.args == ["You were charged $49 twice. You get $99 back."]
    bad = claim("You get $99 back.", Support.UNSUPPORTED, missing=("$99",))
    panel.show_verified(Verified((claim("You were charged $49 twice."), bad), Coverage(2, 2)))
    assert panel.found.toPlainText().splitlines()[1].endswith("“$99” is not in the ticket ")
    qtbot.waitUntil(lambda: panel.found.visibleRegion().boundingRect().height() >= panel.found.height())
    assert panel.status.text() == "1 of 2 sentences supported"
    with qtbot.waitSignal(panel.spans_wanted) as lit:
        panel.found.citation_clicked.emit(0)
    assert lit.args == [[SPANS["m1.1"]]]
    panel.limits_toggle.click()
    assert "may still be mistaken" in panel.limits.text()
    assert panel.limits.isVisible()


def _version(run_id: int, **values: object) -> Version:
    version = Version(
        run_id,
        f"2026-03-0{run_id}T10:00:00Z",
        RunState.COMPLETE,
        Form.SECTIONS,
        "somewhere",
        "some-model",
        "summarize",
        2,
        400,
        is_edit=False,
        is_shown=False,
        gist="The gist.",
    )
    return replace(version, **values)  # type: ignore[arg-type]


@pytest.fixture
def versions(qtbot: QtBot, theme: Theme) -> VersionsView:
    """Give the view of three versions, of which a person's edit is shown."""
    view = VersionsView(theme)
    in_pane(qtbot, view)
    view.show_versions(
        (_version(3, is_edit=True, is_shown=True), _version(2, form=Form.PLAIN), _version(1, state=RunState.CANCELLED))
    )
    return view


def test_versions_say_who_wrote_them_and_how_they_ended(versions: VersionsView) -> None:
    rows = [
        [versions.table.item(row, column).text() for column in range(5)]  # type: ignore[union-attr]
        for row in range(3)
    ]
    assert rows[0] == ["3 March 2026, 10:00 · shown", "you (edited)", "summarize 2", "whole", ""]
    assert rows[1] == ["2 March 2026, 10:00", "some-model", "summarize 2", "whole, plain text", "$0.0004"]
    assert rows[2][3] == "stopped"
    assert not versions.restore_button.isEnabled(), "the first is what is shown"


def test_a_version_is_looked_at_compared_and_restored(qtbot: QtBot, versions: VersionsView) -> None:
    wanted: list[int] = []
    versions.version_wanted.connect(wanted.append)
    QTest.keyClick(versions.table, Qt.Key.Key_Down)
    assert wanted == [2]
    versions.show_version(summary(claim("As it was.")))
    assert "As it was." in versions.body.text()
    with qtbot.waitSignal(versions.restore_requested) as restored:
        versions.restore_button.click()
    assert restored.args == [2]
    with qtbot.waitSignal(versions.comparison_wanted) as compared:
        versions.table.selectAll()
    assert compared.args == [1, 3]
    versions.show_comparison((ClaimChange(claim("Old words."), claim("New words.")),))
    assert versions.changes.toPlainText() == "Problem  ~ OldNew words."


def test_changed_words_are_told_one_by_one() -> None:
    pieces = list(compare_words("The refund of $49 is due.", "The refund of $59 is due today."))
    assert [(kind, words) for kind, words in pieces if kind != "="] == [("-", "49"), ("+", "59"), ("+", " today")]
    assert "".join(words for kind, words in pieces if kind != "-") == "The refund of $59 is due today."


def test_text_that_addresses_a_model_is_pointed_out_and_shown(qtbot: QtBot, theme: Theme) -> None:
    strip = InstructionsStrip(theme)
    in_pane(qtbot, strip, is_shown=False)
    strip.show_spans([])
    assert strip.text() == ""
    strip.show_spans([Span(1, 0, 5), Span(3, 2, 9)])
    assert "addresses a model (2 places)" in strip.text()
    asked: list[list[Span]] = []
    strip.spans_wanted.connect(asked.append)
    button = strip.findChild(QPushButton)
    assert button is not None
    for _ in range(3):
        button.click()
    assert asked == [[Span(1, 0, 5)], [Span(3, 2, 9)], [Span(1, 0, 5)]]
