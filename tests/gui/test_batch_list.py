"""Batches in the window: handed over from the quote, shown above the queue while they run, and taken in where the tickets are listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.batches import Batch, BatchState
from desktop.domain.imports import Finished
from desktop.domain.providers import ProviderProfile
from desktop.domain.queue import ItemState
from desktop.gui.batch_list import MOST_LINES, BatchList
from desktop.gui.theme.style import Theme
from desktop.gui.ticket_model import MARK_ROLE
from desktop.gui.window import MainWindow
from desktop.services.container import Desk
from tests.batch_server import HOST, MODEL, BatchServer, playing_openai
from tests.gui.card_values import in_pane
from tests.gui.real_window import opened_window, until

TICKETS = 5


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    """Give a provider that takes batches."""
    with playing_openai(tmp_path, monkeypatch) as running:
        yield running


async def list_tickets(window: MainWindow, desk: Desk, folder: Path) -> None:
    """Import a few tickets, with a provider that takes batches."""
    path = folder / "tickets.csv"
    told = "prints blank pages since Monday, and nobody knows why"
    rows = "".join(f"T-{n},Trouble {n},The printer {n} {told}.\n" for n in range(TICKETS))
    path.write_text(f"Ticket No,Title,Details\n{rows}", encoding="utf-8")
    desk.providers.save(ProviderProfile("openai", "openai", f"https://{HOST}/v1", model=MODEL), make_default=True)
    recognized = await desk.imports.recognize(path)
    assert [event async for event in desk.imports.run(recognized) if isinstance(event, Finished)]
    window.reload_list()
    await until(lambda: window.list.model.rowCount() == TICKETS, "the tickets")


async def test_a_batch_is_handed_over_watched_and_taken_in(
    qtbot: QtBot, data_dir: Path, tmp_path: Path, server: BatchServer
) -> None:
    server.plan.states = ("in_progress",)
    async with opened_window(data_dir, sample=False) as (window, desk):
        await list_tickets(window, desk, tmp_path)
        window.summarize_many()
        quote = window.queue.quote_panel
        await until(quote.batch.isVisible, "the offer")
        assert quote.batch.text().startswith("As a batch, half the price: ")
        assert server.uploads == []
        quote.batch.click()
        await until(lambda: not quote.isVisible(), "the batch to be handed over")
        assert window.notice.text().startswith("1 batch is handed over")
        cell = window.list.model.index(0, 0)
        await until(lambda: cell.data(MARK_ROLE), "the mark")
        assert cell.data(MARK_ROLE).text == "In a batch"
        await desk.batches.poll()
        window.show_queue()
        panel = window.pages.queue
        await until(lambda: "being written" in panel.batches.text(), "the batch")
        assert f"Batch 1 · {TICKETS} tickets · being written · openai ({HOST}), {MODEL}" in panel.batches.text()
        assert panel.filters[ItemState.SUBMITTED].text() == f"In a batch {TICKETS}"
        server.plan.states = ("completed",)
        next(iter(server.batches.values())).states = ["completed"]
        await desk.batches.poll()
        await until(lambda: desk.queue.status_now.done == TICKETS, "the summaries")
        await until(lambda: not panel.batches.isVisible(), "the batch to go")
        await until(lambda: cell.data(MARK_ROLE) is None, "the mark to go")


async def test_a_batch_can_be_stopped_from_the_page(
    qtbot: QtBot, data_dir: Path, tmp_path: Path, server: BatchServer
) -> None:
    server.plan.states = ("in_progress",)
    async with opened_window(data_dir, sample=False) as (window, desk):
        await list_tickets(window, desk, tmp_path)
        ids = list(window.list.model.ids())
        await desk.queue.submit_batch(ids)
        window.show_queue()
        panel = window.pages.queue
        await until(panel.batches.isVisible, "the batch")
        next(b for b in panel.batches.findChildren(QPushButton) if b.text() == "Stop").click()
        await until(lambda: any(each.path.endswith("/cancel") for each in server.journal), "the request")
        await until(lambda: not panel.batches.isVisible(), "its end")
        status = await desk.queue.status()
    assert (status.failed, status.waiting, status.submitted) == (len(ids), 0, 0)
    assert not [each for each in server.journal if each.path.endswith("/chat/completions")]


def test_many_batches_take_few_lines(qtbot: QtBot, theme: Theme) -> None:
    batches = BatchList(theme)
    in_pane(qtbot, batches)
    running = [
        Batch(n, "openai", MODEL, HOST, "summarize", BatchState.IN_PROGRESS, requests=10, completed=n)
        for n in range(1, 8)
    ]
    batches.show_batches(running)
    assert batches.isVisible()
    assert len(batches.text().splitlines()) == MOST_LINES
    assert batches._more.text() == "and 3 more"
    assert "being written, 2 answered" in batches.text()
    batches.show_batches(())
    assert not batches.isVisible()
