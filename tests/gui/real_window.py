"""The real window over a real database, as tests open it, wait for it and use it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import shiboken6
from PySide6.QtWidgets import QApplication, QListWidget, QPushButton

from desktop.config.paths import find_paths
from desktop.domain.imports import Finished
from desktop.domain.providers import ProviderProfile
from desktop.gui.app import make_application, make_window
from desktop.gui.column_table import ROLE
from desktop.gui.import_panel import ImportPanel
from desktop.gui.window import MainWindow
from desktop.services.container import Desk, open_desk

ANSWER = "Gist: The card was charged twice. [m1.1]\nProblem: The card ending 3307 shows $59.00 twice. [m1.1]\n"


@asynccontextmanager
async def opened_window(
    data_dir: Path, *, provider: str = "", sample: bool = True
) -> AsyncIterator[tuple[MainWindow, Desk]]:
    """Open the real window over a fresh folder, with the sample tickets and a provider at an address."""
    paths = find_paths(data_dir)
    desk = await open_desk(paths)
    desk.settings.set("auto_summarize", "never")
    if sample:
        recognized = await desk.imports.recognize(paths.sample)
        assert [event async for event in desk.imports.run(recognized) if isinstance(event, Finished)]
    if provider:
        desk.providers.save(ProviderProfile("scripted", "custom", provider, model="scripted"), make_default=True)
    window = make_window(make_application(paths.resources), paths.resources)
    window.show()
    window.attach(desk)
    try:
        yield window, desk
    finally:
        await window.shut_down()
        window.close()
        await desk.close()
        # Here and now, on Qt's own thread: a window left to the garbage collector may be collected by a worker of the next test.
        shiboken6.delete(window)
        # WORKAROUND: with Qt drawing into memory, what a clipboard holds at the end of the program crashes it; on a display it does not.
        QApplication.clipboard().clear()
        gc.collect()


def choose_role(panel: ImportPanel, column: int, role: str) -> None:
    """Pick what a column of the file holds, in the panel's table."""
    model = panel._columns.columns
    assert model.setData(model.index(column, ROLE), role)


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until the window shows something."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


def button(window: MainWindow, text: str) -> QPushButton:
    """Return the button that a person sees under this title."""
    return next(b for b in window.findChildren(QPushButton) if b.text() == text and b.isVisible())


def titles(filters: QListWidget) -> list[str]:
    """Return the lines of the sidebar, its headings among them."""
    return [filters.item(row).text() for row in range(filters.count())]
