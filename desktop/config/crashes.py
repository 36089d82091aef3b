"""Crashes: what is left behind when the program fails in a way that nobody foresaw.

A core file would hold every key and ticket in memory, so none is written. A traceback says where, never with the values of variables, and keys that a
message might quote are blanked. The window goes on: it is told of what failed inside it, so that a person learns of it too.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from desktop.config.masking import masked

_listeners: list[Callable[[BaseException], None]] = []


def forbid_core_files() -> None:
    """Have the system write no memory of this process, nor of those it starts, to the disk. Windows writes none unless it is told to."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def report_crashes() -> None:
    """Log what nobody caught, in whatever thread, and say it on standard error."""
    sys.excepthook = _on_exception
    threading.excepthook = lambda failed: _report(failed.exc_type, failed.exc_value, failed.exc_traceback)
    sys.unraisablehook = lambda failed: _report(failed.exc_type, failed.exc_value, failed.exc_traceback)


def tell_of_crashes(listener: Callable[[BaseException], None]) -> None:
    """Have somebody told of what nobody caught in the main thread; they log it too."""
    _listeners[:] = [listener]


def _on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _report(kind, error, trace, is_logged=not _listeners)
    for listener in _listeners:
        listener(error)


def _report(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, *, is_logged: bool = True
) -> None:
    if issubclass(kind, SystemExit):
        return
    if is_logged:
        import logging

        logging.getLogger(__name__).error("Not caught", exc_info=error)
    # A window started from an icon has nowhere to write to.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))
