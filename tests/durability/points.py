"""One point: a data folder as it was before, an import that is cut off there, and everything that must hold afterwards.

What must hold: the program starts and lists; nothing that was there is lost or half changed; nothing that the user was told is in is missing;
the same import again succeeds and ends in exactly the tickets of an undisturbed one; a search finds them all; `integrity_check` is ok all the
time. An import that met an error of the disk says so in one plain sentence and with code 4, or it succeeded all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.durability.contents import Contents, Told, find_differences, find_problems, read_contents, read_told
from tests.durability.exports import MARKER, Exports
from tests.durability.program import Fault, Ran, count_calls, observed_import, tldesk

FAILED = 4
LIST = ("list",)


@dataclass(frozen=True, slots=True)
class Stage:
    """What every point begins with: the exports, a folder with the earlier imports, and what is in it before and after an undisturbed one.

    `calls` are those of the undisturbed import of `tickets.csv`, made by its busiest thread.
    """

    exports: Exports
    folder: Path
    before: Contents
    after: Contents
    calls: dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found at one point. `was_hit` is false when the import ended before it came there."""

    point: str
    was_hit: bool
    problems: tuple[str, ...]


def import_words(exports: Exports, name: str = "tickets") -> tuple[str, ...]:
    """Return the arguments of `tldesk import` for one of the exports."""
    export = getattr(exports, name)
    return (str(export.path), "--source", export.source, "--json")


def set_stage(exports: Exports, folder: Path, *, is_fresh: bool = False) -> Stage:
    """Import what was there before (nothing when `is_fresh`), then the rest undisturbed, and note what stands there."""
    base, whole = folder / "base", folder / "whole"
    for name in () if is_fresh else ("earlier", "older"):
        ran = tldesk(base, "import", *import_words(exports, name))
        assert ran.code == 0, f"The earlier import failed: {ran.err}"
    base.mkdir(exist_ok=True)
    shutil.copytree(base, whole)
    calls = count_calls(whole, *import_words(exports))
    before, after = read_contents(base), read_contents(whole)
    shutil.rmtree(whole)
    there = {} if is_fresh else {**exports.earlier.messages, **exports.older.messages}
    assert before.messages == there, "The earlier imports are not what was written into the files"
    assert after.messages == {**there, **exports.tickets.messages}, "The import is not what was written into the file"
    return Stage(exports, base, before, after, calls)


def kill_at(stage: Stage, fault: Fault, folder: Path, *, commands: Sequence[str] = LIST) -> Outcome:
    """Kill an import at one call, and check; `commands` are those with which the program is started before anything else."""
    return _kill(stage, folder, str(fault), commands, fault=fault)


def kill_after(stage: Stage, seconds: float, folder: Path, *, commands: Sequence[str] = LIST) -> Outcome:
    """Kill an import after a while, and check."""
    return _kill(stage, folder, f"kill after {seconds:.3f} s", commands, kill_after_s=seconds)


def fail_at(stage: Stage, fault: Fault, folder: Path, *, commands: Sequence[str] = LIST) -> Outcome:
    """Let a call of an import fail, and check."""
    shutil.copytree(stage.folder, folder)
    ran = tldesk(folder, "import", *import_words(stage.exports), before=fault.command)
    problems = [*find_bad_words(ran), *check_cut_off(stage, folder, Told(), commands), *check_again(stage, folder)]
    shutil.rmtree(folder)
    return Outcome(str(fault), ran.code != 0, tuple(problems))


def find_bad_words(ran: Ran) -> Iterator[str]:
    """Say what is wrong with how an import that met an error of the disk ended."""
    if ran.code not in (0, FAILED):
        yield "it hung" if ran.code is None else f"it ended with {ran.code}: {_end(ran.err)}"
    if "Traceback" in ran.err or "TLDesk itself" in ran.err:
        yield f"it took the disk's error for its own: {_end(ran.err)}"
    lines = [line for line in ran.err.splitlines() if line.strip()]
    if ran.code == FAILED and (len(lines) != 1 or not lines[0].startswith("Error: ")):
        yield f"it did not say one sentence: {_end(ran.err)}"
    if ran.out.strip() and ran.json is None:
        yield f"what it printed is no JSON document: {_end(ran.out)}"


def check_cut_off(stage: Stage, folder: Path, told: Told, commands: Sequence[str] = LIST) -> Iterator[str]:
    """Check a folder whose import was cut off: the program starts, and what is there is whole."""
    started = {command: tldesk(folder, command, "--json") for command in commands}
    for command, ran in started.items():
        if ran.code != 0 or ran.json is None:
            yield f"`tldesk {command}` does not work: {_end(ran.err or ran.out)}"
    now = read_contents(folder)
    yield from find_problems(now, before=stage.before, after=stage.after, told=told)
    if "list" in started and started["list"].json and started["list"].json["total"] != len(now.forms):
        yield f"the list shows {started['list'].json['total']} tickets of {len(now.forms)}"


def check_again(stage: Stage, folder: Path) -> Iterator[str]:
    """Import the same file again: it succeeds and ends in exactly what an undisturbed import ends in."""
    again = tldesk(folder, "import", *import_words(stage.exports))
    if again.code != 0 or not again.json:
        yield f"the same import again failed: {_end(again.err)}"
    else:
        (counts,) = again.json["files"]
        tickets = counts["tickets_new"] + counts["tickets_updated"] + counts["tickets_unchanged"]
        if tickets != len(stage.exports.tickets.messages):
            yield f"the same import again counts {tickets} tickets of {len(stage.exports.tickets.messages)}"
    yield from find_differences(read_contents(folder), after=stage.after)
    found = tldesk(folder, "list", "--search", MARKER, "--limit", "1", "--json")
    hits = found.json["total"] if found.code == 0 and found.json else _end(found.err)
    if hits != stage.exports.tickets.marked:
        yield f"a search finds {hits} tickets of {stage.exports.tickets.marked}"


def _kill(
    stage: Stage,
    folder: Path,
    point: str,
    commands: Sequence[str],
    *,
    fault: Fault | None = None,
    kill_after_s: float | None = None,
) -> Outcome:
    shutil.copytree(stage.folder, folder)
    acknowledged = folder.with_suffix(".told")
    ran = observed_import(folder, acknowledged, *import_words(stage.exports), fault=fault, kill_after_s=kill_after_s)
    told = read_told(acknowledged)
    problems = [*check_cut_off(stage, folder, told, commands), *check_again(stage, folder)]
    if not ran.was_killed and ran.code != 0:
        problems.append("it hung" if ran.code is None else f"it ended by itself with {ran.code}: {_end(ran.err)}")
    shutil.rmtree(folder)
    acknowledged.unlink(missing_ok=True)
    return Outcome(point, ran.was_killed, tuple(problems))


def _end(text: str) -> str:
    return " ".join(text.split())[-300:] or "nothing was said"
