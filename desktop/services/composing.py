"""Composing: what a model wrote of a ticket, as the summary that is stored: by the same rules whether it streamed in or came whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from desktop.domain.clock import now
from desktop.domain.errors import DeskError
from desktop.domain.llm import ProviderFault, StreamEnd
from desktop.domain.runs import CheckedClaim, Form, RunState, Summary, Support, Usage
from desktop.domain.sections import GIST, NOT_IN_TICKET
from desktop.services.answers import AnswerParser
from desktop.services.evidence import coverage
from desktop.services.fields import find_fields
from desktop.services.lines import write_lines
from desktop.services.outbound import Target
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import Question
from desktop.services.verifying import check_sentence

NO_SENTENCE = "the model's answer held no sentence that could be read"
DECLINED = "the model declined to summarize this ticket"
IN_CIRCLES = "stopped, because the model began to repeat itself"
_REFUSAL = re.compile(
    r"\W*(?:i(?:['’]m| am) (?:very |really )?sorry|i apologi[sz]e|sorry)\b.{0,40}\bi(?:['’]m| am)? ?(?:can(?:not|['’]t| not)|unable|won['’]t)"
    r"|\W*(?:i can(?:not|['’]t| not)|i(?:['’]m| am) (?:unable|not able)) (?:to )?(?:help|assist|summari[sz]e|comply|fulfil|provide|process)"
    r"|\W*as an ai\b",
    re.IGNORECASE,
)
_MOST_REFUSAL_CLAIMS = 3


@dataclass(frozen=True, slots=True)
class Spent:
    """What a summary took."""

    usage: Usage = Usage()
    cost_microusd: int | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote: its text as it was read, each claim checked, and in which form it came."""

    parser: AnswerParser
    text: str
    claims: tuple[CheckedClaim, ...]
    form: Form = Form.SECTIONS
    thinking: str = ""


def judge(written: Written, end: StreamEnd) -> StreamEnd:
    """Say of an answer that came to its end whether it is a summary. What one that declines says of itself is not said of the ticket."""
    if not written.claims and not written.parser.has_sections:
        return replace(end, state=RunState.INCOMPLETE, reason=NO_SENTENCE)
    is_short = len(written.claims) <= _MOST_REFUSAL_CLAIMS
    if is_short and not written.parser.has_sections and _REFUSAL.match(written.text):
        return replace(end, state=RunState.FAILED, reason=DECLINED)
    return end


def compose(
    written: Written,
    *,
    prepared: PreparedTicket,
    question: Question,
    target: Target,
    end: StreamEnd,
    error: DeskError,
    spent: Spent,
    shown: Collection[int],
) -> Summary:
    """Put a summary together; `shown` are the positions of the messages that the model has seen, now or before."""
    claims = written.claims
    # A list has no room for a mark: only what the ticket supports stands there.
    gist = [c.claim.text for c in claims if c.claim.section == GIST and c.support is Support.SUPPORTED]
    parser = written.parser
    return Summary(
        ticket_id=prepared.thread.ticket.id,
        state=end.state,
        reason=end.reason,
        text=_as_lines(written, question.sections),
        gist=" ".join(gist),
        sections=parser.sections,
        claims=claims,
        coverage=coverage(prepared.evidence, claims, read=len(shown) if written.text else 0),
        highlights=prepared.highlights,
        provider=target.name,
        model=target.model,
        recipe=question.recipe.name,
        recipe_version=question.recipe.version,
        usage=spent.usage,
        cost_microusd=spent.cost_microusd,
        first_token_seconds=spent.first_token_seconds,
        seconds=spent.seconds,
        created_at=now(),
        error=error.code,
        remedy=error.remedy,
        retry_seconds=retry_seconds(error),
        task=question.task,
        form=written.form,
        thinking=written.thinking,
        fields=find_fields(claims, thread=prepared.thread, named=parser.named, owner=parser.owner),
    )


def retry_seconds(error: DeskError) -> float | None:
    """Return after how many seconds the same may succeed, 0 when nobody knows; None when it never will."""
    if isinstance(error, ProviderFault) and error.is_transient:
        return error.retry_after_seconds or 0.0
    return None


def summary_from_answer(
    text: str,
    thinking: str,
    *,
    prepared: PreparedTicket,
    question: Question,
    target: Target,
    end: StreamEnd,
    spent: Spent,
    shown: Collection[int],
) -> Summary:
    """Return the summary that an answer makes which came whole. No request is made for it, so text without sections stays plain."""
    parser = AnswerParser(question.sections)
    read = [*parser.feed(text)]
    if parser.is_going_in_circles:
        end = replace(end, state=RunState.INCOMPLETE, reason=IN_CIRCLES)
    read += parser.finish()
    claims = tuple(check_sentence(claim, prepared.evidence) for claim in read)
    written = Written(parser, text, claims, thinking=thinking)
    if end.state is RunState.COMPLETE:
        end = judge(written, end)
        if end.state is RunState.FAILED:
            written = replace(written, text="", claims=())
    if end.state is RunState.COMPLETE and claims and question.sections and not parser.has_sections:
        written = replace(written, form=Form.PLAIN)
    return compose(
        written,
        prepared=prepared,
        question=question,
        target=target,
        end=end,
        error=DeskError("", ""),
        spent=spent,
        shown=shown,
    )


def _as_lines(written: Written, sections: Sequence[str]) -> str:
    """Return the text as people read it: that of an object as lines."""
    if not written.parser.is_object:
        return written.text
    if written.claims:
        return write_lines(written.claims)
    named = (name for name in sections if name in written.parser.named)
    return "\n".join(f"{name}: {NOT_IN_TICKET}" for name in named)
