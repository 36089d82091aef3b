"""Alerts in the status bar: a limit of the user's that is passed is said there, and a click leads to the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QPushButton

from desktop.domain.errors import DeskError
from desktop.domain.operations import Alert
from desktop.gui.jobs import JobScope
from desktop.gui.theme.style import Theme
from desktop.gui.words import plain_tip

if TYPE_CHECKING:
    from desktop.services.container import Desk

LOOK_MS = 30_000


class AlertFlow(QObject):
    """Looks at the limits now and then, and whenever it is asked to. Its `button` belongs in the status bar."""

    def __init__(self, theme: Theme, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._theme = theme
        self._desk: Desk | None = None
        self.jobs = JobScope(on_error)
        self.button = QPushButton()
        self.button.setProperty("kind", "warning")
        self.button.hide()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        theme.changed.connect(self._on_theme)
        self._on_theme()

    def attach(self, desk: Desk) -> None:
        """Take the services, and begin to look."""
        self._desk = desk
        self._timer.start()
        self.look()

    def look(self) -> None:
        """Judge the limits again."""
        if self._desk is not None:
            self.jobs.restart(self._look())

    async def close(self) -> None:
        """End everything that runs."""
        self._timer.stop()
        await self.jobs.close()

    async def _look(self) -> None:
        assert self._desk is not None
        self._show(await self._desk.operations.alerts())

    def _show(self, alerts: tuple[Alert, ...]) -> None:
        words = [alert.message for alert in alerts]
        more = f" (+{len(words) - 1})" if len(words) > 1 else ""
        self.button.setText(alerts[0].title + more if alerts else "")
        self.button.setToolTip(plain_tip(". ".join(words)))
        self.button.setAccessibleName("Warning: " + ". ".join(words))
        self.button.setVisible(bool(words))

    def _on_theme(self) -> None:
        self.button.setIcon(self._theme.icons.icon("warning", self._theme.tokens.warning))
