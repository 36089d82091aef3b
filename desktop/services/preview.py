"""Preview: the exact bytes that a summary of a ticket would send, and what was taken out of them. Nothing is sent, no key read, no model started.

A ticket too long for the model is sent in parts: shown is the first of them. What a provider's refusals have taught of its parameters in this session
is in the bytes already; a first refusal would change them.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest
from desktop.domain.outgoing import Redaction
from desktop.domain.runs import Usage
from desktop.services.estimating import EXPECTED_ANSWER_SHARE
from desktop.services.outbound import Outbound, Sending, Target
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import Question, make_prompt, plan_parts
from desktop.services.recipes import RecipeBook
from desktop.services.redaction import redactor_for
from desktop.services.summaries import TOO_SHORT, SummaryService


@dataclass(frozen=True, slots=True)
class SendingPreview:
    """What would be sent. `values` stand behind the placeholders in it and never leave this machine; `parts` is how many requests it takes."""

    host: str
    provider: str
    model: str
    body: bytes
    sha256: str
    messages: tuple[ChatMessage, ...]
    redactions: tuple[Redaction, ...]
    values: Mapping[str, str]
    input_tokens: int
    cost_microusd: int | None
    parts: int


class SendingPreviews:
    """Makes previews of what leaves."""

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
        """`body` returns the bytes of a request as they would be sent to a target now."""
        self._summaries = summaries
        self._recipes = recipes
        self._outbound = outbound
        self._body = body
        self._secret = secret
        self._workers = workers

    async def preview(
        self, ticket_id: int, *, provider: str = "", model: str = "", recipe: str = "summarize"
    ) -> SendingPreview:
        """Return what a summary of a ticket would send now, were none written before.

        Raises:
            DeskError: `ticket-missing`, `recipe-missing`, `recipe-broken`, `provider-missing`, `preview-nothing`.
        """
        chosen = await asyncio.to_thread(self._recipes.load, recipe)
        target = self._summaries.targets(recipe, provider, model)[0]
        asked = await self._summaries.question(ticket_id, chosen, target)
        if asked is None:
            raise DeskError("preview-nothing", f"Nothing would be sent: {TOO_SHORT}.", remedy="Read it as it is.")
        prepared, question = asked
        question = await self._summaries.only_what_is_new(prepared, question)
        work = partial(self._make, prepared, question, target)
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def _make(self, prepared: PreparedTicket, question: Question, target: Target) -> SendingPreview:
        def count_tokens(text: str) -> int:
            return int(self._outbound.count_tokens(text, target.model) * question.token_ratio) + 1

        parts = plan_parts(question, prepared, target, secret=self._secret, count_tokens=count_tokens)
        prompt = make_prompt(
            question,
            prepared,
            model=target.model,
            secret=self._secret,
            part=parts[0] if parts else None,
            earlier=question.earlier if len(parts) <= 1 else "",
        )
        redactor = redactor_for(prepared.thread) if target.redacts else None
        request = self._outbound.redacted(prompt.request, Sending(question.task, redactor=redactor))
        body = self._body(target, request)
        found = tuple(r for r in redactor.redactions if r.placeholder.encode() in body) if redactor else ()
        tokens = sum(count_tokens(message.content) for message in request.messages)
        usage = Usage(tokens, int(question.answer_tokens * EXPECTED_ANSWER_SHARE))
        return SendingPreview(
            host=target.host,
            provider=target.name,
            model=target.model,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            messages=request.messages,
            redactions=found,
            values={r.placeholder: redactor.values[r.placeholder] for r in found} if redactor else {},
            input_tokens=tokens,
            cost_microusd=self._outbound.cost_microusd(target, usage),
            parts=max(1, len(parts)),
        )
