"""How long does the window wait, at worst, while a large export is imported? And how fast is the import?

A timer on the window's own event loop fires every millisecond; the longest time between two of its turns is the longest time a click could have
waited. Measured idle first, so that the machine's own noise is known, then during the import of `--rows` rows (a million: `--rows 1000000`) with the
real window open offscreen.
The import's speed stands beside `sqlite-utils insert --csv` of the same file in the same run: it stores the rows and nothing more.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from measured import Figure, arguments, make_tickets, report
from PySide6.QtCore import QTimer

from desktop.config.paths import find_paths
from desktop.gui.app import make_application, make_window
from desktop.services.container import open_desk

IDLE_SECONDS = 2.0


class Probe:
    """Watches the event loop's gaps. `gaps_ms` are the times between two turns of a one-millisecond timer."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(interval=1)
        self._timer.timeout.connect(self._turn)
        self._timer.start()

    def stop(self) -> tuple[float, float]:
        """End the watch; return the longest gap and the 99th percentile."""
        self._timer.stop()
        ordered = sorted(self.gaps_ms)
        return ordered[-1], ordered[int(len(ordered) * 0.99)]

    def _turn(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append((now - self._last) * 1000)
        self._last = now


async def _wait_until(condition: Callable[[], object]) -> None:
    # Widgets tell nothing of their own accord that could be awaited here; twenty looks a second do not disturb what is measured.
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def measure(folder: Path, csv_path: Path, rows: int) -> list[Figure]:
    """Import into a fresh folder with the window open, and return the figures."""
    paths = find_paths(folder / "data")
    window = make_window(make_application(paths.resources), paths.resources)
    window.show()
    desk = await open_desk(paths)
    desk.settings.set("auto_summarize", "never")
    window.attach(desk)
    idle = Probe()
    await asyncio.sleep(IDLE_SECONDS)
    idle_worst, idle_99 = idle.stop()
    window.open_files([csv_path])
    await _wait_until(lambda: window.import_panel.import_button.isVisible())
    probe, began = Probe(), time.perf_counter()
    window.import_panel.import_button.click()
    await _wait_until(lambda: not window.status.progress.isHidden())
    await _wait_until(lambda: window.status.progress.isHidden())
    seconds = time.perf_counter() - began
    worst, at_99 = probe.stop()
    await _wait_until(lambda: window.list.model.rowCount() == rows)
    await window.shut_down()
    await desk.close()
    window.close()
    return [
        Figure("longest gap while importing", "ms", worst, "the aim", 50.0, most=1.0),
        Figure("99th percentile while importing", "ms", at_99, "the aim", 16.0, most=1.0),
        Figure("longest gap while importing", "ms", worst, "longest gap while idle", idle_worst),
        Figure("99th percentile while importing", "ms", at_99, "99th percentile while idle", idle_99),
        Figure("import", "rows/s", rows / seconds, "sqlite-utils insert --csv", rows / _peer_seconds(folder, csv_path)),
    ]


def _peer_seconds(folder: Path, csv_path: Path) -> float:
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "sqlite_utils",
        "insert",
        str(folder / "peer.db"),
        "tickets",
        str(csv_path),
        "--csv",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory(prefix="tldesk-bench-") as name:
        folder = Path(name)
        csv_path = folder / "tickets.csv"
        make_tickets(options.rows, csv_path)
        app = make_application(find_paths().resources)
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            figures = runner.run(measure(folder, csv_path, options.rows))
    report(figures, as_json=options.json)


if __name__ == "__main__":
    main()
