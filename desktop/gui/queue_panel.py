"""The queue as a page: how far it is, what it stopped for, and its tickets in the order in which they are written.

Pausing, retrying, reordering and removing happen here; adding happens where tickets are chosen. The table holds only what is in view, however long
the queue is, and keeps what is chosen while tickets change their states.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QIcon, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.queue import ItemState, QueueItem, QueueStatus
from desktop.gui.batch_list import BatchList
from desktop.gui.caps_editor import CapsEditor
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import panel_head
from desktop.gui.queue_model import PAGE_ROWS, Column, QueueModel
from desktop.gui.tables import RowTable
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame
from desktop.services.queue_wording import describe_item_state, describe_queue

if TYPE_CHECKING:
    from desktop.services.container import Desk

_WIDTHS = {Column.STATE: 17, Column.REFERENCE: 26, Column.ATTEMPTS: 11, Column.COST: 12}
_WIDE = 136 * SPACE
"""From here on the caps have room beside the buttons."""
_FILTERS = (None, *ItemState)
_NOTHING = "Nothing is in the queue. Choose tickets in the list and press Ctrl+Enter: their price is shown before anything is sent."


class QueuePanel(QWidget):
    """Shows and leads the queue. `ticket_opened(id)` on Enter; `removed(n)` when tickets were taken out and can be put back."""

    ticket_opened = Signal(int)
    removed = Signal(int)
    failed = Signal(DeskError)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self._stop_listening: list[Callable[[], None]] = []
        self._status = QueueStatus()
        self._state: ItemState | None = None
        self._chosen: set[int] = set()
        self._is_choosing = False
        self.jobs = JobScope(self.failed.emit)
        self._pages = JobScope(self.failed.emit)
        self._batch_jobs = JobScope(self.failed.emit)
        self.model = QueueModel(theme)
        self._build_table()
        self._build_tools()
        self._lay_out()
        self._connect()
        self._add_keys()
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def attach(self, desk: Desk) -> None:
        """Take the services, and follow the queue."""
        self._desk = desk
        self.caps.attach(desk.settings)
        self._stop_listening = [
            desk.queue.listen(self._on_status),
            desk.batches.listen(lambda _: self._batch_jobs.restart(self._load_batches())),
        ]
        self._on_status(desk.queue.status_now)

    def open(self, state: ItemState | None = None) -> None:
        """Show the queue, all of it or the tickets in one state."""
        assert self._desk is not None
        self._choose_filter(state)
        self._on_status(self._desk.queue.status_now)
        self._batch_jobs.restart(self._load_batches())
        self.caps.show_caps()
        self.table.setFocus()

    async def close_jobs(self) -> None:
        """End everything that runs."""
        for stop in self._stop_listening:
            stop()
        for scope in (self.jobs, self._pages, self._batch_jobs):
            await scope.close()

    def chosen_items(self) -> list[QueueItem]:
        """Return the tickets that are chosen, in the order of the queue, as far as they are held."""
        ranges = self.table.selectionModel().selection().toList()
        rows = sorted(self.model.held_rows().values())
        items = (self.model.held_item(row) for row in rows if any(r.top() <= row <= r.bottom() for r in ranges))
        return [item for item in items if item is not None]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom
        if self._foot.direction() != direction:
            self._foot.setDirection(direction)

    # How it is built

    def _build_table(self) -> None:
        self.table = RowTable("Queue", hides={Column.ATTEMPTS: 116 * SPACE, Column.REFERENCE: 100 * SPACE})
        self.table.setModel(self.model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        for column in Column:
            width = _WIDTHS.get(column, 0)
            mode = QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(column, mode)
            if width:
                header.resizeSection(column, width * SPACE)

    def _build_tools(self) -> None:
        self.headline = Words(wraps=True)
        self.headline.setFont(scaled(self.font(), 1.1, weight=self.font().Weight.DemiBold))
        self.progress = QProgressBar(textVisible=False)
        self.progress.setRange(0, 1000)
        self.progress.setFixedHeight(SPACE // 2)
        self.progress.setAccessibleName("Tickets done")
        self.pause = QPushButton("Pause")
        self.retry = QPushButton("Retry what failed")
        self.retry.setToolTip("Put the tickets that failed at the end of the queue once more")
        self.clear = QPushButton("Clear what ended")
        self.clear.setToolTip("Take the tickets that are done or failed out of this list; their summaries stay")
        self._notice = named_frame("strip")
        self._notice_icon, self.notice = Words(), Words(wraps=True)
        self.batches = BatchList(self._theme)
        self.empty = Words(_NOTHING, kind="muted", wraps=True)
        self.to_front = QPushButton("Move to front")
        self.to_front.setToolTip("Write the chosen tickets next (Alt+Up)")
        self.to_back = QPushButton("Move to back")
        self.to_back.setToolTip("Write the chosen tickets last (Alt+Down)")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Take the chosen tickets out of the queue (Delete)")
        self.caps = CapsEditor()
        self.filters = {state: self._filter_button(state) for state in _FILTERS}
        self._group = QButtonGroup(self)
        for button in self.filters.values():
            self._group.addButton(button)
        self.filters[None].setChecked(True)

    def _filter_button(self, state: ItemState | None) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("kind", "group")
        button.clicked.connect(lambda: self._choose_filter(state))
        return button

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(SPACE)
        for button in (self.pause, self.retry, self.clear):
            tools.addWidget(button)
        notice = QHBoxLayout(self._notice)
        notice.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        notice.addWidget(self._notice_icon)
        notice.addWidget(self.notice, 1)
        filters = QHBoxLayout()
        filters.setSpacing(SPACE // 2)
        for button in self.filters.values():
            filters.addWidget(button)
        filters.addStretch()
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self.to_front, self.to_back, self.remove):
            buttons.addWidget(button)
        buttons.addStretch()
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._foot.setSpacing(SPACE)
        self._foot.addLayout(buttons)
        self._foot.addWidget(self.caps, 0, Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(panel_head("Queue", self.closed, tools))
        layout.addWidget(self.headline)
        layout.addWidget(self.progress)
        layout.addWidget(self._notice)
        layout.addWidget(self.batches)
        layout.addWidget(self.empty)
        layout.addLayout(filters)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._foot)
        layout.addStretch(0)

    def _connect(self) -> None:
        self.model.page_wanted.connect(lambda page: self._pages.start(self._load_page(page)))
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.table.opened.connect(self._open_ticket)
        self.table.doubleClicked.connect(lambda _: self._open_ticket())
        self.pause.clicked.connect(lambda: self.jobs.start(self._pause_or_resume()))
        self.retry.clicked.connect(lambda: self._do(lambda desk: desk.queue.retry_failed()))
        self.clear.clicked.connect(lambda: self._do(lambda desk: desk.queue.clear_ended()))
        self.to_front.clicked.connect(lambda: self.jobs.start(self._move(to_front=True)))
        self.to_back.clicked.connect(lambda: self.jobs.start(self._move(to_front=False)))
        self.remove.clicked.connect(lambda: self.jobs.start(self._remove()))
        self.batches.stop_requested.connect(lambda batch: self._do(lambda desk: desk.batches.cancel(batch)))
        self.caps.refused.connect(self._say)

    def _add_keys(self) -> None:
        for button, keys in (
            (self.to_front, ("Alt+Up", "Alt+Home")),
            (self.to_back, ("Alt+Down", "Alt+End")),
            (self.remove, ("Del",)),
        ):
            for key in keys:
                shortcut = QShortcut(QKeySequence(key), self.table)
                shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(button.click)

    # What is shown

    def _on_status(self, status: QueueStatus) -> None:
        self._status = status
        if not self.isVisible():
            return
        self.headline.setText(describe_queue(status))
        ended = status.done + status.failed
        self.progress.setValue(round(ended / max(1, status.total) * 1000))
        self._show_buttons(status)
        self._say(status.pause_reason if not status.is_idle else "")
        for state, button in self.filters.items():
            number = self._count(state)
            button.setText(f"{'All' if state is None else describe_item_state(state)} {number:,}")
            button.setVisible(number > 0 or state is self._state)
        self.model.refresh(self._count(self._state))

    def _show_buttons(self, status: QueueStatus) -> None:
        self.table.setColumnHidden(Column.REASON, not status.failed)
        for widget in (self.progress, self.caps, self.table, self.to_front, self.to_back, self.remove):
            widget.setVisible(status.total > 0)
        self.empty.setVisible(not status.total)
        self.headline.setVisible(status.total > 0)
        self.pause.setVisible(not status.is_idle)
        self.pause.setText("Resume" if status.is_paused else "Pause")
        self.pause.setToolTip(
            "Go on writing" if status.is_paused else "What is being written is finished; nothing new is begun"
        )
        self.pause.setProperty("kind", "primary" if status.is_paused else "")
        self.pause.setIcon(self._pause_icon())
        self.pause.style().unpolish(self.pause)
        self.pause.style().polish(self.pause)
        self.retry.setVisible(status.failed > 0)
        self.retry.setText(f"Retry what failed ({status.failed:,})")
        self.clear.setVisible(status.done + status.failed > 0)

    def _say(self, words: str) -> None:
        self.notice.setText(words)
        self._notice.setVisible(bool(words))

    def _count(self, state: ItemState | None) -> int:
        status = self._status
        return {
            None: status.total,
            ItemState.WAITING: status.waiting,
            ItemState.RUNNING: status.running,
            ItemState.SUBMITTED: status.submitted,
            ItemState.DONE: status.done,
            ItemState.FAILED: status.failed,
        }[state]

    def _choose_filter(self, state: ItemState | None) -> None:
        self._state = state
        self.filters[state].setChecked(True)
        self.model.restart(self._count(state))
        self._on_selection()

    async def _load_page(self, page: int) -> None:
        assert self._desk is not None
        state = self._state
        items = await self._desk.queue.items(state=state, offset=page * PAGE_ROWS, limit=PAGE_ROWS)
        if state is self._state:
            self.model.put_page(page, tuple(items))
            self._choose_again()

    async def _load_batches(self) -> None:
        assert self._desk is not None
        self.batches.show_batches(await self._desk.batches.batches())

    # What is chosen

    def _chosen_count(self) -> int:
        # Ranges, not rows: all of a long queue may be chosen.
        return sum(r.bottom() - r.top() + 1 for r in self.table.selectionModel().selection().toList())

    def _on_selection(self) -> None:
        if self._is_choosing:
            return
        self._chosen = {item.id for item in self.chosen_items()}
        has_any = self.table.selectionModel().hasSelection()
        for button in (self.to_front, self.to_back, self.remove):
            button.setEnabled(has_any)

    def _choose_again(self) -> None:
        """Keep chosen what was chosen, wherever it stands now; a choice that reaches beyond what is held stays as it is."""
        if not self._chosen or self._chosen_count() != len(self._chosen):
            return
        if {item.id for item in self.chosen_items()} == self._chosen:
            return
        held = self.model.held_rows()
        now = sorted(held[item_id] for item_id in self._chosen if item_id in held)
        if not now:
            return
        selection = QItemSelection()
        last = len(Column) - 1
        for row in now:
            selection.select(self.model.index(row, 0), self.model.index(row, last))
        self._is_choosing = True
        flag = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().select(selection, flag.ClearAndSelect)
        self.table.selectionModel().setCurrentIndex(self.model.index(now[0], 0), flag.NoUpdate)
        self._is_choosing = False

    async def _all_chosen(self) -> list[QueueItem]:
        """Return all tickets that are chosen, those that are not held read for it."""
        assert self._desk is not None
        items = self.chosen_items()
        if len(items) == self._chosen_count():
            return items
        found: list[QueueItem] = []
        for chosen in self.table.selectionModel().selection().toList():
            length = chosen.bottom() - chosen.top() + 1
            found += await self._desk.queue.items(state=self._state, offset=chosen.top(), limit=length)
        return found

    # What is done

    def _do(self, act: Callable[[Desk], Coroutine[Any, Any, object]]) -> None:
        if self._desk is not None:
            self.jobs.start(act(self._desk))

    async def _pause_or_resume(self) -> None:
        assert self._desk is not None
        if self._status.is_paused:
            await self._desk.queue.resume()
        else:
            await self._desk.queue.pause()

    async def _move(self, *, to_front: bool) -> None:
        assert self._desk is not None
        items = await self._all_chosen()
        await self._desk.queue.move([item.id for item in items], to_front=to_front)

    async def _remove(self) -> None:
        assert self._desk is not None
        items = await self._all_chosen()
        number = await self._desk.queue.remove([item.id for item in items])
        if number:
            self.table.clearSelection()
            self.removed.emit(number)

    def put_back(self) -> None:
        """Put what was removed last back where it was."""
        self._do(lambda desk: desk.queue.put_back())

    def _open_ticket(self) -> None:
        item = self.model.held_item(self.table.currentIndex().row())
        if item is not None:
            self.ticket_opened.emit(item.ticket_id)

    def _pause_icon(self) -> QIcon:
        t, icons = self._theme.tokens, self._theme.icons
        return icons.icon("play", t.on_accent) if self._status.is_paused else icons.icon("pause")

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self._notice_icon.setPixmap(icons.pixmap("warning", t.warning))
        self.to_front.setIcon(icons.icon("to-front"))
        self.to_back.setIcon(icons.icon("to-back"))
        self.remove.setIcon(icons.icon("close"))
        self.retry.setIcon(icons.icon("history"))
        self.clear.setIcon(icons.icon("check"))
        self.pause.setIcon(self._pause_icon())
