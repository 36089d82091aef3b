"""The menu of the ticket list: what can be done with the chosen tickets, however many. Each entry has a key of its own, too."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu

from desktop.gui.ticket_list import TicketList
from desktop.services.wording import count


class ListMenu(QObject):
    """Opens on a right click or the menu key; `copy` and `export` are what the window does on Ctrl+C and Ctrl+E, `erase` a ticket's requester."""

    def __init__(
        self,
        tickets: TicketList,
        *,
        copy: Callable[[], object],
        export: Callable[[], object],
        erase: Callable[[int], object],
    ) -> None:
        super().__init__(tickets)
        self._list, self._copy, self._export, self._erase = tickets, copy, export, erase
        tickets.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tickets.table.customContextMenuRequested.connect(self._open)

    def build(self) -> QMenu:
        """Return the menu for what is chosen now."""
        chosen = len(self._list.chosen_ids())
        menu = QMenu(self._list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_one = chosen == 1
        menu.addAction(f"{'Copy summary' if is_one else f'Copy {chosen:,} summaries'}\tCtrl+C", self._copy)
        menu.addAction(f"Export {'all listed' if is_one else count(chosen, 'ticket')}…\tCtrl+E", self._export)
        if is_one:
            menu.addSeparator()
            ticket_id = self._list.chosen_ids()[0]
            menu.addAction("Erase this person…", lambda: self._erase(ticket_id))
        return menu

    def _open(self, place: QPoint) -> None:
        if self._list.chosen_ids():
            self.build().popup(self._list.table.viewport().mapToGlobal(place))
