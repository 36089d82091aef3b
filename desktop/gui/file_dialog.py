"""The dialog that asks for exports to import. It does not block the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.domain.imports import FILE_SUFFIXES


def ask_for_exports(parent: QWidget, on_files: Callable[[list[Path]], object]) -> None:
    """Open the dialog; `on_files` is given what was chosen in it."""
    kinds = f"Exports ({' '.join(f'*{suffix}' for suffix in FILE_SUFFIXES)});;All files (*)"
    dialog = QFileDialog(parent, "Import ticket exports", "", kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(lambda names: on_files([Path(name) for name in names]))
    dialog.open()
