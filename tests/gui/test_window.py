"""The window over a real database: what a person does with keys and files, and what it answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.config.paths import find_paths
from desktop.domain.imports import Finished
from desktop.gui import notices
from desktop.gui.app import make_application, make_window
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from tests.gui.real_window import ANSWER, button, choose_role, opened_window, until


async def test_a_refresh_that_fails_leaves_the_summary_and_says_why(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER), refusal(401, "no")) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, _):
            card = window.ticket.card
            await until(lambda: window.ticket.ticket_id, "the first ticket")
            QTest.keyClick(window, Qt.Key.Key_F5)
            await until(lambda: "$59.00 twice" in card.shown_text() and not card.is_running, "the summary")
            assert not window.ticket.card.footer.refresh_button.isEnabled(), "nothing changed since"
            QTest.keyClick(window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
            await until(lambda: "did not accept the key" in card.body.notice._words.text(), "the reason")
            assert "$59.00 twice" in card.shown_text()
            assert button(window, "Providers…").isVisible()


async def test_a_doubtful_gist_is_marked_like_every_sentence(qtbot: QtBot, data_dir: Path) -> None:
    answer = "Gist: The card was not charged twice on November 18. [m1.1]\n"
    with ScriptedServer(good_stream(answer)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, _):
            gist = window.ticket.card.body.gist
            await until(lambda: window.ticket.ticket_id, "the first ticket")
            button(window, "Summarize").click()
            await until(lambda: "not charged" in gist.toPlainText() and not window.ticket.card.is_running, "the gist")
            look = gist.document().begin().begin().fragment().charFormat()
            assert look.underlineStyle() is QTextCharFormat.UnderlineStyle.DotLine
            assert look.anchorHref()


async def test_a_table_without_a_known_id_is_imported_once_its_column_is_named(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("when,what happened\n2026-01-02,The printer burns\n2026-01-03,The door sticks\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, desk):
        window.open_files([path])
        panel = window.import_panel
        await until(panel.isVisible, "the import panel")
        assert not panel.import_button.isEnabled()
        assert "looks like a ticket id" in panel._counts.text()
        choose_role(panel, 0, "ticket_id")
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        panel.import_button.click()
        await until(lambda: window.list.model.rowCount() == 2, "the tickets")
        assert (await desk.tickets.counts()).total == 2


async def test_a_mapping_that_became_impossible_cannot_be_imported(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("id,subject\n1,The printer burns\n2,The door sticks\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        choose_role(panel, 0, "")
        await until(lambda: "looks like a ticket id" in panel._counts.text(), "the reason")
        assert not panel.import_button.isEnabled()


async def test_every_file_that_cannot_be_read_is_said(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    async with opened_window(data_dir) as (window, _):
        window.open_files([tmp_path / "picture.csv", tmp_path / "gone.csv"])
        await until(lambda: "gone.csv" in window.notice.text(), "the last sentence")
        assert "picture.csv" in window.notice.text()


async def test_an_import_with_rejected_rows_can_be_undone(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("id,subject,status\n1,a,open\n2,b,open\n,lost,open\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        await until(lambda: window.import_panel.import_button.text() == "Import 2 tickets", "the counts")
        window.import_panel.import_button.click()
        await until(lambda: "1 of 3 rows rejected" in window.notice.text(), "what became of it")
        assert button(window, "Show the rejected rows").isVisible()
        button(window, "Undo").click()
        await until(lambda: "2 tickets removed" in window.notice.text(), "the undo")
        await until(window.empty.isVisible, "the empty state")


async def test_the_search_is_left_by_keys(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        await until(lambda: window.list.model.rowCount() == 36, "the list")
        window.show_providers()
        QTest.keyClicks(window.top.search, "refund")
        await until(lambda: 0 < window.list.model.rowCount() < 36, "what was found")
        assert window._inner.isVisible(), "the list stayed hidden behind the providers"
        QTest.keyClick(window.top.search, Qt.Key.Key_Down)
        assert QApplication.focusWidget() in (window.list.table, None)
        window.top.search.setFocus()
        QTest.keyClick(window.top.search, Qt.Key.Key_Escape)
        assert window.top.search.text() == ""
        await until(lambda: window.list.model.rowCount() == 36, "the whole list again")


async def test_new_tickets_do_not_move_the_reader(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    lines = "".join(f"{n},Ticket {n},open,2020-01-01\n" for n in range(1, 400))
    path.write_text("id,subject,status,created_at\n" + lines, encoding="utf-8")
    async with opened_window(data_dir) as (window, desk):
        await until(lambda: window.list.model.rowCount() == 36, "the list")
        bar = window.list.table.verticalScrollBar()
        bar.setValue(700)
        recognized = await desk.imports.recognize(path)
        assert [event async for event in desk.imports.run(recognized) if isinstance(event, Finished)]
        window.reload_list()
        await until(lambda: window.list.model.rowCount() == 435, "the longer list")
        assert bar.value() == 700


def test_keys_before_the_database_is_open_do_nothing(qtbot: QtBot) -> None:
    paths = find_paths()
    window = make_window(make_application(paths.resources), paths.resources)
    qtbot.addWidget(window)
    window.show()
    QTest.keyClicks(window.top.search, "refund")
    window.top.search_changed.emit("refund")
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert window.notice.text() == ""


@pytest.mark.parametrize("how", ["copied", "everything"])
async def test_copy_says_what_it_did_when_nothing_is_supported(qtbot: QtBot, data_dir: Path, how: str) -> None:
    with ScriptedServer(good_stream("Gist: Charged $999 thrice. [m1.1]\n")) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, _):
            await until(lambda: window.ticket.ticket_id, "the first ticket")
            button(window, "Summarize").click()
            await until(
                lambda: "$999" in window.ticket.card.shown_text() and not window.ticket.card.is_running, "the end"
            )
            window.ticket.copy(how)
            text, said = QApplication.clipboard().text(), window.notice.text()
    if how == "copied":
        assert "$999" not in text
        assert "highlights copied" in said
        assert "we moved our dental lab" in text
    else:
        assert "$999" in text


async def test_an_import_cut_short_by_closing_is_said_at_the_next_start(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_text("id,subject\n" + "".join(f"{n},Ticket {n}\n" for n in range(60_000)), encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        await until(lambda: window.import_panel.import_button.text() == "Import 60,000 tickets", "the counts")
        window.import_panel.import_button.click()
        await until(lambda: window.list.model.rowCount() > 0, "the first tickets, while the rest still loads")
        assert not window.status.progress.isHidden()
    async with opened_window(data_dir, sample=False) as (window, desk):
        await until(lambda: "many.csv was stopped" in window.notice.text(), "what happened last time")
        assert (await desk.tickets.counts()).total > 0
        button(window, "Undo").click()
        await until(lambda: "The import was undone" in window.notice.text(), "the undo")
        assert (await desk.tickets.counts()).total == 0
    async with opened_window(data_dir, sample=False) as (window, _):
        await until(lambda: window.status.tickets.text() == "0 tickets", "the start")
        # Among what goes on quietly at the start is the look for such an import.
        await window._quiet.idle()
        assert window.notice.text() == ""


async def test_a_word_in_passing_takes_no_offer_away(
    qtbot: QtBot, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PASSING_MS", 30)
    path = tmp_path / "tickets.csv"
    path.write_text("id,subject,description\n1,a,The printer burns since Monday.\n2,b,x\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        await until(lambda: window.import_panel.import_button.text() == "Import 2 tickets", "the counts")
        window.import_panel.import_button.click()
        await until(lambda: "2 new tickets" in window.notice.text() and window.ticket.ticket_id, "what became of it")
        window.ticket.copy()
        assert "opied" in window.notice.text() or "nothing to copy" in window.notice.text()
        await until(lambda: "2 new tickets" in window.notice.text(), "the offer again")
        assert button(window, "Undo").isVisible()


async def test_a_panel_is_built_when_it_is_first_opened(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir, sample=False) as (window, _):
        before = window.pages.count()
        window.show_recipes()
        assert window.pages.currentWidget() is window.pages.recipes
        window.show_providers()
        window.show_history()
        window.show_recipes()
        assert window.pages.count() == before + 3, "each of them once, and none before it was asked for"
