"""The quote: what summaries of many tickets would cost, before anything is sent, and the choices that it depends on.

It stands below the tickets, not over them, and paints what it is told; `QuoteFlow` asks for the price and adds to the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
)

from desktop.domain.queue import Quote
from desktop.gui.caps_editor import CapsEditor
from desktop.gui.theme.style import Theme, scaled
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame
from desktop.services.queue_wording import (
    describe_about,
    describe_place,
    describe_price,
    describe_seconds,
    describe_tickets,
)
from desktop.services.wording import count

_WIDE = 156 * SPACE
"""From here on the caps have room beside the choices."""


@dataclass(frozen=True, slots=True)
class QuoteChoice:
    """What is asked for: who writes, by which recipe, and whether what is stored is written anew."""

    provider: str
    recipe: str
    refresh: bool


class QuotePanel(QFrame):
    """Shows a quote and its choices. `choice_changed()` when it must be asked for again."""

    choice_changed = Signal()
    recipe_changed = Signal()
    """Another recipe may be another provider's task."""
    summarize_requested = Signal()
    batch_requested = Signal()
    providers_requested = Signal()
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("sheet")
        self.setAccessibleName("What the summaries would cost")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._doing = ""
        self._build()
        self._lay_out()
        self._on_theme()
        theme.changed.connect(self._on_theme)
        self.hide()

    @property
    def choice(self) -> QuoteChoice:
        """Return what is chosen."""
        return QuoteChoice(self.provider.currentData() or "", self.recipe.currentData() or "", self.refresh.isChecked())

    def show_choices(
        self, providers: Sequence[tuple[str, str]], recipes: Sequence[tuple[str, str]], choice: QuoteChoice
    ) -> None:
        """Offer providers (name, label) and recipes (name, description), with what is chosen of them."""
        for box, entries, chosen in (
            (self.provider, providers, choice.provider),
            (self.recipe, recipes, choice.recipe),
        ):
            box.blockSignals(True)
            box.clear()
            for name, words in entries:
                box.addItem(words if box is self.provider else name, name)
                box.setItemData(box.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
            box.setCurrentIndex(max(0, box.findData(chosen)))
            box.blockSignals(False)
        self.refresh.blockSignals(True)
        self.refresh.setChecked(choice.refresh)
        self.refresh.blockSignals(False)

    def show_measuring(self, total: int) -> None:
        """Say that the price is being found out."""
        self.headline.setText(f"Summarize {count(total, 'ticket')}")
        self.batch.hide()
        self._begin("Measuring the tickets")

    def show_handing_over(self, total: int) -> None:
        """Say that the tickets are being handed to the provider in a batch."""
        self.headline.setText(f"Handing over {count(total, 'ticket')}")
        self._begin("Handing the tickets over")

    def show_progress(self, done: int, total: int) -> None:
        """Say how many of the tickets were measured."""
        if not self.progress.isHidden():
            self.facts.setText(f"{self._doing}: {done:,} of {total:,}")
            self.progress.setValue(round(done / max(1, total) * 1000))

    def show_quote(self, quote: Quote) -> None:
        """Show the price."""
        estimate = quote.estimate
        price = describe_price(quote)
        if quote.seconds is not None and estimate.calls:
            price += f" · about {describe_seconds(quote.seconds)}"
        self.headline.setText(f"Summarize {count(estimate.tickets, 'ticket')}: {price}")
        self.facts.setText(f"{describe_tickets(quote)} · {describe_place(quote)}")
        cost = estimate.cost_microusd
        asked = "Summarize, price unknown" if cost is None else f"Summarize for {describe_about(cost)}"
        self.summarize.setText(asked if quote.must_ask and estimate.calls else "Summarize")
        self._set_ready(is_ready=True, can_begin=not quote.refusal)
        self._offer_batch(quote)
        self._warn(quote.refusal, is_about_provider=True)
        if self.hasFocus() and not quote.refusal:
            self.summarize.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_failure(self, words: str, *, what: str = "No price could be found out.") -> None:
        """Say what did not come about, and why."""
        self.facts.setText(what)
        self._set_ready(is_ready=True, can_begin=False)
        self._warn(words, is_about_provider=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = QApplication.focusWidget()
            if isinstance(focused, QPushButton) and self.isAncestorOf(focused):
                focused.click()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom
        if self._choices.direction() != direction:
            self._choices.setDirection(direction)

    def _build(self) -> None:
        self._icon = Words()
        self.headline = Words()
        self.headline.setFont(scaled(self.font(), 1.1, weight=self.font().Weight.DemiBold))
        self.headline.setWordWrap(True)
        self.facts = Words(kind="muted", wraps=True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setRange(0, 1000)
        self.progress.setFixedHeight(SPACE // 2)
        # What stands below must not jump when the price is there.
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.provider, self.recipe = QComboBox(), QComboBox()
        for box, name in ((self.provider, "Provider"), (self.recipe, "Recipe")):
            box.setAccessibleName(name)
            box.setMaximumWidth(34 * SPACE)
        self.provider.currentIndexChanged.connect(lambda _: self.choice_changed.emit())
        self.recipe.currentIndexChanged.connect(lambda _: self.recipe_changed.emit())
        self.refresh = QCheckBox("Refresh what is stored")
        self.refresh.setToolTip("Write summaries anew that are there already and up to date")
        self.refresh.toggled.connect(lambda _: self.choice_changed.emit())
        self.caps = CapsEditor()
        self.caps.changed.connect(self.choice_changed)
        self.caps.refused.connect(self._warn)
        self.summarize = QPushButton("Summarize")
        self.summarize.setProperty("kind", "primary")
        self.summarize.clicked.connect(self.summarize_requested)
        self.batch = QPushButton()
        self.batch.setToolTip("Hand the tickets over together: cheaper, answered whenever the provider has time")
        self.batch.clicked.connect(self.batch_requested)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Close without summarizing (Esc)")
        self.cancel.clicked.connect(self.closed)
        self._warning = named_frame("strip")
        self._warning_icon, self.warning = Words(), Words(wraps=True)
        self.providers_button = QPushButton("Providers…")
        self.providers_button.clicked.connect(self.providers_requested)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.headline, 1)
        choices = QHBoxLayout()
        choices.setSpacing(SPACE)
        for words, box in (("Provider:", self.provider), ("Recipe:", self.recipe)):
            choices.addWidget(Words(words, kind="muted"))
            choices.addWidget(box)
            choices.addSpacing(SPACE)
        choices.addWidget(self.refresh)
        choices.addStretch()
        self._choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._choices.setSpacing(SPACE)
        self._choices.addLayout(choices)
        self._choices.addWidget(self.caps, 0, Qt.AlignmentFlag.AlignLeft)
        warning = QHBoxLayout(self._warning)
        warning.setContentsMargins(SPACE, SPACE // 2, SPACE // 2, SPACE // 2)
        warning.addWidget(self._warning_icon)
        warning.addWidget(self.warning, 1)
        warning.addWidget(self.providers_button)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self.summarize, self.batch, self.cancel):
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, SPACE + 4, 2 * SPACE, SPACE + 4)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.facts)
        layout.addWidget(self.progress)
        layout.addLayout(self._choices)
        layout.addWidget(self._warning)
        layout.addLayout(buttons)

    def _begin(self, doing: str) -> None:
        self._doing = doing
        self.facts.setText(f"{doing}…")
        self.progress.setValue(0)
        self._set_ready(is_ready=False)
        self._warn("")

    def _set_ready(self, *, is_ready: bool, can_begin: bool = False) -> None:
        self.progress.setVisible(not is_ready)
        if not can_begin and (self.summarize.hasFocus() or self.batch.hasFocus()):
            # A button that is switched off hands its focus on to whatever comes next.
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.summarize.setEnabled(can_begin)
        self.batch.setEnabled(can_begin)
        if not is_ready:
            self.summarize.setText("Summarize")

    def _offer_batch(self, quote: Quote) -> None:
        self.batch.setVisible(quote.offers_batch and bool(quote.estimate.calls))
        cost = quote.batch_cost_microusd
        whole = quote.estimate.cost_microusd
        price = "price unknown" if cost is None else describe_about(cost)
        # Both are rounded to whole micro-dollars, input and output apart.
        if cost and whole and abs(2 * cost - whole) <= max(10, whole // 100):
            price = f"half the price: {price}"
        self.batch.setText(f"As a batch, {price}, within 24 hours")

    def _warn(self, words: str, *, is_about_provider: bool = False) -> None:
        self.warning.setText(words)
        self.providers_button.setVisible(is_about_provider)
        self._warning.setVisible(bool(words))

    def _on_theme(self) -> None:
        icons, t = self._theme.icons, self._theme.tokens
        self._icon.setPixmap(icons.pixmap("sparkle", t.accent))
        self._warning_icon.setPixmap(icons.pixmap("warning", t.warning))
        self.summarize.setIcon(icons.icon("sparkle", t.on_accent))
        self.batch.setIcon(icons.icon("layers"))
