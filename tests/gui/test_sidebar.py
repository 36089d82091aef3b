"""The sidebar: what summaries say can be asked for, as soon as they say it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QListWidget
from pytestqt.qtbot import QtBot

from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.gui.real_window import opened_window, titles, until
from tests.services.conftest import TICKET

ANSWER = (
    "Problem: The card shows $59.00 twice. [m1.1]\nNext step: The customer tries October on its own. [m5.4]\n"
    "Deadlines: The October figures are needed by 2026-11-30. [m3.5]\n"
)


async def test_what_summaries_say_is_counted_beside_the_list_and_filters_it(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            filters = window.sidebar.findChild(QListWidget)
            assert isinstance(filters, QListWidget)
            await until(lambda: window.tickets.counts.total == 36, "the tickets")
            assert "SUMMARIES" not in titles(filters)
            ticket_id = await desk.tickets.find(TICKET)
            window.tickets.open_ticket(ticket_id)
            await until(lambda: window.ticket.ticket_id == ticket_id, "the ticket")
            window.ticket.summarize(again=False)
            await until(lambda: "SUMMARIES" in titles(filters), "the filters of summaries")
            start = titles(filters).index("SUMMARIES")
            assert titles(filters)[start : start + 3] == ["SUMMARIES", "Customer’s turn", "Deadlines, next first"]
            filters.setCurrentRow(start + 2)
            await until(lambda: window.list.model.rowCount() == 1, "the ticket with a deadline")
            assert window.list.model.id_at(0) == ticket_id
