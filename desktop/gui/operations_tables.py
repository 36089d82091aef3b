"""The tables of the operations view: figures by group, requests by the page, and what went wrong of late."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from desktop.domain.operations import Figures
from desktop.domain.outgoing import OUTCOME_UNKNOWN, LedgerEntry
from desktop.gui.operations_series import label
from desktop.gui.tables import Index, TitledTableModel
from desktop.gui.theme.style import Theme
from desktop.gui.words import plain_tip
from desktop.services.operations_words import (
    describe_entry_state,
    describe_error,
    describe_key,
    describe_money,
    describe_purpose,
    describe_redactions,
    describe_seconds,
    describe_share,
    describe_spend,
    remedy_for,
)

PAGE_ROWS = 200
CACHED_PAGES = 32
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ICONS = {
    "complete": ("check", "ok"),
    "incomplete": ("info", "warning"),
    "failed": ("warning", "error"),
    "cancelled": ("stop", "faint"),
    OUTCOME_UNKNOWN: ("info", "faint"),
}


class GroupTableModel(TitledTableModel):
    """Figures of all, then a row each group."""

    TITLES = (
        *(
            "",
            "Calls",
            "Errors",
            "First token p50 / p95",
            "Answer p50 / p95",
            "Tokens in / out",
            "Spend",
            "Cached",
            "Saved",
        ),
    )

    def __init__(self, theme: Theme) -> None:
        super().__init__(self.TITLES)
        self._theme = theme
        self._by = ""
        self.rows: tuple[Figures, ...] = ()

    def set_rows(self, by: str, total: Figures, groups: tuple[Figures, ...]) -> None:
        """Show other figures."""
        self.beginResetModel()
        self._by, self.rows = by, (total, *groups)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section else _LEFT
        if section == 0 and orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._by.capitalize()
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        figures = self.rows[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() else _LEFT
        if role == Qt.ItemDataRole.ForegroundRole:
            t = self._theme.tokens
            return QColor(
                t.text if index.column() == 0 else t.error if index.column() == 2 and figures.errors else t.muted
            )
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        words = self._cell(index.row(), figures, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(words) if index.column() == 0 else None
        title = self.headerData(index.column(), Qt.Orientation.Horizontal)
        return f"{title}: {words}" if role == Qt.ItemDataRole.AccessibleTextRole and index.column() else words

    def _cell(self, row: int, figures: Figures, column: int) -> str:
        first, total = figures.first_token, figures.total
        name = "All" if row == 0 else label(figures.key) if self._by == "day" else describe_key(figures.key)
        return (
            name,
            f"{figures.calls:,}",
            f"{figures.errors:,} · {describe_share(figures.error_rate)}" if figures.calls else "–",
            f"{describe_seconds(first.p50)} / {describe_seconds(first.p95)}",
            f"{describe_seconds(total.p50)} / {describe_seconds(total.p95)}",
            f"{figures.input_tokens:,} / {figures.output_tokens:,}",
            describe_spend(figures),
            f"{figures.cache_hits:,} · {describe_share(figures.cache_hit_rate)}",
            describe_money(figures.saved_microusd),
        )[column]


class LedgerTableModel(TitledTableModel):
    """All requests of one question: their ids and a cache of pages. `page_wanted(page)` asks for rows; `put_page` brings them."""

    TITLES = ("When (UTC)", "Host", "Purpose", "Model", "Size", "Redacted", "State", "Cost")
    WHEN, HOST, PURPOSE, MODEL, SIZE, REDACTED, STATE, COST = range(8)
    page_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(self.TITLES)
        self._theme = theme
        self._ids: array[int] = array("q")
        self._pages: OrderedDict[int, tuple[LedgerEntry, ...]] = OrderedDict()
        self._asked: set[int] = set()

    def set_ids(self, ids: array[int]) -> None:
        """Show other requests."""
        self.beginResetModel()
        self._ids = ids
        self._pages.clear()
        self._asked.clear()
        self.endResetModel()

    def ids(self) -> array[int]:
        """Return the ids of all that is listed, in their order."""
        return self._ids

    def ids_of_page(self, page: int) -> array[int]:
        """Return the ids whose rows a page holds."""
        return self._ids[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]

    def put_page(self, page: int, ids: array[int], entries: tuple[LedgerEntry, ...]) -> None:
        """Take the rows of a page, unless the list has changed since they were asked for."""
        self._asked.discard(page)
        if self.ids_of_page(page) != ids or len(entries) != len(ids):
            return
        self._pages[page] = entries
        self._pages.move_to_end(page)
        while len(self._pages) > CACHED_PAGES:
            self._pages.popitem(last=False)
        first = page * PAGE_ROWS
        self.dataChanged.emit(self.index(first, 0), self.index(first + len(entries) - 1, len(self.TITLES) - 1))

    def refresh(self) -> None:
        """Ask for the shown rows again; they stay until the new ones come."""
        for page in self._pages:
            self._ask(page)

    def id_at(self, row: int) -> int:
        """Return the id of the request at a row."""
        return self._ids[row]

    def row_of(self, entry_id: int) -> int:
        """Return the row of a request, -1 when it is not listed."""
        try:
            return self._ids.index(entry_id)
        except ValueError:
            return -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._ids)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        page, offset = divmod(index.row(), PAGE_ROWS)
        entries = self._pages.get(page)
        if entries is None:
            self._ask(page)
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == self.WHEN else None
        return self._shown(entries[offset], index.column(), role)

    def _shown(self, entry: LedgerEntry, column: int, role: int) -> Any:
        t = self._theme.tokens
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._cell(entry, column)
            case Qt.ItemDataRole.ToolTipRole if column == self.STATE:
                return plain_tip(" ".join(filter(None, (describe_error(entry), remedy_for(entry)))))
            case Qt.ItemDataRole.ToolTipRole if column in (self.HOST, self.MODEL, self.REDACTED):
                return plain_tip(self._cell(entry, column))
            case Qt.ItemDataRole.ForegroundRole:
                is_quiet = column in (self.SIZE, self.REDACTED, self.COST, self.PURPOSE)
                return QColor(
                    t.error if column == self.STATE and entry.state == "failed" else t.muted if is_quiet else t.text
                )
            case Qt.ItemDataRole.DecorationRole if column == self.STATE:
                name, color = _ICONS.get(entry.state, ("info", "faint"))
                return self._theme.icons.pixmap(name, getattr(t, color))
        return None

    def _cell(self, entry: LedgerEntry, column: int) -> str:
        return (
            short_moment(entry.at),
            entry.host,
            describe_purpose(entry) + (f", try {entry.attempt}" if entry.attempt > 1 else ""),
            entry.model or "–",
            describe_size(entry.bytes),
            describe_redactions(entry.redactions),
            describe_entry_state(entry.state),
            describe_money(entry.cost_microusd) if entry.state != "failed" or entry.cost_microusd else "–",
        )[column]

    def _ask(self, page: int) -> None:
        if page not in self._asked:
            self._asked.add(page)
            self.page_wanted.emit(page)


class FailureTableModel(TitledTableModel):
    """The last calls that ended badly, in words with what to do."""

    TITLES = ("When (UTC)", "Provider", "What happened", "What to do")

    def __init__(self, theme: Theme) -> None:
        super().__init__(self.TITLES)
        self._theme = theme
        self.entries: tuple[LedgerEntry, ...] = ()

    def set_entries(self, entries: tuple[LedgerEntry, ...]) -> None:
        """Show other failures."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column, t = self.entries[index.row()], index.column(), self._theme.tokens
        cells: tuple[Callable[[LedgerEntry], str], ...] = (
            lambda e: short_moment(e.at),
            lambda e: " · ".join(filter(None, (e.provider or e.host, e.model))),
            describe_error,
            remedy_for,
        )
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return cells[column](entry)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(cells[column](entry))
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(t.text if column == 2 else t.muted)
            case Qt.ItemDataRole.DecorationRole if column == 0:
                name, color = _ICONS.get(entry.state, ("info", "faint"))
                return self._theme.icons.pixmap(name, getattr(t, color))
        return None


def short_moment(iso: str) -> str:
    """Say a moment to the second: `25 Nov 10:31:05`."""
    return f"{label(iso[:10])} {iso[11:19]}"


def describe_size(number: int) -> str:
    """Say a size in bytes: `812 B`, `14.2 kB`."""
    return f"{number:,} B" if number < 1_000 else f"{number / 1_000:,.1f} kB"


def _alignment(column: int) -> Any:
    return _RIGHT if column in (LedgerTableModel.SIZE, LedgerTableModel.COST) else _LEFT
