"""The lines form of a summary, as models and people write it: one line a section, `Problem: The export fails. [m1.2]`.

What is written here `claims.SummaryParser` reads back into the same claims.
"""

from __future__ import annotations

from collections.abc import Sequence

from desktop.domain.runs import CheckedClaim
from desktop.domain.sections import GIST, UNNAMED


def write_lines(claims: Sequence[CheckedClaim]) -> str:
    """Return claims as lines, the gist first and the other sections in the order of the claims."""
    by_section: dict[str, list[str]] = {GIST: []}
    for checked in claims:
        cited = "".join(f"[{citation}]" for citation in checked.citations)
        by_section.setdefault(checked.claim.section, []).append(f"{checked.claim.text} {cited}".strip())
    lines = []
    for section, texts in by_section.items():
        if texts:
            lines.append(" ".join(texts) if section == UNNAMED else f"{section}: {' '.join(texts)}")
    return "\n".join(lines)
