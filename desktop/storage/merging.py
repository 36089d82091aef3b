"""Merging: what several exports say of one ticket, joined. Plain values, no SQL.

Two kinds of tables speak of a ticket. A *record* says all of it: a later one takes its place. A *table of messages* adds to it, and may hold
only the newest: what it brought stays *attached*, also when the record comes in again. The outcome is the same whichever comes first. A record of
a mere list says nothing of messages, and takes none away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from desktop.domain.imports import Contents
from desktop.domain.tickets import Message, Role, TicketDraft, in_order, listed

MESSAGE_FIELD = "message."
"""Before the name of a column of a table of messages, in a ticket whose record has columns of its own: both tables call one `id`."""


def merge_tickets(stored: TicketDraft, new: TicketDraft, contents: Contents) -> TicketDraft:
    """Join a ticket with what a later export says of it."""
    match contents:
        case Contents.MESSAGES:
            return _with_roles(_added(stored, new))
        case Contents.LIST:
            # What a list does not say, the description for one, stays as it was.
            kept = stored.messages
        case Contents.RECORDS:
            kept = tuple(message for message in stored.messages if message.is_attached)
    if not kept:
        return new
    return _with_roles(_renewed(stored, new, kept, keeps_fields=contents is Contents.LIST))


def merge(stored: Sequence[Message], new: Sequence[Message], *, is_record: bool = False) -> tuple[Message, ...]:
    """Join the messages of two exports: the same author, time and text is one message; positions follow the times.

    Of the same time, those of a record go before what was attached to it, whichever came first: `is_record` when the new ones are a record's.
    The description of a ticket is often its first comment as well; then it stands once.
    """
    known = {message.fingerprint() for message in new}
    attached = {message.fingerprint() for message in stored if message.is_attached}
    earlier = [message for message in stored if message.fingerprint() not in known]
    latest = [replace(message, is_attached=True) if message.fingerprint() in attached else message for message in new]
    joined = [*latest, *earlier] if is_record else [*earlier, *latest]
    said = {message.text for message in joined if message.is_attached and not message.internal}
    joined = [message for message in joined if message.is_attached or message.text not in said]
    order = in_order([message.created_at for message in joined])
    return tuple(replace(joined[place], position=number) for number, place in enumerate(order, 1))


def _renewed(stored: TicketDraft, new: TicketDraft, attached: Sequence[Message], *, keeps_fields: bool) -> TicketDraft:
    """Let a record take its place, and keep what tables of messages attached to the ticket."""
    times = [message.created_at for message in attached]
    if not stored.has_record:
        fields = {**new.fields, **{_of_messages(name): value for name, value in stored.fields.items()}}
    elif keeps_fields:
        fields = {**stored.fields, **new.fields}
    else:
        fields = {**new.fields, **{n: value for n, value in stored.fields.items() if n.startswith(MESSAGE_FIELD)}}
    keeps_subject = new.is_subject_made and bool(stored.subject)
    return replace(
        new,
        subject=stored.subject if keeps_subject else new.subject,
        is_subject_made=stored.is_subject_made if keeps_subject else new.is_subject_made,
        requester=new.requester or stored.requester,
        assignee=new.assignee or stored.assignee,
        created_at=new.created_at or stored.created_at,
        updated_at=max([new.updated_at, *times]),
        fields=fields,
        messages=merge(attached, new.messages, is_record=True),
    )


def _added(stored: TicketDraft, new: TicketDraft) -> TicketDraft:
    """Add messages to a ticket.

    Its beginning (subject, requester) is told by whichever has the first message, its state by whichever was changed last.
    """
    messages = merge(stored.messages, new.messages)
    has_first = bool(messages) and messages[0].fingerprint() in {message.fingerprint() for message in new.messages}
    opening, other = (new, stored) if has_first else (stored, new)
    latest, earlier = (new, stored) if new.updated_at >= stored.updated_at else (stored, new)
    if new.is_subject_made != stored.is_subject_made:
        # A subject that somebody wrote is worth more than a first sentence.
        opening, other = (stored, new) if new.is_subject_made else (new, stored)
    created_at = min(filter(None, (stored.created_at, new.created_at)), default="")
    if stored.has_record:
        fields = _merge_fields(stored.fields, {_of_messages(name): value for name, value in new.fields.items()})
    else:
        fields = _merge_fields(earlier.fields, latest.fields)
    return replace(
        latest,
        subject=opening.subject or other.subject,
        is_subject_made=opening.is_subject_made if opening.subject else other.is_subject_made,
        requester=opening.requester or other.requester,
        assignee=latest.assignee or earlier.assignee,
        status=latest.status or earlier.status,
        status_original=latest.status_original or earlier.status_original,
        priority=latest.priority or earlier.priority,
        priority_original=latest.priority_original or earlier.priority_original,
        has_record=stored.has_record,
        created_at=(stored.has_record and stored.created_at) or created_at,
        updated_at=max(stored.updated_at, new.updated_at),
        fields=fields,
        messages=messages,
        rows=new.rows,
    )


def _of_messages(name: str) -> str:
    return name if name.startswith(MESSAGE_FIELD) else f"{MESSAGE_FIELD}{name}"


def _with_roles(ticket: TicketDraft) -> TicketDraft:
    """Say who wrote a message where one table names the people and another holds what they wrote."""
    sides = {ticket.assignee: Role.AGENT, ticket.requester: Role.CUSTOMER}
    messages = tuple(
        replace(message, role=sides[message.author])
        if message.role is Role.UNKNOWN and message.author and message.author in sides
        else message
        for message in ticket.messages
    )
    return replace(ticket, messages=messages)


def _merge_fields(
    earlier: Mapping[str, str | list[str]], latest: Mapping[str, str | list[str]]
) -> dict[str, str | list[str]]:
    """Join columns: a list holds what the earlier had and what the latest adds; of single values the latest counts."""
    merged = dict(earlier)
    for name, value in latest.items():
        before = merged.get(name, [])
        if isinstance(value, list) or isinstance(before, list):
            held = listed(before)
            known = frozenset(held)
            merged[name] = [*held, *dict.fromkeys(each for each in listed(value) if each not in known)]
        else:
            merged[name] = value or before
    return merged
