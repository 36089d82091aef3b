"""The clipboard, and what is dragged out of the window: a copy as the kinds of text that other programs ask for.

Only texts, never a file: what is dropped somewhere is pasted there.
"""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from desktop.domain.runs import Highlight, Summary
from desktop.services.rendering import CopyFormat, CopyOptions, Rendered, render_highlights, render_summary


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


def copy_summary(summary: Summary, *, title: str, how: str) -> int:
    """Put a summary on the clipboard and return how many claims were left out.

    `how` is `copied` (what the ticket supports), `everything`, or `markdown` (supported, as Markdown source).
    """
    options = CopyOptions(
        CopyFormat.MARKDOWN if how == "markdown" else CopyFormat.RICH, include_all=how == "everything"
    )
    rendered = render_summary(summary, title=title, options=options)
    put_on_clipboard(rendered)
    return rendered.left_out


def copy_highlights(highlights: tuple[Highlight, ...], *, title: str) -> None:
    """Put the highlights on the clipboard, each with its author."""
    put_on_clipboard(render_highlights(highlights, title=title))
