"""The pane with its services: versions, edits, pasted text, stars and links of the ticket that is shown, in the real window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPlainTextEdit, QTableView, QTextBrowser
from pytestqt.qtbot import QtBot

from desktop.gui.sections_panel import SectionsPanel
from desktop.gui.versions_view import VersionsView
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.gui.real_window import opened_window, until

FIRST = "Gist: The card was charged twice. [m1.1]\nProblem: The card ending 3307 shows $59.00 twice. [m1.1]\n"
SECOND = "Gist: The card was charged twice. [m1.1]\nProblem: The card shows $59.00 twice. [m1.1]\n"


@asynccontextmanager
async def summarized_window(data_dir: Path, *answers: str) -> AsyncIterator[tuple[MainWindow, Desk]]:
    """Open the window, write the first answer as the first ticket's summary, and have the others ready."""
    with ScriptedServer(*(good_stream(answer) for answer in answers)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            await until(lambda: window.ticket.ticket_id, "the first ticket")
            window.ticket.summarize(again=False)
            await _written(window, "3307")
            yield window, desk


async def _written(window: MainWindow, text: str) -> None:
    card = window.ticket.card
    await until(lambda: text in card.shown_text() and not card.is_running, "the summary")
    await until(lambda: not window.ticket.jobs.is_busy, "the end of the run")


async def _write_anew(window: MainWindow) -> None:
    window.ticket.card.footer.anew_action.trigger()
    await until(lambda: window.ticket.card.is_running, "the second run")
    await until(lambda: not window.ticket.card.is_running, "its end")
    await until(lambda: not window.ticket.jobs.is_busy, "the end of the run")


async def test_a_new_summary_tells_what_changed_and_the_old_one_can_be_restored(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST, SECOND) as (window, _):
        pane = window.ticket
        await _write_anew(window)
        assert "3307" not in pane.card.shown_text()
        assert pane.card.footer.changes_button.isVisible()
        pane.card.footer.changes_button.click()
        assert "3307" in pane.card.changes.toPlainText()
        await until(lambda: pane.card.footer.versions_action.text() == "Versions (2)…", "the number of versions")
        pane.card.footer.versions_action.trigger()
        view = pane.versions.view
        await until(lambda: view.table.rowCount() == 2, "the versions")
        assert not pane.card.isVisible()
        QTest.keyClick(view.table, Qt.Key.Key_Down)
        await until(lambda: "3307" in view.body.text(), "the first version")
        view.restore_button.click()
        await _written(window, "3307")
        assert pane.card.isVisible()
        assert not view.isVisible()


async def test_two_versions_are_compared_and_escape_leads_back(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST, SECOND) as (window, _):
        pane = window.ticket
        await _write_anew(window)
        pane.card.footer.versions_action.setEnabled(True)
        pane.card.footer.versions_action.trigger()
        view = pane.versions.view
        await until(lambda: view.table.rowCount() == 2, "the versions")
        view.table.selectAll()
        await until(lambda: "3307" in view.changes.toPlainText(), "the difference")
        QTest.keyClick(view.table, Qt.Key.Key_Escape)
        assert pane.card.isVisible()


async def test_an_edit_is_checked_kept_apart_and_called_the_users(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, desk):
        card = window.ticket.card
        card.footer.edit_action.trigger()
        editor = card.editor
        assert editor.text.toPlainText().startswith("Gist: The card was charged twice. [m1.1]")
        editor.text.setPlainText("Problem: The card was charged $777 twice. [m1.1]")
        await until(lambda: "$777" in editor.findings.toPlainText(), "what is missing")
        editor.text.setPlainText("Problem: The card ending 3307 shows $59.00 twice, says Hanna. [m1.1]")
        QTest.keyClick(editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: "edited by you" in card.head.tag_texts(), "the edit")
        assert not card.is_editing
        assert card.head.model_version.isVisible()
        card.head.model_version.click()
        view = window.ticket.versions.view
        await until(lambda: "charged twice" in view.body.text(), "the model's version")
        assert window.ticket.ticket_id is not None
        opened = await desk.summaries.open_ticket(window.ticket.ticket_id)
        assert opened.summary is not None
        assert opened.summary.is_edit


async def test_a_draft_is_there_again_when_one_comes_back_to_its_ticket(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, _):
        pane, first = window.ticket, window.ticket.ticket_id
        assert first is not None
        pane.card.footer.edit_action.trigger()
        pane.card.editor.text.setPlainText("Problem: Half a thou")
        other = window.list.model.id_at(3)
        pane.show_ticket(other)
        await until(lambda: pane.ticket_id == other, "the other ticket")
        assert not pane.card.is_editing
        pane.show_ticket(first)
        await until(lambda: pane.ticket_id == first and pane.card.is_editing, "the draft")
        assert pane.card.editor.text.toPlainText() == "Problem: Half a thou"
        QTest.keyClick(pane.card.editor.text, Qt.Key.Key_Escape)
        assert not pane.card.is_editing
        pane.show_ticket(other)
        await until(lambda: pane.ticket_id == other, "the other ticket")
        pane.show_ticket(first)
        await until(lambda: pane.ticket_id == first, "the first ticket")
        assert not pane.card.is_editing


async def test_pasted_text_is_checked_against_the_ticket_that_is_shown(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        pane = window.ticket
        await until(lambda: pane.ticket_id, "the first ticket")
        pane.card.footer.verify_action.trigger()
        assert pane.verify.isVisible()
        pane.verify.text.setPlainText("Your card ending 3307 shows $59.00 twice. You get $888 back tomorrow.")
        await until(lambda: pane.verify.status.text() == "1 of 2 sentences supported", "what was found")
        assert "$888" in pane.verify.found.toPlainText()
        pane.verify.found.citation_clicked.emit(0)
        assert "$59.00 twice" in pane.thread_view.lit_text()
        QTest.keyClick(pane.verify.text, Qt.Key.Key_Escape)
        assert not pane.verify.isVisible()


async def test_a_star_is_kept(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        pane = window.ticket
        await until(lambda: pane.ticket_id, "the first ticket")
        assert pane.ticket_id is not None
        pane.star_button.click()
        assert "Click to take it back" in pane.star_button.toolTip()
        await until(lambda: not pane.asides.is_busy, "the star")
        assert (await desk.summaries.open_ticket(pane.ticket_id)).is_starred


async def test_sections_are_kept_as_the_user_wants_them(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, desk):
        card = window.ticket.card
        card.footer.sections_action.trigger()
        assert card.sections.isVisible()
        row = card.sections._rows[0]
        row.name.setText("What is wrong")
        row.name.editingFinished.emit()
        card.sections.done_button.click()
        assert "What is wrong: The card ending 3307" in card.shown_text()
        assert desk.settings.get("sections")[0] == {"name": "Problem", "label": "What is wrong", "is_on": True}
        card.sections.reset_button.click()
        assert desk.settings.get("sections") == []


async def test_a_sentence_of_the_thread_leads_to_its_claims(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, _):
        pane = window.ticket
        uses = pane.thread_view._uses
        assert [use.label for use in uses] == ["Gist, Problem"]
        pane.thread_view.claims_wanted.emit(list(uses[0].claims))
        assert pane.card.body._active == {0, 1}
        assert "$59.00 twice" in pane.thread_view.lit_text()


async def test_the_messages_that_no_claim_uses_light_up_whole(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, _):
        pane = window.ticket
        assert pane.card.footer.unused_link.isVisible()
        pane.card.footer.unused_link.click()
        assert pane.card.footer.status.text().startswith("Message 2, not used")
        assert pane._thread is not None
        # Quoted history and signature included: the message is shown whole.
        assert pane.thread_view.lit_text().startswith(pane._thread.messages[1].text[:20])


async def test_a_link_is_asked_about_and_escape_leaves_it(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        pane = window.ticket
        await until(lambda: pane.ticket_id, "the first ticket")
        pane.thread_view.link_wanted.emit("https://example.com/a")
        assert pane.links.isVisible()
        assert pane.links.address.toPlainText() == "https://example.com/a"
        QTest.keyClick(pane.thread_view, Qt.Key.Key_Escape)
        assert not pane.links.isVisible()


async def test_every_control_of_the_pane_can_be_named_by_a_screen_reader(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, _):
        pane = window.ticket
        controls = [
            *pane.findChildren(QAbstractButton),
            *pane.findChildren(QLineEdit),
            *pane.findChildren(QPlainTextEdit),
            *pane.findChildren(QTextBrowser),
            *pane.findChildren(QTableView),
        ]
        nameless = [
            f"{type(control).__name__} in {type(control.parent()).__name__}"
            for control in controls
            if control.isVisibleTo(pane) and not (control.accessibleName() or getattr(control, "text", str)())
        ]
        assert not nameless


async def test_what_is_rarely_opened_is_built_when_it_is(qtbot: QtBot, data_dir: Path) -> None:
    async with summarized_window(data_dir, FIRST) as (window, _):
        pane = window.ticket
        assert not pane.findChildren(VersionsView), "the first window waits for what nobody asked for"
        assert not pane.findChildren(SectionsPanel)
        for _ in range(2):
            pane.card.footer.versions_requested.emit()
            assert pane.versions.view.isVisible()
            pane.escape()
            pane.card.show_sections()
            assert pane.card.sections.isVisible()
            pane.escape()
            assert pane.card.isVisible()
            assert not pane.card.is_editing
        assert (len(pane.findChildren(VersionsView)), len(pane.findChildren(SectionsPanel))) == (1, 1)
