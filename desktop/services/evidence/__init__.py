"""Evidence: does the ticket say what the summary claims?

A claim is one sentence of a summary with the sentence ids it cites. Checking is local and deterministic, and has two parts that are never mixed.
*Facts*: every number, amount, date, id, link, version and name must stand in the cited sentences or beside them, for the same thing; one that
stands nowhere in the ticket is missing, one that stands elsewhere in it is misplaced. *Wording*: signs that the sentence differs from its sources
(words that stand nowhere, a *not*, an opposite, another actor, a promise, something done that was only announced) are weighed into one score. A claim
whose citation is missing or says something else is looked up in the whole ticket. It never asks a model, and it never says *true*: see `LIMITS` in
`services.wording`, and `docs/evidence.md`.
"""

from desktop.services.evidence.checking import check_claim, coverage, prepare_thread
from desktop.services.evidence.preparing import PreparedThread

__all__ = ["PreparedThread", "check_claim", "coverage", "prepare_thread"]
