"""Sending: why a request goes, for which ticket, what of it stays here, and how often it may be tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desktop.domain.outgoing import Outcome

if TYPE_CHECKING:
    from desktop.services.redaction import Redactor

MOST_REQUESTS = 3
"""Requests of one user action: the first, and two more for whatever goes wrong, whoever is asked."""


@dataclass(slots=True)
class Retries:
    """How many requests beyond the needed ones a user action may still take. One for all requests of an action, shared with its fallbacks.

    `spare` of them are kept for the providers that are asked when this one does not answer.
    """

    left: int = MOST_REQUESTS - 1
    spare: int = 0

    @property
    def usable(self) -> int:
        """Return how many may be used now."""
        return max(0, self.left - self.spare)

    def fall_back(self) -> bool:
        """Use one for the next provider; tell whether there was one."""
        if not self.left:
            return False
        self.left -= 1
        self.spare = max(0, self.spare - 1)
        return True


@dataclass(slots=True)
class Sending:
    """What the gate is told of a request besides the request.

    `redactor` takes out what identifies people; one for all requests of a ticket, so that its placeholders are stable. `outcomes` collects how
    requests ended, to be written together with what they brought; without it each is written at once. `is_urgent` when a person waits for it.
    """

    purpose: str
    recipe: str = ""
    ticket_id: int = 0
    run_id: int = 0
    redactor: Redactor | None = None
    retries: Retries = field(default_factory=Retries)
    outcomes: list[Outcome] | None = None
    is_urgent: bool = True
