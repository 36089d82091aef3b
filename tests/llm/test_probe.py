"""The test of a provider: the step that fails is the one that is named, with what to do, over real sockets."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import aclosing
from pathlib import Path

import pytest

from desktop.domain.providers import TestStep
from desktop.llm import probe
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import Script, ScriptedServer, good_stream, refusal

KEY = "sk-test-0123456789"


async def steps_of(base_url: str, *, model: str = "scripted", key: str = KEY) -> list[TestStep]:
    """Run a test and return its steps."""
    client = OpenAIClient(base_url=base_url, key=key)
    try:
        async with aclosing(client.test(model)) as steps:
            return [step async for step in steps]
    finally:
        await client.aclose()


def failed(steps: list[TestStep]) -> TestStep:
    """Return the one step that failed: the last."""
    assert [step.ok for step in steps] == [True] * (len(steps) - 1) + [False]
    assert steps[-1].remedy
    return steps[-1]


async def test_a_name_that_does_not_resolve() -> None:
    step = failed(await steps_of("https://nowhere.invalid/v1"))
    assert (step.name, "nowhere.invalid" in step.detail) == ("name", True)


async def test_a_certificate_that_nobody_vouches_for_and_no_key_is_sent(tmp_path: Path) -> None:
    """A self-signed one, made here by the system's openssl."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, "-days", "2", "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)  # noqa: ASYNC221 - a test's own moment
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with ScriptedServer(good_stream("ready"), tls=context) as server:
        step = failed(await steps_of(server.base_url))
        assert server.requests == []
    assert (step.name, "not trusted" in step.detail) == ("certificate", True)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (refusal(401, "Incorrect API key provided"), "key"),
        (refusal(403, "not allowed"), "key"),
        (refusal(404, "The model `scripted` does not exist", code="model_not_found"), "model"),
        (refusal(429, "You exceeded your current quota", code="insufficient_quota"), "quota"),
        (refusal(500, "oops"), "model"),
    ],
)
async def test_a_refusal_is_told_at_its_step_and_the_key_never_repeated(script: Script, name: str) -> None:
    with ScriptedServer(script) as server:
        step = failed(await steps_of(server.base_url))
    assert step.name == name
    assert KEY not in step.detail + step.remedy


async def test_a_model_that_is_not_chosen_names_those_that_are_offered() -> None:
    with ScriptedServer(good_stream("ready")) as server:
        step = failed(await steps_of(server.base_url, model=""))
        assert server.bodies == []
    assert (step.name, "scripted" in step.remedy) == ("model", True)


async def test_a_server_that_takes_the_call_and_says_nothing_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ANSWER_SECONDS", 0.3)
    with ScriptedServer(models=Script(is_mute=True, then="hang")) as server:
        step = failed(await steps_of(server.base_url))
    assert "does not answer" in step.detail
