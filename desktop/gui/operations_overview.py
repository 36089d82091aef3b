"""The overview of operations: headline figures, plots over time, a table of groups, and the last errors with what to do.

A row of the table narrows tiles and plots to that group. The plots come a moment later than the words, because what draws them is loaded then.
"""

from __future__ import annotations

import asyncio
import importlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.operations import HOUR, Figures, Stats
from desktop.domain.outgoing import LedgerEntry
from desktop.gui.jobs import JobScope
from desktop.gui.operations_series import bucket_keys, plot_contents, short_number
from desktop.gui.operations_tables import FailureTableModel, GroupTableModel
from desktop.gui.tables import RowTable
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame
from desktop.services.moments import days_ago
from desktop.services.operations_words import (
    describe_key,
    describe_money,
    describe_seconds,
    describe_share,
    describe_spend,
)
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.gui.operations_plots import PlotCard
    from desktop.services.container import Desk

TILE_WIDTH = 17 * SPACE
PLOT_WIDTH = 42 * SPACE
MOST_ROWS = 9
PLOTS = 6
FAILURE_HEIGHT = 6 * SPACE


class OperationsOverview(QScrollArea):
    """Shows the figures of a period by a grouping. `request_opened(id)` when a failed call is to be looked at, `failures_wanted()` when all are."""

    request_opened = Signal(int)
    failures_wanted = Signal()
    failed = Signal(DeskError)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._desk: Desk | None = None
        self.jobs = JobScope(self.failed.emit)
        self.stats: Stats | None = None
        self._days, self._by, self._only = 7, "provider", ""
        self.tiles = [_Tile() for _ in range(7)]
        self.plots: list[PlotCard] = []
        self._shown_plots = 0
        self.groups = GroupTableModel(theme)
        self.group_table = _FittedTable("Figures by group", hides={3: 88 * SPACE, 8: 104 * SPACE, 7: 76 * SPACE})
        self.failures = FailureTableModel(theme)
        self.failure_table = _FittedTable("Last errors", hides={1: 76 * SPACE})
        self._build()
        self.group_table.selectionModel().currentRowChanged.connect(lambda *_: self._on_group())
        self.failure_table.opened.connect(self._on_failure)
        self.failure_table.doubleClicked.connect(lambda _: self._on_failure())

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def show_figures(self, days: int, by: str) -> None:
        """Show the figures of the last days (0 for all there ever were), today among them, by a grouping."""
        if by != self._by:
            self._only = ""
        self._days, self._by = days, by
        self.reload()

    def reload(self) -> None:
        """Read the figures again."""
        if self._desk is not None:
            self.jobs.restart(self._load())

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    async def _load(self) -> None:
        assert self._desk is not None
        operations = self._desk.operations
        since = days_ago(self._days - 1) if self._days else ""
        stats = await operations.stats(since, self._by)
        known = [figures.key for figures in stats.groups]
        only = (self._by, self._only[1:]) if self._only and self._only[1:] in known and self._by != "day" else None
        over_time = HOUR if self._days == 1 else "day"
        buckets = await operations.groups(since, over_time, only=only)
        shown = stats.total if only is None else await operations.total(since, only=only)
        failures = await operations.failures(since)
        self.stats = stats
        self._show_groups(stats, "" if only is None else only[1], is_narrowed=only is not None)
        self._title.setText(
            f"By {self._by}" if only is None else f"By {self._by} · above: {describe_key(only[1])} only"
        )
        self._show_tiles(shown)
        self.failures.set_entries(failures)
        self._no_failures.setVisible(not failures)
        self._all_failures.setVisible(bool(failures))
        self.failure_table.fit(len(failures))
        await self._show_plots(since, over_time, buckets)

    async def _show_plots(self, since: str, over_time: str, buckets: tuple[Figures, ...]) -> None:
        if len(self.plots) < PLOTS:
            # Half a second of imports, in a thread: the page is there already and must answer.
            await asyncio.to_thread(importlib.import_module, "pyqtgraph")
            from desktop.gui.operations_plots import PlotCard

            while len(self.plots) < PLOTS:
                # Each takes 10 ms and more to make and to draw: between them the window answers.
                await asyncio.sleep(0)
                self.plots.append(PlotCard(self._theme))
                # One that belongs nowhere would be a window of its own as soon as it is shown.
                self.plots[-1].setParent(self.widget())
        is_by_hour = over_time == HOUR
        keys = bucket_keys(since, over_time, buckets)
        contents = plot_contents(keys, buckets, has_cache=not is_by_hour)
        if len(contents) != self._shown_plots:
            self._shown_plots = len(contents)
            for card in self.plots:
                self._plot_grid.removeWidget(card)
            self._flow()
        for place, card in enumerate(self.plots):
            card.setVisible(place < len(contents))
            if place < len(contents):
                card.show_content(keys, contents[place])
                await asyncio.sleep(0)
        unit = "hour" if is_by_hour else "day"
        self._unit.setText(f"By the {unit} (UTC)" + ("; the cache is counted by the day" if is_by_hour else ""))

    def _show_groups(self, stats: Stats, key: str, *, is_narrowed: bool) -> None:
        had_focus = self.group_table.hasFocus()
        selection = self.group_table.selectionModel()
        selection.blockSignals(True)
        groups = tuple(reversed(stats.groups)) if stats.by == "day" else stats.groups
        self.groups.set_rows(stats.by, stats.total, groups)
        places = [place for place, figures in enumerate(self.groups.rows) if place and figures.key == key]
        self.group_table.selectRow(places[0] if is_narrowed and places else 0)
        selection.blockSignals(False)
        self.group_table.viewport().update()
        self.group_table.fit(len(self.groups.rows))
        if had_focus:
            self.group_table.setFocus()

    def _show_tiles(self, figures: Figures) -> None:
        first, total, tokens = figures.first_token, figures.total, figures.input_tokens + figures.output_tokens
        more = (
            [count(figures.cancelled, "was stopped").replace("was stoppeds", "were stopped")]
            if figures.cancelled
            else []
        )
        more += [f"{figures.unknown:,} of unknown outcome"] if figures.unknown else []
        unknown = f"{figures.unpriced:,} of unknown price" if figures.unpriced else "all prices known"
        rate = f"{describe_share(figures.cache_hit_rate)}, " if figures.cache_hit_rate is not None else ""
        saved = f"{rate}{describe_money(figures.saved_microusd)} saved"
        shares = f"{short_number(figures.input_tokens)} in, {short_number(figures.output_tokens)} out"
        for tile, values in zip(
            self.tiles,
            (
                ("Calls", f"{figures.calls:,}", ", ".join(more)),
                ("Error rate", describe_share(figures.error_rate), count(figures.errors, "error")),
                ("First token", describe_seconds(first.p50), f"p95 {describe_seconds(first.p95)}"),
                ("Whole answer", describe_seconds(total.p50), f"p95 {describe_seconds(total.p95)}"),
                ("Tokens", short_number(tokens), shares),
                ("Spend", describe_spend(figures).partition(" + ")[0], unknown if figures.calls else ""),
                ("From the cache", f"{figures.cache_hits:,}", saved),
            ),
            strict=True,
        ):
            tile.show_values(*values)
        self._empty.setVisible(figures.is_empty)

    def _build(self) -> None:
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._tile_grid, self._plot_grid = QGridLayout(), QGridLayout()
        for grid in (self._tile_grid, self._plot_grid):
            grid.setSpacing(SPACE + 4)
        self._empty = Words(
            "No model was called in this time. Summarize a ticket, or choose a longer time.", kind="muted"
        )
        self._empty.hide()
        self._unit = Words(kind="faint")
        self._unit.setFont(small_font(self.font()))
        self._title = _heading("By provider")
        self._all_failures = QPushButton("All that failed")
        self._all_failures.setProperty("kind", "link")
        self._all_failures.clicked.connect(self.failures_wanted)
        failures = QHBoxLayout()
        failures.addWidget(_heading("Last errors, and what to do"))
        failures.addStretch()
        failures.addWidget(self._all_failures)
        self._no_failures = Words("No call failed in this time.", kind="muted")
        _set_up_columns(self.group_table, self.groups, (0, 10, 13, 21, 20, 22, 23, 12, 11))
        _set_up_columns(self.failure_table, self.failures, (20, 24, 0, 0))
        # What happened and what to do are sentences: two lines of them are read, not cut.
        self.failure_table.setWordWrap(True)
        self.failure_table.verticalHeader().setDefaultSectionSize(FAILURE_HEIGHT)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, SPACE, SPACE)
        layout.setSpacing(SPACE + 4)
        layout.addWidget(self._empty)
        layout.addLayout(self._tile_grid)
        layout.addWidget(self._unit)
        layout.addLayout(self._plot_grid)
        layout.addSpacing(SPACE)
        for widget in (self._title, self.group_table):
            layout.addWidget(widget)
        layout.addSpacing(SPACE)
        layout.addLayout(failures)
        for widget in (self._no_failures, self.failure_table):
            layout.addWidget(widget)
        layout.addStretch()
        self.setWidget(content)
        self._flow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._flow()

    def _flow(self) -> None:
        """Put tiles and plots side by side as there is room."""
        width = self.viewport().width()
        for grid, widgets, least in (
            (self._tile_grid, self.tiles, TILE_WIDTH),
            (self._plot_grid, self.plots[: self._shown_plots], PLOT_WIDTH),
        ):
            columns = max(1, min(len(widgets), (width + SPACE) // (least + SPACE)))
            _lay_out(grid, widgets, columns)

    def _on_group(self) -> None:
        row = self.group_table.currentIndex().row()
        chosen = f"={self.groups.rows[row].key}" if row > 0 and self._by != "day" else ""
        if chosen != self._only:
            self._only = chosen
            self.reload()

    def _on_failure(self) -> None:
        index = self.failure_table.currentIndex()
        if index.isValid():
            entry: LedgerEntry = self.failures.entries[index.row()]
            self.request_opened.emit(entry.id)


def _lay_out(grid: QGridLayout, widgets: Sequence[QWidget], columns: int) -> None:
    """Put widgets into rows of at most so many: rows of about one length, each as wide as the grid."""
    if not widgets:
        return
    rows = -(-len(widgets) // columns)
    longest = -(-len(widgets) // rows)
    lengths = [longest] * (rows - 1) + [len(widgets) - longest * (rows - 1)]
    cells = math.lcm(*lengths)
    places = ((row, number) for row, length in enumerate(lengths) for number in range(length))
    for widget, (row, number) in zip(widgets, places, strict=True):
        span = cells // lengths[row]
        grid.addWidget(widget, row, number * span, 1, span)
    for column in range(max(cells, grid.columnCount())):
        grid.setColumnStretch(column, 1 if column < cells else 0)


class _Tile(QWidget):
    """One headline figure."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.value, self.more = Words(kind="muted"), Words(), Words(kind="faint", wraps=True)
        self.title.setFont(small_font(self.font()))
        self.value.setFont(scaled(self.font(), 1.5, weight=self.font().Weight.DemiBold))
        self.more.setFont(small_font(self.font()))
        frame = named_frame("card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        inside.setSpacing(2)
        for widget in (self.title, self.value, self.more):
            inside.addWidget(widget)
        inside.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def show_values(self, title: str, value: str, more: str) -> None:
        """Show a figure under its title, with what belongs to it below."""
        for words, text in ((self.title, title), (self.value, value), (self.more, more)):
            words.setText(text)
        self.setAccessibleName(f"{title}: {value}" + (f", {more}" if more else ""))


class _FittedTable(RowTable):
    """A table that is as high as its rows, up to some, and takes the keyboard only when it has any."""

    def fit(self, rows: int) -> None:
        """Be as high as so many rows."""
        self.setVisible(rows > 0)
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + min(rows, MOST_ROWS) * self.verticalHeader().defaultSectionSize() + 4)


def _set_up_columns(table: RowTable, model: Any, widths: tuple[int, ...]) -> None:
    table.setModel(model)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    header = table.horizontalHeader()
    header.setStretchLastSection(False)
    for column, width in enumerate(widths):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed if width else QHeaderView.ResizeMode.Stretch)
        if width:
            header.resizeSection(column, width * SPACE)


def _heading(text: str) -> Words:
    words = Words(text)
    words.setFont(scaled(words.font(), 1.05, weight=words.font().Weight.DemiBold))
    return words
