"""How long do many tickets take: those whose summaries are there already, and those that a provider is asked about as fast as it lets one?

- `--cached 100000` tickets with stored summaries through `tldesk summarize --all --jsonl`, to the last line, with the requests that it took (none).
- `--asked 2000` tickets at a provider of this machine that takes `--a-minute 6000` requests: wall time over the limit's own time, the share of
requests that
  were refused, and our CPU time a ticket, which must not be what it waits for. `--kind` says how the provider counts.

Left out: making the tickets, and storing the summaries that are there, which are written straight into the database.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from measured import REPOSITORY, Figure, arguments, make_tickets, report

sys.path.insert(0, str(REPOSITORY))

from desktop.config.paths import find_paths
from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import CheckedClaim, Claim, Coverage, RunState, Summary, Support, Usage
from desktop.domain.tickets import TicketQuery
from desktop.services.container import Desk, open_desk
from desktop.storage.runs import NewRun, finish_run, insert_run
from tests.services.conftest import import_path
from tests.services.limited_provider import limited_provider

STORED_AT_ONCE = 2_000


async def store_summaries(desk: Desk, ids: Sequence[int]) -> None:
    """Write a summary of every ticket, as if each had been asked for."""
    target = desk.target()
    recipe, name = desk.recipes.load("summarize"), await desk.summaries.namer("summarize", target)
    assert name is not None
    claims = tuple(
        CheckedClaim(Claim(section, "The customer was charged twice.", ("m1.1",)), Support.SUPPORTED, 0.9, ("m1.1",))
        for section in ("Gist", "Problem", "Situation", "Next step")
    )
    model = Summary(0, RunState.COMPLETE, text="Gist: The customer was charged twice. [m1.1]", gist="Charged twice.")
    model = replace(model, claims=claims, coverage=Coverage(1, 1), provider=target.name, model=target.model)
    model = replace(model, recipe=recipe.name, recipe_version=recipe.version, usage=Usage(400, 80), cost_microusd=0)
    for start in range(0, len(ids), STORED_AT_ONCE):
        part = ids[start : start + STORED_AT_ONCE]
        hashes = await desk.summaries._tickets.content_hashes(part)

        def write(connection: object, hashes: dict[int, str] = hashes) -> None:
            for ticket_id, content_hash in hashes.items():
                run = NewRun(
                    ticket_id=ticket_id,
                    task="summarize",
                    recipe=recipe.name,
                    recipe_version=recipe.version,
                    recipe_digest=recipe.digest,
                    provider=target.name,
                    model=target.model,
                    cache_key=name(content_hash),
                    text_key="",
                    content_hash=content_hash,
                    message_count=1,
                    messages_hash="",
                )
                run_id = insert_run(connection, run)  # type: ignore[arg-type]
                finish_run(connection, run_id, replace(model, ticket_id=ticket_id), (), releases_pin=False)  # type: ignore[arg-type]

        await desk._database.write(write)


async def prepare(data_dir: Path, tickets: Path, base_url: str, *, is_stored: bool) -> None:
    """Import tickets, name a provider, and store their summaries."""
    desk = await open_desk(find_paths(data_dir))
    try:
        await import_path(desk, tickets)
        desk.providers.save(ProviderProfile("mock", "custom", base_url, model="m"), make_default=True)
        if is_stored:
            ids: array[int] = await desk.tickets.ids(TicketQuery())
            await store_summaries(desk, ids.tolist())
    finally:
        await desk.close()


def summarize(data_dir: Path) -> tuple[float, float, list[dict[str, object]]]:
    """Run the command; return its wall time, its CPU time, and its documents."""
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "summarize", "--all", "--jsonl"]
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        documents = [json.loads(line) for line in out]
    if process.returncode:
        raise SystemExit(f"tldesk summarize failed with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, documents


def measure_cached(folder: Path, number: int) -> list[Figure]:
    """Measure tickets whose summaries are there."""
    tickets, journal = folder / "cached.csv", folder / "cached.jsonl"
    make_tickets(number, tickets)
    with limited_provider(journal, a_minute=6_000) as provider:
        asyncio.run(prepare(folder / "cached", tickets, provider.base_url, is_stored=True))
        seconds, cpu, documents = summarize(folder / "cached")
        requests = len(provider.requests())
    assert len(documents) == number
    assert all(document["cached"] for document in documents)
    return [
        Figure(f"{number:,} cached tickets, wall", "s", seconds, "aim", 30.0 * number / 100_000, 1.0),
        Figure(f"{number:,} cached tickets, CPU", "s", cpu, "wall", seconds),
        Figure("requests for them", "", float(requests), "aim", 0.0),
    ]


def measure_asked(folder: Path, number: int, a_minute: int, kind: str, latency: float) -> list[Figure]:
    """Measure tickets that a provider is asked about."""
    tickets, journal = folder / "asked.csv", folder / "asked.jsonl"
    make_tickets(number, tickets)
    with limited_provider(journal, a_minute=a_minute, kind=kind, latency=latency) as provider:
        asyncio.run(prepare(folder / "asked", tickets, provider.base_url, is_stored=False))
        seconds, cpu, documents = summarize(folder / "asked")
        requests = provider.requests()
    assert len(documents) == number
    assert all(document["state"] == "complete" for document in documents)
    refused = sum(request.state == "refused" for request in requests)
    own = number / a_minute * 60
    return [
        Figure(
            f"{number:,} tickets at {a_minute:,} a minute ({kind}), wall", "s", seconds, "limit's own time", own, 1.10
        ),
        Figure("requests that were refused", "", float(refused), "requests", float(len(requests)), 0.02),
        Figure("CPU a ticket", "ms", cpu / number * 1_000, "time a ticket that the limit leaves", own / number * 1_000),
    ]


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--cached", type=int, default=100_000, help="tickets whose summaries are there (100000)")
    parser.add_argument("--asked", type=int, default=2_000, help="tickets that are asked about (2000)")
    parser.add_argument("--a-minute", type=int, default=6_000, help="requests that the provider takes a minute (6000)")
    parser.add_argument("--kind", choices=("window", "sliding", "bucket"), default="window", help="how it counts them")
    parser.add_argument("--latency", type=float, default=0.3, help="seconds until it answers (0.3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = measure_cached(folder, options.cached) if options.cached else []
        if options.asked:
            figures += measure_asked(folder, options.asked, options.a_minute, options.kind, options.latency)
    report(figures, as_json=options.json)


if __name__ == "__main__":
    main()
