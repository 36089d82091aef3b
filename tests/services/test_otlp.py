"""Spans, at a real collector on loopback: what they say, what they never say, that each is sent once, and that nothing steers them elsewhere."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.errors import DeskError
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services import operations, span_export
from desktop.services.container import Desk
from desktop.services.otlp import full_address
from tests.services.conftest import opened_desk, summarize
from tests.services.ledger_rows import ago, failed, row, write_rows
from tests.services.otlp_collector import Collector

ERROR, UNSET, CLIENT = 2, 0, 3
CANARY = "canary-7f3a9c"


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LOOK_SECONDS", 0.02)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain for a span"
        await asyncio.sleep(0.01)


async def aim(desk: Desk, address: str) -> None:
    """Have spans of what is written from now on sent to an address, and only when the test says so: nothing looks by itself."""
    await desk.operations.close()
    desk.operations.spans.set_address(address)
    await desk.operations.spans.look()


class TestSpans:
    async def test_a_request_is_told_by_the_conventions_for_generative_ai(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(
                    desk.paths.database,
                    row(run_id=4),
                    failed(run_id=4, host="llm.example:8443", provider="gateway", attempt=2),
                    row(purpose="embed", state="outcome unknown", at=ago(7_200), seconds=0.0),
                )
                assert await desk.operations.spans.send_now() == 3
        assert collector.paths == ["/v1/traces"]
        assert collector.headers[0]["Content-Type"] == "application/x-protobuf"
        one, two, three = collector.spans
        wanted: dict[str, Any] = {
            "name": "chat gpt-4o-mini",
            "kind": CLIENT,
            "status": UNSET,
            "service": "tldesk",
            "seconds": 2.0,
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 200,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "server.address": "api.openai.com",
            "http.response.status_code": 200,
        }
        assert {name: one[name] for name in wanted} == wanted
        assert "error.type" not in one
        assert (two["status"], two["error.type"], two["http.response.status_code"]) == (ERROR, "provider-quota", 429)
        assert (two["server.address"], two["server.port"], two["gen_ai.provider.name"]) == (
            "llm.example",
            8443,
            "gateway",
        )
        assert one["trace"] == two["trace"] != three["trace"], "the requests of one run share a trace"
        assert len({s["span"] for s in collector.spans}) == 3
        assert (three["gen_ai.operation.name"], three["tldesk.state"]) == ("embeddings", "outcome unknown")

    async def test_no_prompt_no_answer_and_no_words_of_a_provider_are_sent(self, tmp_path: Path) -> None:
        answer = f"Gist: {CANARY} was charged. [m1.1]\n"
        with Collector() as collector, ScriptedServer(good_stream(answer)) as server:
            async with opened_desk(tmp_path, server) as desk:
                await aim(desk, collector.address)
                summary, _ = await summarize(desk)
                write_rows(desk.paths.database, failed(message=f"You sent: {CANARY}", request=CANARY, answer=CANARY))
                await desk.operations.spans.send_now()
                ticket = await desk.tickets.thread(summary.ticket_id)
        assert CANARY in summary.text
        assert ticket is not None
        sent = b"".join(collector.bodies)
        assert len(collector.spans) == 2
        assert CANARY.encode() not in sent
        for message in ticket.messages:
            for word in (word for word in message.text.split() if len(word) > 7):
                assert word.encode() not in sent, word


class TestSending:
    async def test_calls_are_sent_by_themselves_each_once_whatever_their_order(
        self, tmp_path: Path, looks_often: None
    ) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                write_rows(desk.paths.database, row(model="before"))
                await aim(desk, collector.address)
                desk.operations.start()
                running, _ = write_rows(
                    desk.paths.database, row(state="outcome unknown", model="slow"), row(model="quick")
                )
                await until(lambda: len(collector.spans) == 1)
                write_rows(desk.paths.database, row(model="later"))
                await until(lambda: len(collector.spans) == 2)
                await desk._database.write(
                    lambda c: c.execute("UPDATE ledger SET state = 'complete' WHERE id = ?", [running]).rowcount
                )
                await until(lambda: desk.operations.spans._sent == 3)
                status = await desk.operations.spans.status()
                assert (status.pending, status.failure) == (0, "")
            async with opened_desk(tmp_path, with_sample=False) as desk:
                write_rows(desk.paths.database, row(model="next day"))
                await until(lambda: len(collector.spans) == 4)
        assert [s["gen_ai.request.model"] for s in collector.spans] == ["quick", "later", "slow", "next day"]

    async def test_what_waits_in_a_batch_is_not_given_up_within_an_hour(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                unknown = {"state": "outcome unknown", "seconds": 0.0}
                write_rows(
                    desk.paths.database,
                    row(model="waits", purpose="batch-item", at=ago(20 * 3_600), **unknown),
                    row(model="lost", at=ago(2 * 3_600), **unknown),
                    row(model="runs", at=ago(600), **unknown),
                    row(model="lost too", purpose="batch-item", at=ago(4 * 86_400), **unknown),
                )
                assert await desk.operations.spans.send_now() == 2
        assert [s["gen_ai.request.model"] for s in collector.spans] == ["lost", "lost too"]

    async def test_many_go_in_small_groups(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, *(row(model=f"m{n}") for n in range(250)))
                assert await desk.operations.spans.send_now() == 250
                assert await desk.operations.spans.send_now() == 0
        assert len(collector.bodies) == 3
        assert len({s["span"] for s in collector.spans}) == 250

    @pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
    async def test_what_is_not_taken_waits_and_the_reason_is_said(self, tmp_path: Path, status: int) -> None:
        with Collector([status, 200]) as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row())
                await desk.operations.spans.look()
                told = await desk.operations.spans.status()
                assert (told.pending, told.sent) == (1, 0)
                assert f"did not take the spans (status {status})" in told.failure
                assert told.remedy
                # It is left alone for a while, unless the user asks.
                await desk.operations.spans.look()
                assert len(collector.bodies) == 1
                assert await desk.operations.spans.send_now() == 1
                assert (await desk.operations.spans.status()).failure == ""
        assert collector.bodies[0] == collector.bodies[1], "what is sent again is the same span"

    async def test_a_redirect_is_not_followed(self, tmp_path: Path) -> None:
        with Collector() as other, Collector([307], location=other.address) as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row())
                with pytest.raises(DeskError, match="redirects elsewhere"):
                    await desk.operations.spans.send_now()
        assert (len(collector.bodies), other.bodies) == (1, [])

    async def test_a_collector_that_is_not_there_disturbs_nothing(self, tmp_path: Path) -> None:
        with Collector() as gone:
            address = gone.address
        async with opened_desk(tmp_path, with_sample=False) as desk:
            await aim(desk, address)
            write_rows(desk.paths.database, row())
            await desk.operations.spans.look()
            told = await desk.operations.spans.status()
            assert "was not reached: connection refused" in told.failure
            assert told.pending == 1

    async def test_what_a_collector_rejects_of_what_it_took_is_said_and_not_sent_again(self, tmp_path: Path) -> None:
        with Collector(rejected=1) as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row(), row())
                await desk.operations.spans.send_now()
                told = await desk.operations.spans.status()
                assert (told.pending, "rejected 1 of them" in told.failure) == (0, True)

    async def test_two_programs_on_one_folder_send_each_span_once(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as one, opened_desk(tmp_path, with_sample=False) as two:
                for desk in (two, one):
                    await aim(desk, collector.address)
                write_rows(one.paths.database, *(row(model=f"m{n}") for n in range(300)))
                await asyncio.gather(*(desk.operations.spans.look() for desk in (one, two, one, two)))
        names = [s["gen_ai.request.model"] for s in collector.spans]
        assert len(names) == len(set(names)) == 300

    async def test_what_ended_just_before_the_end_is_sent_at_the_end(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row())
                # The task that looks by itself is cancelled before its first turn: only the last look is left.
                desk.operations.start()
            assert len(collector.spans) == 1

    async def test_switched_off_nothing_is_sent_and_later_nothing_of_that_time(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, "")
                with pytest.raises(DeskError, match="No collector is set"):
                    await desk.operations.spans.send_now()
                for address in (collector.address, "", collector.address):
                    desk.operations.spans.set_address(address)
                    await desk.operations.spans.look()
                    write_rows(desk.paths.database, row(model=address or "off"))
                await desk.operations.spans.send_now()
        assert "off" not in [s["gen_ai.request.model"] for s in collector.spans]

    async def test_another_address_gets_what_the_first_did_not_take(self, tmp_path: Path) -> None:
        with Collector([503]) as wrong, Collector() as right:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, wrong.address)
                write_rows(desk.paths.database, row())
                await desk.operations.spans.look()
                desk.operations.spans.set_address(right.address)
                assert await desk.operations.spans.send_now() == 1
        assert (len(wrong.bodies), len(right.spans)) == (1, 1)


class TestAddress:
    async def test_the_environment_steers_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with Collector() as stray, Collector() as collector:
            for name, value in (
                ("OTEL_EXPORTER_OTLP_ENDPOINT", stray.address),
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", stray.address),
                ("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={CANARY}"),
                ("OTEL_RESOURCE_ATTRIBUTES", f"secret={CANARY}"),
                ("OTEL_SERVICE_NAME", CANARY),
                ("HTTP_PROXY", stray.address),
                ("http_proxy", stray.address),
                ("ALL_PROXY", stray.address),
            ):
                monkeypatch.setenv(name, value)
            async with opened_desk(tmp_path, with_sample=False) as desk:
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row())
                assert await desk.operations.spans.send_now() == 1
        assert stray.bodies == []
        assert CANARY.encode() not in collector.bodies[0]
        assert CANARY not in json.dumps(collector.headers)

    def test_only_https_and_this_machine_are_addresses(self) -> None:
        def ask(text: str) -> str:
            return full_address(text, is_loopback=lambda url: "127.0.0.1" in url or "localhost" in url)

        assert ask("") == ""
        assert ask("https://c.example:4318/") == "https://c.example:4318/v1/traces"
        assert ask("https://c.example/otlp") == "https://c.example/otlp/v1/traces"
        assert ask("http://localhost:4318/v1/traces") == "http://localhost:4318/v1/traces"
        for wrong in (
            "c.example:4318",
            "http://c.example:4318",
            "ftp://c.example",
            "https://",
            f"https://u:{CANARY}@c.example",
            "https://c.example/?key=1",
            "https://c.example:99999",
            "https://c.example/a b",
        ):
            with pytest.raises(DeskError) as refusal:
                ask(wrong)
            assert refusal.value.code == "otlp-address"
            assert CANARY not in str(refusal.value)

    async def test_the_lock_to_this_machine_holds_for_spans_too(self, tmp_path: Path) -> None:
        with Collector() as collector:
            async with opened_desk(tmp_path, with_sample=False) as desk:
                desk.operations.spans.set_address("https://collector.example")
                desk.settings.set("local_only", True)
                write_rows(desk.paths.database, row())
                assert "locked to this machine" in (await desk.operations.spans.status()).failure
                with pytest.raises(DeskError, match="locked to this machine"):
                    await desk.operations.spans.send_now()
                with pytest.raises(DeskError, match="locked to this machine"):
                    desk.operations.spans.set_address("https://other.example")
                await aim(desk, collector.address)
                write_rows(desk.paths.database, row())
                assert await desk.operations.spans.send_now() == 1

    def test_a_rest_never_ends_before_the_next_look(self) -> None:
        assert list(span_export._RESTS) == sorted(span_export._RESTS)
        assert span_export._RESTS[0] > operations.LOOK_SECONDS
