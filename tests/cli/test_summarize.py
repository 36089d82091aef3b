"""`tldesk summarize`: its JSON keys, its exit codes, and what a cost limit keeps from being begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, good_stream, refusal, words
from tests.cli.conftest import Runner

ANSWER = "Gist: Charged twice. [m1.1]\nProblem: The customer was charged €49.00 twice. [m1.1]\nNext step: Refund of $999 today. [m1.2]\n"
SUMMARY_KEYS = (
    "ticket state reason text gist sections claims coverage highlights provider model recipe recipe_version cached usage cost"
    " first_token_seconds seconds error"
).split()


def test_summarize_prints_a_document_a_line_with_every_key(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "--all", "--jsonl", "--concurrency", "2")
        assert len(server.bodies) == 2
    summary = next(line for line in ran.lines if line["ticket"].endswith("T-2"))
    assert ran.code == 0
    assert set(SUMMARY_KEYS) <= set(summary)
    assert (summary["state"], summary["error"], summary["cost"]) == ("complete", None, 0.0)
    by_section = {claim["section"]: claim for claim in summary["claims"]}
    assert by_section["Problem"]["support"] == "supported"
    assert (by_section["Next step"]["support"], by_section["Next step"]["missing_facts"][0]) == ("unsupported", "$999")
    assert tldesk("list", "--where", "external_id=T-2", "--json").json["tickets"][0]["gist"] == "Charged twice."


def test_a_failed_summary_has_no_text_and_exit_code_4(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(refusal(401, "no")) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "T-2", "--json")
    assert ran.code == 4
    assert (ran.json["state"], ran.json["text"], ran.json["error"]["code"]) == ("failed", "", "provider-key")
    assert ran.json["highlights"]


def test_people_see_each_sentence_with_what_was_found_of_it(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "T-2")
    assert "Problem:         The customer was charged €49.00 twice.  [supported: m1.1]" in ran.out
    assert "Refund of $999 today.  [NOT SUPPORTED: “$999” is not in the ticket]" in ran.out
    assert "2 of 3 sentences supported" in ran.out


def test_an_estimate_and_a_cost_limit_spend_nothing(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    tldesk("providers", "add", "cloud", "--kind", "openai", "--model", "gpt-4o-mini", "--default")
    estimate = tldesk("summarize", "--all", "--estimate", "--json").json
    assert (estimate["tickets"], estimate["calls"], estimate["cached"]) == (2, 2, 0)
    assert 0 < estimate["cost"] < 0.01
    ran = tldesk("summarize", "T-2", "--max-cost", "0", "--json")
    assert (ran.code, ran.json["state"]) == (4, "failed")
    assert "cost limit" in ran.json["reason"]


def test_json_is_one_document_whatever_the_number_of_tickets(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        both = tldesk("summarize", "--all", "--json").json
    assert {summary["ticket"] for summary in both["summaries"]} == {"export:T-1", "export:T-2"}


def test_a_recipe_that_is_not_there_is_one_sentence(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    ran = tldesk("summarize", "--all", "--recipe", "nonsense", "--concurrency", "2")
    assert ran.code == 4
    assert "no recipe named “nonsense”" in ran.err


def test_a_limit_holds_with_several_at_a_time(tldesk: Runner, export: Path) -> None:
    """Each is within the limit alone, both together are not: the second must not begin while nobody knows what the first took."""
    tldesk("import", str(export))
    silent = Script((*words(ANSWER), chunk(finish="stop"), DONE))
    with ScriptedServer(silent) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        most = tldesk("summarize", "--all", "--estimate", "--json").json["most_tokens"]
        ran = tldesk("summarize", "--all", "--max-tokens", str(int(most * 0.7)), "--concurrency", "2", "--jsonl")
        assert len(server.bodies) == 1
        reported = good_stream(ANSWER)
        server.play(reported)
        both = tldesk("summarize", "--all", "--refresh", "--max-tokens", str(int(most * 0.7)), "--jsonl")
    assert sorted(line["reason"] for line in ran.lines) == ["", "the limit of tokens was reached before this ticket"]
    assert ran.code == 3
    assert [line["state"] for line in both.lines] == ["complete", "complete"]


def test_what_would_fail_every_ticket_is_met_once(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(refusal(401, "no")) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "--all", "--concurrency", "1", "--jsonl")
        assert len(server.bodies) == 1
    assert ran.code == 4
    assert [line["error"]["code"] for line in ran.lines] == ["provider-key", "provider-key"]
    assert "Stopped before all were begun" in ran.err


def test_a_ticket_that_is_named_twice_is_summarized_once(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        ran = tldesk("summarize", "T-2", "export:T-2", "--refresh", "--jsonl")
        assert len(server.bodies) == 1
    assert [line["ticket"] for line in ran.lines] == ["export:T-2"]


def test_people_are_told_why_a_single_ticket_was_not_begun(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    tldesk("providers", "add", "cloud", "--kind", "openai", "--model", "gpt-4o-mini", "--default")
    over = tldesk("summarize", "T-2", "--max-cost", "0")
    assert over.code == 4
    assert "Refund (export:T-2)" in over.out
    assert "the cost limit was reached before this ticket" in over.out
    unknown = tldesk("summarize", "T-2", "--model", "nobodys-model", "--max-cost", "5")
    assert unknown.code == 4
    assert "no price is known for nobodys-model, so the limit cannot be kept" in unknown.out


@pytest.mark.parametrize("amount", ["nan", "inf", "-1", "much"])
def test_what_is_no_amount_of_money_is_wrong_usage(tldesk: Runner, amount: str) -> None:
    ran = tldesk("summarize", "--all", "--max-cost", amount)
    assert (ran.code, "--max-cost" in ran.err, "Traceback" in ran.err) == (2, True, False)


@pytest.mark.parametrize("ways", [("--all", "--search", "x"), ("T-1", "--all"), ("T-1", "--where", "status=open")])
def test_ways_of_choosing_tickets_exclude_each_other_and_that_is_said(tldesk: Runner, ways: tuple[str, ...]) -> None:
    ran = tldesk("summarize", *ways)
    assert (ran.code, "exclude each other" in ran.err) == (2, True)


def test_a_written_summary_is_shown_with_its_ticket(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    assert tldesk("show", "T-2", "--json").json["summary"] is None
    assert "Summary" not in tldesk("show", "T-2").out
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        written = tldesk("summarize", "T-2", "--json").json
    stored = tldesk("show", "T-2", "--json").json["summary"]
    assert set(SUMMARY_KEYS) <= set(stored)
    assert (stored["ticket"], stored["text"], stored["cached"]) == ("export:T-2", written["text"], True)
    shown = tldesk("show", "T-2").out
    assert "Summary, written before by m (mine):" in shown
    assert "Refund of $999 today.  [NOT SUPPORTED: “$999” is not in the ticket]" in shown
    assert "[m1] Bo" in shown
    assert "has changed since" not in shown
    export.write_text(export.read_text(encoding="utf-8").replace("A-1183", "A-1184"), encoding="utf-8")
    tldesk("import", str(export))
    assert "The ticket has changed since." in tldesk("show", "T-2").out


def test_a_text_that_broke_off_is_written_on(tldesk: Runner, export: Path) -> None:
    begun = "Gist: Charged twice. [m1.1]\nProblem: The customer was"
    tldesk("import", str(export))
    with ScriptedServer(Script(words(begun), then="drop"), good_stream(" charged twice. [m1.1]\n")) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        broken = tldesk("summarize", "T-2", "--json")
        whole = tldesk("summarize", "T-2", "--continue", "--json")
    assert (broken.code, broken.json["state"], broken.json["text"]) == (3, "incomplete", begun)
    assert (whole.code, whole.json["state"], whole.json["text"]) == (0, "complete", f"{begun} charged twice. [m1.1]\n")
    assert tldesk("summarize", "--all", "--continue").code == 2


def test_a_cap_of_a_day_holds_for_many_tickets_of_a_command(tldesk: Runner, export: Path, data_dir: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(good_stream(ANSWER)) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        settings = data_dir / "settings.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "max_tokens_day": 10}))
        ran = tldesk("summarize", "--all", "--jsonl")
        assert server.requests == []
    assert ran.code == 4
    assert {line["reason"] for line in ran.lines} == {"the limit of tokens a day was reached before this ticket"}
