"""`tldesk ledger` and `tldesk stats`: what was sent to whom, and what the calls of models came to."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from desktop.cli.output import print_document, print_json, print_table, say
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.domain.operations import GROUPINGS, Figures, LedgerQuery, Stats
from desktop.domain.outgoing import LedgerEntry

if TYPE_CHECKING:
    from desktop.services.container import Desk


def _moment(_context: click.Context, _option: click.Parameter, value: str) -> str:
    from desktop.services.moments import read_moment

    try:
        return read_moment(value)
    except DeskError as error:
        raise click.BadParameter(str(error)) from None


since_option = click.option(
    "--since", default="", metavar="DATE", callback=_moment, help="From this day or moment on (UTC): 2026-11-25."
)


@click.command("ledger")
@since_option
@click.option("--format", "wanted", type=click.Choice(("json", "csv")), help="Print it for a program.")
@json_option
@common_options
def ledger_command(session: Session, since: str, wanted: str | None, as_json: bool) -> None:
    """List every request that was sent to a model, the newest first: when, to whom, why, and what was taken out of it."""
    if as_json and wanted == "csv":
        raise click.UsageError("--json and --format csv cannot both be.")
    wanted = "json" if as_json else wanted

    async def work(desk: Desk) -> tuple[LedgerEntry, ...]:
        if wanted is None:
            return await desk.operations.ledger(since)
        from desktop.services.ledger_documents import LedgerFormat

        async with aclosing(desk.operations.pieces(LedgerQuery(since), LedgerFormat(wanted))) as pieces:
            async for piece in pieces:
                print_document(piece)
        return ()

    entries = session.run(work)
    if wanted is None:
        _say_ledger(entries, since)


@click.command("stats")
@since_option
@click.option("--by", type=click.Choice(GROUPINGS), default="day", show_default=True, help="What to group by.")
@json_option
@common_options
def stats_command(session: Session, since: str, by: str, as_json: bool) -> None:
    """Tell what the calls of models came to: errors, latency, tokens, spend, and what the cache saved. Days are UTC."""
    stats = session.run(lambda desk: desk.operations.stats(since, by))
    if as_json:
        from desktop.services.ledger_documents import stats_document

        print_json(stats_document(stats))
    else:
        _say_stats(stats)


def _say_ledger(entries: tuple[LedgerEntry, ...], since: str) -> None:
    from desktop.services.operations_words import (
        describe_entry_state,
        describe_error,
        describe_money,
        describe_redactions,
    )

    if not entries:
        say("Nothing was sent" + (f" since {since}." if since else " yet."))
        return
    titles = ("No.", "When (UTC)", "Host", "Purpose", "Model", "Bytes", "Redacted", "State", "Cost")
    rows = [
        (
            *(str(entry.id), entry.at.replace("T", " ").rstrip("Z"), entry.host, entry.purpose, entry.model),
            *(f"{entry.bytes:,}", describe_redactions(entry.redactions), describe_entry_state(entry.state)),
            describe_money(entry.cost_microusd),
        )
        for entry in entries
    ]
    print_table(titles, rows, widest=40)
    for entry in entries:
        if entry.state == "failed" and entry.message:
            say(f"{entry.id}: {describe_error(entry)}")


def _say_stats(stats: Stats) -> None:
    from desktop.services.operations_words import describe_key, describe_totals

    say(describe_totals(stats.total))
    if not stats.groups:
        return
    say()
    titles = (
        stats.by.capitalize(),
        "Calls",
        "Errors",
        "First token p50/p95",
        "Total p50/p95",
        "Tokens in/out",
        "Spend",
        "Cached",
    )
    print_table(titles, [(describe_key(figures.key), *_cells(figures)) for figures in stats.groups])


def _cells(figures: Figures) -> tuple[str, ...]:
    from desktop.services.operations_words import describe_seconds, describe_share, describe_spend

    first, total = figures.first_token, figures.total
    return (
        f"{figures.calls:,}",
        f"{figures.errors:,} ({describe_share(figures.error_rate)})",
        f"{describe_seconds(first.p50)} / {describe_seconds(first.p95)}",
        f"{describe_seconds(total.p50)} / {describe_seconds(total.p95)}",
        f"{figures.input_tokens:,} / {figures.output_tokens:,}",
        describe_spend(figures),
        f"{figures.cache_hits:,} ({describe_share(figures.cache_hit_rate)})",
    )
