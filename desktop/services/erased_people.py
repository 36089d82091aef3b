"""People who were erased, met again: an export that still holds them does not bring them back.

Of who was erased there is a keyed hash of each handle and no handle. So a requester, an author or a person of a table is known again, whose name or
address is a value of its own; a name in the middle of somebody else's sentence is not. Tickets of somebody who was removed are left out and count
as unchanged; those of somebody who was anonymized come in with the stand-in. An address decides where there is one: two people may have one name.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache

from desktop.domain.erasing import Handles, Way, identity
from desktop.domain.handles import own_emails, parts_of, with_contacts
from desktop.domain.imports import Batch, Reject
from desktop.domain.people import Person
from desktop.domain.scrubbing import Scrubber
from desktop.domain.tickets import Role, TicketDraft
from desktop.services.wording import count
from desktop.storage.erasing import Identity
from desktop.storage.scrubbing import scrub_draft


class ErasedPeople:
    """Who was erased, for one import of one source."""

    def __init__(self, identities: Sequence[Identity], *, secret: bytes, source_id: int) -> None:
        self._by_identity = {known.identity: known for known in identities}
        self._secret = secret
        self._source_id = source_id
        self._known = lru_cache(maxsize=100_000)(self._look_up)
        self._met: set[str] = set()
        self._left_out = self._renamed = 0

    @property
    def warnings(self) -> list[str]:
        """Say who was met again; nothing of who they are."""
        if not self._met:
            return []
        one = len(self._met) == 1
        parts = (
            [f"{count(self._left_out, 'row')} of theirs {'was' if self._left_out == 1 else 'were'} left out"]
            if self._left_out
            else []
        )
        if self._renamed:
            parts.append(f"{count(self._renamed, 'ticket')} came in with a stand-in")
        who = f"{len(self._met):,} {'person' if one else 'people'} of this file {'was' if one else 'were'} erased here before"
        return [f"{who}{': ' if parts else ''}{' and '.join(parts)}."]

    def batches(self, batches: Generator[Batch, None, None]) -> Generator[Batch, None, None]:
        """Yield a file's batches without them."""
        with closing(batches):
            for batch in batches:
                yield self._without(batch) if self._by_identity else batch

    def _without(self, batch: Batch) -> Batch:
        tickets = [(draft, self._ticket(draft)) for draft in batch.tickets]
        people = [self._person(person) for person in batch.people]
        left_out = sum(draft.rows for draft, kept in tickets if kept is None) + people.count(None)
        self._left_out += left_out
        self._renamed += sum(kept is not None and kept is not draft for draft, kept in tickets)
        return replace(
            batch,
            tickets=tuple(kept for _, kept in tickets if kept is not None),
            people=tuple(person for person in people if person is not None),
            rejects=tuple(map(self._reject, batch.rejects)),
            repeated=batch.repeated + left_out,
        )

    def _ticket(self, draft: TicketDraft) -> TicketDraft | None:
        """Return a ticket without whoever was erased; None when it is theirs and they were removed."""
        names = parts_of(draft.requester)
        emails = own_emails(draft.requester, draft.fields)
        if known := self._who([part for part in names if "@" not in part], emails):
            self._met.add(known.stand_in)
            if known.way is Way.REMOVE:
                return None
            handles = with_contacts(
                Handles(tuple(part for part in names if "@" not in part), emails),
                [(message.author, message.text) for message in draft.messages],
                [draft.fields],
            )
            scrubbed = scrub_draft(draft, Scrubber(handles, known.stand_in, is_own=True))
            draft = replace(scrubbed, requester=known.stand_in)
        for author in {
            message.author for message in draft.messages if message.author and message.role is not Role.AGENT
        }:
            draft = self._without_author(draft, author)
        return draft

    def _without_author(self, draft: TicketDraft, author: str) -> TicketDraft:
        parts = parts_of(author)
        names, emails = [part for part in parts if "@" not in part], [part for part in parts if "@" in part]
        if not (known := self._who(names, emails)):
            return draft
        self._met.add(known.stand_in)
        return scrub_draft(
            draft, Scrubber(Handles((*names,), (*emails,), ids=((self._source_id, author),)), known.stand_in)
        )

    def _person(self, person: Person) -> Person | None:
        known = self._known("id", f"{self._source_id}:{person.external_id}") or self._who([person.name], [person.email])
        if known is None:
            return person
        self._met.add(known.stand_in)
        return None if known.way is Way.REMOVE else replace(person, name=known.stand_in, email="")

    def _reject(self, reject: Reject) -> Reject:
        """Return a rejected row; of one that holds somebody who was erased only its place and the reason stay."""
        known = next((known for cell in reject.cells if (known := self._who([cell], [cell]))), None)
        if known is None:
            return reject
        self._met.add(known.stand_in)
        return replace(reject, value="", raw="", cells=())

    def _who(self, names: Iterable[str], emails: Iterable[str]) -> Identity | None:
        """Return who has one of these addresses; where there is none, one of these names or numbers."""
        addresses = [email for email in emails if "@" in email]
        if addresses:
            return next((known for email in addresses if (known := self._known("email", email))), None)
        for name in filter(None, names):
            if known := self._known("name", name) or self._known("id", f"{self._source_id}:{name}"):
                return known
        return None

    def _look_up(self, kind: str, value: str) -> Identity | None:
        return self._by_identity.get(identity(self._secret, kind, value)) if value else None
