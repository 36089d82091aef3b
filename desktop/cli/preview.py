"""`tldesk preview`: what the next summary of a ticket would send, byte for byte, and what of it stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from desktop.cli.output import dollars, print_bytes, print_json, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.services.wording import count

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.preview import RequestPreview


@click.command("preview")
@click.argument("reference", metavar="ID")
@click.option("--provider", default="", metavar="NAME", help="Who would write; else the default provider.")
@click.option("--model", default="", metavar="NAME", help="The model; else the provider's own.")
@click.option("--recipe", default="summarize", show_default=True, metavar="NAME", help="The prompt.")
@click.option("--body", "only_body", is_flag=True, help="Print the body alone, as its exact bytes.")
@json_option
@common_options
def preview_command(
    session: Session, reference: str, provider: str, model: str, recipe: str, only_body: bool, as_json: bool
) -> None:
    """Show what a summary of a ticket would send, and to whom. Nothing is sent, and no model is started."""
    if only_body and as_json:
        raise click.UsageError("--body and --json exclude each other: take one of them.")

    async def work(desk: Desk) -> RequestPreview:
        ticket_id = await desk.tickets.find(reference)
        return await desk.preview.preview(ticket_id, provider=provider, model=model, recipe=recipe)

    preview = session.run(work)
    if only_body:
        print_bytes(preview.body)
    elif as_json:
        print_json(_document(preview))
    else:
        _say(preview)


def _document(preview: RequestPreview) -> dict[str, Any]:
    """Return a preview as JSON has it. The values behind the placeholders are not in it: it may be sent on."""
    target = preview.target
    return {
        "host": target.host,
        "provider": target.name,
        "model": target.model,
        "body": preview.body.decode(),
        "bytes": len(preview.body),
        "sha256": preview.sha256,
        "messages": [{"role": message.role, "content": message.content} for message in preview.messages],
        "redactions": [{"kind": k.redaction.kind, "placeholder": k.redaction.placeholder} for k in preview.kept],
        "redacted": target.redacts,
        "requests": preview.requests,
        "cached": preview.is_cached,
        "input_tokens": preview.input_tokens,
        "cost": dollars(preview.cost_microusd),
    }


def _say(preview: RequestPreview) -> None:
    target, cost = preview.target, dollars(preview.cost_microusd)
    for message in preview.messages:
        say(f"--- {message.role}")
        say(message.content)
    say("---")
    price = "price unknown" if cost is None else f"about ${cost:,.4f}"
    say(f"To {target.host} ({target.name}, {target.model or 'no model chosen'}): {len(preview.body):,} bytes", end="")
    say(f", about {preview.input_tokens:,} tokens; {price}.")
    say(f"SHA-256 {preview.sha256}")
    if preview.kept:
        say(f"{count(len(preview.kept), 'value')} stay here:")
    for kept in preview.kept:
        say(f"  {kept.redaction.placeholder:14} {kept.value}")
    if not target.redacts:
        warn("Nothing is taken out of what goes to this provider.")
    if preview.requests > 1:
        warn(f"The ticket is read in {preview.requests} parts: this is the first request.")
    if preview.is_cached:
        warn("A summary of this is there already: it would be sent only to write it anew.")
