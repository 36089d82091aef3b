"""The window's life: painted first, then everything else. Qt's loop is asyncio's loop (qasync), and nothing here blocks it."""

from __future__ import annotations

import asyncio
import gc
import html
import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qasync
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop.domain.errors import DeskError
from desktop.gui.theme.style import Theme
from desktop.gui.window import MainWindow

if TYPE_CHECKING:
    from desktop.config.paths import Paths
    from desktop.services.container import Desk

COLLECT_MS = 500

log = logging.getLogger(__name__)


def run_window(
    paths: Paths,
    files: list[Path],
    *,
    layout: dict[str, object],
    tell_of_crashes: Callable[[Callable[[BaseException], None]], None],
) -> int:
    """Open the window as `layout` says, offer `files` for import, and return the exit code when it was closed.

    `tell_of_crashes` takes what is to hear of an exception that nobody caught.
    """
    app = make_application(paths.resources)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        return runner.run(_live(app, paths, files, layout, tell_of_crashes))


class GarbageCollector(QObject):
    """Python's collector of cycles, on Qt's own thread and nowhere else.

    Left alone it runs in whichever thread allocates just then, and a worker that destroys a widget ends the program. Counting goes on as usual: twice
    a second it is looked whether a generation is due. What the program has loaded when this begins is never looked at again.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        timer = QTimer(self, interval=COLLECT_MS)
        timer.timeout.connect(self.collect)
        timer.start()

    def collect(self) -> None:
        """Collect the oldest generation that is due, as Python itself would."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [generation for generation in (2, 1, 0) if counts[generation] > thresholds[generation] > 0]
        if due:
            gc.collect(due[0])


def make_application(resources: Path) -> QApplication:
    """Return the one QApplication, with the program's names and icon."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    if app.findChild(GarbageCollector) is None:
        GarbageCollector(app)
    app.setApplicationName("tldesk")
    app.setApplicationDisplayName("TLDesk")
    QGuiApplication.setDesktopFileName("tldesk")
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(QIcon(str(resources / "app" / "tldesk.svg")))
    return app


def make_window(app: QApplication, resources: Path) -> MainWindow:
    """Build the window, empty: it needs no database and no services."""
    return MainWindow(Theme(app, resources), app.windowIcon())


async def _live(
    app: QApplication,
    paths: Paths,
    files: list[Path],
    layout: dict[str, object],
    tell_of_crashes: Callable[[Callable[[BaseException], None]], None],
) -> int:
    closed = asyncio.Event()
    app.lastWindowClosed.connect(closed.set)
    window = make_window(app, paths.resources)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _on_bug(window, context))
    # What fails in a slot is no task's: Qt hands it to Python's own hook.
    tell_of_crashes(lambda error: _on_bug(window, {"message": "A slot failed", "exception": error}))
    window.restore_layout(layout)
    window.show()
    window.open_files(files)
    # One turn of the loop paints the window; only then is the rest imported and opened.
    painted = asyncio.Event()
    QTimer.singleShot(0, painted.set)
    await painted.wait()
    desk: Desk | None = None
    try:
        desk = await _open_desk(paths)
        window.attach(desk)
    except DeskError as error:
        window.notice.show_error(error)
    try:
        await closed.wait()
        await window.shut_down()
    finally:
        if desk is not None:
            await desk.close()
    return 0


async def _open_desk(paths: Paths) -> Desk:
    # Half a second of imports, in a thread: the window is there already and must answer.
    container = await asyncio.to_thread(importlib.import_module, "desktop.services.container")
    desk: Desk = await container.open_desk(paths)
    return desk


def show_start_error(error: DeskError) -> None:
    """Say why the window cannot open, in a box: there is no window to say it in, and a double-click has no terminal."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    box = QMessageBox(QMessageBox.Icon.Critical, "TLDesk", error.message)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(html.escape(error.remedy))
    box.finished.connect(app.quit)
    box.show()
    app.exec()


def _on_bug(window: MainWindow, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error("%s", context.get("message", "bug"), exc_info=error)
    kind = type(error).__name__ if error is not None else "unknown"
    window.notice.show_notice(
        f"Something went wrong in TLDesk itself ({kind}). Your tickets are safe; details are in the log.", tone="error"
    )
