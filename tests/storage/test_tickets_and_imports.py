"""The database as a user notices it: nothing twice, nothing lost, a search as one types, and a way back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.domain.errors import DeskError
from desktop.domain.imports import Contents, ImportCounts, Recognized
from desktop.domain.tickets import Message, Role, TicketDraft, TicketQuery
from desktop.storage.database import Database
from desktop.storage.imports import BatchOutcome, ImportStore
from desktop.storage.tickets import TicketStore, match_expression


def _recognized(source: str = "zendesk") -> Recognized:
    return Recognized("x.csv", "csv", source, source, "", source, "utf-8", ",", 1, "tickets", ())


def _message(position: int, text: str, at: str = "2026-03-02T09:14:00Z", author: str = "Maria") -> Message:
    return Message(position, author, Role.CUSTOMER, at, text)


def _draft(
    number: int, text: str = "The printer is on fire.", *, subject: str = "Printer", status: str = "open"
) -> TicketDraft:
    return TicketDraft(
        f"T-{number}",
        subject,
        status,
        status.upper(),
        updated_at=f"2026-03-{number % 28 + 1:02}T00:00:00Z",
        fields={"Plan": "Pro", "Labels": ["a", "b"]},
        messages=(_message(1, text),),
    )


class Desk:
    """The stores over one file."""

    def __init__(self, database: Database) -> None:
        self.tickets = TicketStore(database)
        self.imports = ImportStore(database)

    async def put(self, drafts: Sequence[TicketDraft], *, merge: bool = False) -> tuple[int, BatchOutcome]:
        """Import drafts and return the import's id and what became of them."""
        import_id, source_id = await self.imports.begin(_recognized())
        outcome = await self.imports.write_batch(
            import_id, source_id, drafts, contents=Contents.MESSAGES if merge else Contents.RECORDS
        )
        counts = ImportCounts(tickets_new=outcome.tickets_new, tickets_updated=outcome.tickets_updated)
        return await self.imports.finish(import_id, counts), outcome

    async def search(self, text: str) -> list[str]:
        """Return the external ids that a search finds."""
        rows = await self.tickets.rows(await self.tickets.ids(TicketQuery(search=text)))
        return [row.external_id for row in rows]


@asynccontextmanager
async def _desk(folder: Path) -> AsyncIterator[Desk]:
    database = Database(folder / "tldesk.sqlite")
    try:
        await database.open()
        yield Desk(database)
    finally:
        await database.close()


async def test_the_same_tickets_twice_change_nothing(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        first_id, first = await desk.put([_draft(1), _draft(2)])
        again_id, again = await desk.put([_draft(1), _draft(2)])
        assert (first.tickets_new, first.rows_used, first.messages) == (2, 2, 2)
        assert first_id > 0
        assert (again.tickets_new, again.tickets_updated, again.rows_unchanged) == (0, 0, 2)
        assert again_id == 0
        assert len(await desk.imports.history()) == 1


async def test_a_thread_comes_back_as_it_went_in(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, 'It\'s "quoted", 🙂 and\nbroken \u202e; DROP TABLE ticket')])
        thread = await desk.tickets.thread(await desk.tickets.find("zendesk:T-1"))
        assert thread is not None
        assert thread.messages == _draft(1, 'It\'s "quoted", 🙂 and\nbroken \u202e; DROP TABLE ticket').messages
        assert thread.fields == {"Plan": "Pro", "Labels": ["a", "b"]}
        assert (thread.ticket.status, thread.ticket.status_original) == ("open", "OPEN")


async def test_search_finds_words_phrases_and_beginnings_as_one_types(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put(
            [
                _draft(1, "The invoice 2207-C is wrong."),
                _draft(2, "Cannot reset my password."),
                _draft(3, "Café résumé"),
            ]
        )
        assert await desk.search("invo") == ["T-1"]
        assert await desk.search("password reset") == ["T-2"]
        assert await desk.search('"reset my password"') == ["T-2"]
        assert await desk.search('"password reset"') == []
        assert await desk.search("cafe") == ["T-3"]
        assert await desk.search("2207-C") == ["T-1"]
        assert len(await desk.search("")) == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=30))
def test_no_text_breaks_the_search(data_dir: Path, text: str) -> None:
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE t USING fts5 (a)")
    expression = match_expression(text)
    if expression:
        index.execute("SELECT * FROM t WHERE t MATCH ?", [expression]).fetchall()
    index.close()
    assert isinstance(expression, str)


async def test_a_changed_ticket_is_found_by_its_new_words_only_and_undo_brings_the_old_ones_back(
    data_dir: Path,
) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "It smells of smoke.")])
        second, outcome = await desk.put([_draft(1, "It smells of roses."), _draft(2, "New one.")])
        assert (outcome.tickets_updated, outcome.tickets_new) == (1, 1)
        assert await desk.search("roses") == ["T-1"]
        assert await desk.search("smoke") == []
        undone = await desk.imports.undo(second)
        assert (undone.tickets_removed, undone.tickets_restored) == (1, 1)
        assert await desk.search("smoke") == ["T-1"]
        assert await desk.search("roses") == []
        assert await desk.search("new") == []
        with pytest.raises(DeskError, match="undone before"):
            await desk.imports.undo(second)


async def test_an_import_that_a_later_one_built_on_is_not_undone(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        first, _ = await desk.put([_draft(1, "One.")])
        second, _ = await desk.put([_draft(1, "Two.")])
        with pytest.raises(DeskError, match=f"Undo import {second} first"):
            await desk.imports.undo(first)
        await desk.imports.undo(second)
        assert (await desk.imports.undo(first)).tickets_removed == 1
        assert (await desk.tickets.counts()).total == 0


async def test_messages_that_a_later_export_no_longer_has_stay(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        early, late = _message(1, "First.", "2026-03-01T00:00:00Z"), _message(1, "Second.", "2026-03-02T00:00:00Z")
        await desk.put([TicketDraft("T-1", "S", messages=(early,))], merge=True)
        await desk.put([TicketDraft("T-1", "S", messages=(late,))], merge=True)
        _, outcome = await desk.put([TicketDraft("T-1", "S", messages=(late,))], merge=True)
        assert outcome.tickets_unchanged == 1
        thread = await desk.tickets.thread(await desk.tickets.find("T-1"))
        assert thread is not None
        assert [(m.position, m.text) for m in thread.messages] == [(1, "First."), (2, "Second.")]


async def test_filters_sorting_and_columns_of_the_export(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1), _draft(2, status="solved"), _draft(3)])
        solved = await desk.tickets.ids(TicketQuery(where=(("status", "solved"),)))
        assert [row.external_id for row in await desk.tickets.rows(solved)] == ["T-2"]
        assert len(await desk.tickets.ids(TicketQuery(where=(("Plan", "Pro"),)))) == 3
        assert len(await desk.tickets.ids(TicketQuery(search="printer", where=(("source", "zendesk"),)))) == 3
        newest = await desk.tickets.rows(await desk.tickets.ids(TicketQuery()))
        assert [row.external_id for row in newest] == ["T-3", "T-2", "T-1"]
        with pytest.raises(DeskError, match="cannot be sorted by"):
            await desk.tickets.ids(TicketQuery(sort="; DROP TABLE ticket"))
        counts = await desk.tickets.counts()
        assert (counts.total, counts.by_status, counts.by_source) == (3, {"open": 2, "solved": 1}, {"zendesk": 3})


async def test_a_reference_that_names_no_ticket_or_two_says_so(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1)])
        import_id, source_id = await desk.imports.begin(_recognized("jira"))
        await desk.imports.write_batch(import_id, source_id, [_draft(1)], contents=Contents.RECORDS)
        with pytest.raises(DeskError, match=r"jira:T-1, zendesk:T-1"):
            await desk.tickets.find("T-1")
        assert await desk.tickets.find("jira:T-1") != await desk.tickets.find("zendesk:T-1")
        with pytest.raises(DeskError, match="no ticket nowhere"):
            await desk.tickets.find("nowhere")


async def test_what_is_no_database_is_said_and_left_alone(data_dir: Path) -> None:
    path = data_dir / "tldesk.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(DeskError) as broken:
        async with _desk(data_dir):
            pass
    assert broken.value.code == "database-broken"
    assert path.read_bytes().startswith(b"this is not a database")


async def test_the_file_of_a_newer_program_is_read_and_never_written(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1)])
    connection = sqlite3.connect(data_dir / "tldesk.sqlite")
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('tldesk', 'from_the_future', '2030-01-01')"
    )
    connection.commit()
    connection.close()
    async with _desk(data_dir) as desk:
        assert (await desk.tickets.counts()).total == 1
        assert await desk.imports.take_stopped() is None, "there is none, so there is nothing to write"
        with pytest.raises(DeskError, match="newer TLDesk"):
            await desk.put([_draft(2)])


async def test_the_file_is_private(data_dir: Path) -> None:
    async with _desk(data_dir):
        if sys.platform != "win32":  # Windows has no modes; there the profile's own rights apply
            assert stat.S_IMODE((data_dir / "tldesk.sqlite").stat().st_mode) == 0o600


async def test_a_cancelled_wait_leaves_no_half_of_a_batch(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        import_id, source_id = await desk.imports.begin(_recognized())
        drafts = [_draft(n) for n in range(200)]
        task = asyncio.create_task(desk.imports.write_batch(import_id, source_id, drafts, contents=Contents.RECORDS))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Whether the writer had begun is its luck; half of it is not, and the import's record says the same.
        recorded = await desk.imports.finish(import_id, ImportCounts())
        assert (recorded, (await desk.tickets.counts()).total) in ((0, 0), (import_id, 200))


async def test_a_clean_end_leaves_the_tickets_and_their_index_and_no_logs(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(n) for n in range(20)])
        assert (await desk.tickets.counts()).total == 20
    assert sorted(os.listdir(data_dir)) == ["search.sqlite", "tldesk.sqlite"]  # noqa: PTH208
