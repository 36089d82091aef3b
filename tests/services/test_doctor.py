"""The doctor, of a desk that is in use."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.services.conftest import opened_desk


async def test_an_open_desk_is_examined_without_being_opened_twice(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        checks = await desk.doctor.examine()
        assert next(check for check in checks if check.name == "database").ok
        # Two that write the full-text index close it under one another: one time in ten the program ended with that.
        assert [thread.name for thread in threading.enumerate()].count("indexer") == 1
