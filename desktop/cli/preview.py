"""`tldesk preview`: what a summary of a ticket would send, to the byte, spending nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from desktop.cli.output import dollars, print_json, say
from desktop.cli.session import Session, common_options, json_option
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.preview import SendingPreview


@click.command("preview")
@click.argument("reference", metavar="ID")
@click.option("--provider", default="", metavar="NAME", help="Who would write; else whoever does that task.")
@click.option("--model", default="", metavar="NAME", help="The model; else the provider's own.")
@click.option("--recipe", default="summarize", show_default=True, metavar="NAME", help="The prompt.")
@json_option
@common_options
def preview_command(session: Session, reference: str, provider: str, model: str, recipe: str, as_json: bool) -> None:
    """Show the exact bytes that a summary of a ticket would send, and what was taken out of them. Nothing is sent."""

    async def work(desk: Desk) -> SendingPreview:
        ticket_id = await desk.tickets.find(reference)
        return await desk.sending_previews.preview(ticket_id, provider=provider, model=model, recipe=recipe)

    preview = session.run(work)
    if as_json:
        print_json(
            {
                "host": preview.host,
                "provider": preview.provider,
                "model": preview.model,
                "body": preview.body.decode(),
                "bytes": len(preview.body),
                "sha256": preview.sha256,
                "messages": [asdict(message) for message in preview.messages],
                "redactions": [asdict(redaction) for redaction in preview.redactions],
                "input_tokens": preview.input_tokens,
                "cost": dollars(preview.cost_microusd),
                "requests": preview.parts,
            }
        )
        return
    cost = dollars(preview.cost_microusd)
    price = "price unknown" if cost is None else f"about ${cost:,.4f}"
    say(
        f"To {preview.host}, {preview.model or 'no model chosen'} ({preview.provider}): {len(preview.body):,} bytes, {price}"
    )
    say(f"SHA-256 {preview.sha256}")
    if preview.parts > 1:
        say(f"The ticket is read in {count(preview.parts, 'part')}; this is the first.")
    for message in preview.messages:
        say(f"\n--- {message.role}\n{message.content}")
    say(f"\nTaken out: {count(len(preview.redactions), 'value')}")
    for redaction in preview.redactions:
        say(f"  {redaction.placeholder}  {redaction.kind}")
