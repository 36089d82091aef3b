"""People: who stands behind the numbers that some exports have in place of names.

A help desk's tables of tickets and comments often name people by id only; its table of users says who they are. Whichever comes first, the names
come to the tickets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from desktop.domain.tickets import Message, Role, TicketDraft


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a help desk. `external_id` is what other tables name them by; `name` may be ''."""

    external_id: str
    name: str = ""
    email: str = ""
    role: Role = Role.UNKNOWN

    @property
    def known_as(self) -> str:
        """Return what to call them."""
        return self.name or self.email or self.external_id


def name_people(draft: TicketDraft, people: Mapping[str, Person]) -> TicketDraft:
    """Put names in place of ids in a ticket, and say of a writer of unknown role what is known of the person."""
    requester, assignee = _known_as(draft.requester, people), _known_as(draft.assignee, people)
    messages = tuple(_named(message, people) for message in draft.messages)
    if (requester, assignee, messages) == (draft.requester, draft.assignee, draft.messages):
        return draft
    return replace(draft, requester=requester, assignee=assignee, messages=messages)


def _known_as(name: str, people: Mapping[str, Person]) -> str:
    person = people.get(name)
    return person.known_as if person else name


def _named(message: Message, people: Mapping[str, Person]) -> Message:
    person = people.get(message.author)
    if person is None:
        return message
    role = person.role if message.role is Role.UNKNOWN else message.role
    return replace(message, author=person.known_as, role=role)
