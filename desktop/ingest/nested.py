"""Nested records as rows: an object becomes cells under dotted names, so that all that reads tables reads them too.

`requester.name` is a key within a key. A list of objects becomes a column for each of their keys, `comments[].body`; its cell holds the values of all
elements, in their order, as a JSON list. A list of plain values is one such column, `tags[]`. What was said within an element is a list of the
record as well, `reviews.comments[].body`, and repeats who wrote it where the inner objects leave that to the outer. Deliberately not here: what the
columns mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from desktop.domain.text import valid_text
from desktop.ingest.json_text import JsonValue

LIST_MARK = "[]"
MOST_DEPTH = 6
MOST_COLUMNS = 2_000
_PAIR_WIDTH = 4
_WRITERS = ("author", "user", "authorAssociation", "author_association")


def flatten(record: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return the cells of a record by their names. What holds nothing is '', numbers are as they were written."""
    cells: dict[str, str] = {}
    _put_object(cells, "", unwrapped(record), MOST_DEPTH)
    return cells


def unwrapped(record: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return what `{"ticket": {…}}` holds, at any depth."""
    for _ in range(MOST_DEPTH):
        if len(record) != 1:
            break
        inner = next(iter(record.values()))
        if not isinstance(inner, dict) or not inner:
            break
        record = inner
    return record


def column_names(records: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the names of all cells of some records, in the order in which they first appear.

    A key that is empty wherever it is no object or list (`requester: null`) is no column beside those of the object.
    """
    filled: dict[str, bool] = {}
    for cells in records:
        for name, cell in cells.items():
            filled[name] = filled.get(name, False) or bool(cell)
    parents = {name[:end] for name in filled for end in _ends(name)}
    names = [name for name, is_filled in filled.items() if is_filled or name not in parents]
    return tuple(names[:MOST_COLUMNS])


def is_list_column(name: str) -> bool:
    """Tell whether a column's cells hold lists."""
    return LIST_MARK in name


def group_of(name: str) -> str:
    """Return the list that a column belongs to, `comments[]`; '' for one of the record itself."""
    end = name.find(LIST_MARK)
    return name[: end + len(LIST_MARK)] if end >= 0 else ""


def read_list(cell: str, *, empty: str = "") -> list[str]:
    """Return the values that a cell of a list column holds: '' for a key that an element lacks, `empty` for one that holds nothing."""
    if not cell.startswith("["):
        return [cell] if cell else []
    try:
        values = json.loads(cell)
    except ValueError:
        return [cell]
    return ["" if value is None else value or empty if isinstance(value, str) else dump(value) for value in values]


def _put_object(cells: dict[str, str], prefix: str, record: Mapping[str, JsonValue], depth: int) -> None:
    for key, value in record.items():
        key = _clean(key) or "(no name)"
        name = f"{prefix}.{key}" if prefix else key
        match value:
            case {"type": "doc", "content": list()}:
                # Jira's and Trello's rich text: what counts is what it says.
                cells[name] = _rich_text(value).strip()
            case dict() if value and depth > 0:
                _put_object(cells, name, value, depth - 1)
            case list() if value and depth > 0 and LIST_MARK not in name:
                _put_list(cells, name, value)
            case _:
                cells[name] = _text(value)


def _put_list(cells: dict[str, str], name: str, values: list[JsonValue]) -> None:
    rows: list[dict[str, str]]
    inner: dict[str, list[JsonValue]] = {}
    if all(isinstance(value, dict) for value in values):
        rows = []
        for value in values:
            row: dict[str, str] = {}
            element = _without_inner(value, inner) if isinstance(value, dict) else {}
            _put_object(row, "", element, MOST_DEPTH - 1)
            rows.append(row)
    elif _are_pairs(values):
        rows = [
            {str(place): _text(part) for place, part in enumerate(value, start=1)}
            for value in values
            if isinstance(value, list)
        ]
    else:
        cells[name + LIST_MARK] = dump([_text(value) for value in values])
        return
    for key in dict.fromkeys(key for row in rows for key in row):
        cells[f"{name}{LIST_MARK}.{key}"] = dump([row.get(key) for row in rows])
    for key, elements in inner.items():
        _put_list(cells, f"{name}.{key}", elements)


def _without_inner(element: Mapping[str, JsonValue], inner: dict[str, list[JsonValue]]) -> Mapping[str, JsonValue]:
    """Return an element without its own lists of things that were said, which are added to `inner` by their keys."""
    found = {key: value for key, value in element.items() if _are_said(value)}
    if not found:
        return element
    writer = {key: element[key] for key in _WRITERS if key in element}
    for key, value in found.items():
        if isinstance(value, list):
            inner.setdefault(_clean(key), []).extend({**writer, **each} for each in value if isinstance(each, dict))
    return {key: value for key, value in element.items() if key not in found}


def _are_said(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "body" in v for v in value)


def _rich_text(node: JsonValue) -> str:
    """Return the text of a node of an Atlassian document: its own, or that of what it holds, a paragraph a line."""
    if not isinstance(node, dict):
        return ""
    content = node.get("content")
    inner = "".join(map(_rich_text, content)) if isinstance(content, list) else ""
    attributes = node.get("attrs")
    shown = attributes.get("text") if isinstance(attributes, dict) else None
    match node.get("type"):
        case "text":
            return _text(node.get("text"))
        case "hardBreak":
            return "\n"
        case "listItem":
            return f"- {inner}"
        case "paragraph" | "heading" | "codeBlock" | "blockquote" | "tableRow" | "rule":
            return f"{inner.rstrip()}\n"
    return inner or _text(shown)


def _are_pairs(values: list[JsonValue]) -> bool:
    """Tell whether a list holds lists of a few plain values each, all of one length: `[["agent", "Hello"], …]`."""
    widths = {len(value) if isinstance(value, list) else 0 for value in values}
    return len(widths) == 1 and 2 <= min(widths) <= _PAIR_WIDTH


def _text(value: JsonValue) -> str:
    match value:
        case str():
            return _clean(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return dump(value) if value else ""


def dump(value: object) -> str:
    """Return a value as compact JSON text."""
    return _clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _clean(text: str) -> str:
    return valid_text(text).replace("\0", "")


def _ends(name: str) -> Iterable[int]:
    for place, character in enumerate(name):
        if character in ".[" and place:
            yield place
