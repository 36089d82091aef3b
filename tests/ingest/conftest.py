"""What the tests of importing share: the shipped definitions, and a file read to its end.

Real exports are read where they lie beside the project; elsewhere look-alikes of our own stand in, and the test says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.domain.imports import Recognized, Reject
from desktop.domain.people import Person
from desktop.domain.tickets import TicketDraft
from desktop.ingest.definitions import load_systems
from desktop.ingest.recognition import recognize
from desktop.ingest.systems import SystemDefinition
from desktop.ingest.tickets import read_batches

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "exports"
OWN = ROOT / "tests" / "data" / "exports"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file read to its end."""

    recognized: Recognized
    tickets: list[TicketDraft]
    people: list[Person]
    rejects: list[Reject]
    rows: int
    blank: int
    footer: int
    repeated: int
    warnings: list[str]

    def ticket(self, external_id: str) -> TicketDraft:
        """Return the ticket of that id."""
        return next(ticket for ticket in self.tickets if ticket.external_id == external_id)


Reader = Callable[..., Outcome]
Writer = Callable[..., Path]
Finder = Callable[[str, str], tuple[Path, bool]]


@pytest.fixture(scope="session")
def systems() -> tuple[SystemDefinition, ...]:
    """The definitions that are shipped."""
    return load_systems(ROOT / "resources" / "systems")


@pytest.fixture
def read(systems: tuple[SystemDefinition, ...]) -> Reader:
    """Recognize a file and read it, checking in passing that every row has one fate."""

    def read_file(path: Path, *, batch_rows: int = 2000, **options: object) -> Outcome:
        recognized = recognize(path, systems=systems, **options)  # type: ignore[arg-type]
        batches = list(read_batches(recognized, systems=systems, batch_rows=batch_rows))
        for batch in batches:
            used = sum(ticket.rows for ticket in batch.tickets) + len(batch.people)
            assert batch.rows == used + len(batch.rejects) + batch.blank + batch.footer + batch.repeated
        return Outcome(
            recognized,
            [ticket for batch in batches for ticket in batch.tickets],
            [person for batch in batches for person in batch.people],
            [reject for batch in batches for reject in batch.rejects],
            sum(batch.rows for batch in batches),
            sum(batch.blank for batch in batches),
            sum(batch.footer for batch in batches),
            sum(batch.repeated for batch in batches),
            [warning for batch in batches for warning in batch.warnings],
        )

    return read_file


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write a file of text or bytes and return its path."""

    def write_file(content: str | bytes, name: str = "tickets.csv", *, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_file


@pytest.fixture
def export() -> Finder:
    """Find a real export, or the look-alike that stands in for it; the second value tells whether it is the real one."""

    def find(shared: str, own: str) -> tuple[Path, bool]:
        if (SHARED / shared).exists():
            return SHARED / shared, True
        print(f"{own} stands in for {shared}")  # noqa: T201 - the reader of a test report should know
        return OWN / own, False

    return find
