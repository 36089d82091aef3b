"""Logs: a small rotating file in the data folder, for our own bugs. No ticket text, no model output, no key goes in.

A filter blanks anything that looks like a key, as a second line of defense: the first is that nothing logs one.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
from pathlib import Path

_KEY = re.compile(r"\b(sk|pk|key|api)[-_][A-Za-z0-9_\-]{8,}|(?i:bearer)\s+\S+")


class _KeyFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _KEY.sub("[key]", record.getMessage())
        record.args = ()
        return True


def start_logging(folder: Path) -> logging.Handler | None:
    """Log warnings and worse to `tldesk.log` in `folder` (1 MB, 3 files, mode 0600); None when the folder cannot be written."""
    path = folder / "tldesk.log"
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        return None
    handler.addFilter(_KeyFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    return handler
