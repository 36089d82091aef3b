"""Marks of the queue: how the state of a ticket looks wherever one is shown. An icon and words say it; the color only repeats it."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.domain.queue import ItemState
from desktop.gui.theme.style import Theme
from desktop.services.queue_wording import describe_item_state

STATE_ICONS = {
    ItemState.WAITING: "clock",
    ItemState.RUNNING: "pencil",
    ItemState.SUBMITTED: "layers",
    ItemState.DONE: "check",
    ItemState.FAILED: "warning",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a ticket stands in the queue, and why it failed if it did."""

    state: ItemState
    reason: str = ""

    @property
    def text(self) -> str:
        """Return the mark in a word or two."""
        return describe_item_state(self.state)


def state_color(theme: Theme, state: ItemState) -> str:
    """Return the color that goes with a state's icon and words."""
    t = theme.tokens
    return {
        ItemState.WAITING: t.faint,
        ItemState.RUNNING: t.accent,
        ItemState.SUBMITTED: t.pending,
        ItemState.DONE: t.ok,
        ItemState.FAILED: t.error,
    }[state]
