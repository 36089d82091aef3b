"""`tldesk summarize --all` at a provider that takes so many requests a minute, on a real socket: all are through, and few are refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Runner
from tests.services.limited_provider import limited_provider

TICKETS, A_MINUTE = 60, 600


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Give an export of tickets, no two alike but the last one, which has the text of the one before."""
    path = tmp_path / "many.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Ticket No", "Title", "Details", "State", "Customer", "Opened"))
        for number in range(TICKETS):
            order = min(number, TICKETS - 2)
            text = f"Order A-{order} arrived broken, and nobody answers my {order + 2} mails about it."
            writer.writerow((f"T-{number}", f"Broken order {order}", text, "open", "Ada", "2026-03-02"))
    return path


@pytest.mark.parametrize("has_headers", [False, True], ids=["silent", "with headers"])
def test_all_are_through_and_few_are_refused(tldesk: Runner, many: Path, tmp_path: Path, has_headers: bool) -> None:
    tldesk("import", str(many))
    with limited_provider(tmp_path / "j", a_minute=A_MINUTE, kind="bucket", headers=has_headers) as provider:
        tldesk("providers", "add", "mine", "--base-url", provider.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "--all", "--jsonl")
        requests = provider.requests()
        again = tldesk("summarize", "--all", "--jsonl")
        assert len(provider.requests()) == len(requests)
    assert (ran.code, ran.err) == (0, "")
    assert {line["state"] for line in ran.lines} == {"complete"}
    assert len({line["ticket"] for line in ran.lines}) == len(ran.lines) == TICKETS
    # Two have one text, and are asked about once.
    assert sum(request.state == "served" for request in requests) == TICKETS - 1
    # A minute's share is small here, so the first refusals, from which the limit is learned, weigh more than in a long queue.
    assert sum(request.state == "refused" for request in requests) <= 5
    assert (again.code, len(again.lines), {line["cached"] for line in again.lines}) == (0, TICKETS, {True})
    kept = {line["ticket"]: (line["text"], line["highlights"]) for line in ran.lines}
    assert kept == {line["ticket"]: (line["text"], line["highlights"]) for line in again.lines}
