"""`tldesk providers tasks`, `price` and `local-only`: who does what, what it costs, and whether anything may leave this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from desktop.cli.output import print_json, print_table, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.providers import ModelPrice, TaskModel
from desktop.services.price_wording import describe_price

if TYPE_CHECKING:
    from desktop.services.container import Desk

Row = tuple[TaskModel, tuple[tuple[str, str], ...], str]


@click.command("tasks")
@click.argument("task", required=False)
@click.option("--provider", metavar="NAME", help="Who does the task.")
@click.option("--model", metavar="NAME", help="Its model for the task; without it the provider's own.")
@click.option("--default", "is_default", is_flag=True, help="Leave the task to the default provider again.")
@json_option
@common_options
def choose_models(
    session: Session, task: str | None, provider: str | None, model: str | None, is_default: bool, as_json: bool
) -> None:
    """List who does what, or choose who does one TASK: a recipe, or "second opinion"."""
    if (provider or model or is_default) and not task:
        raise click.UsageError("Name the task that it is for.")
    if is_default and (provider or model):
        raise click.UsageError("--default goes with no --provider and no --model.")

    async def work(desk: Desk) -> list[Row]:
        name = _spelled(task or "", [each.task for each in desk.providers.tasks.all()])
        if is_default:
            desk.providers.tasks.set(TaskModel(name))
        elif provider or model:
            # A model alone is one of whoever does the task now.
            first = desk.providers.route(name, provider or "")[0][0]
            desk.providers.tasks.set(TaskModel(name, first, model or ""))
        elif name:
            desk.providers.tasks.require(name)
        return [_row(desk, each) for each in desk.providers.tasks.all() if name in ("", each.task)]

    rows = session.run(work)
    if as_json:
        print_json({"tasks": [_fields(row) for row in rows]})
        return
    print_table(("Task", "Provider", "Model", "Fallback"), [_cells(row) for row in rows])
    for reason in dict.fromkeys(reason for _, _, reason in rows if reason):
        say(reason)


@click.command("local-only")
@click.argument("state", required=False, type=click.Choice(["on", "off"]))
@json_option
@common_options
def lock(session: Session, state: str | None, as_json: bool) -> None:
    """Lock the whole program to this machine (on), unlock it (off), or say which it is."""

    async def work(desk: Desk) -> tuple[bool, list[str]]:
        if state:
            desk.providers.set_local_only(is_on=state == "on")
        service = desk.providers
        return service.is_local_only, [p.name for p in service.profiles() if service.locked_reason(p)]

    is_on, locked = session.run(work)
    if as_json:
        print_json({"local_only": is_on, "locked": locked})
        return
    say("Local only is on: nothing is sent to any other machine." if is_on else "Local only is off.")
    if locked:
        say(f"Not asked while it is on: {', '.join(locked)}.")


@click.command("price")
@click.argument("name")
@click.option("--model", metavar="NAME", default="", help="Another model of it than its own.")
@click.option("--input", "input_", type=float, metavar="USD", help="US dollars a million input tokens.")
@click.option(
    "--cached-input", type=float, metavar="USD", help="The same for those in the provider's cache; else as input."
)
@click.option("--output", type=float, metavar="USD", help="US dollars a million output tokens.")
@click.option("--reset", is_flag=True, help="Take your own price out; the program's holds again, if it has one.")
@json_option
@common_options
def show_price(
    session: Session,
    name: str,
    model: str,
    input_: float | None,
    cached_input: float | None,
    output: float | None,
    reset: bool,
    as_json: bool,
) -> None:
    """Say what the model of a provider costs, or enter what it costs. What is not known is unknown, never nothing."""
    given = (input_, cached_input, output)
    if reset and given != (None, None, None):
        raise click.UsageError("--reset goes with no price.")

    async def work(desk: Desk) -> tuple[ModelPrice, str, str]:
        price = desk.prices.of(name, model)
        if reset:
            price = desk.prices.save(replace(price, input=None, cached_input=None, output=None))
        elif given != (None, None, None):
            kept = (price.input, price.cached_input if input_ is None else None, price.output)
            input_now, cached_now, output_now = (
                new if new is not None else old for new, old in zip(given, kept, strict=True)
            )
            price = desk.prices.save(replace(price, input=input_now, cached_input=cached_now, output=output_now))
        return price, str(desk.prices.path), desk.prices.warning

    price, path, warning = session.run(work)
    if warning:
        warn(warning)
    if as_json:
        amounts = {"input": price.input, "cached_input": price.cached_input, "output": price.output}
        print_json({"provider": name, "host": price.host, "model": price.model, **amounts, "path": path})
        return
    say(f"{price.model or 'No model'} at {price.host}: {describe_price(price)}.")
    say(f"Prices of your own: {path}")


def _spelled(task: str, known: list[str]) -> str:
    """Return a task's name as it is known: `second-opinion` needs no quotes on a command line."""
    return next((name for name in known if name.replace(" ", "-") == task), task)


def _row(desk: Desk, chosen: TaskModel) -> Row:
    route = desk.providers.tasks.who(chosen.task)
    return chosen, route, desk.providers.locked_reason(desk.providers.profile(route[0][0])) if route else ""


def _fields(row: Row) -> dict[str, object]:
    chosen, route, locked = row
    provider, model = route[0] if route else (None, None)
    return {
        "task": chosen.task,
        "provider": provider,
        "model": model,
        "default": not chosen.provider,
        "fallback": [{"provider": provider, "model": model} for provider, model in route[1:]],
        "locked": bool(locked),
    }


def _cells(row: Row) -> tuple[str, ...]:
    chosen, route, _ = row
    if not route:
        return (chosen.task, "(who wrote the summary)", "", "")
    provider, model = route[0]
    shown = provider if chosen.provider else f"{provider} (default)"
    return (chosen.task, shown, model, ", ".join(name for name, _ in route[1:]))
