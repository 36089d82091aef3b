"""The versions of a ticket's summary: who wrote each, when, at what price; one can be looked at, two compared, and any be brought back.

It stands in the pane in place of the card. *Restore* shows an older version again and removes nothing: what was shown before stays in the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.runs import ClaimChange, Form, RunState, Summary, Version
from desktop.domain.sections import SectionChoice
from desktop.gui.card_body import CardBody
from desktop.gui.claim_changes_view import ClaimChangesView
from desktop.gui.tables import TABLE_ROW_HEIGHT, set_up_table
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.thread_view import readable_time
from desktop.gui.words import ElidedWords
from desktop.services.wording import count

_TITLES = ("Written", "By", "Recipe", "State", "Cost")
_HIDDEN_BELOW = {2: 560, 3: 440}
_MOST_ROWS = 5
_PREVIEW_HEIGHT = 240


class VersionsView(QFrame):
    """The list and, below it, the version that is chosen or the difference of two."""

    version_wanted = Signal(int)
    comparison_wanted = Signal(int, int)
    """The older and the newer of two."""
    restore_requested = Signal(int)
    link_wanted = Signal(str)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._versions: tuple[Version, ...] = ()
        self.prefers_model = False
        """Choose the newest version that a model wrote, the next time they are listed."""
        self.body = CardBody(theme)
        self.body.link_wanted.connect(self.link_wanted)
        self.changes = ClaimChangesView(theme)
        self._build()
        theme.changed.connect(self._on_theme)

    def reset(self, sentences: Mapping[str, str]) -> None:
        """Take the sentences of another ticket."""
        self.body.set_sentences(sentences)

    def set_choices(self, choices: Sequence[SectionChoice]) -> None:
        """Take the sections as the user wants them."""
        self.body.set_choices(choices)
        self.changes.set_labels({choice.name: choice.label for choice in choices})

    def show_versions(self, versions: tuple[Version, ...]) -> None:
        """List versions, newest first, and choose the one that the card shows."""
        self._versions = versions
        self.table.clearSelection()
        self.table.setRowCount(len(versions))
        for row, version in enumerate(versions):
            for column, text in enumerate(_cells(version)):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.title.setText(f"{count(len(versions), 'version')} of this summary")
        header = self.table.horizontalHeader().height()
        self.table.setFixedHeight(header + TABLE_ROW_HEIGHT * min(_MOST_ROWS, max(1, len(versions))) + 4)
        is_chosen = (lambda v: not v.is_edit) if self.prefers_model else (lambda v: v.is_shown)
        self.prefers_model = False
        shown = next((row for row, version in enumerate(versions) if is_chosen(version)), 0)
        if versions:
            self.table.selectRow(shown)
        self.table.setFocus()

    def show_version(self, summary: Summary) -> None:
        """Show the version that is chosen."""
        self.body.begin()
        self.body.notice.show_summary(summary)
        self.body.show_summary(summary)
        self._below.setCurrentWidget(self.body)

    def show_comparison(self, changes: tuple[ClaimChange, ...]) -> None:
        """Show the difference of the two that are chosen."""
        self.changes.show_changes(changes)
        self._below.setCurrentWidget(self.changes)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column, least in _HIDDEN_BELOW.items():
            self.table.setColumnHidden(column, self.width() < least)

    def _build(self) -> None:
        self.back_button = QPushButton("Summary")
        self.back_button.setToolTip("Back to the summary (Esc)")
        self.back_button.clicked.connect(self.closed)
        self.title = ElidedWords()
        self.title.setFont(scaled(self.font(), 1.0, weight=self.title.font().Weight.DemiBold))
        self.hint = ElidedWords(kind="faint")
        self.hint.setText("Choose two with Ctrl to compare them")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.restore_button = QPushButton("Restore")
        self.restore_button.setToolTip("Show this version again; none is removed")
        self.restore_button.clicked.connect(self._on_restore)
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self.back_button)
        head.addWidget(self.title, 1)
        head.addWidget(self.hint, 1)
        head.addWidget(self.restore_button)
        self.table = QTableWidget(0, len(_TITLES))
        set_up_table(self.table, "Versions of this summary")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setHorizontalHeaderLabels(_TITLES)
        for column in range(len(_TITLES) - 1):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.itemSelectionChanged.connect(self._on_selection)
        below = QWidget()
        below.setFixedHeight(_PREVIEW_HEIGHT)
        self._below = QStackedLayout(below)
        self._below.addWidget(self.body)
        self._below.addWidget(self.changes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE + 4, 2 * SPACE, SPACE + 4)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.table)
        layout.addWidget(below)
        self._on_theme()

    def _chosen(self) -> list[Version]:
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return [self._versions[row] for row in rows if row < len(self._versions)]

    def _on_selection(self) -> None:
        chosen = self._chosen()
        self.restore_button.setEnabled(len(chosen) == 1 and not chosen[0].is_shown)
        if len(chosen) == 1:
            self.version_wanted.emit(chosen[0].run_id)
        elif len(chosen) > 1:
            # Newest first: of more than two the newest and the oldest are compared.
            self.comparison_wanted.emit(chosen[-1].run_id, chosen[0].run_id)

    def _on_restore(self) -> None:
        chosen = self._chosen()
        if len(chosen) == 1:
            self.restore_requested.emit(chosen[0].run_id)

    def _on_theme(self) -> None:
        self.back_button.setIcon(self._theme.icons.icon("chevron-left"))


def _cells(version: Version) -> tuple[str, ...]:
    cost = version.cost_microusd
    price = "unknown" if cost is None else "free" if cost == 0 else f"${cost / 1e6:.4f}"
    state = {RunState.COMPLETE: "whole", RunState.CANCELLED: "stopped"}.get(version.state, version.state.value)
    form = {Form.REPAIRED: ", repaired", Form.PLAIN: ", plain text"}.get(version.form, "")
    return (
        readable_time(version.created_at) + (" · shown" if version.is_shown else ""),
        "you (edited)" if version.is_edit else version.model or version.provider,
        f"{version.recipe} {version.recipe_version}" if version.recipe else "",
        f"{state}{form}",
        "" if version.is_edit else price,
    )
