"""Logs: a small rotating file in the data folder, for our own bugs. No ticket text, no model output, no key goes in.

The formatter blanks keys, as a second line of defense: the first is that nothing logs one (see `masking`).
"""

from __future__ import annotations

import logging
import logging.handlers
import os
from io import TextIOWrapper
from pathlib import Path

from desktop.config.masking import masked


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # The whole text, the traceback included: an exception's message may quote what it was given.
        return masked(super().format(record))


class _PrivateFileHandler(logging.handlers.RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        # Every file of the rotation is made here, readable by its owner only.
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_open_private)  # type: ignore[return-value]

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing when the disk is full: Python would print a traceback in the middle of what the user reads."""


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def start_logging(folder: Path) -> logging.Handler | None:
    """Log warnings and worse to `tldesk.log` in `folder` (1 MB, 3 files, mode 0600); None when the folder cannot be written."""
    path = folder / "tldesk.log"
    try:
        handler = _PrivateFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:
        # Else a library whose log level is set from outside (`OPENAI_LOG`) would write what it sends to standard error.
        logging.getLogger().addHandler(logging.NullHandler())
        return None
    # Of the handler, not of the root alone: a library that is told to log everything (`OPENAI_LOG=debug`) logs whole requests, tickets in them.
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    return handler
