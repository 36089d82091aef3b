"""What the status bar offers to choose, the provider and the appearance, and what today's summaries cost.

What is chosen is kept in the settings at once. What runs is shown there by whoever runs it, and what is listed by the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN
from desktop.gui.bars import StatusBar
from desktop.gui.jobs import JobScope
from desktop.gui.theme.style import Theme

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.providers import ProviderService

PROMISE = "Tickets stay on this machine. Nothing is sent until you ask for a summary; no telemetry."
OPENED = "Tickets stay on this machine until you open one, which sends it for its summary; no telemetry."


class StatusFlow(QObject):
    """Fills the menus of the bar and does what is chosen in them. `locked()` when the lock was set or taken away here."""

    locked = Signal()

    provider_shown = Signal(str)
    """What leaves this machine, and who writes summaries, in words."""

    def __init__(self, status: StatusBar, theme: Theme, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._status, self._theme, self._on_error = status, theme, on_error
        self._desk: Desk | None = None
        self.jobs = JobScope(on_error)
        status.provider_chosen.connect(self._on_provider)
        status.appearance_chosen.connect(self._on_appearance)
        status.local_only_chosen.connect(self._on_local_only)

    def attach(self, desk: Desk) -> None:
        """Take the services, and show what is set."""
        self._desk = desk
        self._theme.set_appearance(desk.settings.get("appearance"))
        self.show_providers()

    def show_providers(self) -> None:
        """Fill the menus again, because a provider was added, changed or removed."""
        assert self._desk is not None
        service = self._desk.providers
        names = [
            (p.name, f"{p.name} · {p.model}" if p.model else _label(p.name), service.locked_reason(p))
            for p in service.profiles()
        ]
        self._status.show_providers(
            names,
            service.default_name(),
            self._desk.settings.get("appearance"),
            is_local_only=service.is_local_only,
        )
        self.provider_shown.emit(_tell(service, is_automatic=self._desk.settings.get("auto_summarize") == "always"))

    def show_spend(self) -> None:
        """Add up again what today's summaries cost."""
        self.jobs.start(self._load_spend())

    async def _load_spend(self) -> None:
        assert self._desk is not None
        spent, unknown = await self._desk.operations.spent_today()
        self._status.show_spend(spent, unknown)

    def _on_provider(self, name: str) -> None:
        if self._desk is not None:
            try:
                self._desk.providers.set_default(name)
            except DeskError as error:
                self._on_error(error)
            self.show_providers()

    def _on_local_only(self, is_on: bool) -> None:
        if self._desk is not None:
            try:
                self._desk.providers.set_local_only(is_on=is_on)
            except DeskError as error:
                self._on_error(error)
            self.show_providers()
            self.locked.emit()

    def _on_appearance(self, appearance: str) -> None:
        if self._desk is not None:
            self._theme.set_appearance(appearance)
            try:
                self._desk.settings.set("appearance", appearance)
            except DeskError as error:
                self._on_error(error)


def _tell(service: ProviderService, *, is_automatic: bool) -> str:
    """Say what leaves this machine, and when, and on another line who writes summaries."""
    profile = service.profile()
    is_local = service.is_local(profile)
    model = f", {profile.model}" if profile.model else ""
    who = "the built-in model" if profile.name == BUILT_IN else f"{profile.name} ({service.host(profile)}){model}"
    place = ", on this machine" if is_local else ""
    promise = OPENED if is_automatic and not is_local else PROMISE
    return f"{promise}\nSummaries are written by {who}{place}."


def _label(name: str) -> str:
    return "Built-in model (tiny)" if name == BUILT_IN else name
