"""What leaves the window: copies for each target, all chosen tickets at once, a dragged summary, and exported files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QDrag
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.gui.copy_flow import copy_options
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.rendering import CopyFormat
from tests.gui.real_window import opened_window, until

ANSWER = (
    "Gist: The card was charged twice. [m1.1]\n"
    "Problem: The card ending 3307 shows $59.00 twice. [m1.1]\n"
    "Next step: A refund of $999 comes tomorrow. [m2.1]\n"
)


def _clipboard() -> str:
    return QApplication.clipboard().text()


async def _summarize(window: MainWindow) -> None:
    await until(lambda: window.ticket.ticket_id, "the first ticket")
    window.ticket.summarize(again=False)
    card = window.ticket.card
    await until(lambda: "$59.00 twice" in card.shown_text() and not card.is_running, "the summary")


def _choose_rows(window: MainWindow, *rows: int) -> None:
    selection, model = window.list.table.selectionModel(), window.list.model
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in rows:
        selection.select(model.index(row, 0), flags)
    window.list.table.setFocus()


def test_every_way_of_copying_has_its_options() -> None:
    assert copy_options("copied", has_citations=True).with_citations
    assert copy_options("jira", has_citations=False).format is CopyFormat.JIRA
    assert copy_options("customer", has_citations=True).for_customer
    assert not copy_options("customer", has_citations=True).with_citations
    assert copy_options("everything", has_citations=False).include_all


async def test_a_summary_is_copied_for_each_target_and_what_was_left_out_is_said(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            await _summarize(window)
            footer = window.ticket.card.footer
            footer.copy_button.click()
            assert "Problem: The card ending 3307 shows $59.00 twice." in _clipboard()
            assert QApplication.clipboard().mimeData().hasHtml()
            assert "$999" not in _clipboard()
            assert "Left out: 1 sentence" in window.notice.text()
            menu = {action.text(): action for action in footer.copy_menu_button.menu().actions()}
            menu["Copy for Jira"].trigger()
            assert "*Problem:*" in _clipboard()
            assert not QApplication.clipboard().mimeData().hasHtml()
            menu["Copy everything, unsupported too"].trigger()
            assert "$999" in _clipboard()
            menu["With citations"].trigger()
            assert desk.settings.get("copy_citations") is True
            menu["Copy as plain text"].trigger()
            assert "(message 1)" in _clipboard()


async def test_all_chosen_tickets_are_copied_at_once(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        await until(lambda: window.ticket.ticket_id, "the first ticket")
        _choose_rows(window, 0, 2, 5)
        ids = window.list.chosen_ids()
        assert len(ids) == 3
        titles = [action.text().split("\t")[0] for action in window._list_menu.build().actions()]
        assert titles == ["Summarize 3 tickets…", "Copy 3 summaries", "Export 3 tickets…"]
        QTest.keyClick(window.list.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: "3 tickets copied, 3 of them as highlights." in window.notice.text(), "what was copied")
        for row in await desk.tickets.rows(ids):
            assert row.title in _clipboard()


# Qt drawing into memory has no place to put a dialog, and says so.
@pytest.mark.qt_log_ignore("propagateSizeHints")
async def test_chosen_tickets_are_exported_to_the_format_that_the_name_says(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir) as (window, _):
        await until(lambda: window.ticket.ticket_id, "the first ticket")
        _choose_rows(window, 0, 1)
        QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        dialog = window.findChild(QFileDialog)
        assert dialog is not None
        assert dialog.windowTitle() == "Export 2 tickets"
        path = tmp_path / "out.json"
        dialog.fileSelected.emit(str(path))
        dialog.close()
        await until(lambda: "2 tickets exported" in window.notice.text(), "the end of the export")
        assert len(json.loads(path.read_text(encoding="utf-8"))["tickets"]) == 2
        window.exports.export(window.list.model.ids(), tmp_path / "out.docx")
        await until(lambda: "does not say in which format" in window.notice.text(), "the reason")


async def test_a_summary_is_dragged_out_as_rich_text(
    qtbot: QtBot, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dragged: list[str] = []

    class Drag(QDrag):
        """Takes the place of the system's drag, which would wait for a mouse."""

        def exec(self, *_: object) -> Qt.DropAction:
            dragged.append(self.mimeData().html())
            return Qt.DropAction.CopyAction

    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, _):
            await _summarize(window)
            head = window.ticket.card.head
            monkeypatch.setattr("desktop.gui.copy_flow.QDrag", Drag)
            QTest.mousePress(head, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
            QTest.mouseMove(head, QPoint(60, 60))
            QTest.mouseRelease(head, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
            assert len(dragged) == 1
            assert "$59.00 twice" in dragged[0]
