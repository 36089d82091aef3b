"""Texts that a person writes and that are checked against the ticket: an edit of the summary in the card, and a pasted reply in its panel.

An edit that was begun and neither saved nor given up is kept for as long as the program runs, each ticket its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.domain.runs import Summary
from desktop.gui.jobs import JobScope
from desktop.gui.summary_card import SummaryCard
from desktop.gui.summary_editor import SummaryEditor
from desktop.gui.verify_panel import VerifyPanel
from desktop.services.lines import write_lines

if TYPE_CHECKING:
    from desktop.services.container import Desk


class CheckingFlow(QObject):
    """Asks the service what editor and panel want to know. `edited(summary)` when a person's version was kept."""

    edited = Signal(object)

    def __init__(self, card: SummaryCard, panel: VerifyPanel, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._card, self._panel = card, panel
        self._desk: Desk | None = None
        self._ticket_id: int | None = None
        self._drafts: dict[int, str] = {}
        self._editing = JobScope(on_error)
        self._verifying = JobScope(on_error)
        card.editor.changed.connect(self._keep)
        card.editor.check_wanted.connect(self._check_edit)
        card.editor.saved.connect(self._save)
        card.editor.cancelled.connect(self.cancel_edit)
        panel.check_wanted.connect(self._check_pasted)
        panel.closed.connect(panel.hide)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    async def close(self) -> None:
        """End everything that runs."""
        await self._editing.close()
        await self._verifying.close()

    def show_ticket(self, ticket_id: int | None) -> None:
        """Go on with another ticket: its draft is there again, if it has one."""
        self._ticket_id = ticket_id
        self._editing.cancel()
        self._verifying.cancel()
        if ticket_id in self._drafts:
            self._card.show_editor(self._drafts[ticket_id])

    def edit(self, summary: Summary | None) -> None:
        """Edit a summary in the card."""
        if summary is not None and summary.claims and self._ticket_id is not None:
            self._card.show_editor(self._drafts.get(self._ticket_id) or write_lines(summary.claims))

    def cancel_edit(self) -> None:
        """Give the edit up."""
        self._drafts.pop(self._ticket_id or 0, None)
        self._card.show_summary_again()

    def _keep(self, text: str) -> None:
        if self._ticket_id is not None:
            self._drafts[self._ticket_id] = text

    def _check_edit(self, text: str) -> None:
        if self._ticket_id is not None and self._desk is not None:
            self._editing.restart(self._show_checked(self._ticket_id, text, self._card.editor))

    def _check_pasted(self, text: str) -> None:
        if self._ticket_id is not None and self._desk is not None:
            self._verifying.restart(self._show_checked(self._ticket_id, text, self._panel))

    def _save(self, text: str) -> None:
        if self._ticket_id is not None and self._desk is not None:
            self._editing.restart(self._keep_edit(self._ticket_id, text))

    async def _show_checked(self, ticket_id: int, text: str, place: SummaryEditor | VerifyPanel) -> None:
        assert self._desk is not None
        verified = await self._desk.summaries.verify(ticket_id, text)
        place.show_verified(verified)

    async def _keep_edit(self, ticket_id: int, text: str) -> None:
        assert self._desk is not None
        summary = await self._desk.summaries.edit(ticket_id, text)
        # Only what is kept for certain is no draft any more.
        self._drafts.pop(ticket_id, None)
        if ticket_id == self._ticket_id:
            self._card.show_summary_again()
            self.edited.emit(summary)
