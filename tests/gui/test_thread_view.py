"""The thread: the very words that are cited light up, quoted history folds, and nothing in a text is ever loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from desktop.domain.tickets import Thread
from desktop.gui.theme.style import Theme
from desktop.gui.thread_view import Span, ThreadView, Use, readable_time
from desktop.gui.words import plain_tip


def test_the_cited_words_light_up_even_behind_emoji(qtbot: QtBot, theme: Theme, thread: Thread) -> None:
    view = ThreadView(theme)
    qtbot.addWidget(view)
    view.show_thread(thread)
    text = thread.messages[0].text
    start = text.index("My card")
    view.light_up([Span(1, start, len(text))])
    assert view.lit_text() == "My card was charged $49 twice."


def test_quoted_history_is_folded_and_unfolds_for_a_citation(qtbot: QtBot, theme: Theme, thread: Thread) -> None:
    view = ThreadView(theme)
    qtbot.addWidget(view)
    view.show_thread(thread)
    assert "folded" in view.toPlainText()
    assert "> Please help." not in view.toPlainText()
    text = thread.messages[1].text
    start = text.index("> Please help.")
    view.light_up([Span(2, start, len(text))])
    assert view.lit_text() == "> Please help."


SHOW_A_TIP = """
import sys
from array import array
from dataclasses import replace
from PySide6.QtCore import QEvent, QPoint, QTimer
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from desktop.config.paths import find_paths
from desktop.gui.theme.style import Theme
from desktop.gui.ticket_list import TicketList
from tests.gui.conftest import make_row
app = QApplication([])
tickets = TicketList(Theme(app, find_paths().resources))
tickets.resize(700, 200)
tickets.model.set_ids(array("q", [1]))
trap = f'<img src="file://{sys.argv[1]}">'
tickets.model.put_page(0, array("q", [1]), [replace(make_row(1), status_original=trap)])
tickets.show()
cell = tickets.table.visualRect(tickets.model.index(0, 1)).center()
app.sendEvent(tickets.table.viewport(), QHelpEvent(QEvent.Type.ToolTip, cell, tickets.table.viewport().mapToGlobal(cell)))
assert trap.replace("<", "&lt;")[:9] in QToolTip.text(), QToolTip.text()
QTimer.singleShot(50, app.quit)
app.exec()
print("alive")
"""
READ_A_TRAP = """
import sys
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication
from desktop.gui.safe_text import SafeTextBrowser
app = QApplication([])
view = SafeTextBrowser()
view.setHtml(f'<img src="file://{sys.argv[1]}"><img src="{sys.argv[1]}">')
view.show()
view.grab()
view.document().resource(int(QTextDocument.ResourceType.ImageResource.value), f"file://{sys.argv[1]}")
print("alive")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs in its file system")
@pytest.mark.parametrize("script", [READ_A_TRAP, SHOW_A_TIP], ids=["text view", "tool tip"])
def test_an_image_in_a_text_is_never_read(tmp_path: Path, script: str) -> None:
    """A FIFO without a writer hangs whoever opens it, for ever: so a process of its own tries, and is given a minute."""
    fifo = tmp_path / "trap.png"
    os.mkfifo(fifo)
    done = subprocess.run(
        [sys.executable, "-c", script, str(fifo)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "alive\n", done.stderr


def test_times_are_written_as_people_write_them() -> None:
    assert readable_time("2026-03-02T09:14:00Z") == "2 March 2026, 09:14"
    assert readable_time("2026-03-02") == "2 March 2026"
    assert readable_time("soon") == "soon"


def test_a_sentence_that_claims_use_tells_which_and_leads_there(
    qtbot: QtBot, theme: Theme, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    tips: list[str] = []
    # Drawn into memory, Qt cannot raise a tool tip above the window, and warns of it.
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, widget: tips.append(text))
    view = ThreadView(theme)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show_thread(thread)
    view.show()
    text = thread.messages[0].text
    use = Use(Span(1, text.index("My card"), len(text)), (0, 2), "Problem, Next step")
    view.show_uses([use])
    assert [s.cursor.selectedText() for s in view.extraSelections()] == ["My card was charged $49 twice."]
    cursor = view.document().find("charged")
    middle = view.cursorRect(cursor).center()
    with qtbot.waitSignal(view.claims_wanted) as asked:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert asked.args == [[0, 2]]
    QApplication.sendEvent(
        view.viewport(), QHelpEvent(QEvent.Type.ToolTip, middle, view.viewport().mapToGlobal(middle))
    )
    assert tips == [plain_tip("Used by: Problem, Next step")]


def test_keys_go_from_used_sentence_to_used_sentence(qtbot: QtBot, theme: Theme, thread: Thread) -> None:
    view = ThreadView(theme)
    qtbot.addWidget(view)
    view.show_thread(thread)
    text = thread.messages[0].text
    uses = [
        Use(Span(1, text.index("My card"), len(text)), (0,), "Problem"),
        Use(Span(2, 0, len("Refund RF-9920 is issued.")), (1,), "Where it stands"),
    ]
    view.show_uses(uses)
    told: list[str] = []
    view.told.connect(told.append)
    for key in (Qt.Key.Key_N, Qt.Key.Key_N, Qt.Key.Key_P):
        QTest.keyClick(view, key)
    assert told == [
        "Message 1, used by: Problem",
        "Message 2, used by: Where it stands",
        "Message 1, used by: Problem",
    ]
    assert view.lit_text() == "My card was charged $49 twice."
    with qtbot.waitSignal(view.claims_wanted) as asked:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert asked.args == [[0]]


def test_a_link_of_a_ticket_is_only_handed_out(qtbot: QtBot, theme: Theme, thread: Thread) -> None:
    said = "See https://example.com/a(b)?c=1, or javascript:alert(1) or file:///etc/passwd."
    view = ThreadView(theme)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show_thread(replace(thread, messages=(replace(thread.messages[0], text=said),)))
    view.show()
    place = view.cursorRect(view.document().find("example")).center()
    with qtbot.waitSignal(view.link_wanted) as asked:
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == ["https://example.com/a(b)?c=1"]
    for name in ("javascript", "etc"):
        assert not view.anchorAt(view.cursorRect(view.document().find(name)).center())
