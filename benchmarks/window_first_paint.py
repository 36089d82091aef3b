"""How long from the start of the process until the window is painted? Beside it: a bare PySide6 window with one label, in the same run.

Each is started `--runs` times as a process of its own; the medians are compared. Offscreen, so that no display's speed is in it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import REPOSITORY, Figure, arguments, report

BARE = """
import time; began = time.time()
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([]); label = QLabel("bare"); label.resize(1440, 900); label.show()
QTimer.singleShot(0, lambda: (label.grab(), print(time.time()), app.quit()))
app.exec()
"""
OURS = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from desktop.config.paths import find_paths
from desktop.gui.app import make_application, make_window
paths = find_paths(Path(sys.argv[1])); app = make_application(paths.resources)
window = make_window(app, paths.resources); window.show()
QTimer.singleShot(0, lambda: (window.grab(), print(time.time()), app.quit()))
app.exec()
"""


def seconds_to_paint(code: str, folder: str) -> float:
    """Start one process and return the seconds until it said that its window was painted."""
    import time

    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    return float(done.stdout) - began


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--runs", type=int, default=7, help="how many starts of each (7)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tldesk-bench-") as folder:
        seconds_to_paint(OURS, str(Path(folder) / "warm"))
        ours = [seconds_to_paint(OURS, folder) for _ in range(options.runs)]
        bare = [seconds_to_paint(BARE, folder) for _ in range(options.runs)]
    figure = Figure(
        "window painted", "ms", statistics.median(ours) * 1000, "bare PySide6 window", statistics.median(bare) * 1000
    )
    report([figure], as_json=options.json)


if __name__ == "__main__":
    main()
