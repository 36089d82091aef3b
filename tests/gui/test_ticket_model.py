"""The list's model: rows come page by page, and an answer to an old question is never shown."""

from __future__ import annotations

from array import array

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.domain.queue import ItemState
from desktop.gui.queue_marks import Mark
from desktop.gui.ticket_model import MARK_ROLE, PAGE_ROWS, Column, TicketTableModel, age
from tests.gui.conftest import make_row


def test_a_page_is_asked_for_once_and_shown_when_it_comes(qtbot: QtBot) -> None:
    model = TicketTableModel()
    ids = array("q", range(1, 501))
    model.set_ids(ids)
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    cell = model.index(PAGE_ROWS + 3, Column.SUBJECT)
    assert cell.data() == "…"
    assert cell.data() == "…"
    assert asked == [1]
    page = model.ids_of_page(1)
    with qtbot.waitSignal(model.dataChanged):
        model.put_page(1, page, [make_row(i, gist="Refund issued") for i in page])
    assert cell.data() == f"Ticket number {PAGE_ROWS + 4}. Refund issued"
    assert model.index(PAGE_ROWS + 3, Column.STATUS).data() == "Open"
    assert model.index(PAGE_ROWS + 3, Column.STATUS).data(Qt.ItemDataRole.ToolTipRole) == "<qt>new</qt>"


def test_rows_of_a_list_that_is_gone_are_dropped() -> None:
    model = TicketTableModel()
    old = array("q", [1, 2, 3])
    model.set_ids(old)
    model.set_ids(array("q", [7, 8, 9]))
    model.put_page(0, old, [make_row(i) for i in old])
    assert model.ticket_at(0) is None


def test_a_list_that_only_grew_keeps_its_place(qtbot: QtBot) -> None:
    model = TicketTableModel()
    model.set_ids(array("q", [1, 2]))
    with qtbot.assertNotEmitted(model.modelReset):
        assert model.extend_ids(array("q", [1, 2, 3]))
    assert model.rowCount() == 3
    assert not model.extend_ids(array("q", [9, 1, 2, 3]))


def test_ages_are_said_in_their_largest_unit() -> None:
    now = 1_800_000_000.0
    assert age("2027-01-15T07:59:30Z", now=now) == "now"
    assert age("2027-01-15T07:10:00Z", now=now) == "50m"
    assert age("2027-01-14T08:00:00Z", now=now) == "1d"
    assert age("2027-01-02T08:00:00Z", now=now) == "13d"
    assert age("2026-11-15T08:00:00Z", now=now) == "8w"
    assert age("2020-01-15T08:00:00Z", now=now) == "7y"
    assert age("", now=now) == ""


def test_what_stands_in_for_a_gist_is_asked_for_once_for_all_in_view(qtbot: QtBot) -> None:
    model = TicketTableModel()
    model.set_ids(array("q", [1, 2]))
    first, second = make_row(1), make_row(2)
    with qtbot.waitSignal(model.leads_wanted) as asked:
        assert [model.lead_of(first), model.lead_of(second), model.lead_of(first)] == ["", "", ""]
    assert asked.args == [[1, 2]]
    model.put_leads({1: "The export fails", 2: ""})
    assert (model.lead_of(first), model.lead_of(second)) == ("The export fails", "")
    model.forget_leads()
    assert model.lead_of(first) == ""


def test_a_mark_of_the_queue_is_said_in_words_and_goes_with_its_reason(qtbot: QtBot) -> None:
    model = TicketTableModel()
    ids = array("q", [1, 2, 3])
    model.set_ids(ids)
    marks = {1: Mark(ItemState.WAITING), 2: Mark(ItemState.FAILED, "The key was refused")}
    model.put_page(0, ids, [make_row(i) for i in ids], marks)
    waiting, failed, other = (model.index(row, Column.SUBJECT) for row in range(3))
    spoken = Qt.ItemDataRole.AccessibleTextRole
    assert waiting.data(spoken) == "Ticket number 1 (Waiting)"
    assert failed.data(spoken) == "Ticket number 2 (Failed: The key was refused)"
    assert failed.data(Qt.ItemDataRole.ToolTipRole) == "<qt>Failed: The key was refused</qt>"
    assert other.data(spoken) == "Ticket number 3"
    assert waiting.data(MARK_ROLE) == Mark(ItemState.WAITING)
    model.put_page(0, ids, [make_row(i) for i in ids], {})
    assert waiting.data(MARK_ROLE) is None


def test_tickets_that_changed_are_asked_for_again_once_they_are_looked_at(qtbot: QtBot) -> None:
    model = TicketTableModel()
    ids = array("q", range(1, 1 + 3 * PAGE_ROWS))
    model.set_ids(ids)
    for page in range(3):
        wanted = model.ids_of_page(page)
        model.put_page(page, wanted, [make_row(i) for i in wanted])
    asked: list[int] = []
    model.page_wanted.connect(asked.append)
    with qtbot.assertNotEmitted(model.modelReset):
        model.refresh_tickets((1, 2 * PAGE_ROWS + 5))
    assert asked == []
    assert model.ticket_at(0) is not None, "the row stays until the new one comes"
    assert model.ticket_at(PAGE_ROWS) is not None
    assert asked == [0]
    model.refresh_tickets((1,))
    wanted = model.ids_of_page(0)
    model.put_page(0, wanted, [make_row(i, gist="Refund issued") for i in wanted])
    assert model.ticket_at(0) is not None
    assert asked == [0, 0], "what changed while the page was being read is read once more"
