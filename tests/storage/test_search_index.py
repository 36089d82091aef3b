"""The full-text index as a user notices it: it finds what is there, whatever happened to its file, and nobody waits for it longer than needed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils.db import Database as MigratingDatabase
from sqlite_utils.migrations import Migrations

from desktop.domain.imports import Contents, ImportCounts, Recognized
from desktop.domain.tickets import Message, Role, TicketDraft, TicketQuery
from desktop.storage.database import Database
from desktop.storage.imports import BatchOutcome, ImportStore
from desktop.storage.migrations import create_first_tables, remember_mappings
from desktop.storage.search import BACKLOG_WORTH_WAITING
from desktop.storage.tickets import TicketStore
from desktop.storage.writing import hash_ticket


def _recognized() -> Recognized:
    return Recognized("x.csv", "csv", "generic", "a table", "", "desk", "utf-8", ",", 1, "tickets", ())


def _draft(number: int, text: str) -> TicketDraft:
    message = Message(1, "Maria", Role.CUSTOMER, "2026-03-02T09:14:00Z", text)
    return TicketDraft(f"T-{number}", f"Subject {number}", fields={"Body": text}, messages=(message,))


class Desk:
    """The stores over one file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tickets = TicketStore(database)
        self.imports = ImportStore(database)

    async def put(self, drafts: Sequence[TicketDraft]) -> tuple[int, BatchOutcome]:
        """Import drafts and return the import's id and what became of them."""
        import_id, source_id = await self.imports.begin(_recognized())
        outcome = await self.imports.write_batch(import_id, source_id, drafts, contents=Contents.RECORDS)
        return await self.imports.finish(import_id, ImportCounts()), outcome

    async def search(self, text: str) -> set[str]:
        """Return the external ids that a search finds."""
        rows = await self.tickets.rows(await self.tickets.ids(TicketQuery(search=text)))
        return {row.external_id for row in rows}


@asynccontextmanager
async def _desk(folder: Path) -> AsyncIterator[Desk]:
    database = Database(folder / "tldesk.sqlite")
    try:
        await database.open()
        yield Desk(database)
    finally:
        await database.close()


async def test_tickets_are_found_while_their_import_goes_on(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        import_id, source_id = await desk.imports.begin(_recognized())
        for number in range(3):
            await desk.imports.write_batch(
                import_id, source_id, [_draft(number, "walnut desk")], contents=Contents.RECORDS
            )
            assert await desk.search("walnut") == {f"T-{n}" for n in range(number + 1)}


async def test_a_search_does_not_wait_for_a_large_backlog_and_finds_all_of_it_afterwards(data_dir: Path) -> None:
    many = BACKLOG_WORTH_WAITING + 500
    async with _desk(data_dir) as desk:
        await desk.put([_draft(0, "walnut desk")])
        assert await desk.search("walnut") == {"T-0"}
        with desk.database.index.held():
            await desk.put([_draft(n, "walnut desk") for n in range(1, many)])
            assert await asyncio.wait_for(desk.search("walnut"), 30) == {"T-0"}
        await desk.tickets.caught_up()
        assert len(await desk.search("walnut")) == many


@pytest.mark.parametrize("damage", ["deleted", "emptied", "garbage", "torn"])
async def test_an_index_that_is_lost_or_damaged_is_made_again(data_dir: Path, damage: str) -> None:
    index = data_dir / "search.sqlite"
    async with _desk(data_dir) as desk:
        await desk.put([_draft(n, f"walnut number{n}") for n in range(300)])
        await desk.tickets.caught_up()
    match damage:
        case "deleted":
            index.unlink()
        case "emptied":
            index.write_bytes(b"")
        case "garbage":
            index.write_bytes(b"no database at all, whatever its name says" * 4000)
        case "torn":
            whole = index.read_bytes()
            index.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    async with _desk(data_dir) as desk:
        assert len(await desk.search("walnut")) == 300
        assert await desk.search('"number7"') == {"T-7"}
        await desk.put([_draft(900, "a walnut more")])
        assert await desk.search("more") == {"T-900"}


async def test_an_index_with_parts_missing_is_made_again_by_the_search_that_meets_it(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(n, "walnut") for n in range(300)])
        await desk.tickets.caught_up()
    with closing(sqlite3.connect(data_dir / "search.sqlite")) as connection:
        # The words themselves, and nothing that a look at the file's beginning would show.
        connection.execute("DELETE FROM ticket_fts_data WHERE id > 10")
        connection.commit()
    async with _desk(data_dir) as desk:
        assert len(await desk.search("walnut")) == 300


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE ticket_fts",
        "DROP TABLE ticket_fts_idx",
        "DROP TABLE ticket_fts_config",
        "UPDATE ticket_fts_config SET v = 99 WHERE k = 'version'",
        "DROP TABLE state",
    ],
)
async def test_an_index_without_one_of_its_tables_or_of_another_version_is_made_again(
    data_dir: Path, damage: str
) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "walnut")])
        await desk.tickets.caught_up()
    with closing(sqlite3.connect(data_dir / "search.sqlite")) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(damage)
        connection.commit()
    async with _desk(data_dir) as desk:
        assert await desk.search("walnut") == {"T-1"}


async def test_a_statement_that_is_wrong_does_not_cost_the_index(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "walnut")])
        await desk.tickets.caught_up()
        with closing(sqlite3.connect(data_dir / "search.sqlite")) as connection, connection:
            # A mark that an index which is made again would not have.
            connection.execute("UPDATE state SET written = 7")
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            await desk.database.search(lambda connection: connection.execute("SELECT no_such_column FROM ticket"))
        assert await desk.search("walnut") == {"T-1"}
    with closing(sqlite3.connect(data_dir / "search.sqlite")) as connection:
        assert connection.execute("SELECT written FROM state").fetchone()[0] == 7


async def test_an_index_that_a_crash_left_behind_catches_up_at_the_next_start(data_dir: Path) -> None:
    index = data_dir / "search.sqlite"
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "walnut"), _draft(2, "oak")])
        await desk.tickets.caught_up()
    early = index.read_bytes()
    async with _desk(data_dir) as desk:
        await desk.put([_draft(2, "walnut now"), _draft(3, "walnut")])
        await desk.tickets.caught_up()
    # As if the machine had stopped after the tickets were written and before their words were.
    index.write_bytes(early)
    async with _desk(data_dir) as desk:
        assert await desk.search("walnut") == {"T-1", "T-2", "T-3"}
        assert await desk.search("oak") == set()


async def test_an_older_copy_of_the_tickets_put_back_is_not_searched_with_words_of_later_ones(data_dir: Path) -> None:
    tickets = data_dir / "tldesk.sqlite"
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "walnut")])
        await desk.tickets.caught_up()
    older = tickets.read_bytes()
    async with _desk(data_dir) as desk:
        await desk.put([_draft(2, "oak"), _draft(3, "oak")])
        await desk.tickets.caught_up()
    tickets.write_bytes(older)
    async with _desk(data_dir) as desk:
        await desk.put([_draft(4, "birch"), _draft(5, "birch")])
        assert await desk.search("oak") == set()
        assert await desk.search("birch") == {"T-4", "T-5"}
        assert await desk.search("walnut") == {"T-1"}


async def test_removed_and_restored_tickets_are_not_found_by_what_they_no_longer_say(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        await desk.put([_draft(1, "walnut")])
        second, _ = await desk.put([_draft(1, "oak"), _draft(2, "oak")])
        assert await desk.search("oak") == {"T-1", "T-2"}
        await desk.imports.undo(second)
        # New tickets may get the numbers of removed ones, and never their words.
        await desk.put([_draft(3, "birch")])
        assert await desk.search("oak") == set()
        assert await desk.search("walnut") == {"T-1"}
        assert await desk.search("birch") == {"T-3"}


async def test_an_index_that_is_mostly_stale_is_built_anew(data_dir: Path) -> None:
    many = 2000
    async with _desk(data_dir) as desk:
        for word in ("walnut", "oak", "birch", "beech", "maple", "cedar"):
            await desk.put([_draft(n, word) for n in range(many)])
            await desk.tickets.caught_up()
        assert len(await desk.search("cedar")) == many
        assert await desk.search("walnut") == set()
    with closing(sqlite3.connect(data_dir / "search.sqlite")) as connection:
        assert connection.execute("SELECT written FROM state").fetchone()[0] == many


async def test_tickets_of_the_version_before_are_found_unchanged_after_the_update(data_dir: Path) -> None:
    path = data_dir / "tldesk.sqlite"
    draft = _draft(1, "walnut desk")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        before = Migrations("tldesk")
        before()(create_first_tables)
        before()(remember_mappings)
        before.apply(MigratingDatabase(connection))
        connection.execute("INSERT INTO source VALUES (1, 'desk', 'generic')")
        connection.execute(
            "INSERT INTO import_batch (id, source_id, path, system, started_at) VALUES (1, 1, 'x.csv', 'generic', '')"
        )
        connection.execute(
            "INSERT INTO ticket VALUES (7, 1, 'T-1', ?, 'Subject 1', '', '', '', '', '', '', '', '', 1, 'a gist', ?, 1, 1)",
            [hash_ticket(draft).content_hash, '{"Body":"walnut desk"}'],
        )
        connection.execute(
            "INSERT INTO message VALUES (1, 7, 1, 'Maria', 'customer', 0, '2026-03-02T09:14:00Z', 'walnut desk')"
        )
        connection.execute("INSERT INTO ticket_fts (rowid, subject, body) VALUES (7, 'Subject 1', 'walnut desk')")
    async with _desk(data_dir) as desk:
        assert await desk.search("walnut") == {"T-1"}
        _, outcome = await desk.put([draft, _draft(2, "walnut")])
        assert (outcome.tickets_new, outcome.tickets_updated, outcome.tickets_unchanged) == (1, 0, 1)
        assert await desk.search("walnut") == {"T-1", "T-2"}
        assert await desk.tickets.find("T-1") == 7
        assert (await desk.tickets.rows([7]))[0].gist == "a gist"
    assert any(name.startswith("tldesk-before-migration-") for name in os.listdir(data_dir))  # noqa: PTH208


async def test_a_batch_tells_the_ids_of_all_its_tickets(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        _, first = await desk.put([_draft(1, "a"), _draft(2, "b")])
        _, second = await desk.put([_draft(1, "a"), _draft(2, "changed"), _draft(3, "new")])
        assert len(set(first.ticket_ids)) == 2
        rows = await desk.tickets.rows(second.ticket_ids)
        assert {row.external_id for row in rows} == {"T-1", "T-2", "T-3"}
        assert set(first.ticket_ids) < set(second.ticket_ids)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(_TEXT, _TEXT, st.dictionaries(_TEXT, _TEXT | st.lists(_TEXT, max_size=3), max_size=4), st.booleans())
def test_the_fast_hash_is_the_hash_that_tickets_were_stored_with(
    subject: str, text: str, fields: dict[str, str | list[str]], internal: bool
) -> None:
    message = Message(1, "Maria", Role.AGENT, "2026-03-02T09:14:00Z", text, internal)
    draft = TicketDraft("T-1", subject, "open", fields=fields, messages=(message, message))
    told = ["Maria", "agent", "2026-03-02T09:14:00Z", text, internal]
    document = [["T-1", subject, "open", "", "", ""], ["", "", "", ""], fields, [told, told]]
    stored = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert hash_ticket(draft).content_hash == hashlib.sha256(stored).hexdigest()
