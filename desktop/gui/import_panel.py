"""The import panel: what a file turned out to be, shown and correctable before anything is written; one button imports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.imports import Bundle, ImportCounts, ImportOverrides, Recognized, Reject
from desktop.domain.tickets import TicketDraft
from desktop.gui.column_table import ColumnTable
from desktop.gui.mapping_menu import MappingMenu
from desktop.gui.tables import TABLE_ROW_HEIGHT, set_up_table
from desktop.gui.theme.style import Theme, scaled, small_font, title_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, Words, as_listed, plain_tip
from desktop.services.wording import count, describe_format, describe_header, describe_imbalance, describe_others

_SHAPES = {
    "tickets": "one row a ticket",
    "repeated": "one row a ticket, comments in repeated columns",
    "messages": "one row a message",
    "journal": "one row a ticket, all comments in one cell",
    "nested": "one record a ticket, its messages within",
    "people": "one row a person",
    "whole": "one row a message, every ticket as it was",
}
_OF_RECORDS = ("json", "jsonl")
_DATE_ORDERS = (
    ("iso", "year first (ISO)"),
    ("day-first", "day first"),
    ("month-first", "month first"),
    ("epoch", "seconds since 1970"),
)
_SHOWN_MESSAGE_CHARACTERS = 160


class ImportPanel(QWidget):
    """Shows one `Recognized`. `import_requested()`, `cancelled()`, and `corrected(overrides)` when the user changed something."""

    import_requested = Signal()
    cancelled = Signal()
    corrected = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._recognized: Recognized | None = None
        self._overrides = ImportOverrides()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(SPACE + 4)
        self._title = Words()
        self._title.setFont(title_font(self.font()))
        self._reason = Words(kind="muted", wraps=True)
        layout.addWidget(self._title)
        layout.addWidget(self._reason)
        self._others = Words(wraps=True)
        layout.addWidget(self._others)
        layout.addLayout(self._build_facts())
        self._warnings = Words(kind="stripNote", wraps=True)
        layout.addWidget(self._warnings)
        self._columns_title = self._heading("Columns")
        layout.addWidget(self._columns_title)
        self._columns = ColumnTable(theme)
        self._columns.role_chosen.connect(self._on_role)
        layout.addWidget(self._columns, 5)
        layout.addWidget(self._heading("The first tickets as they will be"))
        self._tickets = self._build_table(
            ["Id", "Subject", "Status", "Priority", "Requester", "Created", "Messages", "First message"],
            "First tickets",
        )
        layout.addWidget(self._tickets, 4)
        layout.addStretch(0)
        layout.addLayout(self._build_footer())

    def show_bundle(self, bundle: Bundle) -> None:
        """Show what a file is, and which others go in with it."""
        recognized, overrides = bundle.main, bundle.main.overrides
        is_same_file = self.isVisible() and self._recognized is not None and self._recognized.path == recognized.path
        self._recognized, self._overrides = recognized, overrides
        self._title.setText(Path(recognized.path).name)
        self.mapping.file_name = Path(recognized.path).stem
        reason = recognized.reason
        self._reason.setText(f"{recognized.system_title}: {reason[:1].lower()}{reason[1:]}")
        self._others.setText(describe_others(bundle))
        self._others.setVisible(len(bundle.tables) > 1)
        self._source.setText(recognized.source)
        self._format.setText(describe_format(recognized))
        self._header.setText(describe_header(recognized) or "none needed")
        shape = _SHAPES.get(recognized.shape, recognized.shape)
        self._shape.setText(shape.replace("row", "record") if recognized.format in _OF_RECORDS else shape)
        self._dates.blockSignals(True)
        self._dates.setCurrentIndex(max(0, self._dates.findData(recognized.date_order)))
        self._dates.setEnabled(bool(recognized.date_order))
        self._dates.blockSignals(False)
        self._dates.setToolTip(plain_tip(recognized.date_evidence))
        self._evidence.setText(recognized.date_evidence)
        warnings = [*recognized.warnings, *bundle.notes]
        self._warnings.setText("\n".join(warnings))
        self._warnings.setVisible(bool(warnings))
        meant = sum(bool(column.role) for column in recognized.columns)
        kept = len(recognized.columns) - meant
        self._columns_title.setText(
            f"Columns: {meant:,} with a meaning" + (f", {kept:,} kept as fields" if kept else "")
        )
        self._columns.show_columns(recognized.columns)
        self._fill_tickets(recognized.preview)
        self.show_counts(None)
        if not is_same_file:
            # Who corrects one column after the other stays where they are.
            self.import_button.setFocus()

    def show_obstacle(self, error: DeskError) -> None:
        """Say what stands in the way of importing this file as it is mapped now."""
        self._say(str(error), is_wrong=True)
        self.import_button.setText("Import")
        self.import_button.setEnabled(False)

    def show_counts(self, counts: ImportCounts | None, rejects: Sequence[Reject] = ()) -> None:
        """Say how many tickets will be new, changed and unchanged; None while they are counted.

        `rejects` are the first rows that will be rejected.
        """
        self._rejects.setText(" ".join(f"Line {reject.line:,}: {reject.reason}." for reject in rejects))
        self._rejects.setVisible(bool(rejects))
        if counts is None:
            self._say("Counting what is new…")
            self.import_button.setText("Import")
            self.import_button.setEnabled(True)
            return
        parts = [
            f"{counts.tickets_new:,} new",
            f"{counts.tickets_updated:,} changed",
            f"{counts.tickets_unchanged:,} unchanged",
        ]
        rejected = f"{count(counts.rejected, 'row')} rejected"
        wrong = describe_imbalance(counts)
        self._say(wrong or " · ".join([*parts, rejected, count(counts.messages, "message")]), is_wrong=bool(wrong))
        wanted = counts.tickets_new + counts.tickets_updated
        self.import_button.setText(f"Import {count(wanted, 'ticket')}" if wanted else "Nothing to import")
        if not wanted and counts.rows_used:
            # People of whom no ticket speaks yet: their names wait for it.
            wanted = counts.rows_used
            self.import_button.setText(f"Import {count(wanted, 'name')}")
        had_focus = self.import_button.hasFocus()
        self.import_button.setEnabled(wanted > 0)
        if had_focus and not wanted:
            self._cancel.setFocus()

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        self._counts.say(text, "errorText" if is_wrong else "muted")

    def _build_facts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * SPACE)
        grid.setVerticalSpacing(SPACE // 2 + 2)
        self._source = QLineEdit()
        self._source.setMaximumWidth(26 * SPACE)
        self._source.setAccessibleName("Source name")
        self._source.setToolTip("Tickets of the same source and id are the same ticket, from export to export")
        self._source.editingFinished.connect(self._on_source)
        self._dates = QComboBox()
        self._dates.setAccessibleName("Date order")
        for value, title in _DATE_ORDERS:
            self._dates.addItem(title, value)
        self._dates.setMaximumWidth(26 * SPACE)
        self._dates.currentIndexChanged.connect(self._on_dates)
        self._format, self._header, self._shape = Words(), Words(), Words()
        self._evidence = Words(kind="faint", wraps=True)
        self._evidence.setFont(small_font(self.font()))
        facts = (
            ("Layout", self._shape),
            ("Format", self._format),
            ("Header", self._header),
        )
        for row, (name, label) in enumerate(facts):
            grid.addWidget(Words(name, kind="muted"), row, 0)
            grid.addWidget(label, row, 1)
        grid.addWidget(Words("Source", kind="muted"), 0, 2)
        grid.addWidget(self._source, 0, 3)
        grid.addWidget(Words("Dates", kind="muted"), 1, 2)
        grid.addWidget(self._dates, 1, 3)
        grid.addWidget(self._evidence, 2, 3, 2, 2, Qt.AlignmentFlag.AlignTop)
        for row in range(len(facts)):
            grid.setRowMinimumHeight(row, 3 * SPACE + 4)
        for column, width in ((0, 12), (1, 40), (2, 8), (3, 40)):
            grid.setColumnMinimumWidth(column, width * SPACE)
        grid.setColumnStretch(4, 1)
        return grid

    def _build_footer(self) -> QHBoxLayout:
        footer = QHBoxLayout()
        self._counts = Words(kind="muted", wraps=True)
        self.mapping = MappingMenu()
        self._cancel = QPushButton("Cancel")
        self._cancel.setShortcut("Esc")
        self._cancel.clicked.connect(self.cancelled)
        self.import_button = QPushButton("Import")
        self.import_button.setProperty("kind", "primary")
        self.import_button.setAutoDefault(True)
        self.import_button.clicked.connect(self.import_requested)
        self._rejects = ElidedWords(kind="stripNote")
        self._rejects.setFont(small_font(self.font()))
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(self._counts)
        said.addWidget(self._rejects)
        footer.addLayout(said, 1)
        footer.addWidget(self.mapping)
        footer.addWidget(self._cancel)
        footer.addWidget(self.import_button)
        return footer

    def _heading(self, text: str) -> QLabel:
        label = Words(text)
        label.setFont(scaled(self.font(), 1.0, weight=label.font().Weight.DemiBold))
        return label

    def _build_table(self, titles: list[str], name: str) -> QTableWidget:
        table = QTableWidget(0, len(titles))
        set_up_table(table, name)
        table.setHorizontalHeaderLabels(titles)
        table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return table

    def _fill_tickets(self, preview: tuple[TicketDraft, ...]) -> None:
        self._tickets.setRowCount(len(preview))
        for row, draft in enumerate(preview):
            first = (
                " ".join(draft.messages[0].text.split())[:_SHOWN_MESSAGE_CHARACTERS]
                if draft.messages
                else "no text in this export"
            )
            cells = (
                draft.external_id,
                draft.subject,
                as_listed(draft.status or draft.status_original),
                as_listed(draft.priority or draft.priority_original),
                draft.requester,
                draft.created_at.replace("T", " ")[:16],
                str(len(draft.messages)),
                first,
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(text))
                self._tickets.setItem(row, column, item)
        # In a small window both tables give way and scroll, so that the button stays where it can be seen.
        self._tickets.setMinimumHeight(2 * TABLE_ROW_HEIGHT + SPACE)
        self._tickets.setMaximumHeight((len(preview) + 1) * TABLE_ROW_HEIGHT + SPACE)
        header = self._tickets.horizontalHeader()
        for column, width in ((0, 14), (2, 10), (3, 10), (4, 16), (5, 18), (6, 10)):
            header.resizeSection(column, width * SPACE)
        header.setMinimumSectionSize(9 * SPACE)
        for column in (1, 7):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        # A column that none of them has would only take room from the others.
        for column, is_there in ((2, _any(preview, "status")), (3, _any(preview, "priority"))):
            self._tickets.setColumnHidden(column, not is_there)

    def _on_role(self, index: int, role: str) -> None:
        self._correct(roles={**self._overrides.roles, index: role})

    def _on_dates(self) -> None:
        self._correct(date_order=str(self._dates.currentData()))

    def _on_source(self) -> None:
        name = self._source.text().strip()
        if self._recognized and name and name != self._recognized.source:
            self._correct(source=name)

    def _correct(self, *, roles: dict[int, str] | None = None, source: str = "", date_order: str = "") -> None:
        # Until the file was looked at again, what stands behind the button is not what is shown.
        self.show_counts(None)
        self.import_button.setEnabled(False)
        old = self._overrides
        self.corrected.emit(
            replace(
                old,
                roles=roles or old.roles,
                source=source or old.source,
                date_order=date_order or old.date_order,
            )
        )


def _any(preview: tuple[TicketDraft, ...], name: str) -> bool:
    return any(getattr(draft, f"{name}_original") for draft in preview)
