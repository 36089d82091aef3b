"""The line below a ticket's title, and nothing else of the ticket."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QMenu

from desktop.domain.tickets import Thread
from desktop.gui.language_names import language_name
from desktop.gui.thread_view import readable_time
from desktop.gui.ticket_model import Column, cell_text
from desktop.gui.words import Words


class FactsLine(Words):
    """Shows the line. `erase_requested(ticket_id)` when its requester is to be erased."""

    erase_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__(kind="muted", wraps=True)
        self._thread: Thread | None = None

    def show_thread(self, thread: Thread) -> None:
        """Show a ticket's line."""
        self._thread = thread
        self.setText(describe_ticket(thread))

    def build_menu(self) -> QMenu | None:
        """Return what can be done with the ticket's people; None where it names nobody."""
        if self._thread is None or not self._thread.ticket.requester:
            return None
        ticket_id = self._thread.ticket.id
        menu = QMenu(self)
        menu.addAction("Erase this person…", lambda: self.erase_requested.emit(ticket_id))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if menu := self.build_menu():
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(event.globalPos())


def describe_ticket(thread: Thread) -> str:
    """Return the line: whose, which, in what state, in which language, how many messages of when."""
    ticket = thread.ticket
    count = len(thread.messages)
    days = sorted({m.created_at[:10] for m in thread.messages if m.created_at})
    when = ""
    if days:
        when = f", {readable_time(days[0])}" + (f" to {readable_time(days[-1])}" if len(days) > 1 else "")
    parts = [
        ticket.requester,
        ticket.external_id,
        cell_text(ticket, Column.STATUS),
        cell_text(ticket, Column.PRIORITY),
        language_name(ticket.language),
        f"{count} message{'' if count == 1 else 's'}{when}",
    ]
    return " · ".join(part for part in parts if part)
