"""Reading again: stored and typed texts as summaries of the ticket as it is now, their claims checked by today's rules."""

from __future__ import annotations

from dataclasses import replace

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.runs import RunState, Summary, Usage
from desktop.domain.sections import GIST
from desktop.domain.text import valid_text
from desktop.services.answers import AnswerParser
from desktop.services.claims import SummaryParser
from desktop.services.evidence import coverage
from desktop.services.fields import find_fields
from desktop.services.lines import write_lines
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import TASK
from desktop.services.recipes import RecipeBook
from desktop.services.verifying import check_sentence
from desktop.services.versions import hash_messages
from desktop.storage.runs import EDIT, StoredSummary


def restore_summary(stored: StoredSummary, prepared: PreparedTicket, recipes: RecipeBook) -> Summary:
    """Return a stored summary as it is to be shown, with what of the ticket changed since.

    Its claims are checked by today's rules and the strictness that is set now, so that it is judged like one written today.
    """
    summary = stored.summary
    if summary.text and not summary.claims:
        # The program may have ended while it was being written: then there is the text, and no claim was recorded.
        summary = _read_text(summary, prepared, recipes)
    else:
        checked = (replace(check_sentence(c.claim, prepared.evidence), opinion=c.opinion) for c in summary.claims)
        summary = replace(summary, claims=tuple(checked))
    is_stale = stored.content_hash != prepared.thread.content_hash
    has_newer = is_stale and begins_as(stored, prepared)
    newer = len(prepared.thread.messages) - stored.message_count if has_newer else 0
    return replace(summary, highlights=prepared.highlights, stale=is_stale, newer_messages=newer, cached=True)


def read_copy(stored: StoredSummary, prepared: PreparedTicket) -> Summary:
    """Return another ticket's summary as that of one with the very same text: its claims say of this one what they said of that. It cost nothing."""
    summary = stored.summary
    checked = (replace(check_sentence(c.claim, prepared.evidence), opinion=c.opinion) for c in summary.claims)
    return replace(
        summary,
        ticket_id=prepared.thread.ticket.id,
        claims=tuple(checked),
        usage=Usage(0, 0),
        cost_microusd=0,
        first_token_seconds=None,
        seconds=0.0,
        created_at=now(),
    )


def begins_as(stored: StoredSummary, prepared: PreparedTicket) -> bool:
    """Tell whether the ticket's first messages are those that a summary was made from."""
    messages = prepared.thread.messages[: stored.message_count]
    return bool(stored.messages_hash) and hash_messages(messages) == stored.messages_hash


def read_edit(text: str, prepared: PreparedTicket, recipes: RecipeBook, name: str) -> Summary:
    """Read what a person wrote (lines form) as a summary. Its gist stands in the list as it is: a person answers for it."""
    try:
        recipe = recipes.load(name)
    except DeskError:
        recipe = recipes.load(TASK)
    text = valid_text(text).strip()
    parser = SummaryParser(recipe.sections)
    claims = (*parser.feed(text), *parser.finish())
    checked = tuple(check_sentence(claim, prepared.evidence) for claim in claims)
    return Summary(
        ticket_id=prepared.thread.ticket.id,
        state=RunState.COMPLETE,
        text=text,
        gist=" ".join(claim.text for claim in claims if claim.section == GIST),
        sections=parser.sections,
        claims=checked,
        coverage=coverage(prepared.evidence, checked, read=len(prepared.thread.messages)),
        highlights=prepared.highlights,
        recipe=recipe.name,
        recipe_version=recipe.version,
        cost_microusd=0,
        created_at=now(),
        task=EDIT,
        is_edit=True,
        fields=find_fields(checked, thread=prepared.thread, named=parser.named, is_edit=True),
    )


def _read_text(summary: Summary, prepared: PreparedTicket, recipes: RecipeBook) -> Summary:
    try:
        sections = recipes.load(summary.recipe).sections
    except DeskError:
        sections = ()
    parser = AnswerParser(sections)
    claims = (*parser.feed(summary.text), *parser.finish())
    checked = tuple(check_sentence(claim, prepared.evidence) for claim in claims)
    text = write_lines(checked) if parser.is_object else summary.text
    return replace(summary, text=text, claims=checked, sections=parser.sections)
