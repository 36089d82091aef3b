"""Wording of erasing: what would go, what went and what is left, as the window and the command both say it."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.domain.erasing import Erased, Footprint, Found, Way
from desktop.services.wording import count


def describe_handles(found: Found) -> str:
    """Say who would be erased: by what else a person is known, so that nobody takes them for another."""
    handles = found.handles
    known = [*handles.names, *handles.emails, *handles.phones]
    also = [handle for handle in known if handle != handles.known_as]
    return f"{handles.known_as}{f', also known as {_listed(also)}' if also else ''}"


def describe_footprint(footprint: Footprint, way: Way) -> list[str]:
    """Say what would go when a person is erased, a line each."""
    lines = [
        f"{_own(footprint)} {'would stay, with a stand-in in their place' if way is Way.ANONYMIZE else 'would go'}"
    ]
    if footprint.mentions:
        lines.append(f"{count(footprint.mentions, 'ticket')} of other people would name a stand-in instead")
    is_removed = way is Way.REMOVE
    gone = [(footprint.traces, "trace")]
    if is_removed:
        gone = [
            (footprint.starred, "star"),
            (footprint.queue_items, "queue item"),
            *gone,
            (footprint.rejects, "rejected row"),
        ]
    if parts := [count(number, noun) for number, noun in gone if number]:
        lines.append(f"{_listed(parts)} would go")
    cleaned = [(len(footprint.files), "file"), (0 if is_removed else footprint.rejects, "rejected row")]
    if parts := [count(number, noun) for number, noun in cleaned if number]:
        lines.append(f"{_listed(parts)} would be cleaned of their name")
    if footprint.ledger_entries:
        entries = (
            f"{footprint.ledger_entries:,} ledger {'entry keeps' if footprint.ledger_entries == 1 else 'entries keep'}"
        )
        lines.append(f"{entries} only time, host, size and hash")
    return lines + describe_left(footprint)


def describe_left(footprint: Footprint) -> list[str]:
    """Say which files still name a person after they were erased."""
    lines = []
    if footprint.backups:
        lines.append(
            f"Still in {count(len(footprint.backups), 'backup')}, for you to delete: {', '.join(footprint.backups)}"
        )
    if footprint.kept:
        lines.append(
            f"Still in {count(len(footprint.kept), 'file')} that TLDesk does not change: {', '.join(footprint.kept)}"
        )
    return lines


def describe_erased(found: Found, erased: Erased) -> list[str]:
    """Say what became of erasing a person."""
    footprint = erased.footprint
    is_nothing = not (
        footprint.tickets or footprint.mentions or footprint.traces or footprint.rejects or footprint.files
    )
    if is_nothing and found.erased_at:
        return [f"Erased before, on {found.erased_at[:10]}; nothing of them is left.", *describe_left(footprint)]
    own = _own(footprint)
    lines = [
        f"Anonymized: {own}; “{erased.stand_in}” is there now." if erased.way is Way.ANONYMIZE else f"Erased: {own}."
    ]
    if footprint.mentions:
        lines.append(
            f"{count(footprint.mentions, 'ticket')} of other people named them: a stand-in, “{erased.stand_in}”, is there now."
        )
    if not erased.is_swept:
        lines.append("Another TLDesk is reading the tickets, so freed space is overwritten at the next start.")
    return lines + describe_left(footprint)


def _own(footprint: Footprint) -> str:
    parts = [count(footprint.tickets, "ticket")]
    if footprint.messages:
        parts.append(count(footprint.messages, "message"))
    if footprint.summaries:
        parts.append(f"{footprint.summaries:,} {'summary' if footprint.summaries == 1 else 'summaries'}")
    return _listed(parts)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
