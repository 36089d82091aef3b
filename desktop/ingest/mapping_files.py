"""Mapping files: how a table is read, as a file that a colleague can use.

It is a definition of the same make as those in `resources/systems/` (see `definitions`): the roles by the names of the columns, the date order,
the words of the system, and the header that it is remembered for. Reading it back gives every column of that table the same role. Names
that stand in the header more than once are told apart by which of them is meant. Deliberately not here: what is remembered, see `storage.mappings`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields

import tomli_w

from desktop.domain.imports import Column, Recognized
from desktop.domain.text import valid_text
from desktop.ingest.plan import definition_of
from desktop.ingest.systems import MANY_COLUMNS, Layout, SystemDefinition
from desktop.ingest.vocabulary import fold

_SAID_OF_THE_FILE = frozenset(("name", "shape", "fingerprint", "header", "columns", "nth_columns", "threads"))
"""What a layout in a mapping file says of the file it was made from; all else is the system's."""
_SAID_ABOVE = frozenset(("key", "title", "layouts", "is_generic", "date_order", "file", "source", "fixed_date_order"))
"""What is said of the system in words of the mapping; all else, such as its words for a status, goes over as it is."""
_INTRODUCTION = """# A mapping of TLDesk: what the columns of a ticket export mean. It can be edited, given to others,
# and used with “Load mapping…” in the window or with `tldesk import --mapping FILE`.
"""


def write_mapping(recognized: Recognized, systems: Sequence[SystemDefinition]) -> str:
    """Return the mapping by which a file was recognized, corrections included, as the text of a mapping file."""
    names = [fold(column.name) for column in recognized.columns]
    system, layout = definition_of(recognized, systems, names)
    document: dict[str, object] = {"key": recognized.system, "title": recognized.system_title}
    # Whoever gave the source a name means all exports of this table; else each is named as it would be without a mapping.
    if source := recognized.overrides.source.strip() or system.source:
        document["source"] = source
    if system.is_generic or not system.layouts:
        document["is_generic"] = True
    document |= _date_orders(recognized, system)
    document["layouts"] = [_layout(recognized, layout, names)]
    own = {field.name: getattr(system, field.name) for field in fields(system) if field.name not in _SAID_ABOVE}
    document |= {name: _plain(value) for name, value in own.items() if value}
    text = _INTRODUCTION + tomli_w.dumps(document, multiline_strings=False)
    return valid_text(text)


def _date_orders(recognized: Recognized, system: SystemDefinition) -> dict[str, str]:
    """Keep an order that a person chose as it is; one that was found out only decides where the values leave it open."""
    chosen = recognized.overrides.date_order or system.fixed_date_order
    if chosen:
        return {"fixed_date_order": chosen}
    order = recognized.date_order if recognized.date_order in ("day-first", "month-first") else system.date_order
    return {"date_order": order} if order else {}


def _layout(recognized: Recognized, layout: Layout, names: Sequence[str]) -> dict[str, object]:
    columns, nth_columns = _columns(recognized.columns, names)
    own = {field.name: getattr(layout, field.name) for field in fields(layout) if field.name not in _SAID_OF_THE_FILE}
    told_by = [c.name for c in recognized.columns if c.role and "|" not in c.name and not c.name.startswith("@")]
    return {
        "name": layout.name or "tickets",
        # The columns of lists within a record stand among the others, by their whole names.
        "shape": "tickets" if recognized.shape == "nested" else recognized.shape,
        "fingerprint": list(dict.fromkeys(told_by)),
        "header": [column.name for column in recognized.columns],
        **{name: _plain(value) for name, value in own.items() if value},
        "columns": columns,
        **({"nth_columns": nth_columns} if nth_columns else {}),
    }


def _columns(
    columns: Sequence[Column], names: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, list[dict[str, object]]]]:
    """Return the columns of each role by name, and those that only a name and a number can tell."""
    plain: dict[str, list[str]] = {}
    nth: dict[str, list[dict[str, object]]] = {}
    roles_of: dict[str, set[str]] = {}
    for column, name in zip(columns, names, strict=True):
        roles_of.setdefault(name, set()).add(column.role)
    seen: Counter[str] = Counter()
    repeated = Counter(names)
    for column, name in zip(columns, names, strict=True):
        seen[name] += 1
        if not column.role:
            continue
        if repeated[name] == 1 or (len(roles_of[name]) == 1 and column.role in MANY_COLUMNS):
            if seen[name] == 1:
                plain.setdefault(column.role, []).append(column.name)
        else:
            nth.setdefault(column.role, []).append({"name": column.name, "nth": seen[name]})
    return plain, nth


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: str(word) for key, word in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
