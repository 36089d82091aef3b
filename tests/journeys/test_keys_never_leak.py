"""A canary key goes through a full session of the real program, and is found nowhere but in the keyring."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from desktop.llm.scripted_server import ScriptedServer
from tests.journeys.conftest import Desktop, Program
from tests.journeys.keyrings import PASSWORD, opened_keyring
from tests.leaks.canary import forms, hits_in_files, make_canary
from tests.leaks.session import Session, faults

pytestmark = pytest.mark.journey


def test_a_key_is_found_nowhere_after_a_full_session(
    desktop: Desktop, start_program: Callable[..., Program], tmp_path: Path
) -> None:
    folder, key = tmp_path / "session", make_canary()
    folder.mkdir()
    with (
        opened_keyring(desktop, tmp_path / "home", password=PASSWORD) as keyring,
        ScriptedServer(*faults(key)) as server,
    ):
        session = Session((sys.executable, "-m", "desktop"), keyring.desktop, folder, key)
        session.data_dir.mkdir(mode=0o700)
        session.use_commands(server)
    with (
        opened_keyring(desktop, tmp_path / "home", password=PASSWORD) as keyring,
        ScriptedServer(*faults(key)) as server,
    ):
        session.desktop = keyring.desktop
        assert session.run("providers", "set", "mine", "--base-url", server.base_url) == 0
        assert session.run("keys", "set", "mine", "--stdin", text=key) == 0
        crash = tmp_path / "crash.txt"
        environment = {**session.environment, "TLDESK_TEST_CRASH": str(crash)}
        program = start_program(session.data_dir, on=keyring.desktop, **environment)
        program.wait(lambda s: s["rows"] == 36 and s["title"], "the tickets")
        # Every fault in the window, each on another ticket or again on the same one: what counts is that the key was sent and quoted back.
        for _ in range(4):
            asked = len(server.requests)
            desktop.xdotool("key", "F5")
            program.wait(partial(_has_ended, server, asked), "the end of a summary")
            desktop.xdotool("key", "Down")
        crash.write_text(key, encoding="utf-8")
        program.wait(
            lambda s: "Something went wrong in TLDesk itself (RuntimeError)" in s["notice"], "the crash to be told"
        )
        session.look_at_window(program.process.pid)
        session.end_badly(program.process)
        # What was observed of the window is what a person saw.
        session.said.append(json.dumps(program.states))
    log = (session.data_dir / "logs" / "tldesk.log").read_text(encoding="utf-8")
    assert "RuntimeError: refused [key]" in log
    assert session.hits() == []
    assert hits_in_files(key, [tmp_path / "home"]) == [], "the keyring itself is encrypted"


@pytest.mark.parametrize("form", forms("0" * 48))
def test_the_search_finds_a_key_in_every_form(tmp_path: Path, form: str) -> None:
    key = make_canary()
    around = b"\x01\x02\x03 some other bytes "
    hidden = forms(key)[form]
    (tmp_path / "file").write_bytes(around + hidden + around)
    assert hits_in_files(key, [tmp_path]) == [f"{tmp_path / 'file'} ({form})"]


def _has_ended(server: ScriptedServer, asked: int, shown: dict[str, Any]) -> bool:
    return len(server.requests) > asked and not shown["running"]
