"""What stands in a data folder, read by plain SQLite and compared with what must stand there.

A ticket's *form* is all that a reader would see of it: its subject and state and every message, in order. Each ticket may have two forms, the
one from before the import and the one from after it, and nothing between. Of the database only this is taken for granted: the tables
`ticket` (source_id, external_id) and `message` (ticket_id, position); the files are found by looking into them.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_SQLITE = b"SQLite format 3\x00"
_SHOWN = ("subject", "status", "priority", "requester")
_NOT_TEXT = ("id", "ticket_id")
NAMED = 3
"""How many of many tickets a problem names."""

Form = int
"""A ticket's form as a hash, comparable within this process."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All tickets: their forms and numbers of messages by external id, the ids that stand there more than once, and what is broken in the files."""

    forms: Mapping[str, Form]
    messages: Mapping[str, int]
    doubled: tuple[str, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the user was told is in: counts of the last event that the program reported."""

    new: int = 0
    updated: int = 0


def read_told(path: Path) -> Told:
    """Read what the observer wrote down; a record that the kill cut off was not told."""
    told = Told()
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for line in lines:
        counts = json.loads(line)
        told = Told(max(told.new, counts["tickets_new"]), max(told.updated, counts["tickets_updated"]))
    return told


def read_contents(data_dir: Path) -> Contents:
    """Read all that a data folder holds; an empty one holds nothing."""
    forms: dict[str, Form] = {}
    messages: dict[str, int] = {}
    doubled: list[str] = []
    broken: list[str] = []
    for path in _databases(data_dir):
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                broken.append(f"integrity_check of {path.name}: {'; '.join(found[:NAMED])}")
            if connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'ticket' AND type = 'table'"
            ).fetchone()[0]:
                _read_tickets(connection, forms, messages, doubled)
    return Contents(forms, messages, tuple(doubled), tuple(broken))


def find_problems(now: Contents, *, before: Contents, after: Contents, told: Told) -> Iterator[str]:
    """Say what must not be in a folder whose import was cut off: nothing lost, nothing twice, nothing half."""
    yield from now.broken
    if now.doubled:
        yield f"stand there twice: {_name(now.doubled)}"
    if lost := [i for i in before.forms if i not in now.forms]:
        yield f"were there before and are lost: {_name(lost)}"
    if strange := [i for i, form in now.forms.items() if form not in (before.forms.get(i), after.forms.get(i))]:
        yield f"are neither as before nor as after the import: {_name(strange)}"
    new = sum(i not in before.forms for i in now.forms)
    updated = sum(before.forms.get(i, form) != form for i, form in now.forms.items())
    if new < told.new:
        yield f"{told.new - new} new tickets of {told.new} that were reported as imported are lost"
    if updated < told.updated:
        yield f"{told.updated - updated} changed tickets of {told.updated} that were reported as imported are as before"


def find_differences(now: Contents, *, after: Contents) -> Iterator[str]:
    """Say how a folder differs from one whose import nothing disturbed."""
    yield from now.broken
    if now.doubled:
        yield f"stand there twice: {_name(now.doubled)}"
    if missing := [i for i in after.forms if i not in now.forms]:
        yield f"are missing: {_name(missing)}"
    if other := [i for i, form in now.forms.items() if after.forms.get(i) != form]:
        yield f"are other than imported: {_name(other)}"


def _databases(data_dir: Path) -> list[Path]:
    return [path for path in sorted(data_dir.glob("*")) if path.is_file() and _head(path) == _SQLITE]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))


def _read_tickets(
    connection: sqlite3.Connection, forms: dict[str, Form], messages: dict[str, int], doubled: list[str]
) -> None:
    columns = [name for name in _columns(connection, "message") if name not in _NOT_TEXT]
    threads: dict[int, list[Form]] = {}
    for ticket_id, *message in connection.execute(
        f"SELECT ticket_id, {', '.join(columns)} FROM message ORDER BY ticket_id, position"
    ):
        threads.setdefault(ticket_id, []).append(hash(tuple(message)))
    shown = [name for name in _SHOWN if name in _columns(connection, "ticket")]
    times: Counter[tuple[int, str]] = Counter()
    for ticket_id, source_id, external_id, *texts in connection.execute(
        f"SELECT {', '.join(['id', 'source_id', 'external_id', *shown])} FROM ticket"
    ):
        thread = threads.get(ticket_id, [])
        times[source_id, external_id] += 1
        forms[external_id] = hash((*texts, *thread))
        messages[external_id] = len(thread)
    doubled += [external_id for (_, external_id), count in times.items() if count > 1]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _name(tickets: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(tickets) - NAMED} more" if len(tickets) > NAMED else ""
    return ", ".join(sorted(tickets)[:NAMED]) + more
