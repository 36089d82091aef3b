"""How the user wants summaries shown: the sections and whether copies cite. Kept in the settings, told to whatever shows a summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.domain.errors import DeskError
from desktop.domain.sections import SectionChoice, choose_sections
from desktop.gui.summary_card import SummaryCard
from desktop.gui.versions_view import VersionsView

if TYPE_CHECKING:
    from desktop.services.container import Desk


class SectionsFlow(QObject):
    """Reads and writes the settings of the card."""

    def __init__(self, card: SummaryCard, versions: VersionsView, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._card, self._versions, self._on_error = card, versions, on_error
        self._desk: Desk | None = None
        card.sections.chosen.connect(self._on_chosen)
        card.footer.citations_toggled.connect(lambda is_on: self._keep("copy_citations", is_on))

    def attach(self, desk: Desk) -> None:
        """Take the services, and show what is set."""
        self._desk = desk
        self._show(choose_sections(desk.settings.get("sections")))
        self._card.footer.show_citations(desk.settings.get("copy_citations"))

    def _on_chosen(self, choices: tuple[SectionChoice, ...]) -> None:
        is_own = choices != choose_sections(())
        stored = [{"name": c.name, "label": c.label, "is_on": c.is_on} for c in choices] if is_own else []
        self._keep("sections", stored)
        self._show(choices)

    def _show(self, choices: tuple[SectionChoice, ...]) -> None:
        self._card.set_choices(choices)
        self._versions.set_choices(choices)

    def _keep(self, name: str, value: object) -> None:
        if self._desk is not None and self._desk.settings.get(name) != value:
            try:
                self._desk.settings.set(name, value)
            except DeskError as error:
                self._on_error(error)
