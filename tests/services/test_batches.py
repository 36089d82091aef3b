"""Batches: what is handed over, what is taken in of whatever comes back, and that nothing is lost or paid for twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.batches import BatchState, RequestState
from desktop.domain.errors import DeskError
from desktop.domain.providers import ProviderProfile
from desktop.domain.queue import QueueStatus
from desktop.domain.runs import Form, RunState, Summary, Support
from desktop.domain.tickets import TicketQuery
from desktop.services import batch_submitting, batches
from desktop.services.container import Desk
from desktop.services.outbound.batching import Batching
from tests.batch_server import HOST, KEY, MODEL, BatchServer, Reply, playing_openai
from tests.services.conftest import import_path, interrupt, opened_desk


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    with playing_openai(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Give an export of five tickets, each with an address that must not leave."""
    path = tmp_path / "tickets.csv"
    write_tickets(path, 5)
    return path


def write_tickets(path: Path, number: int) -> None:
    text = "prints blank pages since Monday. Write to ada{n}@example.org please."
    rows = "".join(f"T-{n},Trouble {n},The printer {n} {text.format(n=n)},open,Ada\n" for n in range(1, number + 1))
    path.write_text(f"Ticket No,Title,Details,State,Customer\n{rows}", encoding="utf-8")


@asynccontextmanager
async def desk_with(data_dir: Path, tickets: Path | None = None) -> AsyncIterator[Desk]:
    async with opened_desk(data_dir, with_sample=False) as desk:
        if tickets is not None:
            await import_path(desk, tickets)
            use_openai(desk)
        yield desk


def use_openai(desk: Desk) -> None:
    profile = ProviderProfile("openai", "openai", f"https://{HOST}/v1", model=MODEL)
    desk.providers.save(profile, make_default=True)


def messages(folder: Path, ticket: str, texts: Sequence[str]) -> Path:
    """Write a table of one ticket's messages."""
    path = folder / f"messages-{ticket}.csv"
    rows = "".join(f"{ticket},Ada,customer,2026-03-02 10:{n:02}:00,{text}\n" for n, text in enumerate(texts))
    path.write_text(f"ticket_id,author,role,created_at,body\n{rows}", encoding="utf-8")
    return path


def odd_exports(folder: Path) -> tuple[Path, Path]:
    """Give two tickets with one text, one that is too long for one request, and one that is too short for any."""
    twin = "The printer prints blank pages since Monday. Please help me soon."
    path = folder / "odd.csv"
    path.write_text(f"Ticket No,Title,Details\nA,Same,{twin}\nB,Same,{twin}\nD,Hi,Hi\n", encoding="utf-8")
    long = "The printer prints blank pages since Monday and nobody knows why. " * 200
    return path, messages(folder, "C", [f"{n} {long}" for n in range(40)])


def change(tickets: Path) -> None:
    """Have the first ticket of an export say something else."""
    text = tickets.read_text(encoding="utf-8")
    tickets.write_text(text.replace("printer 1 prints", "printer 1 eats"), encoding="utf-8")


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def ids_of(desk: Desk) -> list[int]:
    return [await desk.tickets.find(f"T-{n}") for n in range(1, 6)]


async def end(desk: Desk) -> None:
    """Poll until nothing runs any more."""
    for _ in range(10):
        if not await desk.batches.poll():
            return
    raise AssertionError([batch.reason for batch in await desk.batches.batches()])


async def shown(desk: Desk, ticket_id: int) -> Summary:
    summary = (await desk.summaries.open_ticket(ticket_id)).summary
    assert summary is not None
    return summary


def entries(data_dir: Path) -> list[dict[str, Any]]:
    """Read the ledger as any SQLite tool would."""
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM ledger ORDER BY id")]


async def states(desk: Desk) -> Counter[str]:
    """Count what became of all requests of all batches."""
    batches = await desk.batches.batches()
    return Counter(result.state.value for result in await desk.batches.results([batch.id for batch in batches]))


async def test_a_batch_is_handed_over_polled_taken_in_and_cleared(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    seen: list[BatchState] = []
    came: list[int] = []
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        desk.batches.listen(lambda batch: seen.append(batch.state))
        desk.batches.listen_tickets(came.extend)
        (batch,) = await desk.batches.submit(ids)
        assert (batch.requests, batch.state, batch.host) == (5, BatchState.VALIDATING, HOST)
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert (batch.state, batch.taken, batch.is_running, batch.is_cleared) == (BatchState.COMPLETED, 5, False, True)
        for ticket_id in ids:
            summary = await shown(desk, ticket_id)
            assert (summary.state, summary.form, summary.stale) == (RunState.COMPLETE, Form.SECTIONS, False)
            assert [claim.citations for claim in summary.claims] == [("m1.1",), ("m1.1",)]
    assert seen == [BatchState.VALIDATING, BatchState.IN_PROGRESS, BatchState.FINALIZING, BatchState.COMPLETED]
    assert sorted(came) == sorted(ids)
    assert server.files == {}
    (upload,) = server.calls("POST", "/v1/files")
    assert b'filename="tldesk-' in upload.body
    assert all({"stream", "stream_options"}.isdisjoint(line["body"]) for line in server.requests_of_uploads)


async def test_it_costs_half_and_the_ledger_says_what_the_server_did(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        estimate = await desk.summaries.estimate(await ids_of(desk))
        assert estimate.cost_microusd is not None
        assert desk.batches.support().price_share == 0.5
        assert desk.batches.cost_microusd(estimate) == pytest.approx(estimate.cost_microusd / 2, abs=5)
        await desk.batches.submit(await ids_of(desk))
        unknown = [e for e in entries(data_dir) if e["purpose"] == "batch-item"]
        assert [e["state"] for e in unknown] == ["outcome unknown"] * 5
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert batch.cost_microusd == server.cost_microusd == 5 * 105
    found = entries(data_dir)
    items = [e for e in found if e["purpose"] == "batch-item"]
    assert sum(e["cost_microusd"] for e in items) == server.cost_microusd
    assert sum(e["input_tokens"] for e in items) == 5_000
    assert all(e["ticket_id"] and e["run_id"] and e["state"] == "complete" for e in items)
    # Every HTTP request is one entry, and the file is entered as it was sent.
    assert len(found) - len(items) == len(server.journal)
    (file,) = [e for e in found if e["purpose"] == "batch"]
    assert (file["bytes"], file["sha256"]) == (len(server.uploads[0]), hashlib.sha256(server.uploads[0]).hexdigest())
    assert [e["sha256"] for e in items] == [
        hashlib.sha256(line).hexdigest() for line in server.uploads[0].splitlines(keepends=True)
    ]


async def test_what_identifies_people_stays_here_and_comes_back_into_the_summary(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    def echo(custom_id: str, body: dict[str, Any]) -> Reply:
        found = re.search(r"<EMAIL_\d+>", json.dumps(body, ensure_ascii=False))
        assert found
        return Reply(f"Gist: Write to {found[0]}. [m1.2]\nProblem: The printer prints blank pages. [m1.1]\n")

    server.plan.reply = echo
    async with desk_with(data_dir, tickets) as desk:
        (first, *_) = ids = await ids_of(desk)
        await desk.batches.submit(ids)
        await end(desk)
        summary = await shown(desk, first)
        assert "Write to ada1@example.org." in summary.text
        assert [claim.support for claim in summary.claims] == [Support.SUPPORTED, Support.SUPPORTED]
    assert server.uploads
    assert b"example.org" not in b"".join(request.body for request in server.journal)
    (item, *_) = [e for e in entries(data_dir) if e["purpose"] == "batch-item"]
    assert json.loads(item["redactions_json"])["email"] == 1
    assert KEY.encode() not in all_bytes(data_dir)


@pytest.mark.parametrize("when", ["before the file", "after the file", "after the batch"])
async def test_a_program_that_was_killed_takes_the_batch_up_where_it_was(
    data_dir: Path, server: BatchServer, tickets: Path, when: str
) -> None:
    """A child process hands over and is killed as the server sees a certain request: what the child did not learn is found out."""
    async with desk_with(data_dir, tickets):
        pass
    places = {"before the file": "POST /v1/files", "after the file": "POST /v1/batches", "after the batch": "GET /v1/b"}
    await asyncio.to_thread(_hand_over_and_die, data_dir, server, places[when], is_served=when != "before the file")
    async with desk_with(data_dir) as desk:
        ids = await ids_of(desk)
        await end(desk)
        handed = await desk.batches.hand_over(ids)
        if when == "before the file":
            assert len(handed.submitted) == 5
            await end(desk)
        else:
            assert sorted(handed.cached) == sorted(ids)
        assert [(await shown(desk, ticket_id)).state for ticket_id in ids] == [RunState.COMPLETE] * 5
    assert len(server.batches) == 1
    assert server.billed_batch == 5
    assert server.files == {}


async def test_of_whatever_comes_back_the_answers_are_taken_and_the_rest_is_asked_live(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    def reply(custom_id: str, body: dict[str, Any]) -> Reply:
        return Reply(status=500, message="Sorry.") if custom_id.endswith(f"-{refused}") else Reply()

    def reshape(lines: list[bytes]) -> list[bytes]:
        by_id = {json.loads(line)["custom_id"]: line for line in lines}
        missing = by_id.pop(f"ticket-{lost}")
        assert missing
        kept = list(reversed(by_id.values()))
        foreign = kept[0].replace(b'"ticket-', b'"strange-')
        other = kept[-1].replace(b"The customer wrote", b"Another answer")
        return [
            b"no json {\n",
            b"\n",
            b"[1, 2]\n",
            b'"x"\n',
            *kept,
            other,
            foreign,
            b'{"custom_id": 5}\n',
            kept[0][:-40],
        ]

    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        refused, lost = ids[1], ids[3]
        server.plan.reply, server.plan.reshape = reply, reshape
        (batch,) = await desk.batches.submit(ids)
        await end(desk)
        results = {r.ticket_id: r for r in await desk.batches.results([batch.id])}
        assert {id_ for id_, r in results.items() if r.state is RequestState.DONE} == set(ids) - {refused, lost}
        assert results[refused].state is results[lost].state is RequestState.RETRY
        assert "error 500" in results[refused].reason
        for ticket_id in set(ids) - {refused, lost}:
            assert (await shown(desk, ticket_id)).gist == "The customer wrote."
        handed = await desk.batches.hand_over(ids)
        assert (set(handed.live), handed.batches) == ({refused, lost}, ())
        assert (await desk.batches.batches())[0].is_cleared
    states = {e["ticket_id"]: e["state"] for e in entries(data_dir) if e["purpose"] == "batch-item"}
    assert (states[refused], states[lost]) == ("failed", "outcome unknown")
    assert len(server.batches) == 1


@pytest.mark.parametrize("state", ["expired", "cancelled"])
async def test_what_an_early_end_left_is_taken_in(
    data_dir: Path, server: BatchServer, tickets: Path, state: str
) -> None:
    server.plan.states, server.plan.done = ("in_progress", state), 3
    async with desk_with(data_dir, tickets) as desk:
        (batch,) = await desk.batches.submit(await ids_of(desk))
        if state == "cancelled":
            await desk.batches.poll()
            stopped = await desk.batches.cancel(batch.id)
            assert stopped.state is BatchState.CANCELLING
        await end(desk)
        left = RequestState.DROPPED if state == "cancelled" else RequestState.RETRY
        assert await states(desk) == {"done": 3, left.value: 2}
        (batch,) = await desk.batches.batches()
        assert (batch.state.value, batch.taken, batch.cost_microusd) == (state, 3, 3 * 105)
        with pytest.raises(DeskError, match="ended already"):
            await desk.batches.cancel(batch.id)
    assert server.files == {}


async def test_a_batch_that_is_refused_as_a_whole_says_why_and_asks_nobody_again(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    server.plan.states = ("validating", "failed")
    server.plan.problem = "Enqueued token limit reached for gpt-4o-mini."
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        await desk.batches.submit(ids)
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert (batch.state, batch.reason) == (BatchState.FAILED, "Enqueued token limit reached for gpt-4o-mini.")
        assert await states(desk) == {"dropped": 5}
        server.plan.states = ("completed",)
        assert len((await desk.batches.hand_over(ids)).submitted) == 5
        await end(desk)
        assert await states(desk) == {"dropped": 5, "done": 5}


async def test_results_that_are_gone_and_a_batch_that_nobody_knows_end_it(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        server.plan.faults["GET", "/v1/files/file-out-batch_1"] = [404]
        await desk.batches.submit(ids)
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert batch.reason == f"the results were no longer at {HOST}"
        assert await states(desk) == {"retry": 5}
        server.plan.faults["GET", "/v1/batches/batch_2"] = [404]
        await desk.batches.submit(ids, recipe="gist")
        # What an address that knows nothing of batches says is no word about the batch.
        server.plan.faults["GET", "/v1/batches?"] = [404]
        (batch,) = await desk.batches.poll()
        assert "knows no such address" in batch.reason
        del server.batches["batch_2"]
        await end(desk)
        (batch, _) = await desk.batches.batches()
        assert (batch.state, batch.reason) == (BatchState.FAILED, f"{HOST} knows this batch no longer")


async def test_a_provider_in_trouble_is_asked_again_later_and_nothing_is_done_twice(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    server.plan.states = ("completed",)
    server.plan.faults = {
        ("POST", "/v1/batches"): [503],
        ("GET", "/v1/batches/batch_1"): [500],
        ("GET", "/v1/files/file-err"): [],
        ("GET", "/v1/files/file-out"): [503],
        ("DELETE", "/v1/files/file-out"): [500],
    }
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        (batch,) = await desk.batches.submit(ids)
        assert (batch.state, "error 503" in batch.reason) == (BatchState.UPLOADED, True)
        assert set((await desk.batches.hand_over(ids)).running) == set(ids)
        await end(desk)
        (batch,) = await desk.batches.batches()
        assert (batch.state, batch.taken, batch.is_cleared) == (BatchState.COMPLETED, 5, False)
        assert "its files are still at" in batch.reason
        await desk.batches.poll()
        (batch,) = await desk.batches.batches()
        assert batch.is_cleared
        assert [(await desk.summaries.open_ticket(i)).version_count for i in ids] == [1] * 5
    assert (len(server.batches), server.billed_batch) == (1, 5)


async def test_a_file_that_cannot_be_sent_leaves_the_tickets_free(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    server.plan.faults["POST", "/v1/files"] = [401]
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        with pytest.raises(DeskError, match="did not accept the key"):
            await desk.batches.submit(ids)
        assert await desk.batches.batches() == ()
        assert len((await desk.batches.hand_over(ids)).submitted) == 5
        await end(desk)
    items = [e["state"] for e in entries(data_dir) if e["purpose"] == "batch-item"]
    assert Counter(items) == {"failed": 5, "complete": 5}


async def test_a_ticket_that_changed_meanwhile_has_a_summary_of_what_it_was(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        (first, *_) = ids = await ids_of(desk)
        await desk.batches.submit(ids)
        change(tickets)
        await import_path(desk, tickets)
        await end(desk)
        summary = await shown(desk, first)
        assert (summary.state, summary.stale) == (RunState.COMPLETE, True)
        assert not (await shown(desk, ids[1])).stale
        assert list((await desk.batches.hand_over(ids)).submitted) == [first]
        await end(desk)
        assert not (await shown(desk, first)).stale


async def test_a_ticket_that_grew_is_checked_as_it_was(data_dir: Path, server: BatchServer, tmp_path: Path) -> None:
    first, second = "The order 4711 is late. Please look into it soon.", "It has arrived in the meantime."
    server.plan.reply = lambda custom_id, body: Reply("Gist: The order 4711 is late. [m1.1]\n")
    async with desk_with(data_dir) as desk:
        await import_path(desk, messages(tmp_path, "M-1", [first]))
        use_openai(desk)
        ticket_id = await desk.tickets.find("M-1")
        await desk.batches.submit([ticket_id])
        await import_path(desk, messages(tmp_path, "M-1", [first, second]))
        await end(desk)
        summary = await shown(desk, ticket_id)
        assert (summary.stale, summary.newer_messages, summary.coverage.messages) == (True, 1, 1)
        assert summary.claims[0].support is Support.SUPPORTED


async def test_what_is_too_much_for_one_file_goes_in_several(
    data_dir: Path, server: BatchServer, tickets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_submitting, "MOST_REQUESTS_A_FILE", 2)
    async with desk_with(data_dir, tickets) as desk:
        batches = await desk.batches.submit(await ids_of(desk))
        assert [batch.requests for batch in batches] == [2, 2, 1]
        await end(desk)
        assert await states(desk) == {"done": 5}
        monkeypatch.setattr(batch_submitting, "MOST_REQUESTS_A_FILE", 50_000)
        monkeypatch.setattr(batch_submitting, "MOST_BYTES_A_FILE", len(server.uploads[0]))
        batches = await desk.batches.submit(await ids_of(desk), refresh=True)
        assert [batch.requests for batch in batches] == [2, 2, 1]
        await end(desk)


async def test_tickets_that_take_more_than_one_request_and_twins_are_not_in_the_file(
    data_dir: Path, server: BatchServer, tmp_path: Path
) -> None:
    async with desk_with(data_dir) as desk:
        for path in odd_exports(tmp_path):
            await import_path(desk, path)
        use_openai(desk)
        a, b, c, d = [await desk.tickets.find(name) for name in "ABCD"]
        handed = await desk.batches.hand_over([a, b, c, d])
        assert (set(handed.submitted), set(handed.live)) == ({a, b}, {c, d})
        assert handed.batches[0].requests == 1
        await end(desk)
        results = {r.ticket_id: r.state for r in await desk.batches.results([handed.batches[0].id])}
        # The twin is asked live, which finds what its twin got.
        assert results == {a: RequestState.DONE, b: RequestState.RETRY}
        assert (await desk.batches.hand_over([b])).cached == (b,)
        desk.settings.set("second_opinion", True)
        assert (await desk.batches.hand_over([a], refresh=True)).live == (a,)


async def test_who_does_not_take_batches_and_who_is_locked_out_is_not_asked(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        desk.providers.save(ProviderProfile("mine", "custom", "http://127.0.0.1:9/v1", model="m"))
        assert not desk.batches.support("mine").is_offered
        with pytest.raises(DeskError, match="does not take batches"):
            await desk.batches.submit(ids, provider="mine")
        desk.settings.set("local_only", True)
        with pytest.raises(DeskError, match="locked to this machine"):
            await desk.batches.submit(ids)
        assert server.journal == []
        desk.settings.set("local_only", False)
        await desk.batches.submit(ids)
        before = len(server.journal)
        desk.settings.set("local_only", True)
        (batch,) = await desk.batches.poll()
        assert "locked to this machine" in batch.reason
        assert len(server.journal) == before
        await desk.batches.forget(batch.id)
        assert await states(desk) == {"dropped": 5}
        assert await desk.batches.poll() == ()


async def test_a_provider_that_moved_is_not_told_of_the_batch(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        await desk.batches.submit(await ids_of(desk))
        before = len(server.journal)
        desk.providers.save(ProviderProfile("openai", "custom", "http://127.0.0.1:9/v1", model=MODEL))
        (batch,) = await desk.batches.poll()
        assert batch.reason == f"openai is at 127.0.0.1 now, the batch is at {HOST}."
        assert len(server.journal) == before


async def test_it_is_polled_in_the_background_and_two_programs_do_not_take_in_twice(
    data_dir: Path, server: BatchServer, tickets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "FIRST_POLL_SECONDS", 0.01)
    over = asyncio.Event()
    async with desk_with(data_dir, tickets) as desk, desk_with(data_dir) as other:
        for each in (desk, other):
            each.batches.listen(lambda batch: None if batch.is_running else over.set())
            each.batches.start_polling()
        await desk.batches.submit(await ids_of(desk))
        await asyncio.wait_for(over.wait(), 20)
        assert await states(desk) == {"done": 5}
        assert [(await desk.summaries.open_ticket(i)).version_count for i in await ids_of(desk)] == [1] * 5


async def test_a_large_batch_is_tried_out_with_one_ticket_so_that_a_refused_parameter_is_not_refused_for_all(
    data_dir: Path, server: BatchServer, tmp_path: Path
) -> None:
    def reply(custom_id: str, body: dict[str, Any]) -> Reply:
        is_refused = "temperature" in body
        return Reply(status=400, message="Unsupported value: 'temperature'.") if is_refused else Reply()

    server.plan.reply = reply
    many = tmp_path / "many.csv"
    write_tickets(many, 25)
    async with desk_with(data_dir) as desk:
        await import_path(desk, many)
        use_openai(desk)
        ids = (await desk.tickets.ids(TicketQuery())).tolist()
        handed = await desk.batches.hand_over(ids)
        ((first, run_id),) = handed.written
        assert (first, len(handed.submitted)) == (ids[0], 24)
        assert (await desk.summaries.version(first, run_id)).state is RunState.COMPLETE
        await end(desk)
        assert await states(desk) == {"done": 24}
    # Once refused, once answered; nobody was asked live again.
    assert len(server.calls("POST", "/v1/chat/completions")) == 2
    assert (server.billed_live, server.billed_batch) == (1, 24)


async def test_a_key_that_is_refused_is_told_before_anything_is_handed_over(
    data_dir: Path, server: BatchServer, tmp_path: Path
) -> None:
    server.plan.reply = lambda custom_id, body: Reply(status=401)
    many = tmp_path / "many.csv"
    write_tickets(many, 25)
    async with desk_with(data_dir) as desk:
        await import_path(desk, many)
        use_openai(desk)
        with pytest.raises(DeskError, match="did not accept the key"):
            await desk.batches.submit((await desk.tickets.ids(TicketQuery())).tolist())
    assert server.uploads == []


async def test_results_that_broke_off_are_fetched_once_more(data_dir: Path, server: BatchServer, tickets: Path) -> None:
    server.plan.states = ("completed",)
    server.plan.reshape = lambda lines: lines[:2]
    async with desk_with(data_dir, tickets) as desk:
        await desk.batches.submit(await ids_of(desk))
        (batch,) = await desk.batches.poll()
        assert (batch.taken, batch.is_running) == (2, True)
        name, _ = server.files["file-out-batch_1"]
        server.batches["batch_1"].state = "in_progress"
        server.plan.reshape = lambda lines: lines
        assert await desk.batches.poll() == ()
        assert (name, await states(desk)) == ("file-out-batch_1.jsonl", {"done": 5})
        assert [(await desk.summaries.open_ticket(i)).version_count for i in await ids_of(desk)] == [1] * 5


async def test_a_model_that_declines_or_writes_no_sentence_is_judged_as_live(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    texts = {
        0: Reply("I'm sorry, but I cannot help with that."),
        1: Reply("<think>hm</think>Gist: The customer wrote. [m1.1]\n"),
        2: Reply("Gist: The customer", finish="length"),
        3: Reply(""),
        4: Reply("The customer wrote that pages are blank. [m1.1]"),
    }
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        server.plan.reply = lambda custom_id, body: texts[ids.index(int(custom_id.removeprefix("ticket-")))]
        (batch,) = await desk.batches.submit(ids)
        await end(desk)
        runs = {r.ticket_id: r.run_id for r in await desk.batches.results([batch.id])}
        found = [await desk.summaries.version(i, runs[i]) for i in ids]
    assert [s.state.value for s in found] == ["failed", "complete", "incomplete", "incomplete", "complete"]
    assert found[0].text == ""
    assert (found[1].thinking, found[1].gist) == ("hm", "The customer wrote.")
    assert found[2].reason == "stopped at the length limit"
    assert found[4].form is Form.PLAIN


async def test_the_queue_hands_over_lists_what_is_in_a_batch_and_asks_live_for_what_got_no_answer(
    data_dir: Path, server: BatchServer, tickets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "FIRST_POLL_SECONDS", 0.01)
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        quote = await desk.queue.quote(ids)
        assert quote.offers_batch
        assert quote.batch_cost_microusd == pytest.approx((quote.estimate.cost_microusd or 0) / 2, abs=5)
        refused = f"ticket-{ids[2]}"
        server.plan.reply = lambda custom_id, body: Reply(status=500) if custom_id == refused else Reply()
        (batch,) = await desk.queue.submit_batch(ids)
        assert (await desk.queue.status()).submitted == 5
        assert {item.batch_id for item in await desk.queue.items()} == {batch.id}
        await desk.queue.start()
        await wait_for_queue(desk, lambda status: status.done == 5)
        status = await desk.queue.status()
        assert (status.failed, status.spent_microusd) == (0, 4 * 105 + 210)
        assert [(await shown(desk, ticket_id)).state for ticket_id in ids] == [RunState.COMPLETE] * 5
    assert (server.billed_batch, server.billed_live) == (4, 1)


async def test_a_batch_that_could_go_over_a_cap_is_not_handed_over_and_one_that_was_cancelled_fails_its_items(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    server.plan.states = ("in_progress",)
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        desk.settings.set("max_cost_day", 0.000001)
        with pytest.raises(DeskError, match="the cost limit of a day"):
            await desk.queue.submit_batch(ids)
        assert server.journal == []
        desk.settings.set("max_cost_day", 1.0)
        (batch,) = await desk.queue.submit_batch(ids)
        await desk.batches.cancel(batch.id)
        await end(desk)
        status = await desk.queue.status()
        assert (status.failed, status.submitted) == (5, 0)
        assert "stopped before this ticket's turn" in (await desk.queue.items())[0].reason


async def test_what_is_in_batches_counts_towards_a_cap(data_dir: Path, server: BatchServer, tickets: Path) -> None:
    server.plan.states = ("in_progress",)
    async with desk_with(data_dir, tickets) as desk:
        ids = await ids_of(desk)
        most = (await desk.summaries.estimate(ids[:2])).most_tokens
        desk.settings.set("max_tokens_run", most + most // 4)
        (batch,) = await desk.queue.submit_batch([*ids[:2], 999_999])
        assert batch.requests == 2
        with pytest.raises(DeskError, match="the limit of tokens"):
            await desk.queue.submit_batch(ids[2:4])
        assert len(server.batches) == 1


async def test_what_was_given_up_while_it_was_handed_over_is_never_begun(
    data_dir: Path, server: BatchServer, tickets: Path
) -> None:
    async with desk_with(data_dir, tickets) as desk:
        handing = asyncio.create_task(desk.queue.submit_batch(await ids_of(desk)))
        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, Batching, "upload", handing.cancel, is_over=True)
            with pytest.raises(asyncio.CancelledError):
                await handing
        assert len(server.uploads) == 1
        await end(desk)
        status = await desk.queue.status()
    assert server.batches == {}
    assert (status.submitted, server.billed_batch) == (0, 0)
    assert any(line.startswith("DELETE") for line in [f"{each.method} {each.path}" for each in server.journal])


async def wait_for_queue(desk: Desk, is_so: Callable[[QueueStatus], bool]) -> None:
    reached = asyncio.Event()
    remove = desk.queue.listen(lambda status: reached.set() if is_so(status) else None)
    try:
        await asyncio.wait_for(reached.wait(), 20)
    finally:
        remove()


def _hand_over_and_die(data_dir: Path, server: BatchServer, place: str, *, is_served: bool) -> None:
    """Have a child hand the tickets over, and kill it when the server sees a request: before it is served, or right after."""
    method, path = place.split()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.services.test_batches", str(data_dir)], cwd=Path(__file__).parents[2]
    )

    def kill(seen_method: str, seen_path: str) -> None:
        if (seen_method, seen_path.startswith(path)) == (method, True):
            child.kill()
            child.wait()
            server.on_request = lambda method, path: None
            if not is_served:
                raise ConnectionResetError

    server.on_request = kill
    child.wait(timeout=60)
    assert child.returncode == -9


async def _hand_over(data_dir: Path) -> None:
    async with desk_with(data_dir) as desk:
        await desk.batches.submit(await ids_of(desk))
        await desk.batches.poll()


if __name__ == "__main__":
    asyncio.run(_hand_over(Path(sys.argv[1])))
