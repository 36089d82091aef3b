"""The queue: what waits is asked about as fast as the provider bears, survives a restart, and is paused, moved and taken out as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.domain.providers import ProviderProfile
from desktop.domain.queue import ItemState, QueueStatus
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, good_stream, refusal, words
from desktop.services.container import Desk
from desktop.services.queue import CLOSED_BADLY
from tests.services.conftest import import_path, opened_desk, summarize

ANSWER = "Gist: It was solved. [m1.1]\nProblem: Something did not work. [m1.1]\n"
SLOW = good_stream(ANSWER, pause_seconds=0.1)
UNREPORTED = Script((*words(ANSWER), chunk(finish="stop"), DONE))


async def ids_of(desk: Desk, number: int = 0) -> list[int]:
    ids = (await desk.tickets.ids(TicketQuery())).tolist()
    return ids[:number] if number else ids


async def status_when(desk: Desk, is_so: Callable[[QueueStatus], bool]) -> QueueStatus:
    """Wait until the queue is at something, and return it as it is then."""
    reached: asyncio.Future[QueueStatus] = asyncio.get_running_loop().create_future()

    def look(status: QueueStatus) -> None:
        if is_so(status) and not reached.done():
            reached.set_result(status)

    remove = desk.queue.listen(look)
    look(await desk.queue.status())
    try:
        async with asyncio.timeout(30):
            return await reached
    finally:
        remove()


async def idle(desk: Desk) -> QueueStatus:
    return await status_when(desk, lambda status: status.is_idle)


async def stopped(desk: Desk) -> QueueStatus:
    return await status_when(desk, lambda status: status.is_paused and not status.running)


async def test_what_is_put_in_is_summarized(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 6)
            changed: set[int] = set()
            desk.queue.listen_items(changed.update)
            assert await desk.queue.add(ids) == 6
            status = await idle(desk)
            assert (status.done, status.failed, status.tokens > 0, status.spent_microusd) == (6, 0, True, 0)
            assert len(server.bodies) == 6
            items = await desk.queue.items()
            assert {item.ticket_id for item in items} == set(ids) == changed
            assert all(item.state is ItemState.DONE and not item.is_cached for item in items)
            assert set((await desk.queue.states(ids)).values()) == {ItemState.DONE}


async def test_what_was_written_before_is_not_asked_for_again(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 4)
            await desk.queue.add(ids)
            await idle(desk)
            await desk.queue.add(await ids_of(desk, 6))
            status = await idle(desk)
            assert (status.done, len(server.bodies)) == (6, 6)
            assert sum(item.is_cached for item in await desk.queue.items()) == 4
            await desk.queue.add(ids, refresh=True)
            await idle(desk)
            assert len(server.bodies) == 10


async def test_a_key_that_is_refused_stops_the_queue_and_fails_no_ticket(data_dir: Path) -> None:
    with ScriptedServer(refusal(401, "no")) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk))
            status = await stopped(desk)
            assert (status.failed, status.done) == (0, 0)
            assert "key" in status.pause_reason
            assert len(server.bodies) < 10
            server.play(good_stream(ANSWER))
            await desk.queue.resume()
            status = await idle(desk)
            assert (status.done, status.failed) == (status.total, 0)


async def test_what_is_being_written_when_it_is_paused_is_written_to_its_end(data_dir: Path) -> None:
    with ScriptedServer(SLOW) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk, 10))
            await status_when(desk, lambda status: status.running > 0)
            await desk.queue.pause()
            status = await stopped(desk)
            assert (status.pause_reason, status.failed) == ("", 0)
            assert status.done == len(server.bodies) < 10
            await desk.queue.resume()
            assert (await idle(desk)).done == 10


async def test_closed_in_good_order_it_goes_on_when_it_is_started_again(data_dir: Path) -> None:
    with ScriptedServer(SLOW) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk, 8))
            await status_when(desk, lambda status: status.done > 0)
        async with opened_desk(data_dir, with_sample=False) as desk:
            status = await desk.queue.status()
            assert (status.is_paused, status.is_idle) == (False, False)
            await desk.queue.start()
            status = await idle(desk)
            assert (status.done, status.failed) == (8, 0)


async def test_after_a_crash_it_waits_for_resume_and_knows_what_was_stored(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 3)
            await desk.queue.add(ids)
            await idle(desk)
            # As it is when the program is killed: two in work, of one the summary is stored already.
            await desk._database.write(
                lambda connection: (
                    connection.executescript(
                        "UPDATE queue_item SET state = 'running'; UPDATE queue_state SET is_working = 1;"
                        f"DELETE FROM run WHERE ticket_id = {ids[2]}"
                    )
                    and None
                )
            )
        async with opened_desk(data_dir, with_sample=False) as desk:
            await desk._database.write(lambda connection: connection.execute("UPDATE queue_state SET is_working = 1"))
            await desk.queue.start()
            status = await desk.queue.status()
            assert (status.is_paused, status.pause_reason) == (True, CLOSED_BADLY)
            assert (status.done, status.waiting) == (2, 1)
            await desk.queue.resume()
            assert (await idle(desk)).done == 3
            assert len(server.bodies) == 4


async def test_the_order_is_kept_and_can_be_changed(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        ids = await ids_of(desk, 6)
        await desk.queue.pause()
        await desk.queue._store.add(ids[:4], recipe="summarize", provider="", model="", refresh=False, first=False)
        await desk.queue._store.add(ids[4:], recipe="summarize", provider="", model="", refresh=False, first=True)

        async def order() -> list[int]:
            return [ids.index(item.ticket_id) for item in await desk.queue.items()]

        assert await order() == [4, 5, 0, 1, 2, 3]
        items = await desk.queue.items()
        await desk.queue.move([items[3].id, items[4].id], to_front=True)
        assert await order() == [1, 2, 4, 5, 0, 3]
        await desk.queue.move([items[0].id], to_front=False)
        assert await order() == [1, 2, 5, 0, 3, 4]
        assert await desk.queue.remove([items[3].id, items[2].id]) == 2
        assert await order() == [2, 5, 3, 4]
        assert await desk.queue.put_back() == 2
        assert await order() == [1, 2, 5, 0, 3, 4]
        page = await desk.queue.items(state=ItemState.WAITING, offset=2, limit=2)
        assert [ids.index(item.ticket_id) for item in page] == [5, 0]


async def test_what_failed_says_why_and_can_be_tried_again(data_dir: Path) -> None:
    with ScriptedServer(refusal(422, "this model cannot read that")) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 3)
            await desk.queue.add(ids)
            status = await idle(desk)
            assert (status.failed, status.done) == (3, 0)
            items = await desk.queue.items(state=ItemState.FAILED)
            assert all(item.reason for item in items)
            server.play(good_stream(ANSWER))
            assert await desk.queue.retry_failed() == 3
            assert (await idle(desk)).done == 3
            assert await desk.queue.clear_ended() == 3
            assert (await desk.queue.status()).total == 0


async def test_many_that_fail_alike_stop_the_queue(data_dir: Path) -> None:
    with ScriptedServer(refusal(422, "this model cannot read that")) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk))
            status = await stopped(desk)
            assert status.waiting > 0
            assert "in a row failed" in status.pause_reason


async def test_a_cap_stops_the_queue_before_it_is_gone_over(data_dir: Path) -> None:
    with ScriptedServer(UNREPORTED) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 6)
            most = (await desk.summaries.estimate(ids[:1])).most_tokens
            # Nobody says what was used, so all that could be counts as used: there is room for two.
            desk.settings.set("max_tokens_run", int(most * 2.9))
            await desk.queue.add(ids)
            status = await stopped(desk)
            assert (status.done, len(server.bodies), status.failed) == (2, 2, 0)
            assert "limit of tokens was reached" in status.pause_reason
            desk.settings.set("max_tokens_run", 0)
            await desk.queue.resume()
            assert (await idle(desk)).done == 6


async def test_a_cap_of_money_without_a_price_is_refused_in_words(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        nowhere = ProviderProfile("cloud", "custom", "https://models.invalid/v1", model="nobodys-model")
        desk.providers.save(nowhere, make_default=True)
        await desk._keys.set("cloud", "a-key-for-nowhere", host="models.invalid", allow_session=True)
        desk.settings.set("max_cost_run", 5.0)
        ids = await ids_of(desk, 3)
        quote = await desk.queue.quote(ids)
        assert "no price is known for nobodys-model" in quote.refusal.lower()
        assert (quote.estimate.cost_microusd, quote.must_ask) == (None, True)
        await desk.queue.add(ids)
        status = await stopped(desk)
        assert (status.waiting, status.failed) == (3, 0)
        assert "no price is known for" in status.pause_reason


async def test_a_cap_written_as_a_whole_number_counts(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        desk.paths.settings.write_text('{"max_cost_run": 5}', encoding="utf-8")
        assert desk.settings.get("max_cost_run") == 5.0


async def test_trouble_that_passes_puts_a_ticket_back(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.services.verdicts.FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr("desktop.services.outbound.retrying.FIRST_WAIT_SECONDS", 0.01)
    broken = refusal(503, "try later")
    with ScriptedServer(broken, broken, broken, good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            await desk.queue.add(await ids_of(desk, 1))
            status = await idle(desk)
            assert (status.done, status.failed, len(server.bodies)) == (1, 0, 4)
            assert (await desk.queue.items())[0].attempts == 2


async def test_tickets_with_one_text_are_asked_about_once(data_dir: Path, tmp_path: Path) -> None:
    export = tmp_path / "twins.csv"
    rows = "".join(
        f"T-{n},Cannot print,The printer on floor 3 prints blank pages since Monday.,open\n" for n in range(5)
    )
    export.write_text(f"Ticket No,Title,Details,State\n{rows}", encoding="utf-8")
    with ScriptedServer(SLOW) as server:
        async with opened_desk(data_dir, server, with_sample=False) as desk:
            await import_path(desk, export)
            ids = await ids_of(desk)
            quote = await desk.queue.quote(ids)
            assert (quote.identical, quote.estimate.calls, quote.estimate.tickets) == (4, 1, 5)
            await desk.queue.add(ids)
            assert (await idle(desk)).done == 5
            assert len(server.bodies) == 1
            assert (await desk.queue.quote(ids)).estimate.cached == 5


async def test_a_quote_of_many_is_sampled_and_close(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened_desk(data_dir) as desk:
        cloud = ProviderProfile("cloud", "openai", "https://api.openai.com/v1", model="gpt-4o-mini")
        desk.providers.save(cloud, make_default=True)
        ids = await ids_of(desk)
        exact = await desk.queue.quote(ids)
        monkeypatch.setattr("desktop.services.quotes.MEASURED_EACH", 5)
        monkeypatch.setattr("desktop.services.quotes.SAMPLE", max(6, len(ids) // 2))
        told: list[tuple[int, int]] = []
        sampled = await desk.queue.quote(ids, on_progress=lambda done, total: told.append((done, total)))
        assert (exact.is_sampled, sampled.is_sampled) == (False, True)
        assert exact.estimate.tickets == sampled.estimate.tickets == len(ids)
        assert exact.estimate.cost_microusd is not None
        assert sampled.estimate.cost_microusd == pytest.approx(exact.estimate.cost_microusd, rel=0.3)
        assert told[-1][0] == told[-1][1] > 0


async def test_an_examples_star_does_not_hide_what_was_written(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ids = await ids_of(desk, 4)
            summary, _ = await summarize(desk)
            await desk.summaries.star(summary.ticket_id, True)
            await desk.queue.add(ids, refresh=True)
            await idle(desk)
            before = len(server.bodies)
            await desk.queue.add(ids)
            assert (await idle(desk)).done == 4
            assert len(server.bodies) == before
