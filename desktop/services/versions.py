"""Versions: what became of a ticket, and of its summary's claims, from one version to another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from desktop.domain.runs import CheckedClaim, ClaimChange
from desktop.domain.tickets import Message

_LEAST_ALIKE = 0.5


def hash_messages(messages: Sequence[Message]) -> str:
    """Hash what messages say, so that an equal hash of as many tells that whatever changed came after them."""
    return hashlib.sha256("\n".join(message.fingerprint() for message in messages).encode()).hexdigest()


def compare_claims(old: Sequence[CheckedClaim], new: Sequence[CheckedClaim]) -> tuple[ClaimChange, ...]:
    """Return each claim of either version once, section by section: kept or reworded ones as pairs, new ones and gone ones alone."""
    sections = dict.fromkeys([*(c.claim.section for c in new), *(c.claim.section for c in old)])
    changes: list[ClaimChange] = []
    for section in sections:
        changes += _compare(
            [c for c in old if c.claim.section == section], [c for c in new if c.claim.section == section]
        )
    return tuple(changes)


def _compare(old: list[CheckedClaim], new: list[CheckedClaim]) -> list[ClaimChange]:
    from difflib import SequenceMatcher

    left = list(old)
    changes: list[ClaimChange] = []
    for checked in new:
        words = checked.claim.text.lower().split()
        alike = [SequenceMatcher(None, o.claim.text.lower().split(), words, autojunk=False).ratio() for o in left]
        best = max(range(len(left)), key=alike.__getitem__, default=-1)
        is_same = best >= 0 and alike[best] >= _LEAST_ALIKE
        changes.append(ClaimChange(left.pop(best) if is_same else None, checked))
    return [*changes, *(ClaimChange(checked, None) for checked in left)]
