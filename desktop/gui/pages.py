"""The pages beside the sidebar: the tickets, and the panels that take their place for a while.

A panel is built, and its code loaded, when it is first opened: the program's first window does not wait for what nobody asked for. What a panel asks
of others is wired here; which page is shown, and when, is the window's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.domain.errors import DeskError
from desktop.domain.providers import ProviderProfile
from desktop.gui.import_flow import ImportFlow
from desktop.gui.notices import NoticeBar
from desktop.gui.theme.style import Theme
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.gui.erase_panel import ErasePanel
    from desktop.gui.history_panel import HistoryPanel
    from desktop.gui.operations_panel import OperationsPanel
    from desktop.gui.preview_panel import PreviewPanel
    from desktop.gui.providers_panel import ProvidersPanel
    from desktop.gui.queue_panel import QueuePanel
    from desktop.gui.recipes_panel import RecipesPanel
    from desktop.services.container import Desk

    Panel = ErasePanel | HistoryPanel | OperationsPanel | PreviewPanel | ProvidersPanel | QueuePanel | RecipesPanel


class Pages(QStackedWidget):
    """Holds what the window adds, and the panels. `left()` when the user is done with one."""

    left = Signal()
    providers_changed = Signal()
    ticket_opened = Signal(int)
    tickets_mended = Signal()
    """A rejected row became a ticket."""
    person_erased = Signal()
    limits_changed = Signal()
    """What the user wants to be warned of is another."""
    tried = Signal(int)
    """A recipe was tried: the ticket has another summary."""

    def __init__(
        self, theme: Theme, imports: ImportFlow, notice: NoticeBar, on_error: Callable[[DeskError], None]
    ) -> None:
        super().__init__()
        self._theme, self._imports, self._notice, self._on_error = theme, imports, notice, on_error
        self._desk: Desk | None = None
        self._panels: list[Panel] = []

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        for panel in self._panels:
            panel.attach(desk)

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await asyncio.gather(*(panel.close_jobs() for panel in self._panels))

    def show_lock(self) -> None:
        """Show in the providers that the lock was set or taken away elsewhere; nothing where they were never opened."""
        panel = vars(self).get("providers")
        if panel is not None and panel.isVisible():
            panel.show_lock()

    @cached_property
    def history(self) -> HistoryPanel:
        """Return the imports so far."""
        from desktop.gui.history_panel import HistoryPanel

        panel = HistoryPanel(self._theme)
        panel.undo_requested.connect(self._imports.undo)
        panel.ticket_opened.connect(self.ticket_opened)
        panel.tickets_changed.connect(self.tickets_mended)
        panel.failed.connect(self._on_error)
        self._imports.imported.connect(lambda: panel.reload() if panel.isVisible() else None)
        self._add(panel)
        return panel

    @cached_property
    def erasing(self) -> ErasePanel:
        """Return what erases a person."""
        from desktop.gui.erase_panel import ErasePanel

        panel = ErasePanel(self._theme)
        panel.erased.connect(self.person_erased)
        self._add(panel)
        return panel

    @cached_property
    def operations(self) -> OperationsPanel:
        """Return what the calls of models came to."""
        from desktop.gui.operations_panel import OperationsPanel

        panel = OperationsPanel(self._theme)
        panel.failed.connect(self._on_error)
        panel.said.connect(self._notice.show_notice)
        panel.ticket_opened.connect(self.ticket_opened)
        panel.limits_changed.connect(self.limits_changed)
        self._add(panel)
        return panel

    @cached_property
    def preview(self) -> PreviewPanel:
        """Return what shows a request before it goes."""
        from desktop.gui.preview_panel import PreviewPanel

        panel = PreviewPanel(self._theme)
        panel.said.connect(self._notice.show_notice)
        self._add(panel)
        return panel

    @cached_property
    def providers(self) -> ProvidersPanel:
        """Return who may write summaries."""
        from desktop.gui.providers_panel import ProvidersPanel

        panel = ProvidersPanel(self._theme)
        panel.changed.connect(self.providers_changed)
        panel.removed.connect(self._on_provider_removed)
        self._add(panel)
        return panel

    @cached_property
    def recipes(self) -> RecipesPanel:
        """Return the prompts behind summaries."""
        from desktop.gui.recipes_panel import RecipesPanel

        panel = RecipesPanel(self._theme)
        panel.tried.connect(self.tried)
        panel.removed.connect(self._on_recipe_removed)
        panel.failed.connect(self._on_error)
        self._add(panel)
        return panel

    @cached_property
    def queue(self) -> QueuePanel:
        """Return the tickets that wait for their summaries."""
        from desktop.gui.queue_panel import QueuePanel

        panel = QueuePanel(self._theme)
        panel.ticket_opened.connect(self.ticket_opened)
        panel.removed.connect(self._on_queue_removed)
        panel.failed.connect(self._on_error)
        self._add(panel)
        return panel

    def is_queue_seen(self) -> bool:
        """Tell whether the user looks at the queue just now."""
        return self.isActiveWindow() and "queue" in vars(self) and self.queue.isVisible()

    def _add(self, panel: Panel) -> None:
        panel.closed.connect(self.left)
        if self._desk is not None:
            panel.attach(self._desk)
        self._panels.append(panel)
        self.addWidget(panel)

    def _on_provider_removed(self, profile: ProviderProfile) -> None:
        words = f"{profile.name} is removed, and its key if it had one."
        self._notice.show_notice(words, actions=[("Undo", lambda: self.providers.put_back(profile))])

    def _on_queue_removed(self, number: int) -> None:
        words = f"{count(number, 'ticket')} taken out of the queue."
        self._notice.show_notice(words, actions=[("Undo", self.queue.put_back)])

    def _on_recipe_removed(self, name: str, text: str) -> None:
        words = f"Your recipe {name} is removed."
        self._notice.show_notice(words, actions=[("Undo", lambda: self.recipes.put_back(name, text))])
