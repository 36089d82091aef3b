"""The watched folder in the window: chosen in the status bar, imported by itself, undone, asked about, let go of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.gui.watch_flow import WatchFlow
from tests.gui.real_window import button, choose_role, opened_window, until

ZENDESK = "Id,Requester,Subject,Status,Via,Created at\n"

# Qt drawing into memory has no place to put a dialog, and says so of each.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def entry(flow: WatchFlow, text: str) -> QAction:
    """Return the entry of the status bar's menu with this title."""
    return next(action for action in flow.button.menu().actions() if action.text() == text)


async def test_a_folder_is_chosen_and_its_exports_come_in(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    async with opened_window(data_dir, sample=False) as (window, desk):
        flow = window.watching
        assert "No folder watched" in flow.button.text()
        entry(flow, "Watch a folder…").trigger()
        (dialog,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible())
        dialog.selectFile(str(folder))
        dialog.accept()
        await until(lambda: "Watching exports" in flow.button.text(), "the folder's name")
        assert desk.settings.get("watch_folder") == str(folder)
        (folder / "view.csv").write_text(ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n", encoding="utf-8")
        await until(lambda: "view.csv came in from exports: 1 new ticket" in window.notice.text(), "the notice")
        await until(lambda: window.list.model.rowCount() == 1, "the ticket")
        button(window, "Undo").click()
        await until(lambda: "1 ticket removed" in window.notice.text(), "the undo")
        assert (await desk.tickets.counts()).total == 0
        entry(flow, "Stop watching").trigger()
        assert desk.settings.get("watch_folder") == ""
        assert "No folder watched" in flow.button.text()


async def test_what_is_not_known_is_opened_in_the_panel(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "odd.csv").write_text("when,what happened\n2026-01-02,x\n2026-01-03,y\n", encoding="utf-8")
    (folder / "view.csv").write_text(ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.watching.watch(str(folder))
        await until(lambda: "odd.csv arrived in exports" in window.notice.text(), "the question")
        assert "view.csv came in from exports: 1 new ticket" in window.notice.text()
        button(window, "Look at it").click()
        panel = window.import_panel
        await until(panel.isVisible, "the import panel")
        choose_role(panel, 0, "ticket_id")
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        panel.import_button.click()
        await until(lambda: window.list.model.rowCount() == 3, "all tickets")


async def test_the_folder_is_watched_again_after_a_start_and_its_loss_is_said(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    view = folder / "view.csv"
    view.write_text(ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, desk):
        desk.settings.set("watch_folder", str(folder))
        window.watching.watch(str(folder))
        await until(lambda: window.list.model.rowCount() == 1, "the ticket")
    async with opened_window(data_dir, sample=False) as (window, _):
        await until(lambda: "Watching exports" in window.watching.button.text(), "the folder")
        shutil.rmtree(folder)
        await until(lambda: "cannot be reached" in window.notice.text(), "the loss")
        assert "Waiting for exports" in window.watching.button.text()
        folder.mkdir()
        await until(lambda: "Watching exports" in window.watching.button.text(), "the folder again")
        (folder / "b.csv").write_text(ZENDESK + "18,Bo,Jam,open,web,2026-03-03\n", encoding="utf-8")
        await until(lambda: window.list.model.rowCount() == 2, "the second ticket")


async def test_a_cancelled_import_can_be_undone_and_the_folder_is_watched_on(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    rows = (f"{number},Ada,Subject {number},open,web,2026-03-02\n" for number in range(40_000))
    (folder / "large.csv").write_text(ZENDESK + "".join(rows), encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, desk):
        window.watching.watch(str(folder))
        await until(lambda: window.list.model.rowCount() > 0 and window.status.cancel.isVisible(), "the first tickets")
        window.status.cancel.click()
        await until(lambda: "The import of large.csv was stopped" in window.notice.text(), "the notice")
        assert 0 < (await desk.tickets.counts()).total < 40_000
        button(window, "Undo").click()
        await until(lambda: "The import was undone" in window.notice.text(), "the undo")
        (folder / "small.csv").write_text(ZENDESK + "1,Ada,Jam,open,web,2026-03-03\n", encoding="utf-8")
        await until(lambda: "small.csv came in from exports" in window.notice.text(), "the next file")
        assert (await desk.tickets.counts()).total == 1
