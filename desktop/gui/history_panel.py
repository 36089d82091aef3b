"""Imports so far: what each file brought, what became of every row of it, and the ways on from there: undo, what changed, rejected rows.

One page of the window with three leaves: the list of imports, what one of them changed, and the rows that it rejected. Each is built when it is
first opened, so that the program's first window does not wait for them. Deliberately not here: the
undo itself, which the import flow leads, because it is offered in its notices too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportRecord, ImportState
from desktop.gui.changes_view import ChangesView
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import panel_head
from desktop.gui.rejects_view import RejectsView
from desktop.gui.tables import Index, RowTable, TitledTableModel
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time
from desktop.gui.words import ElidedWords, Words, named_frame, plain_tip
from desktop.services.wording import count, describe_account, describe_imbalance, describe_state

if TYPE_CHECKING:
    from desktop.services.container import Desk


class Column(IntEnum):
    """The columns of the list, in their order."""

    NUMBER = 0
    WHEN = 1
    FILE = 2
    SOURCE = 3
    NEW = 4
    CHANGED = 5
    UNCHANGED = 6
    REJECTED = 7
    STATE = 8


_TITLES = ("No.", "When", "File", "Source", "New", "Changed", "Unchanged", "Rejected", "State")
_WIDTHS = (7, 20, 0, 22, 9, 11, 13, 12, 18)
_NUMBERS = (Column.NEW, Column.CHANGED, Column.UNCHANGED, Column.REJECTED)


class HistoryPanel(QWidget):
    """Shows imports. It asks for an undo and for a ticket to be opened; `tickets_changed` when a mended row became a ticket."""

    undo_requested = Signal(int)
    ticket_opened = Signal(int)
    tickets_changed = Signal()
    failed = Signal(DeskError)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk: Desk | None = None
        self.jobs = JobScope(self.failed.emit)
        self._theme = theme
        self._leaves = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.addWidget(self._leaves)

    @cached_property
    def imports(self) -> _ImportList:
        """Return the list of imports."""
        leaf = _ImportList(self._theme)
        leaf.undo.clicked.connect(lambda: self._on_chosen(self.undo_requested.emit))
        leaf.changes.clicked.connect(lambda: self._on_chosen(self.show_changes))
        leaf.rejects.clicked.connect(lambda: self._on_chosen(self.show_rejects))
        leaf.closed.connect(self.closed)
        self._leaves.addWidget(leaf)
        return leaf

    @cached_property
    def changes(self) -> ChangesView:
        """Return the leaf of what an import changed."""
        leaf = ChangesView(self._theme)
        leaf.ticket_opened.connect(self.ticket_opened)
        self._add(leaf)
        return leaf

    @cached_property
    def rejects(self) -> RejectsView:
        """Return the leaf of the rows that an import rejected."""
        leaf = RejectsView(self._theme)
        leaf.tickets_changed.connect(self.tickets_changed)
        self._add(leaf)
        return leaf

    def _add(self, leaf: ChangesView | RejectsView) -> None:
        leaf.failed.connect(self.failed)
        leaf.left.connect(self.open)
        if self._desk is not None:
            leaf.attach(self._desk)
        self._leaves.addWidget(leaf)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open(self) -> None:
        """Show the list of imports, the one that was chosen before still chosen."""
        self._leaves.setCurrentWidget(self.imports)
        self.reload()
        self.imports.table.setFocus()

    def reload(self) -> None:
        """Read the list again, because an import was added, mended or undone."""
        if self._desk is not None:
            self.jobs.restart(self._load())

    def show_changes(self, import_id: int) -> None:
        """Show what one import changed."""
        self.jobs.restart(self._load(import_id, self.changes))

    def show_rejects(self, import_id: int) -> None:
        """Show the rows that one import rejected."""
        self.jobs.restart(self._load(import_id, self.rejects))

    async def close_jobs(self) -> None:
        """End everything that runs."""
        leaves = [self._leaves.widget(place) for place in range(self._leaves.count())]
        closing = [leaf.close_jobs() for leaf in leaves if isinstance(leaf, ChangesView | RejectsView)]
        await asyncio.gather(self.jobs.close(), *closing)

    async def _load(self, import_id: int = 0, leaf: ChangesView | RejectsView | None = None) -> None:
        assert self._desk is not None
        records = await self._desk.imports.history()
        self.imports.show_records(records, chosen=import_id)
        record = next((record for record in records if record.id == import_id), None)
        if leaf is not None and record is not None:
            self._leaves.setCurrentWidget(leaf)
            if isinstance(leaf, ChangesView):
                leaf.show_import(record, {each.id: each for each in records})
            else:
                leaf.show_import(record)
            return
        shown = self._leaves.currentWidget()
        undone = {each.id for each in records if each.state is ImportState.UNDONE}
        if isinstance(shown, ChangesView | RejectsView) and shown.import_id in undone:
            # Of what is being looked at nothing is left.
            self._leaves.setCurrentWidget(self.imports)

    def _on_chosen(self, act: Callable[[int], object]) -> None:
        record = self.imports.chosen()
        if record is not None:
            act(record.id)


class _ImportList(QWidget):
    """The list, and below it the account of the chosen import with what can be done about it."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.changes = QPushButton("What changed")
        self.rejects = QPushButton("Rejected rows")
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Take this import back: what was new is removed, what was changed is restored")
        self.model = ImportTableModel(theme)
        self.table = RowTable("Imports", hides={Column.UNCHANGED: 112 * SPACE, Column.SOURCE: 95 * SPACE})
        self.table.setModel(self.model)
        self.table.opened.connect(lambda: self.changes.click())
        self.table.doubleClicked.connect(lambda _: self.changes.click())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_chosen())
        self._build()
        theme.changed.connect(self._show_chosen)

    def chosen(self) -> ImportRecord | None:
        """Return the import that is chosen."""
        index = self.table.currentIndex()
        return self.model.records[index.row()] if index.isValid() else None

    def show_records(self, records: tuple[ImportRecord, ...], *, chosen: int = 0) -> None:
        """Show these imports; the one that was chosen, or `chosen`, stays it."""
        before = self.chosen()
        wanted = chosen or (before.id if before else 0)
        self.model.set_records(records)
        row = next((place for place, record in enumerate(records) if record.id == wanted), 0)
        if records:
            self.table.selectRow(row)
        self._empty.setVisible(not records)
        for widget in (self.table, self._account):
            widget.setVisible(bool(records))
        self._show_chosen()

    def _build(self) -> None:
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        for column, width in enumerate(_WIDTHS):
            header.setSectionResizeMode(
                column, QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch
            )
            if width:
                header.resizeSection(column, width * SPACE)
        self._empty = Words("Nothing was imported yet. Drop a ticket export on this window.", kind="muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(panel_head("Imports", self.closed))
        layout.addWidget(self._empty)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._build_account())
        layout.addStretch(0)

    def _build_account(self) -> QWidget:
        self._account = named_frame("card")
        self._name = ElidedWords()
        self._name.setFont(scaled(self.font(), 1.0, weight=self.font().Weight.DemiBold))
        self._facts = ElidedWords(kind="muted")
        self._sum = Words(kind="muted", wraps=True)
        self._wrong = Words(kind="errorText", wraps=True)
        words = QVBoxLayout()
        words.setSpacing(SPACE // 2)
        for widget in (self._name, self._facts, self._sum, self._wrong):
            words.addWidget(widget)
        box = QHBoxLayout(self._account)
        box.setContentsMargins(2 * SPACE, SPACE + 4, 2 * SPACE, SPACE + 4)
        box.setSpacing(SPACE)
        box.addLayout(words, 1)
        for button in (self.changes, self.rejects, self.undo):
            box.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        return self._account

    def _show_chosen(self) -> None:
        record = self.chosen()
        if record is None:
            return
        is_undone, is_running = record.state is ImportState.UNDONE, record.state is ImportState.RUNNING
        self._name.setText(Path(record.path).name)
        place = str(Path(record.path).parent)
        self._facts.setText(f"{record.system_title} · {place}" if place != "." else record.system_title)
        self._sum.setText(_tell(record))
        wrong = "" if record.adds_up else describe_imbalance(record.totals)
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        self._sum.setVisible(not wrong)
        self.changes.setEnabled(not is_undone)
        self.undo.setEnabled(not is_undone and not is_running)
        self.rejects.setVisible(bool(record.kept_rejects))
        self.rejects.setEnabled(not is_undone and bool(record.finished_at))
        self.rejects.setText(f"Rejected rows ({record.kept_rejects:,})")


class ImportTableModel(TitledTableModel):
    """All imports, the newest first; there are as many as files were ever imported, so they are simply held."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(_TITLES)
        self._theme = theme
        self.records: tuple[ImportRecord, ...] = ()

    def set_records(self, records: tuple[ImportRecord, ...]) -> None:
        """Show other imports."""
        self.beginResetModel()
        self.records = records
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.records)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record, column = self.records[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _cell(record, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole if column is Column.FILE:
                return plain_tip(record.path)
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(self._ink(record, column))
            case Qt.ItemDataRole.DecorationRole if column is Column.STATE:
                return self._icon(record)
        return None

    def _ink(self, record: ImportRecord, column: Column) -> str:
        t = self._theme.tokens
        if not record.adds_up and column is Column.STATE:
            return t.error
        if record.state is ImportState.UNDONE:
            return t.faint
        if column is Column.REJECTED and record.totals.rejected:
            return t.warning
        is_quiet = column in (Column.NUMBER, Column.WHEN, Column.SOURCE) or _cell(record, column) == "0"
        return t.muted if is_quiet else t.text

    def _icon(self, record: ImportRecord) -> Any:
        t, icons = self._theme.tokens, self._theme.icons
        if not record.adds_up:
            return icons.pixmap("warning", t.error)
        name, color = {
            ImportState.WHOLE: ("check", t.ok),
            ImportState.RUNNING: ("import", t.accent),
            ImportState.STOPPED: ("stop", t.warning),
            ImportState.UNDONE: ("history", t.faint),
            ImportState.UNFINISHED: ("info", t.warning),
        }[record.state]
        return icons.pixmap(name, color)


def _alignment(column: Column) -> Any:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cell(record: ImportRecord, column: Column) -> str:
    totals = record.totals
    match column:
        case Column.NUMBER:
            return str(record.id)
        case Column.WHEN:
            return _short_time(record.finished_at or record.started_at)
        case Column.FILE:
            return Path(record.path).name
        case Column.SOURCE:
            return record.source
        case Column.NEW:
            return f"{totals.tickets_new:,}"
        case Column.CHANGED:
            return f"{totals.tickets_updated:,}"
        case Column.UNCHANGED:
            return f"{totals.tickets_unchanged:,}"
        case Column.REJECTED:
            return f"{totals.rejected:,}"
    return describe_state(record)


def _short_time(iso: str) -> str:
    """Return a time with its month in three letters: `2 Mar 2026, 09:14`."""
    day, month, rest = readable_time(iso).split(" ", 2)
    return f"{day} {month[:3]} {rest}"


def _tell(record: ImportRecord) -> str:
    """Say what became of the rows, and of the import where it is no longer whole."""
    account = describe_account(record.totals)
    if record.state is ImportState.UNDONE:
        return f"{account}. It was undone on {readable_time(record.undone_at)}."
    if record.state is ImportState.STOPPED:
        return f"{account}. It was stopped before the end of the file; the tickets that were finished are here."
    if record.state is ImportState.RUNNING:
        return "It is running now. What is finished of it is counted here."
    if record.state is ImportState.UNFINISHED:
        return (
            "TLDesk was ended before this import was finished, or the command is still at it."
            " Import the file again to go on: what is here already stays as it is."
        )
    waiting = record.waiting_rejects
    return f"{account}." + (f" {count(waiting, 'rejected row')} can be mended." if waiting else "")
