"""`tldesk list` and `tldesk show`: the tickets that are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desktop.cli.live import say_stored
from desktop.cli.output import print_json, print_table, say
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.domain.tickets import Thread, TicketQuery, TicketRow
from desktop.services.documents import thread_document, ticket_document
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.summaries import OpenedTicket

SHOWN_WITHOUT_LIMIT = 50


def read_conditions(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Read `--where FIELD=VALUE` as often as it was given."""
    conditions = []
    for value in values:
        name, sign, wanted = value.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"“{value}” is not FIELD=VALUE, such as status=open.", context, parameter)
        conditions.append((name, wanted))
    return tuple(conditions)


search_option = click.option("--search", default="", metavar="TEXT", help="Only tickets that hold these words.")
where_option = click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    callback=read_conditions,
    help="Only tickets whose field has this value; may be repeated.",
)


async def tell_languages(desk: Desk, where: tuple[tuple[str, str], ...]) -> None:
    """Tell the languages of all tickets when they are chosen by it: after an import none is told yet, and only what is told can be found."""
    if any(name == "language" for name, _ in where):
        await desk.languages.caught_up()


@click.command("list")
@search_option
@where_option
@click.option("--sort", default="-updated_at", metavar="FIELD", show_default=True, help="A - in front: descending.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N tickets (default {SHOWN_WITHOUT_LIMIT})."
)
@click.option("--after", default="", metavar="CURSOR", help="Go on where another list ended: its `next`.")
@json_option
@common_options
def list_command(
    session: Session,
    search: str,
    where: tuple[tuple[str, str], ...],
    sort: str,
    limit: int | None,
    after: str,
    as_json: bool,
) -> None:
    """List tickets, the last changed first."""

    async def work(desk: Desk) -> tuple[list[TicketRow], int, str | None]:
        if search:
            await desk.tickets.caught_up()
        await tell_languages(desk, where)
        ids = await desk.tickets.ids(TicketQuery(search, where, sort))
        start = _position_after(ids.tolist(), after)
        chosen = ids[start : start + (limit or SHOWN_WITHOUT_LIMIT)]
        following = str(chosen[-1]) if chosen and start + len(chosen) < len(ids) else None
        await desk.languages.look_at(chosen)
        return await desk.tickets.rows(chosen), len(ids), following

    rows, total, following = session.run(work)
    if as_json:
        print_json({"tickets": [ticket_document(row) for row in rows], "total": total, "next": following})
        return
    if rows:
        table = [
            (row.reference, row.status or row.status_original, row.priority, row.updated_at[:10], row.gist or row.title)
            for row in rows
        ]
        print_table(("Ticket", "Status", "Priority", "Updated", "Gist or subject"), table, widest=72)
    say(f"{count(total, 'ticket')}." if len(rows) == total else f"{len(rows):,} of {count(total, 'ticket')}.")
    if following:
        say(f"Go on with: --after {following}")


@click.command("show")
@click.argument("reference", metavar="ID")
@json_option
@common_options
def show_command(session: Session, reference: str, as_json: bool) -> None:
    """Show a ticket with its messages, and its summary if there is one.

    ID is SOURCE:NUMBER as `tldesk list` prints it, or the number alone where it is unique.
    """

    async def work(desk: Desk) -> OpenedTicket:
        ticket_id = await desk.tickets.find(reference)
        await desk.languages.look_at([ticket_id])
        return await desk.summaries.open_ticket(ticket_id)

    opened = session.run(work)
    thread, summary = opened.thread, opened.summary
    if as_json:
        print_json(thread_document(thread, summary))
        return
    _say_ticket(thread.ticket)
    if summary is not None:
        say_stored(summary)
    _say_messages(thread)


def _say_ticket(ticket: TicketRow) -> None:
    say(f"{ticket.title}\n{ticket.reference}", end="")
    for name in (
        ticket.status_original or ticket.status,
        ticket.priority_original or ticket.priority,
        ticket.requester,
    ):
        say(f" · {name}" if name else "", end="")
    say()


def _say_messages(thread: Thread) -> None:
    for message in thread.messages:
        note = ", internal note" if message.internal else ""
        when = f" · {message.created_at.replace('T', ' ')[:16]}" if message.created_at else ""
        say(f"\n[m{message.position}] {message.author or 'Unknown'} ({message.role.value}{note}){when}")
        say(message.text)
    if not thread.messages:
        say("\nThe export had no text for this ticket.")


def _position_after(ids: list[int], cursor: str) -> int:
    """Return where a list goes on after the ticket that `cursor` names; a ticket that has left the list since is no longer a place in it."""
    if not cursor:
        return 0
    if cursor.isdigit() and int(cursor) in ids:
        return ids.index(int(cursor)) + 1
    raise DeskError(
        "cursor-unknown",
        f"“{cursor}” is no place in this list.",
        remedy="Give `next` of the list before, with the same search and order.",
    )
