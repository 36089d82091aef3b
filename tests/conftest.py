"""What holds for every test: a machine of its own, async tests on the program's own kind of loop, and nothing left running.

Tests see no user's keyring, data folder, API key or proxy, and draw into memory. The journeys (`tests/journeys/`) are the exception: they
start real programs on a display and a keyring of their own, so for them the environment is put back as it was, without keys.
This file knows nothing of the program's services; fixtures that build them lie beside the tests that need them.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
LOOK_ALIKES = REPOSITORY / "tests" / "data"
# The folders of `SHARED_DATA / "exports"` that tests/data may have a look-alike of, by the same name.
EXPORT_FOLDERS = ("conversations", "freshdesk", "intercom", "jira", "nasty", "servicenow", "zendesk")

# A key or a proxy of the person who runs the tests must neither be used nor change what a test sees.
NEVER_INHERITED = (
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
FOR_TESTS_IN_MEMORY = {
    "QT_QPA_PLATFORM": "offscreen",
    # Says no to everything: a test that reaches the keyring without bringing its own must notice.
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
}
THREAD_PATIENCE_S = 2.0

# The machine is shared: how long one example takes says nothing about the program. The same examples every time.
hypothesis.settings.register_profile(
    "shared-machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("shared-machine")

_replaced_data = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run an environment of its own; the data folder is where a test lands that names none."""
    config.stash[_replaced_data] = []
    for name in NEVER_INHERITED:
        os.environ.pop(name, None)
    folder = tempfile.TemporaryDirectory(prefix="tldesk-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ.update(FOR_TESTS_IN_MEMORY, TLDESK_DATA_DIR=folder.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run the journeys, their fixtures included, without the settings that keep other tests in memory."""
    if not item.path.is_relative_to(REPOSITORY / "tests" / "journeys"):
        return (yield)
    put_back = {name: os.environ.pop(name) for name in FOR_TESTS_IN_MEMORY if name in os.environ}
    try:
        return (yield)
    finally:
        os.environ.update(put_back)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on a fresh loop: Qt's, if the test uses `qapp` or `qtbot`, else asyncio's own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    with asyncio.Runner(loop_factory=_loop_factory(pyfuncitem)) as runner:
        runner.run(pyfuncitem.obj(**arguments))
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which real files were not there, so that nobody takes the look-alikes for them."""
    for name in config.stash[_replaced_data]:
        terminalreporter.line(f"Not the real file: exports/{name} of the shared data was replaced by tests/data/{name}")


@pytest.fixture(autouse=True)
def nothing_left_running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a thread running, or ends its event loop while tasks of it are unfinished."""
    left_tasks: list[str] = []
    _watch_ending_loops(monkeypatch, left_tasks)
    before = set(threading.enumerate())
    yield
    left_threads = [thread.name for thread in _still_running(set(threading.enumerate()) - before)]
    if left_threads:
        pytest.fail(f"The test left threads running: {', '.join(left_threads)}", pytrace=False)
    if left_tasks:
        pytest.fail(f"The test left asyncio tasks unfinished: {', '.join(left_tasks)}", pytrace=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Give an empty folder, private to the user, for everything that the program keeps."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def shared_data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of real exports and texts; where it is not at hand, one of look-alikes under the same names."""
    if SHARED_DATA.is_dir():
        return SHARED_DATA
    folder = tmp_path_factory.mktemp("shared-data")
    for name in EXPORT_FOLDERS:
        if (LOOK_ALIKES / name).is_dir():
            ignored = shutil.ignore_patterns("*.py", "__pycache__")
            copied = shutil.copytree(LOOK_ALIKES / name, folder / "exports" / name, ignore=ignored)
            request.config.stash[_replaced_data].extend(f"{name}/{file.name}" for file in sorted(copied.iterdir()))
    return folder


def _loop_factory(pyfuncitem: pytest.Function) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if "qapp" not in pyfuncitem.fixturenames:
        return None
    # Imported here: tests of the services and of the command must not load Qt.
    from qasync import QEventLoop

    return lambda: QEventLoop(pyfuncitem.funcargs["qapp"])


def _watch_ending_loops(monkeypatch: pytest.MonkeyPatch, left_tasks: list[str]) -> None:
    """Note what `asyncio.run` and `asyncio.Runner` have to cancel when they close: they do it silently."""
    cancel_all_tasks: Callable[[asyncio.AbstractEventLoop], None] = vars(asyncio.runners)["_cancel_all_tasks"]

    def noting(loop: asyncio.AbstractEventLoop) -> None:
        left_tasks.extend(f"{task.get_name()} ({_place(task)})" for task in asyncio.all_tasks(loop))
        cancel_all_tasks(loop)

    monkeypatch.setattr(asyncio.runners, "_cancel_all_tasks", noting)


def _place(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "unknown")


def _still_running(threads: set[threading.Thread]) -> list[threading.Thread]:
    running = []
    for thread in threads:
        # Python's stand-in for a thread that Qt started; it can be neither joined nor asked whether it still runs.
        if isinstance(thread, threading._DummyThread):
            continue
        thread.join(THREAD_PATIENCE_S)
        if thread.is_alive():
            running.append(thread)
    return running
