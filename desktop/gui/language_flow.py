"""Languages as the window leads it: tickets are looked at behind the list, whenever nothing is being imported."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.gui.import_flow import ImportFlow
from desktop.gui.jobs import JobScope

if TYPE_CHECKING:
    from desktop.services.container import Desk

TELL_SECONDS = 2.0
"""How often the counts are read again while languages are being told."""


class LanguageFlow(QObject):
    """Tells languages in the background. `told()` comes now and then, and at the end, when there are more of them."""

    told = Signal()

    def __init__(self, imports: ImportFlow, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._imports = imports
        self._desk: Desk | None = None
        self._jobs = JobScope(on_error)
        imports.imported.connect(self.start)

    def attach(self, desk: Desk) -> None:
        """Take the services, and begin with what is there."""
        self._desk = desk
        self.start()

    def start(self) -> None:
        """Look at all tickets that were not looked at."""
        if self._desk is not None:
            self._jobs.restart(self._fill(self._desk))

    async def close(self) -> None:
        """End what runs."""
        await self._jobs.close()

    async def _fill(self, desk: Desk) -> None:
        told_at, is_told = time.monotonic(), True
        async with aclosing(desk.languages.fill()) as batches:
            async for _ in batches:
                is_told = False
                await self._imports.idle()
                if time.monotonic() - told_at > TELL_SECONDS:
                    told_at, is_told = time.monotonic(), True
                    self.told.emit()
        if not is_told:
            self.told.emit()
