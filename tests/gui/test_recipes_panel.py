"""The recipes panel: a recipe is edited, checked, previewed for a real ticket, tried, kept as the user's own, and reverted."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.gui.recipes_panel import RecipesPanel
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import Script, ScriptedServer, good_stream, words
from tests.gui.real_window import ANSWER, opened_window, until


async def open_recipes(window: MainWindow, name: str = "summarize") -> RecipesPanel:
    """Open the panel from the menu in the status bar, with one recipe chosen."""
    await until(lambda: window.list.model.rowCount() > 0, "the tickets")
    next(action for action in window.status.menu.actions() if action.text() == "Recipes…").trigger()
    panel = window.pages.recipes
    await until(panel.isVisible, "the panel")
    choose(panel, name)
    await until(lambda: not panel.preview.jobs.is_busy and panel.preview.prompt.toPlainText(), "the preview")
    return panel


def names(panel: RecipesPanel) -> list[str]:
    """Return the names in the list."""
    return [panel.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(panel.list.count())]


def choose(panel: RecipesPanel, name: str) -> None:
    """Choose a recipe in the list."""
    panel.list.setCurrentRow(names(panel).index(name))


def type_at_end(panel: RecipesPanel, text: str) -> None:
    """Type text at the end of the file."""
    panel.editor.text_edit.moveCursor(QTextCursor.MoveOperation.End)
    panel.editor.text_edit.insertPlainText(text)


async def shown(panel: RecipesPanel, what: str) -> None:
    """Wait until the preview shows something."""
    await until(lambda: what in panel.preview.prompt.toPlainText(), what)


async def test_the_preview_shows_the_whole_prompt_for_the_chosen_ticket_and_its_neighbors(
    qtbot: QtBot, data_dir: Path
) -> None:
    async with opened_window(data_dir) as (window, desk):
        panel = await open_recipes(window)
        chosen = window.list.chosen_id()
        assert chosen is not None
        thread = await desk.tickets.thread(chosen)
        assert thread is not None
        await shown(panel, f"Ticket: {thread.ticket.title}")
        prompt = panel.preview.prompt.toPlainText()
        assert "Problem: what the customer needs or reports" in prompt
        assert prompt.count("=====ticket ") == 6, "two examples and the ticket, each between two lines"
        assert thread.ticket.reference in panel.preview.ticket.text()
        assert "the same for every ticket" in panel.preview.tokens.text()
        panel.preview.next.click()
        await until(lambda: thread.ticket.reference not in panel.preview.ticket.text(), "the next ticket")
        panel.preview.previous.click()
        await until(lambda: thread.ticket.reference in panel.preview.ticket.text(), "the ticket before")


async def test_a_problem_is_listed_and_underlined_as_it_is_typed(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        panel = await open_recipes(window, "handover")
        assert panel.editor.list.isHidden()
        type_at_end(panel, "- 🙂 At most 50 words, in detail.\n- {{custmer}}\n")
        await until(lambda: panel.editor.list.count() >= 2, "the problems")
        listed = [panel.editor.list.item(row).text() for row in range(panel.editor.list.count())]
        assert any("{{custmer}}" in text for text in listed)
        marked = {each.cursor.selectedText() for each in panel.editor.text_edit.extraSelections()}
        assert marked == {"At most 50 words", "in detail", "{{custmer}}"}
        await shown(panel, "- {{custmer}}")
        last = panel.editor.list.item(panel.editor.list.count() - 1)
        panel.editor.list.itemActivated.emit(last)
        assert panel.editor.text_edit.textCursor().selectedText() == "{{custmer}}"
        panel.undo_button.click()
        assert panel.editor.list.isHidden()


async def test_a_file_that_is_no_recipe_any_more_can_be_mended(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        panel = await open_recipes(window, "gist")
        text = panel.editor.text()
        panel.editor.text_edit.setPlainText("nothing")
        await until(lambda: not panel.preview.prompt.toPlainText(), "the empty preview")
        assert panel.editor.list.count() == 1
        assert not panel.preview.try_button.isEnabled()
        panel.editor.text_edit.setPlainText(text)
        await shown(panel, "for a list that is read in passing")
        assert panel.preview.try_button.isEnabled()


async def test_an_own_recipe_is_saved_kept_apart_and_reverted_with_an_undo(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        panel = await open_recipes(window, "gist")
        shipped = panel.editor.text()
        assert not panel.save_button.isEnabled()
        type_at_end(panel, "- Name the product.\n")
        await until(panel.save_button.isEnabled, "the save button")
        choose(panel, "merge")
        choose(panel, "gist")
        assert panel.editor.text().endswith("- Name the product.\n"), "what was typed went with another recipe"
        assert panel.list.currentItem().text().endswith("•")
        panel.save_button.click()
        assert desk.recipes.load("gist").is_own
        assert panel.list.currentItem().text() == "gist  · own"
        assert desk.recipes.text("gist") == shipped + "- Name the product.\n"
        panel.revert_button.click()
        assert panel.editor.text() == shipped
        assert not panel.revert_button.isVisible()
        next(b for b in window.notice.findChildren(QPushButton) if b.text() == "Undo").click()
        assert panel.editor.text().endswith("- Name the product.\n")
        assert desk.recipes.load("gist").is_own


async def test_a_new_recipe_begins_as_a_copy_and_a_bad_name_is_refused_in_words(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        panel = await open_recipes(window, "closing")
        panel.new_name.setText("No Spaces Please")
        panel.new_button.click()
        assert "cannot be named" in window.notice.text()
        panel.new_name.setText("refunds")
        QTest.keyClick(panel.new_name, Qt.Key.Key_Return)
        assert panel.list.currentItem().text() == "refunds  · own"
        assert panel.editor.list.isHidden(), "something is wrong with a copy"
        assert desk.recipes.load("refunds").sections == desk.recipes.load("closing").sections
        panel.new_name.setText("gist")
        panel.new_button.click()
        assert "already" in window.notice.text()
        panel.new_button.click()
        panel.new_name.clear()
        panel.new_button.click()
        assert "refunds-2" in names(panel)
        assert panel.revert_button.text() == "Remove"
        panel.revert_button.click()
        assert "refunds-2" not in names(panel)


async def test_language_length_and_tone_change_the_prompt_and_the_settings(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        panel = await open_recipes(window)
        for name, value in (("summary_language", "fr"), ("summary_length", "long"), ("summary_tone", "friendly")):
            panel.styles[name].setCurrentIndex(panel.styles[name].findData(value))
            assert desk.settings.get(name) == value
        await shown(panel, "Write in French")
        await shown(panel, "Leave out nothing that matters")
        await shown(panel, "friendly wording")


async def test_trying_a_changed_recipe_saves_it_sends_it_and_streams_the_answer(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            panel = await open_recipes(window)
            type_at_end(panel, "- Mention the zebra.\n")
            await until(lambda: panel.preview.try_button.text() == "Save and try it", "the button")
            panel.preview.try_button.click()
            await until(lambda: "supported" in panel.preview.status.text(), "the end")
            assert "Problem: The card ending 3307 shows" in panel.preview.answer.toPlainText()
            assert "Mention the zebra." in str(server.bodies[-1])
            assert desk.recipes.load("summarize").is_own
            assert panel.preview.try_button.text() == "Try it"
            panel.preview.try_button.click()
            await until(lambda: len(server.bodies) == 2, "the second trial: it is never answered from what was stored")
            await until(lambda: not panel.preview.trial.is_busy, "the end")


async def test_a_trial_can_be_stopped_and_a_fault_is_said(qtbot: QtBot, data_dir: Path) -> None:
    endless = Script(words("Problem: It fails. [m1.1]\n"), then="hang")
    with ScriptedServer(endless) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, _):
            panel = await open_recipes(window)
            panel.preview.try_button.click()
            await until(lambda: "It fails." in panel.preview.answer.toPlainText(), "the answer")
            panel.preview.stop_button.click()
            await until(lambda: "Stopped" in panel.preview.status.text(), "the end")
            assert panel.preview.try_button.isVisible()
            choose(panel, "merge")
            await until(lambda: not panel.preview.try_button.isEnabled(), "the button")
            assert "by itself" in panel.preview.try_button.toolTip()
