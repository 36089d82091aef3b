"""Batches: what is handed over, what is taken in of whatever comes back, and that nothing is lost or paid for twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.batches import BatchState, RequestState
from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import RunState, Summary
from desktop.services.container import Desk
from tests.batch_server import GOOD, HOST, KEY, MODEL, BatchServer, Reply, playing_openai
from tests.services.conftest import import_path, opened_desk


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    with playing_openai(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Give an export of five tickets, each with an address that must not leave."""
    path = tmp_path / "tickets.csv"
    rows = "".join(
        f"T-{n},Trouble {n},The printer {n} prints blank pages since Monday. Write to ada{n}@example.org please.,open,Ada\n"
        for n in range(1, 6)
    )
    path.write_text(f"Ticket No,Title,Details,State,Customer\n{rows}", encoding="utf-8")
    return path


@asynccontextmanager
async def desk_with(data_dir: Path, tickets: Path | None = None) -> AsyncIterator[Desk]:
    async with opened_desk(data_dir, with_sample=False) as desk:
        if tickets is not None:
            await import_path(desk, tickets)
            profile = ProviderProfile("openai", "openai", f"https://{HOST}/v1", model=MODEL)
            desk.providers.save(profile, make_default=True)
        yield desk


async def ids_of(desk: Desk) -> list[int]:
    return [await desk.tickets.find(f"T-{n}") for n in range(1, 6)]


async def end(desk: Desk) -> None:
    """Poll until nothing runs any more."""
    for _ in range(10):
        if not await desk.batches.poll():
            return
    raise AssertionError([batch.reason for batch in await desk.batches.batches()])


async def shown(desk: Desk, ticket_id: int) -> Summary:
    summary = (await desk.summaries.open_ticket(ticket_id)).summary
    assert summary is not None
    return summary


async def ledger(desk: Desk, data_dir: Path) -> list[dict[str, Any]]:
    import sqlite3

    with sqlite3.connect(data_dir / "tldesk.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM ledger ORDER BY id")]
    connection.close()
    return rows


async def test_a_batch_is_handed_over_polled_taken_in_and_cleared(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        (batch,) = await desk.batches.submit(ids)
        assert (batch.requests, batch.state) == (5, BatchState.VALIDATING)
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert (batch.state, batch.taken, batch.cost_microusd) == (BatchState.COMPLETED, 5, 5 * 105)
        assert batch.is_cleared
        for ticket_id in ids:
            summary = await shown(desk, ticket_id)
            assert (summary.state, summary.cost_microusd) == (RunState.COMPLETE, 105)
    assert server.files == {}
