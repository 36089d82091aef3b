"""Tests of who is asked for a task: who was named, who is set for it, the default, and those that stand in for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, ProviderProfile, TaskModel
from desktop.services.container import Desk
from desktop.services.second_opinion import PURPOSE
from tests.services.conftest import opened_desk


def _add(desk: Desk, name: str, *, fallback: str = "", is_default: bool = False) -> None:
    profile = ProviderProfile(name, "custom", "http://127.0.0.1:1/v1", model=f"{name}-model", fallback=fallback)
    desk.providers.save(profile, make_default=is_default)


async def test_the_route_begins_with_who_was_named_then_the_tasks_own_then_the_default(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        assert desk.providers.route("summarize") == ((BUILT_IN, ""),)
        for name in ("one", "two", "three"):
            _add(desk, name, is_default=name == "one")
        desk.providers.tasks.set(TaskModel("escalation", "two", "large"))
        assert desk.providers.route("summarize") == (("one", "one-model"),)
        assert desk.providers.route("escalation") == (("two", "large"),)
        assert desk.providers.route("escalation", model="tiny") == (("two", "tiny"),)
        assert desk.providers.route("escalation", "three") == (("three", "three-model"),)
        assert desk.providers.route("escalation", "two") == (("two", "two-model"),), "who is named brings its own model"
        assert desk.providers.route("escalation", "three", "other") == (("three", "other"),)
        desk.providers.tasks.set(TaskModel("escalation"))
        assert desk.providers.route("escalation") == (("one", "one-model"),)


async def test_those_that_stand_in_follow_with_their_own_models_and_none_twice(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        _add(desk, "last")
        _add(desk, "middle", fallback="last")
        _add(desk, "first", fallback="middle", is_default=True)
        order = (("first", "x"), ("middle", "middle-model"), ("last", "last-model"))
        assert desk.providers.route("summarize", model="x") == order
        await desk.providers.remove("last")
        assert [name for name, _ in desk.providers.route("summarize")] == ["first", "middle"], "who is gone is left out"
        # As another program may have written it: no save would.
        desk.settings.set(
            "providers",
            [
                {"name": n, "kind": "custom", "base_url": "http://127.0.0.1:1/v1", "fallback": f}
                for n, f in ("ab", "ba")
            ],
        )
        assert [name for name, _ in desk.providers.route("summarize", "a")] == ["a", "b"], "a circle ends"


async def test_what_is_set_for_a_provider_that_is_gone_counts_for_nothing(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        _add(desk, "one", is_default=True)
        _add(desk, "two")
        desk.providers.tasks.set(TaskModel(PURPOSE, "two"))
        assert desk.providers.route(PURPOSE) == (("two", "two-model"),)
        await desk.providers.remove("two")
        assert desk.providers.route(PURPOSE) == (("one", "one-model"),)
        with pytest.raises(DeskError, match="no provider named “two”"):
            desk.providers.route(PURPOSE, "two")


async def test_tasks_are_the_recipes_that_write_and_the_second_opinion(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        desk.recipes.save_own("mine", desk.recipes.copy_of("summarize", "mine"))
        names = [each.task for each in desk.providers.tasks.all()]
        assert names == ["summarize", "closing", "customer-facing", "escalation", "gist", "handover", "mine", PURPOSE]
        with pytest.raises(DeskError, match="no task named “merge”"):
            desk.providers.tasks.set(TaskModel("merge", BUILT_IN))
        with pytest.raises(DeskError, match="no provider named “nobody”"):
            desk.providers.tasks.set(TaskModel("gist", "nobody"))
