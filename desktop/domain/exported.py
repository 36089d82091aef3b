"""Exported: our own table of tickets, a row a message, which comes back as it was; and cells that a spreadsheet would run.

The writer is `services.export_writers`, the reader `ingest.whole`; here is what they must agree on. What a ticket has once (its fields, its summary)
stands in the first of its rows; a ticket without messages is one row.
"""

from __future__ import annotations

import re

TICKET_COLUMNS = (
    *("source", "external_id", "subject", "status", "status_original", "priority", "priority_original"),
    *("requester", "assignee", "created_at", "updated_at"),
)
MESSAGE_COLUMNS = (
    *("message", "message_author", "message_role", "message_internal", "message_created_at"),
    *("message_attached", "message_text"),
)
SUMMARY_COLUMNS = (
    *("gist", "summary", "summary_state", "summary_model", "summary_created_at", "next_step_owner"),
    *("deadline", "sentiment", "open_questions", "claims"),
)
"""For the reader's eyes and for spreadsheets. They are not read back: a summary is checked against its ticket when it is written."""
FIELDS_COLUMN = "original_fields"
"""Every column that the ticket's own export had, as a JSON object."""
COLUMNS = (*TICKET_COLUMNS, *MESSAGE_COLUMNS, *SUMMARY_COLUMNS, FIELDS_COLUMN)

# Spreadsheets look past spaces and quotation marks, and take the wide signs of East Asian keyboards for the narrow ones.
_SKIPPED = "'\"`´‘’‚‛“”„‟«»＂＇\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff"
_RUN = re.compile(f"[\\s{_SKIPPED}]*[\t\r\n=+\\-@|%＝＋－＠﹢﹣﹦﹫−]")
# Where lists are written with semicolons, a table with commas is cut at the semicolons within its cells, and at their line ends. A minus or a plus
# begins many a line; they only count where the rest could call something.
_RUN_WITHIN = f"[ \\u00a0\\u3000{_SKIPPED}]*(?:[=@＝＠﹦﹫]|[+\\-＋－﹢﹣−](?=[^;\t\n]*[|!(]))"
_BEGINS_WITHIN = re.compile(f"(?<=[;\t\n])(?={_RUN_WITHIN})")
_MARKED_WITHIN = re.compile(f"(?<=[;\t\n])'(?={_RUN_WITHIN})")


def harmless(cell: str) -> str:
    """Return a cell that a spreadsheet shows and does not run: with an apostrophe in front where it would, or where `as_was` would take one away."""
    if ";" in cell or "\t" in cell or "\n" in cell:
        cell = _BEGINS_WITHIN.sub("'", cell)
    return f"'{cell}" if _RUN.match(cell) else cell


def as_was(cell: str) -> str:
    """Undo `harmless`."""
    if "'" not in cell:
        return cell
    if cell.startswith("'") and _RUN.match(cell, 1):
        cell = cell[1:]
    return _MARKED_WITHIN.sub("", cell)
