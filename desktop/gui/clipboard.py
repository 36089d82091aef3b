"""The clipboard, and what is dragged out of the window: a copy as the kinds of text that other programs ask for.

Only texts, never a file: what is dropped somewhere is pasted there.
"""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from desktop.services.rendering import Rendered


def mime_data(rendered: Rendered) -> QMimeData:
    """Return a copy for the clipboard or for a drag: its text, and HTML beside it where it is rich text."""
    data = QMimeData()
    data.setText(rendered.text)
    if rendered.html:
        data.setHtml(rendered.html)
    return data


def put_on_clipboard(rendered: Rendered) -> None:
    """Replace what the clipboard holds by a copy."""
    QGuiApplication.clipboard().setMimeData(mime_data(rendered))
