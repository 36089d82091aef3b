"""Selection: which sentences of a summary are copied, in the user's sections and order, and how many are not, and why.

For a customer the doubt counts against a sentence: one that cites an internal note is left out, and in a ticket with internal notes one that cites
nothing, or says something that stands outside what it cites. Whoever wrote an edit answers for its wording, not for what its reader may see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.domain.runs import CheckedClaim, Summary, Support
from desktop.domain.sections import GIST, NOT_IN_TICKET, SENTIMENT, UNNAMED, SectionChoice
from desktop.domain.tickets import Message

_POSITION = re.compile(r"m(\d+)")


@dataclass(frozen=True, slots=True)
class Part:
    """A labelled part of a copy: sentences, each with the positions of the messages it cites. `is_author` when the label is who said it."""

    label: str
    sentences: tuple[tuple[str, tuple[int, ...]], ...]
    is_author: bool = False


def is_copied(checked: CheckedClaim) -> bool:
    """Tell whether *Copy* takes a claim: supported ones, and partial ones without a missing fact."""
    if checked.support is Support.SUPPORTED:
        return True
    return checked.support is Support.PARTIAL and not checked.missing_facts


def choose_parts(
    summary: Summary,
    sections: Sequence[SectionChoice],
    messages: Sequence[Message],
    *,
    for_customer: bool,
    include_all: bool,
) -> tuple[list[Part], int, int]:
    """Return the parts to copy, how many claims are left out as unsupported, and how many as resting on internal notes.

    What stands in a section that the user switched off is not counted: nobody asked for it.
    """
    labels = {choice.name: choice.label for choice in sections if choice.is_on}
    off = {choice.name for choice in sections if not choice.is_on} | ({SENTIMENT} if for_customer else set())
    by_section: dict[str, list[CheckedClaim]] = {}
    unsupported = internal = 0
    for checked in summary.claims:
        if checked.claim.section in off or _says_nothing(checked):
            continue
        if not (include_all or summary.is_edit or is_copied(checked)):
            unsupported += 1
        elif for_customer and _may_be_internal(checked, messages, is_edit=summary.is_edit):
            internal += 1
        else:
            by_section.setdefault(checked.claim.section, []).append(checked)
    order = [GIST, *(choice.name for choice in sections)]
    names = sorted(by_section, key=lambda name: order.index(name) if name in order else len(order))
    parts = [Part(_label(name, labels), tuple(map(_sentence, by_section[name]))) for name in names]
    if not summary.claims and summary.is_edit and summary.text.strip() and not for_customer:
        # What a person wrote is copied, even where no sentence could be told in it.
        parts = [Part("", ((summary.text.strip(), ()),))]
    return parts, unsupported, internal


def _label(name: str, labels: dict[str, str]) -> str:
    return "" if name == UNNAMED else labels.get(name, name)


def _says_nothing(checked: CheckedClaim) -> bool:
    return checked.claim.text.strip(" .").casefold() == NOT_IN_TICKET.casefold()


def _sentence(checked: CheckedClaim) -> tuple[str, tuple[int, ...]]:
    return checked.claim.text, _positions(checked)


def _positions(checked: CheckedClaim) -> tuple[int, ...]:
    found = (_POSITION.match(citation) for citation in checked.citations)
    return tuple(dict.fromkeys(int(match[1]) for match in found if match))


def _may_be_internal(checked: CheckedClaim, messages: Sequence[Message], *, is_edit: bool) -> bool:
    public = {message.position for message in messages if not message.internal}
    cited = _positions(checked)
    if not public.issuperset(cited):
        return True
    if is_edit or len(public) == len(messages) > 0:
        return False
    return not cited or bool(checked.misplaced_facts)
