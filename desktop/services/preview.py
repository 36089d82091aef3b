"""Preview: what the next summary of a ticket would send, byte for byte, and what of it stays here. Nothing is sent, no key read, no model started.

It goes the way of a summary: the same question, the same parts, the same redaction, the same encoding. What cannot be foretold is what follows from
answers: the merging of parts, a second opinion, and how a provider that was never asked wants to be asked.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest
from desktop.domain.outgoing import Redaction
from desktop.services.outbound import Outbound, Sending, Target
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import TASK, Question, make_prompt, plan_parts
from desktop.services.recipes import RecipeBook
from desktop.services.summaries import TOO_SHORT, SummaryService


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that stays here, with what goes in its place."""

    redaction: Redaction
    value: str


@dataclass(frozen=True, slots=True)
class RequestPreview:
    """One request as it would go. `kept` are in the order of their first use; `input_tokens` are counted or estimated.

    `requests` is how many it takes to read the ticket: this is the first. `cost_microusd` is what the whole summary is expected to cost, None
    when no price is known. `is_cached` when the summary is there already, so that nothing would be sent unless it is asked for anew.
    """

    target: Target
    body: bytes
    messages: tuple[ChatMessage, ...]
    kept: tuple[Kept, ...]
    input_tokens: int
    cost_microusd: int | None
    requests: int
    is_cached: bool

    @property
    def sha256(self) -> str:
        """Return the hash that the ledger would have of the body."""
        return hashlib.sha256(self.body).hexdigest()


class PreviewService:
    """Makes previews of summaries."""

    def __init__(
        self,
        *,
        summaries: SummaryService,
        recipes: RecipeBook,
        outbound: Outbound,
        body: Callable[[Target, ChatRequest], bytes],
        secret: bytes,
        workers: Executor,
    ) -> None:
        """`body` encodes a request as it would be sent now to a target that need not be reachable."""
        self._summaries = summaries
        self._recipes = recipes
        self._outbound = outbound
        self._body = body
        self._secret = secret
        self._workers = workers

    async def preview(
        self, ticket_id: int, *, provider: str = "", model: str = "", recipe: str = TASK
    ) -> RequestPreview:
        """Return the first request that a summary of a ticket would send.

        Raises:
            DeskError: `ticket-missing`, `ticket-too-short`, `recipe-missing`, `recipe-broken`, `provider-missing`.
        """
        chosen = await asyncio.to_thread(self._recipes.load, recipe)
        target = self._summaries.targets(recipe, provider, model)[0]
        asked = await self._summaries.question(ticket_id, chosen, target)
        if asked is None:
            raise DeskError(
                "ticket-too-short", f"Nothing would be sent: {TOO_SHORT}.", remedy="Choose a ticket with more in it."
            )
        prepared, question = asked
        question = await self._summaries.only_what_is_new(prepared, question)
        estimate = partial(self._summaries.estimate, [ticket_id], provider=provider, model=model, recipe=recipe)
        anew, as_it_is = await estimate(refresh=True), await estimate()
        work = partial(
            self._make, prepared, question, target, cost_microusd=anew.cost_microusd, is_cached=as_it_is.cached > 0
        )
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def _make(
        self,
        prepared: PreparedTicket,
        question: Question,
        target: Target,
        *,
        cost_microusd: int | None,
        is_cached: bool,
    ) -> RequestPreview:
        def count_tokens(text: str) -> int:
            return int(self._outbound.count_tokens(text, target.model) * question.token_ratio) + 1

        parts = plan_parts(question, prepared, target, secret=self._secret, count_tokens=count_tokens)
        # What was read before is sent along with the ticket, or, where that is read in parts, only when these are merged.
        prompt = make_prompt(
            question,
            prepared,
            model=target.model,
            secret=self._secret,
            part=parts[0] if parts else None,
            earlier=question.earlier if len(parts) <= 1 else "",
        )
        redactor = self._outbound.redactor(target, prepared.thread, question.people)
        request = self._outbound.redacted(prompt.request, Sending(question.task, redactor=redactor))
        kept = redactor.redactions if redactor else ()
        values = redactor.values if redactor else {}
        return RequestPreview(
            target=target,
            body=self._body(target, request),
            messages=request.messages,
            kept=tuple(Kept(redaction, values[redaction.placeholder]) for redaction in kept),
            input_tokens=sum(count_tokens(message.content) for message in request.messages),
            cost_microusd=cost_microusd,
            requests=max(1, len(parts)),
            is_cached=is_cached,
        )
