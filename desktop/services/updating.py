"""Updating: a ticket that only got newer messages is asked about by those and its earlier summary alone."""

from __future__ import annotations

from dataclasses import replace

from desktop.domain.runs import RunState, Support
from desktop.services.lines import write_lines
from desktop.services.prepared import PreparedTicket
from desktop.services.questions import TASK, Question
from desktop.services.reading_again import begins_as
from desktop.services.recipes import Recipe, with_sections_of
from desktop.storage.runs import StoredSummary


def is_built_upon(stored: StoredSummary, prepared: PreparedTicket, question: Question) -> bool:
    """Tell whether a question can be answered from a stored summary and what came since.

    A person's edit is not built upon: what it left out on purpose would come back as if the ticket said so.
    """
    summary = stored.summary
    return (
        question.task == TASK
        and summary.recipe == question.recipe.name
        and summary.state is RunState.COMPLETE
        and not summary.is_edit
        and 0 < stored.message_count < len(prepared.thread.messages)
        and begins_as(stored, prepared)
        and bool(_standing(stored))
    )


def bring_up_to_date(
    question: Question, stored: StoredSummary, prepared: PreparedTicket, *, incremental: Recipe
) -> Question:
    """Return the question that sends the stored summary's claims that stand, and the messages that came since."""
    recipe, messages = question.recipe, prepared.thread.messages
    return replace(
        question,
        recipe=replace(with_sections_of(incremental, recipe), name=recipe.name, version=recipe.version),
        positions=tuple(message.position for message in messages[stored.message_count :]),
        earlier=_standing(stored),
        read_before=tuple(message.position for message in messages[: stored.summary.coverage.read]),
    )


def _standing(stored: StoredSummary) -> str:
    unfounded = (Support.UNSUPPORTED, Support.UNCITED)
    return write_lines([checked for checked in stored.summary.claims if checked.support not in unfounded])
