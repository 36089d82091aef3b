"""Imports so far, in the window: what a person sees of each, what changed since the last one, and rows that are mended with keys alone."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.domain.history import ImportRecord, MessageChange, Piece, TicketDifference
from desktop.domain.imports import Bundle, Finished, ImportCounts
from desktop.domain.tickets import Message, Role
from desktop.gui.difference_view import DifferenceView
from desktop.gui.history_panel import Column
from desktop.gui.theme.style import Theme
from desktop.gui.ticket_model import Column as ListColumn
from desktop.gui.window import MainWindow
from desktop.services.container import Desk
from tests.gui.real_window import button, opened_window, until

HEADER = "id,subject,description,status,created_at,Plan\n"
FIRST = ("1,Printer,The printer on floor 3 burns,open,2026-01-01,Pro", "2,Door,It sticks,open,2026-01-01,Pro")
SECOND = (
    "1,Printer,The printer on floor 4 burns,solved,2026-01-01,Pro",
    "3,Lift,It is stuck,open,2026-01-01,Pro",
    ",Lost,This row has no number,open,2026-01-02,Pro",
)


def _write(path: Path, *rows: str) -> None:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


async def _import(desk: Desk, path: Path, *rows: str) -> Finished:
    _write(path, *rows)
    recognized = await desk.imports.recognize(path)
    return [event async for event in desk.imports.run(recognized) if isinstance(event, Finished)][-1]


async def _two_weeks(desk: Desk, folder: Path) -> tuple[Finished, Finished]:
    path = folder / "week.csv"
    return await _import(desk, path, *FIRST), await _import(desk, path, *SECOND)


def _cells(window: MainWindow, row: int) -> list[str]:
    model = window.pages.history.imports.model
    return [str(model.index(row, column).data()) for column in Column]


async def _open_history(window: MainWindow, imports: int) -> None:
    QTest.keyClick(window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: window.pages.history.imports.model.rowCount() == imports, "the imports")


async def test_every_import_is_listed_with_its_counts_and_can_be_undone(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir, sample=False) as (window, desk):
        await _two_weeks(desk, tmp_path)
        await _open_history(window, 2)
        newest = _cells(window, 0)
        assert (newest[Column.FILE], newest[Column.SOURCE], newest[Column.STATE]) == ("week.csv", "week", "Whole")
        assert newest[Column.NEW : Column.REJECTED + 1] == ["1", "1", "0", "1"]
        listed = window.pages.history.imports
        assert listed._sum.text() == "3 rows = 2 used + 1 rejected. 1 rejected row can be mended."
        listed.table.selectRow(1)
        button(window, "Undo").click()
        await until(lambda: "Undo import 2 first" in window.notice.text(), "why the first cannot be undone")
        listed.table.selectRow(0)
        button(window, "Undo").click()
        await until(lambda: _cells(window, 0)[Column.STATE] == "Undone", "the undo")
        assert not button(window, "What changed").isEnabled()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        await until(window._inner.isVisible, "the tickets")


async def test_what_changed_is_marked_by_signs_and_a_ticket_is_opened_by_keys(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir, sample=False) as (window, desk):
        await _two_weeks(desk, tmp_path)
        window.reload_list()
        await until(lambda: window.list.model.rowCount() == 3, "the tickets")
        window.top.search.setText("stuck")
        await until(lambda: window.list.model.rowCount() == 1, "a search")
        await _open_history(window, 2)
        QTest.keyClick(window.pages.history.imports.table, Qt.Key.Key_Return)
        changes = window.pages.history.changes
        shown = changes.difference
        await until(lambda: "edited" in shown.toPlainText(), "the difference")
        assert {name: b.text().split()[-1] for name, b in changes.buttons.items()} == {
            "new": "1",
            "changed": "1",
            "gone": "1",
        }
        words = shown.toPlainText()
        assert "− Open" in words
        assert "+ Solved" in words
        assert "~ edited" in words
        assert _look(changes.difference, "3").fontStrikeOut()
        assert _look(changes.difference, "4").fontUnderline()
        changes.buttons["gone"].click()
        await until(lambda: "is not in this one" in shown.toPlainText(), "what is gone")
        assert changes._ticket_title.text() == "Door"
        changes.list.table.setFocus()
        QTest.keyClick(changes.list.table, Qt.Key.Key_Return)
        await until(lambda: window.ticket._title.text() == "Door", "the ticket")
        assert window.top.search.text() == ""
        assert window.list.model.rowCount() == 3


def _look(view: DifferenceView, word: str) -> QTextCharFormat:
    """Return how a word of the edited message looks: the last one in the view that reads so."""
    cursor, last = QTextCursor(view.document()), QTextCharFormat()
    while not (cursor := view.document().find(word, cursor)).isNull():
        last = cursor.charFormat()
    return last


async def test_a_rejected_row_is_mended_with_keys_and_becomes_a_ticket(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "week.csv"
    _write(path, *SECOND)
    async with opened_window(data_dir, sample=False) as (window, desk):
        window.open_files([path])
        await until(lambda: window.import_panel.import_button.text() == "Import 2 tickets", "the counts")
        window.import_panel.import_button.click()
        await until(lambda: "1 of 3 rows rejected" in window.notice.text(), "what became of it")
        button(window, "Show the rejected rows").click()
        view = window.pages.history.rejects
        await until(lambda: view.editor.shown is not None and view.isVisible(), "the row")
        assert view.editor._reason.text() == "This row has no ticket id."
        QTest.keyClick(view.table, Qt.Key.Key_Return)
        editor = view.editor.table
        await until(lambda: editor.findChildren(QLineEdit), "a line")
        line = editor.findChildren(QLineEdit)[0]
        QTest.keyClicks(line, "1")
        button(window, "Retry").click()
        await until(lambda: "is still rejected" in view.said.text(), "why it is still wrong")
        assert "Another row of this file already made ticket 1" in view.said.text()
        assert view.editor.shown is not None
        assert view.editor.shown.cells[0] == "1", "what was typed is gone"
        view.editor.cells.setData(view.editor.cells.index(0, 1), "9")
        button(window, "Retry").click()
        await until(lambda: view.said.text() == "Line 4 is imported now.", "the ticket")
        assert view._empty.isVisible()
        await until(lambda: window.status.tickets.text() == "3 tickets", "the longer list")
        (record,) = await desk.imports.history()
        assert (record.totals.rejected, record.totals.tickets_new, record.totals.adds_up) == (0, 3, True)


async def test_a_row_that_is_set_aside_stays_rejected_and_can_be_taken_up_again(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir, sample=False) as (window, desk):
        done = await _import(
            desk, tmp_path / "week.csv", *SECOND, '8,"open,x,open,2026-01-01,Pro', "9,a,b,open,2026-01-01,Pro"
        )
        window.pages.history.show_rejects(done.import_id)
        window._show_page(window.pages.history)
        view = window.pages.history.rejects
        await until(lambda: view.model.rowCount() == 2 and view.editor.shown, "the rows")
        button(window, "Set aside").click()
        await until(lambda: view.model.rows[1].is_set_aside, "the row at the end")
        assert view.head.facts.text() == "1 of 5 rows can be mended, 1 set aside"
        assert view.chosen() == view.model.rows[0]
        await until(lambda: view.editor.raw.isVisible(), "the row as text")
        assert view.editor.raw.toPlainText() == '8,"open,x,open,2026-01-01,Pro'
        view.table.selectRow(1)
        await until(lambda: view.aside.text() == "Take up again", "the way back")
        view.aside.click()
        await until(lambda: not any(row.is_set_aside for row in view.model.rows), "the row among the others")


async def test_an_import_that_does_not_add_up_is_red_and_says_what_differs(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir, sample=False) as (window, desk):
        done = await _import(desk, tmp_path / "week.csv", *FIRST)
        with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection, connection:
            connection.execute("UPDATE import_batch SET counts_json = json_set(counts_json, '$.rows', 3)")
        await _open_history(window, 1)
        listed, error = window.pages.history.imports, window._theme.tokens.error
        state = listed.model.index(0, Column.STATE)
        assert state.data() == "Does not add up"
        assert state.data(Qt.ItemDataRole.ForegroundRole).name() == error
        assert "3 rows ≠ 2 used, so 1 row is unaccounted for" in listed._wrong.text()
        wrong = ImportCounts(rows=2, rows_used=3, tickets_new=2)
        window.import_panel.show_counts(wrong)
        assert "2 rows ≠ 3 used, so 1 row too many has a fate" in window.import_panel._counts.text()
        assert window.import_panel._counts.objectName() == "errorText"
        again = Finished("week.csv", 1, done.recognized, wrong, 0.1, warnings=("x",))
        window.imports._show_finished(Bundle((done.recognized,)), [again])
        assert window.notice.property("tone") == "error"


def test_a_stopped_an_unfinished_and_a_running_import_are_told_apart(qtbot: QtBot, theme: Theme) -> None:
    from desktop.gui.history_panel import HistoryPanel

    panel = HistoryPanel(theme)
    qtbot.addWidget(panel)
    stopped = ImportRecord(
        2, "s", "/x/a.csv", "generic", "2026-11-25T00:00:00Z", "2026-11-25T00:01:00Z", "", {"is_whole": 0}
    )
    unfinished = ImportRecord(1, "s", "/x/b.csv", "generic", "2026-11-25T00:00:00Z", "", "", {})
    running = replace(unfinished, id=3, is_running=True)
    panel.imports.show_records((stopped, unfinished, running))
    assert [panel.imports.model.index(row, Column.STATE).data() for row in (0, 1, 2)] == [
        "Stopped",
        "Not finished",
        "Running",
    ]
    assert "stopped before the end" in panel.imports._sum.text()
    panel.imports.table.selectRow(1)
    assert "Import the file again to go on" in panel.imports._sum.text()
    assert panel.imports.undo.isEnabled(), "what a killed import left could not be taken back"
    panel.imports.table.selectRow(2)
    assert not panel.imports.undo.isEnabled()


async def test_what_is_looked_back_at_is_built_when_it_is_opened_and_ends_with_the_window(
    qtbot: QtBot, theme: Theme
) -> None:
    from desktop.gui.history_panel import HistoryPanel

    panel = HistoryPanel(theme)
    qtbot.addWidget(panel)
    assert panel._leaves.count() == 0, "the first window waits for what nobody asked for"
    await panel.close_jobs()
    panel = HistoryPanel(theme)
    qtbot.addWidget(panel)
    scopes = (panel.changes.jobs, panel.changes._differences, panel.rejects.jobs, panel.rejects._editing)
    for scope in scopes:
        scope.start(asyncio.Event().wait())
    await panel.close_jobs()
    assert not any(scope.is_busy for scope in scopes)


def test_of_very_many_changed_messages_the_first_are_shown_and_the_rest_is_counted(qtbot: QtBot, theme: Theme) -> None:
    view = DifferenceView(theme)
    qtbot.addWidget(view)

    def show(number: int) -> str:
        messages = (Message(n, "Bo", Role.CUSTOMER, "2026-01-01T00:00:00Z", f"text {n}.") for n in range(number))
        changes = tuple(MessageChange("added", each, pieces=(Piece("+", each.text),)) for each in messages)
        view.show_difference(TicketDifference(1, "changed", (), changes))
        return view.toPlainText()

    many = show(500)
    assert ("text 19." in many, "text 20." in many) == (True, False)
    assert many.rstrip().endswith("480 more messages stand in the ticket")
    assert show(21).rstrip().endswith("1 more message stands in the ticket")
    assert "more message" not in show(20)


async def test_the_status_of_a_changed_ticket_reads_as_in_the_list(
    qtbot: QtBot, data_dir: Path, tmp_path: Path
) -> None:
    async with opened_window(data_dir, sample=False) as (window, desk):
        done = await _import(desk, tmp_path / "week.csv", "1,Printer,It burns,Waiting on customer,2026-01-01,Pro")
        window.reload_list()
        await until(lambda: window.list.model.rowCount() == 1, "the ticket in the list")
        status = window.list.model.index(0, ListColumn.STATUS)
        await until(lambda: status.data(), "its status")
        listed = status.data()
        assert listed not in ("", "Waiting on customer")
        window.pages.history.show_changes(done.import_id)
        window._show_page(window.pages.history)
        changes = window.pages.history.changes
        await until(lambda: changes._ticket_facts.text() == f"1 · {listed}", "the facts of the ticket")
