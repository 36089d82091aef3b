"""The gate, as a user meets it: what is tried again and what is not, who answers in whose place, and what the ledger says of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.llm import StreamDelta
from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import Cached, Delayed, FellBack, Finished, RunState, Started, Summary
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, good_stream, refusal, usage_chunk, words
from desktop.services.container import Desk
from desktop.services.outbound import resting
from desktop.services.outbound.restoring import Restoring
from desktop.services.redaction import Redactor
from tests.services.conftest import SCRIPTED, TICKET, import_path, opened_desk, summarize

ANSWER = "Gist: The card was charged twice. [m1.1]\nProblem: The card was charged twice. [m1.1]\n"
NOW = (("Retry-After", "0"),)
SECOND = "second"


def add_second(desk: Desk, server: ScriptedServer, **values: str) -> None:
    """Set up a second provider, which stands in for the first."""
    desk.providers.save(ProviderProfile(SECOND, "custom", server.base_url, model="other", **values))
    desk.providers.save(replace(desk.providers.profile(SCRIPTED), fallback=SECOND))


def ledger(desk: Desk) -> list[dict[str, Any]]:
    """Return what the ledger's table holds, in its order."""
    with closing(sqlite3.connect(desk.paths.database)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(
            "SELECT ledger.*, request, answer FROM ledger JOIN trace ON ledger_id = id ORDER BY id"
        )
        return [dict(row) for row in rows]


@contextmanager
def two_servers(*scripts: Script, others: tuple[Script, ...]) -> Iterator[tuple[ScriptedServer, ScriptedServer]]:
    with ScriptedServer(*scripts) as first, ScriptedServer(*others) as second:
        yield first, second


class TestTryingAgain:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
    async def test_what_may_pass_is_tried_again_after_the_time_that_was_asked_for(
        self, tmp_path: Path, status: int
    ) -> None:
        with ScriptedServer(refusal(status, "busy", headers=NOW), good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, seen = await summarize(desk)
                entries = ledger(desk)
        assert summary.state is RunState.COMPLETE
        assert len(server.requests) == 2
        [wait] = [event for event in seen if isinstance(event, Delayed)]
        assert (wait.seconds, wait.reason) == (0, "127.0.0.1 asks to wait")
        assert [(e["state"], e["attempt"], e["status"]) for e in entries] == [
            ("failed", 1, status),
            ("complete", 2, 200),
        ]

    @pytest.mark.parametrize("status", [429, 503])
    async def test_three_requests_are_the_most_that_an_action_takes(self, tmp_path: Path, status: int) -> None:
        with ScriptedServer(refusal(status, "busy", headers=NOW)) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
        assert (summary.state, len(server.requests)) == (RunState.FAILED, 3)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 418, 422])
    async def test_what_would_fail_again_is_not_tried_again(self, tmp_path: Path, status: int) -> None:
        with ScriptedServer(refusal(status, "no", headers=NOW)) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
                [entry] = ledger(desk)
        assert (summary.state, len(server.requests)) == (RunState.FAILED, 1)
        assert (entry["state"], entry["status"], entry["error"]) == ("failed", status, summary.error)

    async def test_nothing_is_tried_again_once_an_answer_began(self, tmp_path: Path) -> None:
        with ScriptedServer(Script(words("Gist: The card was"), then="reset"), good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
        assert (summary.state, len(server.requests)) == (RunState.INCOMPLETE, 1)
        assert summary.text == "Gist: The card was"

    async def test_a_long_wait_is_told_and_not_kept(self, tmp_path: Path) -> None:
        with ScriptedServer(refusal(429, "slow down", headers=(("Retry-After", "3600"),))) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
        assert (summary.state, len(server.requests)) == (RunState.FAILED, 1)
        assert "3600 seconds" in summary.remedy or "60 minutes" in summary.remedy or "hour" in summary.remedy

    async def test_stopping_ends_a_wait_at_once(self, tmp_path: Path) -> None:
        stop = asyncio.Event()
        with ScriptedServer(refusal(503, "busy", headers=(("Retry-After", "60"),))) as server:
            async with opened_desk(tmp_path, server) as desk:
                ticket_id = await desk.tickets.find(TICKET)
                async with asyncio.timeout(20), aclosing(desk.summaries.stream(ticket_id, stop=stop)) as events:
                    async for event in events:
                        if isinstance(event, Delayed):
                            stop.set()
                        if isinstance(event, Finished):
                            summary = event.summary
        assert (summary.state, len(server.requests)) == (RunState.CANCELLED, 1)


class TestStandingIn:
    async def test_the_second_answers_when_the_first_does_not(self, tmp_path: Path) -> None:
        with two_servers(refusal(503, "down", headers=NOW), others=(good_stream(ANSWER),)) as (first, second):
            async with opened_desk(tmp_path, first) as desk:
                add_second(desk, second)
                summary, seen = await summarize(desk)
        assert (summary.state, summary.provider, summary.model) == (RunState.COMPLETE, SECOND, "other")
        assert [e.provider for e in seen if isinstance(e, FellBack)] == [SECOND]
        assert summary.fell_back[0].startswith(SCRIPTED)
        assert second.requests[0].body["model"] == "other"
        assert len(first.requests) + len(second.requests) <= 3

    async def test_all_of_them_together_take_three_requests(self, tmp_path: Path) -> None:
        down = refusal(503, "down", headers=NOW)
        with two_servers(down, others=(down,)) as (first, second):
            async with opened_desk(tmp_path, first) as desk:
                add_second(desk, second)
                summary, _ = await summarize(desk)
        assert (summary.state, summary.provider) == (RunState.FAILED, SECOND)
        assert (len(first.requests), len(second.requests)) == (2, 1)

    async def test_what_the_first_wrote_stays_its_own(self, tmp_path: Path) -> None:
        with two_servers(Script(words("Gist: The card"), then="reset"), others=(good_stream(ANSWER),)) as (
            first,
            second,
        ):
            async with opened_desk(tmp_path, first) as desk:
                add_second(desk, second)
                summary, _ = await summarize(desk)
        assert (summary.provider, summary.state, second.requests) == (SCRIPTED, RunState.INCOMPLETE, [])

    async def test_one_that_keeps_failing_is_left_alone_and_the_other_answers_at_once(self, tmp_path: Path) -> None:
        with two_servers(refusal(500, "broken", headers=NOW), others=(good_stream(ANSWER),)) as (first, second):
            async with opened_desk(tmp_path, first) as desk:
                add_second(desk, second)
                for _ in range(resting.FAILURES):
                    await summarize(desk, refresh=True)
                asked = len(first.requests)
                summary, seen = await summarize(desk, refresh=True)
        assert asked == len(first.requests) == resting.FAILURES
        assert summary.provider == SECOND
        [fell] = [event for event in seen if isinstance(event, FellBack)]
        assert "left alone" in fell.reason

    async def test_a_person_without_another_provider_may_try_one_that_rests(self, tmp_path: Path) -> None:
        broken = refusal(500, "broken", headers=NOW)
        with ScriptedServer(*[broken] * 6, good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                await summarize(desk)
                await summarize(desk)
                summary, _ = await summarize(desk)
        assert summary.state is RunState.COMPLETE


class TestGoingOn:
    async def test_a_text_that_broke_off_is_written_to_its_end(self, tmp_path: Path) -> None:
        begun = "Gist: The card was charged twice. [m1.1]\nProblem: The card was"
        with ScriptedServer(Script(words(begun), then="drop"), good_stream(" charged twice. [m1.1]\n")) as server:
            async with opened_desk(tmp_path, server) as desk:
                broken, _ = await summarize(desk)
                summary, _ = await summarize(desk, continue_run=broken.run_id)
                again, _ = await summarize(desk)
        assert (broken.state, broken.text) == (RunState.INCOMPLETE, begun)
        assert (summary.state, summary.text) == (RunState.COMPLETE, ANSWER)
        assert [message["role"] for message in server.requests[1].body["messages"]][-2:] == ["assistant", "user"]
        assert server.requests[1].body["messages"][-2]["content"] == begun
        assert (again.cached, len(server.requests)) == (True, 2)

    async def test_a_whole_one_is_not_gone_on_with(self, tmp_path: Path) -> None:
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                whole, _ = await summarize(desk)
                with pytest.raises(Exception, match="whole already"):
                    await summarize(desk, continue_run=whole.run_id)


class TestTwins:
    TABLE = "id,subject,description,requester\n{}"

    async def test_two_tickets_with_the_very_same_text_are_asked_about_once(self, tmp_path: Path) -> None:
        path = tmp_path / "twins.csv"
        row = "Printer is broken,The printer on floor 3 prints only blank pages since Monday.,Ann\n"
        path.write_text(self.TABLE.format(f"1,{row}2,{row}"))
        with ScriptedServer(
            good_stream("Gist: Blank pages. [m1.1]\nProblem: Blank pages since Monday. [m1.1]\n")
        ) as server:
            async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
                await import_path(desk, path)
                ids = (await desk.tickets.ids(TicketQuery())).tolist()
                both = await asyncio.gather(*(_last(desk, ticket_id) for ticket_id in ids))
                rows = await desk.tickets.rows(ids)
        assert len(server.requests) == 1
        assert [summary.state for summary in both] == [RunState.COMPLETE] * 2
        assert [row.gist for row in rows] == ["Blank pages."] * 2
        assert sorted(summary.cached for summary in both) == [False, True]


class TestTheLock:
    async def test_nothing_is_sent_to_another_machine(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path) as desk:
            desk.providers.save(
                ProviderProfile("far", "custom", "https://llm.example.com/v1", model="m"), make_default=True
            )
            await desk.providers.set_key("far", "sk-none-at-all", allow_session=True)
            desk.settings.set("local_only", True)
            summary, _ = await summarize(desk)
            entries = ledger(desk)
        assert (summary.state, summary.error, entries) == (RunState.FAILED, "local-only", [])
        assert "llm.example.com" in summary.reason

    async def test_a_model_on_this_machine_is_asked(self, tmp_path: Path) -> None:
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                desk.settings.set("local_only", True)
                summary, _ = await summarize(desk)
        assert summary.state is RunState.COMPLETE


class TestWhatLeaves:
    MAIL = "Maria.Keller@example.org"
    TABLE = (
        "id,subject,description,requester\n"
        '7,Refund,"Hello, I am Maria Keller. Write to Maria.Keller@example.org or call +49 30 901820. '
        'The card was charged twice.",Maria Keller\n'
    )
    ANSWER = "Gist: <PERSON_1> was charged twice. [m1.3]\nProblem: Write to <EMAIL_1>. [m1.2]\n"

    async def test_people_stay_here_and_come_back_in_the_summary(self, tmp_path: Path) -> None:
        path = tmp_path / "one.csv"
        path.write_text(self.TABLE)
        with ScriptedServer(good_stream(self.ANSWER)) as server:
            async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
                desk.providers.save(replace(desk.providers.profile(SCRIPTED), redaction="on"))
                await import_path(desk, path)
                summary, seen = await summarize(desk, "7")
                [entry] = ledger(desk)
        sent = json.dumps(server.requests[0].body["messages"])
        assert not [word for word in ("keller", "example.org", "901820") if word in sent.lower()]
        assert "charged twice" in sent
        assert self.MAIL in summary.text
        assert "Maria Keller was charged twice." in summary.gist
        assert not [c for c in summary.claims if c.missing_facts]
        assert "<EMAIL_1>" not in summary.text
        body, answer = zlib.decompress(entry["request"]), zlib.decompress(entry["answer"]).decode()
        assert json.loads(body) == server.requests[0].body
        assert answer == self.ANSWER
        counted = json.loads(entry["redactions_json"])
        assert counted["email"] == 1
        assert counted["phone"] == 1
        assert counted["person"] >= 1
        assert any(isinstance(event, Started) for event in seen)

    async def test_people_of_a_ticket_that_is_sent_along_as_an_example_stay_here_too(self, tmp_path: Path) -> None:
        path = tmp_path / "two.csv"
        other = '8,Refund,"The card was charged twice here as well, on the same day. Please pay the money back.",Orhan Yildiz\n'
        path.write_text(self.TABLE + other)
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
                desk.providers.save(replace(desk.providers.profile(SCRIPTED), redaction="on"))
                await import_path(desk, path)
                first, _ = await summarize(desk, "8")
                await desk.summaries.star(first.ticket_id, True)
                await summarize(desk, "7")
        sent = json.dumps(server.requests[1].body["messages"])
        assert "same day" in sent, "the example was not sent along"
        assert not [word for word in ("Orhan", "Yildiz", "Keller") if word in sent]

    async def test_on_this_machine_nothing_is_taken_out(self, tmp_path: Path) -> None:
        path = tmp_path / "one.csv"
        path.write_text(self.TABLE)
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
                await import_path(desk, path)
                await summarize(desk, "7")
        assert self.MAIL in json.dumps(server.requests[0].body)


class TestTheLedger:
    async def test_every_request_is_there_with_its_end_and_its_price(self, tmp_path: Path) -> None:
        script = Script((*words(ANSWER), chunk(finish="stop"), usage_chunk(100, 20), DONE))
        with ScriptedServer(script) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
                cached, seen = await summarize(desk)
                [entry] = ledger(desk)
        assert (entry["state"], entry["cost_microusd"], entry["input_tokens"], entry["output_tokens"]) == (
            "complete",
            0,
            100,
            20,
        )
        assert (entry["run_id"], entry["purpose"], entry["provider"], entry["model"]) == (
            summary.run_id,
            "summarize",
            SCRIPTED,
            "scripted",
        )
        assert entry["first_token_seconds"] <= entry["seconds"]
        assert cached.cached
        assert any(isinstance(event, Cached) for event in seen)

    async def test_a_request_in_flight_reads_outcome_unknown(self, tmp_path: Path) -> None:
        with ScriptedServer(Script(words("Gist: The card"), then="hang")) as server:
            async with opened_desk(tmp_path, server) as desk:
                ticket_id = await desk.tickets.find(TICKET)
                async with aclosing(desk.summaries.stream(ticket_id)) as events:
                    async for event in events:
                        if type(event).__name__ == "TextDelta":
                            [running] = ledger(desk)
                            break
                [left] = ledger(desk)
        assert running["state"] == "outcome unknown"
        assert left["state"] == "cancelled"


async def _last(desk: Desk, ticket_id: int, stop: asyncio.Event | None = None) -> Summary:
    async with aclosing(desk.summaries.stream(ticket_id, stop=stop)) as events:
        async for event in events:
            if isinstance(event, Finished):
                summary = event.summary
    return summary


class TestStandingInLine:
    async def test_the_deadline_begins_when_the_first_request_goes(self, tmp_path: Path) -> None:
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                desk.providers.save(replace(desk.providers.profile(SCRIPTED), deadline_seconds="1"))
                await hold_back(desk, 1.5)
                summary, _ = await summarize(desk, is_urgent=False)
        assert summary.state is RunState.COMPLETE

    async def test_a_person_is_told_of_a_line_that_is_longer_than_an_answer_may_take(self, tmp_path: Path) -> None:
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                desk.providers.save(replace(desk.providers.profile(SCRIPTED), deadline_seconds="2"))
                await hold_back(desk, 30)
                for _ in range(resting.FAILURES + 1):
                    summary, _ = await summarize(desk)
        assert (summary.error, server.requests) == ("provider-quota", [])
        assert "takes no more requests for" in summary.reason


async def test_whoever_stops_waiting_for_a_twin_leaves_the_other_its_claim(tmp_path: Path) -> None:
    path = tmp_path / "twins.csv"
    row = "Printer is broken,The printer on floor 3 prints only blank pages since Monday.,Ann\n"
    path.write_text(TestTwins.TABLE.format("".join(f"{number},{row}" for number in (1, 2, 3))))
    with ScriptedServer(Script(words("Gist: Blank"), then="hang")) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            await import_path(desk, path)
            first, second, third = (await desk.tickets.ids(TicketQuery())).tolist()
            stops = [asyncio.Event() for _ in range(3)]
            writing = asyncio.create_task(_last(desk, first, stops[0]))
            async with asyncio.timeout(20):
                while not server.requests:  # noqa: ASYNC110 - the server's thread knows no event of this loop
                    await asyncio.sleep(0)
            waiting = asyncio.create_task(_last(desk, second, stops[1]))
            await _begins_to_wait(desk, third, stops[2])
            stops[1].set()
            assert (await waiting).state is RunState.CANCELLED
            await _begins_to_wait(desk, third, stops[2])
            asked = len(server.requests)
            stops[0].set()
            await writing
    assert asked == 1


async def test_a_test_of_a_provider_is_no_failure_and_has_its_price(tmp_path: Path) -> None:
    with ScriptedServer(good_stream("ready", input_tokens=9)) as server:
        async with opened_desk(tmp_path, server) as desk:
            async with aclosing(desk.providers.test(SCRIPTED)) as steps:
                assert all([step.ok async for step in steps])
            entries = ledger(desk)
            failures = await desk.operations.failures("")
    assert [(e["state"], e["status"], e["cost_microusd"]) for e in entries] == [("complete", 200, 0)] * 2
    assert entries[-1]["input_tokens"] == 9
    assert list(failures) == []


def test_white_space_before_a_text_does_not_make_it_an_object() -> None:
    redactor = Redactor()
    sent = redactor.redact('password="pa\\"s9!xW0rd" does not work')
    assert list(redactor.values.values()) == ["pa\\"]
    restoring = Restoring(redactor, has_object=True)
    deltas = [restoring.take(StreamDelta(piece)) for piece in ("\n", " ", sent[:20], sent[20:])]
    texts = [delta.text for delta in (*deltas, restoring.rest()) if delta is not None]
    assert "".join(texts) == "\n " + redactor.restore(sent)


async def hold_back(desk: Desk, seconds: float) -> None:
    """Have the provider's pace pause, as after a refusal that asked for it."""
    [target] = desk.summaries.targets("summarize")
    async with desk._outbound.pace(target).turn() as turn:
        turn.refused(seconds)


async def _begins_to_wait(desk: Desk, ticket_id: int, stop: asyncio.Event) -> None:
    async with asyncio.timeout(20), aclosing(desk.summaries.stream(ticket_id, stop=stop)) as events:
        async for event in events:
            assert not isinstance(event, Started), "it was asked about although its twin is being written"
            if isinstance(event, Delayed):
                return


async def test_a_usage_that_nobody_can_have_loses_no_answer(tmp_path: Path) -> None:
    script = Script((*words(ANSWER), chunk(finish="stop"), usage_chunk(10**30, 10**25), DONE))
    with ScriptedServer(script) as server:
        async with opened_desk(tmp_path, server) as desk:
            summary, _ = await summarize(desk)
    assert (summary.state, summary.text, summary.usage.input_tokens) == (RunState.COMPLETE, ANSWER, None)
