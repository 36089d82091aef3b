"""Entry: the ledger's account of one attempt, from the moment before its first byte goes to its end."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.domain.llm import ProviderFault
from desktop.domain.outgoing import Outcome, Redaction, Sent
from desktop.domain.runs import RunState
from desktop.services.outbound.sending import Sending
from desktop.services.outbound.targets import Endpoint
from desktop.storage.ledger import LedgerStore

T = TypeVar("T")

CANCELLED = Outcome(0, RunState.CANCELLED)
"""What becomes of a request unless something else does."""
ANSWERED_FREE = Outcome(0, RunState.COMPLETE, status=200, cost_microusd=0)
REFUSED = Outcome(
    0, RunState.FAILED, status=400, message="the provider refused a parameter; it was asked again without it"
)


class Entry:
    """Enters requests as they go, one after the other, and how the last of them ended.

    `attempt` is the number of the last request that went; it counts on from `first_attempt`. `earlier` is how a request ended that another followed.
    """

    def __init__(
        self,
        ledger: LedgerStore,
        endpoint: Endpoint,
        sending: Sending,
        *,
        first_attempt: int = 1,
        earlier: Outcome = REFUSED,
    ) -> None:
        self.attempt = first_attempt - 1
        self._ledger = ledger
        self._endpoint = endpoint
        self._sending = sending
        self._earlier = earlier
        self._id = 0
        self._began = 0.0
        self._status = 0
        self._first_token_seconds: float | None = None

    async def sent(self, body: bytes) -> None:
        """Enter a request that is about to go. One that went before it was answered, as a rule with a refusal."""
        if self._id:
            await self._ledger.ended([self._outcome(self._earlier)])
        self.attempt += 1
        redactor = self._sending.redactor
        self._id = await self._ledger.sent(
            Sent(
                host=self._endpoint.host,
                provider=self._endpoint.name,
                model=self._endpoint.model,
                purpose=self._sending.purpose,
                body=body,
                sha256=hashlib.sha256(body).hexdigest(),
                recipe=self._sending.recipe,
                redactions=count_redactions(body, redactor.redactions) if redactor else {},
                attempt=self.attempt,
                run_id=self._sending.run_id,
                ticket_id=self._sending.ticket_id,
            )
        )
        self._began, self._status, self._first_token_seconds = time.monotonic(), 0, None

    def opened(self, status: int) -> None:
        """The provider began to answer."""
        self._status = status

    def first_token(self) -> None:
        """Something of the answer came."""
        if self._first_token_seconds is None:
            self._first_token_seconds = time.monotonic() - self._began

    async def ended(self, outcome: Outcome) -> None:
        """Enter how it ended: at once, or together with what it brought, where something came that will be stored."""
        if not self._id:
            return
        outcome = self._outcome(outcome)
        if self._sending.outcomes is not None and outcome.state is not RunState.FAILED:
            self._sending.outcomes.append(outcome)
        else:
            await self._ledger.ended([outcome])

    async def account_for(self, answer: Awaitable[T], outcome_of: Callable[[T], Outcome]) -> T:
        """Await an answer that comes in one piece, and enter how its request ended."""
        outcome = CANCELLED
        try:
            found = await answer
            outcome = outcome_of(found)
        except DeskError as error:
            outcome = failed_outcome(error)
            raise
        finally:
            await self.ended(outcome)
        return found

    def _outcome(self, outcome: Outcome) -> Outcome:
        return replace(
            outcome,
            entry_id=self._id,
            status=outcome.status or self._status,
            first_token_seconds=self._first_token_seconds,
            seconds=time.monotonic() - self._began,
        )


def count_redactions(body: bytes, redactions: Sequence[Redaction]) -> dict[str, int]:
    """Count by kind the values that a body holds a placeholder in place of. A redactor knows those of the whole ticket."""
    return dict(Counter(r.kind for r in redactions if r.placeholder.encode() in body))


def failed_outcome(error: DeskError) -> Outcome:
    """Return how a request ended that nothing came of."""
    status = error.status if isinstance(error, ProviderFault) else 0
    return Outcome(0, RunState.FAILED, status=status, error=error.code, message=error.message)
