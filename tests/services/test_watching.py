"""A watched folder and the tickets: what comes in by itself, what is asked, and what is left alone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from desktop.domain.imports import Finished, ImportOverrides, Recognized
from desktop.domain.tickets import TicketQuery
from desktop.domain.watching import FilesFound, FolderReached, FoundFile, Taken
from desktop.services.container import Desk
from tests.services.conftest import import_path, opened_desk

ZENDESK = "Id,Requester,Subject,Status,Via,Created at\n"
ODD = "when,what happened\n"
PATIENCE_S = 20


@asynccontextmanager
async def finds(desk: Desk, folder: Path) -> AsyncIterator[asyncio.Queue[FoundFile]]:
    """Watch a folder; give a queue of what is found there."""
    queue: asyncio.Queue[FoundFile] = asyncio.Queue()

    async def read() -> None:
        async with aclosing(desk.watching.watch(folder, settle_seconds=0.05, look_seconds=0.1)) as events:
            async for event in events:
                if isinstance(event, FilesFound):
                    for found in event.files:
                        queue.put_nowait(found)
                else:
                    assert isinstance(event, FolderReached)

    task = asyncio.create_task(read())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.wait([task])


async def take(desk: Desk, queue: asyncio.Queue[FoundFile]) -> tuple[Path, Taken]:
    """Take the next file that is found."""
    found = await asyncio.wait_for(queue.get(), PATIENCE_S)
    return Path(found.path), await desk.watching.take(found, partial(run, desk))


async def run(desk: Desk, recognized: Recognized) -> Finished:
    async with aclosing(desk.imports.run(recognized)) as events:
        (finished,) = [event async for event in events if isinstance(event, Finished)]
    return finished


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


async def test_the_export_of_a_known_system_comes_in_by_itself_and_only_once(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    path = write(folder / "view.csv", ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n")
    async with opened_desk(data_dir) as desk:
        async with finds(desk, folder) as queue:
            _, taken = await take(desk, queue)
            assert [done.counts.tickets_new for done in taken.done] == [1]
            write(path, ZENDESK + "17,Ada,The printer is out,closed,web,2026-03-02\n18,Bo,Jam,open,web,2026-03-03\n")
            _, taken = await take(desk, queue)
            (done,) = taken.done
            assert (done.counts.tickets_new, done.counts.tickets_updated) == (1, 1)
        async with finds(desk, folder) as queue:
            # After a start, what was handled is not told again; what came meanwhile is.
            write(folder / "later.csv", ZENDESK + "19,Cy,Paper,open,web,2026-03-04\n")
            found, _ = await take(desk, queue)
            assert found.name == "later.csv"
        assert len(await desk.tickets.ids(TicketQuery(where=(("source", "zendesk"),)))) == 3
    assert path.exists()


async def test_a_table_nobody_knows_is_asked_about_and_then_comes_in_by_itself(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    first = write(folder / "a.csv", ODD + "2026-01-02,The printer burns\n2026-01-03,The door sticks\n")
    async with opened_desk(data_dir) as desk, finds(desk, folder) as queue:
        _, taken = await take(desk, queue)
        assert (taken.questions, taken.done) == ((str(first),), ())
        corrected = ImportOverrides({0: "ticket_id", 1: "subject"})
        async with aclosing(desk.imports.run(await desk.imports.recognize(first, overrides=corrected))) as events:
            assert [event async for event in events]
        write(folder / "b.csv", ODD + "2026-02-02,The lift is stuck\n")
        _, taken = await take(desk, queue)
        assert [done.counts.tickets_new for done in taken.done] == [1]
        assert taken.done[0].recognized.is_remembered


async def test_a_guess_that_a_person_accepted_is_used_again(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    header = "Ticket No,Title,Details\n"
    outside = write(tmp_path / "team.csv", header + "T-1,Cannot print,Blank pages since Monday.\n")
    inside = write(folder / "team 2.csv", header + "T-2,Refund,Charged twice.\n")
    async with opened_desk(data_dir) as desk:
        async with finds(desk, folder) as queue:
            found = await asyncio.wait_for(queue.get(), PATIENCE_S)
        assert (await desk.watching.take(found, partial(run, desk))).questions == (str(inside),)
        await import_path(desk, outside)
        (again,) = (await desk.watching.take(found, partial(run, desk))).done
        assert [column.role for column in again.recognized.columns] == ["ticket_id", "subject", "body"]
        assert again.recognized.source == "team"


async def test_what_is_no_export_is_refused_with_the_reason_and_not_told_again(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    write(folder / "page.txt", "<!doctype html><p>Hello</p>")
    async with opened_desk(data_dir) as desk:
        async with finds(desk, folder) as queue:
            _, taken = await take(desk, queue)
            assert [error.code for error in taken.refused] == ["file-not-table"]
        async with finds(desk, folder) as queue:
            write(folder / "view.csv", ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n")
            found, taken = await take(desk, queue)
            assert found.name == "view.csv"
            assert taken.done


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
async def test_a_file_whose_name_is_no_text_is_asked_about_once(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    odd = write(folder / os.fsdecode(b"caf\xe9.csv"), ODD + "2026-01-02,The printer burns\n2026-01-03,Stuck\n")
    async with opened_desk(data_dir) as desk:
        async with finds(desk, folder) as queue:
            found, taken = await take(desk, queue)
            assert (found, taken.questions) == (odd, (str(odd),))
        async with finds(desk, folder) as queue:
            write(folder / "view.csv", ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n")
            found, _ = await take(desk, queue)
            assert found.name == "view.csv"
