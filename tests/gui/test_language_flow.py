"""Languages in the window: told behind the list, a filter in the sidebar, a word below the title."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QListWidget
from pytestqt.qtbot import QtBot

from tests.gui.test_window import opened_window, until


async def test_a_backlog_in_two_languages_can_be_filtered_by_them(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(
        "Id,Subject,Description\n"
        "1,Drucker,Guten Tag der Drucker im dritten Stock druckt nur leere Seiten.\n"
        "2,Konto,Seit heute früh kann ich mich nicht mehr anmelden.\n"
        "3,Printer,The printer on the third floor prints blank pages since Monday.\n",
        encoding="utf-8",
    )
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: panel.import_button.text() == "Import 3 tickets", "the counts")
        panel.import_button.click()
        filters = window.sidebar.findChild(QListWidget)
        assert filters is not None

        def titles() -> list[str]:
            return [filters.item(row).text() for row in range(filters.count())]

        await until(lambda: "German" in titles(), "the languages")
        assert titles()[titles().index("LANGUAGES") :] == ["LANGUAGES", "German", "English"]
        filters.setCurrentRow(titles().index("German"))
        await until(lambda: window.list.model.rowCount() == 2, "the German tickets")
        await until(lambda: "German" in window.ticket._facts.text(), "the language below the title")


async def test_a_backlog_in_one_language_has_no_such_filter(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(
        "Id,Subject,Description\n"
        "1,Printer,The printer on the third floor prints blank pages since Monday.\n"
        "2,Login,Since this morning I have not been able to log in at all.\n",
        encoding="utf-8",
    )
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        panel.import_button.click()
        await until(lambda: "English" in window.ticket._facts.text(), "the language below the title")
        filters = window.sidebar.findChild(QListWidget)
        assert filters is not None
        assert "LANGUAGES" not in [filters.item(row).text() for row in range(filters.count())]
