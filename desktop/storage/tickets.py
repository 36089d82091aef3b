"""Tickets in the database: ids of a query, rows of a page, one thread. Every list is an array of ids; rows come by page.

What a user types is never SQL and never an FTS5 expression: words are quoted, the last one is a prefix, so search works as one types. An index that
counts or sorts is joined `CROSS JOIN` from the full-text index: 0.6 s in place of 7.6 s at 1,000,000 tickets.
"""

from __future__ import annotations

import json
import re
import sqlite3
from array import array
from collections.abc import Sequence

from desktop.domain.errors import DeskError
from desktop.domain.runs import OWNERS, SENTIMENTS
from desktop.domain.text import valid_text
from desktop.domain.tickets import PRIORITIES, STATUSES, Message, Role, Thread, TicketCounts, TicketQuery, TicketRow
from desktop.storage.database import Database
from desktop.storage.search import read_backlog

_SHOWN = "(SELECT {} FROM shown_summary WHERE ticket_id = ticket.id)"
_BY_SENTIMENT = " ".join(f"WHEN '{word}' THEN {rank}" for rank, word in enumerate(SENTIMENTS))
SORTS = {
    "updated_at": "ticket.updated_at",
    "created_at": "ticket.created_at",
    "subject": "ticket.subject COLLATE NOCASE",
    "status": "ticket.status",
    "priority": "CASE ticket.priority WHEN 'low' THEN 1 WHEN 'normal' THEN 2 WHEN 'high' THEN 3 WHEN 'urgent' THEN 4 ELSE 0 END",
    "requester": "ticket.requester COLLATE NOCASE",
    "assignee": "ticket.assignee COLLATE NOCASE",
    "message_count": "ticket.message_count",
    "id": "ticket.id",
    # Unknown where the summary does not say: see `_order`.
    "next_owner": f"nullif({_SHOWN.format('next_owner')}, '')",
    "deadline": f"nullif({_SHOWN.format('deadline')}, '')",
    "sentiment": f"CASE {_SHOWN.format('sentiment')} {_BY_SENTIMENT} END",
    "open_questions": f"1 - {_SHOWN.format('has_open_questions')}",
}
SUMMARY_FIELDS = ("next_owner", "deadline", "sentiment", "open_questions")
"""What the shown summaries say: computed from their claims, see `services.fields`."""
_OTHER_NAMES = {"has_open_questions": "open_questions"}
"""As JSON names it, so it may be asked for by that name too."""
_WORDS = {"next_owner": OWNERS, "sentiment": SENTIMENTS}
"""All that a summary can say of these."""
ANY = "any"
"""As a value of a summary's field: whatever the summary says, if it says something."""
FIELDS = {
    "status": "ticket.status",
    "priority": "ticket.priority",
    "requester": "ticket.requester",
    "assignee": "ticket.assignee",
    "external_id": "ticket.external_id",
    "subject": "ticket.subject",
    "created_at": "ticket.created_at",
    "updated_at": "ticket.updated_at",
    "message_count": "ticket.message_count",
    "gist": "ticket.gist",
}
ORIGINALS = {"status": STATUSES, "priority": PRIORITIES}
"""Fields that have the export's own word beside ours."""
ROW = """SELECT ticket.id, source.name, external_id, subject, status, status_original, priority, priority_original, requester, assignee,
  created_at, updated_at, message_count, gist,
  coalesce((SELECT language FROM ticket_language WHERE ticket_id = ticket.id), ''),
  coalesce((SELECT next_owner FROM shown_summary WHERE ticket_id = ticket.id), ''),
  coalesce((SELECT deadline FROM shown_summary WHERE ticket_id = ticket.id), ''),
  coalesce((SELECT sentiment FROM shown_summary WHERE ticket_id = ticket.id), ''),
  (SELECT has_open_questions FROM shown_summary WHERE ticket_id = ticket.id) FROM ticket JOIN source ON source.id = ticket.source_id"""
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"\w+")
IDS_A_QUERY = 500
STATUS_VALUES = ("", *STATUSES)
"""All that a normalized status can be."""


class TicketStore:
    """Reads tickets; `ImportStore` writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ids(self, query: TicketQuery) -> array[int]:
        """Return the ids of all tickets that a query asks for, in its order.

        Raises:
            DeskError: `sort-unknown`, `where-unknown`, `where-value`.
        """
        statement, values = _statement(query)

        def read(connection: sqlite3.Connection) -> array[int]:
            ids = array("q", (row[0] for row in connection.execute(statement, values)))
            if not ids:
                _refuse_unknown_fields(connection, query.where)
            return ids

        return await (self._database.search(read) if query.search.strip() else self._database.read(read))

    async def caught_up(self) -> None:
        """Wait until a search finds all tickets that are written now.

        Raises:
            DeskError: `database-…`, when the full-text index cannot be written.
        """
        await self._database.caught_up()

    async def backlog(self) -> int:
        """Return how many changes a search does not know of yet; 0 but while a large import is indexed."""
        return await self._database.search(read_backlog)

    async def rows(self, ids: Sequence[int]) -> list[TicketRow]:
        """Return tickets in the order of `ids`; those that are gone are left out."""

        def read(connection: sqlite3.Connection) -> list[TicketRow]:
            found: dict[int, TicketRow] = {}
            for first in range(0, len(ids), IDS_A_QUERY):
                part = list(ids[first : first + IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                for row in connection.execute(f"{ROW} WHERE ticket.id IN ({marks})", part):
                    found[row[0]] = TicketRow(*row)
            return [found[i] for i in ids if i in found]

        return await self._database.read(read)

    async def counts(self) -> TicketCounts:
        """Count the tickets: in all, by status, by source."""

        def read(connection: sqlite3.Connection) -> TicketCounts:
            # One pass over the list's index each, without sorting: 0.1 s at a million tickets.
            sums = ", ".join("coalesce(sum(status = ?), 0)" for _ in STATUS_VALUES)
            total, *known = connection.execute(f"SELECT count(*), {sums} FROM ticket", STATUS_VALUES).fetchone()
            by_status = {status: count for status, count in zip(STATUS_VALUES, known, strict=True) if count}
            by_source = {
                name: connection.execute("SELECT count(*) FROM ticket WHERE +source_id = ?", [i]).fetchone()[0]
                for i, name in connection.execute("SELECT id, name FROM source").fetchall()
            }
            by_source = {name: count for name, count in by_source.items() if count}
            has_status, has_priority = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM ticket WHERE status_original != ''), EXISTS (SELECT 1 FROM ticket WHERE priority_original != '')"
            ).fetchone()
            by_language = dict(
                connection.execute(
                    "SELECT language, count(*) FROM ticket_language WHERE language != '' GROUP BY language"
                )
            )
            return TicketCounts(
                *(total, by_status, by_source, bool(has_status), bool(has_priority), by_language),
                by_summary=_count_by_summary(connection),
            )

        return await self._database.read(read)

    async def content_hashes(self, ids: Sequence[int]) -> dict[int, str]:
        """Return what names the content of tickets; those that are gone are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, str]:
            marks = ",".join("?" * len(ids))
            rows = connection.execute(f"SELECT id, content_hash FROM ticket WHERE id IN ({marks})", list(ids))
            return dict(rows.fetchall())

        return await self._database.read(read)

    async def thread(self, ticket_id: int) -> Thread | None:
        """Return one ticket with its messages, None when it is gone."""

        def read(connection: sqlite3.Connection) -> Thread | None:
            row = connection.execute(f"{ROW} WHERE ticket.id = ?", [ticket_id]).fetchone()
            if row is None:
                return None
            fields, content_hash = connection.execute(
                "SELECT fields_json, content_hash FROM ticket WHERE id = ?", [ticket_id]
            ).fetchone()
            return Thread(TicketRow(*row), json.loads(fields), read_messages(connection, ticket_id), content_hash)

        return await self._database.read(read)

    async def find(self, reference: str) -> int:
        """Return the id of the ticket that `SOURCE:EXTERNAL_ID`, or a bare external id where it is unique, names.

        Raises:
            DeskError: `ticket-missing`, `ticket-ambiguous`.
        """

        reference = valid_text(reference)

        def read(connection: sqlite3.Connection) -> list[tuple[int, str]]:
            select = "SELECT ticket.id, source.name || ':' || external_id FROM ticket JOIN source ON source.id = source_id WHERE "
            of_any_source = "source_id IN (SELECT id FROM source) AND external_id = ?"
            found = connection.execute(f"{select} {of_any_source} LIMIT 9", [reference]).fetchall()
            parts = reference.split(":")
            for cut in range(1, len(parts)):
                names = [":".join(parts[:cut]), ":".join(parts[cut:])]
                found += connection.execute(f"{select} source.name = ? AND external_id = ?", names).fetchall()
            return found

        found = dict(await self._database.read(read))
        if not found:
            raise DeskError("ticket-missing", f"There is no ticket {reference}.", remedy="See them with: tldesk list")
        if len(found) > 1:
            raise DeskError(
                "ticket-ambiguous",
                f"More than one ticket is {reference}.",
                remedy=f"Use one of: {', '.join(sorted(found.values()))}.",
            )
        return next(iter(found))


def _count_by_summary(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Count the shown summaries by what they say, under the pairs that `where` takes."""
    counts: dict[tuple[str, str], int] = {}
    for name in ("next_owner", "sentiment"):
        rows = connection.execute(f"SELECT {name}, count(*) FROM shown_summary WHERE {name} != '' GROUP BY {name}")
        counts |= {(name, value): count for value, count in rows}
    questions, deadlines = connection.execute(
        "SELECT coalesce(sum(has_open_questions = 1), 0), coalesce(sum(deadline != ''), 0) FROM shown_summary"
    ).fetchone()
    return counts | {("open_questions", "yes"): questions, ("deadline", ANY): deadlines}


def read_messages(connection: sqlite3.Connection, ticket_id: int) -> tuple[Message, ...]:
    """Return a ticket's messages in their order."""
    rows = connection.execute(
        "SELECT position, author, role, created_at, text, internal, is_attached FROM message WHERE ticket_id = ? ORDER BY position",
        [ticket_id],
    )
    return tuple(message_of(*row) for row in rows)


def message_of(
    position: int, author: str, role: str, created_at: str, text: str, internal: int, is_attached: int = 0
) -> Message:
    """Return a message of the values of its row, which `import_change` keeps too."""
    return Message(position, author, Role(role), created_at, text, bool(internal), bool(is_attached))


def match_expression(text: str) -> str:
    """Turn what a user typed into an FTS5 expression: all words, quoted ones as phrases, the last one as a prefix; '' for no word."""
    terms: list[str] = []
    matches = list(_TERM.finditer(text))
    for number, match in enumerate(matches):
        words = _WORD.findall(match[1] if match[1] is not None else match[2])
        if words:
            is_open = match[1] is None and number == len(matches) - 1 and not text[-1:].isspace()
            terms.append(f'"{" ".join(words)}"{"*" if is_open else ""}')
    return " ".join(terms)


def _statement(query: TicketQuery) -> tuple[str, list[str]]:
    tables, conditions, values = "ticket", [], list[str]()
    expression = match_expression(query.search)
    if expression:
        tables = "search.ticket_fts CROSS JOIN ticket ON ticket.revision = ticket_fts.rowid"
        conditions.append("ticket_fts MATCH ?")
        values.append(expression)
    elif query.search.strip():
        # Only signs and no word: a word of signs stands in no ticket's index.
        conditions.append("0")
    for name, value in query.where:
        condition, bound = _condition(_field(name), valid_text(value))
        conditions.append(condition)
        values += bound
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT ticket.id FROM {tables}{where} ORDER BY {_order(query.sort)}", values


def _field(name: str) -> str:
    name = valid_text(name)
    return _OTHER_NAMES.get(name, name)


def _condition(name: str, value: str) -> tuple[str, list[str]]:
    if name == "source":
        # The plus keeps SQLite from looking through all of a source's tickets one by one: the list's index holds what is asked for.
        return "+ticket.source_id = (SELECT id FROM source WHERE name = ?)", [value]
    if name == "language":
        told = "SELECT ticket_id FROM ticket_language WHERE language"
        return (f"ticket.id IN ({told} = ?)", [value.lower()]) if value else (f"ticket.id NOT IN ({told} != '')", [])
    if name in SUMMARY_FIELDS:
        return _summary_condition(name, value)
    if name in ORIGINALS and value.lower() not in ORIGINALS[name]:
        # Not one of our words, so the export's own is meant.
        return f"ticket.{name}_original = ? COLLATE NOCASE", [value]
    if name in FIELDS:
        return f"{FIELDS[name]} = ?", [value.lower() if name in ORIGINALS else value]
    # Any column of the export, by its own name; a column that was there several times is a list, and any of its values counts.
    return "EXISTS (SELECT 1 FROM json_each(ticket.fields_json, ?) WHERE json_each.value = ?)", [_path(name), value]


def _summary_condition(name: str, value: str) -> tuple[str, list[str]]:
    """Return a condition on what the shown summary says; '' asks for tickets whose summary, if any, does not say."""
    said = "ticket.id IN (SELECT ticket_id FROM shown_summary WHERE "
    if name == "open_questions":
        wanted = {"yes": "1", "no": "0"}.get(value.lower())
        if wanted is None:
            raise _no_value(name, value, ("yes", "no"))
        return f"{said}has_open_questions = CAST(? AS INTEGER))", [wanted]
    if not value:
        return f"NOT {said}{name} != '')", []
    if value.lower() == ANY:
        return f"{said}{name} != '')", []
    if name in _WORDS and value.lower() not in _WORDS[name]:
        raise _no_value(name, value, (*_WORDS[name], ANY))
    return f"{said}{name} = ?)", [value.lower()]


def _path(name: str) -> str:
    """Return the JSON path of a column; quoting makes its name one key whatever it holds, but for what SQLite's paths cannot quote."""
    if '"' in name or "\\" in name:
        raise _no_field(name)
    return "$." + json.dumps(name, ensure_ascii=False)


def _refuse_unknown_fields(connection: sqlite3.Connection, where: Sequence[tuple[str, str]]) -> None:
    """Say it when no ticket was found because no ticket has such a column."""
    for name in (_field(name) for name, _ in where):
        if name in ("source", "language", *SUMMARY_FIELDS) or name in FIELDS:
            continue
        statement = "SELECT 1 FROM ticket WHERE json_type(fields_json, ?) IS NOT NULL LIMIT 1"
        if connection.execute(statement, [_path(name)]).fetchone() is None:
            raise _no_field(name)


def _no_field(name: str) -> DeskError:
    return DeskError(
        "where-unknown",
        f"There is no field named {name}.",
        remedy="Use a column's name as `tldesk show --json` prints it.",
    )


def _no_value(name: str, value: str, allowed: Sequence[str]) -> DeskError:
    return DeskError("where-value", f"{name} cannot be “{value}”.", remedy=f"Use one of: {', '.join(allowed)}.")


def _order(sort: str) -> str:
    name, direction = (sort[1:], "DESC") if sort.startswith("-") else (sort, "ASC")
    name = _field(name)
    if name not in SORTS:
        raise DeskError(
            "sort-unknown", f"Tickets cannot be sorted by “{name}”.", remedy=f"Use one of: {', '.join(SORTS)}."
        )
    # Tickets of which no summary says it come last in either direction.
    known = f"{SORTS[name]} IS NULL, " if name in SUMMARY_FIELDS else ""
    return f"{known}{SORTS[name]} {direction}, ticket.id {direction}"
