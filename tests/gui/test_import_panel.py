"""The import panel: what a file is, corrected by keys alone, and quick with as many columns as a Jira export has."""

from __future__ import annotations

import asyncio
import gzip
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from desktop.domain.imports import Bundle, Column, ImportCounts, ImportOverrides, Recognized
from desktop.gui.column_table import ROLE, ColumnTable
from desktop.gui.import_panel import ImportPanel
from desktop.gui.theme.style import Theme
from tests.gui.real_window import opened_window, until

# A list that opens is a window of its own, and the platform that draws into memory says of each what it cannot do for it.
pytestmark = pytest.mark.qt_log_ignore("^This plugin does not support ")


def _recognized(*names: str) -> Recognized:
    columns = tuple(Column(place, name, "ticket_id" if place == 0 else "") for place, name in enumerate(names))
    return Recognized("x.csv", "csv", "generic", "Other table", "Told", "x", "utf-8", ",", 1, "tickets", columns)


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> ColumnTable:
    """Give the table of four columns, on the screen."""
    table = ColumnTable(theme)
    qtbot.addWidget(table)
    table.resize(600, 300)
    table.show()
    table.show_columns(_recognized("Key", "Title", "Owner", "Opened").columns)
    table.setFocus()
    return table


def test_a_column_is_found_by_typing_and_changed_by_keys(qtbot: QtBot, table: ColumnTable) -> None:
    QTest.keyClicks(table, "own")
    assert table.currentIndex().row() == 2
    QTest.keyClick(table, Qt.Key.Key_Return)
    box = table.findChild(QComboBox)
    assert box is not None
    assert box.accessibleName() == "What Owner is"
    qtbot.waitUntil(lambda: box.view().isVisible())
    with qtbot.waitSignal(table.role_chosen) as chosen:
        QTest.keyClicks(box.view(), "assignee")
        QTest.keyClick(box.view(), Qt.Key.Key_Return)
    assert chosen.args == [2, "assignee"]
    qtbot.waitUntil(lambda: table.findChild(QComboBox) is None)


def test_leaving_the_choice_changes_nothing(qtbot: QtBot, table: ColumnTable) -> None:
    QTest.keyClick(table, Qt.Key.Key_Space)
    box = table.findChild(QComboBox)
    assert box is not None
    qtbot.waitUntil(lambda: box.view().isVisible())
    with qtbot.assertNotEmitted(table.role_chosen):
        QTest.keyClick(box.view(), Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: table.findChild(QComboBox) is None)


def test_a_correction_leaves_the_reader_where_they_are(qtbot: QtBot, theme: Theme) -> None:
    panel = ImportPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    recognized = _recognized(*(f"Column {n}" for n in range(60)))
    panel.show_bundle(Bundle((recognized,)))
    panel._columns.setFocus()
    panel._columns.setCurrentIndex(panel._columns.columns.index(50, ROLE))
    panel._columns.scrollTo(panel._columns.currentIndex())
    place = panel._columns.verticalScrollBar().value()
    columns = (*recognized.columns[:50], Column(50, "Column 50", "subject"), *recognized.columns[51:])
    panel.show_bundle(Bundle((replace(recognized, columns=columns, overrides=ImportOverrides({50: "subject"})),)))
    assert panel._columns.currentIndex().row() == 50
    assert panel._columns.verticalScrollBar().value() == place
    assert panel._columns.columns.index(50, ROLE).data() == "subject"


def test_nothing_is_imported_by_what_a_column_was_before_it_was_corrected(qtbot: QtBot, theme: Theme) -> None:
    panel = ImportPanel(theme)
    qtbot.addWidget(panel)
    recognized = _recognized("Key", "Title")
    panel.show_bundle(Bundle((recognized,)))
    panel.show_counts(ImportCounts(rows=2, rows_used=2, tickets_new=2))
    assert panel.import_button.isEnabled()
    with qtbot.waitSignal(panel.corrected):
        panel._columns.columns.setData(panel._columns.columns.index(1, ROLE), "subject")
    assert (panel.import_button.isEnabled(), panel.import_button.text()) == (False, "Import")


@pytest.mark.parametrize(
    ("format_", "sheet", "words"),
    [
        ("json", "tickets", "JSON, the list “tickets”"),
        ("jsonl", "", "JSON, one record a line"),
        ("xlsx", "May", "sheet “May” of a workbook"),
        ("csv", "", "utf-8, comma-separated"),
    ],
)
def test_how_the_file_is_written_is_said_for_every_kind(
    qtbot: QtBot, theme: Theme, format_: str, sheet: str, words: str
) -> None:
    panel = ImportPanel(theme)
    qtbot.addWidget(panel)
    panel.show_bundle(Bundle((replace(_recognized("id"), format=format_, sheet=sheet),)))
    assert panel._format.text() == words


def test_six_hundred_columns_are_shown_at_once(qtbot: QtBot, theme: Theme) -> None:
    panel = ImportPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    began = time.process_time()
    panel.show_bundle(Bundle((_recognized(*(f"Custom field ({n})" for n in range(600))),)))
    # Laid out and painted here and now, without a loop that may do other things as well.
    panel.grab()
    # A combo box for each took three seconds. What is measured is this process alone: the machine may be busy.
    assert time.process_time() - began < 0.2
    assert panel._columns.findChild(QComboBox) is None


async def test_the_first_rows_that_will_be_rejected_are_said_before_the_import(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("id,subject,status\n1,a,open\n2,b,open\n,lost,open\n", encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: panel.import_button.text() == "Import 2 tickets", "the counts")
        assert panel._rejects.text() == "Line 4: This row has no ticket id."
        assert panel._columns_title.text() == "Columns: 3 with a meaning"


async def test_a_file_that_is_damaged_far_down_is_not_offered_for_import(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv.gz"
    rows = "".join(f"{n},{random.Random(n).random()},open\n" for n in range(1, 60_000))
    path.write_bytes(gzip.compress(f"id,subject,status\n{rows}".encode())[:-1_000])
    async with opened_window(data_dir, sample=False) as (window, _):
        window.open_files([path])
        panel = window.import_panel
        await until(lambda: "is damaged" in panel._counts.text(), "the reason")
        assert not panel.import_button.isEnabled()


async def test_after_a_fault_of_ours_the_next_file_is_looked_at(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("id,subject,status\n1,a,open\n2,b,open\n", encoding="utf-8")
    reported: list[object] = []
    async with opened_window(data_dir, sample=False) as (window, desk):
        _rename_table(desk.paths.database, "mapping", "mislaid")
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        try:
            window.open_files([path])
            await until(lambda: reported, "the report of the fault")
        finally:
            asyncio.get_running_loop().set_exception_handler(None)
        _rename_table(desk.paths.database, "mislaid", "mapping")
        window.open_files([path])
        await until(lambda: window.import_panel.import_button.text() == "Import 2 tickets", "the counts")


def _rename_table(database: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
