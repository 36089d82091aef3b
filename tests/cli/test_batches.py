"""`tldesk summarize --batch` and `tldesk batches`: documents as results are taken in, exit codes, and what an interruption leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.services import batches
from tests.batch_server import KEY, BatchServer, Reply, playing_openai
from tests.cli.conftest import Runner

ROWS = "".join(f"T-{n},Trouble {n},The printer {n} prints blank pages since Monday.,open\n" for n in range(1, 6))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    monkeypatch.setattr(batches, "FIRST_POLL_SECONDS", 0.01)
    with playing_openai(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def desk(tldesk: Runner, tmp_path: Path) -> Runner:
    """Give the command over five tickets and a provider that takes batches."""
    path = tmp_path / "five.csv"
    path.write_text(f"Ticket No,Title,Details,State\n{ROWS}", encoding="utf-8")
    tldesk("import", str(path))
    tldesk("providers", "add", "cloud", "--kind", "openai", "--model", "gpt-4o-mini", "--default")
    return tldesk


def test_a_batch_prints_each_ticket_as_it_is_taken_in(desk: Runner, server: BatchServer) -> None:
    ran = desk("summarize", "--all", "--batch", "--jsonl")
    assert ran.code == 0
    assert sorted(line["ticket"] for line in ran.lines) == [f"five:T-{n}" for n in range(1, 6)]
    assert {(line["state"], line["cached"], line["cost"]) for line in ran.lines} == {("complete", False, 0.000105)}
    assert ran.err.startswith("Batch 1: 5 tickets handed to cloud (api.openai.com).")
    assert len(server.calls("POST", "/v1/chat/completions")) == 0
    again = desk("summarize", "--all", "--batch", "--jsonl")
    assert {(line["state"], line["cached"]) for line in again.lines} == {("complete", True)}
    assert len(server.batches) == 1
    ledger = desk("ledger", "--json").json["requests"]
    assert sum(entry["cost"] or 0 for entry in ledger) == pytest.approx(server.cost_microusd / 1_000_000)
    stats = desk("stats", "--json").json
    assert (stats["calls"], stats["errors"]) == (5, 0)


def test_the_price_as_a_batch_is_half_and_told_without_sending(desk: Runner, server: BatchServer) -> None:
    estimate = desk("summarize", "--all", "--batch", "--estimate", "--json").json
    assert estimate["batch_cost"] == pytest.approx(estimate["cost"] / 2, abs=2e-6)
    assert "as a batch about $" in desk("summarize", "--all", "--batch", "--estimate").out
    ran = desk("summarize", "--all", "--batch", "--max-cost", "0.000001")
    assert (ran.code, "The batch could go over a limit: the cost limit was reached" in ran.err) == (4, True)
    ran = desk("summarize", "--all", "--batch", "--max-tokens", "10")
    assert (ran.code, "the limit of tokens was reached" in ran.err) == (4, True)
    desk("providers", "add", "mine", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    for more in (["--estimate"], []):
        ran = desk("summarize", "--all", "--batch", "--provider", "mine", *more)
        assert (ran.code, "does not take batches" in ran.err) == (4, True)
    assert server.journal == []


def test_what_got_no_answer_is_asked_live(desk: Runner, server: BatchServer) -> None:
    def reply(custom_id: str, body: dict[str, Any]) -> Reply:
        return Reply(status=429, message="slow down") if custom_id in ("ticket-2", "ticket-4") else Reply()

    server.plan.reply = reply
    ran = desk("summarize", "--all", "--batch", "--jsonl")
    assert ran.code == 0
    assert [line["state"] for line in ran.lines] == ["complete"] * 5
    assert sorted(line["cost"] for line in ran.lines) == [0.000105] * 3 + [0.00021] * 2
    assert "asked too often at the moment; it is asked live." in ran.err
    assert len(server.calls("POST", "/v1/chat/completions")) == 2
    ledger = desk("ledger", "--json").json["requests"]
    assert sum(entry["cost"] or 0 for entry in ledger) == pytest.approx(server.cost_microusd / 1_000_000)
    (batch,) = desk("batches", "--json").json["batches"]
    assert (batch["state"], batch["taken"], batch["cost"], batch["cleared"]) == ("completed", 3, 0.000315, True)


def test_batches_are_listed_polled_and_cancelled(desk: Runner, data_dir: Path, server: BatchServer) -> None:
    assert "No batch was handed over yet." in desk("batches").out
    server.plan.states, server.plan.done = ("in_progress",), 2
    _interrupt(data_dir, server)
    assert [b["state"] for b in desk("batches", "poll", "--json").json["batches"]] == ["in_progress"]
    assert desk("batches", "cancel", "1", "--json").json["batches"][0]["state"] == "cancelling"
    ran = desk("summarize", "--all", "--batch", "--jsonl")
    assert (ran.code, sorted(line["state"] for line in ran.lines)) == (3, ["complete"] * 2 + ["failed"] * 3)
    reasons = {line["reason"] for line in ran.lines if line["state"] == "failed"}
    assert reasons == {"The batch at api.openai.com was stopped before this ticket's turn came."}
    assert desk("batches", "cancel", "1").code == 4
    assert desk("batches", "cancel", "7").code == 4
    assert "cancelled" in desk("batches").out


def test_an_interrupted_command_takes_the_batch_up_again(desk: Runner, data_dir: Path, server: BatchServer) -> None:
    server.plan.states = ("in_progress",)
    err = _interrupt(data_dir, server)
    assert "The batch goes on at the provider: the same command takes it up again." in err
    assert KEY not in err
    server.batches["batch_1"].states = ["completed"]
    ran = desk("summarize", "--all", "--batch", "--jsonl")
    assert (ran.code, len(ran.lines)) == (0, 5)
    assert "5 tickets in a batch that runs already." in ran.err
    assert (len(server.batches), server.billed_batch, server.billed_live) == (1, 5, 0)


def _interrupt(data_dir: Path, server: BatchServer) -> str:
    """Run the command as a program of its own and press Ctrl+C once the server was asked how the batch stands; return what it said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "summarize", "--all", "--batch", "--jsonl"],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def interrupt(method: str, path: str) -> None:
        if method == "GET" and path.startswith("/v1/batches/"):
            server.on_request = lambda method, path: None
            child.send_signal(signal.SIGINT)

    server.on_request = interrupt
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    return err
