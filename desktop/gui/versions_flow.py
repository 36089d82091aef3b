"""The versions of the ticket that is shown: listed, looked at, compared, brought back.

The view paints and the service keeps; here the one is asked for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.domain.runs import Summary
from desktop.gui.jobs import JobScope
from desktop.gui.versions_view import VersionsView

if TYPE_CHECKING:
    from desktop.services.container import Desk


class VersionsFlow(QObject):
    """Fills the view. `restored(summary)` when an older version is shown again."""

    restored = Signal(object)

    def __init__(self, view: VersionsView, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self.view = view
        self._desk: Desk | None = None
        self._ticket_id = 0
        self.jobs = JobScope(on_error)
        view.version_wanted.connect(lambda run_id: self.jobs.restart(self._show(run_id)))
        view.comparison_wanted.connect(lambda old, new: self.jobs.restart(self._compare(old, new)))
        view.restore_requested.connect(lambda run_id: self.jobs.restart(self._restore(run_id)))

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open(self, ticket_id: int) -> None:
        """List the versions of a ticket's summary."""
        self._ticket_id = ticket_id
        self.jobs.restart(self._list())

    async def _list(self) -> None:
        assert self._desk is not None
        self.view.show_versions(await self._desk.summaries.versions(self._ticket_id))

    async def _show(self, run_id: int) -> None:
        self.view.show_version(await self._read(run_id))

    async def _compare(self, old: int, new: int) -> None:
        assert self._desk is not None
        before, after = await self._read(old), await self._read(new)
        self.view.show_comparison(self._desk.summaries.compare(before, after))

    async def _restore(self, run_id: int) -> None:
        assert self._desk is not None
        self.restored.emit(await self._desk.summaries.restore(self._ticket_id, run_id))

    async def _read(self, run_id: int) -> Summary:
        assert self._desk is not None
        return await self._desk.summaries.version(self._ticket_id, run_id)
