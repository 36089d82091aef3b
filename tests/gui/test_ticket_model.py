"""The list's model: rows come page by page, and an answer to an old question is never shown."""

from __future__ import annotations

from array import array

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.gui.ticket_model import PAGE_ROWS, Column, TicketTableModel, age
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
