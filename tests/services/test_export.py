"""Exports: whole, safe to open, and a table that comes back as the tickets it was written from."""

from __future__ import annotations

import asyncio
import csv
import html.parser
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.domain.errors import DeskError
from desktop.domain.exported import as_was, harmless
from desktop.domain.imports import Finished as ImportFinished
from desktop.domain.runs import CheckedClaim, Claim, Coverage, RunState, Summary, Support
from desktop.domain.sentences import number_sentences
from desktop.domain.tickets import Thread, TicketQuery
from desktop.services.container import Desk
from desktop.services.export import ExportFinished, ExportFormat, ExportProgress
from desktop.services.rendering.targets import one_line
from desktop.storage.runs import NewRun
from tests.services.conftest import TICKET, import_path, opened_desk

RUN_BY_SPREADSHEETS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", '"=1', " =1", "＝1+1", "＋1", "－1", "＠x"),
    *("|calc", "%1", "\u200b=1", "\ufeff=1", "\n=1", "−1"),
)
HARD_TICKETS = [
    "Ticket No,Title,Details,State,Customer,Opened,Team color",
    '"=HYPERLINK(""http://e.example"")",=cmd|calc,"\'=already, with ""quotes""\n\nand, lines;",open,@ada,2026-03-02,+blue',
    "T-2,Ärger mit 北京 🙂,- one\n- two,closed,Bo,2026-03-03,'red",
    "T-3,No text,,open,Cy,2026-03-04,",
]


@asynccontextmanager
async def _desk_with(folder: Path, *files: Path) -> AsyncIterator[Desk]:
    await asyncio.to_thread(folder.mkdir, mode=0o700)
    async with opened_desk(folder, with_sample=False) as desk:
        for file in files:
            await import_path(desk, file)
        yield desk


async def _export(desk: Desk, wanted: ExportFormat, path: Path) -> bytes:
    ids = await desk.tickets.ids(TicketQuery(sort="created_at"))
    async with aclosing(desk.export.export(ids.tolist(), wanted, path, replace_existing=True)) as events:
        seen = [event async for event in events]
    assert seen[-1] == ExportFinished(path, len(ids))
    return await asyncio.to_thread(path.read_bytes)


async def _threads(desk: Desk) -> dict[str, Thread]:
    threads = [await desk.tickets.thread(i) for i in await desk.tickets.ids(TicketQuery())]
    return {thread.ticket.reference: thread for thread in threads if thread}


def _files(tmp_path: Path, shared_data: Path) -> list[Path]:
    hard = tmp_path / "hard.csv"
    text = ["\n".join(HARD_TICKETS[:2]), HARD_TICKETS[2].replace("- one\n- two", '"- one\n- two"'), HARD_TICKETS[3]]
    hard.write_text("\n".join(text) + "\n", encoding="utf-8")
    folder = shared_data / "exports"
    names = (
        "conversations/support_messages.csv",
        "zendesk/fivetran_ticket_data.csv",
        "jira/jira_cloud_bom_us_dates.SYNTHROWS.csv",
    )
    return [hard, *(folder / name for name in names if (folder / name).is_file())]


async def test_a_table_that_is_imported_again_gives_the_same_tickets_and_the_same_table(
    tmp_path: Path, shared_data: Path
) -> None:
    async with _desk_with(tmp_path / "one", *_files(tmp_path, shared_data)) as desk:
        await import_path(desk, desk.paths.sample)
        first = await _export(desk, ExportFormat.CSV, tmp_path / "first.csv")
        before = await _threads(desk)
    async with _desk_with(tmp_path / "two", tmp_path / "first.csv") as desk:
        second = await _export(desk, ExportFormat.CSV, tmp_path / "second.csv")
        after = await _threads(desk)
    assert second == first
    assert after.keys() == before.keys()
    for reference, thread in before.items():
        assert after[reference].messages == thread.messages
        assert after[reference].fields == thread.fields
        assert after[reference].content_hash == thread.content_hash


async def test_the_table_is_told_by_itself_and_every_row_is_used(tmp_path: Path, shared_data: Path) -> None:
    async with _desk_with(tmp_path / "one", *_files(tmp_path, shared_data)) as desk:
        await _export(desk, ExportFormat.CSV, tmp_path / "tickets.csv")
        total = len(await desk.tickets.ids(TicketQuery()))
        again = await import_path(desk, tmp_path / "tickets.csv")
    assert (again.recognized.system, again.recognized.shape) == ("tldesk", "whole")
    assert again.counts.tickets_unchanged == total
    assert again.counts.rejected == 0
    assert again.counts.adds_up


async def test_tickets_of_several_sources_go_back_to_their_own_and_one_undo_takes_them_away(
    tmp_path: Path, shared_data: Path
) -> None:
    async with _desk_with(tmp_path / "one", *_files(tmp_path, shared_data)) as desk:
        await import_path(desk, desk.paths.sample)
        await _export(desk, ExportFormat.CSV, tmp_path / "tickets.csv")
        before = (await desk.tickets.counts()).by_source
    assert len(before) > 1
    async with _desk_with(tmp_path / "two") as desk:
        recognized = await desk.imports.recognize(tmp_path / "tickets.csv")
        told = [event async for event in desk.imports.run(recognized, dry_run=True)][-1]
        assert isinstance(told, ImportFinished)
        assert told.counts.tickets_new == sum(before.values())
        done = await import_path(desk, tmp_path / "tickets.csv")
        assert (await desk.tickets.counts()).by_source == before
        undone = await desk.imports.undo(done.import_id)
        assert undone.tickets_removed == sum(before.values())
        assert len(await desk.tickets.ids(TicketQuery())) == 0


async def test_a_table_that_a_spreadsheet_sorted_and_wrote_its_own_way_still_comes_back(tmp_path: Path) -> None:
    async with _desk_with(tmp_path / "one") as desk:
        await import_path(desk, desk.paths.sample)
        text = (await _export(desk, ExportFormat.CSV, tmp_path / "tickets.csv")).decode("utf-8-sig")
        before = await _threads(desk)
    header, *rows = list(csv.reader(text.splitlines(keepends=True)))
    place = header.index("message_internal")
    rows.sort(key=lambda row: row[header.index("message_text")], reverse=True)
    changed = tmp_path / "changed.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([*header, "My notes"])
        writer.writerows([*row[:place], row[place].upper(), *row[place + 1 :], ""] for row in rows)
    async with _desk_with(tmp_path / "two", changed) as desk:
        after = await _threads(desk)
    assert after.keys() == before.keys()
    for reference, thread in before.items():
        assert after[reference].messages == thread.messages
        assert after[reference].fields == thread.fields


async def test_no_cell_of_a_table_is_run(tmp_path: Path, shared_data: Path) -> None:
    async with _desk_with(tmp_path / "one", *_files(tmp_path, shared_data)) as desk:
        text = (await _export(desk, ExportFormat.CSV, tmp_path / "tickets.csv")).decode("utf-8-sig")
    cells = [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    assert any("=cmd|calc" in cell for cell in cells)
    for cell in cells:
        assert not re.match(r"""[\s"]*[=+@\-＝＋－＠\t\r]""", cell), cell


@given(st.text(alphabet="'\"=+-@＝＠\t\r\n a1|%\u200b;(!") | st.text())
@example("'=1")
@example("''+")
def test_every_cell_comes_back_as_it_was(cell: str) -> None:
    assert as_was(harmless(cell)) == cell


@pytest.mark.parametrize("cell", RUN_BY_SPREADSHEETS)
def test_what_a_spreadsheet_would_run_is_neutralized_and_comes_back(cell: str) -> None:
    assert harmless(cell).startswith("'")
    assert harmless(cell) != cell
    assert as_was(harmless(cell)) == cell


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Hello;=HYPERLINK(1)", "Hello;'=HYPERLINK(1)"),
        ("Hello\n=1+1\n'=2", "Hello\n'=1+1\n''=2"),
        ('Hello\t"@SUM(A1)', "Hello\t'\"@SUM(A1)"),
        ("Hello;-2+cmd|' /C calc'!A0", "Hello;'-2+cmd|' /C calc'!A0"),
        ("Hello\n- one\n- two; -3", "Hello\n- one\n- two; -3"),
    ],
)
def test_nor_is_it_run_where_a_spreadsheet_cuts_at_other_signs(cell: str, written: str) -> None:
    """Where lists are written with semicolons, programs cut there, and a cell of ours becomes several."""
    assert harmless(cell) == written
    assert as_was(written) == cell


@pytest.mark.parametrize("cell", ["", "word", "it's", "'quoted'", "3-1", "a=b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == as_was(cell) == cell


def _summary_of(thread: Thread) -> Summary:
    claims = (
        CheckedClaim(Claim("Problem", "A <b>bold</b> claim.", ("m1.1",)), Support.SUPPORTED, 1.0, ("m1.1",)),
        CheckedClaim(Claim("Next step", "Nobody said so.", ()), Support.UNCITED, 0.0),
    )
    return Summary(
        thread.ticket.id,
        RunState.COMPLETE,
        text="Problem: …",
        gist="=Gist",
        claims=claims,
        model="small",
        provider="here",
        sections={"Problem": "A <b>bold</b> claim."},
        coverage=Coverage(5, 5),
    )


async def _store_summary(desk: Desk, reference: str) -> int:
    ticket_id = await desk.tickets.find(reference)
    thread = await desk.tickets.thread(ticket_id)
    assert thread is not None
    run_id = await desk._runs.start(
        NewRun(
            ticket_id=ticket_id,
            task="summarize",
            recipe="summarize",
            recipe_version=1,
            recipe_digest="",
            provider="here",
            model="small",
            cache_key="k",
            text_key="k",
            content_hash=thread.content_hash,
            message_count=len(thread.messages),
            messages_hash="",
        )
    )
    await desk._runs.finish(run_id, _summary_of(thread), number_sentences(thread.messages))
    return ticket_id


async def test_summaries_are_exported_with_what_was_found_of_each_claim(tmp_path: Path) -> None:
    async with _desk_with(tmp_path / "one") as desk:
        await import_path(desk, desk.paths.sample)
        await _store_summary(desk, TICKET)
        exported = {
            wanted: (await _export(desk, wanted, tmp_path / f"t.{wanted}")).decode("utf-8-sig")
            for wanted in ExportFormat
        }
    tickets = json.loads(exported[ExportFormat.JSON])["tickets"]
    summary = next(ticket["summary"] for ticket in tickets if ticket["id"] == TICKET)
    assert [claim["support"] for claim in summary["claims"]] == ["supported", "uncited"]
    assert sum(ticket["summary"] is not None for ticket in tickets) == 1
    rows = list(csv.DictReader(exported[ExportFormat.CSV].splitlines(keepends=True)))
    row = next(row for row in rows if row["summary"])
    assert row["gist"] == "'=Gist"
    assert row["summary"].splitlines() == ["Problem: A <b>bold</b> claim. [m1.1]", "Next step: Nobody said so."]
    assert "uncited" in row["claims"]
    assert "A &lt;b&gt;bold&lt;/b&gt; claim." in exported[ExportFormat.HTML]
    assert "uncited: no source given or found" in exported[ExportFormat.HTML]
    assert "**Next step:** Nobody said so\\." in exported[ExportFormat.MARKDOWN]


async def test_every_message_and_every_original_field_is_in_every_format(tmp_path: Path, shared_data: Path) -> None:
    async with _desk_with(tmp_path / "one", *_files(tmp_path, shared_data)) as desk:
        threads = (await _threads(desk)).values()
        page = (await _export(desk, ExportFormat.HTML, tmp_path / "t.html")).decode("utf-8")
        document = json.loads(await _export(desk, ExportFormat.JSON, tmp_path / "t.json"))
    shown = _Shown()
    shown.feed(page)
    text = " ".join("".join(shown.texts).split())
    for thread in threads:
        for message in thread.messages:
            assert one_line(message.text) in text
        for name in (name for name, value in thread.fields.items() if value):
            assert one_line(name) in text
    assert shown.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "article", "p", "section",
                          "pre", "br", "strong", "span", "details", "summary", "dl", "dt", "dd"}  # fmt: skip
    assert not shown.attributes & {"href", "src", "srcset", "onerror", "onload", "action", "data"}
    by_id = {ticket["id"]: ticket for ticket in document["tickets"]}
    for thread in threads:
        assert [m["text"] for m in by_id[thread.ticket.reference]["messages"]] == [m.text for m in thread.messages]
        assert by_id[thread.ticket.reference]["fields"] == thread.fields


class _Shown(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.texts.append(" " if tag in ("br", "dd", "dt", "p", "pre") else "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


async def test_an_export_that_is_cancelled_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    async with _desk_with(tmp_path / "one") as desk:
        await import_path(desk, desk.paths.sample)
        folder = tmp_path / "out"
        folder.mkdir()
        path = folder / "t.json"
        path.write_text("old", encoding="utf-8")
        ids = (await desk.tickets.ids(TicketQuery())).tolist()
        events = desk.export.export(ids, ExportFormat.JSON, path, replace_existing=True)
        assert isinstance(await anext(events), ExportProgress)
        await events.aclose()
    assert [file.name for file in folder.iterdir()] == ["t.json"]
    assert path.read_text(encoding="utf-8") == "old"


async def test_a_file_that_is_there_is_only_replaced_when_told_so(tmp_path: Path) -> None:
    async with _desk_with(tmp_path / "one") as desk:
        path = tmp_path / "t.json"
        path.write_text("old", encoding="utf-8")
        with pytest.raises(DeskError, match="is there already"):
            async with aclosing(desk.export.export([], ExportFormat.JSON, path)) as events:
                await anext(events)
        assert path.read_text(encoding="utf-8") == "old"
        with pytest.raises(DeskError, match="cannot be written"):
            async with aclosing(desk.export.export([], ExportFormat.JSON, tmp_path / "none" / "t.json")) as events:
                await anext(events)
        with pytest.raises(DeskError, match="is no file"):
            async with aclosing(desk.export.export([], ExportFormat.JSON, tmp_path)) as events:
                await anext(events)
