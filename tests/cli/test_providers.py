"""Tests of `tldesk providers`: how a provider is reached, who does what, and the lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.cli.conftest import Runner

PASSWORD = "pw-6b1f0e"


def _listed(tldesk: Runner, name: str) -> dict[str, Any]:
    providers = tldesk("providers", "list", "--json").json["providers"]
    return next(each for each in providers if each["name"] == name)


def test_network_and_privacy_are_set_kept_and_taken_back(tldesk: Runner) -> None:
    added = tldesk(
        "providers", "add", "work", "--kind", "openai", "--model", "gpt-4o", "--fallback", "built-in",
        "--redaction", "off", "--proxy", "proxy.example.com:8080",
    )  # fmt: skip
    assert added.code == 0
    fields = _listed(tldesk, "work")
    assert (fields["fallback"], fields["redaction"], fields["proxy"]) == (
        "built-in",
        "off",
        "http://proxy.example.com:8080",
    )
    assert (fields["local"], fields["redacted"]) == (False, False)
    tldesk("providers", "set", "work", "--model", "gpt-4o-mini")
    assert _listed(tldesk, "work") == {**fields, "model": "gpt-4o-mini"}, "what is not named stays"
    tldesk("providers", "set", "work", "--redaction", "default", "--proxy", "system", "--fallback", "")
    fields = _listed(tldesk, "work")
    assert (fields["fallback"], fields["redaction"], fields["proxy"]) == ("", "", "")
    assert fields["redacted"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--proxy", f"http://me:{PASSWORD}@proxy.example.com"), "stored unprotected"),
        (("--ca-file", "nowhere.pem"), "nowhere.pem is not there"),
        (("--client-key", "nowhere.key"), "without its certificate"),
        (("--fallback", "nobody"), "no provider named “nobody”"),
        (("--redaction", "sometimes"), "Redaction cannot be “sometimes”"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    tldesk: Runner, data_dir: Path, options: tuple[str, ...], words: str
) -> None:
    ran = tldesk("providers", "add", "work", "--kind", "openai", *options)
    assert (ran.code, ran.out) == (4, "")
    assert words in ran.err
    assert PASSWORD not in ran.err
    settings = data_dir / "settings.json"
    assert not settings.exists() or "work" not in settings.read_text()


def test_tasks_are_listed_chosen_and_left_to_the_default_again(tldesk: Runner) -> None:
    tldesk("providers", "add", "small", "--base-url", "http://127.0.0.1:1/v1", "--model", "s", "--default")
    tldesk("providers", "add", "large", "--base-url", "http://127.0.0.1:2/v1", "--model", "l", "--fallback", "small")
    chosen = tldesk("providers", "tasks", "second-opinion", "--provider", "large", "--model", "xl", "--json").json
    assert chosen["tasks"] == [
        {
            "task": "second opinion",
            "provider": "large",
            "model": "xl",
            "default": False,
            "fallback": [{"provider": "small", "model": "s"}],
            "locked": False,
        }
    ]
    tasks = {each["task"]: each for each in tldesk("providers", "tasks", "--json").json["tasks"]}
    assert {"summarize", "gist", "second opinion"} < set(tasks)
    assert (tasks["summarize"]["provider"], tasks["summarize"]["default"]) == ("small", True)
    assert "xl" in tldesk("providers", "tasks").out
    again = tldesk("providers", "tasks", "second opinion", "--default", "--json").json["tasks"][0]
    assert (again["provider"], again["default"]) == (None, True), "who wrote the summary gives it"
    assert "who wrote the summary" in tldesk("providers", "tasks").out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing",), 4, "no task named “nothing”"),
        (("gist", "--provider", "nobody"), 4, "no provider named “nobody”"),
        (("--provider", "built-in"), 2, "Name the task"),
        (("gist", "--default", "--model", "x"), 2, "--default goes with no"),
    ],
)
def test_a_wrong_task_gets_a_sentence(tldesk: Runner, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = tldesk("providers", "tasks", *arguments)
    assert (ran.code, words in ran.err) == (code, True), ran.err


def test_the_lock_is_told_wherever_providers_are(tldesk: Runner) -> None:
    tldesk("providers", "add", "cloud", "--kind", "openai", "--model", "gpt-4o", "--default")
    tldesk("providers", "add", "here", "--base-url", "http://127.0.0.1:1/v1", "--model", "s")
    assert tldesk("providers", "local-only", "--json").json == {"local_only": False, "locked": []}
    assert tldesk("providers", "local-only", "on", "--json").json == {"local_only": True, "locked": ["cloud"]}
    reason = "Local only is on: nothing is sent to api.openai.com."
    assert (_listed(tldesk, "cloud")["locked"], _listed(tldesk, "here")["locked"]) == (True, False)
    for arguments in (("list",), ("tasks",), ("set", "cloud", "--model", "gpt-4o-mini")):
        assert reason in tldesk("providers", *arguments).out
    checks = {check["name"]: check for check in tldesk("doctor", "--json").json["checks"]}
    assert checks["default provider"]["detail"] == reason
    assert tldesk("providers", "local-only", "off", "--json").json == {"local_only": False, "locked": []}
    assert reason not in tldesk("providers", "list").out


def test_a_provider_on_this_machine_is_asked_directly(tldesk: Runner) -> None:
    """Whatever proxy was entered: nothing for this machine has any business there."""
    with ScriptedServer(good_stream("ready")) as server, ScriptedServer() as proxy:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "scripted")
        tldesk("providers", "set", "mine", "--proxy", f"127.0.0.1:{proxy.port}")
        ran = tldesk("providers", "test", "mine", "--json")
        assert json.loads(ran.out)["ok"]
        assert proxy.requests == []


def test_a_price_is_shown_entered_and_taken_back(tldesk: Runner, data_dir: Path) -> None:
    tldesk("providers", "add", "cloud", "--kind", "openai", "--model", "gpt-9")
    unknown = tldesk("providers", "price", "cloud", "--json").json
    assert unknown == {
        "provider": "cloud",
        "host": "api.openai.com",
        "model": "gpt-9",
        "input": None,
        "cached_input": None,
        "output": None,
        "path": str(data_dir / "prices.toml"),
    }
    assert "unknown" in tldesk("providers", "price", "cloud").out
    assert tldesk("providers", "price", "built-in", "--json").json["output"] == 0
    missing = tldesk("providers", "price", "cloud", "--input", "2")
    assert (missing.code, "output is missing" in missing.err) == (4, True)
    entered = tldesk("providers", "price", "cloud", "--input", "2", "--output", "8", "--json").json
    assert (entered["input"], entered["cached_input"], entered["output"]) == (2, 2, 8)
    changed = tldesk("providers", "price", "cloud", "--cached-input", "0.5", "--json").json
    assert (changed["input"], changed["cached_input"], changed["output"]) == (2, 0.5, 8)
    assert "$0.50 cached" in tldesk("providers", "price", "cloud").out
    assert tldesk("providers", "price", "cloud", "--reset", "--json").json == unknown
    both = tldesk("providers", "price", "cloud", "--reset", "--input", "1")
    assert both.code == 2
    assert (tldesk("providers", "price", "built-in", "--input", "1", "--output", "1")).code == 4
