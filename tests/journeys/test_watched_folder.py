"""A watched folder with the real program: what arrives while it runs, and while it does not, is there afterwards, once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LOOK_ALIKES
from tests.journeys.conftest import Program

pytestmark = pytest.mark.journey
EXPORTS = LOOK_ALIKES / "exports"


def test_exports_come_in_by_themselves(
    start_program: Callable[..., Program], tldesk: Callable[..., Any], data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (data_dir / "settings.json").write_text(
        json.dumps({"watch_folder": str(folder), "auto_summarize": "never"}), encoding="utf-8"
    )
    program = start_program(data_dir)
    program.wait(lambda s: s["page"] == "EmptyState" and s["provider"] != "…", "the empty window")
    shutil.copy(EXPORTS / "zendesk_view.csv", folder)
    state = program.wait(lambda s: "came in from exports" in s["notice"] and s["rows"], "the first export")
    assert "zendesk_view.csv came in from exports: 3 new tickets" in state["notice"]
    assert "Undo" in state["buttons"]
    program.process.terminate()
    program.process.wait(20)

    shutil.copy(EXPORTS / "jira_server.csv", folder)
    program = start_program(data_dir)
    state = program.wait(lambda s: "came in from exports" in s["notice"], "what came in meanwhile")
    assert "jira_server.csv" in state["notice"]
    assert "zendesk_view.csv" not in state["notice"]
    listed = tldesk(data_dir, "list", "--json")
    assert {ticket["source"] for ticket in listed["tickets"]} == {"zendesk", "jira"}
    assert sum(ticket["source"] == "zendesk" for ticket in listed["tickets"]) == 3
    assert {file.name for file in folder.iterdir()} == {"zendesk_view.csv", "jira_server.csv"}
