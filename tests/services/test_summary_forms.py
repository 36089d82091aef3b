"""Summaries of every form: objects and lines, flawed, repaired and plain; nothing is lost, and nobody is shown JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.runs import ClaimChecked, Fields, Form, RunState, Thinking
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, good_stream, refusal, usage_chunk, words
from tests.services.conftest import opened_desk, summarize

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
