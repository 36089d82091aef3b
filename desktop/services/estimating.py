"""Estimating: what a summary would take, before anything is sent: requests, tokens, money.

A ticket too long for the model takes a request a part and more for merging. What cannot be known is how long answers will be: what to expect is a
rule of thumb, the most is the longest that they may be.
"""

from __future__ import annotations

from dataclasses import replace

from desktop.domain.runs import Estimate, Usage
from desktop.services.outbound import Outbound, Target
from desktop.services.parts import Part
from desktop.services.prepared import PreparedTicket
from desktop.services.prompting import render_messages
from desktop.services.questions import CountTokens, Question, fixed_tokens, plan_parts

EXPECTED_ANSWER_SHARE = 0.4
"""Of the longest answer that a recipe allows, what a summary takes as a rule."""
OPINION_USAGE = Usage(input_tokens=500, output_tokens=40)
"""What a second opinion takes as a rule: two or three claims with their sentences, and a word for each."""
_HEADER_TOKENS = 60


def add_estimate(
    total: Estimate, question: Question, prepared: PreparedTicket, target: Target, *, outbound: Outbound, secret: bytes
) -> Estimate:
    """Add what the summary of one ticket would take to what others would."""

    def count_tokens(text: str) -> int:
        return int(outbound.count_tokens(text, target.model) * question.token_ratio) + 1

    parts = plan_parts(question, prepared, target, secret=secret, count_tokens=count_tokens)
    fixed = fixed_tokens(question, secret=secret, count_tokens=count_tokens) + _HEADER_TOKENS
    answer, most_answer = int(question.answer_tokens * EXPECTED_ANSWER_SHARE), question.answer_tokens
    merges = _count_merges(len(parts), answer, target)
    calls = len(parts) + merges
    read = sum(_count_part(part, prepared, question, count_tokens) for part in parts)
    input_tokens = read + calls * fixed + count_tokens(question.earlier) + (len(parts) * answer if merges else 0)
    # At most each answer is as long as it may be, is merged as such, and is put into sections by one more request.
    most = Usage(input_tokens + (len(parts) + 1) * most_answer + fixed, (calls + 1) * most_answer)
    if question.wants_opinion:
        calls += 1
        input_tokens += OPINION_USAGE.input_tokens or 0
        most = Usage((most.input_tokens or 0) + most_answer * 2, (most.output_tokens or 0) + most_answer)
    usage = Usage(input_tokens, answer * (len(parts) + merges))
    return replace(
        total,
        calls=total.calls + calls,
        input_tokens=total.input_tokens + (usage.input_tokens or 0),
        output_tokens=total.output_tokens + (usage.output_tokens or 0),
        cost_microusd=_plus(total.cost_microusd, outbound.cost_microusd(target, usage)),
        most_cost_microusd=_plus(total.most_cost_microusd, outbound.cost_microusd(target, most)),
        most_tokens=total.most_tokens + (most.input_tokens or 0) + (most.output_tokens or 0),
    )


def _count_part(part: Part, prepared: PreparedTicket, question: Question, count_tokens: CountTokens) -> int:
    blocks = render_messages(prepared.thread, part.sentences, audience=question.recipe.audience)
    return sum(count_tokens(blocks[p]) for p in part.positions if p in blocks)


def _count_merges(parts: int, answer_tokens: int, target: Target) -> int:
    """Return how many requests merging takes: one, and more where the parts' summaries do not fit into one."""
    a_merge = max(2, (target.context_tokens // 2) // max(1, answer_tokens))
    merges = 0
    while parts > 1:
        parts = -(-parts // a_merge)
        merges += parts
    return merges


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
