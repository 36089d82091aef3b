"""Another program with a file to drag: a small window; pressing the mouse on it starts a drag of the file named on the command line."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    """Starts the drag."""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        drag = QDrag(self)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(sys.argv[1])])
        drag.setMimeData(data)
        drag.exec()


application = QApplication(sys.argv)
source = Source("drag me")
source.setWindowTitle("Drag source")
source.setGeometry(int(sys.argv[2]), int(sys.argv[3]), 120, 60)
source.show()
sys.exit(application.exec())
