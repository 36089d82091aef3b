"""Looking back at imports: what each one changed, what is gone, and rejected rows that are mended until the account adds up without them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from array import array
from contextlib import aclosing, closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportRecord, ImportState, TicketDifference
from desktop.domain.imports import Finished, ImportOverrides, Progress, Recognized, Rejected
from desktop.services.comparison import compare_texts, describe_difference
from desktop.services.container import Desk
from desktop.storage.history import HistoryStore
from desktop.storage.idsets import pack_ids, unpack_ids
from desktop.storage.imports import ImportStore
from tests.ingest.workbooks import write_xlsx
from tests.services.conftest import import_path, interrupt, opened_desk

HEADER = "id,subject,description,status,assignee,created_at,Plan\n"
MESSAGES = "ticket_id,author,author_role,created_at,body\n"


def _write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


async def _record(desk: Desk, import_id: int) -> ImportRecord:
    return next(record for record in await desk.imports.history() if record.id == import_id)


async def _run(desk: Desk, recognized: Recognized) -> Finished:
    async with aclosing(desk.imports.run(recognized)) as events:
        return [event async for event in events if isinstance(event, Finished)][-1]


async def _references(desk: Desk, ids: array[int]) -> list[str]:
    return [row.external_id for row in await desk.tickets.rows(ids)]


async def test_an_import_says_what_is_new_changed_and_gone_since_the_one_before(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    async with opened_desk(data_dir) as desk:
        _write(path, "1,a,x,open,Bo,2026-01-01,Pro", "2,b,y,open,Bo,2026-01-01,Pro", "3,c,z,open,Bo,2026-01-01,Pro")
        first = await import_path(desk, path)
        _write(path, "2,b,y,solved,Cy,2026-01-01,Team", "3,c,z,open,Bo,2026-01-01,Pro", "4,d,w,open,Bo,2026-01-01,Pro")
        second = await import_path(desk, path)
        changes = await desk.history.changes(second.import_id)
        (difference,) = (await desk.history.differences(second.import_id, changes.changed)).values()
        before = await desk.history.changes(first.import_id)
        groups = [await _references(desk, ids) for ids in (changes.new, changes.changed, changes.gone)]
    assert groups == [["4"], ["2"], ["1"]]
    assert changes.compared_with == first.import_id
    told = [(change.title, change.before, change.after) for change in difference.fields]
    assert told == [("Status", "open", "solved"), ("Assignee", "Bo", "Cy"), ("Plan", "Pro", "Team")]
    assert describe_difference(difference) == "Status open → solved · Assignee Bo → Cy · Plan"
    assert (len(before.new), len(before.gone), before.compared_with) == (3, 0, 0)


async def test_an_old_import_is_compared_with_what_it_made_not_with_today(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    states = ["open", "pending", "solved"]
    async with opened_desk(data_dir) as desk:
        done = [await import_path(desk, _write(path, f"1,a,x,{state},Bo,2026-01-01,Pro")) for state in states]
        (ticket_id,) = (await desk.history.changes(done[0].import_id)).new
        told = []
        for each in done[1:]:
            difference = (await desk.history.differences(each.import_id, [ticket_id]))[ticket_id]
            told += [(change.before, change.after) for change in difference.fields]
        first = (await desk.history.differences(done[0].import_id, [ticket_id]))[ticket_id]
    assert told == [("open", "pending"), ("pending", "solved")]
    assert first.kind == "new"
    assert ("Status", "open") in [(change.title, change.after) for change in first.fields]


async def test_messages_are_added_and_edited_one_by_one(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    first = "7,Ada,customer,2026-03-02T09:00:00Z,My card was charged twice for the plan."
    second = "7,Sam,agent,2026-03-02T10:00:00Z,Looking into it."
    header = "id,subject,description,status\n"
    tickets = tmp_path / "tickets.csv"
    async with opened_desk(data_dir) as desk:
        await import_path(desk, _write(path, first, header=MESSAGES))
        added = await import_path(desk, _write(path, first, second, header=MESSAGES))
        await import_path(desk, _write(tickets, "1,a,The printer on floor 3 burns,open", header=header))
        edited = await import_path(desk, _write(tickets, "1,a,The printer on floor 4 burns,open", header=header))
        (addition,) = await _differences(desk, added)
        (edit,) = await _differences(desk, edited)
    assert [(m.change, m.message.text) for m in addition.messages] == [("added", "Looking into it.")]
    assert addition.kept_messages == 1
    assert "1 message added" in describe_difference(addition)
    (change,) = edit.messages
    assert change.change == "edited"
    assert [(p.sign, p.text) for p in change.pieces] == [
        ("=", "The printer on floor "),
        ("-", "3"),
        ("+", "4"),
        ("=", " burns"),
    ]
    assert edit.fields == (), "the column that the message came from said it again"


async def _differences(desk: Desk, done: Finished) -> list[TicketDifference]:
    changes = await desk.history.changes(done.import_id)
    return list((await desk.history.differences(done.import_id, changes.changed)).values())


async def test_a_file_that_only_misses_tickets_is_an_import_that_says_so(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    rows = [f"{n},s{n},x,open,Bo,2026-01-01,Pro" for n in (1, 2, 3)]
    async with opened_desk(data_dir) as desk:
        await import_path(desk, _write(path, *rows))
        again = await import_path(desk, path)
        shorter = await import_path(desk, _write(path, *rows[:2]))
        gone = await _references(desk, (await desk.history.changes(shorter.import_id)).gone)
        total = (await desk.tickets.counts()).total
    assert again.import_id == 0
    assert gone == ["3"]
    assert total == 36 + 3, "a ticket that an export no longer has was taken away"


async def test_a_ticket_of_another_file_is_never_told_as_gone(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    rows = ("1,a,x,open,Bo,2026-01-01,Pro", "2,b,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir, with_sample=False) as desk:
        first = await import_path(desk, _write(path, *rows))
        await import_path(desk, _write(path, *rows, ",no id,z,open,Bo,2026-01-01,Pro"))
        await desk.imports.undo(first.import_id)
        await import_path(
            desk, _write(tmp_path / "other.csv", "8,e,u,open,Bo,2026-01-01,Pro", "9,f,v,open,Bo,2026-01-01,Pro")
        )
        last = await import_path(desk, _write(path, "5,g,w,open,Bo,2026-01-01,Pro"))
        changes = await desk.history.changes(last.import_id)
        assert (await _references(desk, changes.new), await _references(desk, changes.gone)) == (["5"], [])


async def test_what_is_gone_is_not_guessed_from_an_import_that_was_stopped_or_of_other_tables(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    row = "{0},s{0},text {0},open,Bo,2026-01-01,Pro"
    async with opened_desk(data_dir) as desk:
        await import_path(desk, _write(path, *(row.format(n) for n in range(3_000))))
        _write(path, *(row.format(n).replace("open", "solved") for n in range(20_000)))
        recognized = await desk.imports.recognize(path)
        async with aclosing(desk.imports.run(recognized)) as events:
            async for event in events:
                if isinstance(event, Progress):
                    break
        stopped = (await desk.imports.history())[0]
        changes = await desk.history.changes(stopped.id)
        told = await desk.imports.take_stopped()
        again = (await desk.imports.history())[0]
    assert (stopped.state, again.state) == (ImportState.STOPPED, ImportState.STOPPED)
    assert told is not None
    assert (len(changes.gone), changes.compared_with) == (0, 0)


async def test_an_import_whose_end_nobody_saw_shows_what_it_left_and_can_be_undone(
    data_dir: Path, tmp_path: Path
) -> None:
    path = _write(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection, connection:
        connection.execute(
            "UPDATE import_batch SET finished_at = '', counts_json = '{}', ticket_ids = NULL WHERE id = ?",
            [done.import_id],
        )
    async with opened_desk(data_dir) as desk:
        record = await _record(desk, done.import_id)
        changes = await desk.history.changes(done.import_id)
        undone = await desk.imports.undo(done.import_id)
    assert (record.state, record.totals.tickets_new, record.totals.rejected) == (ImportState.UNFINISHED, 1, 1)
    assert record.adds_up, "what is not at its end cannot be wrong yet"
    assert (len(changes.new), undone.tickets_removed) == (1, 1)


async def test_a_running_import_is_told_as_running(data_dir: Path, tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", ",no id,x,open,,,", *(f"{n},a,x,open,Bo,2026-01-01,Pro" for n in range(1, 3_000)))
    async with opened_desk(data_dir) as desk:
        recognized = await desk.imports.recognize(path)
        async with aclosing(desk.imports.run(recognized)) as events:
            async for event in events:
                if isinstance(event, Rejected):
                    running = (await desk.imports.history())[0]
        finished = (await desk.imports.history())[0]
    assert (running.state, running.totals.rejected, running.adds_up) == (ImportState.RUNNING, 1, True)
    assert (finished.state, finished.totals.rows, finished.adds_up) == (ImportState.WHOLE, 3_000, True)


async def test_a_mended_row_joins_its_import_and_the_account_adds_up(data_dir: Path, tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,Open,Bo,02/01/2026,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        path.unlink()
        (row,) = await desk.history.rejects(done.import_id)
        editable = await desk.history.editable(row.id)
        assert (row.line, row.reason, editable.names[0]) == (3, "This row has no ticket id", "id")
        still = await desk.history.retry(row.id, cells=["", *editable.cells[1:]])
        assert still.reason == "This row has no ticket id"
        used = await desk.history.retry(row.id, cells=["2", *editable.cells[1:]])
        record = await _record(desk, done.import_id)
        thread = await desk.tickets.thread(await desk.tickets.find("t:2"))
        assert (used.reason, used.tickets_new, await desk.history.rejects(done.import_id)) == ("", 1, ())
        new = await _references(desk, (await desk.history.changes(done.import_id)).new)
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
    path = _write(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", *(f",lost {n},y,open,,," for n in range(2)))
    async with opened_desk(data_dir, with_sample=False) as desk:
        done = await import_path(desk, path)
        row, _ = await desk.history.rejects(done.import_id)
        task = asyncio.create_task(desk.history.retry(row.id, cells=["9", "a", "b", "", "", "", ""]))
        interrupt(monkeypatch, store, step, task.cancel, is_over=is_over)
        with pytest.raises(asyncio.CancelledError):
            await task
        record = await _record(desk, done.import_id)
        assert (await desk.tickets.counts()).total == 1 + used
        assert len(await desk.history.rejects(done.import_id)) == record.totals.rejected == 2 - used
        assert (record.totals.rows, record.totals.tickets_new, record.adds_up) == (3, 1 + used, True)
        assert len((await desk.history.changes(done.import_id)).new) == 1 + used


async def test_a_row_with_an_open_quotation_mark_is_mended_as_text(data_dir: Path, tmp_path: Path) -> None:
    path = _write(
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
        record = await _record(desk, done.import_id)
        thread = await desk.tickets.thread(await desk.tickets.find("t:2"))
    assert thread is not None
    assert thread.messages[0].text == "now closed"
    assert (record.totals.rejected, record.totals.tickets_new, record.totals.adds_up) == (0, 3, True)


async def test_a_mended_row_goes_over_no_other_row_and_no_later_import(data_dir: Path, tmp_path: Path) -> None:
    path = _write(
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
        later = await import_path(desk, _write(path, "1,a,x,open,Bo,2026-01-01,Pro", "9,late,y,open,Bo,2026-01-01,Pro"))
        cells = (await desk.history.editable(lost.id)).cells
        reason = (await desk.history.retry(lost.id, cells=["9", *cells[1:]])).reason
        thread = await desk.tickets.thread(await desk.tickets.find("t:9"))
        await desk.history.set_aside(lost.id)
        record = await _record(desk, done.import_id)
    assert f"came with import {later.import_id} since" in reason
    assert thread is not None
    assert thread.ticket.subject == "late"
    assert (record.waiting_rejects, record.kept_rejects, record.totals.rejected) == (1, 2, 2)
    assert record.totals.adds_up


async def test_a_mended_message_joins_the_thread_of_its_ticket(data_dir: Path, tmp_path: Path) -> None:
    rows = [f"{n},Ada,customer,2026-03-02T09:0{n}:00Z,Text {n} of the first" for n in (1, 1, 2, 2)]
    path = _write(tmp_path / "messages.csv", *rows, ",Sam,agent,2026-03-03T09:00:00Z,Lost answer", header=MESSAGES)
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        cells = (await desk.history.editable(row.id)).cells
        used = await desk.history.retry(row.id, cells=["2", *cells[1:]])
        thread = await desk.tickets.thread(await desk.tickets.find("messages:2"))
        record = await _record(desk, done.import_id)
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
        record = await _record(desk, done.import_id)
    assert thread is not None
    assert [message.text for message in thread.messages] == ["z", "third"]
    assert (record.totals.rejected, record.totals.tickets_new, record.adds_up) == (0, 3, True)


async def test_a_mended_row_of_people_gives_their_names_to_tickets(data_dir: Path, tmp_path: Path) -> None:
    tickets = _write(
        tmp_path / "tickets.csv",
        "1,Printer,It burns,open,901",
        "2,Door,It sticks,open,902",
        "3,Lift,It is stuck,open,903",
        header="id,subject,description,status,requester_id\n",
    )
    people = _write(
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
        record = await _record(desk, done.import_id)
        people.write_text("id,name,email,role\n901,Ada Lovelace,ada@example.com,end-user\n", encoding="utf-8")
        fewer = await _run(
            desk, await desk.imports.recognize(people, overrides=ImportOverrides(source=bundle.main.source))
        )
    assert thread is not None
    assert thread.ticket.requester == "Cy Young"
    assert (record.totals.rejected, record.adds_up) == (0, True)
    assert fewer.import_id == 0, "people that a table no longer names were taken for tickets that are gone"


async def test_a_mended_row_that_turns_out_to_be_two_counts_as_two(data_dir: Path, tmp_path: Path) -> None:
    path = _write(
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
        totals = (await _record(desk, done.import_id)).totals
    assert (totals.rows, totals.rows_used, totals.rejected, totals.blank, totals.adds_up) == (5, 4, 0, 1, True)


async def test_an_undone_import_says_that_nothing_is_left(data_dir: Path, tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        await desk.imports.undo(done.import_id)
        with pytest.raises(DeskError, match="was undone"):
            await desk.history.changes(done.import_id)
        with pytest.raises(DeskError, match="was undone"):
            await desk.history.retry(row.id, cells=["2", "b", "", "", "", "", ""])
        assert (await _record(desk, done.import_id)).state is ImportState.UNDONE


async def test_a_row_rejected_before_recognitions_were_kept_says_what_to_do(data_dir: Path, tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
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


@given(st.lists(st.integers(0, 2**40)))
def test_a_packed_set_of_ids_comes_back_whatever_its_order(ids: list[int]) -> None:
    packed = pack_ids(array("q", ids))
    assert list(unpack_ids(packed)) == sorted(set(ids))
    assert packed == pack_ids(array("q", sorted(ids, reverse=True)))


def test_a_million_ids_take_a_few_kilobytes() -> None:
    assert len(pack_ids(array("q", range(1_000_000)))) < 50_000


@given(st.text(max_size=60), st.text(max_size=60))
def test_compared_texts_hold_both_texts_whole(before: str, after: str) -> None:
    pieces = compare_texts(before, after)
    assert "".join(piece.text for piece in pieces if piece.sign != "+") == before
    assert "".join(piece.text for piece in pieces if piece.sign != "-") == after
