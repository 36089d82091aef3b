"""Hostile text in the terminal: what a terminal would obey never reaches it raw, whichever command prints a ticket or a model's answer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.cli import COMMANDS
from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.cli import conftest
from tests.cli.conftest import Runner

OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HOSTILE = (
    "\x1b]8;;http://e.example\x07click\x1b]8;;\x07 \x9b31mred \x1b[2Jgone \x1b]0;title\x07 \x1bP+q\x1b\\ \x08\x08 \x7f"
    " \u202egnp.exe \u2066x\u2069"
)
tldesk = conftest.tldesk
"""The fixture of the command's tests."""


@pytest.fixture
def ticket(tldesk: Runner, tmp_path: Path) -> str:
    """Give the id of a ticket that holds hostile characters wherever a ticket holds text."""
    body = f"The export fails with error 4711 since Monday, every time we start it. {HOSTILE} Please help us soon."
    record = {
        "id": "T-1",
        "subject": f"Export {HOSTILE}",
        "description": body,
        "status": f"open{HOSTILE}",
        "priority": f"high{HOSTILE}",
        "requester": f"Ada {HOSTILE}",
        "created_at": "2026-03-02",
        "note": HOSTILE,
    }
    path = tmp_path / "tickets.json"
    path.write_text(json.dumps([record]), encoding="utf-8")
    assert tldesk("import", str(path)).code == 0
    return "tickets:T-1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--json"),
        ("show", "ID"),
        ("show", "ID", "--json"),
        ("import", "--changes", "1"),
        ("import", "--history"),
        ("export", "--format", "md"),
        ("export", "--format", "html"),
        ("export", "--format", "json"),
    ],
)
def test_a_ticket_is_printed_without_what_a_terminal_obeys(
    tldesk: Runner,
    ticket: str,
    arguments: tuple[str, ...],
) -> None:
    ran = tldesk(*(ticket if argument == "ID" else argument for argument in arguments))
    assert ran.code == 0
    assert not OBEYED.search(ran.out + ran.err)


@pytest.mark.parametrize("form", [(), ("--jsonl",), ("--json",)])
def test_a_models_answer_is_printed_without_it(tldesk: Runner, ticket: str, form: tuple[str, ...]) -> None:
    answer = f"Gist: Export fails. [m1.1]\nProblem: The export fails with error 4711 {HOSTILE}. [m1.1]\nNext step: {HOSTILE} [m1.1]\n"
    with ScriptedServer(good_stream(answer)) as server:
        added = tldesk(
            "providers",
            "add",
            "scripted",
            "--kind",
            "custom",
            "--base-url",
            server.base_url,
            "--model",
            "m",
            "--default",
        )
        assert added.code == 0, added.err
        ran = tldesk("summarize", ticket, *form)
    assert "4711" in ran.out
    assert not OBEYED.search(ran.out + ran.err)


@pytest.mark.skipif("verify" not in COMMANDS, reason="there is no such command yet")
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_verified_text_is_printed_without_it(
    tldesk: Runner,
    ticket: str,
    tmp_path: Path,
    form: tuple[str, ...],
) -> None:
    text = tmp_path / "reply.txt"
    text.write_text(f"The export fails with error 4711. {HOSTILE} It was fixed.", encoding="utf-8")
    ran = tldesk("verify", ticket, "--text-file", str(text), *form)
    assert "4711" in ran.out
    assert not OBEYED.search(ran.out + ran.err)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize("wanted", ["csv", "json", "md", "html"])
def test_an_export_that_is_printed_to_a_terminal_is_cleaned(
    tldesk: Runner, ticket: str, data_dir: Path, wanted: str
) -> None:
    """Standard output is the terminal here: what a program would get raw, a person must not."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "desktop", "export", "--format", wanted, "--data-dir", str(data_dir)]
    with subprocess.Popen(command, stdout=theirs, cwd=Path(__file__).parents[2]) as process:
        os.close(theirs)
        printed = b""
        # A terminal whose last writer is gone gives an error on Linux and nothing elsewhere.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65_536):
                printed += part
        assert process.wait(60) == 0
    os.close(ours)
    text = printed.decode("utf-8").replace("\r\n", "\n")
    assert "4711" in text
    assert not OBEYED.search(text)


def test_json_holds_the_very_characters_for_a_program(tldesk: Runner, ticket: str) -> None:
    shown = tldesk("show", ticket, "--json").json
    assert "\x9b31m" in shown["messages"][0]["text"]
    (exported,) = json.loads(tldesk("export", "--format", "json").out)["tickets"]
    assert exported["messages"][0]["text"] == shown["messages"][0]["text"]


def test_a_table_for_a_program_holds_them_too(tldesk: Runner, ticket: str, tmp_path: Path) -> None:
    tldesk("export", "--out", str(tmp_path / "tickets.csv"))
    assert "\x9b31m" in (tmp_path / "tickets.csv").read_text(encoding="utf-8-sig")
    again = tldesk("import", str(tmp_path / "tickets.csv"), "--json")
    assert again.json["files"][0]["tickets_unchanged"] == 1
