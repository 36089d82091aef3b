"""Comparison: how a ticket differs before and after an import, as a person would tell it.

A change is said once: where our own value changed (the status), the column of the export that it was read from is not repeated beside it, and a text
that became a message shows as that message. Two messages are the same when author, time and text are; of the rest, those of the same author and time
are one that was edited. Pure functions over values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from desktop.domain.history import FieldChange, MessageChange, Piece, TicketDifference, TicketState
from desktop.domain.tickets import Message, listed

_TITLES = {
    "subject": "Subject",
    "status": "Status",
    "status_original": "Status in the export",
    "priority": "Priority",
    "priority_original": "Priority in the export",
    "requester": "Requester",
    "assignee": "Assignee",
    "created_at": "Created",
    "updated_at": "Updated",
}
_ORIGINALS = {"status_original": "status", "priority_original": "priority"}
_MESSAGE_ROLES = frozenset("body comment journal author author_role message_id message_created_at internal".split())
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
MOST_TOKENS = 2_000
"""Two texts with more words than this are compared by their lines: comparing takes the square of it."""
CONTEXT = 160
"""Of a long stretch that did not change, this many characters stand on each side of what did."""


def compare(
    ticket_id: int, before: TicketState | None, after: TicketState, roles: Mapping[str, str]
) -> TicketDifference:
    """Say what became of a ticket; it is new when there is nothing before.

    `roles` are the meanings of the export's columns by their names; what they became is not said twice.
    """
    if before is None:
        added = tuple(MessageChange("added", message, pieces=(Piece("+", message.text),)) for message in after.messages)
        return TicketDifference(ticket_id, "new", _values({}, after.values), added)
    messages, kept = _messages(before.messages, after.messages)
    values = _values(before.values, after.values)
    told = {change.key for change in values}
    fields = tuple(
        change
        for change in _fields(before.fields, after.fields)
        if not _is_told(roles.get(change.title, ""), told, has_messages=bool(messages))
    )
    return TicketDifference(ticket_id, "changed", values + fields, messages, kept)


def describe_difference(difference: TicketDifference) -> str:
    """Say in one line what changed: `Status open → solved · 2 messages added`."""
    parts = []
    for change in difference.fields:
        if change.key in ("status", "priority", "assignee") and len(change.before) + len(change.after) < 40:
            parts.append(f"{change.title} {change.before or 'none'} → {change.after or 'none'}")
        else:
            parts.append(change.title)
    # What everybody's export changes with every answer comes last, and only when it is all there is.
    if len(parts) > 1 or difference.messages:
        parts = [part for part in parts if part != _TITLES["updated_at"]]
    for change_name in ("added", "edited", "removed"):
        number = sum(message.change == change_name for message in difference.messages)
        if number:
            parts.append(f"{number} message{'' if number == 1 else 's'} {change_name}")
    return " · ".join(parts)


def _is_told(role: str, told: set[str], *, has_messages: bool) -> bool:
    if role in _MESSAGE_ROLES:
        return has_messages
    return role in told or f"{role}_original" in told


def _values(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FieldChange, ...]:
    changed = {name for name in _TITLES if before.get(name, "") != after.get(name, "")}
    return tuple(
        FieldChange(name, title, before.get(name, ""), after.get(name, ""))
        for name, title in _TITLES.items()
        if name in changed and _ORIGINALS.get(name) not in changed
    )


def _fields(before: Mapping[str, str | list[str]], after: Mapping[str, str | list[str]]) -> tuple[FieldChange, ...]:
    names = dict.fromkeys([*after, *before])
    return tuple(
        FieldChange("", name, *_texts(before.get(name, ""), after.get(name, "")))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def _texts(before: str | list[str], after: str | list[str]) -> tuple[str, str]:
    """Return two values as texts; of columns that hold many values only those that came or went."""
    if isinstance(before, str) and isinstance(after, str):
        return before, after
    old, new = listed(before), listed(after)
    went, came = [v for v in old if v not in new], [v for v in new if v not in old]
    if not went and not came:
        return ", ".join(old), ", ".join(new)
    return ", ".join(went), ", ".join(came)


def _messages(before: Sequence[Message], after: Sequence[Message]) -> tuple[tuple[MessageChange, ...], int]:
    """Return what changed of the messages, in the order of the thread, and how many are the same."""
    old = {message.fingerprint(): message for message in before}
    new = {message.fingerprint(): message for message in after}
    changes = [_metadata(old[key], message) for key, message in new.items() if key in old]
    edited = [change for change in changes if change is not None]
    removed = [message for key, message in old.items() if key not in new]
    added = [message for key, message in new.items() if key not in old]
    for message in list(added):
        partner = _partner(message, removed)
        if partner is not None:
            removed.remove(partner)
            added.remove(message)
            edited.append(_edited(partner, message))
    result = [
        *edited,
        *(MessageChange("added", message, pieces=(Piece("+", message.text),)) for message in added),
        *(MessageChange("removed", message, message, (Piece("-", message.text),)) for message in removed),
    ]
    kept = len(new) - len(added) - len(edited)
    return tuple(sorted(result, key=lambda change: (change.message.created_at, change.message.position))), kept


def _partner(message: Message, removed: Sequence[Message]) -> Message | None:
    """Find the message that this one was: by the same author and time, else the same words under another name or time."""
    same = [m for m in removed if (m.author, m.created_at) == (message.author, message.created_at)]
    return next(iter(same), None) or next((m for m in removed if m.text == message.text), None)


def _metadata(before: Message, after: Message) -> MessageChange | None:
    notes = _notes(before, after)
    return MessageChange("edited", after, before, (Piece("=", _shortened(after.text)),), notes) if notes else None


def _edited(before: Message, after: Message) -> MessageChange:
    pieces = compare_texts(before.text, after.text)
    return MessageChange("edited", after, before, pieces, _notes(before, after))


def _notes(before: Message, after: Message) -> tuple[str, ...]:
    notes = []
    if before.author != after.author:
        notes.append(f"author: {before.author or 'unknown'} → {after.author or 'unknown'}")
    if before.role != after.role:
        notes.append(f"role: {before.role} → {after.role}")
    if before.created_at != after.created_at:
        notes.append(f"time: {before.created_at or 'unknown'} → {after.created_at or 'unknown'}")
    if before.internal != after.internal:
        notes.append("now internal" if after.internal else "no longer internal")
    return tuple(notes)


def compare_texts(before: str, after: str) -> tuple[Piece, ...]:
    """Compare two texts by words, long ones by lines; long stretches that are the same are cut in the middle."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(old), len(new)) > MOST_TOKENS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if max(len(old), len(new)) > MOST_TOKENS:
        return tuple(Piece(sign, text) for sign, text in (("-", before), ("+", after)) if text)
    from difflib import SequenceMatcher

    pieces: list[Piece] = []
    for _, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = "".join(old[i:j]), "".join(new[k:m])
        if gone == came:
            pieces.append(Piece("=", gone))
            continue
        pieces += [Piece(sign, text) for sign, text in (("-", gone), ("+", came)) if text]
    return tuple(replace(piece, text=_shortened(piece.text)) if piece.sign == "=" else piece for piece in pieces)


def _shortened(text: str) -> str:
    if len(text) <= 3 * CONTEXT:
        return text
    return f"{text[:CONTEXT]} ⋯ {text[-CONTEXT:]}"
