"""What the benchmarks share: the tickets they measure on, and how a figure is shown beside its peer's."""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_GENERATOR = REPOSITORY.parent / "shared" / "bench" / "make_tickets.py"
COLUMNS = (
    "id subject description status priority requester assignee tags created_at updated_at organisation channel".split()
)
WORDS = (
    "please thank hello issue problem error login password reset account invoice billing refund payment card charge order shipping "
    "delivery address email update upgrade install version crash slow timeout server network license key subscription cancel renew "
    "trial plan user admin permission denied token webhook integration export import report dashboard search attachment upload file "
    "backup restore database migration outage urgent customer team support ticket reply yesterday today always sometimes when click"
).split()


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its peer's, in the same unit; `ratio` is ours divided by the peer's, `most` what it may be (0: no aim)."""

    name: str
    unit: str
    ours: float
    peer_name: str
    peer: float
    most: float = 0.0

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--rows", type=int, default=100_000, help="how many rows to import (100000)")
    return parser


def report(figures: list[Figure], *, as_json: bool) -> None:
    """Print the figures as a table or as JSON."""
    if as_json:
        print(json.dumps({"figures": [{**asdict(f), "ratio": f.ratio} for f in figures]}))
        return
    for f in figures:
        aim = f" (at most {f.most:.2f})" if f.most else ""
        print(f"{f.name:44} {f.ours:12,.1f} {f.unit:8} {f.peer_name:44} {f.peer:12,.1f}  ×{f.ratio:.2f}{aim}")


def make_tickets(rows: int, path: Path) -> None:
    """Write a seeded ticket export: by the shared generator where it and numpy are at hand, else by a plain one of the same columns."""
    if SHARED_GENERATOR.is_file():
        done = subprocess.run(
            [sys.executable, str(SHARED_GENERATOR), str(rows), str(path)], capture_output=True, check=False
        )
        if done.returncode == 0:
            return
    print("(the shared generator could not be run: plainer tickets of the same size are used)", file=sys.stderr)
    chance = random.Random(20260101)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            body = " ".join(chance.choices(WORDS, k=chance.randint(50, 240)))
            day = f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02}T10:00:00Z"
            people = (f"user{chance.randint(0, 40_000)}@org.example", f"agent{chance.randint(0, 120)}")
            words = (
                " ".join(chance.choices(WORDS, k=6)).capitalize(),
                body,
                chance.choice(["open", "pending", "solved"]),
                "high",
            )
            writer.writerow([100_000 + number, *words, *people, "billing,refund", day, day, "Org, Inc.", "email"])
