"""What the tests of files that belong together share: tables written, imported as the window does it, and what a ticket holds then."""

from __future__ import annotations

from pathlib import Path

from desktop.domain.imports import Finished
from desktop.domain.tickets import Role, Thread
from desktop.services.container import Desk


def write(folder: Path, texts: dict[str, str]) -> dict[str, Path]:
    """Write tables and return their paths by their names."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in texts}


async def take(desk: Desk, *paths: Path) -> list[Finished]:
    """Import files as the window does: look at them together, then bundle after bundle."""
    drop = await desk.joining.open(paths)
    assert not drop.questions
    assert not drop.failed
    done = []
    for bundle in drop.bundles:
        for table in bundle.tables:
            events = [event async for event in desk.imports.run(table)]
            done += [event for event in events if isinstance(event, Finished)]
    return done


async def thread_of(desk: Desk, external_id: str) -> Thread:
    """Return a ticket by its own id, of whichever source."""
    thread = await desk.tickets.thread(await desk.tickets.find(external_id))
    assert thread is not None
    return thread


def said(thread: Thread) -> list[tuple[str, Role, str]]:
    """Return who said what, message by message."""
    return [(message.author, message.role, message.text) for message in thread.messages]
