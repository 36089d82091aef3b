"""`tldesk verify`: any text against a ticket, a summary written elsewhere or an agent's own reply."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop.cli.output import print_json, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.domain.runs import Support, Verified
from desktop.services.documents import verified_document
from desktop.services.wording import LIMITS, count, describe_claim

if TYPE_CHECKING:
    from desktop.services.container import Desk

MOST_BYTES = 2_000_000
"""A text that somebody wrote about one ticket; more is some other file, given by mistake."""
_MARKS = {Support.SUPPORTED: " ", Support.PARTIAL: "?", Support.UNSUPPORTED: "!", Support.UNCITED: "!"}


@click.command("verify")
@click.argument("reference", metavar="ID")
@click.option(
    "--text-file", type=click.Path(path_type=Path), metavar="F", help="The text to check; else standard input is read."
)
@json_option
@common_options
def verify_command(session: Session, reference: str, text_file: Path | None, as_json: bool) -> None:
    """Check every sentence of a text against a ticket, on this machine. It may cite sentences as [m1.2]; what cites none is looked up."""
    text = _read_text(text_file)

    async def work(desk: Desk) -> tuple[str, Verified]:
        ticket_id = await desk.tickets.find(reference)
        verified = await desk.summaries.verify(ticket_id, text)
        rows = await desk.tickets.rows([ticket_id])
        return (rows[0].reference if rows else reference), verified

    ticket, verified = session.run(work)
    if as_json:
        print_json(verified_document(ticket, verified))
    else:
        _say_verified(verified)


def _read_text(path: Path | None) -> str:
    """Return the text to check.

    Raises:
        DeskError: `text-missing`, `text-unreadable`, `text-too-long`, `text-not-utf8`, `text-empty`.
    """
    name = str(path) if path else "standard input"
    if path is None and sys.stdin.isatty():
        warn("Type or paste the text to check, then end it with Ctrl-D (Ctrl-Z and Enter on Windows).")
    try:
        if path is None:
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise DeskError("text-missing", f"There is no file {name}.", remedy="Check its name and folder.") from error
    except OSError as error:
        reason = error.strerror or "it is not readable"
        raise DeskError(
            "text-unreadable", f"{name} cannot be read: {reason}.", remedy="Give a text file that you may read."
        ) from error
    if len(data) > MOST_BYTES:
        raise DeskError("text-too-long", f"{name} is larger than 2 MB.", remedy="Give the text about one ticket only.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeskError(
            "text-not-utf8", f"{name} is not UTF-8 text (byte {error.start + 1:,}).", remedy="Save it as UTF-8."
        ) from error
    if not text.strip():
        raise DeskError("text-empty", f"{name} is empty.", remedy="Give one or more whole sentences.")
    return text


def _say_verified(verified: Verified) -> None:
    for checked in verified.claims:
        cited = f" [{', '.join(checked.citations)}]" if checked.citations else ""
        say(f"{_MARKS[checked.support]} {checked.claim.text}{cited}")
        say(f"    {checked.support.value}: {describe_claim(checked)}")
    supported = sum(checked.support is Support.SUPPORTED for checked in verified.claims)
    unused = verified.coverage.unused
    rest = f"; messages no sentence stands on: {', '.join(unused)}" if unused else ""
    say(f"\n{supported:,} of {count(len(verified.claims), 'sentence')} supported{rest}.")
    say(LIMITS)
