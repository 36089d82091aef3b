"""Next week's export, by keys alone: what changed since last time, a ticket opened from there, and a rejected row mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Desktop, Program

pytestmark = pytest.mark.journey
HEADER = "id,subject,description,status,created_at\n"


def test_what_changed_and_a_rejected_row_by_keys(
    desktop: Desktop,
    start_program: Callable[..., Program],
    tldesk: Callable[..., Any],
    tmp_path: Path,
    data_dir: Path,
) -> None:
    path = tmp_path / "week.csv"
    rows = "1,Printer,It burns on floor 3,open,2026-01-01\n2,Door,It sticks,open,2026-01-01\n"
    path.write_text(HEADER + rows, encoding="utf-8")
    tldesk(data_dir, "import", str(path), "--json")
    path.write_text(HEADER + rows.replace("3,open", "4,solved"), encoding="utf-8")
    tldesk(data_dir, "import", str(path), "--json")
    program = start_program(data_dir)
    program.wait(lambda s: s["rows"] == 2, "the tickets")
    desktop.xdotool("key", "ctrl+h")
    program.wait(lambda s: s["imports"] == 2, "the imports")
    desktop.xdotool("key", "Return")
    state = program.wait(lambda s: "edited" in s["difference"], "what changed")
    assert state["groups"] == ["New  0", "Changed  1", "Gone  0"]
    assert "− Open" in state["difference"]
    assert "+ Solved" in state["difference"]
    desktop.xdotool("key", "Return")
    program.wait(lambda s: s["page"] != "HistoryPanel" and s["title"] == "Printer", "the ticket")


def test_a_rejected_row_is_mended_by_keys(
    desktop: Desktop,
    start_program: Callable[..., Program],
    tldesk: Callable[..., Any],
    tmp_path: Path,
    data_dir: Path,
) -> None:
    path = tmp_path / "week.csv"
    path.write_text(HEADER + "1,Printer,It burns,open,2026-01-01\n2,Door,x,open,2026-01-01\n,Lost,y,open,2026-01-02\n")
    program = start_program(data_dir, str(path))
    state = program.wait(lambda s: "Import 2 tickets" in s["buttons"], "the import panel")
    desktop.xdotool("key", "Return")
    state = program.wait(lambda s: "Show the rejected rows" in s["buttons"], "the way to the rejected row")
    x, y, width, height = state["buttons"]["Show the rejected rows"]
    desktop.xdotool("mousemove", str(x + width // 2), str(y + height // 2), "click", "1")
    program.wait(lambda s: s["rejects"] == 1 and "Retry" in s["buttons"], "the rejected row")
    desktop.xdotool("key", "Return")
    desktop.xdotool("type", "3")
    desktop.xdotool("key", "ctrl+Return")
    state = program.wait(lambda s: s["retried"] and s["rows"] == 3, "the ticket")
    assert state["retried"] == "Line 4 is imported now."
    (record,) = tldesk(data_dir, "import", "--history", "--json")["imports"]
    assert (record["rejected"], record["tickets_new"], record["adds_up"]) == (0, 3, True)
