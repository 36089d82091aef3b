"""Threads: the redactor of a ticket, which knows its people and has seen all of it."""

from __future__ import annotations

from desktop.domain.tickets import Thread
from desktop.services.redaction.redactor import Redactor


def redactor_for(thread: Thread) -> Redactor:
    """Return a redactor that knows a ticket's people; it has seen the whole thread, so a value has the same placeholder in every request about it."""
    ticket = thread.ticket
    people = tuple(dict.fromkeys((ticket.requester, ticket.assignee, *(message.author for message in thread.messages))))
    redactor = Redactor(people)
    # Full names first, so that the first name alone is another spelling of theirs and not the other way round.
    for text in (*people, ticket.subject, *(message.text for message in thread.messages)):
        redactor.learn(text)
    return redactor
