"""The mapping's menu in the import panel: save how a file is read as a file, or read it by one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

_FILTER = "Mappings (*.toml);;All files (*)"


class MappingMenu(QPushButton):
    """A button with two actions. `load_chosen(path)` and `save_chosen(path)` carry what was picked in a dialog that blocks nothing."""

    load_chosen = Signal(object)
    save_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Mapping  ▾")
        self.setToolTip("A mapping says what each column is; it is remembered for the next export with the same header")
        self.file_name = ""
        menu = QMenu(self)
        self.load_action = menu.addAction("Load mapping…", self._choose_to_load)
        self.save_action = menu.addAction("Save mapping…", self._choose_to_save)
        self.setMenu(menu)

    def _choose_to_load(self) -> None:
        dialog = QFileDialog(self, "Load a mapping", "", _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.load_chosen.emit(Path(name)))
        self._open(dialog)

    def _choose_to_save(self) -> None:
        dialog = QFileDialog(self, "Save this mapping", "", _FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.selectFile(f"{self.file_name or 'mapping'}.toml")
        dialog.fileSelected.connect(lambda name: self.save_chosen.emit(Path(name)))
        self._open(dialog)

    def _open(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
