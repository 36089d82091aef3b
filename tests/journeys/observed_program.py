"""The real program, with an observer that writes down what its window shows, one JSON record each time it changes.

The observer only reads widgets, from a timer on the window's own thread; it calls nothing of the program and changes nothing. It is started as
`observed_program.py LOG [the program's own arguments]`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRect, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from desktop.__main__ import main
from desktop.config.paths import find_paths
from desktop.gui.app import make_application
from desktop.gui.window import MainWindow

EVERY_MS = 30
BEAT_MS = 10
STALL_MS = 60
"""Above it a beat of the window's heart is worth telling; what is too long, the one who looks decides."""


def _place(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(widget.rect().topLeft())
    rect = QRect(corner, widget.size())
    return [rect.x(), rect.y(), rect.width(), rect.height()]


def _buttons(window: MainWindow) -> dict[str, list[int]]:
    shown = (b for b in window.findChildren(QPushButton) if b.isVisible())
    return {(b.text() or b.accessibleName()).strip(): _place(b) for b in shown if b.isEnabled()}


def observe(window: MainWindow) -> dict[str, Any]:
    """Return what a person would see."""
    model = window.list.model
    first = model.ticket_at(0) if model.rowCount() else None
    return {
        "window": _place(window),
        "page": type(window.pages.currentWidget()).__name__,
        "rows": model.rowCount(),
        "messages": window_messages(window),
        "list": _place(window.list.table.viewport()),
        "first": first.title if first else "",
        "status": window.status.tickets.text(),
        "notice": window.notice.text(),
        "title": window.ticket._title.text(),
        "ticket": window.ticket.ticket_id,
        "running": window.ticket.card.is_running,
        "card": window.ticket.card.shown_text(),
        "card_place": _place(window.ticket.card),
        "card_status": window.ticket.card.footer.status.text(),
        "thread": window.ticket.thread_view.toPlainText(),
        "lit": window.ticket.thread_view.lit_text(),
        "provider": window.status.provider.text(),
        "spend": window.status.spend.text(),
        "dark": window._theme.tokens.is_dark,
        "buttons": _buttons(window),
        "counts": window.import_panel._counts.text(),
        "stalls": list(_stalls),
        **_providers(window),
        **_history(window),
    }


def _providers(window: MainWindow) -> dict[str, Any]:
    """Return what the panel of providers shows; it is not built only to be looked at."""
    panel = vars(window.pages).get("providers")
    steps = panel.shown_steps() if panel is not None else ()
    return {
        "steps": [[step.name, step.ok, step.detail] for step in steps],
        "provider_error": panel._words.text() if panel is not None else "",
        "provider_name": panel.form.name.text() if panel is not None else "",
        "key_place": _place(panel.form.key) if panel is not None else [],
    }


def _history(window: MainWindow) -> dict[str, Any]:
    """Return what the leaves of the imports show; one that was never opened is not built only to be looked at."""
    panel = vars(window.pages).get("history")
    if panel is None or not panel.isVisible():
        return {"imports": 0, "groups": [], "difference": "", "rejects": -1, "retried": ""}
    return {
        "imports": panel.imports.model.rowCount() if panel.imports.isVisible() else 0,
        "groups": [b.text() for b in panel.changes.buttons.values() if b.isVisible()],
        "difference": panel.changes.difference.toPlainText(),
        "rejects": panel.rejects.model.rowCount() if panel.rejects.isVisible() else -1,
        "retried": panel.rejects.said.text(),
    }


def window_messages(window: MainWindow) -> int:
    """Add up the messages of all tickets that the list has loaded."""
    tickets = (window.list.model.ticket_at(row) for row in range(window.list.model.rowCount()))
    return sum(ticket.message_count for ticket in tickets if ticket is not None)


def _write_changes(log: Path) -> None:
    last: dict[str, Any] = {}
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow) and widget.isVisible():
            now = observe(widget)
            if now != _seen.get("state", last):
                _seen["state"] = now
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(now, ensure_ascii=False) + "\n")


def _beat() -> None:
    """Note when the window was held up, and for how long: this runs on its thread, and late whenever anything else holds that."""
    now = time.monotonic()
    if "at" in _last_beat and now - _last_beat["at"] > (BEAT_MS + STALL_MS) / 1000:
        _stalls.append([now, round((now - _last_beat["at"]) * 1000)])
    _last_beat["at"] = now


def _crash_when_told() -> None:
    """Fail in a slot, as a bug of ours would, once a file says so: with what stands in it in the message and in a variable."""
    told = Path(os.environ["TLDESK_TEST_CRASH"])
    if told.exists():
        secret = told.read_text(encoding="utf-8")
        told.unlink()
        raise RuntimeError(f"refused {secret}")


_seen: dict[str, dict[str, Any]] = {}
_stalls: list[list[float]] = []
_last_beat: dict[str, float] = {}


if __name__ == "__main__":
    log_path = Path(sys.argv[1])
    application = make_application(find_paths().resources)
    timer = QTimer(interval=EVERY_MS)
    timer.timeout.connect(lambda: _write_changes(log_path))
    timer.start()
    if "TLDESK_TEST_CRASH" in os.environ:
        crash = QTimer(interval=EVERY_MS)
        crash.timeout.connect(_crash_when_told)
        crash.start()
    heart = QTimer(interval=BEAT_MS)
    heart.timeout.connect(_beat)
    heart.start()
    assert threading.current_thread() is threading.main_thread()
    sys.exit(main(sys.argv[2:]))
