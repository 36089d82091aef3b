"""`tldesk ledger` and `tldesk stats`: the documents that scripts read, and what people are shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Runner
from tests.services.ledger_rows import ago, failed, row, write_hits, write_rows


@pytest.fixture
def filled(tldesk: Runner, data_dir: Path) -> None:
    tldesk("list")
    write_rows(
        data_dir / "tldesk.sqlite",
        row(at="2026-11-01T09:00:00Z", model="old"),
        failed(at="2026-11-20T09:00:00Z", message="\x1b[31mred\x07 alarm", model="new"),
        row(at="2026-11-21T09:00:00Z", model="new", cost_microusd=None),
    )
    write_hits(data_dir / "tldesk.sqlite", day="2026-11-21", hits=1, saved=250, model="new")


def test_the_ledger_as_json_since_a_day(tldesk: Runner, filled: None) -> None:
    done = tldesk("ledger", "--since", "2026-11-20", "--format", "json")
    assert done.code == 0
    assert [r["at"] for r in done.json["requests"]] == ["2026-11-21T09:00:00Z", "2026-11-20T09:00:00Z"]
    assert [(r["state"], r["cost"], r["bytes"]) for r in done.json["requests"]] == [
        ("complete", None, 2048),
        ("failed", None, 2048),
    ]
    assert done.json == tldesk("ledger", "--since", "2026-11-20T00:00:00Z", "--json").json
    assert len(tldesk("ledger", "--json").json["requests"]) == 3
    assert tldesk("ledger", "--since", "2999-01-01", "--json").json == {"requests": []}


def test_the_ledger_as_csv(tldesk: Runner, filled: None) -> None:
    table = list(csv.DictReader(io.StringIO(tldesk("ledger", "--format", "csv").out)))
    assert [r["model"] for r in table] == ["new", "new", "old"]
    assert [r["cost"] for r in table] == ["", "", "0.00025"]


def test_people_see_a_table_that_a_terminal_does_not_obey(tldesk: Runner, filled: None) -> None:
    done = tldesk("ledger")
    assert "2 e-mail addresses, 1 name" in done.out
    assert "unknown" in done.out
    assert "$0.0003" in done.out or "$0.0002" in done.out
    assert "red� alarm" in done.out
    assert "\x1b" not in done.out


def test_stats_have_the_promised_keys(tldesk: Runner, filled: None) -> None:
    found = tldesk("stats", "--json", "--by", "model").json
    wanted = {"calls", "errors", "error_rate", "input_tokens", "output_tokens", "cost", "cache_hit_rate"}
    wanted |= {"first_token_seconds", "seconds", "groups"}
    assert set(found) >= wanted
    assert (found["calls"], found["errors"], found["error_rate"]) == (3, 1, 1 / 3)
    assert found["first_token_seconds"] == {"p50": 0.5, "p95": 0.5}
    assert [(g["model"], g["calls"], g["cost"]) for g in found["groups"]] == [("new", 2, None), ("old", 1, 0.00025)]
    assert all(set(g) >= wanted - {"groups"} for g in found["groups"])
    days = tldesk("stats", "--json", "--since", "2026-11-20").json
    assert [(g["day"], g["calls"], g["cache_hits"]) for g in days["groups"]] == [
        ("2026-11-20", 1, 0),
        ("2026-11-21", 1, 1),
    ]


def test_stats_for_people_and_for_an_empty_folder(tldesk: Runner, data_dir: Path) -> None:
    assert tldesk("stats").out == "No calls.\n"
    assert tldesk("ledger").out == "Nothing was sent yet.\n"
    assert tldesk("stats", "--json").json["error_rate"] is None
    write_rows(data_dir / "tldesk.sqlite", row(at=ago(60)), row(at=ago(60), cost_microusd=None))
    done = tldesk("stats", "--by", "provider")
    assert "2 calls, 0 errors (0%)" in done.out
    assert "$0.0003 + 1 unknown" in done.out or "$0.0002 + 1 unknown" in done.out
    assert "work" in done.out


def test_what_cannot_be_meant_is_wrong_usage(tldesk: Runner) -> None:
    assert tldesk("ledger", "--since", "yesterday").code == 2
    assert "is no date" in tldesk("stats", "--since", "2026-13-01").err
    assert tldesk("stats", "--by", "host").code == 2
    assert tldesk("ledger", "--json", "--format", "csv").code == 2
