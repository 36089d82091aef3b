"""`tldesk keys`: the keys of providers, which are read without being shown, kept in the system's keyring, and never printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from desktop.cli.output import print_json, say
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.providers import ProviderProfile

if TYPE_CHECKING:
    from desktop.services.container import Desk


@click.group("keys")
def keys_command() -> None:
    """Keep providers' keys in the system's keyring, or remove them."""


@keys_command.command("set")
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key from standard input.")
@json_option
@common_options
def set_key(session: Session, name: str, from_stdin: bool, as_json: bool) -> None:
    """Keep the key of a provider. It is asked for without being shown."""
    if not from_stdin and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the key on. Give it on standard input, with --stdin.")
    session.run(lambda desk: _look_up(desk, name))
    key = sys.stdin.readline() if from_stdin else click.prompt("Key", hide_input=True, err=True)
    session.run(lambda desk: desk.providers.set_key(name, key))
    if as_json:
        print_json({"provider": name, "stored": True})
    else:
        say(f"The key of {name} is in the system's keyring.")


@keys_command.command("remove")
@click.argument("name")
@json_option
@common_options
def remove_key(session: Session, name: str, as_json: bool) -> None:
    """Forget the key of a provider."""
    was_there = session.run(lambda desk: desk.providers.remove_key(name))
    if as_json:
        print_json({"provider": name, "stored": False})
    else:
        say(f"The key of {name} is removed." if was_there else f"There was no key of {name}.")


async def _look_up(desk: Desk, name: str) -> ProviderProfile:
    """Refuse a wrong name before a key is asked for."""
    return desk.providers.profile_with_key(name)
