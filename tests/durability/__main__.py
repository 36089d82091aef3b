"""`make durability`: kills, errors of the disk and full disks at some 350 points of an import of 20,000 tickets, 20 kills of a queue, a verdict.

It says on standard error how far it is and at once what it finds; the result is a table, or with `--json` one JSON document, on standard output.
The exit code is 0 when every point held and the control did not, 1 when not, 2 where it cannot be run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path

from tests.durability import plan
from tests.durability.control import CONSTRAINT, KEY, without_key
from tests.durability.exports import write_exports
from tests.durability.killed_queue import kill_queue, set_queue_stage
from tests.durability.plan import Sizes
from tests.durability.points import Outcome, Stage, fail_at, import_words, kill_after, kill_at, set_stage
from tests.durability.program import Fault, observed_import, why_not_here
from tests.durability.small_disk import fill_disk, why_no_disk_here

POINTS = tuple(field.name for field in fields(Sizes) if field.name != "tickets")
QUEUE_TICKETS = 200
EXAMINED_EVERY = 10
"""`tldesk doctor` loads the built-in model, so it is asked at every tenth point only; `tldesk list` at each."""
SAID_EVERY = 10
LEAST_HIT = 0.95
"""Where a thread's own timing decides how many calls it makes, a last call may not come; more than that must not escape."""

Try = Callable[[Path], Outcome]


@dataclass
class Group:
    """Points of one kind, and what was found. `skipped` says in words why none was tried."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str = ""

    @property
    def hit(self) -> int:
        return sum(outcome.was_hit for outcome in self.outcomes)

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.problems]

    def as_json(self) -> dict[str, object]:
        """Return the group's figures, and every problem by its point."""
        return {
            "points": len(self.outcomes),
            "hit": self.hit,
            "failed": len(self.failed),
            "seconds": round(self.seconds, 1),
            "skipped": self.skipped or None,
            "problems": [{"point": outcome.point, "problems": outcome.problems} for outcome in self.failed],
        }


class Run:
    """One long run in a folder of its own."""

    def __init__(self, folder: Path, sizes: Sizes, *, parallel: int) -> None:
        self._folder = folder
        self._sizes = sizes
        self._threads = ThreadPoolExecutor(parallel)
        self._tried = 0
        self.is_whole = False
        self.groups: list[Group] = []
        self.controls: list[Group] = []

    def run(self) -> None:
        """Try everything."""
        sizes = self._sizes
        exports = write_exports(self._folder, tickets=sizes.tickets)
        say(f"{sizes.tickets} tickets, {sum(exports.tickets.messages.values())} messages; one undisturbed import")
        stage = set_stage(exports, self._make("stage"))
        fresh = set_stage(exports, self._make("fresh-stage"), is_fresh=True)
        say(f"calls of its busiest thread: {stage.calls}")
        kills = plan.plan_kills(stage.calls, sizes.kills - sizes.fresh_kills)
        self._try("killed at a call", self._kills(stage, kills))
        first = plan.plan_first_kills(fresh.calls, sizes.fresh_kills)
        self._try("killed at a call, new folder", self._kills(fresh, first))
        delays = plan.plan_delays(self._time(stage), sizes.random_kills)
        self._try("killed at random", [self._kill_after(stage, s, n) for n, s in enumerate(delays)])
        faults = plan.plan_faults(stage.calls, sizes.faults - sizes.fresh_faults)
        self._try("an error of the disk", [self._fail(stage, fault) for fault in faults])
        first = plan.plan_first_faults(sizes.fresh_faults)
        self._try("an error of the disk, new folder", [self._fail(fresh, fault) for fault in first])
        self._try_full_disks(stage)
        self._try_queues()
        for control in (CONSTRAINT, KEY):
            keyless = without_key(stage, self._folder / f"without-{control}", control)
            later = [Fault("pwrite64", stage.calls["pwrite64"] * part // 4) for part in (2, 3, 4)]
            self._try(f"control without the {control}", self._kills(keyless, later), is_control=True)
        self.is_whole = True

    def close(self) -> None:
        """Let the points that are being tried come to their end, and try no more."""
        self._threads.shutdown(cancel_futures=True)

    @property
    def has_passed(self) -> bool:
        """Tell whether all points held and were hit, and the control without a key failed as it must."""
        held = all(not group.failed for group in self.groups)
        hit = all(group.hit >= LEAST_HIT * len(group.outcomes) for group in self.groups[:2])
        return self.is_whole and held and hit and self.bites

    @property
    def verdict(self) -> str:
        """Say in one word how it ended; `stopped` before its end, and nothing had failed until then."""
        if self.has_passed:
            return "passed"
        return "failed" if self.is_whole or any(group.failed for group in self.groups) else "stopped"

    @property
    def bites(self) -> bool:
        """Tell whether the harness fails where nothing prevents doubles."""
        return bool(self.controls and self.controls[-1].failed)

    def _kills(self, stage: Stage, faults: Iterable[Fault]) -> list[Try]:
        return [self._kill(stage, fault, number) for number, fault in enumerate(faults)]

    def _kill(self, stage: Stage, fault: Fault, number: int) -> Try:
        return lambda folder: kill_at(stage, fault, folder, commands=_commands(number))

    def _kill_after(self, stage: Stage, seconds: float, number: int) -> Try:
        return lambda folder: kill_after(stage, seconds, folder, commands=_commands(number))

    def _fail(self, stage: Stage, fault: Fault) -> Try:
        return lambda folder: fail_at(stage, fault, folder)

    def _try_full_disks(self, stage: Stage) -> None:
        size = stage.exports.tickets.path.stat().st_size // 1024
        rooms = [size * (1 + n) // (1 + self._sizes.full_disks) for n in range(self._sizes.full_disks)]
        reason = why_no_disk_here()
        group = self._try("a full disk", [] if reason else [self._fill(stage, room) for room in rooms])
        group.skipped = reason

    def _fill(self, stage: Stage, room_kb: int) -> Try:
        return lambda folder: fill_disk(stage, folder, room_kb)

    def _try_queues(self) -> None:
        stage = set_queue_stage(self._make("queue"), tickets=QUEUE_TICKETS)
        shares = plan.plan_delays(0.95, self._sizes.queue_kills)
        self._try("a queue killed at work", [self._kill_queue(stage, share, n) for n, share in enumerate(shares)])

    def _kill_queue(self, stage: Path, share: float, number: int) -> Try:
        return lambda folder: kill_queue(stage, folder, share=share, seed=number)

    def _time(self, stage: Stage) -> float:
        """Measure how long an import takes while another runs beside it."""
        copies = [shutil.copytree(stage.folder, self._folder / f"timed-{n}") for n in range(2)]
        words = import_words(stage.exports)
        began = time.monotonic()
        list(self._threads.map(lambda copy: observed_import(copy, copy.with_suffix(".told"), *words), copies))
        return time.monotonic() - began

    def _make(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder

    def _try(self, name: str, points: Sequence[Try], *, is_control: bool = False) -> Group:
        """Try points, some at a time, and say how far it is."""
        began = time.monotonic()
        group = Group(name)
        (self.controls if is_control else self.groups).append(group)

        def work(point: Try) -> Outcome:
            self._tried += 1
            return point(self._folder / f"point-{self._tried}-{id(point)}")

        for number, outcome in enumerate(self._threads.map(work, points), start=1):
            group.outcomes.append(outcome)
            group.seconds = time.monotonic() - began
            for problem in outcome.problems:
                say(f"  {name}, {outcome.point}: {problem}")
            if number % SAID_EVERY == 0 or number == len(points):
                say(f"{name}: {number} of {len(points)}, {len(group.failed)} failed, {group.seconds:.0f} s")
        return group


def _commands(number: int) -> tuple[str, ...]:
    return ("list", "doctor") if number % EXAMINED_EVERY == 0 else ("list",)


def say(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


def report(run: Run, sizes: Sizes, seconds: float, *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        document = {
            "verdict": run.verdict,
            "tickets": sizes.tickets,
            "groups": {group.name: group.as_json() for group in run.groups},
            "controls": {group.name: group.as_json() for group in run.controls},
            "control_fails_as_it_must": run.bites,
            "seconds": round(seconds, 1),
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for group in [*run.groups, *run.controls]:
        figures = (
            f"{len(group.outcomes):4} points, {group.hit:4} hit, {len(group.failed):4} failed, {group.seconds:6.0f} s"
        )
        print(f"{group.name:34} {f'skipped: {group.skipped}' if group.skipped else figures}")
    if run.is_whole:
        print(f"The control {'fails, as it must' if run.bites else 'does not fail: this test proves nothing'}.")
    print(f"{run.verdict.upper()} with {sizes.tickets} tickets in {seconds:.0f} s")


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--tickets", type=int, default=Sizes().tickets, help="how many tickets are imported")
    parser.add_argument("--share", type=float, default=1.0, help="the share of all points that is tried, 0 to 1")
    parser.add_argument("--parallel", type=int, default=2, help="how many imports run at a time")
    options = parser.parse_args()
    if reason := why_not_here():
        say(f"Nothing was tried: {reason}.")
        return 2
    points = {name: max(2, round(getattr(Sizes(), name) * options.share)) for name in POINTS}
    sizes = Sizes(tickets=options.tickets, **points)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tldesk-durability-") as name:
        run = Run(Path(name), sizes, parallel=options.parallel)
        try:
            run.run()
        except KeyboardInterrupt:
            say("Stopped: what was tried so far is told below.")
        finally:
            run.close()
    report(run, sizes, time.monotonic() - began, as_json=options.json)
    return 0 if run.has_passed else 1


if __name__ == "__main__":
    sys.exit(main())
