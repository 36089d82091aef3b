"""`tldesk mappings`: how tables are read, saved as files, taken from files, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.output import print_json, print_table, say
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.imports import ImportOverrides, Recognized, RememberedMapping

if TYPE_CHECKING:
    from desktop.services.container import Desk

file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))


@click.group("mappings")
def mappings_command() -> None:
    """Save how an export is read as a file, take such a file, and see or forget what is remembered."""


@mappings_command.command("list")
@json_option
@common_options
def list_mappings(session: Session, as_json: bool) -> None:
    """List the mappings that are remembered; each is for tables with one header."""
    mappings = session.run(lambda desk: desk.mappings.remembered())
    if as_json:
        print_json({"mappings": [_fields(mapping) for mapping in mappings]})
    elif not mappings:
        say("No mapping is remembered yet. One is when you import a file whose columns you corrected, or by --mapping.")
    else:
        rows = [(m.id, m.saved_at[:10], m.learned_from, describe(m)) for m in mappings]
        print_table(("Id", "Saved", "Learned from", "Holds"), rows)


@mappings_command.command("save")
@click.argument("export", metavar="EXPORT", type=click.Path(path_type=Path, readable=False))
@file_argument
@click.option("--mapping", default="", metavar="NAME|FILE", help="Read it as this system, or by this mapping file.")
@click.option("--source", default="", metavar="NAME", help="The source that the tickets of such exports belong to.")
@json_option
@common_options
def save_mapping(session: Session, export: Path, file: Path, mapping: str, source: str, as_json: bool) -> None:
    """Write how EXPORT is read to FILE, to be edited, kept or given to others. Nothing is imported."""

    async def work(desk: Desk) -> tuple[Path, Recognized]:
        recognized = await desk.imports.recognize(export, overrides=ImportOverrides(source=source), mapping=mapping)
        return await desk.mappings.save(recognized, file), recognized

    written, recognized = session.run(work)
    if as_json:
        columns = {column.name: column.role for column in recognized.columns if column.role}
        print_json({"path": str(written), "system": recognized.system, "columns": columns})
    else:
        say(f"The mapping of {export.name} is saved as {written}.")


@mappings_command.command("add")
@file_argument
@json_option
@common_options
def add_mapping(session: Session, file: Path, as_json: bool) -> None:
    """Remember the mapping in FILE: exports with its header are read by it from now on."""
    mapping = session.run(lambda desk: desk.mappings.add(file))
    if as_json:
        print_json(_fields(mapping))
    else:
        say(f"Exports with the header in {file.name} are read by it from now on. Its id is {mapping.id}.")


@mappings_command.command("remove")
@click.argument("id_start", metavar="ID")
@json_option
@common_options
def remove_mapping(session: Session, id_start: str, as_json: bool) -> None:
    """Forget the mapping with this ID; imported tickets stay as they are."""
    mapping = session.run(lambda desk: desk.mappings.remove(id_start))
    if as_json:
        print_json(_fields(mapping))
    else:
        said = f", learned from {mapping.learned_from}," if mapping.learned_from else ""
        say(f"The mapping {mapping.id}{said} is forgotten.")


def describe(mapping: RememberedMapping) -> str:
    """Say in a few words what is remembered of a table."""
    if not mapping.is_correction:
        return "columns accepted as recognized"
    overrides = mapping.overrides
    parts = ["a mapping file"] if overrides.definition else []
    if overrides.roles:
        parts.append(f"{len(overrides.roles):,} corrected column{'' if len(overrides.roles) == 1 else 's'}")
    if overrides.date_order:
        parts.append(f"dates {overrides.date_order}")
    return ", ".join(parts)


def _fields(mapping: RememberedMapping) -> dict[str, Any]:
    overrides = mapping.overrides
    return {
        "id": mapping.id,
        "fingerprint": mapping.fingerprint,
        "learned_from": mapping.learned_from or None,
        "saved_at": mapping.saved_at,
        "is_correction": mapping.is_correction,
        # Places of columns from 1, as a person counts them.
        "roles": {str(place + 1): role for place, role in sorted(overrides.roles.items())},
        "date_order": overrides.date_order or None,
        "definition": overrides.definition or None,
    }
