"""The line below a ticket's title, and nothing else of the ticket."""

from __future__ import annotations

from desktop.domain.tickets import Thread
from desktop.gui.language_names import language_name
from desktop.gui.thread_view import readable_time
from desktop.gui.ticket_model import Column, cell_text


def describe_ticket(thread: Thread) -> str:
    """Return the line: whose, which, in what state, in which language, how many messages of when."""
    ticket = thread.ticket
    count = len(thread.messages)
    days = sorted({m.created_at[:10] for m in thread.messages if m.created_at})
    when = ""
    if days:
        when = f", {readable_time(days[0])}" + (f" to {readable_time(days[-1])}" if len(days) > 1 else "")
    parts = [
        ticket.requester,
        ticket.external_id,
        cell_text(ticket, Column.STATUS),
        cell_text(ticket, Column.PRIORITY),
        language_name(ticket.language),
        f"{count} message{'' if count == 1 else 's'}{when}",
    ]
    return " · ".join(part for part in parts if part)
