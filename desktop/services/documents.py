"""Documents: tickets and summaries as JSON has them, in the command's output and in exports. Keys may be added, never renamed or removed."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from desktop.domain.runs import CheckedClaim, Summary, Verified
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Thread, TicketRow

# What a terminal obeys, and what turns the direction of writing: JSON's own rule leaves these as they are, and scripts print to terminals too.
_OBEYED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def as_json(document: object, *, indent: int | None = None) -> str:
    """Return a document as JSON text that a terminal obeys nothing of; whoever reads it gets the very characters."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return _OBEYED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def ticket_document(row: TicketRow) -> dict[str, Any]:
    """Return a ticket as a list has it."""
    return {
        "id": row.reference,
        "source": row.source,
        "external_id": row.external_id,
        "subject": row.subject,
        "status": row.status,
        "status_original": row.status_original,
        "priority": row.priority,
        "priority_original": row.priority_original,
        "requester": row.requester,
        "assignee": row.assignee,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "message_count": row.message_count,
        "gist": row.gist,
        "language": row.language,
        "next_owner": row.next_owner,
        "deadline": row.deadline,
        "sentiment": row.sentiment,
        "has_open_questions": None if row.has_open_questions is None else bool(row.has_open_questions),
    }


def thread_document(thread: Thread, summary: Summary | None) -> dict[str, Any]:
    """Return a ticket with every column its export had, its messages and their sentences, and its summary or null."""
    sentences: dict[int, list[dict[str, str]]] = {}
    for sentence in number_sentences(thread.messages):
        sentences.setdefault(sentence.position, []).append({"id": sentence.id, "text": sentence.text})
    return {
        **ticket_document(thread.ticket),
        "fields": dict(thread.fields),
        "messages": [
            {
                "id": f"m{message.position}",
                "author": message.author,
                "role": message.role.value,
                "internal": message.internal,
                "created_at": message.created_at,
                "text": message.text,
                "sentences": sentences.get(message.position, []),
            }
            for message in thread.messages
        ],
        "summary": None if summary is None else summary_document(thread.ticket.reference, summary),
    }


def summary_document(reference: str, summary: Summary) -> dict[str, Any]:
    """Return a summary with what was found of each of its claims."""
    return {
        "ticket": reference,
        "state": summary.state.value,
        "reason": summary.reason,
        "text": summary.text,
        "gist": summary.gist,
        "sections": dict(summary.sections),
        "claims": [claim_document(checked) for checked in summary.claims],
        "coverage": asdict(summary.coverage),
        "highlights": [{"text": h.text, "citations": [h.sentence_id]} for h in summary.highlights],
        "provider": summary.provider,
        "model": summary.model,
        "recipe": summary.recipe,
        "recipe_version": summary.recipe_version,
        "cached": summary.cached,
        "fell_back": list(summary.fell_back),
        "stale": summary.stale,
        "newer_messages": summary.newer_messages,
        "form": summary.form.value,
        "is_edit": summary.is_edit,
        "fields": asdict(summary.fields),
        "thinking": summary.thinking,
        "usage": asdict(summary.usage),
        "cost": None if summary.cost_microusd is None else summary.cost_microusd / 1_000_000,
        "first_token_seconds": summary.first_token_seconds,
        "seconds": round(summary.seconds, 3),
        "created_at": summary.created_at,
        "error": {"code": summary.error, "remedy": summary.remedy} if summary.error else None,
    }


def verified_document(reference: str, verified: Verified) -> dict[str, Any]:
    """Return a text that was checked against a ticket."""
    return {
        "ticket": reference,
        "claims": [claim_document(checked) for checked in verified.claims],
        "coverage": asdict(verified.coverage),
    }


def claim_document(checked: CheckedClaim) -> dict[str, Any]:
    """Return a claim, what it cites, and what was found of it."""
    return {
        "section": checked.claim.section,
        "text": checked.claim.text,
        "citations": list(checked.citations),
        "origin": checked.origin,
        "support": checked.support.value,
        "score": checked.score,
        "missing_facts": list(checked.missing_facts),
        "misplaced_facts": list(checked.misplaced_facts),
        "doubts": list(checked.doubts),
        "opinion": checked.opinion.value,
    }
