"""`tldesk erase`: a person out of all that is kept here, for good."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.output import print_json, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.erasing import Erased, ErasingStep, Footprint, Found, Way
from desktop.services.erasing_wording import describe_erased, describe_footprint, describe_handles

if TYPE_CHECKING:
    from desktop.services.container import Desk


@click.command("erase")
@click.argument("requester")
@click.option("--anonymize", is_flag=True, help="Keep their tickets, with a stand-in in their place.")
@click.option("--yes", is_flag=True, help="Do it without asking. There is no way back.")
@json_option
@common_options
def erase_command(session: Session, requester: str, anonymize: bool, yes: bool, as_json: bool) -> None:
    """Erase a person: their tickets with all that was made of them, and their name in everybody else's.

    REQUESTER is their name, e-mail address or number as `tldesk list` shows it. Without --yes it says what would go, and asks.
    """
    way = Way.ANONYMIZE if anonymize else Way.REMOVE
    is_asking = not yes
    if is_asking and as_json:
        raise click.UsageError("--json needs --yes: a question would stand in the middle of the document.")

    async def work(desk: Desk) -> tuple[Found, Erased | None]:
        found = await desk.erasing.find(requester)
        if is_asking:
            footprint = await desk.erasing.footprint(found)
            _say_plan(found, footprint, way)
            if not _is_confirmed(found):
                return found, None
        return found, await _erase(desk, found, way)

    found, erased = session.run(work)
    if erased is None:
        if sys.stdin.isatty():
            say("Nothing was erased.")
            return
        raise click.UsageError(
            "Nothing was erased: there is nobody here to ask. Add --yes to erase without a question."
        )
    if as_json:
        print_json(_document(found, erased))
    else:
        for line in describe_erased(found, erased):
            say(line)


async def _erase(desk: Desk, found: Found, way: Way) -> Erased:
    is_told = sys.stderr.isatty()
    async with aclosing(desk.erasing.erase(found, way)) as events:
        async for event in events:
            if isinstance(event, Erased):
                return event
            if is_told and isinstance(event, ErasingStep):
                warn(f"{event.fraction:4.0%}  {event.doing}")
    raise AssertionError("erasing ends with Erased")


def _say_plan(found: Found, footprint: Footprint, way: Way) -> None:
    say(describe_handles(found))
    for line in describe_footprint(footprint, way):
        say(f"  {line}")


def _is_confirmed(found: Found) -> bool:
    """Ask whoever sits there to type the name; nobody is asked where nobody sits."""
    if not sys.stdin.isatty():
        return False
    name = found.handles.known_as
    typed = click.prompt(f"There is no way back. Type {name} to erase", default="", show_default=False, err=True)
    return str(typed).strip().casefold() == name.casefold()


def _document(found: Found, erased: Erased) -> dict[str, Any]:
    footprint = erased.footprint
    return {
        "person": erased.stand_in,
        "way": erased.way.value,
        "tickets": footprint.tickets,
        "messages": footprint.messages,
        "summaries": footprint.summaries,
        "starred": footprint.starred,
        "queue_items": footprint.queue_items,
        "traces": footprint.traces,
        "ledger_entries": footprint.ledger_entries,
        "rejects": footprint.rejects,
        "mentions": footprint.mentions,
        "files": list(footprint.files),
        "backups": list(footprint.backups),
        "kept": list(footprint.kept),
        "swept": erased.is_swept,
        "erased_before": found.erased_at or None,
    }
