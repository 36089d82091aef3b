"""Crashes of the real program: no core file, no values of variables, no key, and the window is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "canary0123456789abcdef"
_PROGRAM = """
import sys, threading
from desktop.config.crashes import forbid_core_files, report_crashes, tell_of_crashes
from desktop.config.logs import start_logging
from desktop.config.masking import keep_out
from pathlib import Path
keep_out({key!r})
start_logging(Path({folder!r}))
forbid_core_files()
report_crashes()
def fail(secret):
    own_variable = "value-of-a-variable"
    raise ValueError("refused " + secret)
{what}
"""


def _run(tmp_path: Path, what: str) -> tuple[str, str]:
    code = _PROGRAM.format(key=KEY, folder=str(tmp_path), what=what)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    return ended.stdout + ended.stderr, (tmp_path / "tldesk.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "what",
    [
        f"fail({KEY!r})",
        f"thread = threading.Thread(target=fail, args=({KEY!r},)); thread.start(); thread.join()",
        f"class Gone:\n    def __del__(self): fail({KEY!r})\ngone = Gone(); del gone",
    ],
    ids=["main", "thread", "destructor"],
)
def test_a_traceback_says_where_and_holds_neither_a_key_nor_a_value(tmp_path: Path, what: str) -> None:
    said, logged = _run(tmp_path, what)
    for text in (said, logged):
        assert "ValueError: refused [key]" in text
        assert "in fail" in text
        assert KEY not in text
        assert "value-of-a-variable" not in text.replace('own_variable = "value-of-a-variable"', "")


def test_who_listens_is_told_and_logs_it_themselves(tmp_path: Path) -> None:
    said, logged = _run(tmp_path, f"tell_of_crashes(lambda e: print('told', type(e).__name__))\nfail({KEY!r})")
    assert "told ValueError" in said
    assert logged == ""


def test_no_core_file_is_allowed(tmp_path: Path) -> None:
    limit = "import json, resource; print(json.dumps(resource.getrlimit(resource.RLIMIT_CORE)))"
    said, _ = _run(tmp_path, limit)
    assert json.loads(said) == [0, 0]


def test_a_library_that_is_told_to_log_everything_writes_nothing_to_the_log(tmp_path: Path) -> None:
    what = "import logging\nlogging.getLogger('openai').setLevel(logging.DEBUG)\nlogging.getLogger('openai').debug('a whole ticket')"
    said, logged = _run(tmp_path, what)
    assert (said, logged) == ("", "")
