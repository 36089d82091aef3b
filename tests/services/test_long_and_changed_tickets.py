"""Long tickets in parts, changed ones by what is new; versions, edits, stars, second opinions and estimates."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import Finished, Opined, Opinion, Progressed, RunState
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from tests.services.conftest import TICKET, import_path, opened_desk, summarize
from tests.services.test_summary_forms import LINES, asked


def _export(path: Path, messages: int, *, words_each: int = 12) -> Path:
    rows = ["ticket id,subject,author,role,created at,body"]
    for number in range(1, messages + 1):
        author, role = ("Ada", "customer") if number % 2 else ("Sam", "agent")
        filler = " ".join(f"word{number}x{place}" for place in range(words_each))
        rows.append(
            f"T-1,Long story,{author},{role},2026-03-{1 + number // 60:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z,Step {number} is {filler}."
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


async def _only_ticket(desk: Desk) -> int:
    (ticket_id,) = await desk.tickets.ids(TicketQuery())
    return int(ticket_id)


async def _summarize_id(desk: Desk, ticket_id: int, **options: object) -> tuple[Any, list[Any]]:
    async with aclosing(desk.summaries.stream(ticket_id, **options)) as events:  # type: ignore[arg-type]
        seen = [event async for event in events]
    assert isinstance(seen[-1], Finished)
    return seen[-1].summary, seen


async def test_a_thousand_messages_are_all_read_in_parts_and_merged_with_their_citations(
    data_dir: Path, tmp_path: Path
) -> None:
    part = good_stream("Problem: Step 1 is word1x0. [m1.1]\n")
    with ScriptedServer(part) as server:
        async with opened_desk(data_dir, server, with_sample=False) as desk:
            await import_path(desk, _export(tmp_path / "long.csv", 1000))
            ticket_id = await _only_ticket(desk)
            summary, events = await _summarize_id(desk, ticket_id)
        bodies = server.bodies
    progress = [event for event in events if isinstance(event, Progressed)]
    assert progress[-1].done == progress[-1].parts > 3
    shown = "\n".join(asked(body) for body in bodies)
    missing = [number for number in range(1, 1001) if f"[m{number}.1]" not in shown]
    assert missing == [], "sentences that no request held"
    assert (summary.coverage.messages, summary.coverage.read) == (1000, 1000)
    assert summary.state is RunState.COMPLETE
    assert summary.claims[0].citations == ("m1.1",)
    assert "Part 2" in asked(bodies[-1])


async def test_parts_that_could_not_be_read_are_told(data_dir: Path, tmp_path: Path) -> None:
    answer = good_stream("Problem: Step 1 is word1x0. [m1.1]\n")
    with ScriptedServer(answer, refusal(422, "not this one"), answer) as server:
        async with opened_desk(data_dir, server, with_sample=False) as desk:
            await import_path(desk, _export(tmp_path / "long.csv", 400))
            summary, _ = await _summarize_id(desk, await _only_ticket(desk))
    assert summary.state is RunState.INCOMPLETE
    assert "1 of the ticket's parts could not be read" in summary.reason
    assert 0 < summary.coverage.read < 400


async def test_newer_messages_are_told_and_a_refresh_sends_only_them_with_the_old_summary(
    data_dir: Path, tmp_path: Path
) -> None:
    with ScriptedServer(good_stream("Problem: Step 1 is word1x0 word1x1. [m1.1]\n")) as server:
        async with opened_desk(data_dir, server, with_sample=False) as desk:
            await import_path(desk, _export(tmp_path / "story.csv", 4))
            ticket_id = await _only_ticket(desk)
            first, _ = await _summarize_id(desk, ticket_id)
            await import_path(desk, _export(tmp_path / "story.csv", 6))
            opened = await desk.summaries.open_ticket(ticket_id)
            assert opened.summary is not None
            assert (opened.summary.stale, opened.summary.newer_messages) == (True, 2)
            second, _ = await _summarize_id(desk, ticket_id, refresh=True)
            changes = desk.summaries.compare(first, second)
        last = asked(server.bodies[-1])
    assert "[m5.1]" in last
    assert "[m6.1]" in last
    assert "[m2.1]" not in last
    assert "Problem: Step 1 is word1x0 word1x1. [m1.1]" in last
    assert second.coverage.read == 6
    assert [(c.old is not None, c.new is not None) for c in changes] == [(True, True)]


async def test_an_edit_is_never_written_over_and_every_version_can_be_had_back(data_dir: Path) -> None:
    with ScriptedServer(good_stream(LINES)) as server:
        async with opened_desk(data_dir, server) as desk:
            first, _ = await summarize(desk)
            edited = await desk.summaries.edit(
                first.ticket_id, "Gist: Mine.\nProblem: The card shows $59.00 twice. [m1.1]"
            )
            (row,) = await desk.tickets.rows([first.ticket_id])
            assert (edited.is_edit, row.gist) == (True, "Mine.")
            await summarize(desk)
            shown = (await desk.summaries.open_ticket(first.ticket_id)).summary
            assert shown is not None
            assert shown.is_edit, "a summary that nobody asked for anew stands in place of a person's edit"
            versions = await desk.summaries.versions(first.ticket_id)
            assert [v.is_edit for v in versions][-2:] == [True, False]
            restored = await desk.summaries.restore(first.ticket_id, versions[-1].run_id)
            (row,) = await desk.tickets.rows([first.ticket_id])
            again = (await desk.summaries.open_ticket(first.ticket_id)).summary
    assert again is not None
    assert restored.text == first.text == again.text
    assert row.gist.startswith("Charged twice")
    assert [v.is_shown for v in versions].count(True) == 1


async def test_a_second_opinion_is_asked_once_about_unclear_wording_and_kept_apart(data_dir: Path) -> None:
    answer = "Problem: The card shows $59.00 twice. [m1.1]\nSentiment: worried. [m1.1]\n"
    answer += "Tried so far: The customer was billed two times for the same plan. [m1.1]\n"
    with ScriptedServer(good_stream(answer), good_stream(answer), good_stream("1: no")) as server:
        async with opened_desk(data_dir, server) as desk:
            plain, _ = await summarize(desk)
            unclear = [c for c in plain.claims if c.support.value == "partial" and c.claim.section != "Sentiment"]
            desk.settings.set("second_opinion", True)
            summary, events = await summarize(desk, refresh=True)
        asked_for = len(server.bodies)
    opined = [event for event in events if isinstance(event, Opined)]
    if not unclear:
        pytest.fail("no claim of this answer has wording that stays unclear")
    assert asked_for == 3
    assert [c.support for c in summary.claims] == [c.support for c in plain.claims]
    assert opined
    assert Opinion.SAYS_OTHERWISE in [c.opinion for c in summary.claims]
    assert all(c.opinion is Opinion.NONE for c in summary.claims if c.claim.section in ("Problem", "Sentiment"))


async def test_a_starred_summary_is_sent_along_as_an_example_for_a_ticket_like_it(data_dir: Path) -> None:
    with ScriptedServer(good_stream(LINES)) as server:
        async with opened_desk(data_dir, server) as desk:
            first, _ = await summarize(desk)
            before = len(server.bodies[0]["messages"])
            await desk.summaries.star(first.ticket_id, True)
            assert (await desk.summaries.open_ticket(first.ticket_id)).is_starred
            ids = [i for i in await desk.tickets.ids(TicketQuery(search="refund")) if i != first.ticket_id]
            await _summarize_id(desk, int(ids[0]))
            (await desk.summaries.star(first.ticket_id, False))
        counts = [len(body["messages"]) for body in server.bodies]
        sent = json.dumps(server.bodies[-1], ensure_ascii=False)
    assert counts[-1] == before + 2
    assert "RF-70352" in sent


async def test_the_built_in_and_openai_models_count_tokens_in_their_own_way(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        ticket_id = await desk.tickets.find(TICKET)
        profile = ProviderProfile("priced", "openai", "https://api.openai.com/v1", model="gpt-4o-mini")
        desk.providers.save(profile)
        desk.providers.save(replace(profile, name="other", model="unheard-of"))
        exact = await desk.summaries.estimate([ticket_id], provider="priced")
        rough = await desk.summaries.estimate([ticket_id], provider="other")
    assert exact.input_tokens != rough.input_tokens


async def test_the_estimate_of_a_long_ticket_counts_its_parts_and_is_not_exceeded(
    data_dir: Path, tmp_path: Path
) -> None:
    with ScriptedServer(good_stream("Problem: Step 1 is word1x0. [m1.1]\n")) as server:
        async with opened_desk(data_dir, server, with_sample=False) as desk:
            await import_path(desk, _export(tmp_path / "long.csv", 400))
            ticket_id = await _only_ticket(desk)
            estimate = await desk.summaries.estimate([ticket_id])
            await _summarize_id(desk, ticket_id)
        sent = len(server.bodies)
    assert estimate.calls == sent > 2


async def test_how_a_model_counts_tokens_is_learned_from_what_its_provider_reports(data_dir: Path) -> None:
    with ScriptedServer(good_stream(LINES, input_tokens=100_000)) as server:
        async with opened_desk(data_dir, server) as desk:
            first, _ = await summarize(desk)
            before = await desk.summaries.estimate([first.ticket_id], refresh=True)
    async with opened_desk(data_dir / "other") as desk:
        desk.providers.save(ProviderProfile("scripted", "custom", "http://127.0.0.1:9/v1", model="scripted"))
        ticket_id = await desk.tickets.find(TICKET)
        unlearned = await desk.summaries.estimate([ticket_id], provider="scripted")
    assert before.input_tokens > 5 * unlearned.input_tokens
