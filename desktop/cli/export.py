"""`tldesk export`: tickets and their summaries as one file, or on standard output for another program."""

from __future__ import annotations

import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop.cli.output import print_document, print_json, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.cli.tickets import search_option, tell_languages, where_option
from desktop.domain.tickets import TicketQuery
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.export import ExportFormat

FORMATS = ("csv", "json", "md", "html")
SILENT_SECONDS = 1.0


@click.command("export")
@click.option("--format", "wanted", type=click.Choice(FORMATS), help="What to write; else what the file's name says.")
@search_option
@where_option
@click.option("--sort", default="created_at", metavar="FIELD", show_default=True, help="A - in front: descending.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to; else to standard output.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@json_option
@common_options
def export_command(
    session: Session,
    wanted: str | None,
    search: str,
    where: tuple[tuple[str, str], ...],
    sort: str,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Export tickets with their messages and summaries. The CSV can be imported again and gives the same tickets."""
    if wanted is None:
        wanted = out.suffix.lower().removeprefix(".") if out else ""
        if wanted not in FORMATS:
            raise click.UsageError(f"Say with --format what to write: {', '.join(FORMATS)}.")
    if as_json and out is None:
        raise click.UsageError("--json needs --out FILE: without it standard output holds the tickets themselves.")

    async def work(desk: Desk) -> tuple[str, int] | None:
        from desktop.services.export import ExportFormat

        if search:
            await desk.tickets.caught_up()
        await tell_languages(desk, where)
        ids = await desk.tickets.ids(TicketQuery(search, where, sort))
        if out is None:
            await _print(desk, ids.tolist(), ExportFormat(wanted))
            return None
        return await _write(desk, ids.tolist(), ExportFormat(wanted), out, force=force)

    done = session.run(work)
    if done is None:
        return
    path, tickets = done
    if as_json:
        print_json({"path": path, "tickets": tickets})
    else:
        say(f"{count(tickets, 'ticket')} written to {path}.")


async def _write(desk: Desk, ids: list[int], wanted: ExportFormat, out: Path, *, force: bool) -> tuple[str, int]:
    from desktop.services.export import ExportFinished

    began, told_at = time.monotonic(), 0.0
    async with aclosing(desk.export.export(ids, wanted, out, replace_existing=force)) as events:
        async for event in events:
            if isinstance(event, ExportFinished):
                return str(event.path), event.tickets
            now = time.monotonic()
            if sys.stderr.isatty() and now - began > SILENT_SECONDS < now - told_at:
                told_at = now
                warn(f"{event.tickets:,} of {count(event.total, 'ticket')} …")
    raise AssertionError("an export ends with ExportFinished")


async def _print(desk: Desk, ids: list[int], wanted: ExportFormat) -> None:
    async with aclosing(desk.export.pieces(ids, wanted)) as pieces:
        async for text, _ in pieces:
            print_document(text)
