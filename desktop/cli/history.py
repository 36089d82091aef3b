"""`tldesk import --history` and `--changes`: what was imported, and what one import changed, field by field and message by message."""

from __future__ import annotations

from array import array
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli.output import print_json, print_table, say
from desktop.cli.session import Session
from desktop.domain.history import ImportChanges, ImportRecord, MessageChange, TicketDifference
from desktop.domain.tickets import TicketRow
from desktop.services.comparison import describe_difference
from desktop.services.wording import count, describe_imbalance, describe_state

if TYPE_CHECKING:
    from desktop.services.container import Desk

TICKETS_AT_ONCE = 500
_GROUPS = (("new", "New"), ("changed", "Changed"), ("gone", "Gone"))


def show_history(session: Session, *, as_json: bool) -> None:
    """Print all imports, the newest first."""
    records = session.run(lambda desk: desk.imports.history())
    if as_json:
        print_json({"imports": [_record_fields(record) for record in records]})
        return
    if not records:
        say("Nothing was imported yet.")
        return
    titles = ("ID", "When", "File", "Source", "New", "Changed", "Unchanged", "Rejected", "State")
    print_table(titles, [_record_cells(record) for record in records])
    for record in records:
        if not record.adds_up:
            say(f"Import {record.id}: {describe_imbalance(record.totals)}")


def show_changes(session: Session, import_id: int, *, as_json: bool) -> None:
    """Print what one import changed."""

    async def work(desk: Desk) -> tuple[ImportChanges, dict[int, TicketRow], dict[int, TicketDifference]]:
        changes = await desk.history.changes(import_id)
        rows: dict[int, TicketRow] = {}
        for ids in (changes.new, changes.changed, changes.gone):
            rows.update((row.id, row) for row in await desk.tickets.rows(ids))
        found: dict[int, TicketDifference] = {}
        for first in range(0, len(changes.changed), TICKETS_AT_ONCE):
            part = changes.changed[first : first + TICKETS_AT_ONCE]
            found.update(await desk.history.differences(import_id, part))
        return changes, rows, found

    changes, rows, found = session.run(work)
    if as_json:
        print_json(_changes_document(changes, rows, found))
    else:
        _say_changes(changes, rows, found)


def _record_fields(record: ImportRecord) -> dict[str, Any]:
    return {
        "import_id": record.id,
        "path": record.path,
        "source": record.source,
        "system": record.system,
        "started_at": record.started_at,
        "finished_at": record.finished_at or None,
        "undone_at": record.undone_at or None,
        "state": str(record.state),
        **asdict(record.totals),
        "adds_up": record.adds_up,
    }


def _record_cells(record: ImportRecord) -> tuple[str, ...]:
    totals = record.totals
    numbers = (totals.tickets_new, totals.tickets_updated, totals.tickets_unchanged, totals.rejected)
    when = (record.finished_at or record.started_at).replace("T", " ")[:16]
    words = (str(record.id), when, Path(record.path).name, record.source)
    return (*words, *(f"{number:,}" for number in numbers), describe_state(record))


def _changes_document(
    changes: ImportChanges, rows: dict[int, TicketRow], found: dict[int, TicketDifference]
) -> dict[str, Any]:
    return {
        "import_id": changes.import_id,
        "compared_with": changes.compared_with or None,
        "new": [_ticket(rows[i]) for i in changes.new if i in rows],
        "changed": [{**_ticket(rows[i]), **_difference(found[i])} for i in changes.changed if i in rows and i in found],
        "gone": [_ticket(rows[i]) for i in changes.gone if i in rows],
    }


def _ticket(row: TicketRow) -> dict[str, str]:
    return {"id": row.reference, "subject": row.subject}


def _difference(difference: TicketDifference) -> dict[str, Any]:
    fields = [{"name": c.key or c.title, "before": c.before, "after": c.after} for c in difference.fields]
    return {"fields": fields, "messages": [_message(change) for change in difference.messages]}


def _message(change: MessageChange) -> dict[str, Any]:
    message = change.message
    return {
        "change": change.change,
        "author": message.author,
        "created_at": message.created_at or None,
        "before": change.before.text if change.before else None,
        "after": None if change.change == "removed" else message.text,
        "notes": list(change.notes),
    }


def _say_changes(changes: ImportChanges, rows: dict[int, TicketRow], found: dict[int, TicketDifference]) -> None:
    if changes.compared_with:
        say(f"Import {changes.import_id}, compared with import {changes.compared_with}:")
    else:
        say(f"Import {changes.import_id}; there is no whole import of its kind before it to tell what is gone:")
    for name, title in _GROUPS:
        ids: array[int] = getattr(changes, name)
        say(f"{title}: {count(len(ids), 'ticket')}")
        for row in (rows[i] for i in ids if i in rows):
            told = f": {describe_difference(found[row.id])}" if row.id in found else ""
            say(f"  {row.reference}  {' '.join(row.title.split())[:60]}{told}")
