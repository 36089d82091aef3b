"""Languages in the window: told behind the list, a filter in the sidebar, a word below the title."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtWidgets import QListWidget
from pytestqt.qtbot import QtBot

from desktop.gui.window import MainWindow
from tests.gui.real_window import opened_window, titles, until


def write(path: Path, *rows: str) -> Path:
    path.write_text("Id,Subject,Description\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@asynccontextmanager
async def imported(data_dir: Path, path: Path, tickets: int) -> AsyncIterator[tuple[MainWindow, QListWidget]]:
    """Import a file as a person does; give the window and the list of its sidebar."""
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: panel.import_button.text() == f"Import {tickets} tickets", "the counts")
        panel.import_button.click()
        filters = window.sidebar.findChild(QListWidget)
        assert filters is not None
        yield window, filters


async def test_a_backlog_in_two_languages_can_be_filtered_by_them(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = write(
        tmp_path / "tickets.csv",
        "1,Drucker,Guten Tag der Drucker im dritten Stock druckt nur leere Seiten.",
        "2,Konto,Seit heute früh kann ich mich nicht mehr anmelden.",
        "3,Printer,The printer on the third floor prints blank pages since Monday.",
    )
    async with imported(data_dir, path, 3) as (window, filters):
        await until(lambda: "German" in titles(filters), "the languages")
        assert titles(filters)[titles(filters).index("LANGUAGES") :] == ["LANGUAGES", "German", "English"]
        filters.setCurrentRow(titles(filters).index("German"))
        await until(lambda: window.list.model.rowCount() == 2, "the German tickets")
        await until(lambda: "German" in window.ticket._facts.text(), "the language below the title")


async def test_a_backlog_in_one_language_has_no_such_filter(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = write(
        tmp_path / "tickets.csv",
        "1,Printer,The printer on the third floor prints blank pages since Monday.",
        "2,Login,Since this morning I have not been able to log in at all.",
    )
    async with imported(data_dir, path, 2) as (window, filters):
        await until(lambda: window.tickets.counts.by_language == {"en": 2}, "the counts, which come with the filters")
        assert titles(filters) == ["TICKETS", "All", "SOURCES", "tickets"]
        await until(lambda: "English" in window.ticket._facts.text(), "the language below the title")
