"""The import panel's mapping menu: a mapping saved from one file is loaded for another, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from tests.gui.real_window import choose_role, opened_window, until

# Qt drawing into memory has no place to put a dialog, and says so of each.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def pick(path: Path) -> None:
    """Choose a file in the dialog that is open."""
    (dialog,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible())
    dialog.selectFile(str(path))
    dialog.accept()


async def test_a_mapping_is_saved_and_loaded_in_the_panel(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    first, second, file = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "printers.toml"
    first.write_text("when,what happened\n2026-01-02,The printer burns\n2026-01-03,The door sticks\n", encoding="utf-8")
    # The same columns in another order: nothing is remembered of this header.
    second.write_text(
        "what happened,when\nThe lift is stuck,2026-02-02\nThe mill stands,2026-02-03\n", encoding="utf-8"
    )
    async with opened_window(data_dir, sample=False) as (window, desk):
        panel = window.import_panel
        window.open_files([first])
        await until(panel.isVisible, "the import panel")
        choose_role(panel, 0, "ticket_id")
        await until(panel.import_button.isEnabled, "the id")
        choose_role(panel, 1, "subject")
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        panel.mapping.save_action.trigger()
        pick(file)
        await until(lambda: "The mapping is saved" in window.notice.text(), "the notice")
        assert "what happened" in file.read_text(encoding="utf-8")
        panel.import_button.click()
        await until(lambda: window.list.model.rowCount() == 2, "the tickets")

        window.open_files([second])
        await until(lambda: panel.isVisible() and not panel.import_button.isEnabled(), "the panel of the second file")
        panel.mapping.load_action.trigger()
        pick(file)
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts of the second file")
        panel.import_button.click()
        await until(lambda: "b.csv" in window.notice.text(), "the end of the import")
        again = await desk.imports.recognize(second)
    assert again.is_remembered
    assert [column.role for column in again.columns] == ["subject", "ticket_id"]


async def test_a_mapping_that_does_not_fit_leaves_the_panel_as_it_was(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path, file = tmp_path / "a.csv", tmp_path / "other.toml"
    path.write_text("id,title\n1,The printer burns\n2,The door sticks\n", encoding="utf-8")
    file.write_text('key = "k"\n[[layouts]]\nshape = "tickets"\ncolumns.ticket_id = ["Nummer"]\n', encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        panel = window.import_panel
        window.open_files([path])
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        panel.mapping.load_action.trigger()
        pick(file)
        await until(lambda: "is for another table" in window.notice.text(), "the reason")
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts as before")
        assert panel.import_button.isEnabled()
