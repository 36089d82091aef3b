"""Files that belong together, as particular help desks write them: comments, diffs, articles and people beside the tickets they are of."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from desktop.domain.tickets import Role
from tests.services.conftest import opened_desk
from tests.services.joined_files import said, take, thread_of, write

JIRA = (
    "id,_fivetran_synced,assignee,created,creator,description,issue_type,key,priority,project,reporter,status,summary,updated\n"
    "10011,,ac:7,2026-04-01 8:33:58,ac:5,It is dark.,10103,LAMP-8,3,10001,ac:5,3,Lamp,2026-05-29 11:33:53\n"
    "10015,,,2026-06-11 7:38:03,ac:5,,10103,LAMP-12,5,10001,ac:5,3,Door,2026-06-11 7:38:03\n"
)
JIRA_COMMENTS = (
    "id,_fivetran_synced,author_id,body,created,is_public,issue_id,updated\n"
    "902,,ac:7,Which bulb?,2026-04-02 19:19:41.224,false,10011,\n"
    "901,,ac:5,The small one.,2026-04-03 02:45:38.717,true,10011,\n"
)


async def test_comments_find_their_issue_by_its_second_number(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        files = write(tmp_path, {"comment.csv": JIRA_COMMENTS, "issue.csv": JIRA})
        await take(desk, *files.values())
        assert (await desk.tickets.counts()).total == 2
        thread = await thread_of(desk, "LAMP-8")
        assert thread.ticket.source == "jira"
        assert [(m.author, m.role, m.internal, m.text) for m in thread.messages] == [
            ("ac:5", Role.CUSTOMER, False, "It is dark."),
            ("ac:7", Role.AGENT, True, "Which bulb?"),
            ("ac:5", Role.CUSTOMER, False, "The small one."),
        ]


def pull(number: int, repository: str = "fern/lamp") -> dict[str, object]:
    """Return a pull request as the interface gives it, without its diff."""
    return {
        "number": number,
        "title": f"Change {number}",
        "body": "Please look.",
        "state": "open",
        "user": {"login": "ann"},
        "html_url": f"https://github.com/{repository}/pull/{number}",
        "created_at": "2026-01-02T10:00:00Z",
        "updated_at": "2026-01-03T10:00:00Z",
        "comments": [{"id": 1, "user": {"login": "bo"}, "body": "Nice.", "created_at": "2026-01-02T11:00:00Z"}],
    }


DIFF = "diff --git a/x.html b/x.html\n--- a/x.html\n+++ b/x.html\n@@ -1 +1 @@\n-<b>a</b>\n+c"


async def test_a_diff_beside_its_pull_request_is_a_message_of_it(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        dump = json.dumps({"issues": [pull(1)], "pulls": [pull(7), pull(8)]})
        files = write(tmp_path, {"dump.json": dump, "pull-7.diff": DIFF + "\n", "9.diff": DIFF})
        drop = await desk.joining.open([files["pull-7.diff"], files["dump.json"], files["9.diff"]])
        assert [(Path(file.path).name, file.error.code) for file in drop.failed] == [("9.diff", "file-diff-alone")]
        assert "1 diff belongs to a pull request of pulls." in drop.bundles[0].notes
        await take(desk, files["pull-7.diff"], files["dump.json"])
        thread = await thread_of(desk, "fern/lamp#7")
        assert said(thread) == [
            ("ann", Role.CUSTOMER, "Please look."),
            ("ann", Role.SYSTEM, DIFF),
            ("bo", Role.UNKNOWN, "Nice."),
        ]
        # The next export has no diffs beside it, and takes none away.
        files["dump.json"].write_text(dump.replace("Change 7", "Change seven"), encoding="utf-8")
        await take(desk, files["dump.json"])
        again = await thread_of(desk, "fern/lamp#7")
        assert (again.ticket.subject, said(again)) == ("Change seven", said(thread))


async def test_diffs_in_an_archive_of_two_repositories(data_dir: Path, tmp_path: Path) -> None:
    async with opened_desk(data_dir, with_sample=False) as desk:
        with zipfile.ZipFile(tmp_path / "dump.zip", "w") as archive:
            archive.writestr("pulls.json", json.dumps([pull(7), pull(7, "fern/door")]))
            archive.writestr("fern/door/7.diff", DIFF)
            archive.writestr("7.patch", DIFF)
            archive.writestr("notes-of-somebody.patch", DIFF)
        (bundle,) = (await desk.joining.open([tmp_path / "dump.zip"])).bundles
        assert (
            "2 of the files are diffs of no pull request here and are left out (7.patch, notes-of-somebody.patch)."
            in bundle.notes
        )
        (done,) = await take(desk, tmp_path / "dump.zip")
        assert done.counts.messages == 5
        assert said(await thread_of(desk, "fern/door#7"))[1] == ("ann", Role.SYSTEM, DIFF)


async def test_articles_of_zammad_find_their_ticket_by_its_second_number(data_dir: Path, tmp_path: Path) -> None:
    ticket = {
        "id": 1,
        "group_id": 1,
        "priority_id": 3,
        "state_id": 4,
        "number": "022001",
        "title": "Lamp",
        "owner_id": 7,
        "customer_id": 5,
        "created_at": "2026-01-02T10:00:00.759Z",
        "updated_at": "2026-01-03T10:00:00.809Z",
    }
    article = {
        "id": 5,
        "ticket_id": 1,
        "sender": "Customer",
        "from": "Ann Lee",
        "content_type": "text/html",
        "body": "<p>It is dark.</p>",
        "internal": False,
        "created_at": "2026-01-02T10:00:00.759Z",
    }
    note = {
        **article,
        "id": 6,
        "sender": "Agent",
        "from": "Sam",
        "internal": True,
        "body": "Hm",
        "created_at": "2026-01-03T10:00:00Z",
    }
    files = write(tmp_path, {"articles.json": json.dumps([article, note]), "tickets.json": json.dumps([ticket])})
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, *files.values())
        assert (await desk.tickets.counts()).total == 1
        thread = await thread_of(desk, "022001")
        assert (thread.ticket.status, thread.ticket.priority) == ("closed", "high")
        assert said(thread) == [("Ann Lee", Role.CUSTOMER, "It is dark."), ("Sam", Role.AGENT, "Hm")]
        assert [message.internal for message in thread.messages] == [False, True]


async def test_one_ticket_with_its_people_and_groups_beside(data_dir: Path, tmp_path: Path) -> None:
    ticket = {
        "id": 4,
        "subject": "Lamp",
        "description": "It is dark.",
        "status": "new",
        "requester_id": 501,
        "submitter_id": 501,
        "via": {"channel": "api"},
        "created_at": "2026-01-02T10:00:00Z",
    }
    user = {"id": 501, "name": "Ann Lee", "email": "ann@fern.example", "role": "end-user", "shared_agent": False}
    group = {"id": 9, "url": "x", "name": "Support", "deleted": False, "updated_at": "2026-01-02T10:00:00Z"}
    path = tmp_path / "ticket.json"
    path.write_text(json.dumps({"ticket": ticket, "users": [user], "groups": [group]}), encoding="utf-8")
    async with opened_desk(data_dir, with_sample=False) as desk:
        await take(desk, path)
        assert (await desk.tickets.counts()).total == 1
        assert said(await thread_of(desk, "4")) == [("Ann Lee", Role.CUSTOMER, "It is dark.")]
