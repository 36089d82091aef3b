"""Recipes: the user's own stand before the shipped ones, every used text can be read again, and a check names what is wrong and where."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from desktop.config.paths import find_paths
from desktop.domain.errors import DeskError
from desktop.services.recipe_check import Problem, check_recipe
from desktop.services.recipes import RecipeBook, with_sections_of
from tests.services.conftest import SHIPPED_RECIPES

SHIPPED = find_paths().prompts
FRONT = 'name = "mine"\nversion = 1\ndescription = "Mine."\nsections = ["Problem"]\n'
BODY = "Summarize. {{form}}\n\n{{sections}}\n\n{{rules}}\n"
EXAMPLE = (
    "\n[[few_shot]]\nthread = '''\nTicket: A\nm1 · Ada (customer)\n[m1.1] It fails.\n'''\n"
    "summary = '''\nGist: It fails. [m1.1]\nProblem: {}\n'''\n"
)


def make_text(body: str = BODY, front: str = FRONT) -> str:
    """Return a recipe's text."""
    return f"+++\n{front}+++\n{body}"


def check(body: str = BODY, front: str = FRONT) -> tuple[Problem, ...]:
    """Return what is wrong with a recipe."""
    return check_recipe(make_text(body, front), Path("mine.md"))


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    """Give the shipped recipes, and a place for own ones that nobody made yet."""
    return RecipeBook(SHIPPED, tmp_path / "data" / "recipes")


def test_every_shipped_recipe_can_be_used_and_nothing_is_found_wrong_with_it(book: RecipeBook) -> None:
    names = {recipe.name for recipe in book.all()}
    assert names >= SHIPPED_RECIPES
    assert names == set(book.names())
    assert [problem for name in book.names() for problem in book.check(name)] == []
    assert book.load("customer-facing").audience == "customer"
    assert {book.load(name).task for name in ("gist", "incremental", "merge")} == {"gist", "incremental", "merge"}


def test_looking_at_the_list_writes_nothing(book: RecipeBook, tmp_path: Path) -> None:
    book.all()
    assert not (tmp_path / "data").exists()


def test_an_own_recipe_stands_before_the_shipped_one_until_it_is_removed(book: RecipeBook) -> None:
    shipped = book.load("closing")
    book.save_own("closing", book.text("closing").replace("closing note", "last word"))
    own = book.load("closing")
    assert own.is_own
    assert "last word" in own.prompt
    assert own.digest != shipped.digest
    assert book.remove_own("closing")
    again = book.load("closing")
    assert (again.is_own, again.digest) == (False, shipped.digest)
    assert not book.remove_own("closing")


def test_every_text_that_was_used_can_be_read_again(book: RecipeBook) -> None:
    first = book.save_own("mine", make_text())
    old = book.load("mine")
    # Edited by another program, not through the book.
    first.write_text(make_text(BODY + "- Be kind.\n"), encoding="utf-8")
    new = book.load("mine")
    book.remove_own("mine")
    assert book.text_of("mine", old.digest) == make_text()
    assert book.text_of("mine", new.digest) == make_text(BODY + "- Be kind.\n")
    assert book.text_of("mine", "0" * 64) is None
    assert book.text_of("../mine", old.digest) is None
    assert "mine" not in book.names(), "a kept text counts as a recipe"


def test_a_shipped_text_can_still_be_read_after_an_update(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "prompts")
    book = RecipeBook(tmp_path / "prompts", tmp_path / "recipes")
    used, text = book.load("gist"), book.text("gist")
    (tmp_path / "prompts" / "gist.md").write_text(text.replace("version = 1", "version = 2"), encoding="utf-8")
    assert book.load("gist").version == 2
    assert book.text_of("gist", used.digest) == text


def test_a_recipe_saved_with_other_line_ends_is_the_same_recipe(book: RecipeBook, tmp_path: Path) -> None:
    path = book.save_own("mine", make_text())
    digest = book.load("mine").digest
    path.write_bytes(b"\xef\xbb\xbf" + make_text().replace("\n", "\r\n").encode())
    assert book.load("mine").digest == digest


@pytest.mark.parametrize("name", ["", "../up", "Mine", "a b", "con", "x" * 41, ".hidden", "mine.md"])
def test_a_name_that_is_no_file_name_is_refused(book: RecipeBook, name: str) -> None:
    with pytest.raises(DeskError) as refused:
        book.save_own(name, make_text())
    assert refused.value.code == "recipe-name-bad"


def test_a_broken_recipe_is_named_and_does_not_hide_the_others(book: RecipeBook) -> None:
    book.save_own("mine", "no front matter")
    with pytest.raises(DeskError, match=r"mine\.md cannot be used"):
        book.load("mine")
    assert "mine" in book.names()
    assert "mine" not in [recipe.name for recipe in book.all()]
    assert "summarize" in [recipe.name for recipe in book.all()]
    assert len(book.check("mine")) == 1
    with pytest.raises(DeskError) as missing:
        book.load("yours")
    assert missing.value.code == "recipe-missing"
    assert "summarize" in missing.value.remedy


def test_a_copy_has_its_own_name_and_nothing_is_found_wrong_with_it(book: RecipeBook) -> None:
    book.save_own("short-one", book.copy_of("summarize", "short-one"))
    assert book.check("short-one") == ()
    assert book.load("short-one").name == "short-one"


def test_merging_serves_any_recipe_with_its_sections_and_readers(book: RecipeBook) -> None:
    merge = with_sections_of(book.load("merge"), book.load("customer-facing"))
    assert merge.sections == book.load("customer-facing").sections
    assert (merge.audience, merge.task) == ("customer", "merge")
    assert merge.meanings["You reported"]


@pytest.mark.parametrize(
    ("body", "front", "line", "words"),
    [
        (BODY + "{{custmer}}\n", FRONT, 12, "There is no placeholder {{custmer}}"),
        (BODY + "{{tone}}\n{{tone}}\n", FRONT, 13, "stands there twice"),
        (BODY.replace("{{rules}}", "- {{rules}}"), FRONT, 11, "other words stand on its line"),
        (BODY + "{sections}\n", FRONT, 12, "looks like a placeholder"),
        (BODY + "{{tone\n", FRONT, 12, "looks like a placeholder"),
        (BODY.replace("{{rules}}", ""), FRONT, 7, "{{rules}} is missing"),
        (BODY.replace("{{form}}", ""), FRONT, 7, "{{form}} is missing"),
        (BODY, FRONT.replace('"Problem"', '"Weather"'), 5, "Nothing says what “Weather” holds"),
        (BODY, FRONT.replace('["Problem"]', "[]"), 5, "It has no sections"),
        (BODY, FRONT.replace('"mine"', '"yours"', 1), 2, "The name inside is “yours”"),
        (BODY, FRONT + "task = 'dance'\n", 6, "task must be one of"),
        (BODY, FRONT + "max_tokens = 3\n", 6, "max_tokens must be"),
        (BODY, FRONT.replace("version = 1", "version = "), 3, "cannot be used"),
        (BODY, FRONT.replace("version = 1\n", ""), 2, "version is missing"),
        (BODY, FRONT + EXAMPLE.format("It fails. [m1.2]"), 15, "cites [m1.2]"),
        (BODY, FRONT + EXAMPLE.format("It fails. [m1.1]\nMood: bad. [m1.1]"), 16, "a section “Mood”"),
        (BODY, FRONT + EXAMPLE.format("It fails. [m1.1]").replace("Problem:", "Trouble:"), 14, "no line “Problem:”"),
        (BODY + "long " * 5000, FRONT, 1, "too little room left"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_in_its_line(body: str, front: str, line: int, words: str) -> None:
    problems = check(body, front)
    assert [problem.line for problem in problems if words in problem.sentence] == [line], problems
    assert all(problem.remedy for problem in problems)


@pytest.mark.parametrize(
    ("rules", "quote", "words"),
    [
        ("- Use at most 50 words.\n- Tell it in detail.", "in detail", "contradicts “at most 50 words” in line 12"),
        ("- At most fifty words? No more than 30 words.\n- At least 3 paragraphs.", "At least 3 paragraphs", "so few words"),
        ("- No more than 2 sentences.\n- At least four sentences.", "At least four sentences", "the least is more"),
        ("- Be brief.\n- Be thorough.", "thorough", "the opposite"),
        ("- Answer in German.\n- Always write the answer in French.", "write the answer in French", "two languages"),
        ("- Answer in German.\n{{language}}", "Answer in German", "may contradict {{language}}"),
        ("- Use bullet points.", "Use bullet", "may contradict {{form}}"),
        ("- Write no citations.", "no citations", "may contradict {{rules}}"),
        ("- Do not cite anything.", "Do not cite", "may contradict {{rules}}"),
        ("- Add your recommendations.", "Add your recommendations", "may contradict {{rules}}"),
        ("- Be formal.\n- Sound friendly.", "friendly", "the opposite"),
        ("- At most 80 words.\n{{length}}", "At most 80 words", "may contradict {{length}}"),
    ],
)  # fmt: skip
def test_rules_that_contradict_are_found(rules: str, quote: str, words: str) -> None:
    problems = check(BODY + rules + "\n")
    assert [problem.quote for problem in problems if words in problem.sentence] == [quote], problems


def test_a_recipe_for_customers_that_speaks_of_internal_notes_is_told_so() -> None:
    rules = BODY + "- Mention internal notes.\n"
    assert not check(rules)
    (problem,) = check(rules, FRONT + 'audience = "customer"\n')
    assert problem.quote == "internal notes"
    assert rules.splitlines()[5][problem.start :].startswith("internal notes")


@pytest.mark.parametrize(
    "rule",
    [
        "- Do not answer in detail.\n- At most 50 words.",
        "- Never use bullets or a table.",
        "- Cite the ids.\n- Only what the ticket says.",
        "- At most 50 words.\n- At least 10 words.",
        "- Answer in German.\n- The German office answers in German too.",
        "- Do not guess, and never speculate.",
        "- Keep it formal, not friendly.",
    ],
)
def test_rules_that_agree_are_left_alone(rule: str) -> None:
    assert check(BODY + rule + "\n") == ()
