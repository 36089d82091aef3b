"""Summaries: every end a stream can have is told as what it was, nothing that was shown is lost, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import time
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.config.paths import find_paths
from desktop.domain.runs import Cached, ClaimChecked, Finished, Highlights, RunState, Started, Support, TextDelta
from desktop.llm.scripted_server import Script, ScriptedServer, chunk, good_stream, refusal, words
from desktop.services.container import open_desk
from tests.services.conftest import SCRIPTED, TICKET, import_path, opened_desk, summarize

ANSWER = (
    "Gist: Charged twice; the refund RF-70352 was issued. [m1.1][m5.1]\n"
    "Problem: The card shows $59.00 twice. [m1.1]\n"
    "Tried so far: The refund of $95.00 was issued on November 20. [m5.1]\n"
    "Next step: Not in the ticket\n"
)


async def test_a_complete_summary_is_checked_as_it_comes_and_kept(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, events = await summarize(desk)
            stored = (await desk.summaries.open_ticket(summary.ticket_id)).summary
            (row,) = await desk.tickets.rows([summary.ticket_id])
    kinds = [type(event) for event in events]
    assert (kinds[0], kinds[1], kinds[-1]) == (Highlights, Started, Finished)
    assert kinds.index(ClaimChecked) < len(kinds) - 1 - kinds[::-1].index(TextDelta), (
        "no claim was checked before the end"
    )
    assert (summary.state, summary.reason, summary.text) == (RunState.COMPLETE, "", ANSWER)
    supports = {checked.claim.section: checked.support for checked in summary.claims}
    assert supports == {"Gist": Support.SUPPORTED, "Problem": Support.SUPPORTED, "Tried so far": Support.UNSUPPORTED}
    assert summary.claims[2].missing_facts == ("$95.00",)
    assert (summary.coverage.messages, summary.coverage.read) == (5, 5)
    assert summary.cost_microusd == 0
    assert row.gist == "Charged twice; the refund RF-70352 was issued."
    assert stored is not None
    assert (stored.text, stored.claims, stored.stale) == (summary.text, summary.claims, False)


async def test_a_gist_with_an_invented_fact_never_reaches_the_list(data_dir: Path) -> None:
    with ScriptedServer(good_stream("Gist: Charged $999.00 twice. [m1.1]\n")) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            (row,) = await desk.tickets.rows([summary.ticket_id])
    assert (summary.gist, row.gist) == ("", "")
    assert "999" in summary.text


async def test_the_same_question_is_not_sent_twice(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            first, _ = await summarize(desk)
            second, events = await summarize(desk)
            await summarize(desk, refresh=True)
        assert len(server.bodies) == 2
    assert any(isinstance(event, Cached) for event in events)
    assert (second.cached, second.text, second.claims) == (True, first.text, first.claims)


async def test_an_edited_recipe_is_another_question(data_dir: Path, tmp_path: Path) -> None:
    paths = find_paths(data_dir)
    shutil.copytree(paths.prompts, tmp_path / "prompts")
    recipe = tmp_path / "prompts" / "summarize.md"
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            await summarize(desk)
        recipe.write_text(recipe.read_text(encoding="utf-8") + "\n- Be brief.\n", encoding="utf-8")
        desk = await open_desk(replace(paths, prompts=tmp_path / "prompts"))
        try:
            again, _ = await summarize(desk, provider=SCRIPTED)
        finally:
            await desk.close()
        assert len(server.bodies) == 2
    assert not again.cached


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(words("Problem: It fails. [m1.1]\n")), "closed the stream"),
        (Script(words("Problem: It fails. [m1.1]\n"), then="drop"), "broke off"),
        (Script((*words("Problem: It fails. [m1.1]\n"), chunk(finish="length"))), "length limit"),
        (Script((*words("Problem: It fails. [m1.1]\n"), chunk(finish="content_filter"))), "content filter"),
    ],
    ids=["no finish_reason", "hung up", "length", "filter"],
)
async def test_a_stream_that_did_not_end_well_is_never_complete(data_dir: Path, script: Script, reason: str) -> None:
    with ScriptedServer(script) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            again, _ = await summarize(desk)
        assert len(server.bodies) == 2, "an incomplete summary was taken for an answer"
    assert summary.state is again.state is RunState.INCOMPLETE
    assert reason in summary.reason
    assert "It fails." in summary.text


async def test_stop_closes_the_connection_within_half_a_second_and_keeps_the_text(data_dir: Path) -> None:
    endless = Script(words("Problem: It fails. [m1.1]\nTried so far: A restart "), pause_seconds=0.01, then="hang")
    with ScriptedServer(endless) as server:
        async with opened_desk(data_dir, server) as desk:
            ticket_id, stop = await desk.tickets.find(TICKET), asyncio.Event()
            stopped_at = 0.0
            async with aclosing(desk.summaries.stream(ticket_id, stop=stop)) as events:
                async for event in events:
                    if isinstance(event, TextDelta) and event.pending.endswith("restart"):
                        stop.set()
                        stopped_at = time.monotonic()
                    last = event
            assert isinstance(last, Finished)
            assert await asyncio.to_thread(server.client_hung_up.wait, 5)
            stored = (await desk.summaries.open_ticket(ticket_id)).summary
    assert server.hung_up_at - stopped_at < 0.5
    assert (last.summary.state, last.summary.claims[0].claim.text) == (RunState.CANCELLED, "It fails.")
    assert stored is not None
    assert "A restart" in stored.text


async def test_a_reader_that_goes_away_ends_the_run_as_cancelled_with_its_text(data_dir: Path) -> None:
    with ScriptedServer(Script(words("Problem: It fails. [m1.1]\n"), then="hang")) as server:
        async with opened_desk(data_dir, server) as desk:
            ticket_id = await desk.tickets.find(TICKET)
            async with aclosing(desk.summaries.stream(ticket_id)) as events:
                async for event in events:
                    if isinstance(event, ClaimChecked):
                        break
            opened = await desk.summaries.open_ticket(ticket_id)
            stored, is_unfinished = opened.summary, opened.is_unfinished
    assert stored is not None
    assert (stored.state, "It fails." in stored.text) == (RunState.CANCELLED, True)
    assert is_unfinished, "nobody stopped it: opened again, it may begin again by itself"


async def test_a_refused_key_is_a_failed_summary_with_a_remedy_and_no_text(data_dir: Path) -> None:
    with ScriptedServer(refusal(401, "Incorrect API key provided: sk-abc")) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert (summary.state, summary.error, summary.text) == (RunState.FAILED, "provider-key", "")
    assert "key" in summary.reason
    assert summary.remedy
    assert summary.highlights, "the highlights need no model"


async def test_a_provider_that_is_not_there_is_said_with_its_host(data_dir: Path) -> None:
    with ScriptedServer() as server:
        pass
    async with opened_desk(data_dir, server) as desk:
        summary, _ = await summarize(desk)
    assert (summary.state, summary.error) == (RunState.FAILED, "provider-connection")
    assert "127.0.0.1" in summary.reason


async def test_a_model_in_circles_is_stopped_and_called_incomplete(data_dir: Path) -> None:
    with ScriptedServer(good_stream("Problem: The card shows $59.00 twice. [m1.1]\n" * 40)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert summary.state is RunState.INCOMPLETE
    assert "repeat" in summary.reason
    assert (len(summary.claims), summary.text.count("Problem")) == (1, 4)


async def test_too_little_text_makes_no_call(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("id,subject,description,status\n77,Hi,thanks!,open\n78,Hm,ok,open\n", encoding="utf-8")
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            await import_path(desk, path)
            summary, _ = await summarize(desk, "77")
        assert server.bodies == []
    assert (summary.state, summary.text) == (RunState.FAILED, "")
    assert "too short" in summary.reason


async def test_text_of_a_crash_is_there_again_as_incomplete_with_its_claims(data_dir: Path) -> None:
    """The program is killed while a summary streams; the next one finds what was shown."""
    text = "Problem: The card shows $59.00 twice. [m1.1]\nNext step: Wait for "
    with ScriptedServer(Script(words(text), pause_seconds=0.02, then="hang")) as server:
        async with opened_desk(data_dir, server) as desk:
            ticket_id = await desk.tickets.find(TICKET)
        command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "summarize", TICKET]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            await _wait_for_text(data_dir, "Wait for")
        finally:
            process.kill()
            await process.wait()
    desk = await open_desk(find_paths(data_dir))
    try:
        opened = await desk.summaries.open_ticket(ticket_id)
    finally:
        await desk.close()
    assert opened.summary is not None
    assert opened.summary.state is RunState.INCOMPLETE
    assert "closed while it was being written" in opened.summary.reason
    assert opened.summary.claims[0].claim.text == "The card shows $59.00 twice."
    assert opened.summary.claims[0].support is Support.SUPPORTED


async def _wait_for_text(data_dir: Path, words_: str) -> None:
    """Wait until the database that another process writes holds a run with these words."""
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(words_ in row[0] for row in connection.execute("SELECT text FROM run")):
                return
            await asyncio.sleep(0.02)
    pytest.fail("the text was never journaled")


async def test_a_complete_summary_is_not_hidden_by_a_newer_one_that_was_stopped(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER), Script(words("Gist: Char"))) as server:
        async with opened_desk(data_dir, server) as desk:
            first, _ = await summarize(desk)
            second, _ = await summarize(desk, refresh=True)
            opened = await desk.summaries.open_ticket(first.ticket_id)
    assert (first.state, second.state) == (RunState.COMPLETE, RunState.INCOMPLETE)
    assert opened.summary is not None
    assert (opened.summary.state, opened.summary.text) == (RunState.COMPLETE, ANSWER)


async def test_stop_also_ends_the_wait_for_a_model_that_is_still_loading(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        stop = asyncio.Event()
        stop.set()
        summary, events = await summarize(desk, provider="built-in", stop=stop)
    assert (summary.state, summary.text) == (RunState.CANCELLED, "")
    assert not any(isinstance(event, Started) for event in events)


async def test_a_citation_is_stored_with_the_place_of_its_sentence(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            thread = await desk.tickets.thread(summary.ticket_id)
    assert thread is not None
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection:
        rows = connection.execute('SELECT message, "start", "end" FROM citation WHERE claim = 1').fetchall()
    assert [thread.messages[m - 1].text[start:end] for m, start, end in rows] == [
        "Good morning, we moved our dental lab from Starter to Pro on Wednesday and the card ending 3307 now shows $59.00 twice, both on November 18."
    ]


async def test_what_is_sent_is_the_ticket_and_nothing_of_this_machine(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            await summarize(desk)
        (request,) = [request for request in server.requests if request.method == "POST"]
    body = str(request.body)
    assert "[m5.1] Billing confirmed that the refund of $59.00 was issued" in body
    assert str(data_dir) not in body
    names = {name.lower() for name in request.headers}
    assert names <= {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}


async def test_an_estimate_sends_nothing_and_counts_what_is_there_already(data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(data_dir, server) as desk:
            ticket_id = await desk.tickets.find(TICKET)
            before = await desk.summaries.estimate([ticket_id])
            assert server.requests == []
            await summarize(desk)
            after = await desk.summaries.estimate([ticket_id])
    assert (before.calls, before.cached, before.cost_microusd) == (1, 0, 0)
    assert before.input_tokens > 500
    assert (after.calls, after.cached, after.input_tokens) == (0, 1, 0)


async def test_a_price_is_known_or_said_to_be_unknown(data_dir: Path) -> None:
    from desktop.domain.providers import ProviderProfile

    async with opened_desk(data_dir) as desk:
        ticket_id = await desk.tickets.find(TICKET)
        for name, model in (
            ("priced", "gpt-4o-mini"),
            ("dated", "gpt-4o-mini-2024-07-18"),
            ("other", "gpt-unheard-of"),
        ):
            desk.providers.save(ProviderProfile(name, "openai", "https://api.openai.com/v1", model=model))
        costs = [
            (await desk.summaries.estimate([ticket_id], provider=n)).cost_microusd for n in ("priced", "dated", "other")
        ]
        known = await desk.summaries.estimate([ticket_id], provider="priced")
    assert costs == [known.cost_microusd, known.cost_microusd, None]
    assert known.cost_microusd == round(known.input_tokens * 0.15 + known.output_tokens * 0.60)


async def test_the_list_shows_the_gist_of_the_summary_that_is_shown(data_dir: Path) -> None:
    """A first run that broke off had a supported gist, the complete one has none: an old gist must not stand for it."""
    first = Script(words("Gist: Charged twice; the refund RF-70352 was issued. [m1.1][m5.1]\n"))
    with ScriptedServer(
        first, good_stream("Gist: Charged $999.00. [m1.1]\nProblem: The card shows $59.00 twice. [m1.1]\n")
    ) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            (before,) = await desk.tickets.rows([summary.ticket_id])
            await summarize(desk)
            (after,) = await desk.tickets.rows([summary.ticket_id])
    assert before.gist.startswith("Charged twice")
    assert after.gist == ""


async def test_what_a_reader_cannot_see_is_not_kept_of_an_answer(data_dir: Path) -> None:
    hidden = "Problem: \u202eThe card\u0007 shows\u200b $59.00\u2066 twice. [m1.1]\n"
    with ScriptedServer(good_stream(hidden)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert summary.text == "Problem: The card shows $59.00 twice. [m1.1]\n"
    assert summary.claims[0].support is Support.SUPPORTED
