"""The clipboard: one summary as rich and plain text at once, so that each target takes what it understands."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from desktop.domain.runs import Highlight, Summary
from desktop.services.rendering import render_highlights, render_summary


def copy_summary(summary: Summary, *, title: str, how: str) -> int:
    """Put a summary on the clipboard and return how many claims were left out.

    `how` is `copied` (what the ticket supports), `everything`, or `markdown` (supported, as Markdown source).
    """
    rendered = render_summary(summary, title=title, include_all=how == "everything")
    data = QMimeData()
    if how == "markdown":
        data.setText(rendered.markdown)
    else:
        data.setText(rendered.plain)
        data.setHtml(rendered.html)
    QGuiApplication.clipboard().setMimeData(data)
    return rendered.left_out


def copy_highlights(highlights: tuple[Highlight, ...], *, title: str) -> None:
    """Put the highlights on the clipboard, each with its author."""
    rendered = render_highlights(highlights, title=title)
    data = QMimeData()
    data.setText(rendered.plain)
    data.setHtml(rendered.html)
    QGuiApplication.clipboard().setMimeData(data)
