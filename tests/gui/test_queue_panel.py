"""The queue in the window: how far it is, what failed and why, and everything that can be done with it, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.queue import ItemState, QueueItem
from desktop.gui.queue_model import PAGE_ROWS, Column, QueueModel
from desktop.gui.queue_panel import QueuePanel
from desktop.gui.tables import Index, RowTable
from desktop.gui.theme.style import Theme
from desktop.gui.ticket_model import MARK_ROLE
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import Script, ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from tests.gui.card_values import in_pane
from tests.gui.real_window import ANSWER, button, opened_window, until
from tests.services.conftest import TICKET

TICKETS = 36
SPOKEN = Qt.ItemDataRole.AccessibleTextRole
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@asynccontextmanager
async def queued_tickets(
    data_dir: Path, *scripts: Script, number: int = TICKETS
) -> AsyncIterator[tuple[MainWindow, Desk, ScriptedServer]]:
    """Open the window with so many tickets in the queue, which is paused: most of them wait, among them the one that the answer is about."""
    with ScriptedServer(*(scripts or (good_stream(ANSWER),))) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            await until(lambda: window.list.model.rowCount() == TICKETS, "the tickets")
            about = await desk.tickets.find(TICKET)
            others = [ticket_id for ticket_id in window.list.model.ids() if ticket_id != about]
            await desk.queue.add([*others[: number - 1], about])
            await desk.queue.pause()
            await until(lambda: is_quiet(desk), "the pause")
            await desk.queue.status()
            yield window, desk, server


def is_quiet(desk: Desk) -> bool:
    """Tell whether nothing of a paused queue is being written any more."""
    return desk.queue._working is None or desk.queue._working.done()


async def opened_queue(window: MainWindow) -> QueuePanel:
    """Open the page by its key and wait for its rows."""
    QTest.keyClick(window, Qt.Key.Key_J, CONTROL)
    panel = window.pages.queue
    await until(panel.isVisible, "the page")
    await until(lambda: panel.model.rowCount() and panel.model.held_item(0), "the rows")
    return panel


def references(panel: QueuePanel, number: int) -> list[str]:
    """Return the first tickets of the queue."""
    items = [panel.model.held_item(row) for row in range(number)]
    return [item.reference if item else "" for item in items]


async def test_what_waits_is_marked_in_the_list_until_its_summary_is_there(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir) as (window, desk, _):
        model, table = window.list.model, window.list.table
        row = model.row_of(await desk.tickets.find(TICKET))
        cell = model.index(row, 0)
        await until(lambda: cell.data(MARK_ROLE), "the mark")
        assert cell.data(SPOKEN).endswith("(Waiting)")
        table.selectRow(5)
        table.setFocus()
        table.verticalScrollBar().setValue(90)
        place, chosen = table.verticalScrollBar().value(), window.list.chosen_ids()
        assert place > 0
        await desk.queue.resume()
        await until(lambda: desk.queue.status_now.done == TICKETS, "the summaries")
        await until(lambda: cell.data(MARK_ROLE) is None and "charged twice" in cell.data(), "the gist")
        assert table.verticalScrollBar().value() == place
        assert window.list.chosen_ids() == chosen
        assert table.hasFocus()


async def test_the_page_says_how_far_the_queue_is_and_pauses_and_resumes_it(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir) as (window, desk, _):
        panel = await opened_queue(window)
        status = desk.queue.status_now
        assert panel.headline.text().startswith(f"{status.done} of 36 done · paused")
        await until(lambda: window.status.queue.text() == f"Queue {status.done} of 36 · paused", "the status bar")
        assert panel.filters[ItemState.WAITING].text() == f"Waiting {status.waiting}"
        assert not panel.filters[ItemState.FAILED].isVisible()
        panel.pause.click()
        await until(lambda: desk.queue.status_now.done == TICKETS, "the summaries")
        await until(lambda: panel.headline.text().startswith("36 of 36 done"), "the headline")
        assert panel.progress.value() == panel.progress.maximum()
        assert not panel.pause.isVisible()
        await until(lambda: panel.model.index(0, Column.STATE).data() == "Done", "the state of a row")
        panel.clear.click()
        await until(panel.empty.isVisible, "the empty queue")
        assert window.status.queue.text() == "Queue"
        QTest.keyClick(panel, Qt.Key.Key_Escape)
        await until(lambda: not panel.isVisible(), "the tickets")


async def test_what_failed_says_why_and_is_tried_again(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir, refusal(400, "no"), number=3) as (window, desk, server):
        cell = window.list.model.index(window.list.model.row_of(await desk.tickets.find(TICKET)), 0)
        await desk.queue.resume()
        await until(lambda: desk.queue.status_now.failed == 3, "the failures")
        panel = await opened_queue(window)
        panel.filters[ItemState.FAILED].click()
        await until(lambda: panel.model.held_item(0), "what failed")
        row = [panel.model.index(0, column).data() for column in Column]
        assert row[Column.STATE] == "Failed"
        assert "127.0.0.1" in row[Column.REASON]
        await until(lambda: cell.data(MARK_ROLE) and cell.data(MARK_ROLE).reason, "the reason in the list")
        assert "Failed: 127.0.0.1" in cell.data(Qt.ItemDataRole.ToolTipRole)
        assert panel.retry.text() == "Retry what failed (3)"
        server.play(good_stream(ANSWER))
        panel.retry.click()
        await until(lambda: desk.queue.status_now.done == 3, "the summaries")
        await until(lambda: not panel.retry.isVisible(), "the button to go")


async def test_a_fault_that_all_tickets_would_meet_stops_the_queue_with_its_remedy(
    qtbot: QtBot, data_dir: Path
) -> None:
    async with queued_tickets(data_dir, refusal(401, "no such key")) as (window, desk, server):
        panel = await opened_queue(window)
        await desk.queue.resume()
        await until(panel.notice.isVisible, "the message")
        assert "key" in panel.notice.text()
        assert "stopped" in panel.headline.text()
        assert desk.queue.status_now.failed == 0
        await until(lambda: is_quiet(desk), "what was being written")
        server.play(good_stream(ANSWER))
        assert panel.pause.text() == "Resume"
        panel.pause.click()
        await until(lambda: desk.queue.status_now.done == TICKETS, "the summaries")
        await until(lambda: not panel.notice.isVisible(), "the message to go")


async def test_tickets_are_moved_by_keys_and_stay_chosen(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir) as (window, desk, _):
        panel = await opened_queue(window)
        waiting = desk.queue.status_now.waiting
        before = references(panel, waiting)
        panel.table.setFocus()
        panel.table.selectRow(7)
        QTest.keyClick(panel.table, Qt.Key.Key_Up, ALT)
        await until(lambda: references(panel, 1) == [before[7]], "the ticket at the front")
        assert [item.reference for item in panel.chosen_items()] == [before[7]]
        assert panel.table.currentIndex().row() == 0
        QTest.keyClick(panel.table, Qt.Key.Key_End, ALT)
        await until(lambda: references(panel, waiting)[-1] == before[7], "the ticket at the back")
        assert [item.reference for item in panel.chosen_items()] == [before[7]]


async def test_removed_tickets_can_be_put_back_where_they_were(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir) as (window, desk, _):
        panel = await opened_queue(window)
        waiting, before = desk.queue.status_now.waiting, references(panel, TICKETS)
        assert not panel.remove.isEnabled()
        panel.table.selectRow(2)
        QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClick(panel.table, Qt.Key.Key_Delete)
        await until(lambda: panel.model.rowCount() == TICKETS - 2, "the removal")
        assert window.notice.text() == "2 tickets taken out of the queue."
        button(window, "Undo").click()
        await until(lambda: panel.model.rowCount() == TICKETS, "the undo")
        await until(lambda: references(panel, TICKETS) == before, "the old order")
        assert desk.queue.status_now.waiting == waiting


async def test_enter_opens_the_ticket(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir, number=5) as (window, _, _server):
        panel = await opened_queue(window)
        panel.table.selectRow(3)
        item = panel.model.held_item(3)
        assert item is not None
        QTest.keyClick(panel.table, Qt.Key.Key_Return)
        await until(lambda: window.ticket.ticket_id == item.ticket_id, "the ticket")
        assert not panel.isVisible()


async def test_a_cap_stops_the_queue_and_says_so(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir) as (window, desk, server):
        desk.settings.set("max_tokens_run", 1)
        panel = await opened_queue(window)
        panel.pause.click()
        await until(lambda: desk.queue.status_now.pause_reason, "the stop")
        await until(lambda: panel.notice.isVisible(), "the message")
        assert panel.notice.text() == desk.queue.status_now.pause_reason
        assert "tokens" in panel.notice.text()
        assert "stopped" in panel.headline.text()
        assert len(server.bodies) < TICKETS
        field = panel.caps.fields["max_tokens_run"]
        field.setText("")
        QTest.keyClick(field, Qt.Key.Key_Return)
        panel.pause.click()
        await until(lambda: desk.queue.status_now.done == TICKETS, "the summaries")


async def test_the_end_is_told_to_those_who_look_elsewhere(qtbot: QtBot, data_dir: Path) -> None:
    scripts = (good_stream(ANSWER), good_stream(ANSWER), refusal(400, "no"))
    async with queued_tickets(data_dir, *scripts, number=6) as (window, desk, _):
        await desk.queue.resume()
        await until(lambda: "summarized" in window.notice.text(), "the notice")
        status = desk.queue.status_now
        assert status.failed
        assert window.notice.text().startswith(f"{status.done} tickets summarized, {status.failed} failed")
        assert any(b.text() == "Retry" and b.isVisible() for b in window.notice.findChildren(QPushButton))
        button(window, "Show failed").click()
        panel = window.pages.queue
        await until(panel.isVisible, "the page")
        assert panel.model.rowCount() == status.failed


async def test_the_end_of_what_was_written_before_is_told_too(qtbot: QtBot, data_dir: Path) -> None:
    async with queued_tickets(data_dir, number=3) as (window, desk, server):
        await desk.queue.resume()
        await until(lambda: "3 tickets summarized" in window.notice.text(), "the first end")
        asked = len(server.requests)
        window.notice.hide()
        await desk.queue.add([each.ticket_id for each in await desk.queue.items()])
        await until(
            lambda: window.notice.isVisible() and "3 tickets summarized" in window.notice.text(), "the next one"
        )
        assert len(server.requests) == asked


def item(number: int) -> QueueItem:
    """Return one ticket of a queue."""
    return QueueItem(number, number, f"zendesk:{number}", f"Ticket {number}", ItemState.WAITING)


def test_only_what_is_in_view_of_a_long_queue_is_held(qtbot: QtBot, theme: Theme) -> None:
    model = QueueModel(theme)
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    model.restart(100_000)
    assert model.index(99_999, Column.TITLE).data() == "…"
    assert model.index(99_998, Column.TITLE).data() == "…"
    assert asked == [99_999 // PAGE_ROWS]
    for page in range(500):
        first = page * PAGE_ROWS
        model.put_page(page, tuple(item(first + row) for row in range(PAGE_ROWS)))
    assert len(model.held_rows()) < 5_000
    assert model.index(99_999, Column.TITLE).data() == "Ticket 99999"


def test_rows_stay_until_the_new_ones_come_and_none_is_missed(qtbot: QtBot, theme: Theme) -> None:
    model = QueueModel(theme)
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    model.restart(3)
    cell = model.index(0, Column.TITLE)
    assert cell.data() == "…"
    model.put_page(0, (item(1), item(2), item(3)))
    with qtbot.assertNotEmitted(model.modelReset):
        model.refresh(4)
        assert cell.data() == "Ticket 1"
        model.refresh(4)
    assert asked == [0, 0]
    model.put_page(0, (item(9), item(1), item(2), item(3)))
    assert cell.data() == "Ticket 9"
    assert asked == [0, 0, 0], "what changed while it was being read is read once more"


def test_choosing_all_of_a_long_queue_asks_for_nothing_but_what_is_in_view(qtbot: QtBot, theme: Theme) -> None:
    """A header that looks for what is chosen goes through all rows of every column: the window stood still for a second."""

    class CountingModel(QueueModel):
        asked = 0

        def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
            CountingModel.asked += 1
            return super().rowCount(parent)

    model = CountingModel(theme)
    model.restart(100_000)
    table = RowTable("Queue", hides={})
    table.setModel(model)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    in_pane(qtbot, table)
    table.grab()
    CountingModel.asked = 0
    table.selectAll()
    table.grab()
    assert CountingModel.asked < 10_000
