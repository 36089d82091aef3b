"""How long does an import take, beside the tools that people use for it? Each in a process of its own, in one run, on the same file.

- `sqlite-utils insert --pk id --csv`, then `enable-fts --create-triggers`: the rows and a full-text index that follows them. Ours adds threads,
  content hashes, rejects and a way back. `tldesk import` ends when the index is whole.
- `sqlite3 .import`: the rows and nothing else, beside the time until the query of the window's list returns all tickets. Where there is no sqlite3
  shell, Python's csv and sqlite3 modules stand in for it, and the table says so.
- `sqlite-utils upsert` of the same file again, beside our import of the same file again.

CPU time is that of the process and its children; memory is the largest resident set. With `--large`, ours once more with so many rows: memory and
the time a row must stay the same. Left out: generating the file.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from measured import REPOSITORY, Figure, arguments, make_tickets, report

POLL_SECONDS = 0.02
LIST_QUERY = "SELECT ticket.id FROM ticket ORDER BY ticket.updated_at DESC, ticket.id DESC"
"""What the window asks for when it opens."""
SHELL_STAND_IN = """
import csv, sqlite3, sys
csv.field_size_limit(10**9)
rows = csv.reader(open(sys.argv[2], newline="", encoding="utf-8")); names = next(rows)
with sqlite3.connect(sys.argv[1]) as db:
    db.execute(f"CREATE TABLE tickets ({', '.join(names)})")
    db.executemany(f"INSERT INTO tickets VALUES ({', '.join('?' * len(names))})", rows)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took. `visible_seconds` until all rows stood in the list, where that was watched."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    visible_seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds, max(self.peak_mb, other.peak_mb)
        )


def run(command: Sequence[str | Path], *, database: Path | None = None, rows: int = 0) -> Cost:
    """Run a command to its end; with a database, watch when its list has all rows."""
    began = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    seen: list[float] = []
    watching = threading.Event()
    watcher = threading.Thread(target=_watch, args=(database, rows, began, seen, watching))
    if database is not None:
        watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watching.set()
    if database is not None:
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    # Kilobytes on Linux, bytes on macOS.
    peak_mb = usage.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak_mb, seen[0] if seen else seconds)


def _watch(database: Path, rows: int, began: float, seen: list[float], is_over: threading.Event) -> None:
    while not is_over.wait(POLL_SECONDS):
        if database.exists():
            with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
                try:
                    # The count from the smallest index first, so that looking does not slow down what is looked at.
                    if connection.execute("SELECT max(id) FROM ticket").fetchone()[0] == rows:
                        assert len(connection.execute(LIST_QUERY).fetchall()) == rows
                        seen.append(time.perf_counter() - began)
                        return
                except sqlite3.OperationalError:
                    pass  # not made yet


def measure_ours(folder: Path, csv_path: Path, rows: int) -> tuple[Cost, Cost]:
    """Import a file into a fresh folder, then again."""
    command: list[str | Path] = [sys.executable, "-m", "desktop", "--data-dir", folder, "import", csv_path, "--json"]
    first = run(command, database=folder / "tldesk.sqlite", rows=rows)
    again = run(command)
    shutil.rmtree(folder)
    return first, again


def measure_peers(folder: Path, csv_path: Path) -> tuple[Cost, Cost]:
    """Insert with an index, then upsert the same rows."""
    tool, database = [sys.executable, "-m", "sqlite_utils"], folder / "peer.db"
    stored = run([*tool, "insert", database, "tickets", csv_path, "--csv", "--pk", "id"])
    indexed = run([*tool, "enable-fts", database, "tickets", "subject", "description", "--create-triggers"])
    again = run([*tool, "upsert", database, "tickets", csv_path, "--csv", "--pk", "id"])
    database.unlink()
    return stored + indexed, again


def measure_shell(folder: Path, csv_path: Path) -> tuple[str, Cost]:
    """Store the rows with the sqlite3 shell, or with what stands in for it."""
    database = folder / "shell.db"
    if shell := shutil.which("sqlite3"):
        name, cost = "sqlite3 .import", run([shell, database, ".mode csv", f'.import "{csv_path}" tickets'])
    else:
        name = "csv and sqlite3 of Python (no sqlite3 shell)"
        cost = run([sys.executable, "-c", SHELL_STAND_IN, database, csv_path])
    database.unlink()
    return name, cost


def measure(folder: Path, rows: int, large: int) -> list[Figure]:
    """Measure everything on one file, ours and the peers' alternating."""
    csv_path = folder / "tickets.csv"
    make_tickets(rows, csv_path)
    run([sys.executable, "-m", "desktop", "--data-dir", folder / "warm", "list"])
    shell_name, shell = measure_shell(folder, csv_path)
    ours, again = measure_ours(folder / "ours", csv_path, rows)
    peer, peer_again = measure_peers(folder, csv_path)
    both = "sqlite-utils insert + enable-fts"
    figures = [
        Figure("import, wall", "s", ours.seconds, both, peer.seconds, most=0.40),
        Figure("import, CPU", "s", ours.cpu_seconds, both, peer.cpu_seconds, most=0.65),
        Figure("all tickets in the list", "s", ours.visible_seconds, shell_name, shell.seconds, most=2.5),
        Figure("the same file again", "s", again.seconds, "sqlite-utils upsert", peer_again.seconds, most=0.15),
        Figure("the same file again, CPU", "s", again.cpu_seconds, "sqlite-utils upsert", peer_again.cpu_seconds),
        Figure("peak memory", "MB", max(ours.peak_mb, again.peak_mb), "the aim", 200.0, most=1.0),
    ]
    if large:
        csv_path.unlink()
        make_tickets(large, csv_path)
        big, big_again = measure_ours(folder / "large", csv_path, large)
        named = f"with {rows:,} rows"
        peak_mb = max(big.peak_mb, big_again.peak_mb)
        per_row, big_per_row = 1e6 * ours.seconds / rows, 1e6 * big.seconds / large
        cpu_per_row, big_cpu_per_row = 1e6 * ours.cpu_seconds / rows, 1e6 * big.cpu_seconds / large
        figures += [
            Figure(f"a row of {large:,}, wall", "µs", big_per_row, named, per_row, most=1.3),
            Figure(f"a row of {large:,}, CPU", "µs", big_cpu_per_row, named, cpu_per_row),
            Figure(f"peak memory with {large:,} rows", "MB", peak_mb, "the aim", 200.0, most=1.0),
        ]
    return figures


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--large", type=int, default=0, help="import so many rows as well, to see that a row costs the same"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tldesk-bench-") as name:
        figures = measure(Path(name), options.rows, options.large)
    report(figures, as_json=options.json)


if __name__ == "__main__":
    main()
