"""The menu of the ticket list: what can be done with the chosen tickets, however many. Each entry has a key of its own, too."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu

from desktop.gui.ticket_list import TicketList
from desktop.services.wording import count


class ListMenu(QObject):
    """Opens on a right click or the menu key.

    `summarize`, `copy` and `export` are what the window does on Ctrl+Enter, Ctrl+C and Ctrl+E; `erase` leads to the erasing of a ticket's requester.
    """

    def __init__(
        self,
        tickets: TicketList,
        *,
        summarize: Callable[[], object],
        copy: Callable[[], object],
        export: Callable[[], object],
        erase: Callable[[int], object],
    ) -> None:
        super().__init__(tickets)
        self._list, self._summarize, self._copy, self._export, self._erase = tickets, summarize, copy, export, erase
        tickets.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tickets.table.customContextMenuRequested.connect(self._open)

    def build(self) -> QMenu:
        """Return the menu for what is chosen now."""
        chosen = self._list.chosen_count()
        menu = QMenu(self._list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_one = chosen == 1
        listed = self._list.model.rowCount()
        summarize = f"Summarize all {listed:,} listed…" if is_one else f"Summarize {count(chosen, 'ticket')}…"
        menu.addAction(f"{summarize}\tCtrl+Enter", self._summarize)
        menu.addAction(f"{'Copy summary' if is_one else f'Copy {chosen:,} summaries'}\tCtrl+C", self._copy)
        menu.addAction(f"Export {'all listed' if is_one else count(chosen, 'ticket')}…\tCtrl+E", self._export)
        if is_one:
            menu.addSeparator()
            ticket_id = self._list.chosen_ids()[0]
            menu.addAction("Erase this person…", lambda: self._erase(ticket_id))
        return menu

    def _open(self, place: QPoint) -> None:
        if self._list.chosen_count():
            self.build().popup(self._list.table.viewport().mapToGlobal(place))
