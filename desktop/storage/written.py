"""Summaries that were written before, looked up for many tickets at once."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.storage.database import Database


@dataclass(frozen=True, slots=True)
class Written:
    """A summary that is there: whose, and the run that wrote it."""

    item_id: int
    run_id: int


class WrittenStore:
    """Looks summaries up by name."""

    def __init__(self, database: Database) -> None:
        self._database = database
