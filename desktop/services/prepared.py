"""Prepared tickets: a thread with all that is computed from it once: its sentences, its highlights, what claims are compared with.

It is computed in a worker thread, and kept for the few tickets that were looked at last: opening a ticket, reading its stored summary and writing a
new one ask for the same thing within a second.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

from desktop.domain.errors import DeskError
from desktop.domain.runs import Highlight
from desktop.domain.sentences import Sentence, number_sentences
from desktop.domain.tickets import Thread
from desktop.services.evidence import PreparedThread, prepare_thread
from desktop.services.highlights import find_highlights
from desktop.storage.tickets import TicketStore

KEPT_TICKETS = 8
SMALL_CHARACTERS = 6_000
"""Of a ticket's text: up to here, what is done with it takes a millisecond or two, and handing it to another thread and back a part of that again."""


@dataclass(frozen=True, slots=True)
class PreparedTicket:
    """A thread and what is computed from it."""

    thread: Thread
    sentences: tuple[Sentence, ...]
    highlights: tuple[Highlight, ...]
    evidence: PreparedThread

    @property
    def is_small(self) -> bool:
        """Tell whether what is done with the text may be done where one is, without another thread."""
        return sum(len(message.text) for message in self.thread.messages) <= SMALL_CHARACTERS


class PreparedTickets:
    """Reads and prepares tickets."""

    def __init__(self, tickets: TicketStore, workers: Executor, strictness: Callable[[], str]) -> None:
        """`strictness` says how much of a claim's wording is asked for now, see `evidence.prepare_thread`."""
        self._tickets = tickets
        self._workers = workers
        self._strictness = strictness
        self._kept: OrderedDict[int, PreparedTicket] = OrderedDict()

    async def get(self, ticket_id: int) -> PreparedTicket:
        """Return a ticket as it is now.

        Raises:
            DeskError: `ticket-missing`.
        """
        thread, strictness = await self.thread(ticket_id), self._strictness()
        kept = self._kept.get(ticket_id)
        is_same = kept is not None and kept.thread.content_hash == thread.content_hash
        if kept is not None and is_same and kept.evidence.strictness == strictness:
            self._kept.move_to_end(ticket_id)
            return replace(kept, thread=thread)
        prepared = await asyncio.get_running_loop().run_in_executor(
            self._workers, partial(prepare_ticket, thread, strictness=strictness)
        )
        self._kept[ticket_id] = prepared
        self._kept.move_to_end(ticket_id)
        while len(self._kept) > KEPT_TICKETS:
            self._kept.popitem(last=False)
        return prepared

    def forget(self) -> None:
        """Prepare all anew when it is next asked for: a name may go from a ticket that keeps its content hash."""
        self._kept.clear()

    async def thread(self, ticket_id: int) -> Thread:
        """Return a ticket's thread alone.

        Raises:
            DeskError: `ticket-missing`.
        """
        thread = await self._tickets.thread(ticket_id)
        if thread is None:
            raise DeskError(
                "ticket-missing", "That ticket is no longer there.", remedy="Choose another one from the list."
            )
        return thread


def prepare_ticket(thread: Thread, *, strictness: str) -> PreparedTicket:
    """Compute all that is wanted of a thread."""
    sentences = number_sentences(thread.messages)
    return PreparedTicket(
        thread, sentences, find_highlights(thread), prepare_thread(thread, sentences, strictness=strictness)
    )
