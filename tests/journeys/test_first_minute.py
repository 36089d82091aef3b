"""The first minute, with nothing faked: a drag from another program, 500 tickets, a summary by the real built-in model, the clipboard."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import HERE, Desktop, Program, wait_for

pytestmark = pytest.mark.journey
TICKETS, MESSAGES = 500, 639


def _click(desktop: Desktop, place: list[int]) -> None:
    x, y, width, height = place
    desktop.xdotool("mousemove", str(x + width // 2), str(y + height // 2), "click", "1")


def _drag_into(desktop: Desktop, program: Program, path: Path) -> None:
    """Drag a file from another program onto the window, as a hand does: in small moves."""
    x, y, width, height = program.state()["window"]
    left, top = x + 40, y + height - 160
    source = subprocess.Popen(
        [sys.executable, str(HERE / "drag_source.py"), str(path), str(left), str(top)], env=desktop.environment
    )
    try:
        wait_for(lambda: _search(desktop, "Drag source"), "the drag source's window")
        desktop.xdotool("windowactivate", "--sync", _search(desktop, "Drag source"))
        start = (left + 60, top + 40)
        end = (x + width // 2, y + height // 2)
        desktop.xdotool("mousemove", *map(str, start), "mousedown", "1")
        for step in range(1, 11):
            at = [round(start[i] + (end[i] - start[i]) * step / 10) for i in (0, 1)]
            desktop.xdotool("mousemove", "--sync", *map(str, at))
        desktop.xdotool("mousemove_relative", "--sync", "2", "2", "mouseup", "1")
        program.wait(lambda s: s["page"] == "ImportPanel", "the import panel after the drop")
    finally:
        source.terminate()
        source.wait(10)


def _search(desktop: Desktop, name: str) -> str:
    done = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", name],
        env=desktop.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split("\n")[0]


def test_drag_import_summarize_copy(
    desktop: Desktop,
    start_program: Callable[..., Program],
    tldesk: Callable[..., Any],
    shared_data: Path,
    data_dir: Path,
) -> None:
    program = start_program(data_dir)
    program.wait(lambda s: s["page"] == "EmptyState" and s["provider"] != "…", "the empty window")

    _drag_into(desktop, program, shared_data / "exports" / "conversations" / "support_messages.csv")
    state = program.wait(lambda s: f"Import {TICKETS} tickets" in s["buttons"], "what the import will do")
    assert f"{TICKETS} new · 0 changed · 0 unchanged · 0 rows rejected · {MESSAGES} messages" in state["counts"]
    _click(desktop, state["buttons"][f"Import {TICKETS} tickets"])

    state = program.wait(lambda s: s["rows"] == TICKETS and s["notice"], "500 tickets in the list")
    assert state["status"] == f"{TICKETS} tickets"
    listed = tldesk(data_dir, "list", "--json", "--limit", "1000")
    assert listed["total"] == TICKETS
    assert sum(ticket["message_count"] for ticket in listed["tickets"]) == MESSAGES

    _choose_a_long_ticket(desktop, program, listed)
    state = program.wait(lambda s: s["running"] and len(s["card"]) > 0, "the stream to begin")
    ticket = state["ticket"]
    state = program.wait(lambda s: s["ticket"] == ticket and not s["running"], "the stream to end", seconds=120)
    lengths = [len(s["card"]) for s in program.states if s["ticket"] == ticket and s["running"]]
    assert len(set(lengths)) >= 3, f"The text did not grow while it streamed: {lengths}"
    assert sum(a < b for a, b in pairwise(lengths)) >= 2

    _click(desktop, [*state["card_place"][:3], 20])
    desktop.xdotool("key", "ctrl+c")
    state = program.wait(lambda s: "copied" in s["notice"], "the copy to be said")
    plain, rich = desktop.clipboard("text/plain"), desktop.clipboard("text/html")
    assert state["title"].split()[0] in plain
    assert "<strong>" in rich or "<p>" in rich
    for line in plain.splitlines()[1:]:
        assert line.split(": ", 1)[-1].split()[0] in rich


def _choose_a_long_ticket(desktop: Desktop, program: Program, listed: dict[str, Any]) -> None:
    """Pick a ticket with the mouse that has enough words: one of those in view with the most messages."""
    in_view = listed["tickets"][:12]
    row = max(range(1, len(in_view)), key=lambda i: in_view[i]["message_count"])
    x, y, width, _ = program.state()["list"]
    desktop.xdotool("mousemove", str(x + width // 3), str(y + row * 56 + 28), "click", "1")
    program.wait(
        lambda s: s["ticket"] is not None and s["title"] == in_view[row]["subject"], "the ticket that was clicked"
    )


def test_a_key_lies_in_the_secret_service_and_nowhere_else(
    desktop: Desktop, start_program: Callable[..., Program], tldesk: Callable[..., Any], data_dir: Path
) -> None:
    key = "sk-journey-8c1f0b2e9d7a4653"
    tldesk(
        data_dir,
        "providers",
        "add",
        "work",
        "--kind",
        "custom",
        "--base-url",
        "https://llm.example/v1",
        "--model",
        "m",
        "--json",
    )
    stored = tldesk(data_dir, "keys", "set", "work", "--stdin", "--json", text=key + "\n")
    assert stored == {"provider": "work", "stored": True}
    found = desktop.run("secret-tool", "search", "--all", "service", "TLDesk")
    assert key in found
    listed = tldesk(data_dir, "providers", "list", "--json")
    assert next(p for p in listed["providers"] if p["name"] == "work")["key"] == "stored"

    program = start_program(data_dir)
    program.wait(lambda s: s["provider"] not in ("", "…"), "the window")
    program.process.terminate()
    program.process.wait(20)

    holding = [p for p in data_dir.rglob("*") if p.is_file() and key.encode() in p.read_bytes()]
    assert holding == []
    tldesk(data_dir, "keys", "remove", "work", "--json")
    left = subprocess.run(
        ["secret-tool", "search", "--all", "service", "TLDesk"],
        env=desktop.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert key not in left.stdout


def test_layout_and_appearance_come_back(
    desktop: Desktop, start_program: Callable[..., Program], data_dir: Path
) -> None:
    (data_dir / "settings.json").write_text('{"appearance": "dark"}', encoding="utf-8")
    program = start_program(data_dir)
    state = program.wait(lambda s: s["dark"], "the dark look")
    # A small screen opens the window maximized; a double click on its title bar takes that back, as everywhere.
    desktop.xdotool("mousemove", "700", "8", "click", "--repeat", "2", "--delay", "60", "1")
    program.wait(lambda s: s["window"] != state["window"], "the window no longer maximized")
    desktop.xdotool("search", "--onlyvisible", "--name", "^TLDesk$", "windowsize", "--sync", "1100", "700")
    state = program.wait(lambda s: s["window"][2] == 1100, "the new size")
    desktop.xdotool("key", "ctrl+q")
    assert program.process.wait(20) == 0
    again = start_program(data_dir)
    back = again.wait(lambda s: s["window"][2] > 0 and s["dark"], "the window again")
    assert back["window"][2:] == state["window"][2:]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200), "picture.csv"),
    ],
)
def test_wrong_input_gets_one_sentence(
    start_program: Callable[..., Program], data_dir: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    program = start_program(data_dir, str(path))
    state = program.wait(lambda s: s["notice"], "the sentence")
    assert words in state["notice"]
    assert "Traceback" not in state["notice"]
    assert state["page"] == "EmptyState"
    shutil.rmtree(data_dir, ignore_errors=True)
