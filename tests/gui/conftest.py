"""What the tests of single panes share: one theme, and a thread with everything that makes threads hard."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from desktop.config.paths import find_paths
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.gui.app import GarbageCollector
from desktop.gui.theme.style import Theme


@pytest.fixture(autouse=True)
def widgets_end_on_qts_thread(qapp: QApplication) -> Iterator[None]:
    """Collect what a test leaves here and now, and never in a worker: a widget destroyed in another thread ends the program."""
    if qapp.findChild(GarbageCollector) is None:
        GarbageCollector(qapp)
    yield
    gc.collect()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """Give the program's look."""
    return Theme(qapp, find_paths().resources)


def make_row(number: int, *, subject: str = "", gist: str = "", updated_at: str = "2026-11-20T09:14:00Z") -> TicketRow:
    """Return a ticket as the list shows it."""
    return TicketRow(
        id=number,
        source="zendesk",
        external_id=f"ZD-{number}",
        subject=subject or f"Ticket number {number}",
        status="open",
        status_original="new",
        priority="high",
        priority_original="P1",
        requester="Maria K.",
        assignee="Sam O.",
        created_at="2026-11-01T09:14:00Z",
        updated_at=updated_at,
        message_count=2,
        gist=gist,
    )


@pytest.fixture
def row() -> TicketRow:
    """Give one ticket."""
    return make_row(1)


@pytest.fixture
def thread(row: TicketRow) -> Thread:
    """Give a thread with emoji before the cited words and with quoted history."""
    first = "🙂🙂 Hello.\nMy card was charged $49 twice."
    second = "Refund RF-9920 is issued.\n\nOn Mon, 2 Mar 2026 at 09:14, Maria K. wrote:\n> My card was charged $49 twice.\n> Please help."
    return Thread(
        row,
        {},
        (
            Message(1, "Maria K.", Role.CUSTOMER, "2026-03-02T09:14:00Z", first),
            Message(2, "Sam O.", Role.AGENT, "2026-03-02T11:40:00Z", second),
        ),
        "hash",
    )
