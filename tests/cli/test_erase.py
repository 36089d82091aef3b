"""`tldesk erase`: who is meant, what would go, and that nobody is erased without a yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Runner

KEYS = {
    "tickets",
    "messages",
    "summaries",
    "backups",
    "starred",
    "queue_items",
    "traces",
    "ledger_entries",
    "rejects",
    "files",
}


@pytest.fixture
def filled(tldesk: Runner, export: Path) -> Runner:
    """Give the command over a folder with the small export in it."""
    assert tldesk("import", str(export), "--json").code == 3
    return tldesk


def test_erasing_removes_the_tickets_and_tells_what_went(filled: Runner) -> None:
    ran = filled("erase", "aDA", "--yes", "--json")
    assert ran.code == 0
    assert ran.json.keys() >= KEYS
    assert (ran.json["tickets"], ran.json["messages"], ran.json["backups"], ran.json["swept"]) == (1, 1, [], True)
    assert [ticket["requester"] for ticket in filled("list", "--json").json["tickets"]] == ["Bo"]
    again = filled("erase", "Ada", "--yes")
    assert (again.code, "Erased before, on " in again.out) == (0, True)


def test_anonymizing_keeps_the_tickets(filled: Runner) -> None:
    ran = filled("erase", "Ada", "--anonymize", "--yes")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Anonymized: 1 ticket and 1 message; “Person 1” is there now.")
    assert {t["requester"] for t in filled("list", "--json").json["tickets"]} == {"Person 1", "Bo"}


def test_without_a_yes_it_says_what_would_go_and_does_nothing(filled: Runner) -> None:
    ran = filled("erase", "Ada")
    assert ran.code == 2
    assert ran.out.splitlines()[:2] == ["Ada", "  1 ticket and 1 message would go"]
    assert "Add --yes" in ran.err
    assert filled("list", "--json").json["total"] == 2
    assert filled("erase", "Ada", "--json").code == 2


def test_nobody_of_that_name_is_one_sentence(filled: Runner) -> None:
    ran = filled("erase", "Grace", "--yes")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == "Error: No requester here is named Grace. See them with: tldesk list\n"
