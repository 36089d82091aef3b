"""Erasing: what a person left anywhere is looked for in the bytes of every file, not in what our own code says of it."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from desktop.domain.erasing import Erased, Handles, Way
from desktop.domain.errors import DeskError
from desktop.domain.scrubbing import Scrubber
from desktop.domain.tickets import TicketQuery
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.services.conftest import import_path, opened_desk, summarize

NAME, EMAIL, PHONE = "María García Peña", "maria.garcia@example.org", "+34 612 345 678"
PLAIN_NAME = "Maria Garcia Pena"
OWN_WORD = "zyzzyvarium"
"""A word that only they wrote: it must be gone from the full-text index too."""
_HEADER = "Ticket ID,Subject,Status,Requester,Requester Email,Phone,Assignee,Description,Created At\n"
_OWN_ROWS = f"""T-1,Printer of {NAME},open,{NAME},{EMAIL},{PHONE},Bob Jones,"Hello, my {OWN_WORD} broke. Call me: {PHONE}.

Best regards,
{NAME}
Head of Sales
{EMAIL}",2026-01-01
T-3,Second,open,{NAME},{EMAIL},,Bob Jones,"Hi Maria, here is the answer. - Bob",2026-01-03
,Lost,open,{NAME},{EMAIL},,Bob Jones,"A row without a number",2026-01-03
"""
_OTHER_ROWS = f"""T-2,Order for {NAME.upper()},open,Ann Lee,ann@example.com,,Bob Jones,"Please also tell {PLAIN_NAME} ({EMAIL.upper()}), or
García Peña, María. The Garcia case is another.",2026-01-02
T-4,Other,open,John Smith,js1@example.com,,Bob Jones,"I am John Smith and alone.",2026-01-03
T-5,Other,open,John Smith,js2@example.com,,Bob Jones,"I am John Smith too.",2026-01-03
"""


def _write(path: Path, *parts: str) -> Path:
    path.write_text("".join((_HEADER, *parts)), encoding="utf-8")
    return path


def _ways_to_write(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le"):
        yield text.lower().encode(encoding)
    yield ascii(text)[1:-1].lower().encode()


def _holding(folder: Path, *texts: str) -> list[str]:
    """Return the files of a folder that hold any of these texts: in their bytes, or in what their traces are packed from."""
    wanted = [way for text in texts for way in _ways_to_write(text)]
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if any(way in part.lower() for part in _parts(path) for way in wanted)]


def _leave_in_freed_pages(path: Path) -> None:
    """Have the person in pages that were freed earlier: many systems' SQLite does not overwrite them (Debian's does, unless told not to)."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("INSERT INTO mapping VALUES ('garbage', ?, '', '', '', '', 1)", [f"{NAME} {EMAIL} " * 5_000])
        connection.execute("DELETE FROM mapping WHERE fingerprint = 'garbage'")
    assert (
        path.read_bytes().count(EMAIL.encode()) + path.with_name(f"{path.name}-wal").read_bytes().count(EMAIL.encode())
        > 1_000
    )


def _parts(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if raw[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'trace'").fetchone():
                for request, answer in connection.execute("SELECT request, answer FROM trace"):
                    yield zlib.decompress(request)
                    yield zlib.decompress(answer) if answer else b""


async def _erase(desk: Desk, reference: str, way: Way) -> Erased:
    found = await desk.erasing.find(reference)
    async with aclosing(desk.erasing.erase(found, way)) as events:
        return [event async for event in events if isinstance(event, Erased)][-1]


async def _fill(desk: Desk, folder: Path) -> None:
    """Have the person everywhere: tickets, two imports of them, rejects, a summary with claims and a star, traces, the log of another's request."""
    await import_path(desk, _write(folder / f"{PLAIN_NAME} export.csv", _OWN_ROWS, _OTHER_ROWS))
    await import_path(
        desk, _write(folder / f"{PLAIN_NAME} export2.csv", _OWN_ROWS.replace("open", "closed"), _OTHER_ROWS)
    )
    for reference in ("T-1", "T-2"):
        await summarize(desk, reference)
    await desk.summaries.star(await desk.tickets.find("T-1"), is_starred=True)
    (desk.paths.logs / "tldesk.log").write_text(f"WARNING: {EMAIL} was here\n", encoding="utf-8")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Play a summary that names the person."""
    with ScriptedServer(good_stream(f"Gist: {NAME} ({EMAIL}) has a broken printer [m1.1].")) as running:
        yield running


@pytest.mark.parametrize("way", list(Way))
async def test_nothing_of_a_person_is_left_in_any_byte(
    data_dir: Path, tmp_path: Path, server: ScriptedServer, way: Way
) -> None:
    async with opened_desk(data_dir, server, with_sample=False) as desk:
        await _fill(desk, tmp_path)
        await desk.tickets.caught_up()
        await asyncio.to_thread(_leave_in_freed_pages, data_dir / "tldesk.sqlite")
        erased = await _erase(desk, EMAIL.upper(), way)
        assert _holding(data_dir, NAME, PLAIN_NAME, EMAIL, PHONE, PHONE.replace(" ", "")) == []
    assert _holding(data_dir, NAME, PLAIN_NAME, EMAIL) == []
    assert erased.is_swept
    footprint = erased.footprint
    assert (footprint.tickets, footprint.messages, footprint.summaries, footprint.starred) == (2, 2, 1, 1)
    assert (footprint.mentions, footprint.rejects, footprint.backups, footprint.kept) == (1, 2, (), ())
    assert footprint.traces >= 1
    assert {Path(path).name for path in footprint.files} >= {"tldesk.log"}
    is_kept = way is Way.ANONYMIZE
    assert bool(_holding(data_dir, OWN_WORD)) is is_kept, (
        "their words go with their tickets, also from the full-text index"
    )


async def test_anonymized_tickets_stay_with_a_stand_in(data_dir: Path, tmp_path: Path, server: ScriptedServer) -> None:
    async with opened_desk(data_dir, server, with_sample=False) as desk:
        await _fill(desk, tmp_path)
        await _erase(desk, NAME, Way.ANONYMIZE)
        opened = await desk.summaries.open_ticket(await desk.tickets.find("T-1"))
        thread = opened.thread
        assert thread.ticket.requester == "Person 1"
        assert thread.ticket.subject == "Printer of Person 1"
        assert thread.messages[0].text == f"Hello, my {OWN_WORD} broke. Call me: [phone].\n\nPerson 1"
        assert thread.fields["Phone"] == "Person 1"
        assert thread.fields["Requester Email"] == "person-1@erased.invalid"
        assert opened.summary is not None
        assert opened.summary.text.startswith("Gist: Person 1 (person-1@erased.invalid) has a broken printer")
        assert not opened.summary.stale, "a summary does not grow old because a name went"
        answered = (await desk.summaries.open_ticket(await desk.tickets.find("T-3"))).thread
        assert answered.messages[0].text.startswith("Hi Person 1, here is the answer.")
        assert len(await desk.tickets.ids(TicketQuery(search=OWN_WORD))) == 1


async def test_other_peoples_tickets_lose_the_name_and_nothing_else(
    data_dir: Path, tmp_path: Path, server: ScriptedServer
) -> None:
    async with opened_desk(data_dir, server, with_sample=False) as desk:
        await _fill(desk, tmp_path)
        await _erase(desk, NAME, Way.REMOVE)
        opened = await desk.summaries.open_ticket(await desk.tickets.find("T-2"))
        assert opened.thread.ticket.subject == "Order for Person 1"
        assert opened.thread.messages[0].text == (
            "Please also tell Person 1 (person-1@erased.invalid), or\nPerson 1. The Garcia case is another."
        )
        assert opened.summary is not None
        assert not opened.summary.stale
        with pytest.raises(DeskError, match="There is no ticket T-1"):
            await desk.tickets.find("T-1")


async def test_an_import_does_not_bring_back_who_was_erased(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        path = _write(tmp_path / "export.csv", _OWN_ROWS, _OTHER_ROWS)
        await import_path(desk, path)
        await _erase(desk, NAME, Way.ANONYMIZE)
        await _erase(desk, "ann@example.com", Way.REMOVE)
        again = await import_path(desk, path)
        assert (again.counts.tickets_new, again.counts.tickets_updated, again.counts.tickets_unchanged) == (0, 0, 4)
        assert again.counts.adds_up
        assert "2 people of this file were erased here before: 1 row of theirs was left out" in " ".join(again.warnings)
        newer = await import_path(
            desk, _write(tmp_path / "newer.csv", _OWN_ROWS.replace("T-1,", "T-9,").replace("T-3,", "T-8,"))
        )
        assert newer.counts.tickets_new == 2
    assert _holding(data_dir, NAME, PLAIN_NAME, EMAIL, "Ann Lee") == []


async def test_one_of_two_people_with_one_name_is_asked_for_by_the_address(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await import_path(desk, _write(tmp_path / "export.csv", _OTHER_ROWS))
        with pytest.raises(
            DeskError, match=re.escape("js1@example.com (1 ticket), js2@example.com (1 ticket)")
        ) as caught:
            await desk.erasing.find("john smith")
        assert caught.value.code == "person-ambiguous"
        with pytest.raises(DeskError, match="Close to it: John Smith"):
            await desk.erasing.find("Jon Smith")
        erased = await _erase(desk, "JS1@example.com", Way.REMOVE)
        assert (erased.footprint.tickets, erased.footprint.mentions) == (1, 0)
        other = await desk.summaries.open_ticket(await desk.tickets.find("T-5"))
        assert other.thread.messages[0].text == "I am John Smith too."
        again = await import_path(desk, _write(tmp_path / "export.csv", _OTHER_ROWS))
        assert (again.counts.tickets_new, again.counts.rows_unchanged) == (0, 3), "the other John Smith is no stranger"


async def test_backups_that_hold_the_person_are_told_and_left_alone(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await import_path(
            desk,
            _write(
                tmp_path / "a.csv",
                _OTHER_ROWS[_OTHER_ROWS.index("T-4") :],
            ),
        )
    shutil.copy2(data_dir / "tldesk.sqlite", data_dir / "without.sqlite")
    async with opened_desk(data_dir, with_sample=False) as desk:
        await import_path(desk, _write(tmp_path / "b.csv", _OWN_ROWS))
    held = data_dir / "before.sqlite"
    shutil.copy2(data_dir / "tldesk.sqlite", held)
    (data_dir / "note.txt").write_bytes(f"ask {NAME}".encode("utf-16-le"))
    size = held.stat().st_size
    async with opened_desk(data_dir, with_sample=False) as desk:
        erased = await _erase(desk, NAME, Way.REMOVE)
    assert (erased.footprint.backups, erased.footprint.kept) == ((str(held),), (str(data_dir / "note.txt"),))
    assert held.stat().st_size == size
    assert _holding(data_dir, EMAIL) == ["before.sqlite"]


async def test_killed_before_freed_space_was_overwritten_the_next_start_does_it(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await import_path(desk, _write(tmp_path / "export.csv", _OWN_ROWS, _OTHER_ROWS))
        await desk.tickets.caught_up()
    code = (
        "import os, signal, sys\n"
        "from desktop.storage.erasing import ErasingStore\n"
        "async def killed(self):\n"
        "    if await self._database.read(lambda c: c.execute('SELECT count(*) FROM erasure').fetchone()[0]):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "ErasingStore.sweep = killed\n"
        "from desktop.__main__ import main\n"
        f"main(['--data-dir', {str(data_dir)!r}, 'erase', {EMAIL!r}, '--yes'])\n"
    )
    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert _holding(data_dir, EMAIL), "else this test proves nothing"
    async with opened_desk(data_dir, with_sample=False) as desk:
        assert _holding(data_dir, NAME, EMAIL, OWN_WORD) == []
        again = await _erase(desk, EMAIL, Way.REMOVE)
        assert (again.was_before, again.footprint.tickets) == (True, 0)


async def test_a_person_known_by_number_goes_from_the_table_of_people(data_dir: Path, tmp_path: Path) -> None:
    tickets, users = tmp_path / "tickets.csv", tmp_path / "users.csv"
    tickets.write_text(
        "id,subject,description,status,requester_id,created_at\n7,Help,Please.,open,402935,2026-01-01\n",
        encoding="utf-8",
    )
    users.write_text(
        f"id,name,email,role\n402935,{NAME},{EMAIL},end-user\n402936,Bob Jones,bob@example.com,agent\n",
        encoding="utf-8",
    )
    async with opened_desk(data_dir, with_sample=False) as desk:
        drop = await desk.joining.open([tickets, users])
        for table in (table for bundle in drop.bundles for table in bundle.tables):
            async with aclosing(desk.imports.run(table)) as events:
                assert [event async for event in events]
        found = await desk.erasing.find("402935")
        assert found.handles.names == (NAME,)
        erased = await _erase(desk, "402935", Way.ANONYMIZE)
        assert erased.footprint.tickets == 1
        for bundle in (await desk.joining.open([tickets, users])).bundles:
            for table in bundle.tables:
                async with aclosing(desk.imports.run(table)) as events:
                    assert [event async for event in events]
        rows = await desk.tickets.rows(await desk.tickets.ids(TicketQuery()))
        assert [row.requester for row in rows] == ["Person 1"]
    assert _holding(data_dir, NAME, EMAIL) == []


@pytest.mark.parametrize(
    ("text", "elsewhere", "at_home"),
    [
        ("Ask Maria Garcia Pena's team", "Ask Person 7's team", "Ask Person 7's team"),
        ("GARCÍA PEÑA, MARÍA wrote", "Person 7 wrote", "Person 7 wrote"),
        ("maria.garcia@example.org.", "person-7@erased.invalid.", "person-7@erased.invalid."),
        ("xmaria.garcia@example.org", "xmaria.garcia@example.org", "x"),
        (
            "?who=maria.garcia%40example.org&n=Mar%C3%ADa",
            "?who=person-7@erased.invalid&n=Mar%C3%ADa",
            "?who=person-7@erased.invalid",
        ),
        ("call 612-345-678 or +34612345678", "call 612-345-678 or [phone]", "call 612-345-678 or [phone]"),
        ("Hi Maria, the maria beetle", "Hi Maria, the maria beetle", "Hi Person 7, the maria beetle"),
    ],
)
def test_a_name_is_found_however_it_is_spelled_and_nothing_else_is(text: str, elsewhere: str, at_home: str) -> None:
    handles = Handles((NAME,), (EMAIL,), (PHONE,))
    assert Scrubber(handles, "Person 7").text(text) == elsewhere
    assert Scrubber(handles, "Person 7", is_own=True).text(text).startswith(at_home)


def test_a_name_of_one_word_goes_where_it_stands_alone() -> None:
    scrubber = Scrubber(Handles(("Mark",)), "Person 7")
    assert (scrubber.cell("mark"), scrubber.text("Mark this as done")) == ("Person 7", "Mark this as done")
    assert scrubber.json('{"from":"Mark","text":"Mark it"}') == '{"from":"Person 7","text":"Mark it"}'


@pytest.mark.parametrize("name", ["Иван Петров", "王小明", "Łukasz Żółć", "Zoë"])
def test_every_script_is_found_before_python_reads_a_row(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for text in (name, name.upper(), f"x {name.lower()} y"):
            scrubber = Scrubber(Handles((name,)), "Person 7")
            assert any(
                connection.execute("SELECT ? LIKE ?", [text, f"%{needle}%"]).fetchone()[0]
                for needle in scrubber.needles
            ), text
