"""The exports of the durability tests: made up, seeded, and large enough that an import takes its time.

Three files of one help desk's life. `earlier.csv` is another source, imported long before: nobody may touch it. `older.csv` holds the first
tenth of the tickets as they were last week, `tickets.csv` all of them as they are now: so its import changes old tickets and adds new ones.
What a test must know of them (`Export`) is known from writing them, not from reading them back through the program.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 20261125
COMMENT_COLUMNS = 5
EARLIER_TICKETS = 300
MARKER = "zanzibar"
"""A word that stands in every seventh ticket of `tickets.csv` and nowhere else, so that a search for it has a known number of hits."""
MARKED_EVERY = 7
_WORDS = (
    "please thanks issue error login password reset account invoice billing refund payment card charge order shipping delivery address email update "
    "upgrade version crash slow timeout server network license key subscription cancel renew trial plan admin permission denied token export import "
    "report dashboard search attachment upload file backup restore outage urgent customer team reply yesterday today always sometimes when click"
).split()
_PEOPLE = ("Ada Ortiz", "Bo Lindqvist", "Chidi Okafor", "Dana Weiss", "Emi Sato", "Farid Haddad")
_JIRA = ("Issue key", "Issue id", "Summary", "Issue Type", "Status", "Priority", "Reporter", "Assignee", "Created")
_STATES = ("Open", "In Progress", "Resolved", "Closed")


@dataclass(frozen=True, slots=True)
class Export:
    """One file: its tickets by external id, each with the number of its messages. `marked` is how many hold the marker."""

    path: Path
    source: str
    messages: dict[str, int]
    marked: int = 0


@dataclass(frozen=True, slots=True)
class Exports:
    """The three files."""

    earlier: Export
    older: Export
    tickets: Export


def write_exports(folder: Path, *, tickets: int) -> Exports:
    """Write the three files into `folder`; `older.csv` holds every ticket up to a tenth of `tickets`."""
    earlier = Export(folder / "earlier.csv", "earlier-desk", {f"OLD-{n:05}": 2 + n % 3 for n in range(EARLIER_TICKETS)})
    _write(earlier.path, ("conversation_id", "part_type", "author", "created_at", "body"), _parts(earlier))
    counts = {f"DSK-{n:06}": 1 + random.Random(SEED + n).randint(0, COMMENT_COLUMNS) for n in range(tickets)}
    whole = Export(folder / "tickets.csv", "support-desk", counts, marked=len(range(0, tickets, MARKED_EVERY)))
    before = dict.fromkeys(list(counts)[: tickets // 10], 1)
    older = Export(folder / "older.csv", whole.source, before)
    header = (*_JIRA, "Description", *(["Comment"] * COMMENT_COLUMNS))
    _write(older.path, header, (_row(n, 1, is_old=True) for n in range(len(before))))
    _write(whole.path, header, (_row(n, count) for n, count in enumerate(counts.values())))
    return Exports(earlier, older, whole)


def _row(number: int, messages: int, *, is_old: bool = False) -> list[str]:
    chance = random.Random(SEED * 31 + number)
    person, other = chance.sample(_PEOPLE, 2)
    created = f"{1 + number % 28:02}/Mar/26 {number % 24:02}:{number % 60:02}"
    body = _text(chance, 12, 30)
    if number % MARKED_EVERY == 0 and not is_old:
        body += f" {MARKER}"
    comments = [
        f"{1 + number % 28:02}/Apr/26 {8 + place:02}:15;{other if place % 2 else person};{_text(chance, 6, 20)}"
        for place in range(messages - 1)
    ]
    state = "Open" if is_old else chance.choice(_STATES)
    head = [
        f"DSK-{number:06}",
        str(10_000 + number),
        _text(chance, 4, 8),
        "Support",
        state,
        "High",
        person,
        other,
        created,
    ]
    return [*head, body, *comments, *([""] * (COMMENT_COLUMNS - len(comments)))]


def _parts(export: Export) -> Iterator[list[str]]:
    for number, (external_id, messages) in enumerate(export.messages.items()):
        chance = random.Random(SEED * 17 + number)
        for place in range(messages):
            at = f"2026-01-{1 + number % 28:02}T{8 + place:02}:00:00Z"
            yield [external_id, "comment", _PEOPLE[(number + place) % len(_PEOPLE)], at, _text(chance, 10, 40)]


def _text(chance: random.Random, fewest: int, most: int) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(fewest, most))).capitalize()


def _write(path: Path, header: tuple[str, ...], rows: Iterator[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
