"""The verdict of `llmock`, a faulty provider that judges its clients, on a whole summary: window's half without the window, gate, SDK and socket.

Its strict verdict has no finding for any fault before the first word. After the first word it wants the same request sent again, as it cannot know
what became of the text; here nothing is, the text is kept and called incomplete, and the user may have it continued. For 408 and 409 it wants a
second request as well: here no 4xx but 429 is ever repeated.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import RunState
from desktop.llm import openai_client
from desktop.services.outbound import retrying
from tests.services.conftest import opened_desk, summarize

ONCE_FAILED: dict[str, dict[str, object]] = {
    "a rate limit": {"type": "fail", "status": 429, "retry_after": 0.3, "times": 2},
    "a rate limit without a word of when": {"type": "fail", "status": 429, "times": 2},
    "an error of the server": {"type": "fail", "status": 500, "times": 2},
    "an outage that passes": {"type": "fail", "status": 503, "retry_after": 0.2},
    "an overloaded server": {"type": "fail", "status": 529},
    "a broken connection": {"type": "stream_fault", "kind": "disconnect", "after_chunks": 1},
    "a stream that is cut": {"type": "stream_fault", "kind": "truncate", "after_chunks": 1},
    "a broken chunk": {"type": "stream_fault", "kind": "malformed", "after_chunks": 1},
    "a stall": {"type": "stream_fault", "kind": "stall", "after_chunks": 1, "stall_seconds": 30},
    "a slow first word": {"type": "slow_first_token", "seconds": 0.5},
    "nothing at all": {"type": "delay", "seconds": 0.1},
}
FAILED: dict[str, dict[str, object]] = {
    **{f"status {status}": {"type": "fail", "status": status} for status in (400, 401, 403, 404, 422)},
    "an outage": {"type": "fail", "status": 503, "times": None},
    "no end of rate limits": {"type": "fail", "status": 429, "retry_after": 0.1, "times": None},
}


class Judge:
    """The server, and its opinion."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self.base_url = f"{self._root}/v1"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path: str, body: object = None, *, posts: bool = False) -> Any:
        data = json.dumps(body).encode() if body is not None or posts else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._root}{path}", data, headers)
        with self._opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def prepare(self, behavior: dict[str, object]) -> None:
        self.ask("/_llmock/reset", posts=True)
        self.ask("/_llmock/scenario", {"behaviors": [behavior]})


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """Start it as a program of its own: its threads would outlive a test."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "llmock.cli", "serve", "--port", str(port), "--log-level", "error"]
    environment = {**os.environ, "LLMOCK_RESPONSE_STYLE": "static"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            judge = Judge(port)
            _wait_for(judge, process)
            yield judge
        finally:
            process.terminate()


def _wait_for(judge: Judge, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            judge.ask("/health")
            return
        except OSError:
            time.sleep(0.05)  # waits for the condition above
    raise AssertionError("llmock did not start")


async def test_its_strict_verdict_is_clean(judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_WAIT_SECONDS", 0.15)
    monkeypatch.setattr(openai_client, "LOCAL_QUIET_SECONDS", 0.5)
    findings, ends = {}, {}
    async with opened_desk(tmp_path) as desk:
        profile = ProviderProfile("llmock", "custom", judge.base_url, model="gpt-4o-mini")
        desk.providers.save(profile, make_default=True)
        for name, behavior in (ONCE_FAILED | FAILED).items():
            judge.prepare(behavior)
            summary, _ = await summarize(desk, refresh=True)
            verdict = judge.ask("/_llmock/verdict")
            assert verdict["calls"] == 1, name
            if verdict["findings"]:
                findings[name] = verdict["findings"]
            ends[name] = summary.state
    assert not findings
    assert ends == dict.fromkeys(ONCE_FAILED, RunState.COMPLETE) | dict.fromkeys(FAILED, RunState.FAILED)
