"""Imports end to end: what a file holds is what the tickets say, whatever interrupts it, and there is a way back."""

from __future__ import annotations

import asyncio
import csv
from contextlib import aclosing
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.history import ImportState
from desktop.domain.imports import Finished, ImportCounts, ImportOverrides, MappingNeeded, Progress, Rejected
from desktop.domain.tickets import TicketQuery
from desktop.services.container import Desk
from desktop.services.imports import BATCH_ROWS
from desktop.storage.imports import ImportStore
from tests.conftest import LOOK_ALIKES
from tests.services.conftest import import_path, interrupt, opened_desk

HEADER = "id,subject,description,status,created_at\n"
WITHOUT_ID = ",s,text,open,2026-01-01\n"
"""Rejected, and said as soon as the first part of a file is written."""
MANY = "".join(f"{n},s{n},text {n},open,2026-01-01\n" for n in range(9_000))
MESSAGES = "ticket_id,author,author_role,created_at,body\n"


async def _dry_run(desk: Desk, path: Path) -> ImportCounts:
    recognized = await desk.imports.recognize(path)
    async with aclosing(desk.imports.run(recognized, dry_run=True)) as events:
        return [event.counts async for event in events if isinstance(event, Finished)][-1]


async def test_the_same_row_twice_is_one_ticket_and_every_row_is_counted(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text(HEADER + "1,a,x,open,2026-01-01\n2,b,y,open,2026-01-01\n1,a,x,open,2026-01-01\n", encoding="utf-8")
    async with opened_desk(data_dir) as desk:
        promised = await _dry_run(desk, path)
        done = (await import_path(desk, path)).counts
        again = (await import_path(desk, path)).counts
    assert promised == done
    assert (done.rows, done.rows_used, done.rows_unchanged, done.tickets_new) == (3, 2, 1, 2)
    assert (again.rows_unchanged, again.tickets_unchanged, again.adds_up) == (3, 2, True)


ANY_MOMENT = pytest.mark.parametrize(
    ("step", "turn", "is_over", "batches"),
    [
        ("begin", 1, False, 0),
        ("begin", 1, True, 0),
        ("write_batch", 1, False, 1),
        ("write_batch", 3, False, 3),
        ("write_batch", 3, True, 3),
        ("finish", 1, False, 6),
    ],
)
"""When an import of six batches is cancelled: as a step begins for the so-manieth time or as soon as it is over; and how much is written by then."""


def _six_batches(folder: Path) -> Path:
    path = folder / "many.csv"
    rows = (f"{n},s{n},text {n},open,2026-01-01\n" for n in range(6 * BATCH_ROWS))
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


async def _expect_all_counted(desk: Desk, batches: int) -> None:
    """Check that the one import there is says how much it wrote, and that its undo takes all of it."""
    written = batches * BATCH_ROWS
    assert (await desk.tickets.counts()).total == written
    records = await desk.imports.history()
    assert [(record.totals.tickets_new, bool(record.finished_at)) for record in records] == [(written, True)] * bool(
        written
    )
    for record in records:
        assert (await desk.imports.undo(record.id)).tickets_removed == written
    assert (await desk.tickets.counts()).total == 0


@ANY_MOMENT
async def test_an_import_cancelled_at_any_moment_is_recorded_with_what_it_wrote(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, turn: int, is_over: bool, batches: int
) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        task = asyncio.create_task(_drain(desk, await desk.imports.recognize(_six_batches(tmp_path))))
        interrupt(monkeypatch, ImportStore, step, task.cancel, turn=turn, is_over=is_over)
        with pytest.raises(asyncio.CancelledError):
            await task
        await _expect_all_counted(desk, batches)


@ANY_MOMENT
async def test_who_clicks_cancel_twice_has_every_written_ticket_counted(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, turn: int, is_over: bool, batches: int
) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        task = asyncio.create_task(_drain(desk, await desk.imports.recognize(_six_batches(tmp_path))))
        reached = asyncio.Event()
        interrupt(monkeypatch, ImportStore, step, reached.set, turn=turn, is_over=is_over)
        await reached.wait()
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        assert task.cancelled()
        await _expect_all_counted(desk, batches)


def _listed(done: Finished) -> list[dict[str, str]]:
    """Return the rows of the list of rejected rows."""
    return list(csv.DictReader(Path(done.rejects_path).read_text(encoding="utf-8-sig").splitlines()))


async def _drain(desk: Desk, recognized: object) -> None:
    async with aclosing(desk.imports.run(recognized)) as events:  # type: ignore[arg-type]
        async for event in events:
            assert isinstance(event, Finished | Progress | type(recognized))


@pytest.mark.parametrize(
    ("name", "source"),
    [("Export (week 47).csv", "export-week"), ("tickets (2).csv", "tickets"), ("tickets (eu).csv", "tickets-(eu)")],
)
async def test_a_source_is_named_after_the_file_without_half_a_bracket(
    data_dir: Path, tmp_path: Path, name: str, source: str
) -> None:
    (tmp_path / name).write_text(HEADER + "1,a,x,open,2026-01-01\n", encoding="utf-8")
    async with opened_desk(data_dir, with_sample=False) as desk:
        assert (await desk.imports.recognize(tmp_path / name)).source == source


async def test_a_record_without_names_is_refused_in_a_whole_sentence(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("[{}, {}]", encoding="utf-8")
    async with opened_desk(data_dir, with_sample=False) as desk:
        with pytest.raises(MappingNeeded, match=r"ticket id \(it has no columns\)"):
            await desk.imports.recognize(tmp_path / "empty.json")


async def test_an_import_that_another_window_takes_back_while_it_runs_leaves_nothing(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_text(HEADER + WITHOUT_ID + MANY, encoding="utf-8")
    async with opened_desk(data_dir, with_sample=False) as desk, opened_desk(data_dir, with_sample=False) as other:
        recognized = await desk.imports.recognize(path)

        async def run_and_take_back() -> None:
            async with aclosing(desk.imports.run(recognized)) as events:
                async for event in events:
                    if isinstance(event, Rejected):
                        assert (await other.imports.undo(1)).tickets_removed > 0

        with pytest.raises(DeskError, match="was undone while it ran") as raised:
            await run_and_take_back()
        assert raised.value.code == "import-undone"
        assert (await desk.tickets.counts()).total == 0
        assert [record.state for record in await desk.imports.history()] == [ImportState.UNDONE]
        assert await desk.imports.take_stopped() is None


async def test_what_an_import_that_runs_has_counted_as_unchanged_is_not_taken_from_under_it(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_text(HEADER + WITHOUT_ID + MANY, encoding="utf-8")
    async with opened_desk(data_dir) as desk:
        first = await import_path(desk, path)
        with path.open("a", encoding="utf-8") as file:
            file.write("9000,new,text,open,2026-01-01\n")
        async with aclosing(desk.imports.run(await desk.imports.recognize(path))) as events:
            async for event in events:
                if isinstance(event, Rejected):
                    with pytest.raises(DeskError, match="still running") as raised:
                        await desk.imports.undo(first.import_id)
                last = event
        assert raised.value.code == "import-running"
        assert isinstance(last, Finished)
        assert (last.counts.tickets_unchanged, last.counts.tickets_new) == (9_000, 1)
        assert (await desk.imports.undo(first.import_id)).tickets_removed == 9_000


async def test_an_export_of_newer_messages_only_keeps_the_ticket_what_it_was(data_dir: Path, tmp_path: Path) -> None:
    first = "7,Ada,customer,2026-03-02T09:00:00Z,My card was charged twice for the Pro plan.\n7,Sam,agent,2026-03-02T10:00:00Z,Looking into it.\n"
    newer = "7,Sam,agent,2026-03-10T10:00:00Z,The refund was issued just now.\n"
    path = tmp_path / "messages.csv"
    async with opened_desk(data_dir) as desk:
        path.write_text(MESSAGES + first, encoding="utf-8")
        await import_path(desk, path)
        path.write_text(MESSAGES + newer, encoding="utf-8")
        counts = (await import_path(desk, path)).counts
        again = (await import_path(desk, path)).counts
        thread = await desk.tickets.thread(await desk.tickets.find("messages:7"))
    assert thread is not None
    assert (counts.tickets_updated, again.tickets_unchanged) == (1, 1)
    assert thread.ticket.subject.startswith("My card was charged twice")
    assert (thread.ticket.requester, thread.ticket.created_at) == ("Ada", "2026-03-02T09:00:00Z")
    assert [message.text[:3] for message in thread.messages] == ["My ", "Loo", "The"]


async def test_rejected_rows_are_listed_so_that_a_spreadsheet_runs_none_of_them(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{'long' * 40}.csv"
    path.write_text(
        HEADER + "1,a,x,open,2026-01-01\n2,b,y,open,2026-01-01\n=cmd|' /C calc'!A0,a,b,c,d,e,f\n", encoding="utf-8"
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
    with open(done.rejects_path, encoding="utf-8-sig", newline="") as file:  # noqa: ASYNC230, PTH123 - a short file of this test
        _, row = csv.reader(file)
    assert (row[1], row[5]) == ("4", "'=cmd|' /C calc'!A0,a,b,c,d,e,f")
    assert not [cell for cell in row if cell.startswith("=")]


async def test_the_list_of_rejected_rows_holds_each_of_many_once(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    lines = range(3, 4_503)
    path.write_text(
        HEADER + "1,a,x,open,2026-01-01\n" + "".join(f",s{n},t,open,2026-01-01\n" for n in lines), encoding="utf-8"
    )
    async with opened_desk(data_dir) as desk:
        done = await import_path(desk, path)
    assert [int(row["line"]) for row in _listed(done)] == list(lines)


async def test_undo_while_its_ticket_is_being_summarized_breaks_nothing(data_dir: Path) -> None:
    from desktop.domain.runs import ClaimChecked
    from desktop.domain.runs import Finished as SummaryFinished
    from desktop.llm.scripted_server import ScriptedServer, good_stream

    with ScriptedServer(
        good_stream("Problem: The card shows $59.00 twice. [m1.1]\nNext step: none\n", pause_seconds=0.01)
    ) as server:
        async with opened_desk(data_dir, server) as desk:
            ticket_id = await desk.tickets.find("support-tickets:DSK-4136")
            async with aclosing(desk.summaries.stream(ticket_id)) as events:
                async for event in events:
                    if isinstance(event, ClaimChecked):
                        await desk.imports.undo(1)
                    last = event
            assert len(await desk.tickets.ids(TicketQuery())) == 0
    assert isinstance(last, SummaryFinished)
    assert "shows $59.00 twice" in last.summary.text


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
async def test_a_ticket_with_a_databases_empty_date_can_be_read_and_summarized(
    data_dir: Path, tmp_path: Path, when: str
) -> None:
    path = tmp_path / "empty-dates.csv"
    path.write_text(
        HEADER + f"1,Late,It must be there by Friday or tomorrow at the latest.,open,{when}\n2,b,y,open,2026-01-01\n",
        encoding="utf-8",
    )
    async with opened_desk(data_dir) as desk:
        await import_path(desk, path)
        opened = await desk.summaries.open_ticket(await desk.tickets.find("empty-dates:1"))
    assert opened.highlights


async def test_a_corrected_mapping_is_remembered_for_the_next_file_of_that_shape(
    data_dir: Path, tmp_path: Path
) -> None:
    header = "when,what happened,who\n"
    first, second, other = (tmp_path / name for name in ("march.csv", "april.csv", "other.csv"))
    first.write_text(header + "03/04/2026,The printer burns,Ada\n05/04/2026,The door sticks,Bo\n", encoding="utf-8")
    second.write_text(header + "06/04/2026,The lift is stuck,Cy\n", encoding="utf-8")
    other.write_text("when,what happened\n06/04/2026,x\n", encoding="utf-8")
    corrected = ImportOverrides({0: "ticket_id", 1: "subject", 2: "requester"})
    async with opened_desk(data_dir) as desk:
        with pytest.raises(MappingNeeded):
            await desk.imports.recognize(first)
        recognized = await desk.imports.recognize(first, overrides=corrected)
        async with aclosing(desk.imports.run(recognized)) as events:
            assert [event async for event in events][-1]
        again = await desk.imports.recognize(second)
        with pytest.raises(MappingNeeded):
            await desk.imports.recognize(other)
        await import_path(desk, second)
        thread = await desk.tickets.thread(await desk.tickets.find("april:06/04/2026"))
    assert (again.is_remembered, dict(again.overrides.roles)) == (True, dict(corrected.roles))
    assert "as you corrected it before" in again.reason
    assert thread is not None
    assert (thread.ticket.subject, thread.ticket.requester) == ("The lift is stuck", "Cy")


async def test_a_source_named_once_is_not_taken_for_a_correction(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(HEADER + "1,a,x,open,2026-01-01\n2,b,y,open,2026-01-01\n", encoding="utf-8")
    async with opened_desk(data_dir) as desk:
        recognized = await desk.imports.recognize(path, overrides=ImportOverrides(source="berlin"))
        async with aclosing(desk.imports.run(recognized)) as events:
            assert [event async for event in events][-1]
        again = await desk.imports.recognize(path)
    assert (again.source, again.is_remembered) == ("tickets", False)


ASKED = (
    b"Message-ID: <a@example.org>\nFrom: Maria Kunz <maria@example.org>\nTo: help@acme.test\nSubject: Printer burns\n"
    b"Date: Mon, 2 Mar 2026 10:14:11 +0100\n\nIt burns since Monday.\n"
)
ANSWERED = (
    b"Message-ID: <b@acme.test>\nFrom: Acme <help@acme.test>\nTo: maria@example.org\nSubject: Re: Printer burns\n"
    b"References: <a@example.org>\nDate: Mon, 2 Mar 2026 11:00:00 +0000\n\nPull the plug.\n"
)


@pytest.mark.parametrize("order", [(ASKED, ANSWERED), (ANSWERED, ASKED)])
async def test_mails_dropped_one_by_one_join_one_ticket(
    data_dir: Path, tmp_path: Path, order: tuple[bytes, bytes]
) -> None:
    async with opened_desk(data_dir) as desk:
        for number, content in enumerate(order):
            path = tmp_path / f"{number}.eml"
            path.write_bytes(content)
            await import_path(desk, path)
        again = (await import_path(desk, tmp_path / "0.eml")).counts
        total = (await desk.tickets.counts()).by_source["mail"]
        thread = await desk.tickets.thread(await desk.tickets.find("mail:a@example.org"))
    assert thread is not None
    assert (total, thread.ticket.subject, thread.ticket.requester) == (1, "Printer burns", "Maria Kunz")
    assert [(m.author, m.role.value, m.text) for m in thread.messages] == [
        ("Maria Kunz", "customer", "It burns since Monday."),
        ("Acme", "agent", "Pull the plug."),
    ]
    assert (again.tickets_new, again.tickets_updated, again.tickets_unchanged) == (0, 0, 1)


async def test_the_same_mailbox_twice_changes_nothing(data_dir: Path) -> None:
    async with opened_desk(data_dir) as desk:
        first = (await import_path(desk, LOOK_ALIKES / "exports" / "support.mbox")).counts
        again = (await import_path(desk, LOOK_ALIKES / "exports" / "support.mbox")).counts
    assert (first.rows, first.tickets_new, first.messages) == (6, 3, 6)
    assert (again.rows_unchanged, again.tickets_unchanged, again.adds_up) == (6, 3, True)
