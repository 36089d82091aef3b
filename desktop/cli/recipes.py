"""`tldesk recipes`: the prompts that summaries are asked for with: list them, show one as it is sent, check them, begin an own one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.main import NEGATIVE
from desktop.cli.output import print_json, print_table, say
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.prompt_preview import Preview
    from desktop.services.recipe_check import Problem
    from desktop.services.recipes import Recipe


@click.group("recipes")
def recipes_command() -> None:
    """List, show, check and begin recipes: the prompts behind summaries."""


@recipes_command.command("list")
@json_option
@common_options
def list_recipes(session: Session, as_json: bool) -> None:
    """List all recipes that can be used: those that came with TLDesk and your own."""

    async def work(desk: Desk) -> tuple[Recipe, ...]:
        return desk.recipes.all()

    recipes = session.run(work)
    if as_json:
        print_json({"recipes": [_fields(recipe) for recipe in recipes]})
        return
    rows = [
        (each.name, str(each.version), each.task, "own" if each.is_own else "", each.description) for each in recipes
    ]
    print_table(("Name", "Version", "Task", "", "What it is for"), rows, widest=100)


@recipes_command.command("show")
@click.argument("name")
@click.option("--ticket", default="", metavar="ID", help="Fill in this ticket; else only where it would stand.")
@click.option(
    "--form",
    type=click.Choice(("lines", "json")),
    default="lines",
    show_default=True,
    help="The form of the answer: lines for models that write plain text, json for providers that take a schema.",
)
@json_option
@common_options
def show_recipe(session: Session, name: str, ticket: str, form: str, as_json: bool) -> None:
    """Show a recipe: the whole prompt as it would be sent, and the file it is made from. Nothing is sent."""

    async def work(desk: Desk) -> tuple[Recipe, str, Preview]:
        from desktop.services.prompting import AnswerForm

        recipe = desk.recipes.load(name)
        ticket_id = await desk.tickets.find(ticket) if ticket else None
        preview = await desk.previews.preview(recipe, ticket_id, form=AnswerForm(form))
        return recipe, desk.recipes.text(name), preview

    recipe, text, preview = session.run(work)
    if as_json:
        messages = [{"role": message.role, "content": message.content} for message in preview.messages]
        print_json(
            {
                **_fields(recipe),
                "audience": recipe.audience,
                "sections": list(recipe.sections),
                "messages": messages,
                "input_tokens": preview.tokens,
                "fixed_tokens": preview.fixed_tokens,
                "text": text,
            }
        )
        return
    for message in preview.messages:
        say(f"--- {message.role}\n{message.content}\n")
    say(f"--- about {preview.tokens:,} tokens, {preview.fixed_tokens:,} of them the same for every ticket")
    say(f"--- {recipe.path}\n{text}", end="")


@recipes_command.command("check")
@click.argument("recipes", nargs=-1, metavar="[NAME|FILE…]")
@json_option
@common_options
def check_recipes(session: Session, recipes: tuple[str, ...], as_json: bool) -> int:
    """Check recipes by name, or files, else all: placeholders, sections, examples, length, rules that contradict.

    The exit code is 1 when something is found.
    """

    async def work(desk: Desk) -> list[Problem]:
        return [problem for each in recipes or desk.recipes.names() for problem in _check(desk, each)]

    problems = session.run(work)
    if as_json:
        print_json({"problems": [_problem_fields(problem) for problem in problems]})
    else:
        for problem in problems:
            say(f"{problem.path}:{problem.line}: {problem.sentence}\n    → {problem.remedy}")
        say(f"{count(len(problems), 'problem')} found." if problems else "Nothing is found wrong.")
    return NEGATIVE if problems else 0


@recipes_command.command("new")
@click.argument("name")
@click.option("--from", "source", default="summarize", show_default=True, metavar="NAME", help="What it begins as.")
@json_option
@common_options
def new_recipe(session: Session, name: str, source: str, as_json: bool) -> None:
    """Begin a recipe of your own as a copy of another; of the same name it stands in place of the one that came with TLDesk."""

    async def work(desk: Desk) -> Recipe:
        if name in desk.recipes.own_names():
            raise DeskError(
                "recipe-exists",
                f"You have a recipe named “{name}” already: {desk.recipes.path(name)}.",
                remedy="Edit it, or use another name.",
            )
        desk.recipes.save_own(name, desk.recipes.copy_of(source, name))
        return desk.recipes.load(name)

    recipe = session.run(work)
    if as_json:
        print_json(_fields(recipe))
    else:
        say(f"{recipe.path}\nEdit it, then check it with: tldesk recipes check {recipe.name}")


@recipes_command.command("remove")
@click.argument("name")
@json_option
@common_options
def remove_recipe(session: Session, name: str, as_json: bool) -> None:
    """Remove a recipe of your own. One of that name that came with TLDesk counts again."""

    async def work(desk: Desk) -> bool:
        if not desk.recipes.remove_own(name):
            raise DeskError(
                "recipe-missing",
                f"You have no recipe of your own named “{name}”.",
                remedy="See them with: tldesk recipes list",
            )
        return desk.recipes.is_shipped(name)

    is_shipped = session.run(work)
    if as_json:
        print_json({"recipe": name, "removed": True})
    else:
        say(f"Your {name} is removed." + (" The one that came with TLDesk counts again." if is_shipped else ""))


def _check(desk: Desk, name: str) -> tuple[Problem, ...]:
    """Check a recipe by its name, else a file."""
    from desktop.services.recipe_check import check_file

    if name in desk.recipes.names() or not Path(name).is_file():
        return desk.recipes.check(name)
    return check_file(Path(name))


def _fields(recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "version": recipe.version,
        "task": recipe.task,
        "description": recipe.description,
        "path": str(recipe.path),
        "own": recipe.is_own,
        "digest": recipe.digest,
    }


def _problem_fields(problem: Problem) -> dict[str, Any]:
    fields = asdict(problem)
    return {
        "recipe": problem.path.stem,
        "path": str(problem.path),
        **{k: fields[k] for k in ("line", "quote", "sentence", "remedy")},
    }
