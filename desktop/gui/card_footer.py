"""The foot of the summary card: copy, refresh, all else behind one button, and what was found of the sentences and messages.

*Refresh* can be pressed only when something would come of it, and says why when it cannot. The unused messages of a ticket are one click away, one
after the other.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QPushButton, QWidget

from desktop.domain.runs import RunState, Summary, Support
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import ElidedWords, plain_tip
from desktop.services.wording import describe_findings

COPIES = (
    ("rich", "Copy as rich text"),
    ("plain", "Copy as plain text"),
    ("markdown", "Copy as Markdown"),
    ("jira", "Copy for Jira"),
    ("slack", "Copy for Slack"),
)

STRICTNESS = (
    ("lenient", "Lenient", "Mark fewer sentences: only wording that differs much"),
    ("normal", "Normal", "Mark about one faithful sentence in ten, more where the ticket is told in quite other words"),
    ("strict", "Strict", "Mark more sentences: also wording that differs a little"),
)

_NARROW = 480


class CardFooter(QWidget):
    """Buttons and status. Signals carry what was asked for; whether it can be done is told by `show_state`."""

    copy_requested = Signal(str)
    """A format of `COPIES`, `copied` for the usual one, `customer`, or `everything`."""
    citations_toggled = Signal(bool)
    summarize_requested = Signal(bool)
    """True when the summary that is there shall be written anew."""
    stop_requested = Signal()
    unused_wanted = Signal()
    changes_toggled = Signal(bool)
    sections_requested = Signal()
    versions_requested = Signal()
    edit_requested = Signal()
    verify_requested = Signal()
    preview_requested = Signal()
    strictness_chosen = Signal(str)
    opinion_toggled = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._summary: Summary | None = None
        self._words = ("", "")
        self._changes: int | None = None
        self._build()
        self._build_menus()
        self._on_theme()
        theme.changed.connect(self._on_theme)

    # What it is told

    def show_state(self, summary: Summary | None, *, is_running: bool, has_highlights: bool) -> None:
        """Offer what can be done with a summary, or without one."""
        self._summary = summary
        # What is still being written is not copied: until it is done, the highlights are what there is.
        has_text = summary is not None and bool(summary.claims) and not is_running
        self.copy_button.setEnabled(has_text or has_highlights)
        self.copy_button.setText("Copy" if has_text or not has_highlights else "Copy highlights")
        self.copy_menu_button.setVisible(has_text)
        for action in (self.edit_action, self.anew_action):
            action.setEnabled(has_text)
        self.verify_action.setEnabled(not is_running)
        self.sections_action.setEnabled(not is_running)
        self._show_refresh(summary if has_text else None, is_running=is_running)
        self.stop_button.setVisible(is_running)
        unused = len(summary.coverage.unused) if summary is not None and has_text else 0
        self.unused_link.setVisible(unused > 0)
        self.unused_link.setText(f"{unused} not used")
        if not is_running:
            self.say(describe_findings(summary) if summary else "", short=_short_findings(summary))
        self._arrange()

    def show_versions(self, number: int) -> None:
        """Say how many versions there are."""
        self.versions_action.setText(f"Versions ({number})…" if number else "Versions…")
        self.versions_action.setEnabled(number > 0)

    def show_changes(self, number: int | None, *, is_on: bool = False) -> None:
        """Offer to show what the last refresh changed; None when nothing is known of it."""
        self.changes_button.setVisible(number is not None)
        self.changes_button.setChecked(is_on)
        self.changes_button.setEnabled(bool(number))
        self._changes = number
        self._arrange()

    def say(self, words: str, *, short: str = "") -> None:
        """Say something beside the buttons; `short` where there is no room for it."""
        self._words = (words, short or words)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Put the words beside the buttons where they have room, the shorter ones if need be, else below."""
        full, short = self._words
        title = "What changed" if self.width() >= _NARROW else "Changed"
        self.changes_button.setText("Nothing changed" if self._changes == 0 else f"{title} ({self._changes or 0})")
        link = 0 if self.unused_link.isHidden() else self.unused_link.sizeHint().width() + SPACE
        room = self.width() - self._buttons.sizeHint().width() - link - 2 * SPACE
        metrics = self.status.fontMetrics()
        fits = [words for words in (full, short) if metrics.horizontalAdvance(words) + 2 <= room]
        is_beside = bool(fits) or not full
        direction = QBoxLayout.Direction.LeftToRight if is_beside else QBoxLayout.Direction.TopToBottom
        if self._layout.direction() != direction:
            self._layout.setDirection(direction)
            self._layout.setSpacing(SPACE if is_beside else SPACE // 2)
        side = Qt.AlignmentFlag.AlignRight if is_beside else Qt.AlignmentFlag.AlignLeft
        self.status.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        words = fits[0] if fits else full
        if self.status.text() != words:
            self.status.setText(words)

    def show_citations(self, has_citations: bool) -> None:
        """Show whether copies name the messages they cite."""
        self.citations_action.setChecked(has_citations)

    # How it is built

    def _build(self) -> None:
        self.copy_button = QPushButton("Copy")
        self.copy_button.setProperty("kind", "primary")
        self.copy_button.setToolTip("Copy what the ticket supports, as rich and plain text (Ctrl+C)")
        self.copy_button.clicked.connect(lambda: self.copy_requested.emit("copied"))
        self.copy_menu_button = _icon_button("Other ways to copy")
        self.refresh_button = QPushButton("Summarize")
        self.refresh_button.clicked.connect(lambda: self.summarize_requested.emit(self._summary is not None))
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop writing and keep the text so far (Esc)")
        self.stop_button.clicked.connect(self.stop_requested)
        self.changes_button = QPushButton("What changed")
        self.changes_button.setCheckable(True)
        self.changes_button.setProperty("kind", "group")
        self.changes_button.setToolTip("Show what the last refresh changed")
        self.changes_button.toggled.connect(self.changes_toggled)
        self.changes_button.hide()
        self.more_button = _icon_button("More about this summary")
        self.status = ElidedWords(kind="muted")
        self.status.setFont(small_font(self.font()))
        self.unused_link = QPushButton()
        self.unused_link.setProperty("kind", "link")
        self.unused_link.setFont(small_font(self.font()))
        self.unused_link.setToolTip("Show the messages that no sentence cites, one after the other")
        self.unused_link.clicked.connect(self.unused_wanted)
        self.unused_link.hide()
        self._buttons, self._facts = QHBoxLayout(), QHBoxLayout()
        for widget in (self.copy_button, self.copy_menu_button, self.refresh_button, self.stop_button):
            self._buttons.addWidget(widget)
        self._buttons.addWidget(self.changes_button)
        self._buttons.addWidget(self.more_button)
        self._buttons.addStretch()
        self._facts.addWidget(self.status, 1)
        self._facts.addWidget(self.unused_link)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE)
        self._layout.addLayout(self._buttons)
        self._layout.addLayout(self._facts, 1)
        # Not the button's own: a button forgets its shortcut whenever its text changes.
        again = QShortcut(QKeySequence("F5"), self)
        again.activated.connect(self.refresh_button.click)

    def _build_menus(self) -> None:
        copies = QMenu(self.copy_menu_button)
        for how, title in COPIES:
            copies.addAction(title).triggered.connect(lambda _=False, h=how: self.copy_requested.emit(h))
        copies.addSeparator()
        for how, title, tip in (
            ("customer", "Copy for the customer", "Without anything that stands only in internal notes"),
            ("everything", "Copy everything, unsupported too", "What the ticket does not support is marked as such"),
        ):
            action = copies.addAction(title)
            action.setToolTip(tip)
            action.triggered.connect(lambda _=False, h=how: self.copy_requested.emit(h))
        copies.addSeparator()
        self.citations_action = copies.addAction("With citations")
        self.citations_action.setCheckable(True)
        self.citations_action.setToolTip("Name the messages that each sentence cites")
        self.citations_action.toggled.connect(self.citations_toggled)
        copies.setToolTipsVisible(True)
        self.copy_menu_button.setMenu(copies)
        menu = QMenu(self.more_button)
        self.edit_action = self._add(menu, "Edit…", "F2", self.edit_requested)
        self.verify_action = self._add(menu, "Verify pasted text…", "Ctrl+Shift+V", self.verify_requested)
        self.versions_action = self._add(menu, "Versions…", "Ctrl+Shift+H", self.versions_requested)
        self.sections_action = self._add(menu, "Sections…", "Ctrl+Shift+S", self.sections_requested)
        self._add_checking(menu)
        menu.addSeparator()
        self.preview_action = self._add(menu, "What would be sent…", "Ctrl+Shift+P", self.preview_requested)
        self.anew_action = self._add(menu, "Write anew", "Shift+F5", None)
        self.anew_action.triggered.connect(lambda: self.summarize_requested.emit(True))
        self.more_button.setMenu(menu)
        self.show_versions(0)

    def _add_checking(self, menu: QMenu) -> None:
        """Offer how strictly sentences are checked, and whether a model is asked once more."""
        strictness = menu.addMenu("Checking")
        self.strictness_actions = QActionGroup(self)
        for value, title, tip in STRICTNESS:
            action = strictness.addAction(title)
            action.setCheckable(True)
            action.setData(value)
            action.setToolTip(tip)
            self.strictness_actions.addAction(action)
        self.strictness_actions.triggered.connect(lambda action: self.strictness_chosen.emit(action.data()))
        strictness.addSeparator()
        self.opinion_action = strictness.addAction("Second opinion")
        self.opinion_action.setCheckable(True)
        self.opinion_action.toggled.connect(self.opinion_toggled)
        strictness.setToolTipsVisible(True)

    def show_checking(self, strictness: str, *, has_opinion: bool, price: str) -> None:
        """Show how strictly sentences are checked, and whether a model is asked once more, at what price a ticket."""
        for action in self.strictness_actions.actions():
            action.setChecked(action.data() == strictness)
        self.opinion_action.setChecked(has_opinion)
        self.opinion_action.setText(f"Second opinion ({price})")
        self.opinion_action.setToolTip(
            "After a summary, ask the model in one more request about sentences whose wording differs from the ticket. What it says is shown apart"
            " from what was found here. The built-in model is not asked."
        )

    def _add(self, menu: QMenu, title: str, keys: str, signal: object) -> QAction:
        action = menu.addAction(title)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        # A menu that was never opened has no window yet: the keys hold because the foot has the action, too.
        self.addAction(action)
        if signal is not None:
            action.triggered.connect(lambda: signal.emit())  # type: ignore[attr-defined]
        return action

    def _show_refresh(self, summary: Summary | None, *, is_running: bool) -> None:
        self.refresh_button.setVisible(not is_running)
        self.refresh_button.setText("Summarize" if summary is None else "Refresh")
        reason = why_not_refreshed(summary)
        self.refresh_button.setEnabled(not reason)
        tip = "Write a summary of this ticket (F5)" if summary is None else "Bring this summary up to date (F5)"
        self.refresh_button.setToolTip(plain_tip(reason or tip))

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self.copy_button.setIcon(icons.icon("copy", t.on_accent))
        self.copy_menu_button.setIcon(icons.icon("chevron-down"))
        self.refresh_button.setIcon(icons.icon("sparkle"))
        self.stop_button.setIcon(icons.icon("stop"))
        self.more_button.setIcon(icons.icon("more"))


def why_not_refreshed(summary: Summary | None) -> str:
    """Say why a refresh would change nothing; '' when it may."""
    if summary is None or summary.state is not RunState.COMPLETE or summary.stale or summary.newer_messages:
        return ""
    return "The ticket has not changed since this was written. “Write anew” in the menu beside asks the model again."


def _short_findings(summary: Summary | None) -> str:
    if summary is None or not summary.claims:
        return ""
    supported = sum(checked.support is Support.SUPPORTED for checked in summary.claims)
    read = f" · {summary.coverage.read} of {summary.coverage.messages} read" if summary.coverage.read else ""
    return f"{supported} of {len(summary.claims)} supported{read}"


def _icon_button(name: str) -> QPushButton:
    button = QPushButton()
    button.setProperty("kind", "icon")
    button.setAccessibleName(name)
    button.setToolTip(name)
    return button
