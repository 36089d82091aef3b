"""The star of a ticket: whether its summary is an example that the model is shown for similar tickets."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from desktop.gui.theme.style import Theme


class StarButton(QPushButton):
    """A button that is on or off, and says what for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "flat")
        self.setCheckable(True)
        self.show_starred(is_starred=False)
        self.toggled.connect(lambda is_on: self.show_starred(is_starred=is_on))
        theme.changed.connect(self._on_theme)

    def show_starred(self, *, is_starred: bool) -> None:
        """Show whether the ticket is an example."""
        self.setChecked(is_starred)
        self.setAccessibleName(f"Example for the model: {'on' if is_starred else 'off'}")
        self.setToolTip(
            "An example: the model is shown its summary when it writes that of a similar ticket. Click to take it back"
            if is_starred
            else "Make this ticket and its summary an example that the model is shown for similar tickets"
        )
        self._on_theme()

    def _on_theme(self) -> None:
        t = self._theme.tokens
        name, color = ("star-full", t.accent) if self.isChecked() else ("star", t.muted)
        self.setIcon(self._theme.icons.icon(name, color))
