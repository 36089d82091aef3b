"""Files that belong together: tickets, their messages and the people, dropped together or one after the other, in any order."""

from __future__ import annotations

import itertools
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.imports import Bundle, Finished, ImportCounts, total
from desktop.domain.tickets import Role
from tests.services.conftest import opened_desk
from tests.services.joined_files import said, take, thread_of, write

TICKETS = (
    "id,subject,description,status,requester_id,assignee_id,created_at,updated_at\n"
    "9001,Lamp,The lamp is dark.,open,501,777,2026-03-01T08:00:00Z,2026-03-01T08:00:00Z\n"
    "9002,Door,The door sticks.,solved,502,777,2026-03-01T09:00:00Z,2026-03-04T09:00:00Z\n"
)
COMMENTS = (
    "id,ticket_id,author_id,body,created_at\n"
    "3,9001,501,Now it smokes.,2026-03-02T08:00:00Z\n"
    "1,9001,501,The lamp is dark.,2026-03-01T08:00:00Z\n"
    "2,9001,777,Please unplug it.,2026-03-01T10:00:00Z\n"
    "4,9002,777,Oiled.,2026-03-04T09:00:00Z\n"
)
USERS = "id,name,email,role\n501,Ann Lee,ann@fern.example,customer\n502,Bo Nash,bo@fern.example,customer\n777,Sam Ortiz,sam@fern.example,agent\n"
FILES = {"tickets.csv": TICKETS, "comments.csv": COMMENTS, "users.csv": USERS}
ZENDESK = {
    "tickets.csv": TICKETS.replace("assignee_id", "assignee_id,submitter_id").replace(",777,", ",777,501,"),
    "comments.csv": COMMENTS.replace("created_at", "created,public")
    .replace("author_id", "user_id")
    .replace("Z\n", "Z,TRUE\n"),
    "users.csv": USERS.replace("role\n", "role,shared_agent\n")
    .replace("customer\n", "end-user,FALSE\n")
    .replace("agent\n", "agent,TRUE\n", 2),
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Write the three tables of an unknown help desk."""
    return write(tmp_path, FILES)


LAMP = [
    ("Ann Lee", Role.CUSTOMER, "The lamp is dark."),
    ("Sam Ortiz", Role.AGENT, "Please unplug it."),
    ("Ann Lee", Role.CUSTOMER, "Now it smokes."),
]


async def test_dropped_together_they_are_one_source(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        drop = await desk.joining.open([files["users.csv"], files["comments.csv"], files["tickets.csv"]])
        (bundle,) = drop.bundles
        assert [Path(table.path).name for table in bundle.tables] == ["users.csv", "tickets.csv", "comments.csv"]
        assert {table.source for table in bundle.tables} == {"tickets"}
        assert Path(bundle.main.path).name == "tickets.csv"
        counted = [event.counts async for event in desk.joining.preview(bundle) if isinstance(event, Finished)]
        assert (total(counted).tickets_new, total(counted).tickets_updated) == (2, 0)
        assert all(counts.adds_up for counts in counted)


@pytest.mark.parametrize("order", list(itertools.permutations(FILES)), ids="-".join)
async def test_one_after_the_other_in_any_order_they_come_to_the_same(
    data_dir: Path, tmp_path: Path, order: tuple[str, ...]
) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        files = write(tmp_path, ZENDESK)
        for name in order:
            (done,) = await take(desk, files[name])
            assert done.counts.adds_up
        assert (await desk.tickets.counts()).total == 2
        thread = await thread_of(desk, "9001")
        assert said(thread) == LAMP
        ticket = thread.ticket
        assert (ticket.subject, ticket.status, ticket.requester, ticket.assignee) == (
            "Lamp",
            "open",
            "Ann Lee",
            "Sam Ortiz",
        )
        assert ticket.updated_at == "2026-03-02T08:00:00Z"
        # Once more, all of them: nothing is new, and nothing is taken away.
        again = [await take(desk, path) for path in files.values()]
        assert all(done.import_id == 0 for (done,) in again)


async def test_a_later_export_of_tickets_alone_keeps_the_messages(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, *files.values())
        files["tickets.csv"].write_text(
            TICKETS.replace("Lamp,The lamp is dark.,open", "Lamp,The lamp is dark.,solved"), encoding="utf-8"
        )
        (done,) = await take(desk, files["tickets.csv"])
        assert (done.counts.tickets_updated, done.counts.tickets_unchanged) == (1, 1)
        thread = await thread_of(desk, "9001")
        assert (thread.ticket.status, said(thread)) == ("solved", LAMP)


async def test_a_list_without_texts_takes_no_text_away(data_dir: Path, tmp_path: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, files["tickets.csv"])
        (tmp_path / "tickets.csv").write_text("id,subject,status\n9001,Lamp,closed\n", encoding="utf-8")
        await take(desk, tmp_path / "tickets.csv")
        thread = await thread_of(desk, "9001")
        assert (thread.ticket.status, [message.text for message in thread.messages]) == (
            "closed",
            ["The lamp is dark."],
        )
        assert thread.fields["description"] == "The lamp is dark."


async def test_people_that_change_their_name_and_the_way_back(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, *files.values())
        files["users.csv"].write_text(USERS.replace("Ann Lee", "Ann Ames"), encoding="utf-8")
        (done,) = await take(desk, files["users.csv"])
        assert (done.counts.rows_used, done.counts.rows_unchanged) == (1, 2)
        # The ticket says Ann Lee by now, and by that name nobody is known: who wrote it then keeps the name of then.
        assert said(await thread_of(desk, "9001")) == LAMP
        await desk.imports.undo(done.import_id)
        (again,) = await take(desk, files["users.csv"])
        assert again.counts.rows_used == 1


async def test_undoing_people_brings_the_numbers_back(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, files["tickets.csv"])
        await take(desk, files["comments.csv"])
        (done,) = await take(desk, files["users.csv"])
        assert done.counts.tickets_updated == 2
        undone = await desk.imports.undo(done.import_id)
        assert undone.tickets_restored == 2
        thread = await thread_of(desk, "9001")
        assert (thread.ticket.requester, thread.messages[1].author) == ("501", "777")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_people_go_back_in_any_order_to_what_the_imports_left_say(
    data_dir: Path, files: dict[str, Path], order: tuple[int, ...]
) -> None:
    names = ["Ann Lee", "Ann Ames", "Ann Roe"]

    async def known_by(name: str) -> int:
        files["users.csv"].write_text(USERS.replace("Ann Lee", name), encoding="utf-8")
        (bundle,) = (await desk.joining.open([files["users.csv"]])).bundles
        (done,) = [event async for event in desk.joining.preview(bundle) if isinstance(event, Finished)]
        return done.counts.rows_unchanged

    async with opened_desk(data_dir, with_sample=False) as desk:
        imports = []
        for name in names:
            files["users.csv"].write_text(USERS.replace("Ann Lee", name), encoding="utf-8")
            (done,) = await take(desk, files["users.csv"])
            imports.append(done.import_id)
        for undone, number in enumerate(order, start=1):
            await desk.imports.undo(imports[number])
            left = [name for i, name in enumerate(names) if i not in order[:undone]]
            others = 2 if 0 not in order[:undone] else 0  # the other two came with the first import, and went with it
            assert [await known_by(name) for name in names] == [others + (name in left[-1:]) for name in names]


async def test_the_panel_shows_people_by_the_names_they_will_have(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        (bundle,) = (await desk.joining.open(list(files.values()))).bundles
        named = await desk.joining.named(bundle)
        assert [draft.requester for draft in named.main.preview] == ["Ann Lee", "Bo Nash"]
        await take(desk, *files.values())
        (again,) = (await desk.joining.open([files["tickets.csv"]])).bundles
        named = await desk.joining.named(again)
        assert [draft.assignee for draft in named.main.preview] == ["Sam Ortiz", "Sam Ortiz"]


async def test_the_same_tickets_under_another_name_are_pointed_out(data_dir: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n},Lamp {n},Dark.,open,501,777,2026-03-01,2026-03-01\n" for n in range(9000, 9030))
    first, second = write(
        tmp_path,
        {"week.csv": TICKETS[: TICKETS.index("\n") + 1] + rows, "backlog.csv": TICKETS.split("\n")[0] + "\n" + rows},
    ).values()
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, first)
        (bundle,) = (await desk.joining.open([second])).bundles
        assert bundle.main.source == "backlog"
        assert "tickets with 30 of the 30 ids looked at are here, from the source “week”" in bundle.notes[0]
        (same,) = (await desk.joining.open([first])).bundles
        assert same.notes == ()


async def test_messages_find_the_tickets_that_are_here_and_say_so(data_dir: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, files["tickets.csv"])
        drop = await desk.joining.open([files["comments.csv"]])
        assert drop.bundles[0].main.source == "tickets"
        assert (
            "these messages belong to tickets of “tickets” (2 of 2 ids looked at are there)" in drop.bundles[0].notes[0]
        )


async def test_messages_of_other_tickets_stay_apart(data_dir: Path, tmp_path: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, files["tickets.csv"])
        (tmp_path / "comments.csv").write_text(COMMENTS.replace("9001", "1234"), encoding="utf-8")
        drop = await desk.joining.open([tmp_path / "comments.csv"])
        assert (drop.bundles[0].main.source, drop.bundles[0].notes) == ("comments", ())


async def test_a_document_with_tickets_users_and_more(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        ticket = {
            "id": 7,
            "subject": "Lamp",
            "description": "Dark.",
            "status": "open",
            "requester_id": 501,
            "submitter_id": 501,
            "via": {"channel": "web"},
        }
        users = [{"id": 501, "name": "Ann Lee", "email": "ann@fern.example", "role": "end-user", "shared_agent": False}]
        document = {"tickets": [ticket], "users": users, "facets": [{"count": 1}], "next_page": None}
        path = tmp_path / "export.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        drop = await desk.joining.open([path])
        (bundle,) = drop.bundles
        assert [Path(table.path).name for table in bundle.tables] == ["users", "tickets"]
        assert bundle.notes == ("“facets” in export.json holds no tickets and is left out.",)
        assert (drop.failed, drop.questions) == ((), ())
        for table in bundle.tables:
            async for _ in desk.imports.run(table):
                pass
        assert (await thread_of(desk, "7")).ticket.requester == "Ann Lee"


async def test_an_archive_of_three_tables_is_one_bundle(data_dir: Path, tmp_path: Path, files: dict[str, Path]) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            for path in files.values():
                archive.write(path, path.name)
        done = await take(desk, tmp_path / "export.zip")
        assert len(done) == 3
        assert said(await thread_of(desk, "9001")) == LAMP


async def test_of_several_exports_the_newest_has_the_last_word(data_dir: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "tickets-2026-03-01.csv", tmp_path / "tickets-2026-03-08.csv"
    old.write_text(TICKETS, encoding="utf-8")
    new.write_text(TICKETS.replace("The lamp is dark.,open", "The lamp is dark.,solved"), encoding="utf-8")
    os.utime(old, (1_000_000, 1_000_000))
    async with opened_desk(data_dir, with_sample=False) as desk:
        done = await take(desk, new, old)
        assert [Path(each.path).name for each in done] == [old.name, new.name]
        assert (await thread_of(desk, "9001")).ticket.status == "solved"


async def test_an_archive_inside_an_archive_is_not_passed_over_in_silence(
    data_dir: Path, tmp_path: Path, files: dict[str, Path]
) -> None:
    inner, outer = tmp_path / "older.zip", tmp_path / "all.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(files["tickets.csv"], "tickets.csv")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "old/older.zip")
        archive.write(files["tickets.csv"], "tickets.csv")
    async with opened_desk(data_dir, with_sample=False) as desk:
        drop = await desk.joining.open([outer])
        (bundle,) = drop.bundles
        assert [Path(table.path).name for table in bundle.tables] == ["tickets.csv"]
        (failed,) = drop.failed
        assert "older.zip is an archive inside all.zip" in str(failed.error)


async def test_what_is_wrong_with_one_file_is_said_of_that_file(
    data_dir: Path, tmp_path: Path, files: dict[str, Path]
) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        (tmp_path / "figures.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
        drop = await desk.joining.open([tmp_path / "missing.csv", tmp_path / "figures.csv", files["tickets.csv"]])
        assert [Path(file.path).name for file in drop.failed] == ["missing.csv"]
        assert [Path(question.recognized.path).name for question in drop.questions] == ["figures.csv"]
        assert [Path(bundle.main.path).name for bundle in drop.bundles] == ["tickets.csv"]


async def test_correcting_the_source_of_the_tickets_takes_the_others_along(
    data_dir: Path, files: dict[str, Path]
) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        (bundle,) = (await desk.joining.open(list(files.values()))).bundles
        main = await desk.imports.recognize(Path(bundle.main.path))
        corrected: Bundle = bundle.with_main(replace(main, source="berlin"))
        assert {table.source for table in corrected.tables} == {"berlin"}
        assert corrected.main.source == "berlin"
        assert total([]) == ImportCounts()
