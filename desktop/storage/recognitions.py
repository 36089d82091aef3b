"""Recognitions in the database: how a file was read, kept with its import, so that a row of it can be read again when the file is long gone.

The preview and most samples stay out: they are tickets, and those have a place of their own. Of the ids a few are kept, because they tell what an id
of this file looks like.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace

from desktop.domain.imports import Column, ImportOverrides, Recognized


def write_recognized(recognized: Recognized) -> str:
    """Return a recognition as JSON, without what only a screen needs."""
    columns = tuple(
        column if column.role == "ticket_id" else replace(column, samples=()) for column in recognized.columns
    )
    return json.dumps(
        asdict(replace(recognized, columns=columns, preview=(), warnings=())),
        separators=(",", ":"),
    )


def read_recognized(text: str) -> Recognized | None:
    """Return a recognition that was written; None for an import of a time when none was. What another version wrote besides is ignored."""
    if not text:
        return None
    names = {each.name for each in fields(Recognized)}
    values = {name: value for name, value in json.loads(text).items() if name in names}
    given = values["overrides"]
    values["columns"] = tuple(
        Column(c["index"], c["name"], c["role"], tuple(c.get("samples", ()))) for c in values["columns"]
    )
    overrides = ImportOverrides(
        **{each.name: given[each.name] for each in fields(ImportOverrides) if each.name in given}
    )
    values["overrides"] = replace(overrides, roles={int(place): role for place, role in overrides.roles.items()})
    values["preview"] = values["warnings"] = ()
    return Recognized(**values)
