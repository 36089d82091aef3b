"""`tldesk recipes`: what a script relies on: names of keys, exit codes, and that an own recipe is really used."""

from __future__ import annotations

from pathlib import Path

from desktop.domain.runs import RunState
from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.cli.conftest import Runner
from tests.services.conftest import SHIPPED_RECIPES, TICKET, opened_desk, summarize


def test_the_list_has_the_promised_keys(tldesk: Runner) -> None:
    ran = tldesk("recipes", "list", "--json")
    assert ran.code == 0
    recipes = {each["name"]: each for each in ran.json["recipes"]}
    assert set(recipes) >= SHIPPED_RECIPES
    assert set(recipes["summarize"]) == {"name", "version", "task", "description", "path", "own", "digest"}
    assert recipes["summarize"]["own"] is False
    assert Path(recipes["gist"]["path"]).is_file()
    assert "handover" in tldesk("recipes", "list").out


def test_a_recipe_is_shown_as_it_would_be_sent_for_a_ticket(tldesk: Runner, export: Path) -> None:
    assert tldesk("import", str(export), "--source", "desk").code in (0, 3)
    (ticket,) = [each["id"] for each in tldesk("list", "--json").json["tickets"] if each["id"].endswith("T-2")]
    shown = tldesk("recipes", "show", "summarize", "--ticket", ticket, "--json").json
    assert [message["role"] for message in shown["messages"]][:2] == ["system", "user"]
    assert "I was charged €49.00 twice." in shown["messages"][-1]["content"]
    assert "{{" not in shown["messages"][0]["content"]
    assert "{{rules}}" in shown["text"]
    assert shown["input_tokens"] > shown["fixed_tokens"] > 0
    assert '"citations"' in tldesk("recipes", "show", "summarize", "--form", "json").out
    assert "(the ticket stands here)" in tldesk("recipes", "show", "gist").out
    assert tldesk("recipes", "show", "nothing").code == 4


def test_the_check_is_a_verdict(tldesk: Runner, tmp_path: Path) -> None:
    assert tldesk("recipes", "check").code == 0
    file = tmp_path / "mine.md"
    file.write_text(
        '+++\nname = "mine"\nversion = 1\ndescription = "M"\nsections = ["Problem"]\n+++\n{{form}}\n{{sections}}\n',
        encoding="utf-8",
    )
    ran = tldesk("recipes", "check", str(file), "gist", "--json")
    assert ran.code == 1
    (problem,) = ran.json["problems"]
    assert set(problem) == {"recipe", "path", "line", "quote", "sentence", "remedy"}
    assert (problem["recipe"], problem["line"]) == ("mine", 7)
    assert "{{rules}} is missing" in problem["sentence"]
    told = tldesk("recipes", "check", str(file))
    assert (told.code, f"{file}:7: " in told.out) == (1, True)
    assert tldesk("recipes", "check", "nothing").code == 4


def test_an_own_recipe_begins_as_a_copy_and_goes_again(tldesk: Runner, data_dir: Path) -> None:
    made = tldesk("recipes", "new", "short-one", "--from", "handover", "--json")
    assert made.code == 0
    assert Path(made.json["path"]) == data_dir / "recipes" / "short-one.md"
    assert made.json["own"] is True
    assert tldesk("recipes", "check", "short-one").code == 0
    assert tldesk("recipes", "new", "short-one").code == 4
    assert tldesk("recipes", "new", "Short One").code == 4
    assert tldesk("recipes", "remove", "short-one", "--json").json == {"recipe": "short-one", "removed": True}
    assert tldesk("recipes", "remove", "short-one").code == 4
    assert tldesk("recipes", "remove", "gist").code == 4, "a shipped recipe was removed"


async def test_a_summary_by_an_own_recipe_is_asked_for_in_its_words(data_dir: Path) -> None:
    with ScriptedServer(good_stream("Gist: The card was charged twice. [m1.1]\n")) as server:
        async with opened_desk(data_dir, server) as desk:
            text = desk.recipes.copy_of("gist", "headline").replace(
                "You say in one line", "HEADLINE WANTED: say in one line"
            )
            desk.recipes.save_own("headline", text)
            summary, _ = await summarize(desk, TICKET, recipe="headline")
        assert "HEADLINE WANTED" in str(server.bodies[0])
    assert (summary.state, summary.recipe) == (RunState.COMPLETE, "headline")


def test_a_file_that_is_no_text_is_one_finding_among_the_others(tldesk: Runner, data_dir: Path) -> None:
    own = data_dir / "recipes"
    own.mkdir(parents=True, exist_ok=True)
    (own / "broken.md").write_bytes(b"+++\n\xff\xfe\n")
    (own / "empty.md").write_text("", encoding="utf-8")
    ran = tldesk("recipes", "check", "--json")
    assert ran.code == 1
    found = {problem["recipe"]: problem for problem in ran.json["problems"]}
    assert set(found) == {"broken", "empty"}
    assert found["broken"]["sentence"].endswith("broken.md is not UTF-8 text (byte 5).")
    named = tldesk("recipes", "check", str(own / "broken.md"))
    assert (named.code, "is not UTF-8 text" in named.out) == (1, True)
