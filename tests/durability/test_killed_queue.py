"""Three of the moments of `make durability` at which a queue at work is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability.killed_queue import kill_queue, set_queue_stage

TICKETS = 40


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with tickets that nobody summarized yet."""
    return set_queue_stage(tmp_path_factory.mktemp("killed-queue"), tickets=TICKETS)


@pytest.mark.parametrize(("share", "seed"), [(0.05, 1), (0.4, 2), (0.8, 3)])
def test_a_killed_queue_asks_for_nothing_again_that_is_stored_and_loses_nothing(
    stage: Path, tmp_path: Path, share: float, seed: int
) -> None:
    outcome = kill_queue(stage, tmp_path / "data", share=share, seed=seed)
    assert outcome.was_hit
    assert outcome.problems == ()


def test_a_queue_that_forgets_what_it_stored_does_not_pass(stage: Path, tmp_path: Path) -> None:
    outcome = kill_queue(stage, tmp_path / "data", share=0.5, seed=4, forgets=True)
    assert any("asked for again" in problem for problem in outcome.problems)
