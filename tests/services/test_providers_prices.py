"""Tests of what the user is told that a model costs, and of what the user says it costs: unknown is never 0, this machine always is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, ModelPrice, ProviderProfile
from desktop.domain.runs import Usage
from desktop.services.container import Desk
from desktop.services.price_wording import describe_price, dollars
from tests.services.conftest import opened_desk

CLOUD = ProviderProfile("cloud", "openai", "https://api.openai.com/v1", model="gpt-4o-mini")
HERE = ProviderProfile("here", "custom", "http://127.0.0.1:1/v1", model="small")
USAGE = Usage(1_000_000, 1_000_000)


def _cost(desk: Desk, provider: str, model: str = "") -> int | None:
    return desk.providers._outbound.cost_microusd(desk.target(provider, model), USAGE)


async def test_a_price_is_known_unknown_or_nothing(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        for profile in (CLOUD, HERE):
            desk.providers.save(profile)
        assert desk.prices.of("cloud") == ModelPrice("api.openai.com", "gpt-4o-mini", 0.15, 0.075, 0.6)
        assert desk.prices.of("cloud", "gpt-9") == ModelPrice("api.openai.com", "gpt-9")
        for local in ("here", BUILT_IN):
            price = desk.prices.of(local)
            assert (price.is_local, price.input, price.output) == (True, 0.0, 0.0)
        assert describe_price(desk.prices.of("cloud")) == "$0.15 input, $0.075 cached, $0.60 output a million tokens"
        assert describe_price(desk.prices.of("cloud", "gpt-9")) == "unknown"
        assert "nothing" in describe_price(desk.prices.of("here"))
        assert (_cost(desk, "cloud", "gpt-9"), _cost(desk, "here")) == (None, 0)


async def test_a_price_of_ones_own_counts_at_once_and_can_be_taken_back(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        desk.providers.save(CLOUD)
        unknown = desk.prices.of("cloud", "gpt-9")
        saved = desk.prices.save(replace(unknown, input=2.0, output=8.0))
        assert saved == replace(unknown, input=2.0, cached_input=2.0, output=8.0)
        assert _cost(desk, "cloud", "gpt-9") == 10_000_000
        assert desk.prices.path.parent == data_dir
        desk.prices.save(replace(desk.prices.of("cloud"), output=1.0))
        assert _cost(desk, "cloud") == 1_150_000
        assert desk.prices.save(replace(saved, input=None, cached_input=None, output=None)) == unknown
        assert desk.prices.save(ModelPrice("api.openai.com", "gpt-4o-mini")).output == 0.6, "the program's own is back"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"input": 1.0}, "price-bad"),
        ({"output": 1.0}, "price-bad"),
        ({"input": -1.0, "output": 1.0}, "price-bad"),
        ({"input": float("nan"), "output": 1.0}, "price-bad"),
        ({"input": 1.0, "output": float("inf")}, "price-bad"),
        ({"model": "", "input": 1.0, "output": 1.0}, "price-bad"),
        ({"is_local": True, "input": 1.0, "output": 1.0}, "price-local"),
    ],
)
async def test_what_is_no_price_is_refused(data_dir: Path, changes: dict[str, object], code: str) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        with pytest.raises(DeskError) as refused:
            desk.prices.save(replace(ModelPrice("api.openai.com", "gpt-9"), **changes))  # type: ignore[arg-type]
        assert refused.value.code == code
        assert refused.value.remedy
        assert not desk.prices.path.exists()


async def test_a_mistake_in_the_file_is_told_and_the_file_left_as_it_is(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        text = '[hosts."api.openai.com"]\n"gpt-9" = { input = "two" }\n'
        desk.prices.path.write_text(text, encoding="utf-8")
        assert "line 2" in desk.prices.warning
        with pytest.raises(DeskError, match="line 2"):
            desk.prices.save(ModelPrice("api.openai.com", "gpt-9", 1.0, 1.0, 1.0))
        assert desk.prices.path.read_text(encoding="utf-8") == text


def test_dollars_say_as_much_as_there_is() -> None:
    assert [dollars(amount) for amount in (None, 0.0, 0.6, 2.5, 10.0, 0.075, 0.000_001)] == [
        "unknown",
        "$0.00",
        "$0.60",
        "$2.50",
        "$10.00",
        "$0.075",
        "$0.000001",
    ]
