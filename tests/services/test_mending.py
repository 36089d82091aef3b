"""Rejected rows that are mended in place, until the account of their import adds up without them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished, ImportOverrides, Recognized
from desktop.services.container import Desk
from desktop.storage.history import HistoryStore
from desktop.storage.imports import ImportStore
from tests.ingest.workbooks import write_xlsx
from tests.services.conftest import import_path, interrupt, opened_desk
from tests.services.looking_back import MESSAGES, record_of, references_of, write_table


async def _run(desk: Desk, recognized: Recognized) -> Finished:
    async with aclosing(desk.imports.run(recognized)) as events:
        return [event async for event in events if isinstance(event, Finished)][-1]


async def test_a_mended_row_joins_its_import_and_the_account_adds_up(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,Open,Bo,02/01/2026,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        path.unlink()
        (row,) = await desk.history.rejects(done.import_id)
        editable = await desk.history.editable(row.id)
        assert (row.line, row.reason, editable.names[0]) == (3, "This row has no ticket id", "id")
        still = await desk.history.retry(row.id, cells=["", *editable.cells[1:]])
        assert still.reason == "This row has no ticket id"
        used = await desk.history.retry(row.id, cells=["2", *editable.cells[1:]])
        record = await record_of(desk, done.import_id)
        thread = await desk.tickets.thread(await desk.tickets.find("t:2"))
        assert (used.reason, used.tickets_new, await desk.history.rejects(done.import_id)) == ("", 1, ())
        new = await references_of(desk, (await desk.history.changes(done.import_id)).new)
        with pytest.raises(DeskError, match="no longer rejected"):
            await desk.history.retry(row.id, cells=["3", *editable.cells[1:]])
        undone = await desk.imports.undo(done.import_id)
    assert thread is not None
    assert (thread.ticket.subject, thread.ticket.status, thread.ticket.created_at) == (
        "lost",
        "open",
        "2026-01-02T00:00:00Z",
    )
    totals = record.totals
    assert (totals.rows, totals.rows_used, totals.rejected, totals.tickets_new, totals.adds_up) == (2, 2, 0, 2, True)
    assert new == ["1", "2"]
    assert undone.tickets_removed == 2


@pytest.mark.parametrize(
    ("store", "step", "is_over", "used"),
    [
        (HistoryStore, "conflict", False, 0),
        (ImportStore, "write_batch", False, 1),
        (ImportStore, "write_batch", True, 1),
    ],
    ids=["before it writes", "when it begins to write", "when it has written"],
)
async def test_a_retry_that_is_cancelled_at_any_moment_leaves_counts_that_add_up(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: type, step: str, is_over: bool, used: int
) -> None:
    path = write_table(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", *(f",lost {n},y,open,,," for n in range(2)))
    async with opened_desk(data_dir, with_sample=False) as desk:
        done = await import_path(desk, path)
        row, _ = await desk.history.rejects(done.import_id)
        task = asyncio.create_task(desk.history.retry(row.id, cells=["9", "a", "b", "", "", "", ""]))
        interrupt(monkeypatch, store, step, task.cancel, is_over=is_over)
        with pytest.raises(asyncio.CancelledError):
            await task
        record = await record_of(desk, done.import_id)
        assert (await desk.tickets.counts()).total == 1 + used
        assert len(await desk.history.rejects(done.import_id)) == record.totals.rejected == 2 - used
        assert (record.totals.rows, record.totals.tickets_new, record.adds_up) == (3, 1 + used, True)
        assert len((await desk.history.changes(done.import_id)).new) == 1 + used


async def test_a_row_with_an_open_quotation_mark_is_mended_as_text(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t.csv",
        "1,a,x,open,Bo,2026-01-01,Pro",
        '2,b,"never closed,open,Bo,2026-01-01,Pro',
        "3,c,x,open,Bo,2026-01-01,Pro",
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        editable = await desk.history.editable(row.id)
        assert editable.cells == ()
        assert (await desk.history.retry(row.id, raw=editable.raw)).reason == row.reason
        mended = editable.raw.replace("never closed,", 'now closed",')
        assert (await desk.history.retry(row.id, raw=mended)).reason == ""
        record = await record_of(desk, done.import_id)
        thread = await desk.tickets.thread(await desk.tickets.find("t:2"))
    assert thread is not None
    assert thread.messages[0].text == "now closed"
    assert (record.totals.rejected, record.totals.tickets_new, record.totals.adds_up) == (0, 3, True)


async def test_a_mended_row_goes_over_no_other_row_and_no_later_import(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t.csv",
        "1,a,x,open,Bo,2026-01-01,Pro",
        "1,b,y,open,Bo,2026-01-01,Pro",
        ",c,z,open,Bo,2026-01-01,Pro",
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        twice, lost = await desk.history.rejects(done.import_id)
        cells = (await desk.history.editable(twice.id)).cells
        assert (
            "Another row of this file already made ticket 1" in (await desk.history.retry(twice.id, cells=cells)).reason
        )
        later = await import_path(
            desk, write_table(path, "1,a,x,open,Bo,2026-01-01,Pro", "9,late,y,open,Bo,2026-01-01,Pro")
        )
        cells = (await desk.history.editable(lost.id)).cells
        reason = (await desk.history.retry(lost.id, cells=["9", *cells[1:]])).reason
        thread = await desk.tickets.thread(await desk.tickets.find("t:9"))
        await desk.history.set_aside(lost.id)
        record = await record_of(desk, done.import_id)
    assert f"came with import {later.import_id} since" in reason
    assert thread is not None
    assert thread.ticket.subject == "late"
    assert (record.waiting_rejects, record.kept_rejects, record.totals.rejected) == (1, 2, 2)
    assert record.totals.adds_up


async def test_a_mended_message_joins_the_thread_of_its_ticket(data_dir: Path, tmp_path: Path) -> None:
    rows = [f"{n},Ada,customer,2026-03-02T09:0{n}:00Z,Text {n} of the first" for n in (1, 1, 2, 2)]
    path = write_table(tmp_path / "messages.csv", *rows, ",Sam,agent,2026-03-03T09:00:00Z,Lost answer", header=MESSAGES)
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        cells = (await desk.history.editable(row.id)).cells
        used = await desk.history.retry(row.id, cells=["2", *cells[1:]])
        thread = await desk.tickets.thread(await desk.tickets.find("messages:2"))
        record = await record_of(desk, done.import_id)
        changes = await desk.history.changes(done.import_id)
        undone = await desk.imports.undo(done.import_id)
    assert used.reason == ""
    assert thread is not None
    assert thread.messages[-1].text == "Lost answer"
    assert record.totals.adds_up
    assert (len(changes.new), len(changes.changed)) == (2, 0), "a ticket is new or changed, not both"
    assert undone.tickets_removed == 2


async def test_a_row_of_a_workbook_is_mended_cell_by_cell(data_dir: Path, tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "t.xlsx",
        {
            "Tickets": [
                ["id", "subject", "description", "status"],
                [1, "a", "one\ttab", "open"],
                [None, "lost", "two\ttabs\tand\nlines", "open"],
            ]
        },
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        path.unlink()
        (row,) = await desk.history.rejects(done.import_id)
        cells = (await desk.history.editable(row.id)).cells
        assert cells == ("", "lost", "two\ttabs\tand\nlines", "open")
        assert (await desk.history.retry(row.id, cells=["2", *cells[1:]])).reason == ""
        thread = await desk.tickets.thread(await desk.tickets.find("t:2"))
    assert thread is not None
    assert thread.messages[0].text == "two\ttabs\tand\nlines"


async def test_a_record_of_a_json_file_is_mended_with_the_messages_within(data_dir: Path, tmp_path: Path) -> None:
    records = [
        {
            "id": 1,
            "subject": "a",
            "description": "x",
            "comments": [{"author": "Bo", "body": "first", "created_at": "2026-01-02"}],
        },
        {
            "id": 2,
            "subject": "b",
            "description": "y",
            "comments": [{"author": "Bo", "body": "second", "created_at": "2026-01-02"}],
        },
        {
            "id": None,
            "subject": "lost",
            "description": "z",
            "comments": [{"author": "Cy", "body": "third", "created_at": "2026-01-03"}],
        },
    ]
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"tickets": records}), encoding="utf-8")
    async with opened_desk(data_dir) as desk:
        (bundle,) = (await desk.joining.open([path])).bundles
        done = await _run(desk, bundle.main)
        path.unlink()
        (row,) = await desk.history.rejects(done.import_id)
        editable = await desk.history.editable(row.id)
        cells = ["3" if name == "id" else cell for name, cell in zip(editable.names, editable.cells, strict=True)]
        assert (await desk.history.retry(row.id, cells=cells)).reason == ""
        thread = await desk.tickets.thread(await desk.tickets.find(f"{bundle.main.source}:3"))
        record = await record_of(desk, done.import_id)
    assert thread is not None
    assert [message.text for message in thread.messages] == ["z", "third"]
    assert (record.totals.rejected, record.totals.tickets_new, record.adds_up) == (0, 3, True)


async def test_a_mended_row_of_people_gives_their_names_to_tickets(data_dir: Path, tmp_path: Path) -> None:
    tickets = write_table(
        tmp_path / "tickets.csv",
        "1,Printer,It burns,open,901",
        "2,Door,It sticks,open,902",
        "3,Lift,It is stuck,open,903",
        header="id,subject,description,status,requester_id\n",
    )
    people = write_table(
        tmp_path / "users.csv",
        "901,Ada Lovelace,ada@example.com,end-user",
        "902,Bo Diddley,bo@example.com,end-user",
        ",Cy Young,cy@example.com,end-user",
        header="id,name,email,role\n",
    )
    async with opened_desk(data_dir) as desk:
        (bundle,) = (await desk.joining.open([tickets, people])).bundles
        assert [table.shape for table in bundle.tables] == ["people", "tickets"]
        done, _ = [await _run(desk, table) for table in bundle.tables]
        (row,) = await desk.history.rejects(done.import_id)
        cells = (await desk.history.editable(row.id)).cells
        assert (await desk.history.retry(row.id, cells=["903", *cells[1:]])).reason == ""
        thread = await desk.tickets.thread(await desk.tickets.find(f"{bundle.main.source}:3"))
        record = await record_of(desk, done.import_id)
        people.write_text("id,name,email,role\n901,Ada Lovelace,ada@example.com,end-user\n", encoding="utf-8")
        fewer = await _run(
            desk, await desk.imports.recognize(people, overrides=ImportOverrides(source=bundle.main.source))
        )
    assert thread is not None
    assert thread.ticket.requester == "Cy Young"
    assert (record.totals.rejected, record.adds_up) == (0, True)
    assert fewer.import_id == 0, "people that a table no longer names were taken for tickets that are gone"


async def test_a_mended_row_that_turns_out_to_be_two_counts_as_two(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t.csv",
        "1,a,x,open,Bo,2026-01-01,Pro",
        '2,b,"never closed,open,Bo,2026-01-01,Pro',
        "3,c,x,open,Bo,2026-01-01,Pro",
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        raw = "2,b,closed,open,Bo,2026-01-01,Pro\r\n8,new,y,open,Bo,2026-01-01,Pro\r\n,,,,,,"
        assert (await desk.history.retry(row.id, raw=raw)).tickets_new == 2
        totals = (await record_of(desk, done.import_id)).totals
    assert (totals.rows, totals.rows_used, totals.rejected, totals.blank, totals.adds_up) == (5, 4, 0, 1, True)


async def test_a_row_rejected_before_recognitions_were_kept_says_what_to_do(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection, connection:
        connection.execute("UPDATE import_batch SET recognized_json = '', ticket_ids = NULL")
    async with opened_desk(data_dir) as desk:
        (row,) = await desk.history.rejects(done.import_id)
        editable = await desk.history.editable(row.id)
        with pytest.raises(DeskError, match="Mend it in the file"):
            await desk.history.retry(row.id, cells=["2", "b", "", "", "", "", ""])
    assert "import the file again" in editable.obstacle
    assert editable.raw == ",lost,y,open,Bo,2026-01-01,Pro"
