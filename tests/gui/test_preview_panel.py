"""The preview in the window: reached by its key, it shows what would be sent and what stays here, and sends nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.gui.real_window import ANSWER, button, opened_window, until


async def test_what_would_be_sent_is_shown_to_the_byte(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            desk.providers.save(replace(desk.providers.profile("scripted"), redaction="on"))
            await until(lambda: window.ticket.card.isVisible() and window.list.chosen_id(), "a ticket")
            ticket_id = window.list.chosen_id()
            assert ticket_id is not None
            await until(lambda: window.ticket._thread is not None, "its thread")
            window.ticket.setFocus()
            modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            QTest.keyClick(window.ticket, Qt.Key.Key_P, modifiers)
            await until(lambda: window.pages.preview.isVisible() and window.pages.preview.preview, "the preview")
            panel = window.pages.preview
            preview = await desk.sending_previews.preview(ticket_id)
            assert panel.raw.toPlainText() == preview.body.decode()
            assert preview.sha256 in panel.checksum.text()
            assert f"{len(preview.body):,} bytes" in panel.facts.text()
            assert preview.redactions
            assert len(panel.messages.extraSelections()) >= len(preview.redactions)
            for placeholder, value in preview.values.items():
                assert f"{placeholder}\t" in panel.values.toPlainText()
                assert value in panel.values.toPlainText()
            button(window, "Copy").click()
            assert QApplication.clipboard().text() == preview.body.decode()
            QTest.keyClick(panel, Qt.Key.Key_Escape)
            await until(lambda: window.ticket.isVisible(), "the tickets again")
            assert server.requests == []
