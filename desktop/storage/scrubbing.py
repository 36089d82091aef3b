"""Scrubbing in the database: tickets and messages without a person, with all that hangs on their wording kept right.

A changed ticket gets a new revision (see `search`). What a summary was made from is told by hashes: those of summaries that were up to date are made
anew, so that nobody is told that a ticket changed because a name went.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from desktop.domain.scrubbing import Scrubber
from desktop.domain.sentences import SPLITTER_VERSION, number_sentences
from desktop.domain.tickets import Message, TicketDraft
from desktop.storage.identifying import like
from desktop.storage.writing import COLUMNS, hash_ticket, read_draft, take_revisions

Rehash = Callable[[Sequence[Message]], str]
_IN_TICKETS = (*COLUMNS, "external_id", "gist", "fields_json")
_IN_MESSAGES = ("author", "text")


def hits(columns: Sequence[str], scrubber: Scrubber) -> tuple[str, dict[str, str]]:
    """Return a condition that holds for every row that names a person in these columns (and for some that do not), and its values."""
    values = {f"needle{number}": like(needle) for number, needle in enumerate(scrubber.needles)}
    tests = [f"\"{column}\" LIKE :{name} ESCAPE '!'" for column in columns for name in values]
    return " OR ".join(tests) or "0", values


def find_hits(connection: sqlite3.Connection, scrubber: Scrubber) -> set[int]:
    """Return the tickets that name a person, in whatever place."""
    condition, values = hits(_IN_TICKETS, scrubber)
    names = ", ".join(_IN_TICKETS)
    found = {
        row[0]
        for row in connection.execute(f"SELECT id, {names} FROM ticket WHERE {condition}", values)
        if scrubber.json(row[-1]) != row[-1] or any(scrubber.cell(cell) != cell for cell in row[1:-1])
    }
    condition, values = hits(_IN_MESSAGES, scrubber)
    ids = {f"id{number}": known for number, known in enumerate(dict.fromkeys(n for _, n in scrubber.handles.ids))}
    condition += "".join(f" OR author = :{name}" for name in ids)
    for ticket_id, author, text in connection.execute(
        f"SELECT ticket_id, author, text FROM message WHERE {condition}", {**values, **ids}
    ):
        if ticket_id not in found and (scrubber.author(author) != author or scrubber.text(text) != text):
            found.add(ticket_id)
    return found


def inflate(packed: bytes) -> bytes:
    """Return what a trace was packed from; what is not packed as it is."""
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed


class ScrubbedTickets:
    """All tickets without a person. `own` are those that stay without their requester; the others are somebody else's that name them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        elsewhere: Scrubber,
        at_home: Scrubber,
        own: frozenset[int],
        hash_messages: Rehash,
    ) -> None:
        self._connection = connection
        self._elsewhere = elsewhere
        self._at_home = at_home
        self._own = own
        self._hash_messages = hash_messages

    def scrub(self, named: set[int]) -> int:
        """Put the stand-in in the person's place in these tickets and their own; return how many tickets of others that changed."""
        changed = [ticket_id for ticket_id in sorted(named | self._own) if self._scrub_ticket(ticket_id)]
        if changed:
            first = take_revisions(self._connection, len(changed))
            self._connection.executemany("UPDATE ticket SET revision = ? WHERE id = ?", enumerate(changed, first))
        return len([ticket_id for ticket_id in changed if ticket_id not in self._own])

    def _scrub_ticket(self, ticket_id: int) -> bool:
        is_own = ticket_id in self._own
        scrubber = self._at_home if is_own else self._elsewhere
        row = self._connection.execute(
            "SELECT external_id, gist, content_hash FROM ticket WHERE id = ?", [ticket_id]
        ).fetchone()
        if row is None:
            return False  # it went with the person
        external_id, gist, content_hash = row
        old = read_draft(self._connection, ticket_id, external_id)
        new = scrub_draft(old, scrubber)
        if is_own:
            new = replace(new, requester=scrubber.stand_in)
        new_gist = scrubber.text(gist)
        if new == old and new_gist == gist:
            return False
        made = hash_ticket(new)
        new_hash = made.content_hash if is_own or _people_of(new) != _people_of(old) else content_hash
        names = ", ".join(f"{name} = ?" for name in COLUMNS)
        self._connection.execute(
            f"UPDATE ticket SET external_id = ?, {names}, gist = ?, fields_json = ?, content_hash = ? WHERE id = ?",
            [
                *(new.external_id, *(getattr(new, name) for name in COLUMNS)),
                *(new_gist, made.fields_json.decode(), new_hash, ticket_id),
            ],
        )
        self._put_messages(ticket_id, old.messages, new.messages)
        self._put_hashes(ticket_id, (content_hash, new_hash), old.messages, new.messages)
        return True

    def _put_messages(self, ticket_id: int, old: Sequence[Message], new: Sequence[Message]) -> None:
        changed = [after for before, after in zip(old, new, strict=True) if before != after]
        self._connection.executemany(
            "UPDATE message SET author = ?, text = ? WHERE ticket_id = ? AND position = ?",
            [(m.author, m.text, ticket_id, m.position) for m in changed],
        )
        if changed:
            self._put_citations(ticket_id, changed)

    def _put_citations(self, ticket_id: int, changed: Sequence[Message]) -> None:
        """Say anew where the cited sentences stand in messages that are longer or shorter now."""
        places = {sentence.id: sentence for sentence in number_sentences(changed)}
        positions = json.dumps([message.position for message in changed])
        for rowid, sentence_id in self._connection.execute(
            "SELECT citation.rowid, sentence_id FROM citation JOIN run ON run.id = run_id"
            " WHERE ticket_id = ? AND message IN (SELECT value FROM json_each(?))",
            [ticket_id, positions],
        ).fetchall():
            if place := places.get(sentence_id):
                self._connection.execute(
                    'UPDATE citation SET "start" = ?, "end" = ?, splitter_version = ? WHERE rowid = ?',
                    [place.start, place.end, SPLITTER_VERSION, rowid],
                )
            else:
                self._connection.execute("DELETE FROM citation WHERE rowid = ?", [rowid])

    def _put_hashes(
        self, ticket_id: int, hashes: tuple[str, str], old: Sequence[Message], new: Sequence[Message]
    ) -> None:
        self._connection.execute(
            "UPDATE run SET content_hash = ? WHERE ticket_id = ? AND content_hash = ?",
            [hashes[1], ticket_id, hashes[0]],
        )
        for run_id, count, known in self._connection.execute(
            "SELECT id, message_count, messages_hash FROM run WHERE ticket_id = ? AND messages_hash != ''", [ticket_id]
        ).fetchall():
            if known == self._hash_messages(old[:count]):
                self._connection.execute(
                    "UPDATE run SET messages_hash = ? WHERE id = ?", [self._hash_messages(new[:count]), run_id]
                )


def scrub_draft(draft: TicketDraft, scrubber: Scrubber) -> TicketDraft:
    """Return a ticket as a file gave it, without a person."""
    return replace(
        draft,
        external_id=scrubber.text(draft.external_id),
        subject=scrubber.text(draft.subject),
        status_original=scrubber.text(draft.status_original),
        priority_original=scrubber.text(draft.priority_original),
        requester=scrubber.author(draft.requester),
        assignee=scrubber.author(draft.assignee),
        fields=scrubber.fields(draft.fields),
        messages=tuple(
            replace(m, author=scrubber.author(m.author), text=scrubber.message(m.author, m.text))
            for m in draft.messages
        ),
    )


def _people_of(draft: TicketDraft) -> list[str]:
    return [draft.requester, draft.assignee, *(message.author for message in draft.messages)]
