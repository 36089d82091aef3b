"""A queue that is killed at work, and begun again: what was stored is not asked for again, nothing is lost, and the ledger knows every request.

What the provider's journal says is compared with what the database says; the two share the hash of each request's body.
"""

from __future__ import annotations

import asyncio
import csv
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from desktop.config.paths import find_paths
from desktop.domain.outgoing import OUTCOME_UNKNOWN
from desktop.services.container import open_desk
from tests.durability.points import Outcome
from tests.services.conftest import import_path
from tests.services.limited_provider import INPUT_TOKENS, OUTPUT_TOKENS, LimitedProvider, limited_provider

A_MINUTE, LATENCY_SECONDS = 3_000, 0.1
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class _Database:
    """What a database says: which tickets have a whole summary, and of each request its ticket, its body's hash, how it ended and what it took."""

    summarized: Counter[int]
    requests: list[tuple[int, str, str, int]]

    def with_state(self, state: str) -> Counter[str]:
        """Return the hashes of the requests that ended so."""
        return Counter(sha256 for _, sha256, found, _ in self.requests if found == state)


def set_queue_stage(folder: Path, *, tickets: int) -> Path:
    """Make a data folder with so many tickets, no two alike, and return it."""
    export, data_dir = folder / "tickets.csv", folder / "stage"
    folder.mkdir(parents=True, exist_ok=True)
    with export.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Ticket No", "Title", "Details", "State", "Customer", "Opened"))
        for number in range(tickets):
            text = f"Order A-{number} arrived broken, and nobody answers my {number + 2} mails about it."
            writer.writerow((f"T-{number}", f"Broken order {number}", text, "open", "Ada", "2026-03-02"))
    asyncio.run(_import(data_dir, export))
    return data_dir


async def _import(data_dir: Path, export: Path) -> None:
    desk = await open_desk(find_paths(data_dir))
    try:
        await import_path(desk, export)
    finally:
        await desk.close()


def kill_queue(stage: Path, folder: Path, *, share: float, seed: int, forgets: bool = False) -> Outcome:
    """Kill a queue some time after this share of its tickets was served, begin it again, and say what is not as it must be.

    `forgets` has it forget what it stored: a control that must not pass.
    """
    shutil.copytree(stage, folder)
    tickets = _count_tickets(folder)
    chance = random.Random(seed)
    journal = folder.with_suffix(".journal")
    journal.touch()
    with limited_provider(journal, a_minute=A_MINUTE, kind="bucket", latency=LATENCY_SECONDS) as provider:
        first = _begin(folder, provider)
        was_hit = _wait_until_served(provider, first, round(tickets * share))
        time.sleep(chance.random() * LATENCY_SECONDS)
        first.kill()
        first.wait()
        asked_before = _taken(provider)
        before = _read(folder)
        if forgets:
            _forget(folder)
        code = _begin(folder, provider).wait(PATIENCE_SECONDS)
        problems = [] if code == 0 else [f"the second program ended with {code}"]
        problems += _compare(tickets, before, asked_before, _read(folder), provider)
    return Outcome(f"after {share:.0%} (seed {seed})", was_hit, tuple(problems))


def _begin(folder: Path, provider: LimitedProvider) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.durability.queue_program", str(folder), provider.base_url])


def _wait_until_served(provider: LimitedProvider, program: subprocess.Popen[bytes], number: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while program.poll() is None and time.monotonic() < deadline:
        if sum(request.state == "served" for request in provider.requests()) >= number:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _taken(provider: LimitedProvider) -> Counter[str]:
    """Return the hashes of the requests that the provider took."""
    return Counter(request.sha256 for request in provider.requests() if request.state != "refused")


def _count_tickets(folder: Path) -> int:
    with closing(sqlite3.connect(find_paths(folder).database)) as connection:
        return int(connection.execute("SELECT count(*) FROM ticket").fetchone()[0])


def _read(folder: Path) -> _Database:
    with closing(sqlite3.connect(find_paths(folder).database)) as connection:
        runs = connection.execute("SELECT ticket_id FROM run WHERE state = 'complete'").fetchall()
        requests = connection.execute(
            "SELECT ticket_id, sha256, state, coalesce(input_tokens, 0) + coalesce(output_tokens, 0) FROM ledger WHERE purpose = 'summarize'"
        ).fetchall()
    return _Database(Counter(ticket_id for (ticket_id,) in runs), requests)


def _forget(folder: Path) -> None:
    with closing(sqlite3.connect(find_paths(folder).database)) as connection, connection:
        connection.execute("DELETE FROM run")
        connection.execute("UPDATE queue_item SET state = 'waiting'")


def _compare(
    tickets: int, before: _Database, asked_before: Counter[str], after: _Database, provider: LimitedProvider
) -> list[str]:
    """Return what is not as it must be."""
    problems: list[str] = []
    came, runs = _taken(provider), after.summarized.total()
    if len(after.summarized) != tickets or runs != tickets:
        problems.append(f"{len(after.summarized)} of {tickets} tickets have a summary, from {runs} runs")
    ticket_of = {sha256: ticket_id for ticket_id, sha256, _, _ in after.requests}
    if stored := {ticket_of[sha256] for sha256 in came - asked_before} & set(before.summarized):
        problems.append(f"{len(stored)} stored summaries were asked for again")
    repeated = Counter({sha256: number - 1 for sha256, number in came.items() if number > 1})
    if unsaid := repeated - after.with_state(OUTCOME_UNKNOWN):
        problems.append(
            f"{unsaid.total()} were asked for again whose first attempt is not said to be {OUTCOME_UNKNOWN}"
        )
    if gone := came - Counter(sha256 for _, sha256, _, _ in after.requests):
        problems.append(f"{gone.total()} requests are in the provider's journal and not in the ledger")
    complete = after.with_state("complete")
    served = Counter(request.sha256 for request in provider.requests() if request.state == "served")
    if made_up := complete - served:
        problems.append(f"{made_up.total()} requests are whole in the ledger that were not served to their end")
    known, each = sum(tokens for *_, tokens in after.requests), INPUT_TOKENS + OUTPUT_TOKENS
    if known != each * complete.total():
        problems.append(f"the ledger knows of {known} tokens, and {complete.total()} answers took {each} each")
    return problems
