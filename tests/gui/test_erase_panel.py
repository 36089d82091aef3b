"""Erasing in the window: what would go is told, the name is typed, and it leaves the screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop.domain.tickets import TicketQuery
from desktop.gui.window import MainWindow
from tests.gui.real_window import opened_window, until

NAME = "Bram V."


async def _open(window: MainWindow, ticket_id: int) -> None:
    assert window.list.choose(ticket_id)
    menu = window._list_menu.build()
    next(action for action in menu.actions() if action.text() == "Erase this person…").trigger()
    menu.deleteLater()
    panel = window.pages.erasing
    await until(lambda: panel.what.isVisible() and panel.what.text(), "what would go")


def _shown(window: MainWindow) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


async def test_erasing_takes_a_typed_name_and_takes_the_name_off_the_screen(data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, desk):
        await until(lambda: window.list.chosen_id() is not None, "the list")
        ids = await desk.tickets.ids(TicketQuery(where=(("requester", NAME),)))
        await _open(window, ids[0])
        panel = window.pages.erasing
        assert panel.name.text() == NAME
        assert "would go" in panel.what.text()
        assert "There is no undo" in panel.left.text()
        panel.anonymize.setChecked(True)
        assert "with a stand-in in their place" in panel.what.text()
        panel.remove.setChecked(True)
        QTest.keyClicks(panel.typed, "bram")
        assert not panel.erase_button.isEnabled()
        QTest.keyClick(panel.typed, Qt.Key.Key_Return)
        assert await desk.tickets.ids(TicketQuery(where=(("requester", NAME),))) == ids, "half a name erases nobody"
        panel.typed.clear()
        QTest.keyClicks(panel.typed, "bram v.")
        assert panel.erase_button.isEnabled()
        QTest.mouseClick(panel.erase_button, Qt.MouseButton.LeftButton)
        await until(lambda: panel.outcome.text().startswith("Erased: "), "the outcome")
        assert NAME not in _shown(window)
        assert not await desk.tickets.ids(TicketQuery(where=(("requester", NAME),)))
        QTest.keyClick(panel, Qt.Key.Key_Escape)
        await until(lambda: window.pages.currentWidget() is window._inner, "the tickets")
        await until(lambda: NAME not in _shown(window), "the ticket pane without the name")


async def test_the_line_of_a_ticket_offers_it_too(data_dir: Path) -> None:
    async with opened_window(data_dir) as (window, _):
        await until(lambda: window.ticket.ticket_id is not None, "a ticket")
        menu = window.ticket._facts.build_menu()
        assert menu is not None
        menu.actions()[0].trigger()
        await until(lambda: window.pages.currentWidget() is window.pages.erasing, "the panel")
        menu.deleteLater()


async def test_two_people_of_one_name_are_told_apart(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = (
        "1,A,Text.,John Smith,a@example.com,2026-01-01",
        "2,A,Text.,John Smith,b@example.com,2026-01-01",
        "3,A,Text.,,,2026-01-01",
    )
    path.write_text("\n".join(("id,subject,description,requester,requester email,created_at", *rows)), encoding="utf-8")
    async with opened_window(data_dir, sample=False) as (window, desk):
        recognized = await desk.imports.recognize(path)
        assert [event async for event in desk.imports.run(recognized)]
        window.reload_list()
        await until(lambda: window.list.model.rowCount() == 3, "the list")
        await _open(window, await desk.tickets.find("1"))
        assert window.pages.erasing.also.text() == "Also known as a@example.com"
        window.show_erasing(await desk.tickets.find("3"))
        await until(lambda: "Nobody is named" in window.pages.erasing.outcome.text(), "the reason")
