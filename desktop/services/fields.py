"""Fields: what lists filter and sort by, computed here from the claims of a summary that the ticket does not contradict.

No model writes a field: an owner that a model names counts only beside a claim that stands, a deadline is a date that a claim names in full.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from desktop.domain.runs import OWNERS, SENTIMENTS, CheckedClaim, Fields, Support
from desktop.domain.sections import DEADLINES, NEXT_STEP, QUESTIONS, SENTIMENT
from desktop.domain.tickets import Role, Thread

_DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")
_WORD = re.compile(r"[^\W\d_]+")
_CUSTOMER = frozenset("customer client user requester caller kunde kundin client cliente klant".split())
_AGENT = frozenset("agent support we team helpdesk desk staff technician engineering engineer our wir nous".split())
_NOBODY = frozenset("nobody none closed resolved niemand personne nadie".split())
_BEGINNING_WORDS = 6


def find_fields(
    claims: Sequence[CheckedClaim], *, thread: Thread, named: Collection[str], owner: str = "", is_edit: bool = False
) -> Fields:
    """Return the fields of a summary. `named` are the sections that it has, `owner` whom the answer names; a person's edit is taken as it is."""
    standing: dict[str, list[CheckedClaim]] = {}
    for checked in claims:
        if is_edit or checked.support not in (Support.UNSUPPORTED, Support.UNCITED):
            standing.setdefault(checked.claim.section, []).append(checked)
    steps = [checked.claim.text for checked in standing.get(NEXT_STEP, ())]
    questions = bool(standing.get(QUESTIONS)) if QUESTIONS in named else None
    return Fields(
        next_owner=(owner if owner in OWNERS else _owner(steps[0], thread)) if steps else "",
        deadline=_earliest(checked.claim.text for checked in standing.get(DEADLINES, ())),
        # How somebody sounds is a reading of the whole and stands in no sentence: it counts however it was checked.
        sentiment=_sentiment(c.claim.text for c in claims if c.claim.section == SENTIMENT),
        has_open_questions=questions,
    )


def sentiment_of(text: str) -> str:
    """Return the sentiment that a claim begins with, '' for another beginning."""
    found = _WORD.search(text)
    return found[0].lower() if found and found[0].lower() in SENTIMENTS else ""


def _owner(step: str, thread: Thread) -> str:
    """Tell who acts by the first name or role that a next step begins with."""
    names = {Role.CUSTOMER: _names(thread, Role.CUSTOMER, thread.ticket.requester)}
    names[Role.AGENT] = _names(thread, Role.AGENT, thread.ticket.assignee)
    for word in _WORD.findall(step.lower())[:_BEGINNING_WORDS]:
        if word in _CUSTOMER or word in names[Role.CUSTOMER]:
            return "customer"
        if word in _AGENT or word in names[Role.AGENT]:
            return "agent"
        if word in _NOBODY:
            return "nobody"
    return "other"


def _names(thread: Thread, role: Role, named: str) -> set[str]:
    authors = " ".join(message.author for message in thread.messages if message.role is role)
    return {word for word in _WORD.findall(f"{authors} {named}".lower()) if len(word) > 1}


def _earliest(texts: Iterable[str]) -> str:
    dates = []
    for text in texts:
        for found in _DATE.findall(text):
            try:
                dates.append(date.fromisoformat(found))
            except ValueError:
                continue
    return min(dates).isoformat() if dates else ""


def _sentiment(texts: Iterable[str]) -> str:
    return next((word for text in texts if (word := sentiment_of(text))), "")
