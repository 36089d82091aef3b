"""Export from the window: where to, in which format, how far it is, and that it is done. The chosen tickets, or all that are listed.

The dialog does not block the window, the format is what the file's name says, and cancelling leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.domain.errors import DeskError
from desktop.gui.bars import StatusBar
from desktop.gui.jobs import JobScope
from desktop.gui.notices import NoticeBar
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

FILTERS = ("CSV table (*.csv)", "JSON (*.json)", "Markdown (*.md)", "Web page (*.html)")
_MORE_SUFFIXES = {"htm": ".html", "markdown": ".md"}


class ExportFlow(QObject):
    """Asks for a file and writes tickets to it."""

    def __init__(self, status: StatusBar, notice: NoticeBar, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._status, self._notice = status, notice
        self._desk: Desk | None = None
        self.jobs = JobScope(on_error)
        status.cancel_requested.connect(self.jobs.cancel)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def ask(self, ticket_ids: Sequence[int], parent: QWidget) -> None:
        """Ask where to export these tickets to."""
        if self._desk is None or not ticket_ids:
            return
        if self.jobs.is_busy:
            self._notice.show_notice("An export is being written. Wait for its end, or cancel it in the status bar.")
            return
        dialog = QFileDialog(parent, f"Export {count(len(ticket_ids), 'ticket')}", "tickets.csv", ";;".join(FILTERS))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        # The suffix follows the kind that is chosen, as long as none is typed.
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(_suffix_of(kind)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.export(ticket_ids, Path(name)))
        dialog.open()

    def export(self, ticket_ids: Sequence[int], path: Path) -> None:
        """Write tickets to a file; one that is there was asked about in the dialog."""
        self.jobs.restart(self._export(ticket_ids, path))

    async def _export(self, ticket_ids: Sequence[int], path: Path) -> None:
        from desktop.services.export import SUFFIXES, ExportFinished, ExportProgress

        assert self._desk is not None
        suffix = path.suffix.lower()
        wanted = SUFFIXES.get(_MORE_SUFFIXES.get(suffix.lstrip("."), suffix))
        if wanted is None:
            raise DeskError(
                "export-format",
                f"{path.name} does not say in which format it shall be.",
                remedy=f"Let its name end in one of: {', '.join(SUFFIXES)}.",
            )
        self._status.show_progress(f"Exporting to {path.name}", 0.0)
        try:
            stream = self._desk.export.export(ticket_ids, wanted, path, replace_existing=True)
            async with aclosing(stream) as events:
                async for event in events:
                    if isinstance(event, ExportProgress):
                        words = f"Exporting to {path.name}: {event.tickets:,} of {count(event.total, 'ticket')}"
                        self._status.show_progress(words, event.tickets / max(1, event.total))
                    elif isinstance(event, ExportFinished):
                        self._notice.show_notice(f"{count(event.tickets, 'ticket')} exported to {event.path}.")
        finally:
            self._status.hide_progress()


def _suffix_of(kind: str) -> str:
    return kind[kind.rindex(".") + 1 :].rstrip(")")
