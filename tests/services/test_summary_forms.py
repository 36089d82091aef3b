"""Summaries of every form: objects and lines, repaired and plain; long tickets in parts, changed ones by what is new; versions, edits and stars."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.providers import ProviderProfile
from desktop.domain.runs import ClaimChecked, Fields, Finished, Form, Opined, Opinion, Progressed, RunState, Thinking
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, good_stream, refusal, usage_chunk, words
from desktop.services.container import Desk
from tests.services.conftest import TICKET, import_path, opened_desk, summarize

OBJECT = {
    "gist": {"text": "Charged twice; the refund RF-70352 was issued.", "citations": ["m1.1", "m5.1"]},
    "sections": [
        {
            "name": "Problem",
            "owner": "",
            "date": "",
            "claims": [{"text": "The card shows $59.00 twice.", "citations": ["m1.1"]}],
        },
        {
            "name": "Next step",
            "owner": "agent",
            "date": "",
            "claims": [{"text": "The refund of $59.00 was issued.", "citations": ["m5.1"]}],
        },
        {"name": "Open questions", "owner": "", "date": "", "claims": []},
        {
            "name": "Sentiment",
            "owner": "",
            "date": "",
            "claims": [{"text": "worried: pays twice", "citations": ["m1.1"]}],
        },
    ],
}
LINES = (
    "Gist: Charged twice; the refund RF-70352 was issued. [m1.1][m5.1]\nProblem: The card shows $59.00 twice. [m1.1]\n"
)


def asked(body: dict[str, Any]) -> str:
    """Return the last message of a request."""
    return str(body["messages"][-1]["content"])


async def test_an_object_is_shown_claim_by_claim_and_its_fields_filter_the_list(data_dir: Path) -> None:
    with ScriptedServer(good_stream(json.dumps(OBJECT))) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, events = await summarize(desk)
            ours = await desk.tickets.ids(TicketQuery(where=(("next_owner", "agent"),)))
            worried = await desk.tickets.ids(TicketQuery(where=(("sentiment", "worried"), ("open_questions", "no"))))
            orders = [(await desk.tickets.ids(TicketQuery(sort=sort)))[0] for sort in ("next_owner", "-next_owner")]
            theirs = await desk.tickets.ids(TicketQuery(where=(("next_owner", "customer"),)))
            (row,) = await desk.tickets.rows([summary.ticket_id])
        (body,) = server.bodies
    checks = [place for place, event in enumerate(events) if isinstance(event, ClaimChecked)]
    assert checks[0] < len(events) - 10, "the first claim was checked only at the end"
    assert body["response_format"]["type"] == "json_schema"
    assert summary.form is Form.SECTIONS
    assert [c.claim.section for c in summary.claims] == ["Gist", "Problem", "Next step", "Sentiment"]
    assert summary.claims[1].citations == ("m1.1",)
    assert summary.text.splitlines()[1] == "Problem: The card shows $59.00 twice. [m1.1]"
    assert summary.fields == Fields(next_owner="agent", sentiment="worried", has_open_questions=False)
    assert list(ours) == list(worried) == [summary.ticket_id]
    assert list(theirs) == []
    assert orders == [summary.ticket_id] * 2, "a ticket without a summary stands before one that says whose turn it is"
    assert row.next_owner == "agent"


@pytest.mark.parametrize(
    "text",
    [
        "```json\n" + json.dumps(OBJECT, indent=2) + "\n```",
        "Here is the summary:\n" + json.dumps(OBJECT),
        json.dumps({"Gist": "Charged twice.", "problem": ["The card shows $59.00 twice. [m1.1]"]}),
        json.dumps(OBJECT)[:-60],
        json.dumps(OBJECT["sections"]),
        json.dumps(
            {"gist": 5, "sections": [{"name": "Problem", "claims": [None, "The card shows $59.00 twice. [m1.1]"]}]}
        ),
    ],
    ids=["fenced", "announced", "keys of its own", "cut off", "a list", "other types"],
)
async def test_an_object_by_any_other_shape_is_read_for_what_it_holds(data_dir: Path, text: str) -> None:
    with ScriptedServer(good_stream(text)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    found = {c.claim.section: (c.claim.text, c.claim.citations) for c in summary.claims}
    assert found["Problem"] == ("The card shows $59.00 twice.", ("m1.1",))
    assert "{" not in summary.text


async def test_a_provider_that_refuses_a_schema_is_asked_for_an_object_and_then_for_text(data_dir: Path) -> None:
    refused = refusal(400, "response_format of this type is not supported", param="response_format")
    with ScriptedServer(refused, refused, good_stream(LINES)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            await summarize(desk, refresh=True)
        formats = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert summary.state is RunState.COMPLETE
    assert formats == ["json_schema", "json_object", None, None]


async def test_an_answer_without_sections_is_put_into_sections_by_one_more_request(data_dir: Path) -> None:
    plain = "The card shows $59.00 twice. The refund RF-70352 was issued."
    with ScriptedServer(good_stream(plain), good_stream(LINES)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
        assert len(server.bodies) == 2
        assert "The card shows $59.00 twice." in asked(server.bodies[1])
    assert summary.form is Form.REPAIRED
    assert [c.claim.section for c in summary.claims] == ["Gist", "Problem"]


async def test_an_answer_that_finds_no_sections_stays_the_plain_text_that_it_is(data_dir: Path) -> None:
    with ScriptedServer(good_stream("The card shows $59.00 twice.")) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            stored = (await desk.summaries.open_ticket(summary.ticket_id)).summary
        assert len(server.bodies) == 2
    assert (summary.state, summary.form) == (RunState.COMPLETE, Form.PLAIN)
    assert [c.claim.text for c in summary.claims] == ["The card shows $59.00 twice."]
    assert stored is not None
    assert stored.form is Form.PLAIN


PROBLEM = '{"name": "Problem", "claims": [{"text": "The card shows $59.00 twice.", "citations": ["m1.1"]}]}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"gist": {{"text": "Charged twice.", "citations": ["m1.1"],}}, "sections": [{PROBLEM},]}}',
        f'{{"gist": {{"text": "Charged \\ud83d twice.", "citations": []}}, "sections": [{PROBLEM}]}}',
        f'{{"gist": {{"text": "Charged twice.", "citations": []}}, // the gist\n "sections": [{PROBLEM}]}}',
        str({"gist": {"text": "Charged twice."}, "sections": [json.loads(PROBLEM)]}),
        f'{{"sections": [null, {PROBLEM}, 7]}}',
    ],
    ids=["a comma too many", "half a character", "a comment", "quotes of Python", "nothing among the sections"],
)
async def test_an_object_with_a_flaw_is_read_as_it_was_meant(data_dir: Path, text: str) -> None:
    with ScriptedServer(good_stream(text)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
        assert len(server.bodies) == 1
    found = {c.claim.section: (c.claim.text, c.claim.citations) for c in summary.claims}
    assert (summary.state, summary.form) == (RunState.COMPLETE, Form.SECTIONS)
    assert found["Problem"] == ("The card shows $59.00 twice.", ("m1.1",))
    assert "{" not in summary.text


async def test_what_stands_under_a_name_that_nobody_asked_for_is_kept_and_put_into_sections(data_dir: Path) -> None:
    text = json.dumps(
        {
            "gist": {"text": "Charged twice.", "citations": ["m1.1"]},
            "sections": [{"name": "Problème", "claims": [{"text": "The card shows $59.00 twice.", "citations": []}]}],
        }
    )
    with ScriptedServer(good_stream(text), good_stream(LINES)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, events = await summarize(desk)
        assert "The card shows $59.00 twice." in asked(server.bodies[1])
    assert summary.form is Form.REPAIRED
    assert "The card shows $59.00 twice." in [e.checked.claim.text for e in events if isinstance(e, ClaimChecked)]


async def test_of_an_object_of_another_kind_the_sentences_are_left(data_dir: Path) -> None:
    text = json.dumps({"answer": {"body": "The card shows $59.00 twice.", "ok": True}})
    with ScriptedServer(good_stream(text)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert summary.form is Form.PLAIN
    assert [c.claim.text for c in summary.claims] == ["The card shows $59.00 twice."]
    assert "{" not in summary.text


async def test_a_ticket_that_says_nothing_of_any_section_has_a_summary_that_says_so(data_dir: Path) -> None:
    empty: list[dict[str, object]] = [
        {"name": name, "owner": "", "date": "", "claims": []} for name in ("Problem", "Open questions")
    ]
    text = json.dumps({"gist": {"text": "Not in the ticket", "citations": []}, "sections": empty})
    with ScriptedServer(good_stream(text)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert summary.state is RunState.COMPLETE
    assert summary.text == "Problem: Not in the ticket\nOpen questions: Not in the ticket"
    assert summary.fields.has_open_questions is False


async def test_whether_questions_are_open_is_not_known_of_an_answer_without_that_section(data_dir: Path) -> None:
    with ScriptedServer(good_stream("Problem: The card shows $59.00 twice. [m1.1]\n")) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
            edited = await desk.summaries.edit(summary.ticket_id, "Problem: The card shows $59.00 twice\ud83d. [m1.1]")
    assert summary.fields.has_open_questions is None
    assert edited.fields.has_open_questions is None
    assert "\ufffd" in edited.text


async def test_a_model_that_declines_has_written_no_summary(data_dir: Path) -> None:
    with ScriptedServer(good_stream("I'm sorry, but I can't help with that.")) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
        assert len(server.bodies) == 1
    assert (summary.state, summary.claims, summary.text) == (RunState.FAILED, (), "")
    assert "declined" in summary.reason


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


@pytest.mark.parametrize("text", ["{}", "[m1.1][m1.2]"])
async def test_an_answer_without_a_sentence_is_no_complete_summary(data_dir: Path, text: str) -> None:
    with ScriptedServer(good_stream(text)) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, _ = await summarize(desk)
    assert summary.state is RunState.INCOMPLETE
    assert "no sentence" in summary.reason


async def test_thinking_is_kept_apart_from_the_summary(data_dir: Path) -> None:
    thought = chunk(reasoning_content="The customer paid twice.")
    script = Script((thought, *words(LINES), chunk(finish="stop"), usage_chunk(10, 10, cached=6), DONE))
    with ScriptedServer(script) as server:
        async with opened_desk(data_dir, server) as desk:
            summary, events = await summarize(desk)
            stored = (await desk.summaries.open_ticket(summary.ticket_id)).summary
    assert [event.text for event in events if isinstance(event, Thinking)] == ["The customer paid twice."]
    assert stored is not None
    assert stored.thinking == "The customer paid twice."
    assert "paid twice" not in stored.text
    assert stored.usage.cached_input_tokens == 6


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
    with ScriptedServer(answer, refusal(500, "overloaded"), answer) as server:
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
