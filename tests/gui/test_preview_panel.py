"""What would be sent, in the real window: opened from the card's menu, its bytes are those that the server gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop.gui.preview_panel import PreviewPanel
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.gui.real_window import ANSWER, opened_window, until

TICKET = "support-tickets:DSK-4136"


async def _opened(window: MainWindow, desk: Desk) -> PreviewPanel:
    desk.providers.save(replace(desk.providers.profile("scripted"), redaction="on"))
    ticket_id = await desk.tickets.find(TICKET)
    await until(lambda: window.list.model.rowCount(), "the list")
    window.ticket.show_ticket(ticket_id)
    await until(lambda: window.ticket.ticket_id == ticket_id, "the ticket")
    window.ticket.card.footer.preview_action.trigger()
    panel = window.pages.preview
    await until(lambda: panel.shown is not None, "the preview")
    assert panel.isVisible()
    return panel


async def test_the_page_shows_what_the_server_gets_afterwards(tmp_path: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(tmp_path, provider=server.base_url) as (window, desk):
            panel = await _opened(window, desk)
            assert server.requests == []
            assert panel.shown is not None
            body = panel.shown.body
            rows = [
                [panel.kept.data(panel.kept.index(row, c)) for c in range(3)] for row in range(len(panel.kept.rows))
            ]
            assert rows
            shown = panel.text.toPlainText()
            assert "━━ system ━━" in shown
            assert all(placeholder in shown and value not in shown for placeholder, _, value in rows)
            QTest.mouseClick(panel.raw, Qt.MouseButton.LeftButton)
            assert panel.text.toPlainText() == body.decode()
            QTest.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
            assert QGuiApplication.clipboard().text() == body.decode()
            panel.table.selectRow(0)
            panel.table.setFocus()
            QTest.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
            assert QGuiApplication.clipboard().text() == "\t".join(rows[0])
            QTest.keyClick(window, Qt.Key.Key_Escape)
            await until(lambda: window.ticket.isVisible(), "the ticket again")
            window.ticket.summarize(again=True)
            await until(lambda: server.requests and not window.ticket.card.is_running, "the summary")
    assert server.requests[0].raw == body


async def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(tmp_path, provider=server.base_url) as (window, desk):
            panel = await _opened(window, desk)
            desk.providers.save(replace(desk.providers.profile("scripted"), redaction="off"))
            panel.open(await desk.tickets.find(TICKET))
            await until(lambda: panel.shown is not None, "the preview")
            assert "Nothing is taken out" in panel.nothing_kept.text()
            assert not panel.table.isVisible()
            panel.open(10**9)
            await until(lambda: panel.note.text(), "the reason")
            assert panel.shown is None
            assert not panel.copy.isEnabled()
            assert [b for b in panel.findChildren(QPushButton) if b.text() == "Done"]
