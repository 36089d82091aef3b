"""Icons: one SVG set, recolored from the tokens. Style sheets want files, so those few are written to a folder of this process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.gui.theme.tokens import ICON_SIZE, LIGHT, Tokens


class Icons:
    """Icons by name, in the colors of the current scheme."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokens = LIGHT
        self._cache: dict[tuple[str, str, int], QPixmap] = {}
        self._files = tempfile.TemporaryDirectory(prefix="tldesk-icons-", ignore_cleanup_errors=True)

    def use(self, tokens: Tokens) -> None:
        """Take the colors of another scheme."""
        self._tokens = tokens

    def icon(self, name: str, color: str = "") -> QIcon:
        """Return an icon in the text color, or in another one; disabled it is faint."""
        result = QIcon(self.pixmap(name, color or self._tokens.text))
        result.addPixmap(self.pixmap(name, self._tokens.faint), QIcon.Mode.Disabled)
        return result

    def pixmap(self, name: str, color: str, *, size: int = ICON_SIZE) -> QPixmap:
        """Return one picture, drawn at three times its size so that it stays sharp on every screen."""
        key = (name, color, size)
        if key not in self._cache:
            ratio = 3
            pixmap = QPixmap(size * ratio, size * ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            QSvgRenderer(QByteArray(self._svg(name, color).encode())).render(
                painter, QRectF(0, 0, size * ratio, size * ratio)
            )
            painter.end()
            pixmap.setDevicePixelRatio(ratio)
            self._cache[key] = pixmap
        return self._cache[key]

    def file(self, name: str, color: str) -> str:
        """Write one icon to a file for a style sheet and return its path with forward slashes."""
        path = Path(self._files.name) / f"{name}-{color.lstrip('#')}.svg"
        if not path.exists():
            path.write_text(self._svg(name, color), encoding="utf-8")
        return path.as_posix()

    def _svg(self, name: str, color: str) -> str:
        return (self._folder / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
