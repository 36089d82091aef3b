"""The quote: what summaries of many tickets would cost stands there before anything is sent, and follows every choice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.domain.providers import ProviderProfile
from desktop.gui.caps_editor import parse_cap
from desktop.gui.quote_panel import QuotePanel
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.gui.real_window import ANSWER, opened_window, until
from tests.services.conftest import TICKET

TICKETS = 36
CONTROL = Qt.KeyboardModifier.ControlModifier
CLOUD = ProviderProfile("Cloud", "openai", "https://api.openai.com/v1", model="gpt-4.1-mini")


@asynccontextmanager
async def listed_tickets(data_dir: Path) -> AsyncIterator[tuple[MainWindow, Desk, ScriptedServer]]:
    """Open the window with the sample tickets and a provider on this machine."""
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_window(data_dir, provider=server.base_url) as (window, desk):
            await until(lambda: window.list.model.rowCount() == TICKETS, "the tickets")
            window.list.table.setFocus()
            yield window, desk, server


async def quoted(window: MainWindow) -> QuotePanel:
    """Wait for the price and return its panel."""
    panel = window.queue.quote_panel
    await until(panel.isVisible, "the panel")
    await until(lambda: not window.queue.quotes.jobs.is_busy and not panel.progress.isVisible(), "the price")
    return panel


async def test_the_price_is_said_before_anything_is_sent(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, _, server):
        QTest.keyClick(window.list.table, Qt.Key.Key_A, CONTROL)
        assert window.top.summarize_button.text() == "Summarize 36 tickets…"
        QTest.keyClick(window.list.table, Qt.Key.Key_Return, CONTROL)
        panel = await quoted(window)
        assert panel.headline.text().startswith("Summarize 36 tickets: free, on this machine")
        assert "scripted (127.0.0.1" in panel.facts.text()
        assert "tokens" in panel.facts.text()
        assert not panel.batch.isVisible()
        assert panel.summarize.isEnabled()
        assert server.requests == []
        QTest.keyClick(panel, Qt.Key.Key_Escape)
        assert not panel.isVisible()
        assert window.list.table.hasFocus()
        assert server.requests == []


async def test_enter_puts_the_tickets_into_the_queue_and_a_gist_appears(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, _):
        row = window.list.model.row_of(await desk.tickets.find(TICKET))
        window.list.table.selectRow(row)
        QTest.keyClick(window.list.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClick(window.list.table, Qt.Key.Key_Return, CONTROL)
        panel = await quoted(window)
        chosen = window.list.chosen_ids()
        assert panel.headline.text().startswith("Summarize 2 tickets")
        await until(panel.summarize.hasFocus, "the focus on the button")
        QTest.keyClick(panel.summarize, Qt.Key.Key_Return)
        await until(lambda: not panel.isVisible(), "the end of the panel")
        assert "2 tickets are in the queue" in window.notice.text()
        await until(lambda: desk.queue.status_now.done == 2, "the summaries")
        place = window.list.model.index(row, 0)
        await until(lambda: "charged twice" in place.data(), "the gist")
        assert window.list.chosen_ids() == chosen
        assert window.list.table.hasFocus()


async def test_all_that_is_listed_is_quoted_where_one_ticket_is_chosen(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, _, _server):
        assert window.top.summarize_button.text() == "Summarize all 36…"
        window.top.summarize_button.click()
        panel = await quoted(window)
        assert panel.headline.text().startswith("Summarize 36 tickets")
        menu = window._list_menu.build()
        assert menu.actions()[0].text() == "Summarize all 36 listed…\tCtrl+Enter"
        window.list.table.selectAll()
        assert window._list_menu.build().actions()[0].text() == "Summarize 36 tickets…\tCtrl+Enter"


async def test_another_provider_has_another_price(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, server):
        desk.providers.save(CLOUD)
        window.summarize_many()
        panel = await quoted(window)
        assert "free" in panel.headline.text()
        panel.provider.setCurrentIndex(panel.provider.findData("Cloud"))
        await quoted(window)
        assert "key for Cloud" in panel.warning.text()
        assert not panel.summarize.isEnabled()
        await desk.providers.set_key("Cloud", "sk-test", allow_session=True)
        panel.refresh.click()
        await quoted(window)
        assert not panel.warning.isVisible()
        assert "Cloud (api.openai.com), gpt-4.1-mini" in panel.facts.text()
        assert "$" in panel.headline.text()
        assert panel.summarize.isEnabled()
        assert panel.batch.text().startswith("As a batch, half the price: ")
        assert server.requests == []


async def test_why_it_would_not_begin_is_said(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, _):
        desk.providers.save(CLOUD, make_default=True)
        desk.settings.set("local_only", True)
        window.summarize_many()
        panel = await quoted(window)
        assert "nothing is sent to api.openai.com" in panel.warning.text()
        assert panel.warning.isVisible()
        assert not panel.summarize.isEnabled()
        panel.provider.setCurrentIndex(panel.provider.findData("scripted"))
        await quoted(window)
        assert not panel.warning.isVisible()
        assert panel.summarize.isEnabled()


async def test_a_price_above_the_threshold_stands_in_the_button(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, _):
        desk.providers.save(CLOUD, make_default=True)
        await desk.providers.set_key("Cloud", "sk-test", allow_session=True)
        desk.settings.set("ask_above_cost", 0.000001)
        window.summarize_many()
        panel = await quoted(window)
        price = panel.summarize.text().removeprefix("Summarize for ")
        assert price != panel.summarize.text()
        assert price in panel.headline.text()


async def test_an_unknown_price_is_said_to_be_unknown(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, _):
        unknown = ProviderProfile("Cloud", "openai", "https://api.openai.com/v1", model="nobody-knows-it")
        desk.providers.save(unknown, make_default=True)
        await desk.providers.set_key("Cloud", "sk-test", allow_session=True)
        window.summarize_many()
        panel = await quoted(window)
        assert "price unknown" in panel.headline.text()
        assert "$0" not in panel.headline.text()


async def test_caps_are_kept_as_they_are_typed(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, desk, _):
        window.summarize_many()
        panel = await quoted(window)
        for name, typed, kept, shown in (
            ("max_cost_run", "$5", 5.0, "5.00"),
            ("max_tokens_day", "250k", 250_000, "250,000"),
        ):
            field = panel.caps.fields[name]
            field.setText(typed)
            QTest.keyClick(field, Qt.Key.Key_Return)
            assert desk.settings.get(name) == kept
            assert field.text() == shown
        await quoted(window)
        field = panel.caps.fields["max_cost_run"]
        field.setText("a lot")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert "no amount" in panel.warning.text()
        assert field.text() == "5.00"
        field.setText("")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert desk.settings.get("max_cost_run") == 0.0
        assert not panel.warning.isVisible()


async def test_an_open_quote_waits_while_the_providers_are_looked_at(qtbot: QtBot, data_dir: Path) -> None:
    async with listed_tickets(data_dir) as (window, _, _server):
        window.summarize_many()
        panel = await quoted(window)
        window.show_providers()
        assert not panel.isVisible()
        window.pages.providers.closed.emit()
        await quoted(window)
        assert panel.headline.text().startswith("Summarize 36 tickets")


def test_caps_are_read_as_people_write_them() -> None:
    assert parse_cap("") == 0
    assert parse_cap(" $12.50 ") == 12.5
    assert parse_cap("1,000,000") == 1_000_000
    assert parse_cap("250 k") == 250_000
    assert parse_cap("2M") == 2_000_000
    assert parse_cap("-3") is None
    assert parse_cap("five") is None
