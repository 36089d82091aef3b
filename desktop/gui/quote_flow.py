"""From many tickets to the queue: asks what their summaries would cost, again whenever a choice changes, and adds them when the user says so.

Nothing is sent before that. The tickets are those that were chosen when the panel was opened, whatever is chosen in the list afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN
from desktop.gui.jobs import JobScope
from desktop.gui.quote_panel import QuoteChoice, QuotePanel

if TYPE_CHECKING:
    from desktop.services.container import Desk

TASK = "summarize"
_TASKS = (TASK, "gist")
"""What recipes for whole tickets do; the others are steps of these."""


class QuoteFlow(QObject):
    """Leads the panel. `added(n)` when so many tickets were put into the queue, `closed()` when the panel is done with."""

    added = Signal(int)
    handed_over = Signal(int)
    """So many batches were handed to the provider."""
    closed = Signal()
    providers_requested = Signal()

    def __init__(self, panel: QuotePanel, on_error: Callable[[DeskError], None]) -> None:
        super().__init__()
        self._panel = panel
        self._desk: Desk | None = None
        self._ids: tuple[int, ...] = ()
        self.jobs = JobScope(on_error)
        panel.choice_changed.connect(self.ask)
        panel.recipe_changed.connect(self._on_recipe)
        panel.closed.connect(self.close)
        panel.summarize_requested.connect(lambda: self.jobs.restart(self._add()))
        panel.batch_requested.connect(lambda: self.jobs.restart(self._hand_over()))
        panel.providers_requested.connect(self.providers_requested)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        self._panel.caps.attach(desk.settings)

    @property
    def is_open(self) -> bool:
        """Tell whether a quote was asked for and neither taken nor given up."""
        return bool(self._ids)

    def open(self, ids: Sequence[int]) -> None:
        """Ask what summaries of these tickets would cost."""
        if self._desk is None or not ids:
            return
        self._ids = tuple(ids)
        self._fill(QuoteChoice(self._task_provider(TASK), TASK, refresh=False))
        self._panel.show()
        self._panel.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ask()

    def show_again(self) -> None:
        """Come back to an open quote from elsewhere: providers and their prices may be others now."""
        if self.is_open:
            self._fill(self._panel.choice)
            self._panel.show()
            self.ask()

    def ask(self) -> None:
        """Ask for the price of what is chosen."""
        if self.is_open:
            self._panel.show_measuring(len(self._ids))
            self.jobs.restart(self._quote())

    def close(self) -> None:
        """Give it up; nothing was sent."""
        self._ids = ()
        self.jobs.cancel()
        self._panel.hide()
        self.closed.emit()

    def _fill(self, choice: QuoteChoice) -> None:
        assert self._desk is not None
        service = self._desk.providers
        labels = [(p.name, f"{_title(p.name)} · {p.model}" if p.model else _title(p.name)) for p in service.profiles()]
        recipes = [(r.name, r.description) for r in self._desk.recipes.all() if r.task in _TASKS]
        self._panel.show_choices(labels, recipes, choice)
        self._panel.caps.show_caps()

    def _task_provider(self, recipe: str) -> str:
        """Return who does a task, as the user set it up."""
        assert self._desk is not None
        return self._desk.providers.route(recipe)[0][0]

    def _on_recipe(self) -> None:
        choice = self._panel.choice
        self._fill(QuoteChoice(self._task_provider(choice.recipe), choice.recipe, choice.refresh))
        self.ask()

    def _asked(self, choice: QuoteChoice) -> str:
        """Return the provider to ask: '' where it is the one that is set up for it, with its model and who stands in for it."""
        return "" if choice.provider == self._task_provider(choice.recipe) else choice.provider

    async def _quote(self) -> None:
        assert self._desk is not None
        choice = self._panel.choice
        try:
            quote = await self._desk.queue.quote(
                self._ids,
                provider=self._asked(choice),
                recipe=choice.recipe,
                refresh=choice.refresh,
                on_progress=self._panel.show_progress,
            )
        except DeskError as error:
            self._panel.show_failure(str(error))
            return
        self._panel.show_quote(quote)

    async def _add(self) -> None:
        assert self._desk is not None
        ids, choice = self._ids, self._panel.choice
        try:
            number = await self._desk.queue.add(
                ids, provider=self._asked(choice), model="", recipe=choice.recipe, refresh=choice.refresh
            )
        except DeskError as error:
            self._panel.show_failure(str(error))
            return
        self.close()
        self.added.emit(number)

    async def _hand_over(self) -> None:
        assert self._desk is not None
        ids, choice = self._ids, self._panel.choice
        self._panel.show_handing_over(len(ids))
        before = len(await self._desk.batches.batches())
        try:
            batches = await self._desk.queue.submit_batch(
                ids,
                provider=self._asked(choice),
                recipe=choice.recipe,
                refresh=choice.refresh,
                on_progress=self._panel.show_progress,
            )
        except DeskError as error:
            is_part = len(await self._desk.batches.batches()) > before
            what = "Only a part was handed over; it is in the queue." if is_part else "Nothing was handed over."
            self._panel.show_failure(str(error), what=what)
            return
        self.close()
        self.handed_over.emit(len(batches))


def _title(name: str) -> str:
    return "Built-in model (tiny)" if name == BUILT_IN else name
