"""Prices: known or unknown, never guessed; the user's own table counts at once, and a mistake in it is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.config.paths import find_paths
from desktop.domain.errors import DeskError
from desktop.domain.runs import Usage
from desktop.llm.prices import Price, PriceTable, load_prices, save_price

SHIPPED = find_paths().resources / "prices.toml"
OPENAI = "api.openai.com"
USAGE = Usage(1_000, 100, 400)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Name a file of the user's that is not there yet."""
    return tmp_path / "prices.toml"


def write(path: Path, text: str) -> None:
    """Write a file as an editor does: another one in its place."""
    other = path.with_suffix(".new")
    other.write_text(text, encoding="utf-8")
    other.replace(path)


def test_a_known_call_costs_what_its_tokens_cost_the_cached_ones_less() -> None:
    table = load_prices(SHIPPED)
    # 600 × 0.15 + 400 × 0.075 + 100 × 0.60 dollars a million tokens.
    assert table.cost_microusd(host=OPENAI, model="gpt-4o-mini", usage=USAGE) == 180
    assert table.cost_microusd(host=OPENAI, model="gpt-4o-mini-2024-07-18", usage=USAGE) == 180
    assert table.batch_cost_microusd(host=OPENAI, model="gpt-4o-mini", usage=USAGE) == 90
    assert table.price(host=OPENAI, model="gpt-4o-mini") == Price(0.15, 0.075, 0.60)


@pytest.mark.parametrize(
    ("host", "model", "usage"),
    [
        (OPENAI, "gpt-9", USAGE),
        ("gateway.example", "gpt-4o-mini", USAGE),
        (OPENAI, "gpt-4o-mini-audio", USAGE),
        (OPENAI, "gpt-4o-mini", Usage()),
        (OPENAI, "gpt-4o-mini", Usage(input_tokens=5)),
    ],
)
def test_what_is_not_known_costs_unknown_and_never_nothing(host: str, model: str, usage: Usage) -> None:
    table = load_prices(SHIPPED)
    assert table.cost_microusd(host=host, model=model, usage=usage) is None
    assert table.batch_cost_microusd(host=host, model=model, usage=usage) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "models.localhost"])
def test_a_model_on_this_machine_costs_nothing(host: str) -> None:
    assert load_prices(SHIPPED).cost_microusd(host=host, model="any", usage=Usage()) == 0


def test_the_users_own_prices_lie_over_the_shipped_ones(own: Path) -> None:
    write(
        own,
        '[hosts."api.openai.com"]\nbatch_share = 0.25\n"gpt-4o-mini" = { input = 1, output = 2 }\n'
        '[hosts."GW.example"]\n"x/y" = { input = 10.0, cached_input = 1.0, output = 0 }\n'
        "[hosts.localhost]\nproxied = { input = 3, output = 3 }\n",
    )
    table = load_prices(SHIPPED, own)
    assert table.warning == ""
    assert table.price(host=OPENAI, model="gpt-4o-mini") == Price(1, 1, 2)
    assert table.price(host=OPENAI, model="gpt-4o") == Price(2.5, 1.25, 10)
    assert table.price(host="gw.example", model="x/y") == Price(10, 1, 0)
    assert table.price(host="localhost", model="proxied") == Price(3, 3, 3)
    assert table.batch_cost_microusd(host=OPENAI, model="gpt-4o-mini", usage=USAGE) == 300
    assert table.batch_share("gw.example") is None


def test_a_file_that_changes_counts_at_once(own: Path) -> None:
    table = load_prices(SHIPPED, own)
    assert table.price(host="gw.example", model="m") is None
    write(own, '[hosts."gw.example"]\nm = { input = 1, output = 2 }\n')
    assert table.price(host="gw.example", model="m") == Price(1, 1, 2)
    write(own, '[hosts."gw.example"]\nm = { input = 7, output = 2 }\n')
    assert table.price(host="gw.example", model="m") == Price(7, 7, 2)
    own.unlink()
    assert table.price(host="gw.example", model="m") is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = 1\n[hosts."x"\n', 2, "expected"),
        ('[hosts.x]\n# m = 1\nm2 = { input = 1, output = 1 }\nm = { input = "1", output = 2 }\n', 4, "“input”"),
        ("[hosts.x]\nm = { input = -1, output = 2 }\n", 2, "“input”"),
        ("[hosts.x]\nm = { input = nan, output = 2 }\n", 2, "“input”"),
        ("[hosts.x]\nm = { input = true, output = 2 }\n", 2, "“input”"),
        ("[hosts.x]\n\nm = { input = 1 }\n", 3, "“output” is missing"),
        ("[hosts.x]\nm = { input = 1, output = 2, outptu = 3 }\n", 2, "“outptu”"),
        ("[hosts.x]\nm = 1\n", 2, "a model needs"),
        ("[hosts.x]\nbatch_share = 'half'\n", 2, "“batch_share”"),
        ("[hosts]\nx = 1\n", 2, "“x”"),
        ("hosts = 1\n", 1, "“hosts”"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_shipped_prices_hold(
    own: Path, text: str, line: int, words: str
) -> None:
    write(own, text)
    table = load_prices(SHIPPED, own)
    assert f"{own} are not used: line {line}: " in table.warning
    assert words in table.warning
    assert table.price(host=OPENAI, model="gpt-4o") == Price(2.5, 1.25, 10)
    with pytest.raises(DeskError, match=f"line {line}"):
        save_price(own, "x", model="m", price=Price(1, 1, 1))
    assert own.read_text(encoding="utf-8") == text
    own.unlink()
    assert table.warning == ""


def test_a_file_that_is_no_text_or_no_file_is_told_too(own: Path) -> None:
    own.write_bytes(b"# fine\n\xff\xfe\n")
    assert "line 2: the file is not UTF-8" in load_prices(SHIPPED, own).warning
    own.unlink()
    own.mkdir()
    assert "not used" in load_prices(SHIPPED, own).warning


def test_a_shipped_table_that_is_broken_is_an_installation_that_is(tmp_path: Path) -> None:
    with pytest.raises(DeskError) as caught:
        PriceTable(tmp_path / "nowhere.toml")
    assert caught.value.code == "prices-broken"


def test_a_saved_price_counts_and_keeps_the_others(own: Path) -> None:
    table = load_prices(SHIPPED, own)
    save_price(own, "gw.example", model="a/b", price=Price(1.5, 0.5, 3))
    assert table.price(host="gw.example", model="a/b") == Price(1.5, 0.5, 3)
    assert own.stat().st_mode & 0o077 == 0
    write(own, f"# Mine since 2026.\n{own.read_text(encoding='utf-8')}\n[hosts.other]\nbatch_share = 0.1\n")
    save_price(own, "gw.example", model="c", price=Price(2, 2, 2))
    save_price(own, "gw.example", model="a/b", price=None)
    assert table.price(host="gw.example", model="a/b") is None
    assert table.price(host="gw.example", model="c") == Price(2, 2, 2)
    assert table.batch_share("other") == 0.1
    assert own.read_text(encoding="utf-8").startswith("# Mine since 2026.\n# Prices of your own")
    assert [path.name for path in own.parent.iterdir()] == ["prices.toml"]
