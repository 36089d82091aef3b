"""Identifying: which person a name, an e-mail address or a number means, and all the other handles that are known of them.

Exports name a requester in one column, their address in another, or by a number that a table of users explains. What is said of one ticket is not
enough to tell two people of one name apart, so all tickets of a name are looked at: several addresses under one name are several people.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from desktop.domain.erasing import Found, Handles, unique
from desktop.domain.errors import DeskError
from desktop.domain.handles import own_emails, parts_of, with_contacts
from desktop.domain.text import folded, valid_text

MOST_MESSAGES = 5_000
"""Of their own messages so many are read for telephone numbers and signatures: more tell nothing new."""
_CLOSE = 5
_LARGEST_LIST = 20_000


@dataclass(frozen=True, slots=True)
class _Ticket:
    id: int
    source_id: int
    requester: str
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A person as a table of people told of them."""

    source_id: int
    number: str
    name: str
    email: str


def find_person(connection: sqlite3.Connection, reference: str) -> Found:
    """Return the one person that a name, an address or a number names, whatever its case.

    Raises:
        DeskError: `person-missing`, `person-ambiguous`.
    """
    wanted = {folded(part) for part in parts_of(valid_text(reference))}
    rows = [r for r in _rows(connection) if wanted & {folded(part) for part in (r.name, r.email, r.number) if part}]
    tickets = _tickets(connection, wanted, rows)
    if not (rows or tickets or _has_written(connection, wanted)):
        raise _missing(connection, reference)
    email = next((word for word in wanted if "@" in word), "")
    if not email:
        _refuse_several(reference, tickets, rows)
    handles = _handles(connection, reference, tickets, rows)
    shared: set[str] = set()
    if email:
        # Whoever has the address has the name too, unless others have it as well.
        same = _tickets(connection, {folded(name) for name in handles.names}, [])
        own = {folded(known) for known in handles.emails}
        shared = {folded(t.requester) for t in same if t.emails and own.isdisjoint(map(folded, t.emails))}
        tickets += [t for t in same if not t.emails and folded(t.requester) not in shared]
    ids = sorted({t.id for t in tickets})
    handles = _with_what_they_wrote(connection, handles, ids)
    return Found(handles, tuple(ids), shared_names=tuple(name for name in handles.names if folded(name) in shared))


def read_requester(connection: sqlite3.Connection, ticket_id: int) -> str:
    """Return what names a ticket's requester best: their own address, else their name.

    Raises:
        DeskError: `ticket-missing`, `person-missing`.
    """
    row = connection.execute("SELECT requester, fields_json FROM ticket WHERE id = ?", [ticket_id]).fetchone()
    if row is None:
        raise DeskError("ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list.")
    requester, fields_json = row
    emails = own_emails(requester, orjson.loads(fields_json))
    if not (requester or emails):
        raise DeskError(
            "person-missing", "Nobody is named as the requester of this ticket.", remedy="Choose another ticket."
        )
    return emails[0] if len(emails) == 1 else str(requester or emails[0])


def _rows(connection: sqlite3.Connection) -> list[_Row]:
    return [_Row(*row) for row in connection.execute("SELECT source_id, external_id, name, email FROM person")]


def _tickets(connection: sqlite3.Connection, wanted: set[str], rows: Sequence[_Row]) -> list[_Ticket]:
    """Return the tickets whose requester is any of these."""
    numbers = {(row.source_id, row.number) for row in rows}
    words = wanted | {folded(word) for row in rows for word in (row.name, row.email) if word}
    emails = [word for word in words if "@" in word]
    spelled = [
        name
        for (name,) in connection.execute("SELECT DISTINCT requester FROM ticket")
        if name and words & {folded(name), *map(folded, parts_of(name))}
    ]
    condition = "requester IN (SELECT value FROM json_each(?)) OR requester IN (SELECT value FROM json_each(?))"
    condition += "".join(" OR fields_json LIKE ? ESCAPE '!'" for _ in emails)
    values = [json.dumps(spelled), json.dumps([number for _, number in numbers]), *map(like, emails)]
    found = []
    for id_, source_id, requester, fields_json in connection.execute(
        f"SELECT id, source_id, requester, fields_json FROM ticket WHERE {condition}", values
    ):
        ticket = _Ticket(id_, source_id, requester, own_emails(requester, orjson.loads(fields_json)))
        is_named = requester in spelled or (source_id, requester) in numbers
        if is_named or not set(emails).isdisjoint(map(folded, ticket.emails)):
            found.append(ticket)
    # An address says more than a name: of a person given by both, another address under the same name is another person's.
    asked = [word for word in wanted if "@" in word]
    return [t for t in found if not asked or not t.emails or not set(asked).isdisjoint(map(folded, t.emails))]


def _has_written(connection: sqlite3.Connection, wanted: set[str]) -> bool:
    """Tell whether any message's author is named so."""
    return any(
        wanted & {folded(author), *map(folded, parts_of(author))}
        for (author,) in connection.execute("SELECT DISTINCT author FROM message WHERE role != 'agent'")
    )


def _refuse_several(reference: str, tickets: Sequence[_Ticket], rows: Sequence[_Row]) -> None:
    """Refuse a name under which several addresses, or several numbers of one source, are known."""
    by_email = Counter(folded(email) for t in tickets for email in t.emails[:1])
    by_email.update({folded(row.email): 0 for row in rows if row.email and folded(row.email) not in by_email})
    if len(by_email) > 1:
        known = ", ".join(
            f"{email} ({n:,} {'ticket' if n == 1 else 'tickets'})" for email, n in by_email.most_common(_CLOSE)
        )
        raise DeskError(
            "person-ambiguous",
            f"{len(by_email):,} people are called {reference}: {known}.",
            remedy="Give the e-mail address of the one who is meant.",
        )
    names = {folded(row.name) for row in rows if row.name}
    if len(names) > 1:
        raise DeskError(
            "person-ambiguous",
            f"{reference} means {len(names):,} people: {', '.join(sorted({row.name for row in rows if row.name})[:_CLOSE])}.",
            remedy="Give the name of the one who is meant.",
        )


def _handles(
    connection: sqlite3.Connection, reference: str, tickets: Sequence[_Ticket], rows: Sequence[_Row]
) -> Handles:
    numbers = {(row.source_id, row.number) for row in rows}
    parts = [part for t in tickets if (t.source_id, t.requester) not in numbers for part in parts_of(t.requester)] + [
        word for row in rows for word in (row.name, row.email)
    ]
    if not parts:
        parts = parts_of(reference)
    emails = unique([*(part for part in parts if "@" in part), *(email for t in tickets for email in t.emails)])
    names = unique(part for part in parts if "@" not in part)
    return Handles(names, _not_shared(connection, emails, names), ids=tuple(sorted(numbers)))


def _not_shared(connection: sqlite3.Connection, emails: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Leave out addresses that several people's tickets have: those of a mailbox that all of them wrote to."""
    if not emails or not names:
        return tuple(emails)
    own = {folded(name) for name in names}
    others: dict[str, set[str]] = defaultdict(set)
    condition = " OR ".join("fields_json LIKE ? ESCAPE '!'" for _ in emails)
    for requester, fields_json in connection.execute(
        f"SELECT requester, fields_json FROM ticket WHERE {condition}", [*map(like, emails)]
    ):
        if own.isdisjoint({folded(requester), *map(folded, parts_of(requester))}):
            for email in own_emails(requester, orjson.loads(fields_json)):
                others[folded(email)].add(folded(requester))
    return tuple(email for email in emails if len(others[folded(email)] - {folded(email), ""}) < 2)


def _with_what_they_wrote(connection: sqlite3.Connection, handles: Handles, ids: Sequence[int]) -> Handles:
    """Add the telephone numbers and addresses that stand in their columns and under their messages."""
    values = [json.dumps(list(ids)), MOST_MESSAGES]
    written = connection.execute(
        "SELECT author, text FROM message WHERE ticket_id IN (SELECT value FROM json_each(?)) AND role != 'agent' LIMIT ?",
        values,
    ).fetchall()
    columns = connection.execute(
        "SELECT fields_json FROM ticket WHERE id IN (SELECT value FROM json_each(?)) LIMIT ?", values
    ).fetchall()
    return with_contacts(handles, written, [orjson.loads(fields_json) for (fields_json,) in columns])


def _missing(connection: sqlite3.Connection, reference: str) -> DeskError:
    names = [name for (name,) in connection.execute("SELECT DISTINCT requester FROM ticket LIMIT ?", [_LARGEST_LIST])]
    by_folded = {folded(name): name for name in names if name}
    wanted = folded(reference)
    close = [name for key, name in by_folded.items() if len(wanted) > 2 and wanted in key][:_CLOSE]
    close += [by_folded[key] for key in difflib.get_close_matches(wanted, by_folded, n=_CLOSE, cutoff=0.7)]
    hint = f"Close to it: {', '.join(dict.fromkeys(close))}." if close else "See them with: tldesk list"
    return DeskError("person-missing", f"No requester here is named {reference}.", remedy=hint)


def like(part: str) -> str:
    """Return a part as LIKE finds it anywhere, with `!` as its escape."""
    escaped = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
