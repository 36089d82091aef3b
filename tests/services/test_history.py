"""Looking back at imports: what each one brought and changed, and what is gone since the one before."""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import aclosing, closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportState, TicketDifference
from desktop.domain.imports import Finished, Progress, Rejected
from desktop.services.comparison import compare_texts, describe_difference
from desktop.services.container import Desk
from desktop.storage.idsets import pack_ids, unpack_ids
from tests.services.conftest import import_path, opened_desk
from tests.services.looking_back import MESSAGES, record_of, references_of, write_table


async def test_an_import_says_what_is_new_changed_and_gone_since_the_one_before(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    async with opened_desk(data_dir) as desk:
        write_table(
            path, "1,a,x,open,Bo,2026-01-01,Pro", "2,b,y,open,Bo,2026-01-01,Pro", "3,c,z,open,Bo,2026-01-01,Pro"
        )
        first = await import_path(desk, path)
        write_table(
            path, "2,b,y,solved,Cy,2026-01-01,Team", "3,c,z,open,Bo,2026-01-01,Pro", "4,d,w,open,Bo,2026-01-01,Pro"
        )
        second = await import_path(desk, path)
        changes = await desk.history.changes(second.import_id)
        (difference,) = (await desk.history.differences(second.import_id, changes.changed)).values()
        before = await desk.history.changes(first.import_id)
        groups = [await references_of(desk, ids) for ids in (changes.new, changes.changed, changes.gone)]
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
        done = [await import_path(desk, write_table(path, f"1,a,x,{state},Bo,2026-01-01,Pro")) for state in states]
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
        await import_path(desk, write_table(path, first, header=MESSAGES))
        added = await import_path(desk, write_table(path, first, second, header=MESSAGES))
        await import_path(desk, write_table(tickets, "1,a,The printer on floor 3 burns,open", header=header))
        edited = await import_path(desk, write_table(tickets, "1,a,The printer on floor 4 burns,open", header=header))
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
        await import_path(desk, write_table(path, *rows))
        again = await import_path(desk, path)
        shorter = await import_path(desk, write_table(path, *rows[:2]))
        gone = await references_of(desk, (await desk.history.changes(shorter.import_id)).gone)
        total = (await desk.tickets.counts()).total
    assert again.import_id == 0
    assert gone == ["3"]
    assert total == 36 + 3, "a ticket that an export no longer has was taken away"


async def test_a_ticket_of_another_file_is_never_told_as_gone(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    rows = ("1,a,x,open,Bo,2026-01-01,Pro", "2,b,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir, with_sample=False) as desk:
        first = await import_path(desk, write_table(path, *rows))
        await import_path(desk, write_table(path, *rows, ",no id,z,open,Bo,2026-01-01,Pro"))
        await desk.imports.undo(first.import_id)
        await import_path(
            desk, write_table(tmp_path / "other.csv", "8,e,u,open,Bo,2026-01-01,Pro", "9,f,v,open,Bo,2026-01-01,Pro")
        )
        last = await import_path(desk, write_table(path, "5,g,w,open,Bo,2026-01-01,Pro"))
        changes = await desk.history.changes(last.import_id)
        assert (await references_of(desk, changes.new), await references_of(desk, changes.gone)) == (["5"], [])


async def test_what_is_gone_is_not_guessed_from_an_import_that_was_stopped_or_of_other_tables(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    row = "{0},s{0},text {0},open,Bo,2026-01-01,Pro"
    async with opened_desk(data_dir) as desk:
        await import_path(desk, write_table(path, *(row.format(n) for n in range(3_000))))
        write_table(path, *(row.format(n).replace("open", "solved") for n in range(20_000)))
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
    path = write_table(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection, connection:
        connection.execute(
            "UPDATE import_batch SET finished_at = '', counts_json = '{}', ticket_ids = NULL WHERE id = ?",
            [done.import_id],
        )
    async with opened_desk(data_dir) as desk:
        record = await record_of(desk, done.import_id)
        changes = await desk.history.changes(done.import_id)
        undone = await desk.imports.undo(done.import_id)
    assert (record.state, record.totals.tickets_new, record.totals.rejected) == (ImportState.UNFINISHED, 1, 1)
    assert record.adds_up, "what is not at its end cannot be wrong yet"
    assert (len(changes.new), undone.tickets_removed) == (1, 1)


async def test_a_running_import_is_told_as_running(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t.csv", ",no id,x,open,,,", *(f"{n},a,x,open,Bo,2026-01-01,Pro" for n in range(1, 3_000))
    )
    async with opened_desk(data_dir) as desk:
        recognized = await desk.imports.recognize(path)
        async with aclosing(desk.imports.run(recognized)) as events:
            async for event in events:
                if isinstance(event, Rejected):
                    running = (await desk.imports.history())[0]
        finished = (await desk.imports.history())[0]
    assert (running.state, running.totals.rejected, running.adds_up) == (ImportState.RUNNING, 1, True)
    assert (finished.state, finished.totals.rows, finished.adds_up) == (ImportState.WHOLE, 3_000, True)


async def test_an_undone_import_says_that_nothing_is_left(data_dir: Path, tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", "1,a,x,open,Bo,2026-01-01,Pro", ",lost,y,open,Bo,2026-01-01,Pro")
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
        (row,) = await desk.history.rejects(done.import_id)
        await desk.imports.undo(done.import_id)
        with pytest.raises(DeskError, match="was undone"):
            await desk.history.changes(done.import_id)
        with pytest.raises(DeskError, match="was undone"):
            await desk.history.retry(row.id, cells=["2", "b", "", "", "", "", ""])
        assert (await record_of(desk, done.import_id)).state is ImportState.UNDONE


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
