"""Settings: declared once, with default and help; the file holds only what differs from the defaults.

The file is JSON in the data folder, written whole and swapped in, so a crash leaves the old one. It never holds a key. A file that cannot be
read is set aside under another name, never overwritten, and the program starts with the defaults.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in the file, its default, what it does in one sentence, and its allowed values where it has a list of them."""

    name: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()


SETTINGS = (
    Setting("appearance", "system", "Light, dark, or as the system is.", ("system", "light", "dark")),
    Setting(
        "auto_summarize",
        "local",
        "Whether opening a ticket starts its summary: always, only with a model on this machine, or never.",
        ("always", "local", "never"),
    ),
    Setting("default_provider", BUILT_IN, "The provider that writes summaries when no other is named."),
    Setting("providers", [], "The providers the user set up, without their keys."),
    Setting(
        "sections", [], "The sections of a summary: their order, labels, and which are wanted; [] for all as they come."
    ),
    Setting(
        "second_opinion", False, "Whether a provider is asked once more about claims whose wording stayed unclear."
    ),
    Setting(
        "strictness",
        "normal",
        "How much of a claim's wording must stand in the ticket before it counts as found.",
        ("lenient", "normal", "strict"),
    ),
    Setting("summary_language", "", "The language that summaries are written in, ISO 639-1; '' for the ticket's own."),
    Setting("summary_length", "normal", "How long summaries are.", ("short", "normal", "long")),
    Setting("summary_tone", "neutral", "How summaries sound.", ("neutral", "formal", "friendly")),
    Setting("copy_citations", False, "Whether a copied summary names the messages it cites."),
    Setting("local_only", False, "Whether the program is locked to this machine: nothing is sent to any other host."),
    Setting("task_models", {}, "Who does a task in place of the default provider: {task: {provider, model}}."),
    Setting("max_cost_run", 0.0, "What the queue may spend from its start to its end, in US dollars; 0 for no cap."),
    Setting("max_cost_day", 0.0, "What may be spent a day (UTC) before the queue stops, in US dollars; 0 for no cap."),
    Setting("max_tokens_run", 0, "How many tokens the queue may use from its start to its end; 0 for no cap."),
    Setting("max_tokens_day", 0, "How many tokens may be used a day (UTC) before the queue stops; 0 for no cap."),
    Setting("ask_above_cost", 1.0, "The queue asks before it begins what may cost more than this, in US dollars."),
    Setting(
        "parallel_summaries",
        0,
        "How many summaries the queue writes at once at most; 0 for as many as the provider bears.",
    ),
    Setting(
        "alerts", {}, "What the status bar warns of: {spend_day, error_rate, first_token_seconds}; {} for nothing."
    ),
    Setting("otlp_address", "", "Where spans of every request are sent to (OTLP/HTTP); '' for nowhere."),
    Setting("trace_days", 30, "How many days the bodies of requests and answers are kept; the ledger itself stays."),
    Setting("watch_folder", "", "A folder whose new exports are imported by themselves; '' for none."),
    Setting("window", {}, "Place and layout of the window."),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_LOCK = "local_only"
_LOCKED = re.compile(rb'"local_only"\s*:(?!\s*false\b)')


class Settings:
    """The user's settings, read again when the file changed. `warning` says in words what was wrong with the file, if anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.warning = ""
        self._is_unreadable = False
        self._stamp = self._look()
        self._values = self._read()

    def get(self, name: str) -> Any:
        """Return the value of a declared setting, its default when unset or not one of its choices."""
        setting = _BY_NAME[name]
        self._catch_up()
        value = self._values.get(name, setting.default)
        if isinstance(setting.default, float) and type(value) is int:
            # A whole number is one as well: a cap of 5 must not be taken for none.
            value = float(value)
        return value if _is_allowed(setting, value) else setting.default

    def set(self, name: str, value: Any) -> None:
        """Change a declared setting and write the file.

        Raises:
            DeskError: `settings-unwritable`, when the file cannot be written; the value then holds for this session.
        """
        setting = _BY_NAME[name]
        if setting.choices and value not in setting.choices:
            raise DeskError(
                "setting-value", f"{name} cannot be {value!r}.", remedy=f"Use one of: {', '.join(setting.choices)}."
            )
        self._catch_up()
        if value == setting.default:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        self._write()

    def _catch_up(self) -> None:
        """Read the file again when another TLDesk wrote it: the window and the command may be open on the same folder."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            self._values = self._read()

    def _look(self) -> tuple[int, int]:
        try:
            # A path object costs as much again, and a setting is asked for dozens of times a ticket.
            found = os.stat(self._path)  # noqa: PTH116
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._is_unreadable = True
            self.warning = (
                f"The settings file {self._path} cannot be read ({error.strerror or error}); the defaults are used,"
                " and nothing is sent to another machine."
            )
            # Nobody knows whether it was locked.
            return {_LOCK: True}
        except ValueError as error:
            return self._set_aside(str(error))
        return self._checked(values) if isinstance(values, dict) else self._set_aside("it is not a JSON object")

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a file; those that cannot be used are told of. A lock that is no plain `false` counts as one."""
        odd = [name for name, value in values.items() if name in _BY_NAME and not _is_allowed(_BY_NAME[name], value)]
        if odd:
            self.warning = f"In the settings file {self._path} these cannot be used as they stand: {', '.join(odd)}. The defaults are used for them."
        return {**values, _LOCK: True} if _LOCK in odd else values

    def _set_aside(self, reason: str) -> dict[str, Any]:
        with contextlib.suppress(OSError):
            if _LOCKED.search(self._path.read_bytes()):
                return self._set_aside_locked(reason)
        self._rename(reason)
        return {}

    def _set_aside_locked(self, reason: str) -> dict[str, Any]:
        """Set a file aside in which the program was locked to this machine: that stays, at the next start too."""
        self._rename(reason)
        self.warning += " The lock to this machine stays."
        self._values = {_LOCK: True}
        with contextlib.suppress(DeskError):
            self._write()
        return self._values

    def _rename(self, reason: str) -> None:
        name = f"{self._path.stem}.broken-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns() % 1_000_000:06}{self._path.suffix}"
        aside = self._path.with_name(name)
        try:
            self._path.replace(aside)
            self.warning = f"The settings file could not be read ({reason}); it was kept as {aside.name} and the defaults are used."
        except OSError:
            self.warning = f"The settings file {self._path} could not be read ({reason}); the defaults are used."

    def _write(self) -> None:
        try:
            if self._is_unreadable:
                # What cannot be read must not be replaced either: it may hold all that the user set up.
                raise PermissionError(errno.EACCES, "it cannot be read")
            # mkstemp makes the file 0600 on every system that has modes.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".settings-", suffix=".json")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._values, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
            self._stamp = self._look()
        except OSError as error:
            raise DeskError(
                "settings-unwritable",
                f"The settings file {self._path} cannot be written: {error.strerror or error}.",
                remedy="Free some space or check the folder's permissions; the change holds until TLDesk is closed.",
            ) from None


def _is_allowed(setting: Setting, value: Any) -> bool:
    is_whole = isinstance(setting.default, float) and type(value) is int
    # To Python True is a number; to whoever wrote a cap it is a mistake.
    is_kind = isinstance(value, type(setting.default)) and isinstance(value, bool) == isinstance(setting.default, bool)
    return (is_kind or is_whole) and (not setting.choices or value in setting.choices)
