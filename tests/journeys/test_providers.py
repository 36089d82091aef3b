"""Provider settings by keyboard alone: a provider is added with its key, tested, used for a summary, and found gone when it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.journeys.conftest import Desktop, Program

pytestmark = pytest.mark.journey
KEY = "sk-window-5f1d0c9b7e3a"
ANSWER = "Gist: The card was charged twice. [m1.1]\nProblem: The card ending 3307 shows $59.00 twice. [m1.1]\n"


def _type(desktop: Desktop, *fields: str) -> None:
    """Type into one field after the other, as Tab leads there."""
    for text in fields:
        desktop.xdotool("key", "Tab")
        desktop.xdotool("key", "ctrl+a")
        desktop.xdotool("type", "--delay", "2", text)


def _press(desktop: Desktop, program: Program, button: str) -> None:
    x, y, width, height = program.wait(lambda s: button in s["buttons"], f"the button {button}")["buttons"][button]
    desktop.xdotool("mousemove", str(x + width // 2), str(y + height // 2), "click", "1")


def test_a_provider_is_added_tested_used_and_missed(
    desktop: Desktop, start_program: Callable[..., Program], tldesk: Callable[..., Any], data_dir: Path
) -> None:
    (data_dir / "settings.json").write_text('{"auto_summarize": "never"}', encoding="utf-8")
    sample = Path(__file__).parents[2] / "resources" / "samples" / "support-tickets.csv"
    tldesk(data_dir, "import", str(sample), "--json")
    with ScriptedServer(good_stream(ANSWER)) as server:
        program = start_program(data_dir)
        program.wait(lambda s: s["rows"] == 36 and s["title"], "the tickets")
        desktop.xdotool("key", "ctrl+comma")
        _press(desktop, program, "Add a provider")
        # The last of the presets takes any address.
        desktop.xdotool("key", "End")
        _type(desktop, "mine", server.base_url, KEY, "scripted")
        _press(desktop, program, "Test")
        state = program.wait(lambda s: len(s["steps"]) == 6 or s["provider_error"], "the steps of the test")
        assert [(name, ok) for name, ok, _ in state["steps"]] == [
            (name, True) for name in ("name", "connection", "certificate", "key", "model", "quota")
        ]
        assert KEY in desktop.run("secret-tool", "search", "--all", "service", "TLDesk")
        assert {r.headers.get("Authorization") for r in server.requests} == {f"Bearer {KEY}"}
        _press(desktop, program, "Use for summaries")
        program.wait(lambda s: s["provider"].startswith("mine"), "the provider in the status bar")
        desktop.xdotool("key", "Escape")
        program.wait(lambda s: s["page"] == "QSplitter", "the tickets again")
        desktop.xdotool("key", "F5")
        state = program.wait(lambda s: "$59.00 twice" in s["card"] and not s["running"], "the summary")
        # In a window this narrow the shorter words stand there.
        assert "2 of 2 supported" in state["card_status"]
    desktop.xdotool("key", "ctrl+comma")
    program.wait(lambda s: s["page"] == "ProvidersPanel", "the providers")
    _press(desktop, program, "Test")
    state = program.wait(lambda s: s["steps"] and not s["steps"][-1][1], "the step that failed")
    assert state["steps"][-1][0] == "connection"
    assert "127.0.0.1" in state["steps"][-1][2]
    desktop.xdotool("key", "ctrl+q")
    assert program.process.wait(20) == 0
    assert [p for p in data_dir.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()] == []
