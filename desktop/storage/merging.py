"""Merging: one ticket of two exports of messages, of which the later may hold only the newest. Plain values, no SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from desktop.domain.tickets import Message, TicketDraft, in_order


def merge_tickets(stored: TicketDraft, new: TicketDraft) -> TicketDraft:
    """Join a ticket with what a later export of messages says of it.

    Its beginning (subject, requester) is told by whichever has the first message, its state by whichever was changed last.
    """
    messages = merge(stored.messages, new.messages)
    has_first = bool(messages) and messages[0].fingerprint() in {message.fingerprint() for message in new.messages}
    opening, other = (new, stored) if has_first else (stored, new)
    latest, earlier = (new, stored) if new.updated_at >= stored.updated_at else (stored, new)
    return replace(
        latest,
        subject=opening.subject or other.subject,
        requester=opening.requester or other.requester,
        assignee=latest.assignee or earlier.assignee,
        status=latest.status or earlier.status,
        status_original=latest.status_original or earlier.status_original,
        priority=latest.priority or earlier.priority,
        priority_original=latest.priority_original or earlier.priority_original,
        created_at=min(filter(None, (stored.created_at, new.created_at)), default=""),
        updated_at=max(stored.updated_at, new.updated_at),
        fields=_merge_fields(earlier.fields, latest.fields),
        messages=messages,
        rows=new.rows,
    )


def merge(stored: Sequence[Message], new: Sequence[Message]) -> tuple[Message, ...]:
    """Join the messages of two exports: the same author, time and text is one message; positions follow the times."""
    known = {message.fingerprint() for message in new}
    joined = [*(message for message in stored if message.fingerprint() not in known), *new]
    order = in_order([message.created_at for message in joined])
    return tuple(replace(joined[place], position=number) for number, place in enumerate(order, 1))


def _merge_fields(
    earlier: Mapping[str, str | list[str]], latest: Mapping[str, str | list[str]]
) -> dict[str, str | list[str]]:
    """Join columns: a list holds what both have, each value once; of single values the latest counts."""
    merged = dict(earlier)
    for name, value in latest.items():
        before = merged.get(name, [])
        if isinstance(value, list) or isinstance(before, list):
            merged[name] = list(dict.fromkeys([*_listed(before), *_listed(value)]))
        else:
            merged[name] = value or before
    return merged


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
