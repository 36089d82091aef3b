"""Copying: the summary that is shown, or those of all chosen tickets, to the clipboard or out of the window; and in words what was left out.

What a copy holds is `services.rendering`'s to decide. Here is only which way of copying means what, and where the tickets' summaries come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QWidget

from desktop.domain.errors import DeskError
from desktop.domain.sections import choose_sections
from desktop.gui.clipboard import mime_data, put_on_clipboard
from desktop.gui.jobs import JobScope
from desktop.services.rendering import CopyFormat, CopyItem, CopyOptions, Rendered, render_summaries
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk

USUAL = "copied"
CUSTOMER = "customer"
EVERYTHING = "everything"


class CopyFlow(QObject):
    """Copies. `noticed(words)` says what was copied, `progressed(done, total)` how far many tickets are; (0, 0) at their end."""

    noticed = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self.jobs = JobScope(on_error)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def copy(self, item: CopyItem, how: str = USUAL) -> None:
        """Copy one ticket's summary, or its highlights where it has none that may be copied."""
        rendered = self._render([item], how)
        if item.summary is None and not item.highlights:
            self.noticed.emit("There is nothing to copy yet.")
            return
        put_on_clipboard(rendered)
        self.noticed.emit(_told(item, rendered))

    def copy_many(self, ticket_ids: Sequence[int], how: str = USUAL) -> None:
        """Copy the summaries of several tickets, one after the other."""
        self.jobs.restart(self._copy_many(list(ticket_ids), how))

    def drag(self, item: CopyItem, source: QWidget) -> None:
        """Have the summary dragged out of the window, as rich and plain text."""
        if item.summary is None and not item.highlights:
            return
        drag = QDrag(source)
        drag.setMimeData(mime_data(self._render([item], USUAL)))
        drag.setPixmap(source.grab())
        drag.exec(Qt.DropAction.CopyAction)

    def _render(self, items: Sequence[CopyItem], how: str) -> Rendered:
        has_citations = self._desk is not None and bool(self._desk.settings.get("copy_citations"))
        sections = choose_sections(self._desk.settings.get("sections")) if self._desk is not None else ()
        return render_summaries(items, options=copy_options(how, has_citations=has_citations), sections=sections)

    async def _copy_many(self, ticket_ids: list[int], how: str) -> None:
        assert self._desk is not None
        items: list[CopyItem] = []
        try:
            for done, ticket_id in enumerate(ticket_ids):
                self.progressed.emit(done, len(ticket_ids))
                try:
                    opened = await self._desk.summaries.open_ticket(ticket_id)
                except DeskError:
                    # It has gone since it was chosen.
                    continue
                thread = opened.thread
                items.append(CopyItem(thread.ticket.title, opened.summary, opened.highlights, thread.messages))
        finally:
            self.progressed.emit(0, 0)
        rendered = self._render(items, how)
        put_on_clipboard(rendered)
        as_highlights = f", {rendered.highlighted} of them as highlights" if rendered.highlighted else ""
        self.noticed.emit(f"{count(len(items), 'ticket')} copied{as_highlights}. {rendered.note}".strip())


def copy_options(how: str, *, has_citations: bool) -> CopyOptions:
    """Return what a way of copying means: a format's name, the usual, for the customer, or everything."""
    if how == CUSTOMER:
        return CopyOptions(CopyFormat.RICH, for_customer=True)
    if how == EVERYTHING:
        return CopyOptions(CopyFormat.RICH, with_citations=has_citations, include_all=True)
    return CopyOptions(CopyFormat.RICH if how == USUAL else CopyFormat(how), with_citations=has_citations)


def _told(item: CopyItem, rendered: Rendered) -> str:
    if rendered.highlighted:
        has_claims = item.summary is not None and bool(item.summary.claims)
        why = "No sentence of this summary may be copied: highlights copied." if has_claims else "Highlights copied."
        return f"{why} {rendered.note}".strip()
    return f"Summary copied. {rendered.note}".strip()
