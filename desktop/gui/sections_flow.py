"""How the user wants summaries shown and checked: the sections, whether copies cite, how strictly sentences are checked, a second opinion or none.

It is kept in the settings and told to the card.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.domain.sections import SectionChoice, choose_sections
from desktop.gui.summary_card import SummaryCard

if TYPE_CHECKING:
    from desktop.services.container import Desk


class SectionsFlow(QObject):
    """Reads and writes the settings of the card. `checking_changed()` when sentences have to be checked anew."""

    checking_changed = Signal()

    def __init__(self, card: SummaryCard, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._card, self._on_error = card, on_error
        self._desk: Desk | None = None
        card.sections_chosen.connect(self._on_chosen)
        card.footer.citations_toggled.connect(lambda is_on: self._keep("copy_citations", is_on))
        card.footer.strictness_chosen.connect(self._on_strictness)
        card.footer.opinion_toggled.connect(self._on_opinion)

    def attach(self, desk: Desk) -> None:
        """Take the services, and show what is set."""
        self._desk = desk
        self._card.set_choices(choose_sections(desk.settings.get("sections")))
        self._card.footer.show_citations(desk.settings.get("copy_citations"))
        self.show_checking()

    def show_checking(self) -> None:
        """Show how sentences are checked; the price is the default provider's of now."""
        if self._desk is None:
            return
        try:
            cost = self._desk.summaries.opinion_price_microusd()
        except DeskError:
            cost = None
        price = "price unknown" if cost is None else "free" if cost == 0 else f"about ${cost / 1e6:.4f} a ticket"
        settings = self._desk.settings
        self._card.footer.show_checking(
            settings.get("strictness"), has_opinion=settings.get("second_opinion"), price=price
        )

    def _on_strictness(self, value: str) -> None:
        self._keep("strictness", value)
        self.checking_changed.emit()

    def _on_opinion(self, is_on: bool) -> None:
        self._keep("second_opinion", is_on)

    def _on_chosen(self, choices: tuple[SectionChoice, ...]) -> None:
        is_own = choices != choose_sections(())
        stored = [{"name": c.name, "label": c.label, "is_on": c.is_on} for c in choices] if is_own else []
        self._keep("sections", stored)
        self._card.set_choices(choices)

    def _keep(self, name: str, value: object) -> None:
        if self._desk is not None and self._desk.settings.get(name) != value:
            try:
                self._desk.settings.set(name, value)
            except DeskError as error:
                self._on_error(error)
