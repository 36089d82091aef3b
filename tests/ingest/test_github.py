"""GitHub: issues and pull requests from its interface, from archives of repositories and from what its query language answers."""

from __future__ import annotations

import json

from desktop.domain.tickets import Role
from tests.ingest.conftest import Reader, Writer


def test_comments_and_reviews_of_a_pull_request_name_it_by_its_address(read: Reader, write: Writer) -> None:
    review = {
        "id": 5,
        "user": {"login": "cy"},
        "body": "",
        "state": "APPROVED",
        "html_url": "https://github.com/fern/lamp/pull/7#pullrequestreview-5",
        "pull_request_url": "https://api.github.com/repos/fern/lamp/pulls/7",
        "author_association": "MEMBER",
        "submitted_at": "2026-01-03T10:00:00Z",
    }
    rows = [
        review,
        {**review, "id": 6, "body": "One word?", "state": "COMMENTED", "submitted_at": "2026-01-02T10:00:00Z"},
    ]
    ticket = read(write(json.dumps(rows), "reviews.json")).ticket("fern/lamp#7")
    assert [(m.author, m.role, m.created_at, m.text) for m in ticket.messages] == [
        ("cy", Role.AGENT, "2026-01-02T10:00:00Z", "One word?"),
        ("cy", Role.SYSTEM, "2026-01-03T10:00:00Z", "Approved"),
    ]


def test_the_same_number_in_two_repositories_is_two_issues(read: Reader, write: Writer) -> None:
    header = "id,_fivetran_synced,body,closed_at,created_at,locked,milestone_id,number,pull_request,repository_id,state,title,updated_at,user_id\n"
    rows = "901,,Dark,,2026-01-02 10:00:00,FALSE,,3,FALSE,11,open,Lamp,2026-01-02 10:00:00,51\n"
    rows += "902,,Stuck,,2026-01-03 10:00:00,FALSE,,3,FALSE,22,closed,Door,,52\n"
    outcome = read(write(header + rows, "issue.csv"))
    assert [(t.external_id, t.subject, t.requester) for t in outcome.tickets] == [
        ("11#3", "Lamp", "51"),
        ("22#3", "Door", "52"),
    ]
    assert outcome.rejects == []


def archived(number: int, **more: object) -> dict[str, object]:
    """Return a pull request as an archive of a repository holds it."""
    return {
        "number": number,
        "id": f"PR_kw{number}",
        "title": f"Change {number}",
        "url": f"https://github.com/fern/lamp/pull/{number}",
        "state": "MERGED",
        "author": "ann",
        "authorAssociation": "OWNER",
        "assignees": ["bo", "cy"],
        "labels": ["bug"],
        "body": "Please look.\r\n",
        "createdAt": "2026-01-02T10:00:00Z",
        "updatedAt": "2026-01-05T10:00:00Z",
        "baseRepository": "fern/lamp",
        "comments": [],
        "reviews": [],
        **more,
    }


def test_an_archive_of_a_repository_with_what_was_said_in_its_reviews(read: Reader, write: Writer) -> None:
    said = {"author": "bo", "authorAssociation": "MEMBER", "body": "Nice.", "createdAt": "2026-01-02T11:00:00Z"}
    inner = {"originalPosition": 19, "body": "This line?", "createdAt": "2026-01-03T10:00:00Z"}
    reviews = [
        {
            "id": "R1",
            "author": "cy",
            "state": "COMMENTED",
            "body": "",
            "createdAt": "2026-01-03T10:00:00Z",
            "comments": [inner],
        },
        {
            "id": "R2",
            "author": "bo",
            "state": "APPROVED",
            "body": "",
            "createdAt": "2026-01-04T10:00:00Z",
            "comments": [],
        },
    ]
    document = {
        "repo": "fern/lamp",
        "labels": [{"name": "bug", "description": "It is broken", "color": "d73a4a"}],
        "issues": [archived(1, url="https://github.com/fern/lamp/issues/1", comments=[said])],
        "pulls": [archived(7, reviews=reviews), archived(8)],
    }
    path = write(json.dumps(document), "archive.json")
    issue = read(path / "issues").ticket("fern/lamp#1")
    assert (issue.requester, issue.assignee, issue.status) == ("ann", "bo, cy", "closed")
    assert [(m.author, m.role, m.text) for m in issue.messages] == [
        ("ann", Role.CUSTOMER, "Please look."),
        ("bo", Role.AGENT, "Nice."),
    ]
    pull = read(path / "pulls").ticket("fern/lamp#7")
    assert [(m.author, m.created_at, m.text) for m in pull.messages] == [
        ("ann", "2026-01-02T10:00:00Z", "Please look."),
        ("cy", "2026-01-03T10:00:00Z", "This line?"),
        ("bo", "2026-01-04T10:00:00Z", "Approved"),
    ]
    assert pull.fields["reviews.comments[].originalPosition"] == ["19"]


def test_a_migration_archive_names_everything_by_its_address(read: Reader, write: Writer) -> None:
    issue = {
        "type": "issue",
        "url": "https://github.com/fern/lamp/issues/84",
        "repository": "https://github.com/fern/lamp",
        "user": "https://github.com/ann",
        "title": "Lamp",
        "body": "Dark.",
        "created_at": "2026-01-02T10:00:00Z",
    }
    comment = {
        "type": "issue_comment",
        "url": "https://github.com/fern/lamp/issues/84#issuecomment-7",
        "issue": "https://github.com/fern/lamp/issues/84",
        "user": "https://github.com/bo",
        "body": "Which?",
        "created_at": "2026-01-03T10:00:00Z",
    }
    issues = read(write(json.dumps([issue]), "issues_000001.json"))
    comments = read(write(json.dumps([comment]), "issue_comments_000001.json"))
    assert issues.recognized.source == comments.recognized.source == "github"
    assert issues.ticket("fern/lamp#84").subject == "Lamp"
    assert [m.text for m in comments.ticket("fern/lamp#84").messages] == ["Which?"]


def test_what_the_query_language_of_github_answers(read: Reader, write: Writer) -> None:
    said = {"author": {"login": "bo"}, "body": "Nice.", "createdAt": "2026-01-02T11:00:00Z"}
    issue = archived(3, author={"login": "ann"}, comments={"nodes": [said]}, assignees={"nodes": [{"login": "cy"}]})
    document = {"data": {"repository": {"issues": {"nodes": [issue]}}}}
    [ticket] = read(write(json.dumps(document), "answer.json")).tickets
    assert (ticket.external_id, ticket.requester, ticket.assignee) == ("fern/lamp#3", "ann", "cy")
    assert [(m.author, m.text) for m in ticket.messages] == [("ann", "Please look."), ("bo", "Nice.")]


def test_a_thousand_tickets_without_a_word_hide_no_comment_behind_them(read: Reader, write: Writer) -> None:
    said = {"author": "bo", "body": "Nice.", "createdAt": "2026-01-02T11:00:00Z"}
    silent = [archived(number, body="x" * 300) for number in range(1, 1_100)]
    outcome = read(write(json.dumps([*silent, archived(2_000, comments=[said])]), "pulls.json"))
    assert [m.text for m in outcome.ticket("fern/lamp#2000").messages] == ["Please look.", "Nice."]
