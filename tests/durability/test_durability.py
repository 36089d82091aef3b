"""A few points of `make durability`, with fewer tickets: enough to notice when a change lets an import lose or double something.

Like the journeys these tests need a tool of the system, strace; `make test` installs it. Where there is none (macOS and Windows have no such
tool, and some containers forbid it), they are skipped, and the run's summary says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability.control import KEY, without_key
from tests.durability.exports import write_exports
from tests.durability.plan import plan_faults, plan_kills, spread
from tests.durability.points import Stage, fail_at, kill_at, set_stage
from tests.durability.program import Fault, why_not_here

TICKETS = 1_200
# Each start of the program takes most of a second, so what follows the kill at once is the same import again.
WHY_NOT = why_not_here()

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it can be run here")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Give the exports, and a data folder with earlier imports in it."""
    folder = tmp_path_factory.mktemp("durability")
    return set_stage(write_exports(folder, tickets=TICKETS), folder)


@pytest.mark.parametrize(
    ("call", "share"),
    [("pwrite64", 0.1), ("pwrite64", 0.5), ("pwrite64", 0.9), ("fdatasync", 0.3), ("fdatasync", 0.8), ("unlink", 1.0)],
)
def test_an_import_killed_at_a_call_loses_nothing_and_doubles_nothing(
    stage: Stage, call: str, share: float, tmp_path: Path
) -> None:
    outcome = kill_at(stage, Fault(call, max(1, round(stage.calls[call] * share))), tmp_path / "data", commands=())
    assert outcome.was_hit
    assert outcome.problems == ()


@pytest.mark.parametrize(
    ("call", "share", "error"), [("pwrite64", 0.2, "ENOSPC"), ("pwrite64", 0.5, "ENOSPC"), ("fdatasync", 0.5, "EIO")]
)
def test_a_disk_that_fails_is_said_in_one_sentence_and_the_import_resumes(
    stage: Stage, call: str, share: float, error: str, tmp_path: Path
) -> None:
    outcome = fail_at(
        stage, Fault(call, round(stage.calls[call] * share), error, lasts=True), tmp_path / "data", commands=()
    )
    assert outcome.was_hit
    assert outcome.problems == ()


def test_a_database_without_its_key_does_not_pass(stage: Stage, tmp_path: Path) -> None:
    keyless = without_key(stage, tmp_path / "keyless", KEY)
    # The last write of all, if it comes so far without the key's index: every ticket is in, and each comes a second time with the same import again.
    outcome = kill_at(keyless, Fault("pwrite64", stage.calls["pwrite64"]), tmp_path / "data", commands=())
    assert outcome.problems


def test_the_points_are_as_many_as_asked_for_and_reach_from_the_first_call_to_the_last() -> None:
    calls = {"pwrite64": 9_000, "fdatasync": 30, "ftruncate": 2, "unlink": 0}
    for planned, count in ((plan_kills(calls, 200), 200), (plan_faults(calls, 50), 50)):
        assert len(planned) == count
        assert len(set(planned)) == count
        assert all(1 <= fault.number <= calls[fault.call] for fault in planned)
        assert {1, 9_000} <= {fault.number for fault in planned if fault.call == "pwrite64"}
    assert spread(3, 10) == [1, 2, 3]
