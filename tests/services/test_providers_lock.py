"""Local only: with the lock on, nothing that sends so much as looks up a name elsewhere, let alone connects.

Python itself tells of every lookup and connection (an audit hook), so what the program says of itself is not relied on. Each feature is driven
without the lock as well: that shows that the hook would have seen it.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, Waiting
from desktop.domain.providers import ProviderProfile, TaskModel
from desktop.domain.runs import Finished, Summary
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from desktop.services.outbound import Endpoint, Outbound, Sending
from tests.batch_server import HOST as BATCH_HOST
from tests.batch_server import MODEL, playing_openai
from tests.services.conftest import TICKET, opened_desk, summarize
from tests.services.test_providers_honoured import FEATURES, WHOLE, Feature

REMOTE = "remote"
HOST = "llm.nowhere.invalid"
ASK = ChatRequest("m", (ChatMessage("user", "Hello"),))
_watched: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Note whom this process reaches for. An audit hook stays for ever, so it looks whether anybody watches."""
    if not _watched or not event.startswith("socket."):
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        _watched[-1].append(_text(arguments[0]))
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple):
        _watched[-1].append(_text(arguments[1][0]))


def _text(host: object) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)


sys.addaudithook(_note)


@contextmanager
def reached() -> Iterator[list[str]]:
    """Give the hosts that this process looks up or connects to, other than this machine."""
    hosts: list[str] = []
    elsewhere: list[str] = []
    _watched.append(hosts)
    try:
        yield elsewhere
    finally:
        _watched.remove(hosts)
        elsewhere += [host for host in hosts if not _is_here(host)]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "None")


@asynccontextmanager
async def _desk(data_dir: Path, *, is_locked: bool) -> AsyncIterator[Desk]:
    async with opened_desk(data_dir) as desk:
        desk.providers.save(ProviderProfile(REMOTE, "custom", f"https://{HOST}/v1", model="m"), make_default=True)
        # Not for want of a key is it refused.
        await desk.providers.set_key(REMOTE, "sk-of-this-test", allow_session=True)
        desk.providers.set_local_only(is_on=is_locked)
        yield desk


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "open"])
async def test_nothing_that_calls_a_model_reaches_for_another_machine(
    data_dir: Path, tmp_path: Path, feature: Feature, is_locked: bool
) -> None:
    async with _desk(data_dir, is_locked=is_locked) as desk:
        with reached() as elsewhere, suppress(DeskError, AssertionError):
            await feature.run(desk, (REMOTE, "m"), tmp_path)
        entries = await desk.operations.ledger()
    assert set(elsewhere) == (set() if is_locked else {HOST})
    if is_locked:
        assert entries == (), "an entry says that something was sent"


async def test_it_is_said_in_words_wherever_it_is_asked_for(data_dir: Path) -> None:
    async with _desk(data_dir, is_locked=True) as desk:
        summary, _ = await summarize(desk)
        with pytest.raises(DeskError) as models:
            await desk.providers.models(REMOTE)
        async with aclosing(desk.providers.test(REMOTE)) as steps:
            tested = [step async for step in steps]
        statuses = {status.profile.name: status for status in await desk.providers.list()}
        quote = await desk.queue.quote([await desk.tickets.find(TICKET)])
    assert quote.refusal == statuses[REMOTE].locked_reason
    assert (summary.error, summary.text) == ("local-only", "")
    assert models.value.code == "local-only"
    assert [(step.ok, "locked to this machine" in step.detail) for step in tested] == [(False, True)]
    assert all(said for said in (summary.remedy, models.value.remedy, tested[0].remedy))
    assert HOST in statuses[REMOTE].locked_reason
    assert statuses["built-in"].locked_reason == ""


async def test_a_local_provider_answers_and_a_remote_one_does_not_stand_in_for_it(data_dir: Path) -> None:
    with ScriptedServer(good_stream(WHOLE)) as server:
        async with _desk(data_dir, is_locked=True) as desk:
            here = ProviderProfile("here", "custom", server.base_url, model="m", fallback=REMOTE)
            desk.providers.save(here, make_default=True)
            with reached() as elsewhere:
                answered, _ = await summarize(desk)
                server.play(refusal(401, "no"))
                failed, _ = await summarize(desk, refresh=True)
    assert (answered.state.value, answered.provider) == ("complete", "here")
    assert (failed.state.value, failed.error) == ("failed", "local-only")
    assert elsewhere == []


async def test_a_proxy_on_this_machine_is_no_way_around_it(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with _desk(data_dir, is_locked=True) as desk:
            for own in ("", f"http://127.0.0.1:{proxy.port}"):
                desk.providers.save(replace(desk.providers.profile(REMOTE), proxy=own))
                assert (await _summary(desk)).error == "local-only"
        assert proxy.requests == []
        async with _desk(data_dir, is_locked=False) as desk:
            await _summary(desk)
        assert [request.method for request in proxy.requests] == ["CONNECT"], "the proxy would have been used"


@asynccontextmanager
async def _disguised(data_dir: Path, server: ScriptedServer) -> AsyncIterator[tuple[Desk, Outbound, Endpoint]]:
    """Give a server on this machine under another machine's name: what it is told, another machine would have been."""
    async with opened_desk(data_dir, server, with_sample=False) as desk:
        yield desk, desk.providers._outbound, replace(await desk.resolve("", ""), is_local=False, host=HOST)


async def test_the_gate_itself_lets_nothing_through(data_dir: Path) -> None:
    with ScriptedServer(good_stream("ready")) as server:
        async with _disguised(data_dir, server) as (desk, gate, endpoint):
            desk.providers.set_local_only(is_on=True)
            for action in (
                anext(gate.stream(endpoint, ASK, Sending("test"))),
                gate.embed(endpoint, ["a text"], Sending("test")),
                gate.list_models(endpoint),
                anext(gate.test(endpoint)),
            ):
                with pytest.raises(DeskError) as refused:
                    await action
                assert refused.value.code == "local-only"
            assert server.requests == []
            desk.providers.set_local_only(is_on=False)
            assert await gate.list_models(endpoint) == ("scripted",)


async def test_the_lock_holds_for_what_waits_to_be_tried_again(data_dir: Path) -> None:
    with ScriptedServer(refusal(429, "slow down", headers=(("Retry-After", "1"),)), good_stream("late")) as server:
        async with (
            _disguised(data_dir, server) as (desk, gate, endpoint),
            aclosing(gate.stream(endpoint, ASK, Sending("test"))) as events,
        ):
            assert isinstance(await anext(events), Waiting)
            desk.providers.set_local_only(is_on=True)
            with pytest.raises(DeskError) as refused:
                await anext(events)
        assert (refused.value.code, len(server.requests)) == ("local-only", 1)


async def test_spans_go_to_no_other_machine(data_dir: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        desk.operations.spans.set_address(f"https://{HOST}/v1/traces")
        desk.providers.set_local_only(is_on=True)
        with reached() as elsewhere:
            with pytest.raises(DeskError, match="locked to this machine"):
                await desk.operations.spans.send_now()
            with pytest.raises(DeskError, match="locked to this machine"):
                desk.operations.spans.set_address("https://other.nowhere.invalid/v1/traces")
            await desk.operations.spans.look()
        assert "locked to this machine" in (await desk.operations.spans.status()).failure
    assert elsewhere == []


async def test_batches_are_neither_handed_over_nor_asked_about(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing_openai(tmp_path, monkeypatch) as server:
        async with opened_desk(data_dir) as desk:
            desk.providers.save(
                ProviderProfile("openai", "openai", f"https://{BATCH_HOST}/v1", MODEL), make_default=True
            )
            ids = [await desk.tickets.find(TICKET)]
            desk.providers.set_local_only(is_on=True)
            with pytest.raises(DeskError) as refused:
                await desk.batches.submit(ids)
            assert (refused.value.code, server.journal) == ("local-only", [])
            desk.providers.set_local_only(is_on=False)
            assert await desk.batches.submit(ids)
            asked = len(server.journal)
            desk.providers.set_local_only(is_on=True)
            await desk.batches.poll()
            assert len(server.journal) == asked
            desk.providers.set_local_only(is_on=False)
            await desk.batches.poll()
            assert len(server.journal) > asked, "what waited is not asked for again"


async def test_the_lock_is_kept_and_holds_for_the_next_start_and_for_who_is_set_for_a_task(data_dir: Path) -> None:
    async with _desk(data_dir, is_locked=True) as desk:
        desk.providers.tasks.set(TaskModel("gist", REMOTE, "m"))
        desk.providers.set_default("built-in")
    async with opened_desk(data_dir, with_sample=False) as desk:
        assert desk.providers.is_local_only
        with reached() as elsewhere:
            gist, _ = await summarize(desk, recipe="gist")
    assert (gist.error, elsewhere) == ("local-only", [])


async def _summary(desk: Desk) -> Summary:
    async with aclosing(desk.summaries.stream(await desk.tickets.find(TICKET))) as events:
        return [event.summary async for event in events if isinstance(event, Finished)][-1]
