"""The dialog that asks for files to import: it offers what can be dropped."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.domain.imports import FILE_SUFFIXES
from tests.gui.real_window import opened_window

# Qt drawing into memory has no place to put a dialog, and says so of each.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


async def test_the_dialog_offers_every_file_that_can_be_dropped(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for suffix in {*FILE_SUFFIXES, ".tab", ".xlsm", ".diff", ".patch", ".png"}:
            archive.writestr(f"export{suffix}", "Id,Subject\n1,Hello\n")
    async with opened_window(data_dir, sample=False) as (window, desk):
        accepted = {path.suffix for path in await desk.imports.expand(tmp_path / "all.zip")}
        assert {".tab", ".xlsm", ".diff", ".patch"} <= accepted
        assert ".png" not in accepted
        window.choose_file()
        (dialog,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible())
        offered = dialog.nameFilters()[0].removeprefix("Exports (").removesuffix(")").split()
        assert {f"*{suffix}" for suffix in accepted} == set(offered)
        dialog.close()
