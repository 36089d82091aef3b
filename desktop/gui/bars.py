"""The two bars: search and actions on top; what is there, what runs and what it costs at the bottom."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QProgressBar, QPushButton

from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SIDEBAR_WIDTH, SPACE
from desktop.gui.words import Words, plain_tip

SEARCH_MS = 120
APPEARANCES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))


class TopBar(QFrame):
    """Name, search and import. `search_changed(text)` comes as one types, settled for a moment."""

    search_changed = Signal(str)
    search_left = Signal()
    """The keyboard goes on to the list."""
    import_requested = Signal()
    export_requested = Signal()
    summarize_requested = Signal()
    history_requested = Signal()
    settings_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self._theme = theme
        name = Words("TLDesk")
        name.setFont(scaled(self.font(), 1.05, weight=name.font().Weight.Bold))
        name.setMinimumWidth(SIDEBAR_WIDTH - 2 * SPACE)
        self.search = _SearchField(placeholderText="Search tickets")
        self.search.left.connect(self.search_left)
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(80 * SPACE)
        self.search.setAccessibleName("Search tickets")
        self.search.setToolTip("Words that a ticket holds; “quoted words” stand together (Ctrl+F)")
        self._icon = QAction(self)
        self.search.addAction(self._icon, QLineEdit.ActionPosition.LeadingPosition)
        self._settle = QTimer(self, singleShot=True, interval=SEARCH_MS)
        self._settle.timeout.connect(lambda: self.search_changed.emit(self.search.text()))
        self.search.textChanged.connect(lambda: self._settle.start())
        self.import_button = QPushButton("Import…")
        self.import_button.setToolTip("Import a ticket export (Ctrl+O)")
        self.import_button.clicked.connect(self.import_requested)
        self.summarize_button = QPushButton("Summarize…")
        self.summarize_button.setToolTip(
            "Summarize the chosen tickets, or all that are listed: the price is shown before anything is sent (Ctrl+Enter)"
        )
        self.summarize_button.clicked.connect(self.summarize_requested)
        self.export_button = QPushButton()
        self.export_button.setAccessibleName("Export")
        self.export_button.setToolTip(
            "Export the chosen tickets, or all that are listed, with their summaries (Ctrl+E)"
        )
        self.export_button.clicked.connect(self.export_requested)
        self.history_button = QPushButton()
        self.history_button.setAccessibleName("Imports so far")
        self.history_button.setToolTip("Imports so far: what changed, rejected rows, undo (Ctrl+H)")
        self.history_button.clicked.connect(self.history_requested)
        self.settings_button = QPushButton()
        self.settings_button.setAccessibleName("Settings")
        self.settings_button.setToolTip("Providers and appearance (Ctrl+,)")
        self.settings_button.clicked.connect(self.settings_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(name)
        layout.addWidget(self.search, 4)
        layout.addStretch(1)
        layout.addWidget(self.summarize_button)
        layout.addWidget(self.import_button)
        layout.addWidget(self.export_button)
        layout.addWidget(self.history_button)
        layout.addWidget(self.settings_button)
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def show_choice(self, chosen: int, listed: int) -> None:
        """Say which tickets would be summarized: the chosen ones if they are several, else all that are listed."""
        words = f"Summarize {chosen:,} tickets…" if chosen > 1 else f"Summarize all {listed:,}…"
        self.summarize_button.setText(words if listed else "Summarize…")
        self.summarize_button.setEnabled(listed > 0)

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self.summarize_button.setIcon(icons.icon("sparkle"))
        self._icon.setIcon(icons.icon("search", t.faint))
        self.import_button.setIcon(icons.icon("import"))
        self.export_button.setIcon(icons.icon("export"))
        self.history_button.setIcon(icons.icon("history"))
        self.settings_button.setIcon(icons.icon("settings"))


class _SearchField(QLineEdit):
    """A line to type in. Down and Enter go on to the list, Esc clears it first; Ctrl+C without a selection belongs to the window."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Copy)
            and not self.hasSelectedText()
        ):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() not in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        self.left.emit()


class StatusBar(QFrame):
    """Tickets, progress, queue, today's spend and the provider."""

    cancel_requested = Signal()
    provider_chosen = Signal(str)
    providers_requested = Signal()
    recipes_requested = Signal()
    operations_requested = Signal()
    appearance_chosen = Signal(str)
    queue_requested = Signal()
    local_only_chosen = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self._theme = theme
        self.tickets = Words()
        self.progress_text = Words()
        self.progress = QProgressBar(textVisible=False)
        self.progress.setFixedSize(15 * SPACE, SPACE // 2)
        self.progress.setRange(0, 1000)
        self.cancel = QPushButton("Cancel")
        self.cancel.setProperty("kind", "link")
        self.cancel.clicked.connect(self.cancel_requested)
        self.queue = QPushButton("Queue")
        self.queue.setProperty("kind", "flat")
        self.queue.clicked.connect(self.queue_requested)
        self.show_queue("Queue", "Nothing is in the queue")
        self.spend = QPushButton("today $0.00")
        self.spend.setProperty("kind", "flat")
        self.spend.clicked.connect(self.operations_requested)
        self.local_only = QPushButton("Local only")
        self.local_only.setProperty("kind", "flat")
        self.local_only.setToolTip(
            "Nothing is sent to any other machine; click for the providers, where it is switched off"
        )
        self.local_only.clicked.connect(self.providers_requested)
        self.local_only.hide()
        self.provider = QPushButton("…")
        self.provider.setProperty("kind", "flat")
        self.provider.setAccessibleName("Provider")
        self.menu = QMenu(self.provider)
        self.menu.setToolTipsVisible(True)
        self.provider.setMenu(self.menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 1, SPACE, 1)
        layout.setSpacing(2 * SPACE)
        small = small_font(self.font())
        for widget in (self.tickets, self.progress_text, self.progress, self.cancel):
            layout.addWidget(widget)
        layout.addStretch()
        for widget in (self.queue, self.spend, self.local_only, self.provider):
            layout.addWidget(widget)
        for widget in (
            self.tickets,
            self.progress_text,
            self.cancel,
            self.queue,
            self.spend,
            self.local_only,
            self.provider,
        ):
            widget.setFont(small)
        self.hide_progress()
        self._on_theme()
        theme.changed.connect(self._on_theme)

    def add(self, button: QPushButton) -> None:
        """Take a further button, beside the queue."""
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)
        button.setFont(small_font(self.font()))
        layout.insertWidget(layout.indexOf(self.queue), button)

    def show_tickets(self, shown: int, total: int) -> None:
        """Say how many tickets there are, and how many of them are listed."""
        words = f"{total:,} ticket{'' if total == 1 else 's'}"
        self.tickets.setText(words if shown == total else f"{shown:,} of {words}")

    def show_progress(self, text: str, fraction: float) -> None:
        """Show work in progress; `fraction` is 0..1."""
        self.progress_text.setText(text)
        self.progress.setValue(round(fraction * 1000))
        for widget in (self.progress_text, self.progress, self.cancel):
            widget.show()

    def show_copying(self, done: int, total: int) -> None:
        """Show how many of the summaries are ready to be copied; 0 of 0 when all are."""
        if total:
            self.show_progress(f"Copying {done:,} of {total:,} summaries", done / total)
        else:
            self.hide_progress()

    def hide_progress(self) -> None:
        """The work is done."""
        for widget in (self.progress_text, self.progress, self.cancel):
            widget.hide()

    def show_spend(self, microusd: int, unknown: int) -> None:
        """Show today's spend; calls without a known price are said, never counted as nothing."""
        dollars = microusd / 1e6
        self.spend.setText(f"today ${dollars:.2f}" + (f" + {unknown} unknown" if unknown else ""))
        self.spend.setToolTip(
            f"Spent since midnight UTC: ${dollars:.6f}"
            + (f"; {unknown} calls without a known price" if unknown else "")
            + ". Click for all figures (Ctrl+Shift+O)"
        )
        self.spend.setAccessibleName(f"Operations, spent {self.spend.text()}")

    def show_queue(self, short: str, full: str) -> None:
        """Say how far the queue is, in a few words and in all of them."""
        self.queue.setText(short)
        self.queue.setAccessibleName(f"Queue: {full}")
        self.queue.setToolTip(f"{full} (Ctrl+J)")

    def show_providers(
        self, names: list[tuple[str, str, str]], default: str, appearance: str, *, is_local_only: bool
    ) -> None:
        """Fill the menu with providers (name, label, why it may not be asked now), the lock, the settings and the appearance."""
        self.menu.clear()
        group = QActionGroup(self.menu)
        for name, label, locked in names:
            action = self.menu.addAction(f"{label}  · locked" if locked else label)
            action.setCheckable(True)
            action.setChecked(name == default)
            action.setEnabled(not locked)
            action.setToolTip(plain_tip(locked))
            group.addAction(action)
            action.triggered.connect(lambda _=False, n=name: self.provider_chosen.emit(n))
            if name == default:
                self.provider.setText(f"{action.text()}  ▾")
                self.provider.setToolTip(plain_tip(locked))
        self.menu.addSeparator()
        lock = self.menu.addAction("Local only")
        lock.setCheckable(True)
        lock.setChecked(is_local_only)
        lock.setToolTip("Locks the whole program to this machine: nothing is sent to any other")
        lock.triggered.connect(self.local_only_chosen)
        self.local_only.setVisible(is_local_only)
        self.menu.addSeparator()
        self.menu.addAction("Providers…").triggered.connect(self.providers_requested)
        self.menu.addAction("Recipes…").triggered.connect(self.recipes_requested)
        self.menu.addAction("Operations…").triggered.connect(self.operations_requested)
        self.menu.addSeparator()
        looks = QActionGroup(self.menu)
        for value, label in APPEARANCES:
            action = self.menu.addAction(label)
            action.setCheckable(True)
            action.setChecked(value == appearance)
            looks.addAction(action)
            action.triggered.connect(lambda _=False, v=value: self.appearance_chosen.emit(v))

    def _on_theme(self) -> None:
        self.local_only.setIcon(self._theme.icons.icon("lock", self._theme.tokens.muted))
        self.provider.setIcon(self._theme.icons.icon("plug", self._theme.tokens.muted))
        self.queue.setIcon(self._theme.icons.icon("layers", self._theme.tokens.muted))
