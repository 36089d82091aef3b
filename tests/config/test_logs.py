"""The log: for our own bugs, private, and without a key even in a traceback."""

from __future__ import annotations

import logging
import stat
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from desktop.config.logs import start_logging


def test_no_key_gets_into_the_log_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    handler = start_logging(tmp_path)
    assert handler is not None
    try:
        try:
            raise ValueError("refused: Bearer sk-secret-0123456789")
        except ValueError:
            logging.getLogger("desktop.test").exception("key sk-other-0123456789 of %s", "somebody")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    path = tmp_path / "tldesk.log"
    text = path.read_text(encoding="utf-8")
    assert "ValueError" in text
    assert "secret" not in text
    assert "other" not in text
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert start_logging(tmp_path / "file") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_log_on_a_full_disk_says_nothing_to_the_user(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tldesk.log").symlink_to("/dev/full")
    handler = start_logging(tmp_path)
    assert handler is not None
    try:
        logging.getLogger("desktop.test").warning("something of interest")
    finally:
        logging.getLogger().removeHandler(handler)
        # What is still in its buffer finds no room either, as at the end of the program.
        with suppress(OSError):
            handler.close()
    assert capfd.readouterr().err == ""
